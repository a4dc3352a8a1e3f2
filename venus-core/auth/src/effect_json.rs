//! What ends, as JSON: over REST, and in the table that instances on one database share.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use venus_core::types::address;

use crate::effect::Effect;
use crate::text;

/// [`Effect`], and room for those that a later service knows.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "lowercase")]
pub(crate) enum EffectJson {
    Token {
        id: Uuid,
        hash: String,
    },
    Account {
        account: String,
    },
    Miner {
        account: String,
        miner: String,
    },
    Signer {
        account: String,
        signer: String,
    },
    Address {
        address: String,
    },
    Ip {
        ip: std::net::IpAddr,
    },
    #[serde(other)]
    Reset,
}

impl From<Effect> for EffectJson {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Token { id, hash } => Self::Token { id, hash },
            Effect::Account(account) => Self::Account { account },
            Effect::Miner { account, miner } => Self::Miner { account, miner: text::address(&miner) },
            Effect::Signer { account, signer } => Self::Signer { account, signer: text::address(&signer) },
            Effect::Address(address) => Self::Address { address: text::address(&address) },
            Effect::Ip(ip) => Self::Ip { ip },
            Effect::Reset => Self::Reset,
        }
    }
}

impl From<EffectJson> for Effect {
    /// What cannot be read ends everything: better too much than too little.
    fn from(json: EffectJson) -> Self {
        let read = |text: &str| address::parse(text).ok();
        match json {
            EffectJson::Token { id, hash } => Self::Token { id, hash },
            EffectJson::Account { account } => Self::Account(account),
            EffectJson::Miner { account, miner } => {
                read(&miner).map_or(Self::Reset, |miner| Self::Miner { account, miner })
            }
            EffectJson::Signer { account, signer } => {
                read(&signer).map_or(Self::Reset, |signer| Self::Signer { account, signer })
            }
            EffectJson::Address { address } => read(&address).map_or(Self::Reset, Self::Address),
            EffectJson::Ip { ip } => Self::Ip(ip),
            EffectJson::Reset => Self::Reset,
        }
    }
}

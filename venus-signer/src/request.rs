//! A request to sign, and who makes it.

use std::fmt;

use secrecy::SecretString;
use venus_core::api::Permissions;
use venus_core::types::{Address, MsgMeta};

use crate::payload::Payload;

/// How a request reached the wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// A call in the same process.
    #[default]
    Embedded,
    /// JSON-RPC, with a token of the wallet itself.
    Rpc,
    /// A gateway that the wallet is registered at, by the name it is configured under.
    Gateway {
        /// The hub.
        hub: String,
    },
    /// A file that was carried to a machine without network.
    Offline,
}

/// Who asks for a signature, as far as the wallet knows. Nothing in it is taken from the payload.
#[derive(Clone, Default)]
pub struct Caller {
    /// How the request came in.
    pub origin: Origin,
    /// The subject of the caller's token, or empty.
    pub subject: String,
    /// What the token allows. Callers in the same process have all rights, those behind a gateway none.
    pub permissions: Permissions,
    /// The accounts on whose behalf a gateway asks: those that the wallet supports there, its own included, unless the
    /// hub names fewer. Empty for other callers.
    pub accounts: Vec<String>,
    /// The strategy token, if the caller presented one.
    pub strategy_token: Option<SecretString>,
    /// The wallet's random bytes in the session that a challenge (`verifyaddress`) has to answer. Without them no
    /// challenge is signed.
    pub session_random: Option<[u8; 32]>,
    /// The digest of a challenge (`verifyaddress`) that was checked already: it names the hub, the account, the channel
    /// and the key. It is signed as the answer, and nothing else of that kind but what `session_random` allows.
    pub approved_challenge: Option<[u8; 32]>,
}

impl Caller {
    /// A call in the same process: all rights.
    pub fn embedded() -> Self {
        Self { permissions: Permissions::ALL, ..Self::default() }
    }

    /// A call over RPC by the holder of a token.
    pub fn rpc(subject: impl Into<String>, permissions: Permissions) -> Self {
        Self { origin: Origin::Rpc, subject: subject.into(), permissions, ..Self::default() }
    }

    /// A request that a hub passes on for these accounts.
    pub fn gateway(hub: impl Into<String>, accounts: Vec<String>) -> Self {
        Self { origin: Origin::Gateway { hub: hub.into() }, accounts, ..Self::default() }
    }

    /// One line for records: `embedded`, `rpc:alice`, `gateway:hub(alice,bob)`, `offline`.
    pub fn label(&self) -> String {
        match &self.origin {
            Origin::Embedded => "embedded".into(),
            Origin::Offline => "offline".into(),
            Origin::Rpc if self.subject.is_empty() => "rpc".into(),
            Origin::Rpc => format!("rpc:{}", self.subject),
            Origin::Gateway { hub } => format!("gateway:{hub}({})", self.accounts.join(",")),
        }
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Caller").field(&self.label()).finish()
    }
}

/// A request to sign.
#[derive(Clone, Debug)]
pub struct SignRequest<'a> {
    /// The key's address.
    pub signer: Address,
    /// What the caller says is to be signed.
    pub to_sign: &'a [u8],
    /// What the caller says it is.
    pub meta: &'a MsgMeta,
    /// Who asks.
    pub caller: &'a Caller,
}

/// A request whose payload is understood: what checks look at.
#[derive(Clone, Debug)]
pub struct Review<'a> {
    /// The request.
    pub request: &'a SignRequest<'a>,
    /// What the signature would be made over.
    pub payload: &'a Payload,
}

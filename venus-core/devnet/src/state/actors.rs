//! What actors are and what they remember.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use cid::Cid;
use fvm_shared::ActorID;
use fvm_shared::address::{Address, Payload};
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use venus_core::cbor::{Encode, Writer};
use venus_core::types::blake2b_cid;

/// An actor: what every one has, and the state that its kind adds. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    /// The next nonce of a message from this actor.
    pub(crate) nonce: u64,
    /// Balance in attoFIL.
    pub(crate) balance: TokenAmount,
    state: Arc<ActorState>,
    head: Cid,
}

/// The state of an actor, by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum ActorState {
    /// Holds the parameters of the network, so that the genesis commits to them.
    System {
        /// CBOR of the parameters, see [`crate::genesis`].
        params: Vec<u8>,
    },
    /// Hands out IDs.
    Init {
        /// The next one.
        next_id: ActorID,
    },
    /// Pays for blocks.
    Reward {
        /// For an epoch with five wins, attoFIL.
        epoch_reward: TokenAmount,
    },
    /// Wakes others at the end of an epoch. Nobody needs it yet.
    Cron,
    /// Knows every miner's power.
    Power(PowerState),
    /// Owned by a key.
    Account {
        /// Key address, or the actor's own ID for the accounts of the system.
        address: Address,
    },
    /// Owned by an Ethereum key.
    EthAccount {
        /// The `f410` address.
        address: Address,
    },
    /// An `f4` address that was paid before anything lives there.
    Placeholder {
        /// The `f4` address.
        address: Address,
    },
    /// Proves storage and makes blocks.
    Miner(MinerState),
}

/// The state of the power actor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PowerState {
    /// What each miner has.
    pub(crate) claims: BTreeMap<ActorID, Claim>,
}

/// The power of one miner, bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Bytes of sectors.
    pub(crate) raw: u128,
    /// The same, deals weighted.
    pub(crate) quality_adjusted: u128,
}

/// The state of a miner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MinerState {
    /// Who owns it.
    pub(crate) owner: ActorID,
    /// Whose key signs blocks.
    pub(crate) worker: ActorID,
    /// Bytes of one sector.
    pub(crate) sector_size: u64,
    /// How many sectors were sealed before genesis; they are numbered from zero.
    pub(crate) preseals: u64,
    /// What the sealed CIDs of these sectors are derived from.
    pub(crate) seed: u64,
    /// Penalties that it could not pay, attoFIL. Who has any may not mine.
    pub(crate) fee_debt: TokenAmount,
    /// Until when a consensus fault excludes it, or -1.
    pub(crate) fault_until: ChainEpoch,
}

impl Actor {
    /// An actor without funds.
    pub(crate) fn new(state: ActorState) -> Self {
        let head = blake2b_cid(&state.to_cbor());
        Self { nonce: 0, balance: TokenAmount::default(), state: Arc::new(state), head }
    }

    /// The same with a balance.
    pub(crate) fn with_balance(mut self, balance: TokenAmount) -> Self {
        self.balance = balance;
        self
    }

    /// What its kind adds.
    pub(crate) fn state(&self) -> &ActorState {
        &self.state
    }

    /// Replaces the state.
    pub(crate) fn set_state(&mut self, state: ActorState) {
        self.head = blake2b_cid(&state.to_cbor());
        self.state = Arc::new(state);
    }

    /// CID of the state.
    pub(crate) fn head(&self) -> Cid {
        self.head
    }

    /// CID of the code, as in the actors bundle of network version 28.
    pub(crate) fn code(&self) -> Cid {
        self.state.code()
    }

    /// The address that is not an ID, if the actor has one.
    pub(crate) fn key_address(&self) -> Option<Address> {
        match &*self.state {
            ActorState::Account { address }
            | ActorState::EthAccount { address }
            | ActorState::Placeholder { address }
                if !matches!(address.payload(), Payload::ID(_)) =>
            {
                Some(*address)
            }
            _ => None,
        }
    }

    /// The `f4` address, if the actor has one.
    pub(crate) fn delegated_address(&self) -> Option<Address> {
        self.key_address().filter(|address| matches!(address.payload(), Payload::Delegated(_)))
    }
}

macro_rules! codes {
    ($($name:ident = $cid:literal),+ $(,)?) => {
        $(static $name: LazyLock<Cid> = LazyLock::new(|| $cid.parse().unwrap_or_default());)+

        #[cfg(test)]
        const CODES: &[(&LazyLock<Cid>, &str)] = &[$((&$name, $cid)),+];
    };
}

// Code CIDs of the builtin actors v18 bundle for devnets, so that tools recognise the kinds.
codes! {
    SYSTEM = "bafk2bzacedced5maxljwmavukjvtnmknpzoullfcwk3upaz5x5hvvdl2pk24e",
    INIT = "bafk2bzaced23vlf6nemlulavy2ouxuvudxe3jbu4klc74tcgruafrqu2fnt3c",
    REWARD = "bafk2bzacedchalmz2omgitfunbqg5opzcvrlvju77k6dr5zt2poyy7jjzkvwa",
    CRON = "bafk2bzacedrv5m6tczd6dz6ly3zmenkljnokovduvgkbmgxvsawbalerciieg",
    POWER = "bafk2bzacebydegz3ap6xgejojdu3usfddhyrj476f25ooahgcqko6d7djynas",
    ACCOUNT = "bafk2bzacedpmhtrp2kdjoga2phrbi3f7z7wn25s3tluxoagcu7hsg2ppktxbw",
    ETH_ACCOUNT = "bafk2bzacedsbwrrjywdmxeluuzwfhmam2jmrm6ivj72ggw6qaijcx7ilw5fvk",
    PLACEHOLDER = "bafk2bzacedfvut2myeleyq67fljcrw4kkmn5pb5dpyozovj7jpoez5irnc3ro",
    MINER = "bafk2bzacedhvcxgdz2w75izwa5s5dwvsrxsnzkjcbpbresziyrrjrsvjzwvxe",
}

impl ActorState {
    fn code(&self) -> Cid {
        **match self {
            Self::System { .. } => &SYSTEM,
            Self::Init { .. } => &INIT,
            Self::Reward { .. } => &REWARD,
            Self::Cron => &CRON,
            Self::Power(_) => &POWER,
            Self::Account { .. } => &ACCOUNT,
            Self::EthAccount { .. } => &ETH_ACCOUNT,
            Self::Placeholder { .. } => &PLACEHOLDER,
            Self::Miner(_) => &MINER,
        }
    }
}

/// The devnet's own layout of actor states.
impl Encode for ActorState {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::System { params } => w.raw(params),
            Self::Init { next_id } => {
                w.array(1);
                w.uint(*next_id);
            }
            Self::Reward { epoch_reward } => {
                w.array(1);
                epoch_reward.encode(w);
            }
            Self::Cron => w.array(0),
            Self::Power(power) => encode_power(power, w),
            Self::Account { address } | Self::EthAccount { address } | Self::Placeholder { address } => {
                w.array(1);
                address.encode(w);
            }
            Self::Miner(miner) => encode_miner(miner, w),
        }
    }
}

fn encode_power(power: &PowerState, w: &mut Writer) {
    w.array(power.claims.len() as u64);
    for (miner, claim) in &power.claims {
        w.array(3);
        w.uint(*miner);
        TokenAmount::from_atto(claim.raw).encode(w);
        TokenAmount::from_atto(claim.quality_adjusted).encode(w);
    }
}

fn encode_miner(miner: &MinerState, w: &mut Writer) {
    w.array(7);
    w.uint(miner.owner);
    w.uint(miner.worker);
    w.uint(miner.sector_size);
    w.uint(miner.preseals);
    w.uint(miner.seed);
    miner.fee_debt.encode(w);
    w.int(miner.fault_until);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_cids_are_those_of_the_bundle() {
        for (code, text) in CODES {
            assert_eq!(code.to_string(), *text);
        }
    }

    #[test]
    fn a_changed_state_has_another_head() {
        let mut actor = Actor::new(ActorState::Init { next_id: 1 });
        let (code, head) = (actor.code(), actor.head());
        actor.set_state(ActorState::Init { next_id: 2 });
        assert_eq!(actor.code(), code);
        assert_ne!(actor.head(), head);
    }
}

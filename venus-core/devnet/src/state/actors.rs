//! What actors are and what they remember.

use std::sync::{Arc, OnceLock};

use cid::Cid;
use fvm_shared::ActorID;
use fvm_shared::address::{Address, Payload};
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use venus_core::actors::ActorKind;
use venus_core::cbor::{Encode, Writer};
use venus_core::types::blake2b_cid;

use super::codes;
use super::{MinerState, MultisigState, PowerState};

/// An actor: what every one has, and the state that its kind adds. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    /// The next nonce of a message from this actor.
    pub(crate) nonce: u64,
    /// Balance in attoFIL.
    pub(crate) balance: TokenAmount,
    /// The `f2` address of an actor that another one made.
    pub(crate) robust: Option<Address>,
    state: Arc<ActorState>,
    head: OnceLock<Cid>,
}

/// The state of an actor, by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "every state lies behind an Arc")]
pub(crate) enum ActorState {
    /// Commits to the rules of the network.
    System {
        /// CBOR of the rules.
        rules: Vec<u8>,
    },
    /// Hands out IDs.
    Init {
        /// The next one.
        next_id: ActorID,
    },
    /// Pays for blocks.
    Reward(RewardState),
    /// Wakes others at the end of an epoch.
    Cron,
    /// Knows every miner's power.
    Power(PowerState),
    /// The storage market; without deals so far.
    Market,
    /// The verified registry; without clients so far.
    Verifreg {
        /// Who names verifiers.
        root_key: ActorID,
    },
    /// The datacap token; nobody has any so far.
    Datacap,
    /// The Ethereum address manager.
    Eam,
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
    /// Owned by several.
    Multisig(MultisigState),
    /// Proves storage and makes blocks.
    Miner(MinerState),
    /// One whose constructor has not run yet; never outlives a message.
    Blank(ActorKind),
}

/// The state of the reward actor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RewardState {
    /// For an epoch with five wins, attoFIL.
    pub(crate) epoch_reward: TokenAmount,
    /// The epoch that the reward is for: the next to be executed.
    pub(crate) epoch: ChainEpoch,
    /// What was paid so far, attoFIL.
    pub(crate) total: TokenAmount,
}

impl Actor {
    /// An actor without funds.
    pub(crate) fn new(state: ActorState) -> Self {
        Self {
            nonce: 0,
            balance: TokenAmount::default(),
            robust: None,
            state: Arc::new(state),
            head: OnceLock::new(),
        }
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

    /// The state, to be changed.
    pub(crate) fn state_mut(&mut self) -> &mut ActorState {
        self.head = OnceLock::new();
        Arc::make_mut(&mut self.state)
    }

    /// Replaces the state.
    pub(crate) fn set_state(&mut self, state: ActorState) {
        self.head = OnceLock::new();
        self.state = Arc::new(state);
    }

    /// CID of the state.
    pub(crate) fn head(&self) -> Cid {
        *self.head.get_or_init(|| blake2b_cid(&self.state.to_cbor()))
    }

    /// What it is.
    pub(crate) fn kind(&self) -> ActorKind {
        self.state.kind()
    }

    /// CID of the code, as in the actors bundle of the network version.
    pub(crate) fn code(&self) -> Cid {
        codes::code(self.kind())
    }

    /// The address that is not an ID and belongs to a key or to an address manager, if the actor has one.
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

    /// The address that survives a reorg, if the actor has one: that of its key, or the `f2` address.
    pub(crate) fn robust_address(&self) -> Option<Address> {
        self.robust.or_else(|| self.key_address())
    }

    /// The `f4` address, if the actor has one.
    pub(crate) fn delegated_address(&self) -> Option<Address> {
        self.key_address().filter(|address| matches!(address.payload(), Payload::Delegated(_)))
    }
}

impl ActorState {
    /// What an actor with this state is.
    pub(crate) fn kind(&self) -> ActorKind {
        match self {
            Self::System { .. } => ActorKind::System,
            Self::Init { .. } => ActorKind::Init,
            Self::Reward(_) => ActorKind::Reward,
            Self::Cron => ActorKind::Cron,
            Self::Power(_) => ActorKind::Power,
            Self::Market => ActorKind::Market,
            Self::Verifreg { .. } => ActorKind::Verifreg,
            Self::Datacap => ActorKind::Datacap,
            Self::Eam => ActorKind::Eam,
            Self::Account { .. } => ActorKind::Account,
            Self::EthAccount { .. } => ActorKind::EthAccount,
            Self::Placeholder { .. } => ActorKind::Placeholder,
            Self::Multisig(_) => ActorKind::Multisig,
            Self::Miner(_) => ActorKind::Miner,
            Self::Blank(kind) => *kind,
        }
    }
}

/// The devnet's own layout of actor states.
impl Encode for ActorState {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::System { rules } => w.raw(rules),
            Self::Init { next_id } => {
                w.array(1);
                w.uint(*next_id);
            }
            Self::Reward(reward) => reward.encode(w),
            Self::Cron | Self::Market | Self::Datacap | Self::Eam | Self::Blank(_) => w.array(0),
            Self::Power(power) => power.encode(w),
            Self::Verifreg { root_key } => {
                w.array(1);
                w.uint(*root_key);
            }
            Self::Account { address } | Self::EthAccount { address } | Self::Placeholder { address } => {
                w.array(1);
                address.encode(w);
            }
            Self::Multisig(multisig) => multisig.encode(w),
            Self::Miner(miner) => miner.encode(w),
        }
    }
}

impl Encode for RewardState {
    fn encode(&self, w: &mut Writer) {
        w.array(3);
        self.epoch_reward.encode(w);
        w.int(self.epoch);
        self.total.encode(w);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_state_has_another_head() {
        let mut actor = Actor::new(ActorState::Init { next_id: 1 });
        let (code, head) = (actor.code(), actor.head());
        assert_ne!(code, Cid::default());
        actor.set_state(ActorState::Init { next_id: 2 });
        assert_eq!(actor.code(), code);
        assert_ne!(actor.head(), head);
        let other = actor.head();
        *actor.state_mut() = ActorState::Init { next_id: 1 };
        assert_eq!((actor.head(), other == head), (head, false));
    }
}

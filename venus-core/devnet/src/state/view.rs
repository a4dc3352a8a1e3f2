//! Typed questions to a state.

use std::collections::BTreeMap;
use std::sync::Arc;

use fvm_shared::ActorID;
use fvm_shared::address::{Address, Payload};
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;
use venus_core::types::ExtendedSectorInfo;

use super::{
    Actor, ActorState, MinerState, MultisigState, POWER, Power, PowerState, REWARD, RewardState, StateTree,
};

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident: $get:ident, $update:ident -> $state:ty;)+) => {
        impl StateTree {
            $(
                $(#[$doc])*
                pub(crate) fn $get(&self, id: ActorID) -> Option<&$state> {
                    match self.get(id)?.state() {
                        ActorState::$variant(state) => Some(state),
                        _ => None,
                    }
                }

                /// The same, to be changed. `None` if there is none.
                pub(crate) fn $update<T>(&mut self, id: ActorID, change: impl FnOnce(&mut $state) -> T) -> Option<T> {
                    self.$get(id)?;
                    self.update(id, |actor| match actor.state_mut() {
                        ActorState::$variant(state) => Some(change(state)),
                        _ => None,
                    })?
                }
            )+
        }
    };
}

kinds! {
    /// A miner's state.
    Miner: miner, update_miner -> MinerState;
    /// The state of a wallet of several keys.
    Multisig: multisig, update_multisig -> MultisigState;
    /// The state of the power actor, by its ID.
    Power: power_of, update_power_of -> PowerState;
    /// The state of the reward actor, by its ID.
    Reward: reward_of, update_reward_of -> RewardState;
}

impl StateTree {
    /// The state of the power actor.
    pub(crate) fn power(&self) -> Option<&PowerState> {
        self.power_of(POWER)
    }

    /// The same, to be changed.
    pub(crate) fn update_power<T>(&mut self, change: impl FnOnce(&mut PowerState) -> T) -> Option<T> {
        self.update_power_of(POWER, change)
    }

    /// The state of the reward actor.
    pub(crate) fn reward(&self) -> Option<&RewardState> {
        self.reward_of(REWARD)
    }

    /// The same, to be changed.
    pub(crate) fn update_reward<T>(&mut self, change: impl FnOnce(&mut RewardState) -> T) -> Option<T> {
        self.update_reward_of(REWARD, change)
    }

    /// A miner's power, if it has a claim.
    pub(crate) fn claim(&self, miner: ActorID) -> Option<&Power> {
        self.power()?.claims.0.get(&miner).map(|claim| &claim.power)
    }

    /// Quality-adjusted power of the network that elections count, bytes.
    pub(crate) fn total_power(&self) -> BigInt {
        self.power().map(|power| power.counted().quality_adjusted.clone()).unwrap_or_default()
    }

    /// Whether a miner has the power that mining takes.
    pub(crate) fn has_min_power(&self, miner: ActorID) -> bool {
        self.power().is_some_and(|power| power.has_min_power(miner, self.rules().min_power))
    }

    /// The key address of an account, by its ID.
    pub(crate) fn account_key(&self, id: ActorID) -> Option<Address> {
        self.get(id).and_then(Actor::key_address)
    }

    /// The key address behind the sender of a message; the address itself if it is one.
    pub(crate) fn sender_key(&self, from: &Address) -> Option<Address> {
        match from.payload() {
            Payload::ID(id) => self.account_key(*id),
            Payload::Actor(_) => None,
            _ => Some(*from),
        }
    }

    /// The sum of all balances, attoFIL.
    pub(crate) fn supply(&self) -> TokenAmount {
        self.iter().map(|(_, actor)| &actor.balance).sum()
    }

    /// How much more FIL there is than in an earlier state, attoFIL. Looks only at what has changed since.
    pub(crate) fn gained_since(&self, before: &Self) -> TokenAmount {
        let sum = |actors: &BTreeMap<_, Arc<Actor>>| -> TokenAmount {
            actors.values().map(|actor| &actor.balance).sum()
        };
        self.actors.differing(&before.actors).map(|[then, now]| sum(now) - sum(then)).sum()
    }
}

impl MinerState {
    /// The `index`-th of the active sectors in ascending order of their numbers, enough to prove it.
    pub(crate) fn sector(&self, index: u64) -> Option<ExtendedSectorInfo> {
        self.active_sector(index).map(|sector| ExtendedSectorInfo {
            seal_proof: sector.seal_proof,
            sector_number: sector.sector_number,
            sector_key: sector.sector_key_cid,
            sealed_cid: sector.sealed_cid,
        })
    }
}

//! The state: who has what.
//!
//! A [`StateTree`] is a value. Cloning it is cheap, clones share what neither has changed, so every tipset keeps
//! its own and a failed message is undone by dropping one.

mod actors;
mod codes;
mod cow;
mod linked;
mod miner;
mod multisig;
mod power;
mod preseal;
mod reads;
mod root;
mod rules;
mod view;

pub(crate) use actors::{Actor, ActorState, RewardState};
pub(crate) use codes::{DATACAP, EAM, MARKET, VERIFREG, code, codes, kind_of, manifest, manifest_data};
pub(crate) use linked::{Linked, Table};
pub(crate) use miner::{Info, MinerState, PendingBeneficiary, Vesting, VestingFunds, WorkerChange};
pub(crate) use multisig::{MultisigState, Transaction};
pub(crate) use power::{Claim, DEADLINE_END, Power, PowerState};
pub(crate) use preseal::{peer_id, preseals};
pub(crate) use reads::{BASELINE_POWER, StateView};
pub(crate) use root::{FIRST_ACCOUNT, FIRST_MINER};
pub(crate) use rules::{EPOCHS_IN_DAY, Rules};

use std::sync::Arc;

use cow::CowMap;
use fvm_shared::ActorID;
use fvm_shared::address::{Address, Payload};
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;

/// The system actor, which holds the parameters of the network.
pub(crate) const SYSTEM: ActorID = 0;
/// The init actor, which hands out IDs.
pub(crate) const INIT: ActorID = 1;
/// The reward actor, which holds what was not mined yet, and tips on their way to miners.
pub(crate) const REWARD: ActorID = 2;
/// The cron actor.
pub(crate) const CRON: ActorID = 3;
/// The power actor, which knows every miner's power.
pub(crate) const POWER: ActorID = 4;
/// The multisig that names verifiers.
pub(crate) const VERIFREG_ROOT: ActorID = 80;
/// The place of the first verifier.
pub(crate) const FIRST_VERIFIER: ActorID = 81;
/// What belongs to nobody at genesis.
pub(crate) const REMAINDER: ActorID = 90;
/// Where burned FIL goes.
pub(crate) const BURNT_FUNDS: ActorID = 99;

/// All actors, by ID and by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct StateTree {
    actors: CowMap<ActorID, Arc<Actor>>,
    ids: CowMap<Address, ActorID>,
    rules: Arc<Rules>,
    /// Not part of the root, because it is derived from that of the genesis.
    network_name: Arc<str>,
}

impl StateTree {
    /// A state without actors.
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules: Arc::new(rules), ..Self::default() }
    }

    /// What holds in this network.
    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(crate) fn network_name(&self) -> &str {
        &self.network_name
    }

    pub(crate) fn set_network_name(&mut self, name: &str) {
        self.network_name = name.into();
    }

    /// The epoch whose messages are executed next: every epoch that has ended was counted by the reward actor.
    pub(crate) fn next_epoch(&self) -> ChainEpoch {
        self.reward().map_or(0, |reward| reward.epoch)
    }

    /// The ID behind any address, if there is an actor.
    pub(crate) fn resolve(&self, address: &Address) -> Option<ActorID> {
        match address.payload() {
            Payload::ID(id) => self.actors.get(id).map(|_| *id),
            _ => self.ids.get(address).copied(),
        }
    }

    /// An actor.
    pub(crate) fn get(&self, id: ActorID) -> Option<&Actor> {
        self.actors.get(&id).map(|actor| &**actor)
    }

    /// An actor by any address.
    pub(crate) fn find(&self, address: &Address) -> Option<(ActorID, &Actor)> {
        let id = self.resolve(address)?;
        self.get(id).map(|actor| (id, actor))
    }

    /// Puts an actor in place, and its key in the index.
    pub(crate) fn put(&mut self, id: ActorID, actor: Actor) {
        for address in [actor.key_address(), actor.robust].into_iter().flatten() {
            self.ids.insert(address, id);
        }
        self.actors.insert(id, Arc::new(actor));
    }

    /// Changes an actor. `None` if there is none.
    pub(crate) fn update<T>(&mut self, id: ActorID, change: impl FnOnce(&mut Actor) -> T) -> Option<T> {
        self.actors.update(&id, |actor| change(Arc::make_mut(actor)))
    }

    /// Creates an actor of `state` under the next free ID.
    pub(crate) fn create(&mut self, state: ActorState) -> ActorID {
        let id = self.take_id();
        self.put(id, Actor::new(state));
        id
    }

    /// The next free ID, which is nobody else's from now on.
    pub(crate) fn take_id(&mut self) -> ActorID {
        let id = self.next_id();
        self.update(INIT, |init| init.set_state(ActorState::Init { next_id: id + 1 }));
        id
    }

    /// Moves value. `false`, and nothing moved, if the payer does not own it or either side does not exist.
    #[must_use = "nothing moved if this is false"]
    pub(crate) fn transfer(&mut self, from: ActorID, to: ActorID, value: &TokenAmount) -> bool {
        let covered = self.get(from).is_some_and(|payer| payer.balance >= *value);
        if value.is_negative() || !covered || self.get(to).is_none() {
            return false;
        }
        self.update(from, |payer| payer.balance -= value);
        self.update(to, |payee| payee.balance += value);
        true
    }

    /// All actors in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ActorID, &Actor)> {
        self.actors.iter().map(|(id, actor)| (*id, &**actor))
    }

    pub(crate) fn next_id(&self) -> ActorID {
        match self.get(INIT).map(Actor::state) {
            Some(ActorState::Init { next_id }) => *next_id,
            _ => FIRST_MINER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> Address {
        Address::new_bls(&[n; 48]).unwrap()
    }

    fn tree() -> StateTree {
        let mut tree = StateTree::default();
        tree.put(INIT, Actor::new(ActorState::Init { next_id: 1000 }));
        tree.put(
            100,
            Actor::new(ActorState::Account { address: key(1) }).with_balance(TokenAmount::from_atto(5)),
        );
        tree
    }

    #[test]
    fn clones_do_not_see_each_others_changes() {
        let before = tree();
        let mut after = before.clone();
        let id = after.create(ActorState::Account { address: key(2) });
        assert_eq!(id, 1000);
        assert_eq!(after.resolve(&key(2)), Some(1000));
        assert_eq!(before.resolve(&key(2)), None);
        assert!(after.transfer(100, 1000, &TokenAmount::from_atto(2)));
        assert_eq!(before.get(100).unwrap().balance, TokenAmount::from_atto(5));
        assert_eq!(after.get(100).unwrap().balance, TokenAmount::from_atto(3));
        assert_ne!(before.root(), after.root());
        assert_eq!(before.root(), tree().root());
    }

    #[test]
    fn transfers_move_all_or_nothing() {
        let mut tree = tree();
        assert!(!tree.transfer(100, 7, &TokenAmount::from_atto(1)));
        assert!(!tree.transfer(100, INIT, &TokenAmount::from_atto(6)));
        assert!(!tree.transfer(100, INIT, &TokenAmount::from_atto(-1)));
        assert_eq!(tree.root(), self::tree().root());
    }
}

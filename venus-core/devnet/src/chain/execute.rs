//! States of tipsets, computed once and kept while they are likely to be needed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cid::Cid;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use venus_core::api::ChainError;
use venus_core::cbor::Encode;
use venus_core::consensus::amt::amt_v0_root;
use venus_core::consensus::base_fee::next_base_fee_premium;
use venus_core::types::{Receipt, Tipset, TipsetKey};

use super::Chain;
use crate::message::Verified;
use crate::state::StateTree;
use crate::vm::{Applied, ExecBlock, Outcome, TipsetExec};

/// Every so many epochs a state is kept for good, so that computing an old one again never goes far.
const CHECKPOINT: ChainEpoch = 256;

/// What executing a tipset left behind.
#[derive(Debug)]
pub(crate) struct Executed {
    pub(crate) state: StateTree,
    pub(crate) root: Cid,
    pub(crate) receipts_root: Cid,
    /// The messages that were executed.
    pub(crate) messages: Vec<Arc<Verified>>,
    /// One for each message.
    pub(crate) receipts: Vec<Receipt>,
    /// The base fee that children name.
    pub(crate) next_base_fee: TokenAmount,
}

impl Chain {
    /// The state after a tipset's messages, its receipts and their roots.
    pub(crate) fn execute(&self, tipset: &Tipset) -> Result<Arc<Executed>, ChainError> {
        if let Some(known) = self.executions.get(tipset.key()) {
            return Ok(known);
        }
        let mut missing = Vec::new();
        let mut at = Arc::new(tipset.clone());
        let mut executed = loop {
            if let Some(known) = self.executions.get(at.key()) {
                break known;
            }
            let parents = self.parents(&at)?;
            missing.push(at);
            at = parents.ok_or_else(|| ChainError::Corrupt("the genesis state is lost".into()))?;
        };
        for tipset in missing.iter().rev() {
            executed = Arc::new(self.apply(tipset, &executed.state)?);
            self.executions.put(tipset, executed.clone());
        }
        Ok(executed)
    }

    /// The state before a tipset's messages, which its headers name as parent state.
    pub(crate) fn parent_state(&self, tipset: &Tipset) -> Result<Arc<Executed>, ChainError> {
        // Nothing is executed before or in the genesis.
        match self.parents(tipset)? {
            Some(parents) => self.execute(&parents),
            None => self.execute(tipset),
        }
    }

    fn apply(&self, tipset: &Tipset, parent: &StateTree) -> Result<Executed, ChainError> {
        let outcome = self.run(tipset, parent, false);
        let content = outcome.included.iter().map(|m| &m.signed.message);
        let by_rule = next_base_fee_premium(&tipset.min_ticket_block().parent_base_fee, content);
        let outcome = outcome.outcome;
        conserved(&outcome.state, parent)?;
        let encoded: Vec<Vec<u8>> = outcome.receipts.iter().map(Encode::to_cbor).collect();
        Ok(Executed {
            root: self.vm.root(&outcome.state),
            state: outcome.state,
            receipts_root: amt_v0_root(&encoded),
            messages: outcome.messages,
            receipts: outcome.receipts,
            next_base_fee: outcome.next_base_fee.unwrap_or(by_rule),
        })
    }

    fn run(&self, tipset: &Tipset, parent: &StateTree, trace: bool) -> Ran {
        let as_exec = |block: &Arc<super::StoredBlock>| ExecBlock {
            miner: block.header.miner.id().unwrap_or_default(),
            win_count: block.header.election_proof.as_ref().map_or(0, |proof| proof.win_count),
            messages: block.messages.clone(),
        };
        let blocks: Vec<ExecBlock> = self.blocks_of(tipset).iter().map(as_exec).collect();
        let exec = TipsetExec {
            epoch: tipset.height(),
            base_fee: tipset.min_ticket_block().parent_base_fee.clone(),
            blocks: &blocks,
            changes: self.changes_between(parent.next_epoch(), tipset.height()),
            trace,
        };
        let outcome = self.vm.apply_tipset(parent, &exec);
        Ran { outcome, included: blocks.into_iter().flat_map(|block| block.messages).collect() }
    }

    /// Executes a tipset once more, and tells everything that happens: messages in order, implicit ones included.
    pub(crate) fn trace(&self, tipset: &Tipset) -> Result<Vec<(Message, Applied)>, ChainError> {
        let parent = self.parent_state(tipset)?;
        if tipset.height() == 0 {
            return Ok(Vec::new());
        }
        Ok(self.run(tipset, &parent.state, true).outcome.traces)
    }
}

/// No tipset makes FIL or loses any: what the genesis holds is what every state holds. A defect ends the chain here,
/// before anything is built on it.
fn conserved(state: &StateTree, parent: &StateTree) -> Result<(), ChainError> {
    let gained = state.gained_since(parent);
    if gained.is_zero() {
        return Ok(());
    }
    Err(ChainError::Corrupt(format!("executing a tipset changed the sum of all balances by {gained}")))
}

/// What executing a tipset left behind, and all messages of its blocks.
struct Ran {
    outcome: Outcome,
    included: Vec<Arc<Verified>>,
}

#[derive(Debug)]
struct Slot {
    executed: Arc<Executed>,
    last_use: u64,
    pinned: bool,
}

#[derive(Debug, Default)]
struct Slots {
    by_key: HashMap<TipsetKey, Slot>,
    clock: u64,
    pinned: usize,
}

/// A cache of executions: least recently used ones go first, checkpoints never.
#[derive(Debug)]
pub(super) struct Executions {
    slots: Mutex<Slots>,
    capacity: usize,
}

impl Executions {
    pub(super) fn new(genesis: &Tipset, state: StateTree, capacity: usize) -> Self {
        let executions = Self { slots: Mutex::default(), capacity: capacity.max(32) };
        let executed = Executed {
            root: state.root(),
            state,
            receipts_root: amt_v0_root::<Vec<u8>>(&[]),
            messages: Vec::new(),
            receipts: Vec::new(),
            next_base_fee: next_base_fee_premium(&genesis.min_ticket_block().parent_base_fee, []),
        };
        executions.put(genesis, Arc::new(executed));
        executions
    }

    fn get(&self, key: &TipsetKey) -> Option<Arc<Executed>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.clock += 1;
        let now = slots.clock;
        let slot = slots.by_key.get_mut(key)?;
        slot.last_use = now;
        Some(slot.executed.clone())
    }

    fn put(&self, tipset: &Tipset, executed: Arc<Executed>) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.clock += 1;
        let pinned = tipset.height() % CHECKPOINT == 0;
        let slot = Slot { executed, last_use: slots.clock, pinned };
        if slots.by_key.insert(tipset.key().clone(), slot).is_none() {
            slots.pinned += usize::from(pinned);
        }
        if slots.by_key.len() - slots.pinned > 2 * self.capacity {
            slots.shrink(self.capacity);
        }
    }
}

impl Slots {
    /// Drops all but the `keep` most recently used of those that are not pinned.
    fn shrink(&mut self, keep: usize) {
        let mut uses: Vec<u64> = self.by_key.values().filter(|s| !s.pinned).map(|s| s.last_use).collect();
        uses.sort_unstable_by(|a, b| b.cmp(a));
        let oldest = uses.get(keep.saturating_sub(1)).copied().unwrap_or_default();
        self.by_key.retain(|_, slot| slot.pinned || slot.last_use >= oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Actor, ActorState};

    fn atto(amount: i64) -> TokenAmount {
        TokenAmount::from_atto(amount)
    }

    /// Two actors in one shard, and one in another.
    fn state() -> StateTree {
        let mut state = StateTree::default();
        for (id, amount) in [(1, 5), (129, 7), (2, 0)] {
            state.put(id, Actor::new(ActorState::Cron).with_balance(atto(amount)));
        }
        state
    }

    #[test]
    fn fil_that_comes_from_nowhere_is_found() {
        let before = state();
        let mut after = before.clone();
        assert!(after.transfer(129, 2, &atto(3)) && after.transfer(1, 129, &atto(1)));
        conserved(&after, &before).unwrap();
        after.put(3, Actor::new(ActorState::Cron).with_balance(atto(2)));
        after.update(1, |actor| actor.balance -= atto(1));
        assert_eq!(after.gained_since(&before), atto(1));
        assert_eq!(before.gained_since(&after), atto(-1));
        assert!(matches!(conserved(&after, &before), Err(ChainError::Corrupt(_))));
        // Whatever shares nothing is compared as a whole.
        assert_eq!(state().gained_since(&before), atto(0));
    }
}

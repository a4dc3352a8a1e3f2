//! What the admin changes.
//!
//! A change takes effect at the end of an epoch that no block has yet, so no state that anybody has seen is another
//! than before, and every branch of the chain that gets so far has it.

use fvm_shared::clock::ChainEpoch;
use venus_core::api::ChainError;

use super::Chain;
use crate::state::StateTree;
use crate::vm::{StateChange, apply_change};

/// Most changes of a chain.
const MAX_CHANGES: usize = 100_000;

impl Chain {
    /// Looks whether a change could be made now, and answers the epoch at whose end it would be made.
    pub(crate) fn check_change(&self, change: &StateChange) -> Result<ChainEpoch, ChainError> {
        if self.changes.len() >= MAX_CHANGES {
            return Err(ChainError::Invalid(format!("there were {MAX_CHANGES} changes already")));
        }
        let executed = self.execute(self.head())?;
        let mut state = executed.state.clone();
        // What was asked for and not made yet comes first.
        for (_, earlier) in self.changes_between(state.next_epoch(), ChainEpoch::MAX) {
            let _ = apply_change(&mut state, earlier);
        }
        let could = somebody_can_mine(&state);
        apply_change(&mut state, change).map_err(ChainError::Invalid)?;
        if could && !somebody_can_mine(&state) {
            let reason =
                "no miner would be left with power and sectors, and the chain would stand still for ever";
            return Err(ChainError::Invalid(reason.into()));
        }
        Ok(self.top() + 1)
    }

    /// Notes a change that was checked. Those of one epoch are made in the order in which they are noted.
    pub(crate) fn note_change(&mut self, epoch: ChainEpoch, change: StateChange) {
        self.changes.push((epoch, change));
    }

    /// Notes a change of the log.
    ///
    /// # Errors
    /// [`ChainError::Corrupt`] for an epoch that a change cannot have been noted for at this point of the log.
    pub(crate) fn replay_change(&mut self, epoch: ChainEpoch, change: StateChange) -> Result<(), ChainError> {
        if epoch <= self.top() || self.changes.last().is_some_and(|(last, _)| *last > epoch) {
            return Err(ChainError::Corrupt(format!("a change at the end of epoch {epoch}, which is over")));
        }
        self.note_change(epoch, change);
        Ok(())
    }

    /// Those of the epochs from `first` to `last`. Epochs never fall along the list.
    pub(super) fn changes_between(
        &self,
        first: ChainEpoch,
        last: ChainEpoch,
    ) -> &[(ChainEpoch, StateChange)] {
        let from = self.changes.partition_point(|(epoch, _)| *epoch < first);
        let to = self.changes.partition_point(|(epoch, _)| *epoch <= last);
        self.changes.get(from..to).unwrap_or_default()
    }

    /// The highest epoch of which there is a block, on whatever branch.
    fn top(&self) -> ChainEpoch {
        let highest = self.by_miner.values().filter_map(|blocks| blocks.last_key_value());
        highest.map(|(epoch, _)| *epoch).max().unwrap_or_default()
    }
}

/// What takes somebody's power back needs a block to take effect, so without any power nothing ever changes again.
fn somebody_can_mine(state: &StateTree) -> bool {
    let claims = state.power().map(|power| &power.claims.0);
    let mut miners = claims.into_iter().flat_map(|claims| claims.keys());
    miners.any(|id| {
        state.has_min_power(*id) && state.miner(*id).is_some_and(|miner| miner.active_sectors() > 0)
    })
}

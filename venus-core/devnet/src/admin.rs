//! What an admin may do to the state.

use fvm_shared::clock::ChainEpoch;

use crate::error::DevnetError;
use crate::node::Devnet;
use crate::store::Entry;
use crate::vm::StateChange;

impl Devnet {
    /// Changes the state against the rules of the protocol, at the end of the next epoch that has no block yet: the
    /// answer. The state after the first tipset of that height or above has it, and so have all branches that get so
    /// far. With a directory the change is synced to the log, so a restart brings it back.
    ///
    /// Changes that were asked for before are made first. If messages of that epoch make the change impossible, it is
    /// left undone. Waits for the disk.
    ///
    /// # Errors
    /// [`DevnetError::Chain`] with [`Invalid`](venus_core::api::ChainError::Invalid) if the change could not be made
    /// after the head; [`DevnetError::Io`] and [`DevnetError::LogFailed`] if it cannot be kept. Nothing happens then.
    /// Asking again changes the state again, except for setting a balance or the base fee.
    pub fn change_state(&self, change: StateChange) -> Result<ChainEpoch, DevnetError> {
        // As long as this is held no block gets in.
        let mut store = self.inner.store();
        let epoch = self.inner.read().chain.check_change(&change)?;
        store.append(&Entry::Change(epoch, change.clone()))?;
        self.inner.write().chain.note_change(epoch, change);
        Ok(epoch)
    }
}

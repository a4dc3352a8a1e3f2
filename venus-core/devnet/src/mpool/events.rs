//! What comes and goes, for whoever listens.

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::broadcast;
use venus_core::types::{MpoolChange, MpoolUpdate};

use crate::message::Verified;

/// Changes that a listener may be behind.
const BACKLOG: usize = 1024;

/// Changes of the pool in the order in which they happened.
///
/// Ends when the listener falls more than 1024 changes behind, or with the devnet: then listen again, and after that
/// read what waits.
pub type PoolUpdates = BoxStream<'static, Arc<MpoolUpdate>>;

#[derive(Debug)]
pub(super) struct Events {
    sender: broadcast::Sender<Arc<MpoolUpdate>>,
}

impl Default for Events {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(BACKLOG) }
    }
}

impl Events {
    pub(super) fn tell(&self, change: MpoolChange, message: &Verified) {
        if self.sender.receiver_count() > 0 {
            let update = MpoolUpdate { change, message: message.signed.clone() };
            // Whoever listened may have gone meanwhile.
            let _ = self.sender.send(Arc::new(update));
        }
    }

    pub(super) fn listen(&self) -> PoolUpdates {
        let next =
            |mut receiver: broadcast::Receiver<_>| async { Some((receiver.recv().await.ok()?, receiver)) };
        stream::unfold(self.sender.subscribe(), next).boxed()
    }
}

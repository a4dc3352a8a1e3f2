//! Waking those who wait for a message. Nobody polls: a waiter hears of its own message and of the head.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fvm_shared::clock::ChainEpoch;
use tokio::sync::watch;
use venus_core::api::{MessageRecord, MessageState, MessagerError};

use crate::messager::Inner;
use crate::store::Seq;

/// Who waits for what.
#[derive(Debug)]
pub(crate) struct WaitHub {
    head: watch::Sender<ChainEpoch>,
    closed: watch::Sender<bool>,
    rows: Mutex<HashMap<Seq, watch::Sender<()>>>,
}

impl WaitHub {
    pub(crate) fn new(head: ChainEpoch) -> Self {
        Self { head: watch::Sender::new(head), closed: watch::Sender::new(false), rows: Mutex::default() }
    }

    /// Height of the head that was followed last.
    pub(crate) fn height(&self) -> ChainEpoch {
        *self.head.borrow()
    }

    pub(crate) fn set_height(&self, height: ChainEpoch) {
        self.head.send_if_modified(|head| std::mem::replace(head, height) != height);
    }

    /// Wakes those who wait for one of these messages.
    pub(crate) fn changed(&self, messages: impl IntoIterator<Item = Seq>) {
        let rows = self.rows();
        messages.into_iter().filter_map(|seq| rows.get(&seq)).for_each(|row| row.send_modify(|()| ()));
    }

    /// Wakes all: somebody else moved the store.
    pub(crate) fn all_changed(&self) {
        self.rows().values().for_each(|row| row.send_modify(|()| ()));
    }

    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }

    pub(crate) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// Resolves once the messager shuts down.
    pub(crate) async fn closing(&self) {
        let mut closed = self.closed.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = closed.wait_for(|closed| *closed).await;
    }

    fn register(&self, seq: Seq) -> Registration<'_> {
        let changes = self.rows().entry(seq).or_insert_with(|| watch::Sender::new(())).subscribe();
        Registration { hub: self, seq, changes: Some(changes) }
    }

    // Nothing panics while the lock is held.
    fn rows(&self) -> MutexGuard<'_, HashMap<Seq, watch::Sender<()>>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn waited_for(&self) -> usize {
        self.rows().len()
    }
}

/// A waiter's place, which leaves nothing behind.
struct Registration<'a> {
    hub: &'a WaitHub,
    seq: Seq,
    changes: Option<watch::Receiver<()>>,
}

impl Registration<'_> {
    async fn changed(&mut self) {
        if let Some(changes) = &mut self.changes {
            // The sender is in the map as long as this receiver is.
            let _ = changes.changed().await;
        }
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        let mut rows = self.hub.rows();
        self.changes = None;
        if rows.get(&self.seq).is_some_and(|row| row.receiver_count() == 0) {
            rows.remove(&self.seq);
        }
    }
}

/// Whether waiting is over.
fn reached(record: &MessageRecord, confidence: ChainEpoch) -> bool {
    match record.state {
        MessageState::Landed => record.confidence >= confidence,
        state => matches!(state, MessageState::Failed | MessageState::Cancelled),
    }
}

impl Inner {
    pub(crate) async fn wait(
        &self,
        id: &str,
        confidence: ChainEpoch,
        timeout: Duration,
    ) -> Result<MessageRecord, MessagerError> {
        let seq = self.load(id).await?.seq;
        // Registered before the first look, so that no change falls between look and wait.
        let mut place = self.hub.register(seq);
        let mut head = self.hub.head.subscribe();
        // The first look is free: what is there already is answered however short the timeout.
        let record = self.record(id).await?;
        if reached(&record, confidence) {
            return Ok(record);
        }
        let waiting = self.wait_at(&mut place, &mut head, record, confidence);
        let late = || Err(MessagerError::Timeout { id: id.to_owned(), after: timeout });
        tokio::time::timeout(timeout, waiting).await.unwrap_or_else(|_| late())
    }

    async fn wait_at(
        &self,
        place: &mut Registration<'_>,
        head: &mut watch::Receiver<ChainEpoch>,
        mut record: MessageRecord,
        confidence: ChainEpoch,
    ) -> Result<MessageRecord, MessagerError> {
        while !reached(&record, confidence) {
            let target = record.lookup.as_ref().map(|l| l.height.saturating_add(confidence));
            tokio::select! {
                () = place.changed() => {}
                () = deep_enough(head, target) => {}
                () = self.hub.closing() => return Err(MessagerError::Closed),
            }
            record = self.record(&record.id).await?;
        }
        Ok(record)
    }
}

/// Resolves once the head is at `height`; never without one, because then only a change of the message matters.
async fn deep_enough(head: &mut watch::Receiver<ChainEpoch>, height: Option<ChainEpoch>) {
    match height {
        Some(height) if head.wait_for(|head| *head >= height).await.is_ok() => {}
        _ => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_given_up_and_wakes_are_not_lost() {
        let hub = WaitHub::new(0);
        let mut first = hub.register(1);
        let second = hub.register(1);
        hub.changed([1, 2]);
        first.changed().await;
        drop(first);
        assert_eq!(hub.waited_for(), 1);
        drop(second);
        assert_eq!(hub.waited_for(), 0);
    }
}

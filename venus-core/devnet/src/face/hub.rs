//! One stream of head changes for all subscribers of a face: each change is written once, however many listen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use serde_json::value::RawValue;
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use venus_core::api::{HeadChange, HeadEvent, HeadFeed, HeadStream, Resume};
use venus_core::json::Json;
use venus_core::types::{HeadChangeKind, HeadChangeStep, Tipset};

use super::Face;

/// Changes that a subscriber may be behind before it counts as slow: that many nodes keep for one.
const BATCHES: usize = 16;

/// What all subscribers of a face share. Runs a task while somebody listens, and no longer.
#[derive(Debug, Default)]
pub(crate) struct HeadHub(Mutex<Slot>);

#[derive(Debug, Default)]
struct Slot {
    running: Option<Running>,
    /// Counts starts, so that a subscriber of an earlier one is not taken for one of this.
    starts: u64,
}

#[derive(Debug)]
struct Running {
    sender: broadcast::Sender<Arc<RawValue>>,
    /// What the subscribers were led to so far.
    head: Arc<Tipset>,
    /// `head` as the first value of a subscription, once somebody needed it.
    current: Option<Arc<RawValue>>,
    listeners: usize,
    /// Ends with this value.
    _task: JoinSet<()>,
}

/// Values of one subscriber, ready to be sent.
pub(super) struct Subscription {
    hub: Arc<HeadHub>,
    start: u64,
    /// The first value, until it was taken.
    current: Option<Arc<RawValue>>,
    changes: broadcast::Receiver<Arc<RawValue>>,
}

impl HeadHub {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Must be called on a tokio runtime.
    pub(super) fn subscribe(self: &Arc<Self>, face: &Face) -> serde_json::Result<Subscription> {
        let mut slot = self.slot();
        if slot.running.is_none() {
            slot.starts += 1;
        }
        let start = slot.starts;
        let running = slot.running.get_or_insert_with(|| Running::start(face));
        let current = running.current(face)?;
        running.listeners += 1;
        let changes = running.sender.subscribe();
        Ok(Subscription { hub: self.clone(), start, current: Some(current), changes })
    }

    /// Tells everybody of a change. False if that cannot be.
    fn publish(&self, face: &Face, change: HeadChange) -> bool {
        if change.is_empty() {
            return true;
        }
        let Some(newest) = change.apply.last().cloned() else { return false };
        let Ok(written) = face.write(&Json(steps(change))) else { return false };
        let mut slot = self.slot();
        let Some(running) = slot.running.as_mut() else { return false };
        running.head = newest;
        running.current = None;
        // It fails if nobody listens, and then there is nobody to tell.
        let _ = running.sender.send(written.into());
        true
    }

    /// Closes all subscribers; the next one begins anew.
    fn end(&self) {
        let ended = self.slot().running.take();
        drop(ended);
    }
}

impl Running {
    fn start(face: &Face) -> Self {
        let head = face.devnet.inner.read().chain.head().clone();
        let events = face.devnet.heads(Resume::From(head.key().clone()));
        let mut task = JoinSet::new();
        // It keeps the face for as long as somebody listens, and whoever listens does so as well.
        let face = face.clone();
        task.spawn(async move {
            follow(events, |change| face.hub.publish(&face, change)).await;
            face.hub.end();
        });
        Self { sender: broadcast::Sender::new(BATCHES), head, current: None, listeners: 0, _task: task }
    }

    fn current(&mut self, face: &Face) -> serde_json::Result<Arc<RawValue>> {
        if let Some(current) = &self.current {
            return Ok(current.clone());
        }
        let step = HeadChangeStep { kind: HeadChangeKind::Current, tipset: self.head.clone() };
        let written: Arc<RawValue> = face.write(&Json(vec![step]))?.into();
        self.current = Some(written.clone());
        Ok(written)
    }
}

async fn follow(mut events: HeadStream, publish: impl Fn(HeadChange) -> bool) {
    // Anything but a change, and the end, would leave subscribers with a gap: they are closed and come again.
    while let Some(Ok(HeadEvent::Change(change))) = events.next().await {
        if !publish(change) {
            return;
        }
    }
}

impl Subscription {
    /// The next value; nothing once the devnet ended or the subscriber was too slow.
    pub(super) async fn next(&mut self) -> Option<Arc<RawValue>> {
        if let Some(current) = self.current.take() {
            return Some(current);
        }
        // Behind by more than the sender keeps, or ended: closed either way.
        self.changes.recv().await.ok()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut slot = self.hub.slot();
        if slot.starts != self.start {
            return;
        }
        let last = slot.running.as_mut().is_some_and(|running| {
            running.listeners = running.listeners.saturating_sub(1);
            running.listeners == 0
        });
        let ended = last.then(|| slot.running.take());
        drop(slot);
        drop(ended);
    }
}

/// A change as nodes send it: what leaves from new to old, then what comes from old to new.
pub(super) fn steps(change: HeadChange) -> Vec<HeadChangeStep> {
    let revert =
        change.revert.into_iter().map(|tipset| HeadChangeStep { kind: HeadChangeKind::Revert, tipset });
    let apply = change.apply.into_iter().map(|tipset| HeadChangeStep { kind: HeadChangeKind::Apply, tipset });
    revert.chain(apply).collect()
}

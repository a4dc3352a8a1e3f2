//! Channels that come in: values of a method on the other side.

use std::{
    collections::HashMap,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Context, Poll, ready},
};

use futures::Stream;
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{Limits, link::Link};
use crate::rpc::error::CallError;

/// Why a channel brings no more values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelClosed {
    /// The method on the other side is done, or let go of us.
    ByPeer,
    /// The session ended. Values in between are lost: open again and reconcile.
    Disconnected,
    /// We did not take the values fast enough, so the channel was cancelled. Values are lost.
    Lagged,
}

/// What a channel brings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ChannelEvent<T> {
    /// A value.
    Value(T),
    /// The session was lost and the channel opened again: values in between are missing.
    Reopened,
    /// The end. Nothing follows.
    Closed(ChannelClosed),
}

/// A value waiting for its consumer; the permit counts its bytes.
type Item = (Box<RawValue>, OwnedSemaphorePermit);

struct Sender {
    values: mpsc::Sender<Item>,
    reason: Arc<OnceLock<ChannelClosed>>,
    request: u64,
}

/// The open channels of a session by number.
pub(crate) struct Incoming {
    channels: Mutex<HashMap<u64, Sender>>,
    bytes: Arc<Semaphore>,
    limits: Limits,
}

impl Incoming {
    pub(super) fn new(limits: Limits) -> Self {
        let bytes = Arc::new(Semaphore::new(limits.channel_bytes.min(Semaphore::MAX_PERMITS)));
        Self { channels: Mutex::default(), bytes, limits }
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<u64, Sender>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn open(&self, link: &Arc<Link>, number: u64, request: u64) -> Result<RawChannel, CallError> {
        let mut channels = self.channels();
        if channels.len() >= self.limits.channels {
            link.cancel(request);
            return Err(CallError::TooMany(channels.len()));
        }
        let (values, rx) = mpsc::channel(self.limits.channel_values.max(1));
        let reason = Arc::new(OnceLock::new());
        let replaced = channels.insert(number, Sender { values, reason: reason.clone(), request });
        if replaced.is_some() {
            tracing::warn!(number, "the peer gave out a channel number twice");
        }
        Ok(RawChannel { rx, reason, link: link.clone(), number, request })
    }

    /// Hands a value on, never waiting. Values of unknown channels are dropped.
    pub(super) fn value(&self, link: &Link, number: u64, value: &RawValue) {
        let mut channels = self.channels();
        let Some(sender) = channels.get(&number) else {
            return tracing::debug!(number, "value for an unknown channel");
        };
        let weight = u32::try_from(value.get().len()).unwrap_or(u32::MAX);
        let sent = match self.bytes.clone().try_acquire_many_owned(weight) {
            Ok(permit) => sender.values.try_send((value.to_owned(), permit)).is_ok(),
            Err(_) => false,
        };
        if !sent {
            let _ = sender.reason.set(ChannelClosed::Lagged);
            link.cancel(sender.request);
            channels.remove(&number);
        }
    }

    pub(super) fn close(&self, number: u64) {
        if let Some(sender) = self.channels().remove(&number) {
            let _ = sender.reason.set(ChannelClosed::ByPeer);
        }
    }

    pub(super) fn end(&self) {
        self.channels().clear();
    }

    /// Whether the channel was still open and belonged to `request`.
    fn forget(&self, number: u64, request: u64) -> bool {
        let mut channels = self.channels();
        let ours = channels.get(&number).is_some_and(|sender| sender.request == request);
        if ours {
            channels.remove(&number);
        }
        ours
    }
}

/// The consumer's end of a channel: a stream of JSON values. Dropping it cancels the channel.
pub struct RawChannel {
    rx: mpsc::Receiver<Item>,
    reason: Arc<OnceLock<ChannelClosed>>,
    link: Arc<Link>,
    number: u64,
    request: u64,
}

impl RawChannel {
    /// The next value, in order; nothing after the end.
    pub async fn next(&mut self) -> Option<Box<RawValue>> {
        self.rx.recv().await.map(|(value, _)| value)
    }

    /// Why the channel ended. Asked after [`RawChannel::next`] gave nothing.
    pub fn closed(&self) -> ChannelClosed {
        self.reason.get().copied().unwrap_or(ChannelClosed::Disconnected)
    }
}

impl Stream for RawChannel {
    type Item = Box<RawValue>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(ready!(self.rx.poll_recv(cx)).map(|(value, _)| value))
    }
}

impl fmt::Debug for RawChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawChannel").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Drop for RawChannel {
    fn drop(&mut self) {
        if self.link.incoming.forget(self.number, self.request) {
            self.link.cancel(self.request);
        }
    }
}

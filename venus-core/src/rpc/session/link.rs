//! What a session shares with those who call through it.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use super::{
    Limits,
    channel::{Incoming, RawChannel},
};
use crate::rpc::{
    error::{CallError, RpcError},
    frame,
};

/// A message for the writer. The permit counts its bytes until it is written.
pub(crate) enum Out {
    Text(String, Option<OwnedSemaphorePermit>),
    Close(u16, &'static str),
}

/// What the session is told to do from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Run,
    /// Take no new call, let running ones end, then say goodbye.
    Drain,
    /// Say goodbye with this code now.
    Close(u16, &'static str),
}

/// Who waits for an answer.
pub(crate) enum Pending {
    Call(oneshot::Sender<Result<Box<RawValue>, RpcError>>),
    Channel(oneshot::Sender<Result<RawChannel, CallError>>),
}

pub(crate) struct Link {
    out: mpsc::Sender<Out>,
    bytes: Arc<Semaphore>,
    pub(super) next_id: AtomicU64,
    /// `None` once the session has ended.
    pending: Mutex<Option<HashMap<u64, Pending>>>,
    /// Calls of the other side that are not answered yet.
    pub(super) under_way: AtomicUsize,
    pub(super) incoming: Incoming,
    order: watch::Sender<Order>,
    pub(super) limits: Limits,
}

/// A link and the queue that its session writes from.
pub(crate) fn link(limits: Limits) -> (Arc<Link>, mpsc::Receiver<Out>) {
    let (out, queue) = mpsc::channel(limits.queue.max(1));
    let link = Link {
        out,
        bytes: Arc::new(Semaphore::new(limits.queue_bytes.min(Semaphore::MAX_PERMITS))),
        next_id: AtomicU64::new(1),
        pending: Mutex::new(Some(HashMap::new())),
        under_way: AtomicUsize::new(0),
        incoming: Incoming::new(limits),
        order: watch::Sender::new(Order::Run),
        limits,
    };
    (Arc::new(link), queue)
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("open", &self.is_open()).finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn pending(&self) -> MutexGuard<'_, Option<HashMap<u64, Pending>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether several calls are under way, so that more messages are likely to come at any moment.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) > 1
            || self.pending().as_ref().is_some_and(|calls| calls.len() > 1)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.pending().is_some()
    }

    /// Completes when the session has ended.
    pub(crate) async fn closed(&self) {
        self.out.closed().await;
    }

    pub(crate) fn order(&self, order: Order) {
        self.order.send_if_modified(|current| {
            let stronger = matches!((*current, order), (Order::Run, _) | (Order::Drain, Order::Close(..)));
            if stronger {
                *current = order;
            }
            stronger
        });
    }

    pub(super) fn orders(&self) -> watch::Receiver<Order> {
        self.order.subscribe()
    }

    /// Queues a message, waiting for room.
    pub(crate) async fn send(&self, text: String) -> Result<(), CallError> {
        let permit = self.bytes.clone().acquire_many_owned(self.weight(&text)).await;
        self.out.send(Out::Text(text, permit.ok())).await.map_err(|_| CallError::Disconnected)
    }

    /// Queues a message if there is room, else gives it back.
    pub(crate) fn try_send(&self, text: String) -> Result<(), String> {
        let Ok(permit) = self.bytes.clone().try_acquire_many_owned(self.weight(&text)) else {
            return Err(text);
        };
        self.out.try_send(Out::Text(text, Some(permit))).map_err(|error| match error.into_inner() {
            Out::Text(text, _) => text,
            Out::Close(..) => String::new(),
        })
    }

    pub(super) async fn goodbye(&self, code: u16, reason: &'static str) {
        let _ = self.out.send(Out::Close(code, reason)).await;
    }

    /// One message larger than the whole budget must still get through, alone.
    fn weight(&self, text: &str) -> u32 {
        u32::try_from(text.len().min(self.limits.queue_bytes)).unwrap_or(u32::MAX)
    }

    /// Ends everything that waits: the session is over.
    pub(super) fn end(&self) {
        self.pending().take();
        self.incoming.end();
    }

    /// Answers the caller who waits for `id`. Answers to unknown ids are dropped, as calls may be given up.
    pub(super) fn answered(self: &Arc<Self>, id: u64, answer: Result<Box<RawValue>, RpcError>) {
        let waiting = self.pending().as_mut().and_then(|pending| pending.remove(&id));
        match waiting {
            Some(Pending::Call(tx)) => {
                let _ = tx.send(answer);
            }
            Some(Pending::Channel(tx)) => {
                let channel = answer.map_err(CallError::from).and_then(|chid| self.register(id, &chid));
                // A channel whose opener is gone is dropped here, which cancels it.
                let _ = tx.send(channel);
            }
            None => tracing::debug!(id, "answer to nobody"),
        }
    }

    /// The channel exists from the moment its number is read: the first value may be the next frame.
    fn register(self: &Arc<Self>, request: u64, chid: &RawValue) -> Result<RawChannel, CallError> {
        let Ok(chid) = serde_json::from_str::<u64>(chid.get()) else {
            let reason = format!("channel number expected, got {:.40}", chid.get());
            return Err(CallError::Decode { method: String::new(), reason });
        };
        self.incoming.open(self, chid, request)
    }

    /// Sends `xrpc.cancel`, if there is room: a session that cannot take it is in worse trouble.
    pub(super) fn cancel(&self, id: u64) {
        if self.try_send(frame::cancel(id)).is_err() {
            tracing::debug!(id, "no room to cancel");
        }
    }
}

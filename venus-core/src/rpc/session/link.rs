//! What a session shares with those who call through it.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::de::DeserializeOwned;
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
    next_id: AtomicU64,
    /// `None` once the session has ended.
    pending: Mutex<Option<HashMap<u64, Pending>>>,
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
    fn pending(&self) -> MutexGuard<'_, Option<HashMap<u64, Pending>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
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
        let Ok(permit) = self.bytes.clone().try_acquire_many_owned(self.weight(&text)) else { return Err(text) };
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

    fn enter(self: &Arc<Self>, waiting: Pending) -> Result<Entered, CallError> {
        let mut guard = self.pending();
        let pending = guard.as_mut().ok_or(CallError::Disconnected)?;
        if pending.len() >= self.limits.calls {
            return Err(CallError::TooMany(pending.len()));
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        pending.insert(id, waiting);
        Ok(Entered { link: self.clone(), id, sent: false })
    }

    /// Sends `xrpc.cancel`, if there is room: a session that cannot take it is in worse trouble.
    pub(super) fn cancel(&self, id: u64) {
        if self.try_send(frame::cancel(id)).is_err() {
            tracing::debug!(id, "no room to cancel");
        }
    }
}

/// A call under way. Dropped before its answer came, it is cancelled.
struct Entered {
    link: Arc<Link>,
    id: u64,
    sent: bool,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let unanswered = self.link.pending().as_mut().is_some_and(|pending| pending.remove(&self.id).is_some());
        if unanswered && self.sent {
            self.link.cancel(self.id);
        }
    }
}

impl Entered {
    async fn send(&mut self, method: &str, params: Option<&str>) -> Result<(), CallError> {
        let mut text = frame::call(self.id, method, params);
        text.push('\n');
        let (size, limit) = (text.len(), self.link.limits.message_bytes);
        if size > limit {
            return Err(CallError::TooBig { what: "request", size, limit });
        }
        self.link.send(text).await?;
        self.sent = true;
        Ok(())
    }
}

/// The other end of a WebSocket, to be called.
///
/// A server's method finds the `Peer` of its caller among its extensions; it implements jsonrpsee's `ClientT`, so
/// that generated clients work on it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Peer {
    link: Arc<Link>,
    deadline: Duration,
}

impl Peer {
    pub(crate) fn new(link: Arc<Link>, deadline: Duration) -> Self {
        Self { link, deadline }
    }

    /// The peer with another deadline for its calls.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Whether the session still runs. It may end right after the answer.
    pub fn is_open(&self) -> bool {
        self.link.is_open()
    }

    /// Completes when the session has ended.
    pub async fn closed(&self) {
        self.link.closed().await;
    }

    /// Calls `method` with a JSON array of parameters. A void answer is `null`. Dropping the future cancels the call.
    ///
    /// # Errors
    /// [`CallError`]; see there for what may have happened on the other side.
    pub async fn call_raw(&self, method: &str, params: Option<&str>) -> Result<Box<RawValue>, CallError> {
        let (tx, rx) = oneshot::channel();
        let answer = async {
            let mut entered = self.link.enter(Pending::Call(tx))?;
            entered.send(method, params).await?;
            rx.await.map_err(|_| CallError::Disconnected)?.map_err(CallError::from)
        };
        self.in_time(method, answer).await
    }

    /// Calls `method` and decodes its result.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call<R: DeserializeOwned>(&self, method: &str, params: Option<&str>) -> Result<R, CallError> {
        decode(method, &*self.call_raw(method, params).await?)
    }

    /// Calls `method` without waiting for an answer: there is none. Returns when the message is queued.
    ///
    /// # Errors
    /// [`CallError::Disconnected`] if the session has ended.
    pub async fn notify(&self, method: &str, params: Option<&str>) -> Result<(), CallError> {
        if !self.is_open() {
            return Err(CallError::Disconnected);
        }
        self.in_time(method, self.link.send(frame::notification(method, params) + "\n")).await
    }

    /// Calls a `method` that answers with a channel. The deadline is for the opening only.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn open(&self, method: &str, params: Option<&str>) -> Result<RawChannel, CallError> {
        let (tx, rx) = oneshot::channel();
        let opened = async {
            let mut entered = self.link.enter(Pending::Channel(tx))?;
            entered.send(method, params).await?;
            rx.await.map_err(|_| CallError::Disconnected)?
        };
        self.in_time(method, opened).await
    }

    async fn in_time<T>(
        &self,
        method: &str,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let late = |_| CallError::Timeout { method: method.to_owned(), after: self.deadline };
        tokio::time::timeout(self.deadline, call).await.map_err(late)?
    }
}

/// Decodes a result.
pub(crate) fn decode<R: DeserializeOwned>(method: &str, result: &RawValue) -> Result<R, CallError> {
    serde_json::from_str(result.get())
        .map_err(|error| CallError::Decode { method: method.to_owned(), reason: error.to_string() })
}

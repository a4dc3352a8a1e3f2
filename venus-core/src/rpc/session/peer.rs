//! Calls out.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

#[cfg(feature = "client")]
use super::Limits;
use super::{
    channel::RawChannel,
    link::{Link, Pending},
};
use crate::rpc::{error::CallError, frame};

/// A call under way. Dropped before its answer came, it is cancelled.
struct Entered {
    link: Arc<Link>,
    id: u64,
    sent: bool,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let unanswered =
            self.link.pending().as_mut().is_some_and(|pending| pending.remove(&self.id).is_some());
        if unanswered && self.sent {
            self.link.cancel(self.id);
        }
    }
}

impl Entered {
    fn new(link: &Arc<Link>, waiting: Pending) -> Result<Self, CallError> {
        let mut guard = link.pending();
        let pending = guard.as_mut().ok_or(CallError::Disconnected)?;
        if pending.len() >= link.limits.calls {
            return Err(CallError::TooMany(pending.len()));
        }
        let id = link.next_id.fetch_add(1, Ordering::Relaxed);
        pending.insert(id, waiting);
        Ok(Self { link: link.clone(), id, sent: false })
    }

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

    #[cfg(feature = "client")]
    pub(crate) fn limits(&self) -> &Limits {
        &self.link.limits
    }

    /// Calls `method` with a JSON array of parameters. A void answer is `null`. Dropping the future cancels the call.
    ///
    /// # Errors
    /// [`CallError`]; see there for what may have happened on the other side.
    pub async fn call_raw(&self, method: &str, params: Option<&str>) -> Result<Box<RawValue>, CallError> {
        let (tx, rx) = oneshot::channel();
        let answer = async {
            let mut entered = Entered::new(&self.link, Pending::Call(tx))?;
            entered.send(method, params).await?;
            rx.await.map_err(|_| CallError::Disconnected)?.map_err(CallError::from)
        };
        self.in_time(method, answer).await
    }

    /// Calls `method` and decodes its result.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call<R: DeserializeOwned>(
        &self,
        method: &str,
        params: Option<&str>,
    ) -> Result<R, CallError> {
        decode(method, &self.call_raw(method, params).await?)
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
            let mut entered = Entered::new(&self.link, Pending::Channel(tx))?;
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

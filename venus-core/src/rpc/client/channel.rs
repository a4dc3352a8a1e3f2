//! Channels for consumers: typed, and opened again if that is wanted.

use std::{fmt, marker::PhantomData, time::Duration};

use futures::{Stream, stream};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use super::RpcClient;
use crate::rpc::{
    error::CallError,
    session::{ChannelClosed, ChannelEvent, RawChannel, decode},
};

/// What happens when a channel ends without the consumer's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resubscribe {
    /// It has ended; the consumer decides.
    Never,
    /// It is opened again when the connection is back, and the consumer learns that values are missing.
    AfterReconnect,
    /// The same, and also when the server closed it or the consumer was too slow.
    Always,
}

/// A channel of values.
///
/// Dropping it cancels it on the server. It never blocks the connection: a consumer that does not keep up gets
/// [`ChannelClosed::Lagged`].
pub struct Channel<T> {
    client: RpcClient,
    method: String,
    params: Option<String>,
    resubscribe: Resubscribe,
    raw: Option<RawChannel>,
    attempt: u32,
    values: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Channel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("method", &self.method)
            .field("open", &self.raw.is_some())
            .finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> Channel<T> {
    pub(super) async fn open(
        client: RpcClient,
        method: &str,
        params: Option<&str>,
        resubscribe: Resubscribe,
    ) -> Result<Self, CallError> {
        let (method, params) = (method.to_owned(), params.map(str::to_owned));
        let mut channel =
            Self { client, method, params, resubscribe, raw: None, attempt: 0, values: PhantomData };
        channel.raw = Some(channel.open_raw().await?);
        Ok(channel)
    }

    async fn open_raw(&self) -> Result<RawChannel, CallError> {
        let ws = self.client.websocket(&self.method)?;
        let until = Instant::now() + self.client.config().deadline_of(&self.method);
        let peer = ws.peer(until).await?.with_deadline(until - Instant::now());
        peer.open(&self.method, self.params.as_deref()).await
    }

    /// What comes next; nothing after [`ChannelEvent::Closed`].
    ///
    /// # Errors
    /// [`CallError::Decode`] for a value that is no `T`: the channel goes on. Any other error says why the channel
    /// cannot be opened again, and nothing follows.
    pub async fn next(&mut self) -> Option<Result<ChannelEvent<T>, CallError>> {
        let raw = self.raw.as_mut()?;
        if let Some(value) = raw.next().await {
            self.attempt = 0;
            return Some(decode(&self.method, &value).map(ChannelEvent::Value));
        }
        let why = raw.closed();
        self.raw = None;
        let again = match self.resubscribe {
            Resubscribe::Never => false,
            Resubscribe::AfterReconnect => why == ChannelClosed::Disconnected,
            Resubscribe::Always => true,
        };
        if again { self.reopen().await } else { Some(Ok(ChannelEvent::Closed(why))) }
    }

    /// Tries until it works, or until trying makes no sense.
    async fn reopen(&mut self) -> Option<Result<ChannelEvent<T>, CallError>> {
        use crate::error::Classify;
        loop {
            if self.attempt > 0 {
                sleep(self.pause()).await;
            }
            self.attempt = self.attempt.saturating_add(1);
            match self.open_raw().await {
                Ok(raw) => {
                    self.raw = Some(raw);
                    return Some(Ok(ChannelEvent::Reopened));
                }
                Err(CallError::Closed) => return Some(Ok(ChannelEvent::Closed(ChannelClosed::Disconnected))),
                Err(error) if error.kind().is_retryable() => tracing::debug!(%error, "channel not open yet"),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn pause(&self) -> Duration {
        self.client.config().back_off.pause(self.attempt, 0)
    }

    /// The channel as a stream of the same items.
    pub fn into_stream(self) -> impl Stream<Item = Result<ChannelEvent<T>, CallError>> {
        stream::unfold(self, |mut channel| async move { Some((channel.next().await?, channel)) })
    }
}

//! Who dialled in, and what it is sent.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio_util::sync::WaitForCancellationFutureOwned;
use uuid::Uuid;
use venus_core::api::{Permission, Permissions};
use venus_core::types::gateway::RequestEvent;

use crate::channel::Channel;
use crate::hub::Hub;
use crate::register::Cause;

/// What a provider offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Keys.
    Wallet,
    /// WinningPoSt.
    Proof,
    /// Unsealed pieces.
    Market,
}

impl Kind {
    /// The kind in lists, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wallet => "wallet",
            Self::Proof => "proof",
            Self::Market => "market",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Somebody at the other end of a connection, as its token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// The account of its token.
    pub account: String,
    /// What the token may do.
    pub permissions: Permissions,
    /// Its scopes; `support:<account>` lets a wallet serve another account.
    pub scopes: Vec<String>,
    /// Names the token: SHA-256 of it. Empty where nobody computed it.
    pub token: String,
    /// From where it dialled. Provers and sealers need one; those in the hub's own process say a loopback address.
    pub remote: Option<SocketAddr>,
    /// The connection, unique in the process. Answers count only on the connection that was asked.
    pub connection: u64,
}

impl Provider {
    /// Whether an administrator consented that this wallet serves `account`, which is not its own.
    pub fn may_support(&self, account: &str) -> bool {
        let granted = |scope: &String| scope.strip_prefix("support:") == Some(account);
        self.permissions.allow(Permission::Admin) || self.scopes.iter().any(granted)
    }
}

/// What the hub sends on one channel, in order. Ends when the registration fails or is ended by the hub. Dropping it
/// ends the registration, and whatever was asked on it goes to the next provider.
pub struct Events {
    hub: Hub,
    channel: Arc<Channel>,
    queue: mpsc::Receiver<RequestEvent>,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Events {
    pub(crate) fn new(hub: Hub, channel: Arc<Channel>, queue: mpsc::Receiver<RequestEvent>) -> Self {
        let ended = Box::pin(channel.ended.clone().cancelled_owned());
        Self { hub, channel, queue, ended }
    }

    /// Names the channel.
    pub fn channel(&self) -> Uuid {
        self.channel.id
    }

    /// The next event; nothing after the end. Cancel safe.
    pub async fn next(&mut self) -> Option<RequestEvent> {
        StreamExt::next(self).await
    }
}

impl Stream for Events {
    type Item = RequestEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<RequestEvent>> {
        if self.channel.ended.is_cancelled() || self.ended.as_mut().poll(cx).is_ready() {
            // Whoever lost its rights hears nothing more; whoever failed hears why.
            return match self.channel.has_last_words() {
                true => Poll::Ready(self.queue.try_recv().ok()),
                false => Poll::Ready(None),
            };
        }
        self.queue.poll_recv(cx)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.hub.close(&self.channel, Cause::Left);
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("channel", &self.channel.id).finish_non_exhaustive()
    }
}

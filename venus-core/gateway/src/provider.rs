//! Who dialled in, and what it is sent.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;
use uuid::Uuid;
use venus_core::api::Permissions;
use venus_core::types::gateway::RequestEvent;

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

/// Somebody at the other end of a connection, as its token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// The account of its token.
    pub account: String,
    /// What the token may do.
    pub permissions: Permissions,
    /// Its scopes; `support:<account>` lets a wallet serve another account.
    pub scopes: Vec<String>,
    /// Names the token: SHA-256 of it.
    pub token: String,
    /// From where it dialled.
    pub remote: Option<SocketAddr>,
    /// The connection, unique in the process. Answers count only on the connection that was asked.
    pub connection: u64,
}

/// What the hub sends on one channel, in order. Ends when the registration fails or is ended by the hub. Dropping it
/// ends the registration, and whatever was asked on it goes to the next provider.
#[derive(Debug)]
pub struct Events {
    pub(crate) id: Uuid,
    pub(crate) queue: mpsc::Receiver<RequestEvent>,
    pub(crate) _ended: DropGuard,
}

impl Events {
    /// Names the channel.
    pub fn channel(&self) -> Uuid {
        self.id
    }

    /// The next event; nothing after the end. Cancel safe.
    pub async fn next(&mut self) -> Option<RequestEvent> {
        self.queue.recv().await
    }
}

impl Stream for Events {
    type Item = RequestEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<RequestEvent>> {
        self.queue.poll_recv(cx)
    }
}

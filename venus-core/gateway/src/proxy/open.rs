//! What is under way, so that it can be ended.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use venus_core::rpc::Identity;

/// Requests and WebSockets, by number.
#[derive(Clone, Default)]
pub(super) struct Open(Arc<Mutex<List>>);

#[derive(Default)]
struct List {
    next: u64,
    all: HashMap<u64, Exchange>,
}

struct Exchange {
    who: Identity,
    remote: Option<SocketAddr>,
    ended: CancellationToken,
}

/// An exchange that counts as under way until this is dropped.
pub(super) struct Listed {
    open: Open,
    number: u64,
    /// When it has to end.
    pub(super) ended: CancellationToken,
    gone: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Open {
    pub(super) fn enter(
        &self,
        who: Identity,
        remote: Option<SocketAddr>,
        permit: OwnedSemaphorePermit,
    ) -> Listed {
        let ended = CancellationToken::new();
        let mut list = self.list();
        let number = list.next;
        list.next = number.wrapping_add(1);
        list.all.insert(number, Exchange { who, remote, ended: ended.clone() });
        drop(list);
        Listed { open: self.clone(), number, ended, gone: CancellationToken::new(), _permit: permit }
    }

    pub(super) fn end(&self, who: impl Fn(&Identity, Option<SocketAddr>) -> bool) -> usize {
        let list = self.list();
        let picked = list.all.values().filter(|exchange| who(&exchange.who, exchange.remote));
        picked.map(|exchange| exchange.ended.cancel()).count()
    }

    pub(super) fn tokens(&self) -> Vec<String> {
        self.list().all.values().map(|exchange| exchange.who.token.clone()).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.list().all.len()
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listed {
    /// When it has ended.
    pub(super) fn gone(&self) -> CancellationToken {
        self.gone.clone()
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.gone.cancel();
        self.open.list().all.remove(&self.number);
    }
}

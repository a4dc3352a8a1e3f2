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
    /// Counts the rounds of ending.
    round: u64,
    all: HashMap<u64, Exchange>,
    /// How many each account has.
    of_account: HashMap<String, usize>,
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
    account: String,
    /// When it has to end.
    pub(super) ended: CancellationToken,
    /// The round of ending in which it began.
    pub(super) round: u64,
    gone: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Open {
    /// How often something was ended so far. Read before somebody is asked who it is: if [`Listed::round`] is another,
    /// the answer may be from before its rights ended, and whoever ended them did not see the exchange.
    pub(super) fn round(&self) -> u64 {
        self.list().round
    }

    /// Nothing if the account has `most` already.
    pub(super) fn enter(
        &self,
        who: Identity,
        remote: Option<SocketAddr>,
        permit: OwnedSemaphorePermit,
        most: usize,
    ) -> Option<Listed> {
        let (ended, account) = (CancellationToken::new(), who.name.clone());
        let mut list = self.list();
        let count = list.of_account.get(&account).copied().unwrap_or_default();
        if count >= most {
            return None;
        }
        list.of_account.insert(account.clone(), count + 1);
        let (number, round) = (list.next, list.round);
        list.next = number.wrapping_add(1);
        list.all.insert(number, Exchange { who, remote, ended: ended.clone() });
        drop(list);
        let gone = CancellationToken::new();
        Some(Listed { open: self.clone(), number, account, ended, round, gone, _permit: permit })
    }

    pub(super) fn end(&self, who: impl Fn(&Identity, Option<SocketAddr>) -> bool) -> usize {
        let mut list = self.list();
        list.round += 1;
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
        let mut list = self.open.list();
        list.all.remove(&self.number);
        let count = list.of_account.get(&self.account).copied().unwrap_or_default();
        match count {
            0 | 1 => drop(list.of_account.remove(&self.account)),
            more => drop(list.of_account.insert(self.account.clone(), more - 1)),
        }
    }
}

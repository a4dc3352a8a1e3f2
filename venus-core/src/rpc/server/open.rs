//! What runs on behalf of callers, so that it can be ended when they lose their rights.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::Held;
use crate::rpc::{
    service::Caller,
    session::{Link, Order, close},
};

/// Why a session is closed whose caller lost its rights.
pub(super) const REVOKED: Order = Order::Close(close::POLICY, "revoked");

/// How something open is ended.
#[derive(Clone)]
pub(super) enum Way {
    /// A WebSocket, in order, with a close frame.
    Session(Arc<Link>),
    /// A request over HTTP, by giving up its method.
    Request(CancellationToken),
}

impl Way {
    fn end(&self) {
        match self {
            Self::Session(link) => link.order(REVOKED),
            Self::Request(token) => token.cancel(),
        }
    }
}

/// All that is open.
#[derive(Default)]
pub(super) struct Open(Mutex<All>);

#[derive(Default)]
struct All {
    next: u64,
    /// Counts the rounds of ending.
    round: u64,
    sessions: usize,
    held: HashMap<u64, (Arc<Caller>, Way)>,
}

impl Open {
    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of rounds of ending so far. Read before the caller is asked who it is; if [`Entered::round`] is
    /// another, a revocation may have come between and not have seen this caller.
    pub(super) fn round(&self) -> u64 {
        self.all().round
    }

    pub(super) fn enter(&self, caller: Arc<Caller>, way: Way) -> Entered<'_> {
        let mut all = self.all();
        all.next += 1;
        all.sessions += usize::from(matches!(way, Way::Session(_)));
        let (key, round) = (all.next, all.round);
        all.held.insert(key, (caller, way));
        drop(all);
        Entered { open: self, key, round }
    }

    pub(super) fn sessions(&self) -> usize {
        self.all().sessions
    }

    pub(super) fn held(&self) -> Vec<Held> {
        let all = self.all();
        let held = all.held.values().map(|(caller, way)| (caller, matches!(way, Way::Session(_))));
        held.map(|(caller, is_session)| Held { caller: caller.clone(), is_session }).collect()
    }

    pub(super) fn end(&self, who: impl Fn(&Caller) -> bool) -> usize {
        let mut all = self.all();
        all.round += 1;
        let picked: Vec<Way> =
            all.held.values().filter(|(caller, _)| who(caller)).map(|(_, way)| way.clone()).collect();
        drop(all);
        picked.iter().for_each(Way::end);
        picked.len()
    }

    /// Has sessions let their calls end.
    pub(super) fn drain(&self) {
        for (_, way) in self.all().held.values() {
            if let Way::Session(link) = way {
                link.order(Order::Drain);
            }
        }
    }
}

/// Something in the list, for as long as it runs.
pub(super) struct Entered<'a> {
    open: &'a Open,
    key: u64,
    pub(super) round: u64,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut all = self.open.all();
        if let Some((_, Way::Session(_))) = all.held.remove(&self.key) {
            all.sessions = all.sessions.saturating_sub(1);
        }
    }
}

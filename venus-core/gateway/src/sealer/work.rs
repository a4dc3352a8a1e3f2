//! How much is done at once for a miner, whichever hubs ask.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use venus_core::types::Address;

use super::options::ProviderOptions;
use super::status::MinerWork;
use crate::provider::Kind;

/// Places for the work of one kind for one miner.
#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    at_once: usize,
    waiting: AtomicUsize,
    most_waiting: usize,
}

/// As much waits as may.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overloaded;

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Places {
    fn new(at_once: usize, most_waiting: usize) -> Self {
        let at_once = at_once.clamp(1, Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(at_once)), at_once, waiting: AtomicUsize::new(0), most_waiting }
    }

    /// A place, waiting for one if few enough wait already. Cancel safe.
    pub(super) async fn enter(&self) -> Result<OwnedSemaphorePermit, Overloaded> {
        if let Ok(permit) = self.free.clone().try_acquire_owned() {
            return Ok(permit);
        }
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= self.most_waiting {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return Err(Overloaded);
        }
        let _waiting = Waiting(&self.waiting);
        // The places are never closed.
        self.free.clone().acquire_owned().await.map_err(|_| Overloaded)
    }
}

/// The places of all miners.
#[derive(Debug, Default)]
pub(super) struct Work {
    places: Mutex<HashMap<(Address, Kind), Arc<Places>>>,
}

impl Work {
    pub(super) fn of(&self, miner: Address, kind: Kind, options: &ProviderOptions) -> Arc<Places> {
        let (at_once, waiting) = match kind {
            Kind::Proof => (options.proofs, options.proofs_waiting),
            Kind::Market | Kind::Wallet => (options.unseals, options.unseals_waiting),
        };
        self.places().entry((miner, kind)).or_insert_with(|| Arc::new(Places::new(at_once, waiting))).clone()
    }

    pub(super) fn forget(&self, miner: &Address) {
        self.places().retain(|(known, _), _| known != miner);
    }

    pub(super) fn list(&self) -> Vec<MinerWork> {
        let work = |(&(miner, kind), places): (&(Address, Kind), &Arc<Places>)| MinerWork {
            miner,
            kind,
            running: places.at_once - places.free.available_permits().min(places.at_once),
            waiting: places.waiting.load(Ordering::Acquire),
        };
        let mut list: Vec<_> = self.places().iter().map(work).collect();
        list.sort_by_key(|work| (work.miner, work.kind == Kind::Market));
        list
    }

    fn places(&self) -> MutexGuard<'_, HashMap<(Address, Kind), Arc<Places>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_too_much_is_told_at_once() {
        let places = Places::new(1, 2);
        let first = places.enter().await.unwrap();
        let mut second = Box::pin(places.enter());
        let mut third = Box::pin(places.enter());
        assert!(futures::poll!(&mut second).is_pending() && futures::poll!(&mut third).is_pending());
        assert_eq!(places.enter().await.err(), Some(Overloaded));
        drop(third);
        let mut fourth = Box::pin(places.enter());
        assert!(futures::poll!(&mut fourth).is_pending(), "who gave up leaves a place");
        drop(first);
        drop(second.await.unwrap());
        drop(fourth.await.unwrap());
        assert_eq!(places.waiting.load(Ordering::Acquire), 0);
    }
}

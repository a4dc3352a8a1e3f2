//! All hubs together.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use venus_core::types::Address;

use super::handler::Handlers;
use super::hub::Hub;
use super::live::{Live, Shared};
use super::options::ProviderOptions;
use super::status::{HubStatus, MinerWork};
use super::work::Work;
use crate::endpoint::{Endpoint, EndpointError};

/// A prover or sealer at its hubs. Clones are the same; the last one that is dropped ends it.
#[derive(Clone)]
pub struct ProviderHandle {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    lives: Vec<Arc<Live>>,
    /// Counts miners that were added.
    added: AtomicU64,
    stop: CancellationToken,
    tasks: Mutex<JoinSet<()>>,
    _stop_on_drop: DropGuard,
}

impl fmt::Debug for ProviderHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProviderHandle").field(&self.status()).finish()
    }
}

impl ProviderHandle {
    /// Starts to register for `miners` (ID addresses) at all `hubs` (`TOKEN:ADDRESS`), and returns at once: what is down
    /// is tried again until it is there. The token names the account that the miners belong to.
    ///
    /// Needs a Tokio runtime. Everything ends with [`ProviderHandle::shutdown`], or with the last clone.
    ///
    /// # Errors
    /// [`EndpointError`]; nothing was started then.
    pub fn start(
        handlers: Handlers,
        miners: impl IntoIterator<Item = Address>,
        hubs: impl IntoIterator<Item = impl AsRef<str>>,
        options: ProviderOptions,
    ) -> Result<Self, EndpointError> {
        let lives = lives(hubs, &options)?;
        let shared =
            Shared { handlers, options, miners: watch::Sender::new(BTreeMap::new()), work: Work::default() };
        let (shared, stop, mut tasks) = (Arc::new(shared), CancellationToken::new(), JoinSet::new());
        for live in &lives {
            let (shared, live) = (shared.clone(), live.clone());
            tasks.spawn(Hub { shared, live, stop: stop.clone() }.run());
        }
        let guard = stop.clone().drop_guard();
        let tasks = Mutex::new(tasks);
        let inner = Inner { shared, lives, added: AtomicU64::new(0), stop, tasks, _stop_on_drop: guard };
        let handle = Self { inner: Arc::new(inner) };
        for miner in miners {
            handle.add_miner(miner);
        }
        Ok(handle)
    }

    /// Registers for one miner more at all hubs. Whether it was not there before.
    pub fn add_miner(&self, miner: Address) -> bool {
        let Inner { shared, lives, added, .. } = &*self.inner;
        // Status first and under the lock of the miners, so that no loop sees a miner that has no status yet.
        shared.miners.send_if_modified(|miners| {
            let Entry::Vacant(entry) = miners.entry(miner) else { return false };
            entry.insert(added.fetch_add(1, Ordering::Relaxed));
            lives.iter().for_each(|live| live.add(miner, shared));
            true
        })
    }

    /// Ends the registrations for a miner; what is under way for it is given up. Whether it was there.
    pub fn remove_miner(&self, miner: &Address) -> bool {
        let Inner { shared, lives, .. } = &*self.inner;
        shared.miners.send_if_modified(|miners| {
            let known = miners.remove(miner).is_some();
            if known {
                lives.iter().for_each(|live| live.remove(miner));
                shared.work.forget(miner);
            }
            known
        })
    }

    /// The miners.
    pub fn miners(&self) -> Vec<Address> {
        self.inner.shared.miners.borrow().keys().copied().collect()
    }

    /// How the registrations stand, in the order of the hubs.
    pub fn status(&self) -> Vec<HubStatus> {
        self.inner.lives.iter().map(|live| live.status().borrow().clone()).collect()
    }

    /// What is done at this moment, by miner.
    pub fn work(&self) -> Vec<MinerWork> {
        self.inner.shared.work.list()
    }

    /// Whether all hubs can ask for all miners.
    pub fn is_ready(&self) -> bool {
        self.inner.lives.iter().all(|live| live.status().borrow().is_ready())
    }

    /// Returns once every hub can ask for all miners, or has been able to since this was called. Cancel safe.
    pub async fn wait_ready(&self) {
        let ready = async |live: &Arc<Live>| {
            let _ = live.status().wait_for(HubStatus::is_ready).await;
        };
        join_all(self.inner.lives.iter().map(ready)).await;
    }

    /// Ends all registrations, gives up what is under way, and returns when nothing runs any more.
    pub async fn shutdown(&self) {
        self.inner.stop.cancel();
        let mut tasks = std::mem::take(&mut *self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while tasks.join_next().await.is_some() {}
    }
}

fn lives(
    hubs: impl IntoIterator<Item = impl AsRef<str>>,
    options: &ProviderOptions,
) -> Result<Vec<Arc<Live>>, EndpointError> {
    let (mut seen, mut lives) = (HashSet::new(), Vec::new());
    for (number, hub) in (1..).zip(hubs) {
        let endpoint = Endpoint::read(hub.as_ref(), number, options.clear_text, options.client())?;
        let endpoint = endpoint.over_websocket();
        if !seen.insert(endpoint.name().to_owned()) {
            return Err(EndpointError::Twice(endpoint.name().to_owned()));
        }
        lives.push(Arc::new(Live::new(endpoint)));
    }
    if lives.is_empty() { Err(EndpointError::None) } else { Ok(lives) }
}

//! The devnet: a chain, its pool and its store behind one handle.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use tokio::runtime::Handle;
use tokio::sync::watch;
use venus_core::api::{ChainError, HeadChange};
use venus_core::clock::Clock;
use venus_core::types::{Tipset, TipsetKey};

use crate::chain::Chain;
use crate::config::{DevnetConfig, TOTAL_FIL};
use crate::error::DevnetError;
use crate::genesis::{self, GenesisInfo};
use crate::mpool::Pool;
use crate::proofs::{FakeProofs, ProofVerifier};
use crate::store::{LogStore, MemoryStore, Store};

/// A Filecoin chain in this process. Clones are handles to the same chain; it ends with the last of them.
///
/// It never makes a block by itself: miners do, through [`venus_core::api::BlockProducer`].
#[derive(Clone, Debug)]
pub struct Devnet {
    pub(crate) inner: Arc<Inner>,
}

/// Figures of a devnet. All of them come out the same after a restart, but `pending`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DevnetStats {
    /// Height of the head.
    pub height: ChainEpoch,
    /// Blocks that were accepted, those that were left behind by a reorg included; without the genesis.
    pub blocks: u64,
    /// Head changes in which a tipset left the chain for another. A tipset that grows by a block is none.
    pub reorgs: u64,
    /// Messages that wait in the pool.
    pub pending: usize,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) info: GenesisInfo,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) proofs: Arc<dyn ProofVerifier>,
    /// Held while a block is kept and entered, so that blocks are in the store in the order of the chain. Taken
    /// before `core`, never after.
    store: Mutex<Box<dyn Store>>,
    core: RwLock<Core>,
    head: watch::Sender<Arc<Tipset>>,
    /// While set, no block is taken.
    frozen: AtomicBool,
    /// Of whoever sends messages with keys of a face, whichever face it is.
    #[cfg(feature = "server")]
    pub(crate) turns: crate::mpool::Turns,
}

/// What one lock guards. It is never held while signatures are checked, while the disk works, or across an await.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) chain: Chain,
    pub(crate) pool: Pool,
}

impl Devnet {
    /// Starts a devnet, or one that ran before in `dir`.
    ///
    /// Without a directory the chain lives in memory only. With one, every accepted block is synced to a log, and a
    /// crash at any moment loses none. The pool is not kept: whoever pushed a message pushes it again.
    ///
    /// # Errors
    /// [`DevnetError::Config`]; with a directory also [`DevnetError::InUse`], [`DevnetError::WrongGenesis`] if it
    /// belongs to another configuration, [`DevnetError::Corrupt`] and [`DevnetError::Io`].
    pub fn open(
        config: DevnetConfig,
        clock: Arc<dyn Clock>,
        dir: Option<&Path>,
    ) -> Result<Self, DevnetError> {
        Self::open_with_proofs(config, clock, dir, Arc::new(FakeProofs))
    }

    /// As [`Devnet::open`], with another idea of what a proof is.
    ///
    /// # Errors
    /// As [`Devnet::open`].
    pub fn open_with_proofs(
        config: DevnetConfig,
        clock: Arc<dyn Clock>,
        dir: Option<&Path>,
        proofs: Arc<dyn ProofVerifier>,
    ) -> Result<Self, DevnetError> {
        Self::open_watched(config, clock, dir, proofs, &mut |_| {})
    }

    /// As [`Devnet::open_with_proofs`]. `seen` is told the epoch of each block of the log that was taken in, for those
    /// who show how far it is.
    ///
    /// # Errors
    /// As [`Devnet::open`].
    pub fn open_watched(
        config: DevnetConfig,
        clock: Arc<dyn Clock>,
        dir: Option<&Path>,
        proofs: Arc<dyn ProofVerifier>,
        seen: &mut dyn FnMut(ChainEpoch),
    ) -> Result<Self, DevnetError> {
        config.check()?;
        let genesis = genesis::build(&config)?;
        let info = genesis.info.clone();
        let genesis_cid = info.tipset.min_ticket_block().cid();
        let mut core = Core { chain: Chain::new(&config, genesis), pool: Pool::default() };
        let store: Box<dyn Store> = match dir {
            Some(dir) => Box::new(LogStore::open(dir, &genesis_cid, |entry| {
                let epoch = entry.epoch();
                core.replay(entry).inspect(|()| seen(epoch))
            })?),
            None => Box::new(MemoryStore),
        };
        let head = watch::Sender::new(core.chain.head().clone());
        let (store, core) = (Mutex::new(store), RwLock::new(core));
        Ok(Self {
            inner: Arc::new(Inner {
                info,
                clock,
                proofs,
                store,
                core,
                head,
                frozen: AtomicBool::new(false),
                #[cfg(feature = "server")]
                turns: crate::mpool::Turns::default(),
            }),
        })
    }

    /// Runs what verifies signatures or waits for the disk beside the threads that others wait for. It runs to its
    /// end even if nobody waits for it any more. Without a runtime it runs here.
    pub(crate) async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, ChainError> + Send + 'static,
    ) -> Result<T, ChainError> {
        let inner = self.inner.clone();
        match Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn_blocking(move || work(&inner)).await.unwrap_or(Err(ChainError::Closed))
            }
            Err(_) => work(&inner),
        }
    }

    /// What the chain began with.
    pub fn genesis_info(&self) -> &GenesisInfo {
        &self.inner.info
    }

    /// ID addresses of the miners of the genesis, in the order of the configuration.
    pub fn miners(&self) -> Vec<Address> {
        self.inner.info.miners.clone()
    }

    /// Figures as of now.
    pub fn stats(&self) -> DevnetStats {
        let core = self.inner.read();
        DevnetStats {
            height: core.chain.head().height(),
            blocks: core.chain.block_count(),
            reorgs: core.chain.reorgs(),
            pending: core.pool.len(),
        }
    }

    /// Checks that all balances after the head sum up to two billion FIL. Looks at every actor.
    ///
    /// # Errors
    /// [`DevnetError::Supply`] if not, which is a defect of the devnet.
    pub fn check_supply(&self) -> Result<(), DevnetError> {
        let core = self.inner.read();
        let supply = core.chain.execute(core.chain.head())?.state.supply();
        if supply == TokenAmount::from_whole(TOTAL_FIL) {
            return Ok(());
        }
        Err(DevnetError::Supply { found: supply.atto().to_string() })
    }
}

impl Inner {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Core> {
        // Whoever panicked left no half-done change: insertions run to their end or not at all.
        self.core.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Core> {
        self.core.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Box<dyn Store>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::Acquire)
    }

    pub(crate) fn set_frozen(&self, frozen: bool) {
        self.frozen.store(frozen, Ordering::Release);
    }

    pub(crate) fn announce(&self, head: Arc<Tipset>) {
        self.head.send_replace(head);
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<Tipset>> {
        self.head.subscribe()
    }

    pub(crate) fn path(&self, from: &TipsetKey, to: &TipsetKey) -> Result<HeadChange, ChainError> {
        self.read().chain.path(from, to)
    }
}

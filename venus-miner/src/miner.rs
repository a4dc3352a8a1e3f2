//! The miner for many miners.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use venus_core::api::{BlockProducer, ChainReader, ISigner, ProofComputer};
use venus_core::clock::Clock;
use venus_core::types::{ChainEpoch, NetworkInfo, Tipset, TipsetKey};

use crate::config::{IN_MEMORY, MinerConfig};
use crate::error::MinerError;
use crate::report::RoundReport;
use crate::round::{self, Recheck};
use crate::runner::{self, MinerHandle};
use crate::store::{MemoryReservations, MinerStats, ReservationStore, Round, SqliteReservations};

/// What a [`Miner`] works with.
#[derive(Clone)]
pub struct MinerDeps {
    /// The chain.
    pub chain: Arc<dyn ChainReader>,
    /// Makes and takes blocks; the same node as the chain.
    pub producer: Arc<dyn BlockProducer>,
    /// Owns the workers' keys.
    pub signer: Arc<dyn ISigner>,
    /// Computes proofs.
    pub prover: Arc<dyn ProofComputer>,
    /// Time. Deadlines and block times are by this clock.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for MinerDeps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MinerDeps").field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// Mines for many miners through one node. Clones share everything.
///
/// A block is reserved durably before it is signed, and its signature is stored before it is published. So a round
/// that was cut off anywhere is completed by mining it again: the same blocks come out, never others for the
/// same (miner, height) or (miner, parents). Several instances may share one database.
#[derive(Clone, Debug)]
pub struct Miner {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) config: MinerConfig,
    pub(crate) deps: MinerDeps,
    pub(crate) store: Arc<dyn ReservationStore>,
    pub(crate) network: Arc<NetworkInfo>,
    /// Rounds of one instance do not overlap.
    rounds: Mutex<()>,
}

impl Inner {
    /// When an epoch begins, since the Unix epoch.
    pub(crate) fn time_of(&self, epoch: ChainEpoch) -> Duration {
        Duration::from_secs(self.network.timestamp_of(epoch))
    }

    pub(crate) fn proof_timeout(&self) -> Duration {
        // Half an epoch, but at least a second on networks with the shortest ones.
        let half = Duration::from_secs(self.network.block_delay_secs) / 2;
        self.config.proof_timeout.unwrap_or(half.max(Duration::from_secs(1)))
    }
}

impl Miner {
    /// Opens the database and learns about the network.
    ///
    /// # Errors
    /// [`MinerError::Config`] naming the setting, [`MinerError::Store`] if the database cannot be opened,
    /// [`MinerError::Chain`] if the node does not answer.
    pub async fn open(config: MinerConfig, deps: MinerDeps) -> Result<Self, MinerError> {
        let config = config.checked()?;
        let store: Arc<dyn ReservationStore> = match config.database.as_path() {
            path if path == Path::new(IN_MEMORY) => Arc::new(MemoryReservations::new()),
            path => Arc::new(SqliteReservations::open(path).await?),
        };
        Self::with_store(config, store, deps).await
    }

    /// As [`Miner::open`] with a store of the caller's; `config.database` is not looked at.
    ///
    /// # Errors
    /// As [`Miner::open`].
    pub async fn with_store(
        config: MinerConfig,
        store: Arc<dyn ReservationStore>,
        deps: MinerDeps,
    ) -> Result<Self, MinerError> {
        let config = config.checked()?;
        let network = deps.chain.network().await?;
        let inner = Inner { config, deps, store, network, rounds: Mutex::new(()) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Mines `epoch` on `base` for all miners: elections, one selection of messages, blocks. Returns once each
    /// block is published or has failed, which is not before the epoch's time; one miner's failure is in the report
    /// and stops no other. Calling it again for the same round completes what is not complete.
    ///
    /// Cancel safe: dropped anywhere, the round is [`Miner::unfinished_round`].
    ///
    /// # Errors
    /// [`MinerError::Chain`] for an unknown base, [`MinerError::Epoch`] if the epoch is not above it,
    /// [`MinerError::Store`] if the round cannot be stored.
    pub async fn mine_round(&self, epoch: ChainEpoch, base: &TipsetKey) -> Result<RoundReport, MinerError> {
        let base = self.inner.deps.chain.tipset(base).await?;
        self.round(epoch, base, Recheck::No).await
    }

    /// The round that was begun and did not come to its end, if the last one did not.
    ///
    /// # Errors
    /// [`MinerError::Store`].
    pub async fn unfinished_round(&self) -> Result<Option<(ChainEpoch, TipsetKey)>, MinerError> {
        let last = self.last_round().await?;
        Ok(last.filter(|round| !round.done).map(|round| (round.epoch, round.base)))
    }

    /// The last round that was begun.
    ///
    /// # Errors
    /// [`MinerError::Store`].
    pub async fn last_round(&self) -> Result<Option<Round>, MinerError> {
        Ok(self.inner.store.last_round().await?)
    }

    /// Counts over all rounds that the store knows.
    ///
    /// # Errors
    /// [`MinerError::Store`].
    pub async fn stats(&self) -> Result<MinerStats, MinerError> {
        Ok(self.inner.store.stats().await?)
    }

    /// Mines every epoch from now on, in the background, until the handle is shut down or dropped. Needs a tokio
    /// runtime.
    ///
    /// The base of an epoch is the head one propagation delay after the epoch before began. An epoch without
    /// winners is a null round, and the next one is tried on the same base. A chain that stands still for long is
    /// caught up with epoch by epoch, without waiting.
    pub fn start(&self) -> MinerHandle {
        runner::start(self.clone())
    }

    /// Closes the database. Rounds that are asked for later fail.
    pub async fn close(&self) {
        self.inner.store.close().await;
    }

    pub(crate) async fn round(
        &self,
        epoch: ChainEpoch,
        base: Arc<Tipset>,
        recheck: Recheck,
    ) -> Result<RoundReport, MinerError> {
        let _one_at_a_time = self.inner.rounds.lock().await;
        round::mine(&self.inner, epoch, base, recheck).await
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }
}

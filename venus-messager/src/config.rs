//! What a messager is made of.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fvm_shared::clock::ChainEpoch;
use venus_core::api::{
    ChainReader, GasEstimator, HeadFeed, ISigner, MessagePool, MessagerError, StateReader,
};
use venus_core::clock::{Clock, SystemClock};
use venus_core::entropy::{Entropy, OsEntropy};

/// Settings of a messager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessagerConfig {
    /// File of the SQLite database, created if missing (its folder is not), or `:memory:`. Default `:memory:`.
    pub database: PathBuf,
    /// Epochs after which a landing is taken as final and is not looked up again when the way of the head is lost.
    /// Default 900.
    pub finality: ChainEpoch,
    /// Longest wait for one answer of the node. Default 30 s.
    pub node_timeout: Duration,
    /// Longest wait for one signature. Default 30 s.
    pub sign_timeout: Duration,
    /// How often [`Messager::start`](crate::Messager::start) looks again without being told. Default 30 s.
    pub retry_interval: Duration,
    /// Senders that are served at the same time. Default 16.
    pub concurrency: usize,
    /// Most attempts of one message. Default 32.
    pub max_attempts: usize,
}

impl Default for MessagerConfig {
    fn default() -> Self {
        Self {
            database: PathBuf::from(Self::IN_MEMORY),
            finality: 900,
            node_timeout: Duration::from_secs(30),
            sign_timeout: Duration::from_secs(30),
            retry_interval: Duration::from_secs(30),
            concurrency: 16,
            max_attempts: 32,
        }
    }
}

impl MessagerConfig {
    /// The database that ends with the messager.
    pub const IN_MEMORY: &str = ":memory:";

    /// The defaults with this database.
    pub fn new(database: impl Into<PathBuf>) -> Self {
        Self { database: database.into(), ..Self::default() }
    }

    pub(crate) fn check(&self) -> Result<(), MessagerError> {
        let rules = [
            (self.finality < 0, "finality: must not be negative"),
            (self.node_timeout.is_zero(), "node_timeout: must not be zero"),
            (self.sign_timeout.is_zero(), "sign_timeout: must not be zero"),
            (self.retry_interval.is_zero(), "retry_interval: must not be zero"),
            (self.concurrency == 0, "concurrency: must not be zero"),
            (self.max_attempts == 0, "max_attempts: must not be zero"),
        ];
        match rules.into_iter().find(|(broken, _)| *broken) {
            Some((_, reason)) => Err(MessagerError::Invalid(reason.to_owned())),
            None => Ok(()),
        }
    }
}

/// The node and the signer that a messager works with. They may be one object or six.
#[derive(Clone)]
pub struct MessagerDeps {
    /// Messages and receipts.
    pub chain: Arc<dyn ChainReader>,
    /// Nonces, and searching for messages.
    pub state: Arc<dyn StateReader>,
    /// Moves of the head.
    pub heads: Arc<dyn HeadFeed>,
    /// Where signed messages go.
    pub pool: Arc<dyn MessagePool>,
    /// What messages cost.
    pub gas: Arc<dyn GasEstimator>,
    /// Who signs.
    pub signer: Arc<dyn ISigner>,
}

impl fmt::Debug for MessagerDeps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessagerDeps").finish_non_exhaustive()
    }
}

/// Where time and chance come from. Replace them to replay.
#[derive(Clone)]
pub struct Sources {
    /// Time of the retry tick and of fresh names. Default: the machine's clock.
    pub clock: Arc<dyn Clock>,
    /// Random part of fresh names. Default: the operating system.
    pub entropy: Arc<dyn Entropy>,
}

impl Default for Sources {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), entropy: Arc::new(OsEntropy) }
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").field("clock", &self.clock).finish_non_exhaustive()
    }
}

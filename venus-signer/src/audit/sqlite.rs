//! Records in SQLite.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinSet;
use uuid::fmt::Hyphenated;
use venus_core::clock::{Clock, SystemClock};
use venus_core::entropy::{Entropy, OsEntropy};
use venus_core::sqlite::{self, Durability};
use venus_core::types::{Address, Network, address};

use super::entry::NewRow;
use super::writer::{Entry, MAX_GROUP, Writer, Written};
use super::{AuditError, AuditEvent, AuditLog, AuditReader, schema};

/// Records that wait for the writer; whoever brings more waits itself.
const QUEUE: usize = 4 * MAX_GROUP;
/// Addresses whose texts are remembered.
const TEXTS: usize = 1024;
/// KiB that waiting records may take.
const QUEUE_KIB: usize = 32 << 10;

/// How records are kept.
#[derive(Clone)]
#[non_exhaustive]
pub struct AuditConfig {
    /// How long records are kept; a week otherwise.
    pub keep: Duration,
    /// Whether a record survives a power cut too, for which the disk is asked with every group of records. Otherwise
    /// it survives the end of the process, and a power cut may take the last ones.
    pub survives_power_cut: bool,
    /// The prefix of addresses.
    pub network: Network,
    /// Tells the time of records.
    pub clock: Arc<dyn Clock>,
    /// What the IDs of records are made of.
    pub entropy: Arc<dyn Entropy>,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            keep: Duration::from_secs(168 * 3600),
            survives_power_cut: false,
            network: Network::Mainnet,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
        }
    }
}

impl fmt::Debug for AuditConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut s = f.debug_struct("AuditConfig");
        s.field("keep", &self.keep).field("survives_power_cut", &self.survives_power_cut);
        s.field("network", &self.network).finish_non_exhaustive()
    }
}

/// An [`AuditLog`] in the table `sign_record` of a wallet's database. Records are written in groups by one task:
/// [`AuditLog::record`] returns when the group is committed, which is when nothing else is ready to be recorded, 2 ms
/// have passed, or 256 records wait. Clones share the task; several processes may write to one file.
#[derive(Clone)]
pub struct SqliteAudit {
    inner: Arc<Inner>,
}

struct Inner {
    queue: mpsc::Sender<Entry>,
    shares: Arc<Semaphore>,
    stop: Arc<Notify>,
    tasks: Mutex<JoinSet<()>>,
    reader: AuditReader,
    clock: Arc<dyn Clock>,
    network: Network,
    seed: [u8; 2],
    count: AtomicU64,
    /// A wallet signs with few keys, and the text of an address costs a checksum.
    texts: Mutex<HashMap<Address, Arc<str>>>,
}

impl SqliteAudit {
    /// Opens or creates the database, takes over a table that Go's wallet has made, removes what is too old, and
    /// starts the writer. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`AuditError`] if the file cannot be opened or is no such database, or there are no random bytes.
    pub async fn open(path: &Path, config: AuditConfig) -> Result<Self, AuditError> {
        let durability = if config.survives_power_cut { Durability::Full } else { Durability::Normal };
        let pool = sqlite::open(path, durability).await?;
        let now = config.clock.now();
        let oldest = nanoseconds(now.saturating_sub(config.keep));
        schema::adopt(&pool, nanoseconds(now), oldest).await?;
        while schema::purge_some(&pool, oldest).await? {}
        let (mut seed, mut first) = ([0; 2], [0; 8]);
        let random = |bytes: &mut [u8]| config.entropy.fill(bytes).map_err(|error| AuditError(error.into()));
        random(&mut seed)?;
        random(&mut first)?;
        let (queue, receiver) = mpsc::channel(QUEUE);
        let stop = Arc::new(Notify::new());
        let writer = Writer {
            pool,
            queue: receiver,
            stop: stop.clone(),
            clock: config.clock.clone(),
            keep: config.keep,
            connection: None,
            head: None,
            waiting: std::collections::VecDeque::new(),
        };
        let reader = AuditReader::open(path).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(writer.run());
        Ok(Self {
            inner: Arc::new(Inner {
                queue,
                shares: Arc::new(Semaphore::new(QUEUE_KIB)),
                stop,
                tasks: Mutex::new(tasks),
                reader,
                clock: config.clock,
                network: config.network,
                seed,
                count: AtomicU64::new(u64::from_be_bytes(first)),
                texts: Mutex::default(),
            }),
        })
    }

    /// Reads what is recorded.
    pub fn reader(&self) -> &AuditReader {
        &self.inner.reader
    }

    /// Takes no more records, writes those that wait, and ends the writer. Later records are errors.
    pub async fn shutdown(&self) {
        self.inner.stop.notify_one();
        let mut tasks = {
            let mut tasks = self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        while tasks.join_next().await.is_some() {}
    }
}

impl Inner {
    fn text(&self, address: &Address) -> Arc<str> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = texts.get(address) {
            return text.clone();
        }
        // Requests for keys that are not ours name any address.
        if texts.len() >= TEXTS {
            texts.clear();
        }
        texts.entry(*address).or_insert_with(|| address::format(address, self.network).into()).clone()
    }

    /// A UUIDv7: those of a time stand side by side in the index, which makes writing cheap.
    fn id(&self, now: Duration) -> [u8; Hyphenated::LENGTH] {
        // Counted on from a random beginning: no two are equal, and nobody has to be unable to guess the next.
        let count = self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut random = [0; 10];
        let (high, low) = random.split_at_mut(2);
        high.copy_from_slice(&self.seed);
        low.copy_from_slice(&count);
        let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        let mut text = [0; Hyphenated::LENGTH];
        id.hyphenated().encode_lower(&mut text);
        text
    }
}

impl fmt::Debug for SqliteAudit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteAudit").field("network", &self.inner.network).finish_non_exhaustive()
    }
}

/// Nanoseconds since 1970, until 2262.
pub(super) fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

impl AuditLog for SqliteAudit {
    /// By hand: what is awaited is small where the queue has room, and every signature would pay for the rest.
    fn record<'s, 'e, 'r, 'f>(
        &'s self,
        event: &'e AuditEvent<'r>,
    ) -> Pin<Box<dyn Future<Output = Result<(), AuditError>> + Send + 'f>>
    where
        's: 'f,
        'e: 'f,
        'r: 'f,
        Self: 'f,
    {
        let inner = &*self.inner;
        let now = inner.clock.now();
        let signer = inner.text(&event.request.signer);
        let row = NewRow::of(event, &inner.id(now), nanoseconds(now), signer);
        let kib = u32::try_from(row.size().div_ceil(1024).min(QUEUE_KIB)).unwrap_or(1);
        let room = inner.shares.clone().try_acquire_many_owned(kib).ok().zip(inner.queue.try_reserve().ok());
        match room {
            Some((share, place)) => {
                let (entry, written) = Entry::new(row, share);
                place.send(entry);
                Box::pin(outcome(written))
            }
            None => Box::pin(async move {
                let share = inner.shares.clone().acquire_many_owned(kib).await.map_err(|_| ended())?;
                let (entry, written) = Entry::new(row, share);
                inner.queue.send(entry).await.map_err(|_| ended())?;
                outcome(written).await
            }),
        }
    }
}

async fn outcome(written: Written) -> Result<(), AuditError> {
    match written.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(reason)) => Err(AuditError(reason.into())),
        Err(_) => Err(ended()),
    }
}

fn ended() -> AuditError {
    AuditError("the wallet is shutting down".into())
}

impl From<sqlx::Error> for AuditError {
    fn from(error: sqlx::Error) -> Self {
        Self(error.into())
    }
}

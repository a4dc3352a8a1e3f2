//! The one task that writes: records in groups, each in one transaction.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sqlx::error::BoxDynError;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteArguments, SqlitePool};
use sqlx::{Arguments, AssertSqlSafe, Sqlite, SqliteConnection};
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::Instant;
use venus_core::clock::Clock;

use super::chain::{Ends, link};
use super::entry::{self, NewRow};
use super::schema;
use super::sqlite::nanoseconds;

/// Records of a group.
pub(super) const MAX_GROUP: usize = 256;
/// How long a group may wait for more records while others make them.
const MAX_WAIT: Duration = Duration::from_millis(2);
/// Records that are worth a transaction: with so many the writer waits for no more, so that keys sign while it writes.
const ENOUGH: usize = 32;
/// Bytes of a group, about: more go into the next one.
const MAX_BYTES: usize = 8 << 20;
/// Between two purges, and after one that failed.
const PURGE_EVERY: Duration = Duration::from_secs(3600);
const PURGE_AGAIN: Duration = Duration::from_secs(60);
/// Records of a group are as many as the largest of these that wait, so that a group is one call to the database with
/// a statement that is prepared once. The others go into the next group.
/// Descending; small ones all, because a remainder that waits for the next group makes that small too.
static SIZES: LazyLock<Vec<usize>> =
    LazyLock::new(|| [MAX_GROUP, 192, 128, 96].into_iter().chain((1..=64).rev()).collect());

/// A record on its way.
pub(super) struct Entry {
    pub(super) row: NewRow,
    pub(super) content: [u8; 32],
    pub(super) done: oneshot::Sender<Result<(), String>>,
    /// Gives its share of the queue back when it is written.
    pub(super) share: OwnedSemaphorePermit,
}

/// Tells whoever waits for a record what became of it.
pub(super) type Written = oneshot::Receiver<Result<(), String>>;

impl Entry {
    /// A record with its share of the queue.
    pub(super) fn new(row: NewRow, share: OwnedSemaphorePermit) -> (Self, Written) {
        let (done, written) = oneshot::channel();
        (Self { content: row.content(), row, done, share }, written)
    }
}

pub(super) struct Writer {
    pub(super) pool: SqlitePool,
    pub(super) queue: mpsc::Receiver<Entry>,
    pub(super) stop: Arc<Notify>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) keep: Duration,
    /// Kept between groups: asking the pool costs two thread switches.
    pub(super) connection: Option<PoolConnection<Sqlite>>,
    /// Where the chain ended when we last looked.
    pub(super) head: Option<(i64, [u8; 32])>,
    /// Taken from the queue and not yet written.
    pub(super) waiting: VecDeque<Entry>,
}

impl Writer {
    /// Writes until told to stop, and then what is queued.
    pub(super) async fn run(mut self) {
        let mut purge_at = self.clock.now().saturating_add(PURGE_EVERY);
        let clock = self.clock.clone();
        let stop = self.stop.clone();
        loop {
            if !self.waiting.is_empty() {
                self.write_group().await;
            }
            if !self.waiting.is_empty() {
                continue;
            }
            tokio::select! {
                first = self.queue.recv() => match first {
                    Some(first) => self.waiting.push_back(first),
                    None => break,
                },
                () = stop.notified() => self.queue.close(),
                () = clock.sleep_until(purge_at) => purge_at = self.purge().await,
            }
        }
        self.connection = None;
    }

    async fn write_group(&mut self) {
        self.gather().await;
        let size = SIZES.iter().copied().find(|size| *size <= self.waiting.len()).unwrap_or_default();
        let mut waiting = std::mem::take(&mut self.waiting);
        let group = waiting.make_contiguous().get(..size).unwrap_or_default();
        let written = self.commit(group).await.map_err(|error| error.to_string());
        if let Err(error) = &written {
            metrics::counter!("venus_wallet_audit_failures_total").increment(1);
            tracing::error!(%error, records = size, "records could not be written; nothing of them is signed");
        }
        for entry in waiting.drain(..size) {
            drop(entry.share);
            // Nobody waits any more where the caller went away; the record is kept all the same.
            let _ = entry.done.send(written.clone());
        }
        self.waiting = waiting;
    }

    /// Takes what is queued. While others that are ready to run add to it, it waits for them: a turn of all that
    /// brings nothing ends the group.
    async fn gather(&mut self) {
        let mut bytes: usize = self.waiting.iter().map(|entry| entry.row.size()).sum();
        let until = Instant::now().checked_add(MAX_WAIT);
        loop {
            let before = self.waiting.len();
            while self.waiting.len() < MAX_GROUP && bytes < MAX_BYTES {
                let Ok(entry) = self.queue.try_recv() else { break };
                bytes = bytes.saturating_add(entry.row.size());
                self.waiting.push_back(entry);
            }
            let grew = self.waiting.len() > before;
            let enough = self.waiting.len() >= ENOUGH || bytes >= MAX_BYTES;
            if !grew || enough || until.is_none_or(|until| Instant::now() >= until) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn commit(&mut self, group: &[Entry]) -> Result<(), sqlx::Error> {
        let known = self.head.is_some();
        match self.try_commit(group).await {
            // Another process may have written since we looked.
            Err(_) if known => self.try_commit(group).await,
            done => done,
        }
    }

    async fn try_commit(&mut self, group: &[Entry]) -> Result<(), sqlx::Error> {
        let done = self.write(group).await;
        if done.is_err() {
            // Whatever state it is in: the next one is sound, and looks where the chain ends.
            if let Some(mut connection) = self.connection.take() {
                connection.close_on_drop();
            }
            self.head = None;
        }
        done
    }

    async fn write(&mut self, group: &[Entry]) -> Result<(), sqlx::Error> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.pool.acquire().await?),
        };
        let (head, locked) = match self.head {
            Some(head) => (head, false),
            None => {
                // Under the lock, so that nobody writes between this look and our records.
                sqlx::query("BEGIN IMMEDIATE").execute(&mut **connection).await?;
                (read_head(connection).await?, true)
            }
        };
        let hashes = chain(head, group);
        let end = last(head, &hashes);
        insert(connection, locked, (head, end), group, &hashes).await?;
        self.head = Some(end);
        Ok(())
    }

    /// Removes some of what is too old. Groups are written between the steps. Tells when to go on.
    async fn purge(&mut self) -> Duration {
        let now = self.clock.now();
        let oldest = nanoseconds(now.saturating_sub(self.keep));
        self.connection = None;
        match schema::purge_some(&self.pool, oldest).await {
            Ok(true) => now,
            Ok(false) => now.saturating_add(PURGE_EVERY),
            Err(error) => {
                tracing::warn!(%error, "old records could not be removed");
                now.saturating_add(PURGE_AGAIN)
            }
        }
    }
}

async fn read_head(db: &mut SqliteConnection) -> Result<(i64, [u8; 32]), sqlx::Error> {
    let ends = Ends::read(db).await?;
    ends.map(|ends| ends.head)
        .ok_or_else(|| sqlx::Error::Protocol("the chain of records is gone; restore the file".into()))
}

fn chain(head: (i64, [u8; 32]), group: &[Entry]) -> Vec<[u8; 32]> {
    let mut at = head;
    let next = |entry: &Entry| {
        at.0 = at.0.saturating_add(1);
        at.1 = link(&at.1, at.0, &entry.content);
        at.1
    };
    group.iter().map(next).collect()
}

fn last(head: (i64, [u8; 32]), hashes: &[[u8; 32]]) -> (i64, [u8; 32]) {
    let count = i64::try_from(hashes.len()).unwrap_or(i64::MAX);
    (head.0.saturating_add(count), hashes.last().copied().unwrap_or(head.1))
}

/// For each size of a group all of a transaction, and all behind its first statement. Whoever expects another end of the
/// chain than there is writes nothing: the end must not be null.
static STATEMENTS: LazyLock<Vec<(usize, [Arc<str>; 2])>> = LazyLock::new(|| {
    const MOVE: &str = "UPDATE sign_record_chain SET \
                        head_seq = CASE WHEN head_seq = ? AND head_hash = ? THEN ? END, head_hash = ? WHERE id = 1";
    let rest =
        |size: usize| format!("{MOVE}; {}{}); COMMIT", entry::INTO, vec![entry::VALUES; size].join(", "));
    let both = |size: usize| [format!("BEGIN IMMEDIATE; {}", rest(size)).into(), rest(size).into()];
    SIZES.iter().map(|size| (*size, both(*size))).collect()
});

async fn insert(
    db: &mut SqliteConnection,
    locked: bool,
    (from, to): ((i64, [u8; 32]), (i64, [u8; 32])),
    group: &[Entry],
    hashes: &[[u8; 32]],
) -> Result<(), sqlx::Error> {
    let statements = STATEMENTS.iter().find(|(size, _)| *size == group.len());
    let statement = statements.map(|(_, [whole, rest])| if locked { rest } else { whole });
    let Some(statement) = statement.cloned() else {
        return Err(sqlx::Error::Protocol(format!("no statement for {} records", group.len())));
    };
    let arguments = arguments((from, to), group, hashes).map_err(sqlx::Error::Encode)?;
    sqlx::query_with(AssertSqlSafe(statement), arguments).execute(db).await.map(drop)
}

fn arguments(
    (from, to): ((i64, [u8; 32]), (i64, [u8; 32])),
    group: &[Entry],
    hashes: &[[u8; 32]],
) -> Result<SqliteArguments, BoxDynError> {
    let mut arguments = SqliteArguments::default();
    // At once: a group has hundreds.
    arguments.reserve(group.len().saturating_mul(entry::WIDTH).saturating_add(4), 0);
    arguments.add(from.0)?;
    arguments.add(from.1.to_vec())?;
    arguments.add(to.0)?;
    arguments.add(to.1.to_vec())?;
    let mut seq = from.0;
    for (entry, hash) in group.iter().zip(hashes) {
        seq = seq.saturating_add(1);
        entry.row.arguments(&mut arguments, seq, hash)?;
    }
    Ok(arguments)
}

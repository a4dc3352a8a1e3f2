//! The one task that writes: records in groups, each in one transaction.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqlitePool;
use sqlx::{AssertSqlSafe, Connection, Sqlite, SqliteConnection};
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::Instant;
use venus_core::clock::Clock;

use super::chain::{Ends, link};
use super::row::Row;
use super::schema;
use super::sqlite::nanoseconds;

/// Records of a group.
pub(super) const MAX_GROUP: usize = 256;
/// How long a group may wait for more records while others make them.
const MAX_WAIT: Duration = Duration::from_millis(2);
/// Bytes of a group, about: more go into the next one.
const MAX_BYTES: usize = 8 << 20;
/// Between two purges, and after one that failed.
const PURGE_EVERY: Duration = Duration::from_secs(3600);
const PURGE_AGAIN: Duration = Duration::from_secs(60);
/// Rows of one statement. A group takes the largest that fit, so that few statements are prepared, and once.
const SIZES: [usize; 7] = [64, 32, 16, 8, 4, 2, 1];

/// A record on its way.
pub(super) struct Entry {
    pub(super) row: Row,
    pub(super) content: [u8; 32],
    pub(super) done: oneshot::Sender<Result<(), String>>,
    /// Gives its share of the queue back when it is written.
    pub(super) share: OwnedSemaphorePermit,
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
}

impl Writer {
    /// Writes until told to stop, and then what is queued.
    pub(super) async fn run(mut self) {
        let mut purge_at = self.clock.now().saturating_add(PURGE_EVERY);
        let clock = self.clock.clone();
        let stop = self.stop.clone();
        loop {
            tokio::select! {
                first = self.queue.recv() => match first {
                    Some(first) => self.write_group(first).await,
                    None => break,
                },
                () = stop.notified() => self.queue.close(),
                () = clock.sleep_until(purge_at) => purge_at = self.purge().await,
            }
        }
        self.connection = None;
    }

    async fn write_group(&mut self, first: Entry) {
        let mut group = self.gather(first).await;
        let written = self.commit(&mut group).await;
        if written.is_err() {
            // Whatever state it is in: the next group gets a sound one, and looks where the chain ends.
            if let Some(mut connection) = self.connection.take() {
                connection.close_on_drop();
            }
            self.head = None;
        }
        let written = written.map_err(|error| error.to_string());
        if let Err(error) = &written {
            metrics::counter!("venus_wallet_audit_failures_total").increment(1);
            tracing::error!(%error, records = group.len(), "records could not be written; nothing of them is signed");
        }
        for entry in group {
            drop(entry.share);
            // Nobody waits any more where the caller went away; the record is kept all the same.
            let _ = entry.done.send(written.clone());
        }
    }

    /// Takes what is queued. While others that are ready to run add to it, it waits for them: a turn of all that
    /// brings nothing ends the group.
    async fn gather(&mut self, first: Entry) -> Vec<Entry> {
        let mut bytes = first.row.size();
        let mut group = Vec::with_capacity(64);
        group.push(first);
        let until = Instant::now().checked_add(MAX_WAIT);
        loop {
            let before = group.len();
            while group.len() < MAX_GROUP && bytes < MAX_BYTES {
                let Ok(entry) = self.queue.try_recv() else { break };
                bytes = bytes.saturating_add(entry.row.size());
                group.push(entry);
            }
            let grew = group.len() > before;
            let full = group.len() >= MAX_GROUP || bytes >= MAX_BYTES;
            if !grew || full || until.is_none_or(|until| Instant::now() >= until) {
                return group;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn commit(&mut self, group: &mut [Entry]) -> Result<(), sqlx::Error> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.pool.acquire().await?),
        };
        let mut head = match self.head {
            Some(head) => head,
            None => read_head(connection).await?,
        };
        let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
        let mut hashes = chain(head, group);
        if !move_head(&mut tx, head, last(head, &hashes)).await? {
            // Another process has written.
            head = read_head(&mut tx).await?;
            hashes = chain(head, group);
            if !move_head(&mut tx, head, last(head, &hashes)).await? {
                return Err(sqlx::Error::Protocol("the chain of records has no end; restore the file".into()));
            }
        }
        insert(&mut tx, head.0, group, &hashes).await?;
        tx.commit().await?;
        self.head = Some(last(head, &hashes));
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

/// False if the chain does not end at `from`.
async fn move_head(
    db: &mut SqliteConnection,
    from: (i64, [u8; 32]),
    to: (i64, [u8; 32]),
) -> Result<bool, sqlx::Error> {
    let update = "UPDATE sign_record_chain SET head_seq = ?, head_hash = ? \
                  WHERE id = 1 AND head_seq = ? AND head_hash = ?";
    let query = sqlx::query(update).bind(to.0).bind(to.1.to_vec()).bind(from.0).bind(from.1.to_vec());
    Ok(query.execute(db).await?.rows_affected() == 1)
}

static STATEMENTS: LazyLock<Vec<(usize, Arc<str>)>> = LazyLock::new(|| {
    const ROW: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    const INTO: &str = "INSERT INTO sign_record (seq, hash, id, created_at, type, signer, err, raw_msg, \
                        signature_type, signature_data, created_ns, outcome, denied_by, caller, cid) VALUES ";
    SIZES.iter().map(|size| (*size, format!("{INTO}{}", vec![ROW; *size].join(", ")).into())).collect()
});

async fn insert(
    db: &mut SqliteConnection,
    mut seq: i64,
    group: &mut [Entry],
    hashes: &[[u8; 32]],
) -> Result<(), sqlx::Error> {
    let mut rows = group.iter_mut().zip(hashes);
    for (size, statement) in STATEMENTS.iter() {
        while rows.len() >= *size {
            let mut query = sqlx::query(AssertSqlSafe(statement.clone()));
            for (entry, hash) in rows.by_ref().take(*size) {
                seq = seq.saturating_add(1);
                // A group is written once; nobody reads its rows afterwards.
                let row = &mut entry.row;
                query = query
                    .bind(seq)
                    .bind(hash.to_vec())
                    .bind(std::mem::take(&mut row.id))
                    .bind(std::mem::take(&mut row.created_at))
                    .bind(std::mem::take(&mut row.msg_type))
                    .bind(std::mem::take(&mut row.signer))
                    .bind(row.err.take())
                    .bind(row.raw_msg.take())
                    .bind(row.signature_type)
                    .bind(row.signature_data.take())
                    .bind(row.created_ns)
                    .bind(row.outcome.take())
                    .bind(row.denied_by.take())
                    .bind(row.caller.take())
                    .bind(row.cid.take());
            }
            query.execute(&mut *db).await?;
        }
    }
    Ok(())
}

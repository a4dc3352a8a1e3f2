//! The store on SQLite: WAL, every commit synced to disk, one writer and several readers.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqliteRow, SqliteSynchronous,
};
use sqlx::{ConnectOptions, QueryBuilder, Row, Sqlite, Transaction};
use venus_core::api::Attempt;
use venus_core::cbor::Encode;
use venus_core::sqlite::{self, Durability};
use venus_core::types::{SignedMessage, TipsetKey};

use super::memory::text;
use super::rows::{
    UsedColumns, backend, cut, read_address, read_attempt, read_cursor, read_message, to_i64, to_u64,
};
use super::{
    Cursor, Filling, Inserted, MessageStore, Move, NewMessage, Seq, StoreError, StoredMessage, Swap,
};
use crate::state::RowState;

/// Each crate keeps its own list, so that several can share a database.
const MIGRATION_TABLE: &str = "_venus_messager_migrations";
/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Reading connections to a file.
const READERS: u32 = 4;
/// Bound parameters of one query. SQLite takes 32766, others less.
const MAX_IN: usize = 500;

macro_rules! messages_where {
    ($rest:literal) => {
        concat!(
            "SELECT seq, id, state, sender, request, max_fee, over_estimation, over_premium, expires_at, ",
            "nonce, used_cid, used_tipset, used_height, receipt, error FROM message WHERE ",
            $rest
        )
    };
}

/// A [`MessageStore`] in a SQLite database.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    // SQLite lets one connection write at a time. A queue here beats its busy handler, which sleeps and retries.
    writer: SqlitePool,
    reader: SqlitePool,
}

impl SqliteStore {
    /// Opens or creates the database file, for its owner only, and brings its schema up to date. A missing folder is
    /// made.
    ///
    /// # Errors
    /// [`StoreError::Backend`] if the file cannot be opened, is no database, or has a schema of a newer program. The
    /// text names the file.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let writer = sqlite::open(path, Durability::Full).await.map_err(backend)?;
        migrate(&writer).await?;
        let reader = sqlite::open_readers(path).await.map_err(backend)?;
        Ok(Self { writer, reader })
    }

    /// Opens a database as told. Journal mode, syncing, foreign keys and the busy timeout are set here.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn with_options(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL may lose the last commits at a power cut, and with them a signature that is out already.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            // Hundreds of lines a message would drown what this crate logs itself.
            .disable_statement_logging();
        let writer = sqlite::connect(options.clone(), 1).await.map_err(backend)?;
        migrate(&writer).await?;
        let reader = sqlite::connect(options, READERS).await.map_err(backend)?;
        Ok(Self { writer, reader })
    }

    /// A database in memory, which ends with the store.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn in_memory() -> Result<Self, StoreError> {
        let writer = sqlite::in_memory().await.map_err(backend)?;
        migrate(&writer).await?;
        Ok(Self { reader: writer.clone(), writer })
    }

    #[cfg(test)]
    pub(super) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    /// A connection to read with. No transaction: attempts are only ever added, so those read after their message are
    /// at least what it had.
    async fn read(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.reader.acquire().await.map_err(backend)
    }

    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        // Taking the lock at once: a transaction that reads first and writes later can fail as busy in the middle.
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(backend)
    }
}

async fn migrate(pool: &SqlitePool) -> Result<(), StoreError> {
    let first = include_str!("../../migrations/sqlite/0001_first.sql");
    let done = sqlite::migrate(pool, MIGRATION_TABLE, &[(1, "first", first)]).await;
    done.map_err(StoreError::Backend)
}

/// Reads messages and adds their attempts.
async fn load(db: &mut SqliteConnection, rows: Vec<SqliteRow>) -> Result<Vec<StoredMessage>, StoreError> {
    let mut messages = rows.iter().map(read_message).collect::<Result<Vec<_>, _>>()?;
    let signed: Vec<Seq> = messages.iter().filter(|m| m.nonce.is_some()).map(|m| m.seq).collect();
    let mut attempts: HashMap<Seq, Vec<Attempt>> = HashMap::with_capacity(signed.len());
    for chunk in signed.chunks(MAX_IN) {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT seq, cid, signed FROM attempt WHERE seq IN (");
        let mut list = query.separated(", ");
        for seq in chunk {
            list.push_bind(*seq);
        }
        query.push(") ORDER BY seq, number");
        for row in query.build().fetch_all(&mut *db).await.map_err(backend)? {
            let (seq, attempt) = read_attempt(&row)?;
            attempts.entry(seq).or_default().push(attempt);
        }
    }
    for message in &mut messages {
        message.attempts = attempts.remove(&message.seq).unwrap_or_default();
    }
    Ok(messages)
}

async fn find(db: &mut SqliteConnection, id: &str) -> Result<Option<StoredMessage>, StoreError> {
    let query = sqlx::query(messages_where!("id = ?")).bind(id);
    let rows = query.fetch_all(&mut *db).await.map_err(backend)?;
    Ok(load(db, rows).await?.pop())
}

async fn insert_attempt(
    db: &mut SqliteConnection,
    seq: Seq,
    number: usize,
    signed: &SignedMessage,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO attempt (seq, number, cid, signed) VALUES (?, ?, ?, ?)")
        .bind(seq)
        .bind(to_i64(number as u64)?)
        .bind(signed.cid().to_string())
        .bind(signed.to_cbor())
        .execute(db)
        .await
        .map_err(backend)?;
    Ok(())
}

async fn move_next_nonce(
    db: &mut SqliteConnection,
    sender: &Address,
    from: i64,
    to: i64,
) -> Result<bool, StoreError> {
    let query = sqlx::query("UPDATE sender SET next_nonce = ? WHERE address = ? AND next_nonce = ?");
    let query = query.bind(to).bind(text(sender)).bind(from);
    Ok(query.execute(db).await.map_err(backend)?.rows_affected() == 1)
}

async fn set_nonce(db: &mut SqliteConnection, seq: Seq, nonce: i64) -> Result<bool, StoreError> {
    let query = sqlx::query(
        "UPDATE message SET state = 'filled', nonce = ?, error = NULL WHERE seq = ? AND state = 'unfilled'",
    );
    let query = query.bind(nonce).bind(seq);
    Ok(query.execute(db).await.map_err(backend)?.rows_affected() == 1)
}

async fn move_row(db: &mut SqliteConnection, step: &Move) -> Result<bool, StoreError> {
    let used = UsedColumns::of(step.used.as_ref());
    let done = sqlx::query(
        "UPDATE message SET state = ?, used_cid = ?, used_key = ?, used_tipset = ?, used_height = ?, receipt = ?, \
         error = ? WHERE seq = ? AND state = ?",
    )
    .bind(step.to.as_str())
    .bind(used.cid)
    .bind(used.key)
    .bind(used.tipset)
    .bind(used.height)
    .bind(used.receipt)
    .bind(cut(step.error.as_deref()))
    .bind(step.seq)
    .bind(step.from.as_str())
    .execute(db)
    .await
    .map_err(backend)?;
    Ok(done.rows_affected() == 1)
}

/// Puts the cursor to `to` if it stands at `from`.
async fn move_cursor(
    db: &mut SqliteConnection,
    from: Option<&Cursor>,
    to: &Cursor,
) -> Result<bool, StoreError> {
    let query = match from {
        None => sqlx::query(
            "INSERT INTO head (tipset, tipset_key, height, id) SELECT ?, ?, ?, 1 \
             WHERE NOT EXISTS (SELECT 1 FROM head)",
        ),
        Some(_) => sqlx::query(
            "UPDATE head SET tipset = ?, tipset_key = ?, height = ? WHERE id = 1 AND tipset_key = ?",
        ),
    };
    let mut query = query.bind(to.tipset.to_cbor()).bind(to.tipset.cid().to_string()).bind(to.height);
    if let Some(from) = from {
        query = query.bind(from.tipset.cid().to_string());
    }
    Ok(query.execute(db).await.map_err(backend)?.rows_affected() == 1)
}

async fn insert_message(db: &mut SqliteConnection, new: &NewMessage) -> Result<Seq, StoreError> {
    let gas = &new.request.spec.gas;
    let done = sqlx::query(
        "INSERT INTO message (id, state, sender, request, max_fee, over_estimation, over_premium, expires_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&new.id)
    .bind(RowState::Unfilled.as_str())
    .bind(text(&new.sender))
    .bind(new.request.message.to_cbor())
    .bind(gas.max_fee.atto().to_string())
    .bind(gas.over_estimation)
    .bind(gas.over_premium)
    .bind(new.request.spec.expires_at)
    .execute(&mut *db)
    .await
    .map_err(backend)?;
    sqlx::query(
        "INSERT INTO sender (address, next_nonce) SELECT ?, 0 \
         WHERE NOT EXISTS (SELECT 1 FROM sender WHERE address = ?)",
    )
    .bind(text(&new.sender))
    .bind(text(&new.sender))
    .execute(db)
    .await
    .map_err(backend)?;
    Ok(done.last_insert_rowid())
}

fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Commits what was all found as expected; everything else is rolled back when `tx` drops.
async fn settle(tx: Transaction<'_, Sqlite>, found: bool) -> Result<Swap, StoreError> {
    if found {
        tx.commit().await.map_err(backend)?;
        return Ok(Swap::Done);
    }
    tx.rollback().await.map_err(backend)?;
    Ok(Swap::Stale)
}

#[async_trait]
impl MessageStore for SqliteStore {
    async fn insert(&self, new: &NewMessage) -> Result<Inserted, StoreError> {
        let mut tx = self.write().await?;
        if let Some(known) = find(&mut tx, &new.id).await? {
            return Ok(Inserted::Known(Box::new(known)));
        }
        let seq = insert_message(&mut tx, new).await?;
        tx.commit().await.map_err(backend)?;
        Ok(Inserted::Fresh(seq))
    }

    async fn get(&self, id: &str) -> Result<Option<StoredMessage>, StoreError> {
        find(&mut *self.read().await?, id).await
    }

    async fn unfilled(
        &self,
        sender: &Address,
        after: Seq,
        fresh: bool,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let mut db = self.read().await?;
        let query = sqlx::query(messages_where!(
            "state = 'unfilled' AND sender = ? AND seq > ? AND (error IS NULL OR ? = 0) ORDER BY seq LIMIT ?"
        ));
        let query = query.bind(text(sender)).bind(after).bind(i64::from(fresh)).bind(limit_of(limit));
        let rows = query.fetch_all(&mut *db).await.map_err(backend)?;
        load(&mut db, rows).await
    }

    async fn filled(
        &self,
        sender: &Address,
        from: u64,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let mut db = self.read().await?;
        let query = sqlx::query(messages_where!(
            "state = 'filled' AND sender = ? AND nonce >= ? ORDER BY nonce LIMIT ?"
        ));
        let query = query.bind(text(sender)).bind(to_i64(from)?).bind(limit_of(limit));
        let rows = query.fetch_all(&mut *db).await.map_err(backend)?;
        load(&mut db, rows).await
    }

    async fn with_nonces(
        &self,
        sender: &Address,
        low: u64,
        high: u64,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        // Nonces of others' messages may be anything; ours fit the column.
        let clamp = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let mut db = self.read().await?;
        let query = sqlx::query(messages_where!("sender = ? AND nonce BETWEEN ? AND ? ORDER BY nonce"));
        let query = query.bind(text(sender)).bind(clamp(low)).bind(clamp(high));
        let rows = query.fetch_all(&mut *db).await.map_err(backend)?;
        load(&mut db, rows).await
    }

    async fn used_in(&self, tipset: &TipsetKey) -> Result<Vec<StoredMessage>, StoreError> {
        let mut db = self.read().await?;
        let query = sqlx::query(messages_where!("used_key = ? ORDER BY seq")).bind(tipset.cid().to_string());
        let rows = query.fetch_all(&mut *db).await.map_err(backend)?;
        load(&mut db, rows).await
    }

    async fn unsettled(
        &self,
        floor: ChainEpoch,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let mut db = self.read().await?;
        let query = sqlx::query(messages_where!(
            "(state = 'filled' OR used_height > ?) AND seq > ? ORDER BY seq LIMIT ?"
        ));
        let query = query.bind(floor).bind(after).bind(limit_of(limit));
        let rows = query.fetch_all(&mut *db).await.map_err(backend)?;
        load(&mut db, rows).await
    }

    async fn senders(&self, state: Option<RowState>) -> Result<Vec<Address>, StoreError> {
        let query = match state {
            None => sqlx::query("SELECT address FROM sender ORDER BY address"),
            Some(state) => sqlx::query("SELECT DISTINCT sender FROM message WHERE state = ? ORDER BY sender")
                .bind(state.as_str()),
        };
        let rows = query.fetch_all(&self.reader).await.map_err(backend)?;
        rows.iter().map(|row| read_address(row.try_get(0).map_err(backend)?)).collect()
    }

    async fn next_nonce(&self, sender: &Address) -> Result<u64, StoreError> {
        let query = sqlx::query_scalar::<_, i64>("SELECT next_nonce FROM sender WHERE address = ?");
        let next = query.bind(text(sender)).fetch_optional(&self.reader).await.map_err(backend)?;
        to_u64(next.unwrap_or_default())
    }

    async fn fill(&self, filling: &Filling<'_>) -> Result<Swap, StoreError> {
        let nonce = to_i64(filling.signed.message.sequence)?;
        let expected = to_i64(filling.expected_next)?;
        let mut tx = self.write().await?;
        let found = nonce >= expected
            && move_next_nonce(&mut tx, filling.sender, expected, nonce.saturating_add(1)).await?
            && set_nonce(&mut tx, filling.seq, nonce).await?;
        if found {
            insert_attempt(&mut tx, filling.seq, 0, filling.signed).await?;
        }
        settle(tx, found).await
    }

    async fn add_attempt(
        &self,
        seq: Seq,
        existing: usize,
        signed: &SignedMessage,
    ) -> Result<Swap, StoreError> {
        let mut tx = self.write().await?;
        let count = sqlx::query_scalar::<_, i64>(
            "SELECT COUNT(*) FROM attempt a JOIN message m ON m.seq = a.seq WHERE m.seq = ? AND m.state = 'filled'",
        );
        let count = count.bind(seq).fetch_one(&mut *tx).await.map_err(backend)?;
        let found = count > 0 && usize::try_from(count).is_ok_and(|count| count == existing);
        if found {
            insert_attempt(&mut tx, seq, existing, signed).await?;
        }
        settle(tx, found).await
    }

    async fn set_state(
        &self,
        seq: Seq,
        from: RowState,
        to: RowState,
        error: Option<&str>,
    ) -> Result<Swap, StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query("UPDATE message SET state = ?, error = ? WHERE seq = ? AND state = ?")
            .bind(to.as_str())
            .bind(cut(error))
            .bind(seq)
            .bind(from.as_str())
            .execute(&mut *tx)
            .await
            .map_err(backend)?;
        settle(tx, done.rows_affected() == 1).await
    }

    async fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        let query = sqlx::query("SELECT tipset, height FROM head WHERE id = 1");
        let row = query.fetch_optional(&self.reader).await.map_err(backend)?;
        row.as_ref().map(read_cursor).transpose()
    }

    async fn advance(&self, from: Option<&Cursor>, to: &Cursor, moves: &[Move]) -> Result<Swap, StoreError> {
        let mut tx = self.write().await?;
        let mut found = move_cursor(&mut tx, from, to).await?;
        for step in moves {
            found = found && move_row(&mut tx, step).await?;
        }
        settle(tx, found).await
    }

    async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

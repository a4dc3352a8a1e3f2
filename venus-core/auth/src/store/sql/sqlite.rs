//! SQLite: WAL, every commit synced to disk, one writer and several readers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqlSafeStr};
use venus_core::error::BoxError;

use super::db::Db;
use super::{ACQUIRE_TIMEOUT, MIGRATION_TABLE, SqlStore, backend};
use crate::store::StoreError;

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Reading connections to a file.
const READERS: u32 = 4;

impl SqlStore {
    /// Opens or creates a SQLite database file, which only its owner can read when it is new, and brings its schema up
    /// to date. Its folder must exist.
    ///
    /// # Errors
    /// [`StoreError::Backend`] if the file cannot be opened, is no database, or has a schema of a newer program. The
    /// text names the file.
    pub async fn sqlite(path: &Path) -> Result<Self, StoreError> {
        let named = |e: BoxError| StoreError::Backend(OpenError { path: path.into(), source: e }.into());
        private(path).map_err(|e| named(e.into()))?;
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        Self::sqlite_with(options).await.map_err(|e| match e {
            StoreError::Backend(source) => named(source),
            other => other,
        })
    }

    /// Opens a SQLite database as told. Journal mode, syncing and the busy timeout are set here.
    ///
    /// # Errors
    /// As [`SqlStore::sqlite`].
    pub async fn sqlite_with(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL may lose the last commits at a power cut, and with them that a token was revoked.
            .synchronous(SqliteSynchronous::Full)
            // A token that was hashed must not be left in a free page.
            .pragma("secure_delete", "ON")
            .busy_timeout(BUSY_TIMEOUT)
            .disable_statement_logging();
        let writer = sound(one_connection()).connect_with(options.clone()).await.map_err(backend)?;
        migrate(&writer).await?;
        let readers = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(ACQUIRE_TIMEOUT);
        let reader = sound(readers).connect_with(options).await.map_err(backend)?;
        Self::ready(Db::Sqlite { writer, reader }).await
    }

    /// A SQLite database in memory, which ends with the store.
    ///
    /// # Errors
    /// As [`SqlStore::sqlite`].
    pub async fn sqlite_in_memory() -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new().in_memory(true).disable_statement_logging();
        let writer = one_connection().connect_with(options).await.map_err(backend)?;
        migrate(&writer).await?;
        Self::ready(Db::Sqlite { reader: writer.clone(), writer }).await
    }
}

/// SQLite does not say which file it failed to open.
#[derive(Debug, thiserror::Error)]
#[error("cannot open database {path}: {source}")]
struct OpenError {
    path: PathBuf,
    source: BoxError,
}

/// Creates the file for its owner only. SQLite gives its companions the same mode.
fn private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

fn one_connection() -> SqlitePoolOptions {
    // A connection that is never recycled: a database in memory lives as long as it.
    SqlitePoolOptions::new().min_connections(1).max_connections(1).idle_timeout(None).max_lifetime(None)
}

/// Replaces connections that sqlx takes to be in a transaction for ever: SQLite ends one by itself when the disk is
/// full or fails, and the rollback of sqlx then finds none. The ping that goes before this check must stay: it waits
/// for rollbacks that are still queued. Not for a database in memory, which would be lost.
fn sound(options: SqlitePoolOptions) -> SqlitePoolOptions {
    options.before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
}

async fn migrate(pool: &SqlitePool) -> Result<(), StoreError> {
    let first = include_str!("../../../migrations/sqlite/0001_first.sql").into_sql_str();
    let migrations = vec![Migration::new(1, "first".into(), MigrationType::Simple, first, false)];
    let mut migrator = Migrator::with_migrations(migrations);
    migrator.dangerous_set_table_name(MIGRATION_TABLE);
    migrator.run(pool).await.map_err(|e| StoreError::Backend(e.into()))
}

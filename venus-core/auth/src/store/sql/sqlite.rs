//! SQLite: WAL, every commit synced to disk, one writer and several readers.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};
use venus_core::sqlite::{self, Durability};

use super::db::Db;
use super::{MIGRATION_TABLE, SqlStore, backend};
use crate::store::StoreError;

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Reading connections to a file.
const READERS: u32 = 4;

impl SqlStore {
    /// Opens or creates a SQLite database file, which only its owner can read, and brings its schema up to date. A
    /// missing folder is made.
    ///
    /// # Errors
    /// [`StoreError::Backend`] if the file cannot be opened, is no database, or has a schema of a newer program. The
    /// text names the file.
    pub async fn sqlite(path: &Path) -> Result<Self, StoreError> {
        let writer = sqlite::open(path, Durability::Full).await.map_err(backend)?;
        migrate(&writer).await?;
        let reader = sqlite::open_readers(path).await.map_err(backend)?;
        Self::ready(Db::Sqlite { writer, reader }).await
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
        let writer = sqlite::connect(options.clone(), 1).await.map_err(backend)?;
        migrate(&writer).await?;
        let reader = sqlite::connect(options, READERS).await.map_err(backend)?;
        Self::ready(Db::Sqlite { writer, reader }).await
    }

    /// A SQLite database in memory, which ends with the store.
    ///
    /// # Errors
    /// As [`SqlStore::sqlite`].
    pub async fn sqlite_in_memory() -> Result<Self, StoreError> {
        let writer = sqlite::in_memory().await.map_err(backend)?;
        migrate(&writer).await?;
        Self::ready(Db::Sqlite { reader: writer.clone(), writer }).await
    }
}

async fn migrate(pool: &SqlitePool) -> Result<(), StoreError> {
    let first = include_str!("../../../migrations/sqlite/0001_first.sql");
    let done = sqlite::migrate(pool, MIGRATION_TABLE, &[(1, "first", first)]).await;
    done.map_err(StoreError::Backend)
}

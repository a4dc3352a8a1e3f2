//! Keys in SQLite, in the table that venus-wallet has: each of the two programs opens what the other wrote.

mod blob;

use std::path::Path;

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection, SqlitePool, Transaction};
use time::OffsetDateTime;
use venus_core::error::BoxError;
use venus_core::sqlite::{self, Durability};
use venus_core::types::Address;

use self::blob::MAX_ROW;
use super::{KeyStore, SealedKey, address_text, read_address};
use crate::error::WalletError;

/// Each part of the wallet keeps its own list, since they share a file.
const MIGRATION_TABLE: &str = "_venus_signer_wallets_migrations";
/// What the table must have to be venus-wallet's.
const COLUMNS: [&str; 6] = ["id", "created_at", "updated_at", "deleted_at", "address", "private_key"];

/// A [`KeyStore`] in the `wallets` table of a SQLite database (`keystore.sqlit`).
///
/// Every commit is on disk before it is confirmed, and what is deleted is overwritten. Rows that venus-wallet marked as
/// deleted stay as they are and are not keys any more; addresses with the character of a network, as old versions wrote
/// them, are rewritten without it.
#[derive(Clone, Debug)]
pub struct SqliteKeyStore {
    pool: SqlitePool,
}

impl SqliteKeyStore {
    /// Opens or creates a database. The file is of mode 0600 afterwards, a folder made for it 0700.
    ///
    /// # Errors
    /// [`WalletError::Store`], naming the file: it is no database, cut off, has another table of this name, or was
    /// written by a newer program. The keys in it are as they were.
    pub async fn open(path: &Path) -> Result<Self, WalletError> {
        let pool = sqlite::open(path, Durability::Full).await.map_err(store)?;
        Self::adopt(pool.clone(), &path.display().to_string()).await.inspect_err(|_| drop(pool))
    }

    /// A database in memory, which ends with the store.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn in_memory() -> Result<Self, WalletError> {
        Self::adopt(sqlite::in_memory().await.map_err(store)?, ":memory:").await
    }

    /// Waits for what is being written, and lets go of the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn adopt(pool: SqlitePool, name: &str) -> Result<Self, WalletError> {
        let prepared = async {
            check_table(&pool).await?;
            migrate(&pool).await?;
            rewrite_addresses(&pool).await
        };
        if let Err(source) = prepared.await {
            pool.close().await;
            return Err(WalletError::Store(format!("{name}: {source}").into()));
        }
        Ok(Self { pool })
    }

    async fn write(&self) -> Result<Transaction<'static, sqlx::Sqlite>, WalletError> {
        // Taking the lock at once: a transaction that reads first and writes later can fail as busy in the middle.
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(store)
    }
}

fn store(error: impl Into<BoxError>) -> WalletError {
    WalletError::Store(error.into())
}

/// Looks at a table of the same name before anything is written.
async fn check_table(pool: &SqlitePool) -> Result<(), BoxError> {
    let columns: Vec<String> =
        sqlx::query_scalar("SELECT name FROM pragma_table_info('wallets')").fetch_all(pool).await?;
    match COLUMNS.into_iter().find(|wanted| !columns.iter().any(|column| column == wanted)) {
        Some(missing) if !columns.is_empty() => Err(format!(
            "its table wallets has no column {missing}, so it is no keystore; choose another path"
        )
        .into()),
        Some(_) => refuse_foreign(pool).await,
        None => Ok(()),
    }
}

/// A database of another program stays that program's: it has tables, and none that a wallet makes.
async fn refuse_foreign(pool: &SqlitePool) -> Result<(), BoxError> {
    let query = "SELECT COUNT(*), COUNT(CASE WHEN name IN ('sign_record', 'keyBind', 'groupAuth') \
                 OR name LIKE '\\_venus\\_%' ESCAPE '\\' THEN 1 END) FROM sqlite_master WHERE type = 'table'";
    let (tables, ours): (i64, i64) = sqlx::query_as(query).fetch_one(pool).await?;
    if tables > 0 && ours == 0 {
        return Err("it is the database of another program, without keys; choose another path".into());
    }
    Ok(())
}

async fn migrate(pool: &SqlitePool) -> Result<(), BoxError> {
    let first = include_str!("../../migrations/sqlite/wallets/0001_first.sql");
    sqlite::migrate(pool, MIGRATION_TABLE, &[(1, "first", first)]).await
}

/// Not a migration: an old program may write such rows again. Where both forms stand, the old one stays and is read
/// too; its key is the same.
async fn rewrite_addresses(pool: &SqlitePool) -> Result<(), BoxError> {
    let query =
        "UPDATE OR IGNORE wallets SET address = substr(address, 2) WHERE substr(address, 1, 1) IN ('f', 't')";
    let done = sqlx::query(query).execute(pool).await?.rows_affected();
    if done > 0 {
        tracing::info!(rows = done, "addresses of an old keystore were rewritten");
    }
    Ok(())
}

/// The text of the times that gorm writes: `2006-01-02 15:04:05.999999999-07:00`.
fn gorm_time(at: OffsetDateTime) -> String {
    let (date, time) = (at.date(), at.time());
    let mut text = format!("{date} {:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    if time.nanosecond() > 0 {
        let fraction = format!("{:09}", time.nanosecond());
        text.push('.');
        text.push_str(fraction.trim_end_matches('0'));
    }
    let (hours, minutes, _) = at.offset().as_hms();
    let sign = if at.offset().is_negative() { '-' } else { '+' };
    text.push_str(&format!("{sign}{:02}:{:02}", hours.unsigned_abs(), minutes.unsigned_abs()));
    text
}

/// Not deleted, under any of the three forms of its address.
const LIVE: &str = "deleted_at IS NULL AND address IN (?1, 'f' || ?1, 't' || ?1)";

async fn find(db: &mut SqliteConnection, address: &Address) -> Result<Option<SealedKey>, WalletError> {
    // A row that is too long is not even read; text is taken for bytes, as old drivers wrote it.
    let query = format!(
        "SELECT CASE WHEN length(private_key) <= {MAX_ROW} THEN CAST(private_key AS BLOB) ELSE x'' END \
         FROM wallets WHERE {LIVE} ORDER BY id LIMIT 1"
    );
    let query = sqlx::query_scalar::<_, Vec<u8>>(sqlx::AssertSqlSafe(query)).bind(address_text(address));
    let row = query.fetch_optional(db).await.map_err(store)?;
    row.map(|row| blob::read(*address, &row)).transpose()
}

async fn addresses(db: &mut SqliteConnection) -> Result<Vec<Address>, WalletError> {
    let query = sqlx::query("SELECT address FROM wallets WHERE deleted_at IS NULL ORDER BY id");
    let mut seen = std::collections::HashSet::new();
    let mut listed = Vec::new();
    for row in query.fetch_all(db).await.map_err(store)? {
        match row.try_get::<Option<&str>, _>(0).ok().flatten().and_then(read_address) {
            Some(address) if seen.insert(address) => listed.push(address),
            Some(_) => {}
            // One bad row must not hide the others.
            None => tracing::warn!("a row of the keystore has no readable address; it is left alone"),
        }
    }
    Ok(listed)
}

async fn insert(db: &mut SqliteConnection, key: &SealedKey) -> Result<bool, WalletError> {
    if find_any(db, key.address()).await? {
        return Ok(false);
    }
    let now = gorm_time(OffsetDateTime::now_utc());
    // The unique index also counts rows that are marked as deleted: such a row becomes the new one, at the end of the
    // list.
    sqlx::query("DELETE FROM wallets WHERE address IN (?1, 'f' || ?1, 't' || ?1)")
        .bind(address_text(key.address()))
        .execute(&mut *db)
        .await
        .map_err(store)?;
    sqlx::query("INSERT INTO wallets (created_at, updated_at, address, private_key) VALUES (?1, ?1, ?2, ?3)")
        .bind(now)
        .bind(address_text(key.address()))
        .bind(blob::write(key))
        .execute(db)
        .await
        .map_err(store)?;
    Ok(true)
}

async fn find_any(db: &mut SqliteConnection, address: &Address) -> Result<bool, WalletError> {
    let query = format!("SELECT EXISTS (SELECT 1 FROM wallets WHERE {LIVE})");
    let query = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(query)).bind(address_text(address));
    Ok(query.fetch_one(db).await.map_err(store)? != 0)
}

async fn replace(db: &mut SqliteConnection, key: &SealedKey) -> Result<(), WalletError> {
    let query = format!("UPDATE wallets SET private_key = ?2, updated_at = ?3 WHERE {LIVE}");
    sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(address_text(key.address()))
        .bind(blob::write(key))
        .bind(gorm_time(OffsetDateTime::now_utc()))
        .execute(db)
        .await
        .map_err(store)?;
    Ok(())
}

#[async_trait]
impl KeyStore for SqliteKeyStore {
    async fn put_all(&self, keys: &[SealedKey]) -> Result<usize, WalletError> {
        let mut tx = self.write().await?;
        let mut added = 0;
        for key in keys {
            added += usize::from(insert(&mut tx, key).await?);
        }
        tx.commit().await.map_err(store)?;
        Ok(added)
    }

    async fn get(&self, address: &Address) -> Result<Option<SealedKey>, WalletError> {
        find(&mut *self.pool.acquire().await.map_err(store)?, address).await
    }

    async fn has(&self, address: &Address) -> Result<bool, WalletError> {
        find_any(&mut *self.pool.acquire().await.map_err(store)?, address).await
    }

    async fn list(&self) -> Result<Vec<Address>, WalletError> {
        addresses(&mut *self.pool.acquire().await.map_err(store)?).await
    }

    async fn remove(&self, address: &Address) -> Result<bool, WalletError> {
        let mut db = self.pool.acquire().await.map_err(store)?;
        let query = sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM wallets WHERE {LIVE}")));
        let done = query.bind(address_text(address)).execute(&mut *db).await.map_err(store)?;
        Ok(done.rows_affected() > 0)
    }

    async fn swap(&self, old: &[SealedKey], new: &[SealedKey]) -> Result<(), WalletError> {
        let mut tx = self.write().await?;
        let listed = addresses(&mut tx).await?;
        let same = |keys: &[SealedKey]| listed.iter().eq(keys.iter().map(SealedKey::address));
        if !same(old) || !same(new) {
            return Err(WalletError::Changed);
        }
        for (old, new) in old.iter().zip(new) {
            if find(&mut tx, old.address()).await?.as_ref() != Some(old) {
                return Err(WalletError::Changed);
            }
            replace(&mut tx, new).await?;
        }
        tx.commit().await.map_err(store)
    }
}

#[cfg(test)]
mod tests;

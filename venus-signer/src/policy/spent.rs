//! What was spent, kept across restarts: a cap for a day that a restart resets is none.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use venus_core::error::BoxError;
use venus_core::types::Address;

/// A value that a rule let pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The rule's name.
    pub rule: String,
    /// The key.
    pub signer: Address,
    /// When, since the Unix epoch.
    pub at: Duration,
    /// attoFIL.
    pub value: u128,
}

/// Where a policy keeps what counts against the totals of its rules.
///
/// # Contract
/// * What [`SpentStore::record`] answered `Ok` for is durable, and comes back from [`SpentStore::since`].
#[async_trait]
pub trait SpentStore: Debug + Send + Sync {
    /// Keeps entries, all or none. Those from before `forget` no longer count.
    ///
    /// # Errors
    /// Of the store. Nothing is signed then.
    async fn record(&self, spent: &[Spent], forget: Duration) -> Result<(), BoxError>;

    /// All entries since a time, in any order.
    ///
    /// # Errors
    /// Of the store.
    async fn since(&self, at: Duration) -> Result<Vec<Spent>, BoxError>;
}

#[cfg(feature = "sqlite")]
pub use sqlite::SqliteSpent;

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::path::Path;

    use sqlx::Row;
    use sqlx::sqlite::{SqlitePool, SqliteRow};
    use venus_core::sqlite::{self, Durability};
    use venus_core::types::{Network, address};

    use super::{BoxError, Duration, Spent, SpentStore, async_trait};

    /// Several parts of the wallet share a database, each with its own list.
    const MIGRATION_TABLE: &str = "_venus_signer_policy_migrations";
    const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS policy_spent (\
        rule TEXT NOT NULL, signer TEXT NOT NULL, at_ms INTEGER NOT NULL, value TEXT NOT NULL);\
        CREATE INDEX IF NOT EXISTS policy_spent_at ON policy_spent (at_ms);";

    /// [`SpentStore`] in a SQLite database.
    #[derive(Clone, Debug)]
    pub struct SqliteSpent {
        pool: SqlitePool,
    }

    impl SqliteSpent {
        /// Opens or creates a database of its own, or one that other parts of the wallet use too.
        ///
        /// # Errors
        /// If the file cannot be opened or is no such database.
        pub async fn open_file(path: &Path) -> Result<Self, BoxError> {
            Self::open(sqlite::open(path, Durability::Normal).await?).await
        }

        /// Uses a database, and brings its table up to date. Whether commits survive a power cut is up to the pool.
        ///
        /// # Errors
        /// Of the database.
        pub async fn open(pool: SqlitePool) -> Result<Self, BoxError> {
            sqlite::migrate(&pool, MIGRATION_TABLE, &[(1, "spent", SCHEMA)]).await?;
            Ok(Self { pool })
        }
    }

    #[async_trait]
    impl SpentStore for SqliteSpent {
        async fn record(&self, spent: &[Spent], forget: Duration) -> Result<(), BoxError> {
            let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            for entry in spent {
                sqlx::query("INSERT INTO policy_spent (rule, signer, at_ms, value) VALUES (?, ?, ?, ?)")
                    .bind(&entry.rule)
                    .bind(address::format(&entry.signer, Network::Mainnet))
                    .bind(i64::try_from(entry.at.as_millis())?)
                    .bind(entry.value.to_string())
                    .execute(&mut *transaction)
                    .await?;
            }
            sqlx::query("DELETE FROM policy_spent WHERE at_ms < ?")
                .bind(i64::try_from(forget.as_millis())?)
                .execute(&mut *transaction)
                .await?;
            Ok(transaction.commit().await?)
        }

        async fn since(&self, at: Duration) -> Result<Vec<Spent>, BoxError> {
            let at = i64::try_from(at.as_millis())?;
            let rows = sqlx::query("SELECT rule, signer, at_ms, value FROM policy_spent WHERE at_ms >= ?");
            rows.bind(at).fetch_all(&self.pool).await?.iter().map(read).collect()
        }
    }

    fn read(row: &SqliteRow) -> Result<Spent, BoxError> {
        let at: i64 = row.try_get("at_ms")?;
        Ok(Spent {
            rule: row.try_get("rule")?,
            signer: address::parse(row.try_get::<&str, _>("signer")?)?,
            at: Duration::from_millis(u64::try_from(at)?),
            value: row.try_get::<&str, _>("value")?.parse()?,
        })
    }
}

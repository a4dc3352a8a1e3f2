//! SQLite and MySQL behind one face: text and integers in, text and integers out.
//!
//! Both take `?` for parameters and backticks for names, so that nearly every statement is written once. Times and
//! small integers are cast in the statement, because an adopted table may have them in another type than ours.

#[cfg(feature = "mysql")]
use sqlx::mysql::{MySql, MySqlPool};
#[cfg(feature = "sqlite")]
use sqlx::sqlite::{Sqlite, SqlitePool};
use sqlx::{AssertSqlSafe, Row as _, Transaction, TypeInfo, ValueRef};
use time::OffsetDateTime;

use super::columns::{Columns, TIME_SECONDS};
use super::{backend, columns};
use crate::store::StoreError;

/// A parameter or a column.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Int(i64),
    Text(String),
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

/// Parameters of a statement.
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::store::sql::db::Value::from($value)),*] };
}
pub(super) use args;

/// A database.
#[derive(Clone, Debug)]
pub(super) enum Db {
    #[cfg(feature = "sqlite")]
    Sqlite {
        // SQLite lets one connection write at a time. A queue here beats its busy handler, which sleeps and retries.
        writer: SqlitePool,
        reader: SqlitePool,
    },
    #[cfg(feature = "mysql")]
    Mysql(MySqlPool),
}

/// A transaction that writes. Rolled back unless committed.
pub(super) enum Tx {
    #[cfg(feature = "sqlite")]
    Sqlite(Transaction<'static, Sqlite>),
    #[cfg(feature = "mysql")]
    Mysql(Transaction<'static, MySql>),
}

macro_rules! bound {
    ($sql:expr, $args:expr) => {{
        // Statements are put together from constants; what comes from outside is always a parameter.
        let mut query = sqlx::query(AssertSqlSafe($sql));
        for value in $args {
            query = match value {
                Value::Null => query.bind(None::<String>),
                Value::Int(n) => query.bind(*n),
                Value::Text(text) => query.bind(text.clone()),
            };
        }
        query
    }};
}

macro_rules! columns_of {
    ($rows:expr) => {{
        let mut found = Vec::with_capacity($rows.len());
        for row in &$rows {
            let mut values = Vec::with_capacity(row.len());
            for place in 0..row.len() {
                let raw = row.try_get_raw(place).map_err(backend)?;
                let (null, kind) = (raw.is_null(), raw.type_info().name().to_owned());
                values.push(match kind.as_str() {
                    _ if null => Value::Null,
                    kind if kind.contains("INT") || kind == "BOOLEAN" => {
                        Value::Int(row.try_get_unchecked(place).map_err(backend)?)
                    }
                    _ => Value::Text(row.try_get_unchecked(place).map_err(backend)?),
                });
            }
            found.push(Columns::new(values));
        }
        found
    }};
}

impl Db {
    /// Reads without a transaction: one statement, one state of the database.
    pub(super) async fn fetch(&self, sql: &str, args: &[Value]) -> Result<Vec<Columns>, StoreError> {
        let sql = sql.to_owned();
        Ok(match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { reader, .. } => {
                let rows = bound!(sql, args).fetch_all(reader).await.map_err(backend)?;
                columns_of!(rows)
            }
            #[cfg(feature = "mysql")]
            Self::Mysql(pool) => {
                let rows = bound!(sql, args).fetch_all(pool).await.map_err(backend)?;
                columns_of!(rows)
            }
        })
    }

    pub(super) async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            #[cfg(feature = "sqlite")]
            // Taking the lock at once: a transaction that reads first and writes later can fail as busy in the middle.
            Self::Sqlite { writer, .. } => {
                Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await.map_err(backend)?)
            }
            #[cfg(feature = "mysql")]
            Self::Mysql(pool) => Tx::Mysql(pool.begin().await.map_err(backend)?),
        })
    }

    pub(super) async fn close(&self) {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { writer, reader } => {
                reader.close().await;
                writer.close().await;
            }
            #[cfg(feature = "mysql")]
            Self::Mysql(pool) => pool.close().await,
        }
    }

    /// Removes what was overwritten from the files as far as the database lets us. MySQL does so by itself, later.
    pub(super) async fn forget(&self) -> Result<(), StoreError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { writer, .. } => {
                let query = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
                query.fetch_all(writer).await.map(drop).map_err(backend)
            }
            #[cfg(feature = "mysql")]
            Self::Mysql(_) => Ok(()),
        }
    }

    pub(super) fn is_mysql(&self) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { .. } => false,
            #[cfg(feature = "mysql")]
            Self::Mysql(_) => true,
        }
    }

    /// For the columns that sophon-auth keeps to the second. Cut here, because MySQL would round into the future.
    pub(super) fn seconds(&self, at: OffsetDateTime) -> String {
        let mut text = columns::stamp(at);
        if self.is_mysql() {
            text.truncate(TIME_SECONDS);
        }
        text
    }

    /// For the columns that sophon-auth keeps to the millisecond.
    pub(super) fn millis(&self, at: OffsetDateTime) -> String {
        let mut text = columns::stamp(at);
        if self.is_mysql() {
            text.truncate(TIME_SECONDS + 4);
        }
        text
    }
}

impl Tx {
    /// Reads rows and locks them, and the gaps where they would be, against other writers.
    pub(super) async fn fetch(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Columns>, StoreError> {
        Ok(match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(tx) => {
                let rows = bound!(sql.to_owned(), args).fetch_all(&mut **tx).await.map_err(backend)?;
                columns_of!(rows)
            }
            #[cfg(feature = "mysql")]
            Self::Mysql(tx) => {
                let sql = format!("{sql} FOR UPDATE");
                let rows = bound!(sql, args).fetch_all(&mut **tx).await.map_err(backend)?;
                columns_of!(rows)
            }
        })
    }

    /// Rows that a statement found, whether it changed them or not.
    pub(super) async fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, StoreError> {
        let sql = sql.to_owned();
        Ok(match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(tx) => bound!(sql, args).execute(&mut **tx).await.map_err(backend)?.rows_affected(),
            #[cfg(feature = "mysql")]
            Self::Mysql(tx) => bound!(sql, args).execute(&mut **tx).await.map_err(backend)?.rows_affected(),
        })
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(tx) => tx.commit().await.map_err(backend),
            #[cfg(feature = "mysql")]
            Self::Mysql(tx) => tx.commit().await.map_err(backend),
        }
    }
}

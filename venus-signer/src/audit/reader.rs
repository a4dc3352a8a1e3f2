//! Reading records.

use std::path::Path;

use futures::TryStreamExt;
use sqlx::sqlite::SqlitePool;
use sqlx::{QueryBuilder, Sqlite};
use venus_core::sqlite;
use venus_core::types::{Network, address};

use super::AuditError;
use super::chain::{self, Anchor, Broken, Verified};
use super::query::{RecordQuery, SignRecord, StoredRecord};
use super::row::{COLUMNS, Row};

/// Records of a page at most.
pub const MAX_PAGE: u32 = 1000;
/// Records of an answer to a query at most, and their bytes: Go's wallet answers whatever there is.
const MAX_ANSWER: u64 = 10_000;
const MAX_ANSWER_BYTES: usize = 32 << 20;

/// Reads the records of a wallet, which may be running. Clones share the connections.
#[derive(Clone, Debug)]
pub struct AuditReader {
    pool: SqlitePool,
}

impl AuditReader {
    /// Opens a database that a wallet of ours has opened before. Nothing is written to it.
    ///
    /// # Errors
    /// [`AuditError`] if there is no such file, or no records in it.
    pub async fn open(path: &Path) -> Result<Self, AuditError> {
        if !path.exists() {
            return Err(AuditError(
                format!("{} does not exist; start the wallet once", path.display()).into(),
            ));
        }
        let pool = sqlite::open_readers(path).await?;
        let known = "SELECT COUNT(*) FROM pragma_table_info('sign_record') WHERE name = 'hash'";
        let known: i64 = sqlx::query_scalar(known).fetch_one(&pool).await?;
        if known == 0 {
            let reason = format!("{} has no records of this wallet; start it once", path.display());
            return Err(AuditError(reason.into()));
        }
        Ok(Self { pool })
    }

    /// What Go's `ListSignedRecord` answers, latest first. An answer has at most 10 000 records and 32 MiB; ask for
    /// the next with `skip`, or use [`AuditReader::page`].
    ///
    /// # Errors
    /// [`AuditError`].
    pub async fn query(&self, query: &RecordQuery) -> Result<Vec<SignRecord>, AuditError> {
        let mut sql = select();
        filter(&mut sql, query);
        sql.push(self.order().await?);
        let limit = if query.limit == 0 { MAX_ANSWER } else { query.limit.min(MAX_ANSWER) };
        sql.push_bind(signed(limit));
        if query.skip > 0 && query.id.is_none() {
            sql.push(" OFFSET ").push_bind(signed(query.skip));
        }
        let mut rows = sql.build().fetch(&self.pool);
        let (mut records, mut bytes) = (Vec::new(), 0_usize);
        while let Some(row) = rows.try_next().await? {
            let row = Row::read(&row)?;
            bytes = bytes.saturating_add(row.size());
            if bytes > MAX_ANSWER_BYTES && !records.is_empty() {
                break;
            }
            records.push(row.into_record());
        }
        Ok(records)
    }

    /// The order of the chain is that of time, and has an index. Records of other programs are sorted in by their times,
    /// for which all are read.
    async fn order(&self) -> Result<&'static str, AuditError> {
        let foreign = "SELECT EXISTS (SELECT 1 FROM sign_record WHERE seq IS NULL)";
        let foreign: bool = sqlx::query_scalar(foreign).fetch_one(&self.pool).await?;
        Ok(if foreign {
            " ORDER BY created_ns DESC, seq DESC, rowid DESC LIMIT "
        } else {
            " ORDER BY seq DESC LIMIT "
        })
    }

    /// A page of records before a place in the chain, latest first; without a place the last ones. The place of the
    /// last record of a page leads to the next one. At most [`MAX_PAGE`] records; what is written meanwhile moves
    /// nothing.
    ///
    /// # Errors
    /// [`AuditError`].
    pub async fn page(&self, before: Option<u64>, limit: u32) -> Result<Vec<StoredRecord>, AuditError> {
        let mut sql = select();
        sql.push(" WHERE seq < ").push_bind(before.map_or(i64::MAX, signed));
        sql.push(" ORDER BY seq DESC LIMIT ").push_bind(limit.min(MAX_PAGE));
        let rows = sql.build().fetch_all(&self.pool).await?;
        let record = |row| -> Result<StoredRecord, sqlx::Error> {
            let seq: Option<i64> = sqlx::Row::try_get(row, 13)?;
            Ok(Row::read(row)?.into_stored(seq))
        };
        Ok(rows.iter().map(record).collect::<Result<_, _>>()?)
    }

    /// The end of the chain. Whoever may write the file may shorten the chain and mend its end, or make all of it anew;
    /// only this, noted elsewhere, tells.
    ///
    /// # Errors
    /// [`AuditError`].
    pub async fn head(&self) -> Result<Anchor, AuditError> {
        let mut db = self.pool.acquire().await?;
        let ends = chain::Ends::read(&mut db).await?;
        ends.map(|ends| chain::anchor(ends.head))
            .ok_or_else(|| AuditError("the chain of records is gone; restore the file".into()))
    }

    /// Checks that all records are as they were written: from a noted place on, or from the first that is there. It
    /// reads everything; writing goes on meanwhile.
    ///
    /// # Errors
    /// [`Broken`], with the first bad place.
    pub async fn verify(&self, from: Option<Anchor>) -> Result<Verified, Broken> {
        let mut tx = self.pool.begin().await?;
        chain::verify(&mut tx, from).await
    }
}

fn select() -> QueryBuilder<Sqlite> {
    QueryBuilder::new(format!("SELECT {COLUMNS} FROM sign_record"))
}

fn filter(sql: &mut QueryBuilder<Sqlite>, query: &RecordQuery) {
    if let Some(id) = &query.id {
        sql.push(" WHERE id = ").push_bind(id.clone());
        return;
    }
    // A condition that any record meets, and needs no index.
    sql.push(" WHERE 1");
    if let Some(signer) = &query.signer {
        let [main, test] =
            [Network::Mainnet, Network::Testnet].map(|network| address::format(signer, network));
        sql.push(" AND signer IN (").push_bind(main).push(", ").push_bind(test).push(")");
    }
    if let Some(msg_type) = &query.msg_type {
        sql.push(" AND type = ").push_bind(msg_type.clone());
    }
    if query.is_error {
        sql.push(" AND err IS NOT NULL");
    }
    let (after, before) = query.bounds();
    if let Some(after) = after {
        sql.push(" AND created_ns >= ").push_bind(after);
    }
    if let Some(before) = before {
        sql.push(" AND created_ns <= ").push_bind(before);
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

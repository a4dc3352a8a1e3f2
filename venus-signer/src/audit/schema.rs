//! Taking Go's table over.

use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{AssertSqlSafe, Sqlite, Transaction};
use venus_core::crypto::hash::blake2b_256;

use super::chain::{hash, link};
use super::row::{COLUMNS, Row};
use super::stamp;

/// The table as Go's wallet makes it. Its two indexes are left to Go: every index costs each record, the chain is in the
/// order of time, and a program that wants them makes them when it opens the file.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS `sign_record` (`id` varchar(256),`created_at` datetime,`type` text,\
                     `signer` varchar(256) NOT NULL,`err` varchar(256),`raw_msg` blob,`signature_type` integer,\
                     `signature_data` blob,PRIMARY KEY (`id`))";
/// Our columns. They may be null, for Go's wallet does not fill them.
const ADDED: [(&str, &str); 7] = [
    ("seq", "ALTER TABLE sign_record ADD COLUMN seq integer"),
    ("created_ns", "ALTER TABLE sign_record ADD COLUMN created_ns integer"),
    ("outcome", "ALTER TABLE sign_record ADD COLUMN outcome text"),
    ("denied_by", "ALTER TABLE sign_record ADD COLUMN denied_by text"),
    ("caller", "ALTER TABLE sign_record ADD COLUMN caller text"),
    ("cid", "ALTER TABLE sign_record ADD COLUMN cid text"),
    ("hash", "ALTER TABLE sign_record ADD COLUMN hash blob"),
];
const REST: [&str; 4] = [
    // Two processes cannot give one place in the chain to two records.
    "CREATE UNIQUE INDEX IF NOT EXISTS venus_sign_record_seq ON sign_record (seq)",
    // Earlier versions made it for all records, and each paid for it.
    "DROP INDEX IF EXISTS venus_sign_record_time",
    // Records of other programs, which are few: to find them, and those of them whose time is over.
    "CREATE INDEX IF NOT EXISTS venus_sign_record_foreign ON sign_record (created_ns) WHERE seq IS NULL",
    // Where the chain begins, after retention took what was before, and where it ends.
    "CREATE TABLE IF NOT EXISTS sign_record_chain (id INTEGER PRIMARY KEY CHECK (id = 1), \
     base_seq INTEGER NOT NULL, base_hash BLOB NOT NULL, head_seq INTEGER NOT NULL, head_hash BLOB NOT NULL)",
];
/// Rows that are read at a time.
const BATCH: i64 = 1000;

/// Makes or completes the table, gives records of Go's wallet their times, and, the first time, their places in the
/// chain. All or nothing.
pub(super) async fn adopt(pool: &SqlitePool, now_ns: i64, oldest_ns: i64) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(TABLE).execute(&mut *tx).await?;
    let columns =
        sqlx::query("SELECT name FROM pragma_table_info('sign_record')").fetch_all(&mut *tx).await?;
    let columns: Vec<String> = columns.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    for (name, add) in ADDED {
        if !columns.iter().any(|column| column == name) {
            sqlx::query(add).execute(&mut *tx).await?;
        }
    }
    for statement in REST {
        sqlx::query(statement).execute(&mut *tx).await?;
    }
    fill_times(&mut tx, now_ns).await?;
    if sqlx::query("SELECT 1 FROM sign_record_chain").fetch_optional(&mut *tx).await?.is_none() {
        untouched(&mut tx).await?;
        seal(&mut tx, now_ns, oldest_ns).await?;
    }
    tx.commit().await
}

/// Records with places and no chain that they are in were tampered with. A new chain would vouch for them.
async fn untouched(db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let placed = "SELECT 1 FROM sign_record WHERE seq IS NOT NULL OR hash IS NOT NULL LIMIT 1";
    match sqlx::query(placed).fetch_optional(db).await? {
        None => Ok(()),
        Some(_) => Err(sqlx::Error::Protocol(
            "the chain of records is gone, and the records are there: restore the file, or give the records up by \
             removing the table sign_record"
                .into(),
        )),
    }
}

/// Go writes texts in the zone of its machine, which do not sort.
async fn fill_times(tx: &mut Transaction<'_, Sqlite>, now_ns: i64) -> Result<(), sqlx::Error> {
    let select = "SELECT rowid, CAST(created_at AS TEXT) FROM sign_record WHERE created_ns IS NULL \
                  AND seq IS NULL LIMIT ?";
    loop {
        let rows = sqlx::query(select).bind(BATCH).fetch_all(&mut **tx).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            let (rowid, text): (i64, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
            // A record whose time cannot be read stays as long as one of now.
            let ns = text.and_then(|text| stamp::parse(&text)).map_or(now_ns, stamp::nanoseconds);
            let query = sqlx::query("UPDATE sign_record SET created_ns = ? WHERE rowid = ?");
            query.bind(ns).bind(rowid).execute(&mut **tx).await?;
        }
    }
}

/// Begins the chain with the records that are there, but for those whose time is over.
async fn seal(tx: &mut Transaction<'_, Sqlite>, now_ns: i64, oldest_ns: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM sign_record WHERE created_ns < ?").bind(oldest_ns).execute(&mut **tx).await?;
    let genesis = blake2b_256(&[b"venus-audit-chain-1".as_slice(), &now_ns.to_be_bytes()].concat());
    let mut head = (0_i64, genesis);
    while let Some(next) = seal_some(tx, head).await? {
        head = next;
    }
    let insert =
        "INSERT INTO sign_record_chain (id, base_seq, base_hash, head_seq, head_hash) VALUES (1, 0, ?, ?, ?)";
    let query = sqlx::query(insert).bind(genesis.as_slice()).bind(head.0).bind(head.1.as_slice());
    query.execute(&mut **tx).await?;
    Ok(())
}

async fn seal_some(
    db: &mut SqliteConnection,
    mut head: (i64, [u8; 32]),
) -> Result<Option<(i64, [u8; 32])>, sqlx::Error> {
    let select = format!(
        "SELECT {COLUMNS}, rowid FROM sign_record WHERE seq IS NULL ORDER BY created_ns, rowid LIMIT {BATCH}"
    );
    let rows = sqlx::query(AssertSqlSafe(select)).fetch_all(&mut *db).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    for row in rows {
        let rowid: i64 = row.try_get(15)?;
        let seq = head.0.saturating_add(1);
        head = (seq, link(&head.1, seq, &Row::read(&row)?.content()));
        let query = sqlx::query("UPDATE sign_record SET seq = ?, hash = ? WHERE rowid = ?");
        query.bind(seq).bind(head.1.as_slice()).bind(rowid).execute(&mut *db).await?;
    }
    Ok(Some(head))
}

/// Removes some of the records from before `oldest_ns`, and moves the beginning of the chain behind them. True if
/// there may be more.
pub(super) async fn purge_some(pool: &SqlitePool, oldest_ns: i64) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    // The chain stays in one piece: what goes is a beginning, up to the first record that stays. A clock that was set
    // back keeps records longer.
    let last = "SELECT seq, hash FROM (SELECT seq, hash, created_ns FROM sign_record WHERE seq IS NOT NULL \
                ORDER BY seq LIMIT ?1) WHERE seq < COALESCE((SELECT MIN(seq) FROM (SELECT seq, created_ns \
                FROM sign_record WHERE seq IS NOT NULL ORDER BY seq LIMIT ?1) WHERE created_ns >= ?2), \
                9223372036854775807) ORDER BY seq DESC LIMIT 1";
    let last = sqlx::query(last).bind(BATCH).bind(oldest_ns).fetch_optional(&mut *tx).await?;
    let foreign = "DELETE FROM sign_record WHERE rowid IN \
                   (SELECT rowid FROM sign_record WHERE created_ns < ? AND seq IS NULL LIMIT ?)";
    let query = sqlx::query(foreign).bind(oldest_ns).bind(BATCH);
    let mut gone = query.execute(&mut *tx).await?.rows_affected();
    if let Some(last) = last {
        let (seq, hash): (i64, [u8; 32]) = (last.try_get(0)?, hash(&last, 1)?);
        let delete = sqlx::query("DELETE FROM sign_record WHERE seq <= ?").bind(seq);
        gone = gone.saturating_add(delete.execute(&mut *tx).await?.rows_affected());
        let base = "UPDATE sign_record_chain SET base_seq = ?, base_hash = ? WHERE id = 1";
        sqlx::query(base).bind(seq).bind(hash.as_slice()).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(gone > 0)
}

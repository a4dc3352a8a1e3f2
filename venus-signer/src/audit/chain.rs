//! The chain of records.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use futures::TryStreamExt;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use venus_core::crypto::hash::blake2b_256;

use super::AuditError;
use super::row::Row;

/// The hash of a record in its place: of the hash before, the place, and the record's own.
pub(super) fn link(before: &[u8; 32], seq: i64, content: &[u8; 32]) -> [u8; 32] {
    let mut bytes = [0_u8; 72];
    let (first, rest) = bytes.split_at_mut(32);
    let (number, last) = rest.split_at_mut(8);
    first.copy_from_slice(before);
    number.copy_from_slice(&seq.to_be_bytes());
    last.copy_from_slice(content);
    blake2b_256(&bytes)
}

/// A place in the chain and the hash there. Noted elsewhere it proves later that nothing up to it was changed. Its
/// text is `<seq>:<hash in hexadecimal>`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// The place; 0 is before the first record.
    pub seq: u64,
    /// The hash.
    pub hash: [u8; 32],
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, HEX.encode(&self.hash))
    }
}

impl fmt::Debug for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Anchor({self})")
    }
}

impl FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "must be <seq>:<64 hexadecimal digits>, as audit verify prints it".to_owned();
        let (seq, hash) = text.split_once(':').ok_or_else(wrong)?;
        let hash = HEX.decode(hash.as_bytes()).map_err(|_| wrong())?;
        let seq: i64 = seq.parse().map_err(|_| wrong())?;
        Ok(Self {
            seq: u64::try_from(seq).map_err(|_| wrong())?,
            hash: hash.try_into().map_err(|_| wrong())?,
        })
    }
}

/// What was found to be whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Records checked.
    pub records: u64,
    /// Where the check began: the start of the chain, what retention has left, or what the caller noted.
    pub from: Anchor,
    /// The last record.
    pub head: Anchor,
    /// Records outside of the chain: another program wrote them since this wallet took the table over. Nothing can be
    /// said about them.
    pub foreign: u64,
}

/// Why a chain is not whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// The first record that is not as it was written.
    #[error("record {seq}: {reason}; records before it are as they were written")]
    At {
        /// Its place.
        seq: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// What the caller noted cannot be checked any more.
    #[error("record {0} was removed after its time; verify from a later one, or without one")]
    Expired(u64),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] AuditError),
}

impl From<sqlx::Error> for Broken {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(AuditError(error.into()))
    }
}

/// Where a chain begins and ends.
pub(super) struct Ends {
    pub(super) base: (i64, [u8; 32]),
    pub(super) head: (i64, [u8; 32]),
}

impl Ends {
    pub(super) async fn read(db: &mut SqliteConnection) -> Result<Option<Self>, sqlx::Error> {
        let select = "SELECT base_seq, base_hash, head_seq, head_hash FROM sign_record_chain WHERE id = 1";
        let Some(row) = sqlx::query(select).fetch_optional(db).await? else { return Ok(None) };
        let end = |at: usize| -> Result<_, sqlx::Error> {
            Ok((row.try_get(at)?, hash(&row, at.saturating_add(1))?))
        };
        Ok(Some(Self { base: end(0)?, head: end(2)? }))
    }
}

pub(super) fn hash(row: &SqliteRow, column: usize) -> Result<[u8; 32], sqlx::Error> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| sqlx::Error::Decode("a hash of the chain is none; restore the file".into()))
}

/// Walks the chain in one read transaction.
pub(super) async fn verify(db: &mut SqliteConnection, from: Option<Anchor>) -> Result<Verified, Broken> {
    let Some(ends) = Ends::read(db).await? else {
        return Err(AuditError("there is no chain here; start this wallet once".into()).into());
    };
    let (start, strict) = match from {
        Some(anchor) => (anchor, true),
        None => (anchor(ends.base), false),
    };
    if strict {
        meets(db, start, &ends).await?;
    }
    let (head, records) = walk(db, start).await?;
    let expected = anchor(ends.head);
    if head != expected {
        let seq = head.seq.min(expected.seq).saturating_add(1);
        return Err(Broken::At {
            seq,
            reason: "the last records were removed, or records were put behind them",
        });
    }
    let foreign = "SELECT COUNT(*) FROM sign_record WHERE seq IS NULL";
    let foreign: i64 = sqlx::query_scalar(foreign).fetch_one(db).await?;
    Ok(Verified { records, from: start, head, foreign: u64::try_from(foreign).unwrap_or_default() })
}

/// Follows the links until there is no record any more.
async fn walk(db: &mut SqliteConnection, start: Anchor) -> Result<(Anchor, u64), Broken> {
    let mut at = start;
    let mut records = 0_u64;
    let select = concat!(
        "SELECT id, CAST(created_at AS TEXT), type, signer, err, raw_msg, signature_type, signature_data, ",
        "created_ns, outcome, denied_by, caller, cid, seq, hash FROM sign_record WHERE seq > ? ORDER BY seq"
    );
    let query = sqlx::query(select).bind(i64::try_from(start.seq).unwrap_or(i64::MAX));
    let mut rows = query.fetch(db);
    while let Some(row) = rows.try_next().await? {
        let seq: i64 = row.try_get(13)?;
        let next = at.seq.saturating_add(1);
        if u64::try_from(seq) != Ok(next) {
            return Err(Broken::At { seq: next, reason: "it is missing" });
        }
        // A field of another kind than was written is a change, not a failure.
        let same = Row::read(&row).ok().zip(hash(&row, 14).ok());
        match same.map(|(read, hash)| (link(&at.hash, seq, &read.content()), hash)) {
            Some((expected, hash)) if expected == hash => at = Anchor { seq: next, hash },
            _ => return Err(Broken::At { seq: next, reason: "it was changed, inserted or moved" }),
        }
        records = records.saturating_add(1);
    }
    Ok((at, records))
}

/// The caller's note against what stands at its place.
async fn meets(db: &mut SqliteConnection, note: Anchor, ends: &Ends) -> Result<(), Broken> {
    let base = anchor(ends.base);
    if note.seq < base.seq {
        return Err(Broken::Expired(note.seq));
    }
    let found = if note.seq == base.seq {
        Some(base.hash)
    } else {
        let seq = i64::try_from(note.seq).unwrap_or(i64::MAX);
        let query = sqlx::query("SELECT hash FROM sign_record WHERE seq = ?").bind(seq);
        query.fetch_optional(db).await?.and_then(|row| hash(&row, 0).ok())
    };
    match found {
        Some(hash) if hash == note.hash => Ok(()),
        Some(_) => Err(Broken::At { seq: note.seq, reason: "it or one before it is not what was noted" }),
        None => Err(Broken::At { seq: note.seq, reason: "it was noted, and is missing" }),
    }
}

pub(super) fn anchor((seq, hash): (i64, [u8; 32])) -> Anchor {
    Anchor { seq: u64::try_from(seq).unwrap_or_default(), hash }
}

//! Every request, allowed or denied, on record.
//!
//! [`SqliteAudit`] keeps records in the `sign_record` table of Go's venus-wallet, in the same file, so that each reads
//! what the other wrote. Columns of ours tell more, and chain the records: each has the hash of the one before in its
//! own, so that a changed, removed, inserted or moved record is found ([`AuditReader::verify`]). Whoever can write the
//! file can also write a new chain, so note the head that `audit verify` prints somewhere else.

#[cfg(feature = "sqlite")]
mod chain;
#[cfg(feature = "sqlite")]
mod entry;
mod query;
#[cfg(feature = "sqlite")]
mod reader;
#[cfg(feature = "sqlite")]
mod row;
#[cfg(feature = "sqlite")]
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod stamp;
#[cfg(feature = "sqlite")]
mod writer;

use std::fmt;

use async_trait::async_trait;
use venus_core::error::BoxError;
use venus_core::types::Signature;

use crate::payload::Payload;
use crate::request::SignRequest;

#[cfg(feature = "sqlite")]
pub use chain::{Anchor, Broken, Verified};
pub use query::{Outcome, RecordQuery, SignRecord, StoredRecord};
#[cfg(feature = "sqlite")]
pub use reader::{AuditReader, MAX_PAGE};
#[cfg(feature = "sqlite")]
pub use sqlite::{AuditConfig, SqliteAudit};

/// The record could not be kept; the signature is withheld.
#[derive(Debug, thiserror::Error)]
#[error("audit: {0}")]
#[non_exhaustive]
pub struct AuditError(#[source] pub BoxError);

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub enum Verdict<'a> {
    /// Signed.
    Signed(&'a Signature),
    /// Refused by a check or by slashing protection.
    Denied {
        /// Which one.
        by: &'static str,
        /// In words.
        reason: &'a str,
    },
    /// Nothing was signed for another reason: locked, unreadable, no key.
    Failed {
        /// In words.
        reason: &'a str,
    },
}

/// A request and its end.
#[derive(Clone, Debug)]
pub struct AuditEvent<'a> {
    /// The request.
    pub request: &'a SignRequest<'a>,
    /// What it was about, if that was understood.
    pub payload: Option<&'a Payload>,
    /// How it ended.
    pub verdict: Verdict<'a>,
}

/// Keeps records.
///
/// # Contract
/// * When `record` returns, the record survives the death of the process.
/// * A signature leaves only after its record is kept.
#[async_trait]
pub trait AuditLog: fmt::Debug + Send + Sync {
    /// Keeps a record.
    ///
    /// # Errors
    /// [`AuditError`]; the record is not kept then.
    async fn record(&self, event: &AuditEvent<'_>) -> Result<(), AuditError>;
}

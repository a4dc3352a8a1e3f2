//! What the service needs of its surroundings, besides the wallet.

use std::fmt;

use async_trait::async_trait;
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::Address;

use crate::audit::{AuditReader, RecordQuery, SignRecord};

/// A refusal in words, which the caller reads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Said {
    text: String,
    kind: ErrorKind,
}

impl Said {
    /// These words, of this kind.
    pub fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self { text: text.into(), kind }
    }
}

impl Classify for Said {
    fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// Answers `ListSignedRecord`.
#[async_trait]
pub trait Records: fmt::Debug + Send + Sync {
    /// The records that fit `query`, latest first.
    ///
    /// # Errors
    /// [`Said`], if the store fails.
    async fn list(&self, query: &RecordQuery) -> Result<Vec<SignRecord>, Said>;
}

#[async_trait]
impl Records for AuditReader {
    async fn list(&self, query: &RecordQuery) -> Result<Vec<SignRecord>, Said> {
        self.query(query).await.map_err(|error| Said::new(ErrorKind::Transient, error.to_string()))
    }
}

/// The gateways that the wallet is registered at.
#[async_trait]
pub trait Hubs: fmt::Debug + Send + Sync {
    /// Serves the requests of one account more, now and after a restart.
    ///
    /// # Errors
    /// [`Said`], if the account is served already, or a hub or the configuration refuses.
    async fn support_account(&self, account: &str) -> Result<(), Said>;

    /// Announces addresses to all hubs again.
    ///
    /// # Errors
    /// [`Said`] of the first hub that refuses.
    async fn add_addresses(&self, addresses: &[Address]) -> Result<(), Said>;

    /// For readiness: whether each hub, by its name, is connected.
    fn connected(&self) -> Vec<(String, bool)>;
}

/// What the process logs.
pub trait LogControl: fmt::Debug + Send + Sync {
    /// The parts of the program that have a level of their own.
    fn systems(&self) -> Vec<String>;

    /// Sets the level of a part, `*` for all.
    ///
    /// # Errors
    /// [`Said`] for a level that is none.
    fn set_level(&self, system: &str, level: &str) -> Result<(), Said>;
}

/// A check of readiness besides the lock and the hubs: the database.
#[async_trait]
pub trait Probe: fmt::Debug + Send + Sync {
    /// Its name in the answer.
    fn name(&self) -> &'static str;

    /// Whether it is well. Asked with a short deadline.
    async fn ready(&self) -> bool;
}

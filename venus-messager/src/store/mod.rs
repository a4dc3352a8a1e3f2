//! Where messages are kept: the trait, its types, a memory and a SQLite implementation.
//!
//! State moves by compare-and-set: a write names what it found and answers [`Swap::Stale`] if something else stands
//! there now, so that two messagers on one database never assign a nonce twice.

use async_trait::async_trait;
use auto_impl::auto_impl;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use venus_core::api::{Attempt, MessageId, MessageRequest, MessagerError};
use venus_core::error::{BoxError, Classify, ErrorKind};
use venus_core::types::{MessageLookup, SignedMessage, Tipset, TipsetKey};

use crate::state::RowState;

mod memory;
#[cfg(feature = "sqlite")]
mod rows;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(test, feature = "test-utils"))]
pub mod suite;
#[cfg(test)]
mod tests;

pub use memory::MemoryStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

/// Place of a message in the order of acceptance. Grows, never reused.
pub type Seq = i64;

/// Why the store did not answer. Nothing is half done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database failed: gone, full, locked for too long.
    #[error("{0}")]
    Backend(#[source] BoxError),
    /// A row cannot be read.
    #[error("{0}")]
    Corrupt(String),
}

impl Classify for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Backend(_) => ErrorKind::Transient,
            Self::Corrupt(_) => ErrorKind::Corrupt,
        }
    }
}

impl From<StoreError> for MessagerError {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Backend(source) => Self::Store(source),
            StoreError::Corrupt(what) => Self::Corrupt(what),
        }
    }
}

/// Whether a compare-and-set took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Swap {
    /// All of it did.
    Done,
    /// Something else stood there; nothing was written. Read again.
    Stale,
}

/// A message to accept.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMessage {
    /// The caller's name.
    pub id: MessageId,
    /// Key address that will sign.
    pub sender: Address,
    /// What was asked for, nonce 0.
    pub request: MessageRequest,
}

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredMessage {
    /// Order of acceptance.
    pub seq: Seq,
    /// The caller's name.
    pub id: MessageId,
    /// Key address that signs.
    pub sender: Address,
    /// What was asked for, nonce 0.
    pub request: MessageRequest,
    /// Where it stands.
    pub state: RowState,
    /// Its nonce once signed; never changes.
    pub nonce: Option<u64>,
    /// Signed forms, oldest first.
    pub attempts: Vec<Attempt>,
    /// Where its nonce was used, if it is landed or conflicted.
    pub used: Option<MessageLookup>,
    /// Why the last try did not work.
    pub error: Option<String>,
}

/// What became of an insertion.
#[derive(Clone, Debug, PartialEq)]
pub enum Inserted {
    /// The message is accepted.
    Fresh(Seq),
    /// The name is taken, by this message.
    Known(Box<StoredMessage>),
}

/// The first signature of a message.
#[derive(Clone, Debug)]
pub struct Filling<'a> {
    /// The message, unfilled.
    pub seq: Seq,
    /// Its sender.
    pub sender: &'a Address,
    /// The sender's next nonce as it was read. The signed nonce is this or higher.
    pub expected_next: u64,
    /// What was signed.
    pub signed: &'a SignedMessage,
}

/// One row's part in a step of the head.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// The message.
    pub seq: Seq,
    /// The state it was found in.
    pub from: RowState,
    /// The state it goes to.
    pub to: RowState,
    /// Where the nonce was used, for landed and conflicted.
    pub used: Option<MessageLookup>,
    /// The new error text.
    pub error: Option<String>,
}

/// Up to which tipset the chain was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Its key.
    pub tipset: TipsetKey,
    /// Its height.
    pub height: ChainEpoch,
}

impl From<&Tipset> for Cursor {
    fn from(tipset: &Tipset) -> Self {
        Self { tipset: tipset.key().clone(), height: tipset.height() }
    }
}

/// A store of messages. Every method is one transaction; what it wrote is durable when it returns.
///
/// # Implementing
/// Run `store::suite::message_store` (feature `test-utils`).
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait MessageStore: Send + Sync {
    /// Accepts a message unless its name is taken.
    async fn insert(&self, new: &NewMessage) -> Result<Inserted, StoreError>;

    /// The message of a name.
    async fn get(&self, id: &str) -> Result<Option<StoredMessage>, StoreError>;

    /// Unfilled messages of a sender behind `after`, by `seq`; if `fresh`, only those without an error.
    async fn unfilled(
        &self,
        sender: &Address,
        after: Seq,
        fresh: bool,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StoreError>;

    /// Filled messages of a sender from a nonce on, by nonce.
    async fn filled(
        &self,
        sender: &Address,
        from: u64,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StoreError>;

    /// Signed messages of a sender, in any state, with nonces from `low` to `high`, by nonce.
    async fn with_nonces(
        &self,
        sender: &Address,
        low: u64,
        high: u64,
    ) -> Result<Vec<StoredMessage>, StoreError>;

    /// Landed and conflicted messages whose nonce was used in `tipset`, by `seq`.
    async fn used_in(&self, tipset: &TipsetKey) -> Result<Vec<StoredMessage>, StoreError>;

    /// Signed messages behind `after` that a reorg down to `floor` can concern, by `seq`: filled ones, and landed
    /// or conflicted ones above `floor`.
    async fn unsettled(
        &self,
        floor: ChainEpoch,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StoreError>;

    /// Senders of messages in a state, or all senders ever, in a fixed order.
    async fn senders(&self, state: Option<RowState>) -> Result<Vec<Address>, StoreError>;

    /// The next nonce of a sender as far as this store knows; 0 for a new one.
    async fn next_nonce(&self, sender: &Address) -> Result<u64, StoreError>;

    /// Stores the first signature: attempt, nonce, state and the sender's next nonce, all or nothing.
    /// [`Swap::Stale`] if the message is not unfilled, the sender's next nonce is not as expected, or the signed one
    /// is below it.
    async fn fill(&self, filling: &Filling<'_>) -> Result<Swap, StoreError>;

    /// Stores a further attempt of a filled message that has `existing` attempts.
    async fn add_attempt(
        &self,
        seq: Seq,
        existing: usize,
        signed: &SignedMessage,
    ) -> Result<Swap, StoreError>;

    /// Ends a message that was never signed, or notes an error where it stands (`from` = `to`).
    async fn set_state(
        &self,
        seq: Seq,
        from: RowState,
        to: RowState,
        error: Option<&str>,
    ) -> Result<Swap, StoreError>;

    /// Up to where the chain was followed; `None` in a new store.
    async fn cursor(&self) -> Result<Option<Cursor>, StoreError>;

    /// Moves the cursor and rows in one transaction. [`Swap::Stale`] if the cursor is not `from` or a row is not
    /// in the state that its move names.
    async fn advance(&self, from: Option<&Cursor>, to: &Cursor, moves: &[Move]) -> Result<Swap, StoreError>;

    /// Closes files and connections. Later calls fail.
    async fn close(&self) {}
}

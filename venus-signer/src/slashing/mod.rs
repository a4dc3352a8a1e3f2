//! Never two different blocks of one miner for one height or one set of parents, never two F3 votes for one step.
//!
//! [`SqliteSlashing`] keeps what was promised in a file of its own, `slashing.sqlite`: programs that know nothing of
//! it open the key store's file. Several processes may use one file. [`MemorySlashing`] is for tests and tools.
//!
//! What counts as the same:
//! * The chain compares parents without their order (`CidArrsEqual` of the consensus fault check), so do we.
//! * A header is its CBOR without the signature, whatever the request claimed its bytes to be.
//! * A vote is the signed bytes for (signer, network, instance, round, phase). VRF tickets pass: they have one value.
//!
//! Histories are bounded: the oldest slots go, and whatever is at or below the height they reached is refused from
//! then on, unless it is still known to be the same.

mod history;
mod memory;
mod slot;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod sqlite_merge;
#[cfg(feature = "sqlite")]
mod sqlite_rows;
mod store;

use std::fmt;
use std::future::ready;
use std::pin::Pin;

use async_trait::async_trait;
use venus_core::error::{BoxError, Classify, ErrorKind};

use crate::request::Review;

pub use history::{HistoryError, Imported, export, import, import_header};
pub use memory::MemorySlashing;
pub use slot::{BlockSlot, Entry, Slot, VoteSlot};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteSlashing;
pub use store::{KEEP, Merged, Reserved, SlashingStore, Summary};

/// Why a signature would be dangerous.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SlashingError {
    /// Something else was signed for the same slot already.
    #[error("{0}")]
    Conflict(String),
    /// The store failed. Nothing is reserved.
    #[error("slashing store: {0}")]
    Store(#[source] BoxError),
}

impl Classify for SlashingError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Conflict(_) => ErrorKind::Denied,
            Self::Store(_) => ErrorKind::Transient,
        }
    }
}

/// Reserves what may be signed only once.
///
/// # Contract
/// * When `reserve` returns, the reservation is durable; only then is the key used.
/// * The same content again is success: a signature that got lost may be made again.
/// * Of several different contents for one slot at the same time, at most one gets the reservation.
/// * Payloads that cannot be slashed pass without a write.
#[async_trait]
pub trait SlashingProtection: fmt::Debug + Send + Sync {
    /// Reserves the slot of this request, if its payload has one.
    ///
    /// # Errors
    /// [`SlashingError`].
    async fn reserve(&self, review: &Review<'_>) -> Result<(), SlashingError>;
}

impl<S: SlashingStore> SlashingProtection for S {
    /// By hand: most of what is signed has no slot, and need not pay for a future that could take one.
    fn reserve<'s, 'e, 'r, 'f>(
        &'s self,
        review: &'e Review<'r>,
    ) -> Pin<Box<dyn Future<Output = Result<(), SlashingError>> + Send + 'f>>
    where
        's: 'f,
        'e: 'f,
        'r: 'f,
        Self: 'f,
    {
        match Slot::of(review) {
            Ok(Some(slot)) => Box::pin(take(self, slot)),
            none => Box::pin(ready(none.map(drop))),
        }
    }
}

async fn take(store: &impl SlashingStore, slot: Slot) -> Result<(), SlashingError> {
    match store.take(&slot).await.map_err(SlashingError::Store)? {
        Reserved::New | Reserved::Again => Ok(()),
        refused => Err(SlashingError::Conflict(slot.refusal(&refused))),
    }
}

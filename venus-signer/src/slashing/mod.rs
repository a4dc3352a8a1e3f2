//! Never two different blocks of one miner for one height or one set of parents, never two F3 votes for one step.

use std::fmt;

use async_trait::async_trait;
use venus_core::error::BoxError;

use crate::request::Review;

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

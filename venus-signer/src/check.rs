//! What may stand between a request and its signature.

use std::fmt;

use async_trait::async_trait;
use venus_core::error::BoxError;

use crate::request::Review;

/// Why a check does not let a request pass.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The request is not allowed. Asking again gives the same answer until someone changes the rules.
    #[error("{0}")]
    Denied(String),
    /// The check could not be made. Asking again may help; until then nothing is signed.
    #[error("check failed: {0}")]
    Failed(#[source] BoxError),
}

/// A rule that every request has to pass, after its payload is understood and before a key is touched.
///
/// # Contract
/// * All checks have to agree; the first refusal ends the request.
/// * Whatever a check cannot decide it refuses.
/// * A check may count (rates); a request that a later check refuses stays counted.
#[async_trait]
pub trait Check: fmt::Debug + Send + Sync {
    /// The name in records and metrics, as `policy`.
    fn name(&self) -> &'static str;

    /// Lets the request pass, or not.
    ///
    /// # Errors
    /// [`Refusal`].
    async fn check(&self, review: &Review<'_>) -> Result<(), Refusal>;
}

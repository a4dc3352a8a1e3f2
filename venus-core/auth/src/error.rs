//! Why the service refuses.

use venus_core::api::IdentityError;
use venus_core::entropy::EntropyError;
use venus_core::error::{Classify, ErrorKind};

use crate::store::StoreError;

/// Why the service refuses. The texts are those of sophon-auth, because clients match them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// Nobody knows who asks.
    #[error("{0}")]
    Unauthenticated(String),
    /// Whoever asks may not.
    #[error("{0}")]
    Denied(String),
    /// There is no such user, token, miner, signer or limit.
    #[error("{0}")]
    NotFound(String),
    /// It is so already, or it is taken.
    #[error("{0}")]
    Conflict(String),
    /// What was asked makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// Too many requests.
    #[error("{text}")]
    Limited {
        /// Says who was limited, by what, and until when.
        text: String,
        /// When to try again.
        retry_after: std::time::Duration,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No secret could be made.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl AuthError {
    /// What badger, the store of sophon-auth by default, says of anything that it does not have.
    pub(crate) fn key_not_found() -> Self {
        Self::NotFound("Key not found".into())
    }

    /// The error with `before` and a colon before its words. Its kind stays.
    #[must_use]
    pub(crate) fn after(self, before: impl std::fmt::Display) -> Self {
        let say = |text: String| format!("{before}: {text}");
        match self {
            Self::Unauthenticated(text) => Self::Unauthenticated(say(text)),
            Self::Denied(text) => Self::Denied(say(text)),
            Self::NotFound(text) => Self::NotFound(say(text)),
            Self::Conflict(text) => Self::Conflict(say(text)),
            Self::Invalid(text) => Self::Invalid(say(text)),
            other => other,
        }
    }
}

impl Classify for AuthError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unauthenticated(_) => ErrorKind::Unauthenticated,
            Self::Denied(_) => ErrorKind::Denied,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Conflict(_) => ErrorKind::Conflict,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Limited { .. } => ErrorKind::RateLimited,
            Self::Store(error) => error.kind(),
            Self::Entropy(_) => ErrorKind::Internal,
        }
    }

    fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            Self::Limited { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

impl From<AuthError> for IdentityError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Unauthenticated(_) => Self::Unauthenticated,
            AuthError::Denied(text) => Self::Denied(text),
            AuthError::NotFound(text) => Self::AccountNotFound(text),
            AuthError::Conflict(text) | AuthError::Invalid(text) => Self::Invalid(text),
            AuthError::Limited { retry_after, .. } => Self::RateLimited { retry_after: Some(retry_after) },
            AuthError::Store(StoreError::Corrupt(text)) => Self::Corrupt(text),
            AuthError::Store(StoreError::Backend(source)) => Self::Store(source),
            AuthError::Entropy(error) => Self::Store(error.into()),
        }
    }
}

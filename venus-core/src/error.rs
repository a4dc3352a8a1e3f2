//! The error model that all crates share.
//!
//! Each crate has its own `#[non_exhaustive]` error enum. What callers need to know to go on is the same
//! everywhere, so every such enum implements [`Classify`]: retry, give up, or mend the input.

use std::time::Duration;

/// What a caller can do about an error. It survives the wire (`error.data.kind`), in snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It may work the next time: a lost connection, a busy database. Retry with back-off.
    Transient,
    /// No answer in time. The effect may have happened: retry only what is idempotent.
    Timeout,
    /// Too many calls. Retry after [`Classify::retry_after`].
    RateLimited,
    /// The thing asked for does not exist (yet).
    NotFound,
    /// Another value stands where this one should go. Read again before deciding.
    Conflict,
    /// The input is wrong. Retrying the same cannot help.
    Invalid,
    /// Who calls is not known: no token, or one that does not verify.
    Unauthenticated,
    /// Who calls is known and may not do this.
    Denied,
    /// This implementation, node or network cannot do it.
    Unsupported,
    /// Stored or received data contradicts itself. An operator has to look.
    Corrupt,
    /// A defect of ours.
    Internal,
}

impl ErrorKind {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Timeout => "timeout",
            Self::RateLimited => "rate_limited",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::Denied => "denied",
            Self::Unsupported => "unsupported",
            Self::Corrupt => "corrupt",
            Self::Internal => "internal",
        }
    }

    /// Whether the same call may succeed later without any change. True for [`ErrorKind::Transient`],
    /// [`ErrorKind::Timeout`] and [`ErrorKind::RateLimited`].
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Transient | Self::Timeout | Self::RateLimited)
    }
}

impl std::fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Sorts an error into an [`ErrorKind`].
pub trait Classify {
    /// What the caller can do about it.
    fn kind(&self) -> ErrorKind;

    /// The earliest sensible time for a retry, if the other side named one.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// An error of another crate, kept as a source.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

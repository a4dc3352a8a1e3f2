//! Why a question had no answer.

use std::time::Duration;

use venus_core::api::IdentityError;
use venus_core::error::{BoxError, Classify, ErrorKind};

/// Why a question to the service had no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// An address of the service is none, or would carry the token in clear over a network.
    #[error("address of the account service: {0}")]
    Address(String),
    /// The service does not accept *our* token.
    #[error("the account service does not accept our token ({0}): give this component a new one")]
    OurToken(String),
    /// The service refuses, in its own words.
    #[error("{text}")]
    Refused {
        /// What the service said.
        text: String,
        /// What that means.
        kind: ErrorKind,
        /// When to ask again, if it said so.
        retry_after: Option<Duration>,
    },
    /// No address answered.
    #[error("account service unreachable: {0}")]
    Unreachable(#[source] BoxError),
    /// No answer in time. A change may have happened all the same.
    #[error("account service did not answer within {0:?}")]
    Timeout(Duration),
    /// An answer that cannot be read.
    #[error("answer of the account service: {0}")]
    Corrupt(String),
}

impl Classify for ClientError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Address(_) => ErrorKind::Invalid,
            Self::OurToken(_) => ErrorKind::Denied,
            Self::Refused { kind, .. } => *kind,
            Self::Unreachable(_) => ErrorKind::Transient,
            Self::Timeout(_) => ErrorKind::Timeout,
            Self::Corrupt(_) => ErrorKind::Corrupt,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl From<ClientError> for IdentityError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused { text, kind, retry_after } => match kind {
                ErrorKind::Unauthenticated => Self::Unauthenticated,
                ErrorKind::NotFound => Self::AccountNotFound(text),
                ErrorKind::RateLimited => Self::RateLimited { retry_after },
                ErrorKind::Transient | ErrorKind::Internal => Self::Transport(text.into()),
                ErrorKind::Corrupt => Self::Corrupt(text),
                ErrorKind::Denied => Self::Denied(text),
                _ => Self::Invalid(text),
            },
            ClientError::OurToken(text) => Self::Denied(text),
            ClientError::Address(text) => Self::Invalid(text),
            ClientError::Unreachable(source) => Self::Transport(source),
            ClientError::Timeout(after) => Self::Timeout(after),
            ClientError::Corrupt(text) => Self::Corrupt(text),
        }
    }
}

/// What a refusal means whose service does not say, as sophon-auth does not.
pub(super) fn kind_of(status: u16, text: &str) -> ErrorKind {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match status {
        403 => ErrorKind::Denied,
        404 => ErrorKind::Unsupported,
        408 | 504 => ErrorKind::Timeout,
        429 => ErrorKind::RateLimited,
        500.. => ErrorKind::Transient,
        _ if has(&["Permission Deny", "permission not found", "username not found"]) => ErrorKind::Denied,
        _ if has(&["get token: ", "parse user from input token", "illegal base64"]) => {
            ErrorKind::Unauthenticated
        }
        _ if has(&["not found", "not exist", "existing user"]) => ErrorKind::NotFound,
        _ if has(&["already exists", "is not deleted"]) => ErrorKind::Conflict,
        _ => ErrorKind::Invalid,
    }
}

/// A kind by its name on the wire.
pub(super) fn kind_named(name: &str) -> Option<ErrorKind> {
    let all = [
        ErrorKind::Transient,
        ErrorKind::Timeout,
        ErrorKind::RateLimited,
        ErrorKind::NotFound,
        ErrorKind::Conflict,
        ErrorKind::Invalid,
        ErrorKind::Unauthenticated,
        ErrorKind::Denied,
        ErrorKind::Unsupported,
        ErrorKind::Corrupt,
        ErrorKind::Internal,
    ];
    all.into_iter().find(|kind| kind.as_str() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_go() {
        assert_eq!(kind_of(400, "get token: Key not found"), ErrorKind::Unauthenticated);
        assert_eq!(kind_of(400, "Key not found"), ErrorKind::NotFound);
        assert_eq!(kind_of(400, "need admin prem: Permission Deny"), ErrorKind::Denied);
        assert_eq!(kind_of(400, "user already exists"), ErrorKind::Conflict);
        assert_eq!(kind_of(503, ""), ErrorKind::Transient);
        assert_eq!(kind_named("rate_limited"), Some(ErrorKind::RateLimited));
    }
}

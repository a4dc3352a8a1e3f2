//! What can go wrong with a call.

use std::time::Duration;

use super::RpcError;
use crate::error::{BoxError, Classify, ErrorKind};

/// Why a call has no result.
///
/// Only [`CallError::Rpc`] says that the other side looked at the call. After [`CallError::Timeout`] and
/// [`CallError::Disconnected`] the effect may have happened: repeat what is idempotent, look before repeating
/// the rest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The other side answered with an error.
    #[error("{0}")]
    Rpc(Box<RpcError>),
    /// No answer in time.
    #[error("{method}: no answer after {after:?}")]
    Timeout {
        /// The method.
        method: String,
        /// How long was waited.
        after: Duration,
    },
    /// The connection broke while the call was under way.
    #[error("websocket connection closed")]
    Disconnected,
    /// The connection could not be made, or the request not be sent: nothing happened there.
    #[error("cannot reach {url}: {source}")]
    Unreachable {
        /// Whom, without the token.
        url: String,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// HTTP said no before JSON-RPC was looked at: 401 for a token that is unknown, 429, 502 …
    #[error("http status {status}: {body}")]
    Status {
        /// The status code.
        status: u16,
        /// The beginning of what came with it.
        body: String,
    },
    /// What came is no answer to this call.
    #[error("{method}: unexpected answer: {reason}")]
    Decode {
        /// The method.
        method: String,
        /// What is wrong.
        reason: String,
    },
    /// The parameters do not serialise to a JSON array.
    #[error("{method}: parameters: {reason}")]
    Params {
        /// The method.
        method: String,
        /// What is wrong.
        reason: String,
    },
    /// Channels and reverse calls need a WebSocket.
    #[error("{0} needs a WebSocket")]
    NeedsWebSocket(String),
    /// The message is larger than the limit.
    #[error("{what} has {size} bytes, more than the limit of {limit}")]
    TooBig {
        /// Which message.
        what: &'static str,
        /// Its size in bytes, as far as it was read.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// As many calls are under way as may be.
    #[error("{0} calls are under way already")]
    TooMany(usize),
    /// This client, or the connection of this peer, has been shut down.
    #[error("shut down")]
    Closed,
}

impl From<RpcError> for CallError {
    fn from(error: RpcError) -> Self {
        Self::Rpc(Box::new(error))
    }
}

impl Classify for CallError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Rpc(error) => error.kind(),
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::Disconnected | Self::Unreachable { .. } | Self::Closed => ErrorKind::Transient,
            Self::Status { status, .. } => kind_of_status(*status),
            Self::Decode { .. } => ErrorKind::Corrupt,
            Self::Params { .. } | Self::TooBig { .. } => ErrorKind::Invalid,
            Self::NeedsWebSocket(_) => ErrorKind::Unsupported,
            Self::TooMany(_) => ErrorKind::RateLimited,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rpc(error) => error.retry_after,
            _ => None,
        }
    }
}

fn kind_of_status(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Unauthenticated,
        403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        429 => ErrorKind::RateLimited,
        400..=499 => ErrorKind::Invalid,
        _ => ErrorKind::Transient,
    }
}

impl From<CallError> for jsonrpsee::core::client::Error {
    /// An answered error becomes `Call`, everything else is `Transport` around the [`CallError`].
    fn from(error: CallError) -> Self {
        match error {
            CallError::Rpc(error) => Self::Call((*error).into()),
            other => Self::Transport(Box::new(other)),
        }
    }
}

impl From<jsonrpsee::core::client::Error> for CallError {
    /// Undoes the conversion the other way, so that users of generated clients can classify.
    fn from(error: jsonrpsee::core::client::Error) -> Self {
        use jsonrpsee::core::client::Error;
        match error {
            Error::Call(object) => RpcError::from(&object).into(),
            Error::Transport(source) => match source.downcast::<Self>() {
                Ok(own) => *own,
                Err(source) => Self::Unreachable { url: String::new(), source },
            },
            Error::ParseError(error) => Self::Decode { method: String::new(), reason: error.to_string() },
            other => Self::Unreachable { url: String::new(), source: Box::new(other) },
        }
    }
}

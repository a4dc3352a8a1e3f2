//! Errors of everything that asks or tells a node.

use std::time::Duration;

use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;

use crate::error::{BoxError, Classify, ErrorKind};

/// Why a node did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The node could not be reached, or the connection broke.
    #[error("node unreachable: {0}")]
    Transport(#[source] BoxError),
    /// No answer in time. Whether a write took effect is unknown.
    #[error("{method} timed out after {after:?}")]
    Timeout {
        /// The method that was called.
        method: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// The node does not know who calls. Check the token.
    #[error("node refused the token")]
    Unauthorized,
    /// The token lacks a permission.
    #[error("{method} needs the permission {need:?}")]
    PermissionDenied {
        /// The method that was called.
        method: String,
        /// The permission that is missing.
        need: String,
    },
    /// The node cannot do this.
    #[error("node does not support {0}")]
    Unsupported(String),
    /// No actor has this address in the state asked for.
    #[error("actor {0} not found")]
    ActorNotFound(Address),
    /// No block was made at this epoch.
    #[error("epoch {0} is a null round")]
    NullRound(ChainEpoch),
    /// The node does not have this tipset.
    #[error("tipset {0} not found")]
    TipsetNotFound(String),
    /// The node does not have this block.
    #[error("block {0} not found")]
    BlockNotFound(Cid),
    /// The node does not have this message.
    #[error("message {0} not found")]
    MessageNotFound(Cid),
    /// The height lies above the anchor or the head.
    #[error("height {wanted} lies above {head}")]
    HeightAhead {
        /// The height asked for.
        wanted: ChainEpoch,
        /// The height of the anchor.
        head: ChainEpoch,
    },
    /// Executing the message fails, so gas cannot be estimated.
    #[error("message would fail with exit code {exit_code}: {reason}")]
    ExecutionFailed {
        /// The exit code.
        exit_code: u32,
        /// What went wrong, in words.
        reason: String,
    },
    /// The mempool refused a message.
    #[error("message refused: {0}")]
    Pool(#[from] PoolReject),
    /// A block was refused.
    #[error("block refused: {0}")]
    Block(#[from] BlockReject),
    /// The node answered something that is no answer.
    #[error("{method}: {reason}")]
    Decode {
        /// The method that was called.
        method: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// Stored chain data contradicts itself.
    #[error("chain data is corrupt: {0}")]
    Corrupt(String),
    /// An argument is wrong.
    #[error("{0}")]
    Invalid(String),
    /// A state upgrade lies at this epoch, and the node does not run it for a query.
    #[error("refusing explicit call due to state fork{}", .0.map(|epoch| format!(" at epoch {epoch}")).unwrap_or_default())]
    ExpensiveFork(Option<ChainEpoch>),
    /// The node answered with an error that none of the others describes.
    #[error("{method}: {message} (code {code})")]
    Rpc {
        /// The method that was called.
        method: &'static str,
        /// The code on the wire.
        code: i64,
        /// The text of the node.
        message: String,
        /// What can be done about it.
        kind: ErrorKind,
        /// When a retry makes sense, if the node said so.
        retry_after: Option<Duration>,
    },
    /// The node is shutting down.
    #[error("node is shutting down")]
    Closed,
}

/// Why a mempool refuses a message. Filecoin nodes agree on these classes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolReject {
    /// The nonce is below the sender's.
    #[error("message nonce too low: sender is at {expected}")]
    NonceTooLow {
        /// The sender's next nonce on chain.
        expected: u64,
    },
    /// A message with this nonce waits already, and fees do not allow replacing it.
    #[error("replace by fee has too low GasPremium: at least {min_premium} attoFIL")]
    ReplacePremiumTooLow {
        /// The least premium that replaces it, decimal attoFIL.
        min_premium: String,
    },
    /// A message with this nonce waits already.
    #[error("message with nonce already exists")]
    NonceTaken,
    /// The sender cannot pay value and gas.
    #[error("not enough funds to execute transaction")]
    InsufficientFunds,
    /// More than 64 KiB.
    #[error("message too big")]
    TooBig,
    /// The fee cap is below the base fee's lower bound.
    #[error("gas fee cap too low")]
    FeeCapTooLow,
    /// A nonce before this one is missing.
    #[error("unfulfilled nonce gap")]
    NonceGap,
    /// The sender has too many messages waiting.
    #[error("too many pending messages")]
    TooManyPending,
    /// The signature does not verify, or the sender cannot be one.
    #[error("signature: {0}")]
    Signature(String),
    /// A field breaks a rule of the protocol.
    #[error("{0}")]
    Invalid(String),
}

/// Why a node refuses a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockReject {
    /// Publishing it would be a consensus fault.
    #[error("slash filter detected fault due to witness {witness}")]
    SlashFilter {
        /// The earlier block that this one contradicts.
        witness: Cid,
    },
    /// The parents are not known.
    #[error("parents not found")]
    UnknownParents,
    /// The node does not have a message of the block.
    #[error("failed to load message {0}")]
    MissingMessage(Cid),
    /// A rule of block validation does not hold.
    #[error("{rule}: {reason}")]
    Rule {
        /// The field or rule, by its name in the specification.
        rule: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl Classify for ChainError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Transport(_) | Self::Closed => ErrorKind::Transient,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::Unauthorized => ErrorKind::Unauthenticated,
            Self::PermissionDenied { .. } => ErrorKind::Denied,
            Self::Unsupported(_) => ErrorKind::Unsupported,
            Self::ActorNotFound(_)
            | Self::NullRound(_)
            | Self::TipsetNotFound(_)
            | Self::BlockNotFound(_)
            | Self::MessageNotFound(_)
            | Self::HeightAhead { .. } => ErrorKind::NotFound,
            Self::ExecutionFailed { .. } | Self::Invalid(_) => ErrorKind::Invalid,
            // Another node, or the same one later, may have the state at hand.
            Self::ExpensiveFork(_) => ErrorKind::Unsupported,
            Self::Rpc { kind, .. } => *kind,
            Self::Pool(reject) => reject.kind(),
            Self::Block(reject) => reject.kind(),
            Self::Decode { .. } | Self::Corrupt(_) => ErrorKind::Corrupt,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rpc { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl Classify for PoolReject {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NonceTooLow { .. } | Self::NonceTaken | Self::ReplacePremiumTooLow { .. } => {
                ErrorKind::Conflict
            }
            // A gap fills, funds arrive, a queue drains: the same bytes may pass later.
            Self::NonceGap | Self::InsufficientFunds | Self::FeeCapTooLow => ErrorKind::Transient,
            Self::TooManyPending => ErrorKind::RateLimited,
            Self::TooBig | Self::Signature(_) | Self::Invalid(_) => ErrorKind::Invalid,
        }
    }
}

impl Classify for BlockReject {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::SlashFilter { .. } => ErrorKind::Conflict,
            Self::UnknownParents | Self::MissingMessage(_) => ErrorKind::NotFound,
            Self::Rule { .. } => ErrorKind::Invalid,
        }
    }
}

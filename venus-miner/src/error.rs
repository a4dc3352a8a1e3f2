//! Errors of a whole round. What goes wrong for one miner is in the report instead.

use venus_core::api::ChainError;
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::ChainEpoch;

use crate::store::StoreError;

/// Why a round could not be mined at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MinerError {
    /// A setting is wrong.
    #[error("{field}: {reason}")]
    Config {
        /// The setting.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The node did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A block must be above its parents.
    #[error("epoch {epoch} is not above the base at height {base}")]
    Epoch {
        /// The epoch asked for.
        epoch: ChainEpoch,
        /// The height of the base.
        base: ChainEpoch,
    },
}

impl Classify for MinerError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Config { .. } | Self::Epoch { .. } => ErrorKind::Invalid,
            Self::Chain(e) => e.kind(),
            Self::Store(e) => e.kind(),
        }
    }
}

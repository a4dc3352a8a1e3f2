//! Errors of running a devnet. What its faces answer is [`ChainError`].

use std::path::PathBuf;

use venus_core::api::{ChainError, ProverError, SignerError};
use venus_core::error::{Classify, ErrorKind};

/// Why a devnet does not start, or does not fork.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevnetError {
    /// A field of the configuration is wrong.
    #[error("configuration: {field}: {reason}")]
    Config {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Reading or writing the block log failed.
    #[error("block log {path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another devnet runs in this directory.
    #[error("{0} is in use")]
    InUse(PathBuf),
    /// The block log belongs to another genesis, so to another configuration.
    #[error(
        "block log {path} belongs to the genesis {found}, the configuration gives {expected}. Use the configuration that it began with, or another directory"
    )]
    WrongGenesis {
        /// The log.
        path: PathBuf,
        /// The genesis of the configuration.
        expected: String,
        /// The genesis of the log.
        found: String,
    },
    /// The block log is damaged in another place than its end. Nothing was changed.
    #[error(
        "block log {path} is damaged at byte {offset}: {reason}. Restore the file from a copy, or begin anew in another directory"
    )]
    Corrupt {
        /// The log.
        path: PathBuf,
        /// Offset of the damaged record.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The log failed in a way that leaves open what is on disk: no block is taken any more. Start again.
    #[error("block log failed earlier; restart the devnet")]
    LogFailed,
    /// The sum of all balances is not what there is.
    #[error("supply: balances sum up to {found} attoFIL")]
    Supply {
        /// The sum, decimal attoFIL.
        found: String,
    },
    /// A fork that was asked for cannot be made.
    #[error("fork: {0}")]
    Fork(String),
    /// A request of the control that makes no sense, or not now.
    #[error("{0}")]
    Control(String),
    /// The prover has no proof.
    #[error(transparent)]
    Prover(#[from] ProverError),
    /// The chain refused.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The signer refused.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

impl Classify for DevnetError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Config { .. } | Self::Fork(_) | Self::Control(_) => ErrorKind::Invalid,
            Self::Io { .. } | Self::LogFailed => ErrorKind::Transient,
            Self::InUse(_) | Self::WrongGenesis { .. } => ErrorKind::Conflict,
            Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::Supply { .. } => ErrorKind::Internal,
            Self::Chain(e) => e.kind(),
            Self::Signer(e) => e.kind(),
            Self::Prover(e) => e.kind(),
        }
    }
}

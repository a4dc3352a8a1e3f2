//! Why the program ends otherwise than well.

use std::io;
use std::path::PathBuf;

use venus_bins_common::dirlock::DirLockError;
use venus_bins_common::logging::LoggingError;
use venus_bins_common::metrics::MetricsError;
use venus_bins_common::task::TaskError;
use venus_core::api::SignerError;
use venus_core::rpc::CallError;
use venus_devnet::DevnetError;
use venus_signer::WalletError;

/// Exit code of what broke.
const FAILED: u8 = 1;
/// Exit code of options and directories that cannot be used.
const UNUSABLE: u8 = 2;

/// Why the program ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CliError {
    /// Options that make no sense together.
    #[error("{0}")]
    Usage(String),
    /// The directory belongs to another chain.
    #[error(
        "{} holds another chain: {differences}. Leave these options out to continue it, or name another --dir",
        dir.display()
    )]
    OtherChain {
        /// The directory.
        dir: PathBuf,
        /// What differs, in words.
        differences: String,
    },
    /// The directory holds something else.
    #[error("{} is no directory of a devnet: it holds {found}. Name another --dir", dir.display())]
    Foreign {
        /// The directory.
        dir: PathBuf,
        /// What stands there.
        found: String,
    },
    /// A file of the directory cannot be understood.
    #[error("{} is damaged: {reason}. Restore it, or name another --dir", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The directory is taken, or cannot be used.
    #[error("{0}{advice}", advice = lock_advice(.0))]
    Lock(#[from] DirLockError),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The port is taken.
    #[error("cannot listen on {address}: {source}. Name another address: --face {face}=ADDRESS:PORT")]
    Listen {
        /// The face.
        face: &'static str,
        /// Where.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// No devnet runs.
    #[error(
        "no devnet runs in {}: start it with `venus-devnet run --dir …`, or name a running one by --url",
        .0.display()
    )]
    NotRunning(PathBuf),
    /// The devnet did not answer, or refused.
    #[error("{0}")]
    Call(#[from] CallError),
    /// The chain does not start.
    #[error("{0}")]
    Devnet(#[from] DevnetError),
    /// A key cannot be made.
    #[error("keys: {0}")]
    Wallet(#[from] WalletError),
    /// The keys do not answer.
    #[error("keys: {0}")]
    Signer(#[from] SignerError),
    /// The log cannot be written.
    #[error("{0}")]
    Logging(#[from] LoggingError),
    /// Nothing is counted.
    #[error("{0}")]
    Metrics(#[from] MetricsError),
    /// A part of the running daemon failed.
    #[error("{0}")]
    Task(#[from] TaskError),
    /// The system refused.
    #[error("{0}")]
    System(#[from] io::Error),
}

impl CliError {
    /// What the shell is told.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::OtherChain { .. }
            | Self::Foreign { .. }
            | Self::Damaged { .. }
            | Self::Lock(_) => UNUSABLE,
            Self::Devnet(
                DevnetError::Config { .. }
                | DevnetError::InUse(_)
                | DevnetError::WrongGenesis { .. }
                | DevnetError::Corrupt { .. },
            ) => UNUSABLE,
            _ => FAILED,
        }
    }
}

fn lock_advice(error: &DirLockError) -> &'static str {
    match error {
        DirLockError::InUse { .. } => ". Stop that devnet, or name another --dir",
        _ => ". Make it writable for this user, or name another --dir",
    }
}

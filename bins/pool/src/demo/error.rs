//! Why a run did not end with a result, and what to do about it.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use venus_bins_common::dirlock::DirLockError;
use venus_bins_common::logging::LoggingError;
use venus_bins_common::shutdown::INTERRUPTED;
use venus_core::api::{ChainError, MessagerError, ProverError};
use venus_core::types::ChainEpoch;
use venus_devnet::DevnetError;
use venus_miner::MinerError;
use venus_signer::WalletError;

/// Databases answer with texts of their own, and what fails for one miner is told in words.
const STORAGE_TEXTS: [&str; 8] = [
    "database or disk is full",
    "disk I/O error",
    "readonly database",
    "unable to open database",
    "No space left on device",
    "File too large",
    "Read-only file system",
    "Permission denied",
];

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error(transparent)]
    Lock(#[from] DirLockError),
    #[error("directory {} holds {name:?} and is not that of a demo", dir.display())]
    NotADemo { dir: PathBuf, name: String },
    #[error("directory {} belongs to a run with other arguments: {differences}", dir.display())]
    OtherArguments { dir: PathBuf, differences: String },
    #[error("{} cannot be read: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("cannot use {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("stopped; the state is kept in {}", dir.display())]
    Stopped { dir: PathBuf },
    #[error("message {id:?} is {state} and not on its way: {reason}")]
    Undelivered { id: String, state: &'static str, reason: String },
    #[error("chain: {0}")]
    Corrupt(String),
    #[error("cannot watch for Ctrl-C: {0}")]
    Signals(#[source] io::Error),
    #[error("cannot start the runtime: {0}")]
    Runtime(#[source] io::Error),
    #[error(transparent)]
    Logging(#[from] LoggingError),
    #[error("keys: {0}")]
    Wallet(#[from] WalletError),
    #[error("chain: {0}")]
    Devnet(#[from] DevnetError),
    #[error("chain: {0}")]
    Chain(#[from] ChainError),
    #[error("messager: {0}")]
    Messager(#[from] MessagerError),
    #[error("miner, epoch {epoch}: {reason}")]
    Round { epoch: ChainEpoch, reason: String },
    #[error("prover: {0}")]
    Prover(#[from] ProverError),
    #[error("miner: {0}")]
    Miner(#[from] MinerError),
}

impl DemoError {
    /// 130 for a stop, as shells report Ctrl-C; 2 for what other arguments or another directory would mend.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Stopped { .. } => u8::try_from(INTERRUPTED).unwrap_or(1),
            Self::Lock(_)
            | Self::NotADemo { .. }
            | Self::OtherArguments { .. }
            | Self::Damaged { .. }
            | Self::File { .. }
            | Self::Logging(_) => 2,
            _ if self.is_storage() => 2,
            _ => 1,
        }
    }

    /// The error and what it came from, each thing said once.
    pub(crate) fn text(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(error) = source {
            let cause = error.to_string();
            if !text.contains(&cause) {
                text = format!("{text}: {cause}");
            }
            source = error.source();
        }
        text
    }

    /// What the user can do.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Lock(DirLockError::InUse { .. }) => {
                "wait until that process has ended or stop it, or choose another --dir"
            }
            Self::NotADemo { .. } => "choose a directory that is new or empty with --dir",
            Self::OtherArguments { .. } => {
                "repeat those arguments to continue that run, or choose another --dir for a new one"
            }
            Self::Damaged { .. } => "choose another --dir, or delete this one to start anew",
            Self::Stopped { .. } => "run the same command again to continue",
            Self::Logging(_) => "mend the variable VENUS_LOG or unset it",
            _ if self.is_storage() => {
                "make sure that --dir is a directory that you may write to, on a disk with free space; \
                 then run the same command again, which continues where this run ended"
            }
            _ => "what is stored is intact: run the same command again to continue",
        }
    }

    /// Whether the disk or its permissions are to blame, as far down as that may have happened.
    fn is_storage(&self) -> bool {
        if matches!(self, Self::Lock(_) | Self::File { .. }) {
            return true;
        }
        let mut cause: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = cause {
            let io = error.downcast_ref::<io::Error>();
            let text = error.to_string();
            if io.is_some_and(is_full_or_forbidden) || STORAGE_TEXTS.iter().any(|t| text.contains(t)) {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

fn is_full_or_forbidden(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::FileTooLarge
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::PermissionDenied
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_found_below_other_errors() {
        let full = io::Error::from(ErrorKind::StorageFull);
        let error = DemoError::Messager(MessagerError::Store(Box::new(full)));
        assert_eq!(error.exit_code(), 2);
        assert!(error.hint().contains("free space"));
        let text = DemoError::Messager(MessagerError::Store("database or disk is full".into())).text();
        assert_eq!(text.matches("database or disk is full").count(), 1, "{text}");
    }

    #[test]
    fn other_failures_are_no_usage_errors() {
        let error = DemoError::Chain(ChainError::Closed);
        assert_eq!(error.exit_code(), 1);
        assert!(error.hint().contains("again"));
        assert_eq!(DemoError::Stopped { dir: "d".into() }.exit_code(), 130);
    }
}

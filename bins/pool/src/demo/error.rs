//! Why a run did not end with a result, and what to do about it.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use venus_bins_common::dirlock::DirLockError;
use venus_bins_common::logging::LoggingError;
use venus_bins_common::shutdown::INTERRUPTED;
use venus_core::api::{ChainError, MessagerError, ProverError};
use venus_core::types::ChainEpoch;
use venus_devnet::DevnetError;
use venus_miner::{MinerError, StoreError};
use venus_signer::WalletError;

/// What went wrong for one miner, or for one message, is told in words only: by then it is a text in a report or in
/// a row of the messager. Everywhere else the error itself is there and its type decides.
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
/// As [`STORAGE_TEXTS`], for databases whose content is not what SQLite wrote.
const DAMAGE_TEXTS: [&str; 2] = ["database disk image is malformed", "file is not a database"];

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error(transparent)]
    Lock(#[from] DirLockError),
    #[error("directory {} holds {name:?} and is not that of a demo", dir.display())]
    NotADemo { dir: PathBuf, name: String },
    #[error("directory {} belongs to a run with other arguments: {differences}", dir.display())]
    OtherArguments { dir: PathBuf, differences: String },
    #[error("--dir {} is not UTF-8", dir.display())]
    NotUtf8 { dir: PathBuf },
    #[error("{} is damaged: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("cannot use {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("cannot read {}: {source}", path.display())]
    Database { path: PathBuf, source: sqlx::Error },
    #[error("stopped; the state is kept in {}", dir.display())]
    Stopped { dir: PathBuf },
    #[error("message {id:?} is {state} and not on its way: {reason}")]
    Undelivered { id: String, state: &'static str, reason: String },
    #[error("chain: {0}")]
    Corrupt(String),
    #[error("recipient: {0}")]
    Recipient(String),
    #[error("cannot watch for Ctrl-C: {0}")]
    Signals(#[source] io::Error),
    #[error("cannot start the runtime: {0}")]
    Runtime(#[source] io::Error),
    #[error(transparent)]
    Logging(#[from] LoggingError),
    #[error("keys: {0}")]
    Wallet(#[from] WalletError),
    #[error("chain: {0}")]
    Devnet(#[source] DevnetError),
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

impl From<DevnetError> for DemoError {
    fn from(error: DevnetError) -> Self {
        match error {
            DevnetError::Corrupt { path, offset, reason } => {
                Self::Damaged { path, reason: format!("at byte {offset}: {reason}") }
            }
            DevnetError::WrongGenesis { path, expected, found } => {
                let reason = format!("it begins with the genesis {found} instead of {expected}");
                Self::Damaged { path, reason }
            }
            other => Self::Devnet(other),
        }
    }
}

/// What the disk or its content has to do with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// No space left.
    Full,
    /// It may not be written.
    Forbidden,
    /// The name is too long.
    Name,
    /// A part of the path is missing or no directory.
    Path,
    /// The content is not what was written.
    Damaged,
    /// Any other failure.
    Other,
}

impl DemoError {
    /// What SQLite says about a file.
    pub(crate) fn database(path: &Path, source: sqlx::Error) -> Self {
        let path = path.to_path_buf();
        match fault_of_sqlite(&source) {
            Some(Fault::Damaged) => Self::Damaged { path, reason: source.to_string() },
            _ => Self::Database { path, source },
        }
    }

    /// 130 for a stop, as shells report Ctrl-C; 2 for what other arguments or another directory would mend.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Stopped { .. } => u8::try_from(INTERRUPTED).unwrap_or(1),
            Self::Lock(_)
            | Self::NotADemo { .. }
            | Self::NotUtf8 { .. }
            | Self::OtherArguments { .. }
            | Self::Logging(_) => 2,
            _ if self.fault().is_some() => 2,
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
            Self::NotUtf8 { .. } => "choose a directory whose whole path is UTF-8 with --dir",
            Self::Stopped { .. } => "run the same command again to continue",
            Self::Logging(_) => "mend the variable VENUS_LOG or unset it",
            _ => self
                .fault()
                .map_or("what is stored is intact: run the same command again to continue", Fault::hint),
        }
    }

    /// Whether the disk or what is on it is to blame, as far down as that may have happened.
    fn fault(&self) -> Option<Fault> {
        match self {
            Self::Damaged { .. }
            | Self::Corrupt(_)
            | Self::Chain(ChainError::Corrupt(_))
            | Self::Messager(MessagerError::Corrupt(_))
            | Self::Miner(MinerError::Store(StoreError::Corrupt { .. })) => return Some(Fault::Damaged),
            Self::Round { reason, .. } | Self::Undelivered { reason, .. } => return fault_of_text(reason),
            _ => {}
        }
        let mut cause: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = cause {
            let io = error.downcast_ref::<io::Error>().and_then(fault_of_io);
            if let Some(fault) = io.or_else(|| error.downcast_ref().and_then(fault_of_sqlite)) {
                return Some(fault);
            }
            cause = error.source();
        }
        // Files of our own: whatever the reason, it lies with them.
        matches!(self, Self::Lock(_) | Self::File { .. } | Self::Database { .. }).then_some(Fault::Other)
    }
}

impl Fault {
    fn hint(self) -> &'static str {
        match self {
            Self::Full => {
                "make free space on the disk of --dir; then run the same command again, which continues where this \
                 run ended"
            }
            Self::Forbidden => {
                "make sure that --dir is a directory that you may write to; then run the same command again, which \
                 continues where this run ended"
            }
            Self::Name => "choose a shorter name with --dir",
            Self::Path => {
                "make sure that every part of --dir's path exists and is a directory that you may write to, or \
                 choose another --dir"
            }
            Self::Damaged => "delete this folder to start anew, or choose another --dir",
            Self::Other => {
                "make sure that --dir is a directory that you may write to, on a disk with free space; \
                 then run the same command again, which continues where this run ended"
            }
        }
    }
}

fn fault_of_io(error: &io::Error) -> Option<Fault> {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Some(Fault::Full),
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Some(Fault::Forbidden),
        ErrorKind::InvalidFilename => Some(Fault::Name),
        ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::AlreadyExists => Some(Fault::Path),
        _ => None,
    }
}

/// By the primary result code, which is the lowest byte of what SQLite answers.
fn fault_of_sqlite(error: &sqlx::Error) -> Option<Fault> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    match code & 0xff {
        8 => Some(Fault::Forbidden),     // SQLITE_READONLY
        13 => Some(Fault::Full),         // SQLITE_FULL
        10 | 14 => Some(Fault::Other),   // SQLITE_IOERR, SQLITE_CANTOPEN
        11 | 26 => Some(Fault::Damaged), // SQLITE_CORRUPT, SQLITE_NOTADB
        _ => None,
    }
}

fn fault_of_text(text: &str) -> Option<Fault> {
    if DAMAGE_TEXTS.iter().any(|t| text.contains(t)) {
        return Some(Fault::Damaged);
    }
    STORAGE_TEXTS.iter().any(|t| text.contains(t)).then_some(Fault::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_found_below_other_errors() {
        let full = io::Error::from(ErrorKind::StorageFull);
        let text = full.to_string();
        let error = DemoError::Messager(MessagerError::Store(Box::new(full)));
        assert_eq!(error.exit_code(), 2);
        assert!(error.hint().contains("free space"));
        assert_eq!(error.text().matches(&text).count(), 1, "{}", error.text());
        let devnet = DevnetError::Io { path: "log".into(), source: ErrorKind::FileTooLarge.into() };
        let error = DemoError::Chain(ChainError::Transport(Box::new(devnet)));
        assert!(error.exit_code() == 2 && error.hint().contains("free space"));
        let reason = "submit: node unreachable: block log: No space left on device".to_owned();
        let error = DemoError::Round { epoch: 3, reason };
        assert!(error.exit_code() == 2 && error.hint().contains("free space"));
    }

    #[test]
    fn damage_is_told_apart_from_what_passes() {
        let path = PathBuf::from("chain/blocks.log");
        let error = DemoError::from(DevnetError::Corrupt { path, offset: 46, reason: "no".into() });
        assert_eq!(error.text(), "chain/blocks.log is damaged: at byte 46: no");
        let (expected, found) = ("a".into(), "b".into());
        let genesis = DemoError::from(DevnetError::WrongGenesis { path: "log".into(), expected, found });
        let row = DemoError::Messager(MessagerError::Corrupt("row".into()));
        let malformed = "reserve: database: database disk image is malformed".to_owned();
        for error in [error, genesis, row, DemoError::Round { epoch: 1, reason: malformed }] {
            assert_eq!(error.exit_code(), 2, "{error}");
            assert!(error.hint().contains("delete this folder to start anew"), "{error}");
        }
    }

    #[test]
    fn the_kind_of_an_io_error_decides_what_to_do() {
        for (kind, word) in [
            (ErrorKind::QuotaExceeded, "free space"),
            (ErrorKind::PermissionDenied, "may write to"),
            (ErrorKind::InvalidFilename, "shorter name"),
            (ErrorKind::NotFound, "every part"),
            (ErrorKind::Interrupted, "same command again"),
        ] {
            let error = DemoError::File { path: "d".into(), source: kind.into() };
            assert_eq!(error.exit_code(), 2);
            assert!(error.hint().contains(word), "{kind}: {}", error.hint());
        }
    }

    #[test]
    fn other_failures_are_no_usage_errors() {
        let error = DemoError::Chain(ChainError::Closed);
        assert_eq!(error.exit_code(), 1);
        assert!(error.hint().contains("again"));
        assert_eq!(DemoError::Stopped { dir: "d".into() }.exit_code(), 130);
    }
}

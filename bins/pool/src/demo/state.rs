//! The directory of a run: who uses it, which arguments made it, whether it is finished.
//!
//! `demo.json` says which arguments the rest belongs to, so it is written before anything else; `result.json`
//! is written last. Both appear by rename and are therefore whole or absent, whenever the process is killed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use venus_bins_common::dirlock::{DirLock, LOCK_FILE};

use super::error::DemoError;
use super::report::Report;

/// What a file system puts into the root of every disk; it is in nobody's way.
const LOST_AND_FOUND: &str = "lost+found";
const SPEC_FILE: &str = "demo.json";
pub(crate) const RESULT_FILE: &str = "result.json";
const TEMPORARY: &str = ".tmp";
/// Folder of the chain's block log.
pub(crate) const CHAIN: &str = "chain";
/// The log in it, as the devnet names it.
pub(crate) const CHAIN_LOG: &str = "chain/blocks.log";
/// Database of the messager.
pub(crate) const MESSAGER: &str = "messager.db";
/// Database of the miner.
pub(crate) const MINER: &str = "miner.db";
/// Raised whenever the same arguments would give another chain, so that an old directory is not continued.
const FORMAT: u32 = 2;

/// What decides the course of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spec {
    format: u32,
    pub(crate) seed: u64,
    pub(crate) messages: u64,
    pub(crate) miners: u64,
    pub(crate) epochs: u64,
    pub(crate) fork: bool,
}

impl Spec {
    pub(crate) fn new(seed: u64, messages: u64, miners: u64, epochs: u64, fork: bool) -> Self {
        Self { format: FORMAT, seed, messages, miners, epochs, fork }
    }

    /// What the directory's arguments `self` and the wanted ones differ in, in words.
    fn differences(&self, wanted: &Self) -> String {
        let pairs = [
            ("state format", u64::from(self.format), u64::from(wanted.format)),
            ("--seed", self.seed, wanted.seed),
            ("--messages", self.messages, wanted.messages),
            ("--miners", self.miners, wanted.miners),
            ("--epochs", self.epochs, wanted.epochs),
        ];
        let numbers = pairs.into_iter().filter(|(_, is, asked)| is != asked);
        let mut found: Vec<_> =
            numbers.map(|(name, is, asked)| format!("{name} is {is} there and {asked} here")).collect();
        match (self.fork, wanted.fork) {
            (true, false) => found.push("--fork is set there and not here".into()),
            (false, true) => found.push("--fork is not set there but here".into()),
            _ => {}
        }
        found.join(", ")
    }
}

/// A directory that this process alone may use.
#[derive(Debug)]
pub(crate) struct StateDir {
    lock: DirLock,
}

impl StateDir {
    /// Takes the directory for a run with these arguments, creating it where it is missing. Changes nothing in a
    /// directory that it refuses.
    ///
    /// # Errors
    /// In use, not ours, of other arguments, damaged, or not writable.
    pub(crate) fn open(dir: &Path, spec: &Spec) -> Result<Self, DemoError> {
        refuse_foreign(dir)?;
        let lock = DirLock::acquire(dir)?;
        // Names again: the directory may have been filled before we held it.
        refuse_foreign(dir)?;
        let state = Self { lock };
        match state.read::<Spec>(SPEC_FILE)? {
            Some(found) if found == *spec => Ok(state),
            Some(found) => {
                let differences = found.differences(spec);
                Err(DemoError::OtherArguments { dir: dir.to_path_buf(), differences })
            }
            None => state.write(SPEC_FILE, spec).map(|()| state),
        }
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        self.lock.dir()
    }

    /// The result of the run, if it is finished.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn result(&self) -> Result<Option<Report>, DemoError> {
        self.read(RESULT_FILE)
    }

    /// Marks the run as finished.
    ///
    /// # Errors
    /// If it cannot be stored; the run is not finished then.
    pub(crate) fn finish(&self, report: &Report) -> Result<(), DemoError> {
        self.write(RESULT_FILE, report)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, DemoError> {
        let path = self.path().join(name);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(DemoError::File { path, source }),
        };
        let read = serde_json::from_slice(&text);
        read.map(Some).map_err(|error| DemoError::Damaged { path, reason: error.to_string() })
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<(), DemoError> {
        let path = self.path().join(name);
        let temporary = self.path().join(format!("{name}{TEMPORARY}"));
        let written = serde_json::to_vec(value)
            .map_err(io::Error::from)
            .and_then(|bytes| write_durably(self.path(), &temporary, &path, &bytes));
        written.map_err(|source| DemoError::File { path, source })
    }
}

fn write_durably(dir: &Path, temporary: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(temporary)?;
    file.write_all(bytes)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    // The new name is only durable once the directory is.
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

/// Refuses a directory with files that no demo makes, so that a mistyped `--dir` damages nothing.
fn refuse_foreign(dir: &Path) -> Result<(), DemoError> {
    let failed = |source| DemoError::File { path: dir.to_path_buf(), source };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    match stranger(&names) {
        Some(name) => Err(DemoError::NotADemo { dir: dir.to_path_buf(), name: name.to_owned() }),
        None => Ok(()),
    }
}

/// The first name that says that the directory is not that of a demo. Before `demo.json` stands there is at most
/// the lock and the file that becomes `demo.json`.
fn stranger(names: &[String]) -> Option<&str> {
    let early = |name: &str| name == LOCK_FILE || name.strip_suffix(TEMPORARY) == Some(SPEC_FILE);
    let has_spec = names.iter().any(|name| name == SPEC_FILE);
    let known = |name: &str| name == LOST_AND_FOUND || early(name) || has_spec && is_ours(name);
    names.iter().map(String::as_str).find(|name| !known(name))
}

fn is_ours(name: &str) -> bool {
    let base = [TEMPORARY, "-wal", "-shm", "-journal"].iter().find_map(|end| name.strip_suffix(end));
    [SPEC_FILE, RESULT_FILE, CHAIN, MESSAGER, MINER].contains(&base.unwrap_or(name))
}

/// The absolute form of a path for messages, so that it is clear which folder is meant.
///
/// # Errors
/// [`DemoError::NotUtf8`]: databases are opened by text, and another folder than the one meant must not be taken.
pub(crate) fn absolute(dir: &Path) -> Result<PathBuf, DemoError> {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_path_buf());
    if dir.to_str().is_none() { Err(DemoError::NotUtf8 { dir }) } else { Ok(dir) }
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::sample;
    use super::*;

    fn spec() -> Spec {
        Spec::new(7, 100, 3, 20, false)
    }

    fn names_in(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn keeps_arguments_and_result() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("a").join("b");
        let state = StateDir::open(&dir, &spec()).unwrap();
        assert_eq!(state.result().unwrap(), None);
        state.finish(&sample()).unwrap();
        assert!(matches!(StateDir::open(&dir, &spec()), Err(DemoError::Lock(_))));
        drop(state);
        assert_eq!(StateDir::open(&dir, &spec()).unwrap().result().unwrap(), Some(sample()));
        assert_eq!(names_in(&dir), [LOCK_FILE, SPEC_FILE, RESULT_FILE]);
    }

    #[test]
    fn names_each_argument_that_differs() {
        let tmp = tempfile::tempdir().unwrap();
        drop(StateDir::open(tmp.path(), &spec()).unwrap());
        let error = StateDir::open(tmp.path(), &Spec::new(8, 100, 3, 21, true)).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("--seed is 7 there and 8 here"), "{text}");
        assert!(text.contains("--epochs is 20 there and 21 here"), "{text}");
        assert!(text.contains("--fork is not set there but here"), "{text}");
        assert!(!text.contains("--messages") && !text.contains("--miners"), "{text}");
    }

    #[test]
    fn leaves_foreign_directories_alone() {
        for names in [vec!["notes.txt"], vec![MINER], vec![SPEC_FILE, "notes.txt"], vec![RESULT_FILE]] {
            let tmp = tempfile::tempdir().unwrap();
            for name in &names {
                fs::write(tmp.path().join(name), "mine").unwrap();
            }
            let before = names_in(tmp.path());
            let error = StateDir::open(tmp.path(), &spec()).unwrap_err();
            assert!(matches!(error, DemoError::NotADemo { .. }), "{names:?}: {error}");
            assert_eq!(names_in(tmp.path()), before);
        }
    }

    #[test]
    fn the_root_of_a_disk_will_do() {
        let tmp = tempfile::tempdir().unwrap();
        fs::create_dir(tmp.path().join(LOST_AND_FOUND)).unwrap();
        drop(StateDir::open(tmp.path(), &spec()).unwrap());
        drop(StateDir::open(tmp.path(), &spec()).unwrap());
        assert_eq!(names_in(tmp.path()), [LOCK_FILE, SPEC_FILE, LOST_AND_FOUND]);
    }

    #[cfg(unix)]
    #[test]
    fn a_path_must_be_text() {
        use std::os::unix::ffi::OsStrExt;
        let dir = Path::new(std::ffi::OsStr::from_bytes(b"demo\xff"));
        let error = absolute(dir).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.hint().contains("UTF-8"), "{error}");
    }

    #[test]
    fn starts_over_what_was_killed_before_the_arguments_stood() {
        let tmp = tempfile::tempdir().unwrap();
        fs::write(tmp.path().join(LOCK_FILE), "").unwrap();
        fs::write(tmp.path().join("demo.json.tmp"), r#"{"for"#).unwrap();
        StateDir::open(tmp.path(), &spec()).unwrap();
        assert_eq!(names_in(tmp.path()), [LOCK_FILE, SPEC_FILE]);
    }

    #[test]
    fn damaged_arguments_are_named() {
        let tmp = tempfile::tempdir().unwrap();
        fs::write(tmp.path().join(SPEC_FILE), "{}").unwrap();
        let error = StateDir::open(tmp.path(), &spec()).unwrap_err();
        assert!(error.to_string().contains(SPEC_FILE), "{error}");
    }
}

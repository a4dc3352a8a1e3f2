//! One process per data directory.
//!
//! The lock is an advisory one on the open file `<dir>/LOCK` (`flock` on Unix). The kernel drops it when the process
//! ends, however it ends, so a crash or `kill -9` leaves nothing to clean up. The file itself stays: removing it would
//! let a second process lock a new file of the same name while the first still holds the old one.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Name of the lock file inside the directory.
pub const LOCK_FILE: &str = "LOCK";

/// Why a directory could not be taken. Nothing in the directory was changed, except that it may have been created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirLockError {
    /// Another process holds it. Stop that process or choose another one, then try again.
    #[error("{} is in use by {}", dir.display(), Owner(*pid))]
    InUse {
        /// The directory or file asked for.
        dir: PathBuf,
        /// The holder's process id, if the holder could write it before we looked.
        pid: Option<u32>,
    },
    /// The directory or its lock file cannot be created, opened or written: permissions, a full disk, a file of
    /// that name. Trying again helps only after the cause is gone.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The path that failed.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// How the holder is named in the error text.
struct Owner(Option<u32>);

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(pid) => write!(f, "process {pid}"),
            None => f.write_str("another process"),
        }
    }
}

/// A held data directory. Dropping it gives the directory back.
#[derive(Debug)]
pub struct DirLock {
    dir: PathBuf,
    // Held for the lock that lives on it.
    _file: File,
}

impl DirLock {
    /// Takes `dir`, creating it (readable by its owner only) where it is missing. Never waits.
    ///
    /// # Errors
    /// [`DirLockError::InUse`] if a process, this one included, holds it; [`DirLockError::Io`] if the directory
    /// cannot be written.
    pub fn acquire(dir: impl AsRef<Path>) -> Result<Self, DirLockError> {
        let dir = dir.as_ref().to_path_buf();
        create_private(&dir).map_err(|source| DirLockError::Io { path: dir.clone(), source })?;
        let path = dir.join(LOCK_FILE);
        Self::lock(dir, path)
    }

    /// Takes one file in place of a directory, for what several directories can name: the lock is `<file>.lock`. Links
    /// are followed, so that all names of a file take the same lock. Never waits.
    ///
    /// # Errors
    /// As [`DirLock::acquire`]; also if the file's directory does not exist.
    pub fn acquire_file(file: impl AsRef<Path>) -> Result<Self, DirLockError> {
        let file = file.as_ref();
        let failed = |source| DirLockError::Io { path: file.to_path_buf(), source };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let real = match fs::canonicalize(file) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).map_err(failed)?;
                folder.join(file.file_name().unwrap_or_default())
            }
            Err(error) => return Err(failed(error)),
        };
        let mut path = real.clone().into_os_string();
        path.push(".lock");
        Self::lock(real, path.into())
    }

    fn lock(dir: PathBuf, path: PathBuf) -> Result<Self, DirLockError> {
        let failed = |source| DirLockError::Io { path: path.clone(), source };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        // Who can open the file can hold the lock.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DirLockError::InUse { dir, pid: holder(&path) }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        write_pid(&mut file).map_err(failed)?;
        Ok(Self { dir, _file: file })
    }

    /// The directory or file that is held.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Data directories hold databases and keys, so nobody else may look into a new one.
fn create_private(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

/// The id is only for the error text: a file that is empty or odd means "unknown", never a failure.
fn holder(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_lock_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let tmp = tempfile::tempdir().unwrap();
        let _held = DirLock::acquire(tmp.path()).unwrap();
        let mode = fs::metadata(tmp.path().join(LOCK_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn second_taker_is_told_who_holds_it() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("new").join("deeper");
        let held = DirLock::acquire(&dir).unwrap();
        let error = DirLock::acquire(&dir).unwrap_err();
        assert!(matches!(error, DirLockError::InUse { pid, .. } if pid == Some(std::process::id())));
        let text = error.to_string();
        assert!(text.ends_with(&format!("is in use by process {}", std::process::id())), "{text}");
        assert_eq!(held.dir(), dir);
    }

    #[cfg(unix)]
    #[test]
    fn all_names_of_a_file_are_one_lock() {
        let tmp = tempfile::tempdir().unwrap();
        let file = tmp.path().join("keystore");
        let held = DirLock::acquire_file(&file).unwrap();
        fs::write(&file, "").unwrap();
        assert!(matches!(DirLock::acquire_file(&file), Err(DirLockError::InUse { .. })));
        let link = tmp.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(matches!(DirLock::acquire_file(&link), Err(DirLockError::InUse { .. })));
        drop(held);
        DirLock::acquire_file(&link).unwrap();
        assert!(DirLock::acquire_file(tmp.path().join("gone/keystore")).is_err());
    }

    #[test]
    fn is_free_after_drop_and_with_a_leftover_file() {
        let tmp = tempfile::tempdir().unwrap();
        fs::write(tmp.path().join(LOCK_FILE), "4294967295 and a long leftover line\n").unwrap();
        drop(DirLock::acquire(tmp.path()).unwrap());
        let _held = DirLock::acquire(tmp.path()).unwrap();
        let written = fs::read_to_string(tmp.path().join(LOCK_FILE)).unwrap();
        assert_eq!(written, format!("{}\n", std::process::id()));
    }

    #[test]
    fn an_unknown_holder_is_still_an_error() {
        let tmp = tempfile::tempdir().unwrap();
        let _held = DirLock::acquire(tmp.path()).unwrap();
        fs::write(tmp.path().join(LOCK_FILE), "").unwrap();
        let error = DirLock::acquire(tmp.path()).unwrap_err();
        assert!(error.to_string().ends_with("is in use by another process"), "{error}");
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let tmp = tempfile::tempdir().unwrap();
        let file = tmp.path().join("file");
        fs::write(&file, "").unwrap();
        let error = DirLock::acquire(&file).unwrap_err();
        assert!(matches!(&error, DirLockError::Io { path, .. } if *path == file), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_directory_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let tmp = tempfile::tempdir().unwrap();
        let lock = DirLock::acquire(tmp.path().join("data")).unwrap();
        assert_eq!(fs::metadata(lock.dir()).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

//! Files that only their owner may read: keys, tokens, configurations with tokens in them.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// `~` and what begins with `~/` are in the home directory.
#[must_use]
pub fn expand(path: &str) -> PathBuf {
    let rest = if path == "~" { Some("") } else { path.strip_prefix("~/") };
    match (rest, std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

/// Makes a directory, and those above it, for its owner alone. One that exists stays as it is.
///
/// # Errors
/// What the operating system says.
pub fn create_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a new file of mode 0600, onto the disk itself. Nothing is left there if that fails.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if there is one already, which stays; what the operating system says.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = private(path)?;
    let done = fill(file, bytes);
    remove_unless(done.is_ok(), path);
    done?;
    sync_dir(path)
}

/// Writes a file of mode 0600 in place of another, whole or not at all, also if the power fails meanwhile.
///
/// The bytes are first in `<path>.tmp`, which is gone afterwards, and is taken away if a killed process left one.
///
/// # Errors
/// What the operating system says; the other file is still there then.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let next = temporary(path);
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let done = private(&next).and_then(|file| fill(file, bytes)).and_then(|()| fs::rename(&next, path));
    remove_unless(done.is_ok(), &next);
    done?;
    sync_dir(path)
}

/// Appended, not put in place of an extension: `a.json` and `a.toml` must not share one.
fn temporary(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".tmp");
    name.into()
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// What is half written is of no use. The first error is the one that is told.
fn remove_unless(done: bool, path: &Path) {
    if !done {
        let _ = fs::remove_file(path);
    }
}

/// A name is on the disk only when its directory is.
fn sync_dir(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn for_the_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("a/b");
        create_dir(&dir).unwrap();
        create_dir(&dir).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir), 0o700);
        let file = dir.join("f.toml");
        create(&file, b"1").unwrap();
        assert_eq!(create(&file, b"2").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!((fs::read(&file).unwrap().as_slice(), mode(&file)), (b"1".as_slice(), 0o600));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        replace(&file, b"3").unwrap();
        assert_eq!((fs::read(&file).unwrap().as_slice(), mode(&file)), (b"3".as_slice(), 0o600));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_left_of_what_failed() {
        let tmp = tempfile::tempdir().unwrap();
        let file = tmp.path().join("f");
        // A directory that is not empty cannot be replaced by a file.
        fs::create_dir_all(file.join("below")).unwrap();
        fs::write(tmp.path().join("f.tmp"), "of a killed process").unwrap();
        assert!(replace(&file, b"1").is_err());
        let names: Vec<_> =
            fs::read_dir(tmp.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["f"]);
        assert!(create(&tmp.path().join("none/f"), b"1").is_err());
    }

    #[test]
    fn extensions_stay() {
        assert_eq!(temporary(Path::new("a/devnet.json")), Path::new("a/devnet.json.tmp"));
        assert_eq!(expand("a/~"), Path::new("a/~"));
        assert!(expand("~/a").is_absolute() && expand("~").is_absolute());
    }
}

//! Where programs take a password from.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use venus_core::error::{Classify, ErrorKind};
use zeroize::Zeroizing;

/// Longest password, bytes.
const MAX_PASSWORD: usize = 4096;

/// Where to take a password from. None of them shows it on a command line, where every user of the machine could read
/// it.
///
/// ```
/// use venus_signer::PasswordSource;
/// # use std::os::unix::fs::OpenOptionsExt;
/// # use std::io::Write;
/// # let dir = std::env::temp_dir().join(format!("venus-password-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # let path = dir.join("password");
/// # let _ = std::fs::remove_file(&path);
/// # std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path)?.write_all(b"secret\n")?;
/// let password = PasswordSource::file(path).read()?;
/// # std::fs::remove_dir_all(dir)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordSource {
    /// The terminal, without echo, after this text.
    Prompt(String),
    /// The first line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// Takes it even if others can read it.
        allow_readable_by_others: bool,
    },
    /// The first line of a file descriptor that the starting process left open.
    Fd(u32),
    /// An environment variable. Whoever may look at the process can read it; prefer a file.
    Env(String),
}

/// Why there is no password. None of the texts quotes what was read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordSourceError {
    /// The source cannot be read.
    #[error("cannot read the password from {from}: {source}")]
    Io {
        /// Which source.
        from: String,
        /// Why not.
        source: io::Error,
    },
    /// Others can read the file.
    #[error(
        "password file {} can be read by other users: chmod 0600 it and change the password, or allow it explicitly",
        .0.display()
    )]
    ReadableByOthers(PathBuf),
    /// There is nothing in its first line.
    #[error("the password from {0} is empty")]
    Empty(String),
    /// The first line is longer than 4096 bytes.
    #[error("the password from {0} is longer than 4096 bytes")]
    TooLong(String),
    /// The first line is no UTF-8.
    #[error("the password from {0} is no text")]
    NoText(String),
}

impl Classify for PasswordSourceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => ErrorKind::NotFound,
            Self::Io { .. } => ErrorKind::Internal,
            Self::ReadableByOthers(_) => ErrorKind::Denied,
            Self::Empty(_) | Self::TooLong(_) | Self::NoText(_) => ErrorKind::Invalid,
        }
    }
}

impl PasswordSource {
    /// The first line of a file that nobody else can read.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File { path: path.into(), allow_readable_by_others: false }
    }

    /// Reads the password. Blocks; a prompt until somebody answers.
    ///
    /// # Errors
    /// [`PasswordSourceError`].
    pub fn read(&self) -> Result<SecretString, PasswordSourceError> {
        match self {
            Self::Prompt(text) => {
                let typed = rpassword::prompt_password(text).map(Zeroizing::new);
                checked(typed.map_err(|source| self.failed(source))?.as_bytes(), &self.name())
            }
            Self::Env(name) => {
                let value = std::env::var_os(name).map(|value| value.into_encoded_bytes());
                let missing = || self.failed(io::ErrorKind::NotFound.into());
                checked(&Zeroizing::new(value.ok_or_else(missing)?), &self.name())
            }
            Self::File { path, allow_readable_by_others } => {
                let file = File::open(path).map_err(|source| self.failed(source))?;
                let metadata = file.metadata().map_err(|source| self.failed(source))?;
                // What is no regular file (a pipe of a secret manager) has no content that others could read again.
                if metadata.is_file() && for_others(&metadata) && !allow_readable_by_others {
                    return Err(PasswordSourceError::ReadableByOthers(path.clone()));
                }
                self.first_line(file)
            }
            Self::Fd(fd) => {
                let path = Path::new("/dev/fd").join(fd.to_string());
                self.first_line(File::open(path).map_err(|source| self.failed(source))?)
            }
        }
    }

    fn first_line(&self, file: File) -> Result<SecretString, PasswordSourceError> {
        // Room for all that is read, so that no copy stays behind in memory that was given back.
        let mut line = Zeroizing::new(Vec::with_capacity(MAX_PASSWORD + 3));
        let mut reader = BufReader::with_capacity(1, file).take(MAX_PASSWORD as u64 + 3);
        reader.read_until(b'\n', &mut line).map_err(|source| self.failed(source))?;
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        checked(line.strip_suffix(b"\r").unwrap_or(line), &self.name())
    }

    fn name(&self) -> String {
        match self {
            Self::Prompt(_) => "the terminal".into(),
            Self::File { path, .. } => path.display().to_string(),
            Self::Fd(fd) => format!("file descriptor {fd}"),
            Self::Env(name) => format!("the environment variable {name}"),
        }
    }

    fn failed(&self, source: io::Error) -> PasswordSourceError {
        PasswordSourceError::Io { from: self.name(), source }
    }
}

fn checked(password: &[u8], from: &str) -> Result<SecretString, PasswordSourceError> {
    if password.is_empty() {
        return Err(PasswordSourceError::Empty(from.into()));
    }
    if password.len() > MAX_PASSWORD {
        return Err(PasswordSourceError::TooLong(from.into()));
    }
    let text = std::str::from_utf8(password).map_err(|_| PasswordSourceError::NoText(from.into()))?;
    Ok(text.into())
}

#[cfg(unix)]
fn for_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn for_others(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::PermissionsExt;

    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    fn read(content: &[u8], mode: u32, allow: bool) -> Result<String, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let source = PasswordSource::File { path, allow_readable_by_others: allow };
        source.read().map(|password| password.expose_secret().to_owned()).map_err(|e| e.to_string())
    }

    #[test]
    fn files_give_their_first_line() {
        for content in ["sécret word", "sécret word\n", "sécret word\r\n", "sécret word\nmore\n"] {
            assert_eq!(read(content.as_bytes(), 0o600, false).unwrap(), "sécret word");
        }
        assert_eq!(read(b" spaces stay \n", 0o400, false).unwrap(), " spaces stay ");
        let longest = "x".repeat(MAX_PASSWORD);
        assert_eq!(read(format!("{longest}\r\n").as_bytes(), 0o600, false).unwrap(), longest);
        for (content, says) in [
            (b"".to_vec(), "empty"),
            (b"\nsecret".to_vec(), "empty"),
            (format!("{longest}x").into_bytes(), "longer"),
            (vec![b'x'; 100_000], "longer"),
            (vec![0xff, 0xfe], "no text"),
        ] {
            let error = read(&content, 0o600, false).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn files_for_others_are_refused_unless_allowed() {
        for mode in [0o644, 0o640, 0o604] {
            let error = read(b"secret", mode, false).unwrap_err();
            assert!(error.contains("chmod 0600") && !error.contains("secret"), "{error}");
            assert_eq!(read(b"secret", mode, true).unwrap(), "secret");
        }
        let missing = PasswordSource::file("/nowhere/password").read().unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        assert!(missing.to_string().contains("/nowhere/password"));
    }

    #[test]
    fn descriptors_and_the_environment() {
        let (reader, mut writer) = io::pipe().unwrap();
        io::Write::write_all(&mut writer, b"from a pipe\nrest").unwrap();
        let fd = u32::try_from(reader.as_raw_fd()).unwrap();
        assert_eq!(PasswordSource::Fd(fd).read().unwrap().expose_secret(), "from a pipe");
        assert!(PasswordSource::Fd(4_000_000).read().is_err());

        let path = std::env::var("PATH").unwrap();
        assert_eq!(PasswordSource::Env("PATH".into()).read().unwrap().expose_secret(), path);
        let missing = PasswordSource::Env("VENUS_NO_SUCH_VARIABLE".into()).read().unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }

    proptest! {
        #[test]
        fn any_content_is_a_password_or_an_error(content in proptest::collection::vec(any::<u8>(), 0..5000)) {
            if let Ok(password) = read(&content, 0o600, false) {
                prop_assert!(content.starts_with(password.as_bytes()) && !password.contains('\n'));
            }
        }
    }
}

//! Keys as Lotus keeps them: a folder of plain files, read for import and never written.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use data_encoding::BASE32_NOPAD;
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::{Address, address};
use zeroize::Zeroizing;

use crate::error::KeyError;
use crate::key::KeyInfo;

/// Longest file that is read, bytes. A key has about 90.
const MAX_FILE: u64 = 4096;
/// What names of files of keys begin with, once decoded. The node's token secret and deleted keys have other names.
const PREFIX: &str = "wallet-";

/// The `keystore` folder of a Lotus node or `lotus-wallet`.
///
/// ```no_run
/// use venus_signer::LotusFolder;
/// for (address, key) in LotusFolder::new("/home/me/.lotus/keystore").keys()? {
///     println!("{address}: {}", key.map_or_else(|error| error.to_string(), |key| key.key_type().to_string()));
/// }
/// # Ok::<(), venus_signer::LotusFolderError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LotusFolder {
    path: PathBuf,
}

/// Why a Lotus keystore or a key in it could not be read. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LotusFolderError {
    /// A file or the folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others may read the key, as Lotus does not let them either.
    #[error("{} is readable by others: chmod 0600 it, and take its key for known", .0.display())]
    Readable(PathBuf),
    /// The file holds no key that this wallet can use.
    #[error("{}: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: KeyError,
    },
    /// The file's name promises another key than it holds.
    #[error("{} holds another key than its name says", .0.display())]
    OtherKey(PathBuf),
}

impl Classify for LotusFolderError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => ErrorKind::NotFound,
            Self::Io { .. } => ErrorKind::Internal,
            Self::Readable(_) => ErrorKind::Denied,
            Self::Key { .. } => ErrorKind::Invalid,
            Self::OtherKey(_) => ErrorKind::Corrupt,
        }
    }
}

impl LotusFolder {
    /// A folder, which is not looked at yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// All keys with their addresses, ordered by file name; what else lies there is passed over. Blocks on the disk.
    ///
    /// # Errors
    /// [`LotusFolderError::Io`] if the folder cannot be listed; else each key has its own result.
    #[allow(clippy::type_complexity, reason = "a pair in a list")]
    pub fn keys(&self) -> Result<Vec<(Address, Result<KeyInfo, LotusFolderError>)>, LotusFolderError> {
        let failed = |source| LotusFolderError::Io { path: self.path.clone(), source };
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if let Some(address) = entry.file_name().to_str().and_then(named) {
                paths.push((entry.path(), address));
            }
        }
        paths.sort();
        Ok(paths.into_iter().map(|(path, address)| (address, read(&path, &address))).collect())
    }
}

/// The address in the name of a file, if it is the name of a key.
fn named(file: &str) -> Option<Address> {
    let name = BASE32_NOPAD.decode(file.as_bytes()).ok()?;
    address::parse(std::str::from_utf8(&name).ok()?.strip_prefix(PREFIX)?).ok()
}

fn read(path: &Path, address: &Address) -> Result<KeyInfo, LotusFolderError> {
    let failed = |source| LotusFolderError::Io { path: path.into(), source };
    let wrong = |source| LotusFolderError::Key { path: path.into(), source };
    let file = fs::File::open(path).map_err(failed)?;
    if for_others(&file.metadata().map_err(failed)?) {
        return Err(LotusFolderError::Readable(path.into()));
    }
    let mut text = Zeroizing::new(String::with_capacity(MAX_FILE as usize));
    file.take(MAX_FILE).read_to_string(&mut text).map_err(failed)?;
    let key = KeyInfo::from_json(text.trim()).map_err(wrong)?;
    let own = key.address().map_err(wrong)?;
    if own == *address { Ok(key) } else { Err(LotusFolderError::OtherKey(path.into())) }
}

#[cfg(unix)]
pub(crate) fn for_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
pub(crate) fn for_others(_: &fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::key::KeyType;

    const ADDRESS: &str = "f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq";
    const JSON: &str = r#"{"Type":"secp256k1","PrivateKey":"KioqKioqKipfvw7Q+DZMAf8nVA7NZmn/TMVIy+YO9as="}"#;

    fn write(dir: &Path, name: &str, content: &str, mode: u32) {
        let path = dir.join(BASE32_NOPAD.encode(name.as_bytes()));
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn keys_are_read_and_the_rest_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &format!("wallet-{ADDRESS}"), &format!("{JSON}\n"), 0o600);
        write(dir.path(), &format!("trash-{ADDRESS}"), JSON, 0o600);
        write(dir.path(), "auth-jwt-private", JSON, 0o600);
        fs::write(dir.path().join("README"), "x").unwrap();
        let keys = LotusFolder::new(dir.path()).keys().unwrap();
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0].0.to_string(), ADDRESS);
        assert_eq!(keys[0].1.as_ref().unwrap().key_type(), KeyType::Secp256k1);
        let missing = LotusFolder::new(dir.path().join("none")).keys().unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_bad_file_is_told_and_does_not_hide_others() {
        let dir = tempfile::tempdir().unwrap();
        let name = |last: &str| format!("wallet-{last}");
        write(dir.path(), &name(ADDRESS), JSON, 0o644);
        write(dir.path(), &name("t12mchblwgi243re5i2pg2harmnqvm6q3rwb2cnpy"), JSON, 0o600);
        write(dir.path(), &name("f1656rklyebnscuzs5dee3zwh2xknlqsy7r2ypxei"), &JSON.repeat(100), 0o600);
        let mut errors: Vec<_> = LotusFolder::new(dir.path()).keys().unwrap();
        let texts: Vec<_> = errors.drain(..).map(|(_, key)| key.unwrap_err().to_string()).collect();
        assert_eq!(texts.len(), 3);
        for says in ["chmod 0600", "another key", "key info"] {
            assert_eq!(texts.iter().filter(|text| text.contains(says)).count(), 1, "{says} {texts:?}");
        }
        assert!(texts.iter().all(|text| !text.contains("Kioq")));
    }
}

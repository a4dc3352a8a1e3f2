//! The folder that Lotus keeps its keys in, unencrypted.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use data_encoding::BASE32_NOPAD;
use venus_core::types::{Address, Network, address};
use zeroize::Zeroizing;

use crate::error::{KeyError, WalletError};
use crate::key::KeyInfo;
use crate::key_text::MAX_TEXT;

/// What the names of keys begin with; an address follows.
const PREFIX: &str = "wallet-";
/// Most files that are looked at. A node with more keys than this does not exist.
const MAX_FILES: usize = 100_000;
/// Most skipped files that are named.
const MAX_NAMED: usize = 100;

/// The keystore of a Lotus node or wallet: a source to import keys from. It is never written to.
///
/// It lies in the folder `keystore` of the node's repository. Each file is named by the base32 of `wallet-<address>`, is
/// readable by its owner alone (mode 0600), and holds a key as JSON. Do not use it while the node deletes keys.
#[derive(Clone, Debug)]
pub struct LotusKeystore {
    folder: PathBuf,
}

/// What lies in a keystore.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeystoreListing {
    /// Addresses with a key file, ordered by their bytes. Whether a file can be read shows when it is.
    pub addresses: Vec<Address>,
    /// Names of files that are no key: the secret of tokens (`auth-jwt-private`), `default`, deleted keys
    /// (`trash-…`), and everything foreign. Decoded where they are base32 of a text; at most 100 are named.
    pub skipped: Vec<String>,
}

impl LotusKeystore {
    /// The keystore in a folder: either the repository of a Lotus node or its `keystore` itself.
    ///
    /// # Errors
    /// [`WalletError::Store`] if there is no such folder.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, WalletError> {
        let inner = path.as_ref().join("keystore");
        let folder = if inner.is_dir() { inner } else { path.as_ref().to_owned() };
        match fs::metadata(&folder) {
            Ok(found) if found.is_dir() => Ok(Self { folder }),
            Ok(_) => Err(failed("lotus keystore", io::Error::from(io::ErrorKind::NotADirectory))),
            Err(error) => Err(failed("lotus keystore", error)),
        }
    }

    /// The addresses that have a key file. An address counts whichever network's prefix its name has.
    ///
    /// # Errors
    /// [`WalletError::Store`] if the folder cannot be read, or holds more than 100 000 files.
    pub fn list(&self) -> Result<KeystoreListing, WalletError> {
        let mut listing = KeystoreListing::default();
        let entries = fs::read_dir(&self.folder).map_err(|error| failed("lotus keystore", error))?;
        for (count, entry) in entries.enumerate() {
            if count >= MAX_FILES {
                return Err(failed("lotus keystore", io::Error::other("more than 100000 files")));
            }
            let name = entry.map_err(|error| failed("lotus keystore", error))?.file_name();
            let name = name.to_string_lossy();
            match decoded(&name) {
                Some(Named::Key(address)) => listing.addresses.push(address),
                _ if listing.skipped.len() >= MAX_NAMED => {}
                Some(Named::Other(name)) => listing.skipped.push(name),
                // Such a name comes from anywhere, and goes to a terminal.
                None => listing.skipped.push(name.escape_default().to_string()),
            }
        }
        listing.addresses.sort_by_key(|address| address.to_bytes());
        listing.addresses.dedup();
        listing.skipped.sort();
        Ok(listing)
    }

    /// The key of an address.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] without a plain file; [`WalletError::Store`] if it cannot be read, or is open to other
    /// users, as Lotus refuses it too; [`WalletError::Key`] if it holds no key, or another address's.
    pub fn read(&self, address: &Address) -> Result<KeyInfo, WalletError> {
        let found = [Network::Mainnet, Network::Testnet].into_iter().find_map(|network| {
            let name = format!("{PREFIX}{}", address::format(address, network));
            let path = self.folder.join(BASE32_NOPAD.encode(name.as_bytes()));
            // A link is not followed: it could name a file of another user.
            fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()).then_some(path)
        });
        let text = read_private(&found.ok_or(WalletError::NotFound(*address))?)?;
        let key = KeyInfo::from_json(&text)?;
        if key.address()? != *address {
            let reason = "is the key of another address than the file is named after";
            return Err(KeyError::Field { field: "PrivateKey", reason }.into());
        }
        Ok(key)
    }
}

/// The text of a file that nobody but its owner may read.
fn read_private(path: &Path) -> Result<Zeroizing<String>, WalletError> {
    let file = File::open(path).map_err(|error| failed("lotus key file", error))?;
    // Asked of the open file, so that it cannot be exchanged in between.
    let found = file.metadata().map_err(|error| failed("lotus key file", error))?;
    if !owner_only(&found) {
        let reason = "is open to other users: set its mode to 0600";
        return Err(failed("lotus key file", io::Error::new(io::ErrorKind::PermissionDenied, reason)));
    }
    // Room for all of it from the start: growing would leave pieces behind in memory.
    let mut text = Zeroizing::new(String::with_capacity(MAX_TEXT + 2));
    let mut bounded = file.take(MAX_TEXT as u64 + 1);
    bounded.read_to_string(&mut text).map_err(|error| failed("lotus key file", error))?;
    Ok(text)
}

#[cfg(unix)]
fn owner_only(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode() & 0o077 == 0
}

/// Other systems have no such mode.
#[cfg(not(unix))]
fn owner_only(_: &fs::Metadata) -> bool {
    true
}

/// What a file is by its name.
enum Named {
    Key(Address),
    Other(String),
}

/// `None` for a name that is not the base32 of printable text.
fn decoded(name: &str) -> Option<Named> {
    let name = String::from_utf8(BASE32_NOPAD.decode(name.as_bytes()).ok()?).ok()?;
    match name.strip_prefix(PREFIX).and_then(|text| address::parse(text).ok()) {
        Some(address) => Some(Named::Key(address)),
        None => name.bytes().all(|byte| byte.is_ascii_graphic()).then_some(Named::Other(name)),
    }
}

fn failed(what: &'static str, error: io::Error) -> WalletError {
    WalletError::Store(format!("{what}: {error}").into())
}

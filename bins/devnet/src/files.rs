//! The files of a devnet's directory. All of them are for their owner alone: they hold keys and tokens.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use venus_bins_common::files;
pub(crate) use venus_bins_common::files::expand;

use crate::error::CliError;

/// What the chain began with.
pub(crate) const PLAN: &str = "devnet.json";
/// Where the running daemon listens: a multiaddr, as nodes write it.
pub(crate) const API: &str = "api";
/// The token of all rights.
pub(crate) const TOKEN: &str = "token";
/// The token that may only read.
pub(crate) const READ_TOKEN: &str = "read-token";
/// What tokens are signed with.
pub(crate) const SECRET: &str = "jwt-secret";
/// Accounts and miners of the genesis, with their keys.
pub(crate) const ACCOUNTS: &str = "accounts.json";
/// A file for each key, in the form that wallets import.
pub(crate) const KEYS: &str = "keys";
/// The block log.
pub(crate) const CHAIN: &str = "chain";

/// Makes a directory for its owner alone. One that exists stays as it is.
///
/// # Errors
/// [`CliError::File`].
pub(crate) fn create_dir(path: &Path) -> Result<(), CliError> {
    files::create_dir(path).map_err(|source| CliError::File { path: path.into(), source })
}

/// Writes a file of mode 0600 in place of another, whole or not at all.
///
/// # Errors
/// [`CliError::File`]; the other file is still there then.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    files::replace(path, bytes).map_err(|source| CliError::File { path: path.into(), source })
}

/// Writes a value as JSON, see [`write`].
///
/// # Errors
/// [`CliError::File`].
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), CliError> {
    let failed = |e: serde_json::Error| CliError::File { path: path.into(), source: e.into() };
    let bytes = zeroize::Zeroizing::new(serde_json::to_vec_pretty(value).map_err(failed)?);
    write(path, &bytes)
}

/// Reads a small file; `None` if it is not there.
///
/// # Errors
/// [`CliError::File`].
pub(crate) fn read(path: &Path) -> Result<Option<String>, CliError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CliError::File { path: path.into(), source }),
    }
}

/// Reads what [`write_json`] wrote; `None` if it is not there.
///
/// # Errors
/// [`CliError::File`], [`CliError::Damaged`].
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, CliError> {
    let Some(text) = read(path)?.map(zeroize::Zeroizing::new) else { return Ok(None) };
    let read = serde_json::from_str(&text);
    // The reason names no values: a key may stand there.
    read.map(Some).map_err(|e| CliError::Damaged {
        path: path.into(),
        reason: format!("line {}, column {}", e.line(), e.column()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_told_without_what_stands_there() {
        let tmp = tempfile::tempdir().unwrap();
        let file = tmp.path().join("f");
        fs::write(&file, "{\"key\": \"secret").unwrap();
        let error = read_json::<serde_json::Value>(&file).unwrap_err().to_string();
        assert!(error.contains("line 1") && !error.contains("secret"), "{error}");
    }
}

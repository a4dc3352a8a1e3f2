//! The tokens of a directory.

use std::path::Path;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretSlice};
use venus_core::api::Permissions;
use venus_core::entropy::{Entropy, OsEntropy};
use venus_devnet::face::Tokens;

use crate::error::CliError;
use crate::files;

/// Bytes of a secret.
const SECRET_LEN: usize = 32;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// What makes and reads the tokens of a directory; its secret is made where there is none.
///
/// # Errors
/// [`CliError::File`], [`CliError::Damaged`].
pub(crate) fn tokens_of(dir: &Path) -> Result<Tokens, CliError> {
    let path = dir.join(files::SECRET);
    let damaged = |reason: String| CliError::Damaged { path: path.clone(), reason };
    let secret = match files::read(&path)?.map(Zeroizing::new) {
        Some(text) => {
            unhex(text.trim()).ok_or_else(|| damaged(format!("expected {SECRET_LEN} bytes in hex")))?
        }
        None => {
            let mut secret = Zeroizing::new(vec![0; SECRET_LEN]);
            OsEntropy.fill(&mut secret).map_err(std::io::Error::other)?;
            files::write(&path, hex(&secret).as_bytes())?;
            secret
        }
    };
    Tokens::new(SecretSlice::from(secret.to_vec())).map_err(|e| damaged(e.to_string()))
}

/// Writes the tokens that programs on this machine find in the directory.
///
/// # Errors
/// [`CliError::File`].
pub(super) fn write_tokens(dir: &Path, tokens: &Tokens) -> Result<(), CliError> {
    for (name, permissions) in [(files::TOKEN, Permissions::ALL), (files::READ_TOKEN, Permissions::READ)] {
        files::write(&dir.join(name), tokens.issue(permissions).expose_secret().as_bytes())?;
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> Zeroizing<String> {
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().map_or('0', char::from);
    // With its final capacity: growing leaves pieces behind.
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for byte in bytes {
        text.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    text
}

fn unhex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let nibble = |c: u8| HEX.iter().position(|h| *h == c).and_then(|n| u8::try_from(n).ok());
    let mut bytes = Zeroizing::new(Vec::with_capacity(SECRET_LEN));
    for pair in text.as_bytes().chunks(2) {
        let &[high, low] = pair else { return None };
        bytes.push(nibble(high)? << 4 | nibble(low)?);
    }
    (bytes.len() == SECRET_LEN).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_keeps_its_secret() {
        let tmp = tempfile::tempdir().unwrap();
        let issue = || tokens_of(tmp.path()).unwrap().issue(Permissions::ALL).expose_secret().to_owned();
        let first = issue();
        assert_eq!(issue(), first);
        let other = tempfile::tempdir().unwrap();
        assert_eq!(tokens_of(other.path()).unwrap().verify(&first), None);
        for bad in ["", "00", "zz", &"g".repeat(64), &"0".repeat(63)] {
            files::write(&tmp.path().join(files::SECRET), bad.as_bytes()).unwrap();
            assert!(matches!(tokens_of(tmp.path()), Err(CliError::Damaged { .. })), "{bad}");
        }
    }
}

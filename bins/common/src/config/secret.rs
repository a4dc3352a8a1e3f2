//! Secrets: named in the configuration, held where nothing prints them.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};

/// Longest secret, in bytes.
const MAX: u64 = 64 << 10;

/// A token or password: the text itself, or `{ file = "/run/secrets/token" }`.
///
/// In the environment these are `VENUS_GATEWAY__TOKEN` and `VENUS_GATEWAY__TOKEN__FILE`. A file is read when the secret is
/// asked for, so that a rotated one is picked up; white space at its end does not count. Debug output shows only the path.
#[derive(Clone)]
pub struct Secret(Source);

#[derive(Clone)]
enum Source {
    Text(SecretString),
    File(PathBuf),
}

/// Why a secret cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Everybody on this machine can read the file.
    #[error("{} can be read by everybody: run `chmod o-rwx` on it", .0.display())]
    WorldReadable(PathBuf),
    /// There is nothing, or far too much, in it.
    #[error("{0} is empty or longer than 64 KiB")]
    Size(String),
}

impl Secret {
    /// A secret that is at hand.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Source::Text(SecretString::from(text.into())))
    }

    /// The secret in a file.
    pub fn in_file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// The secret itself. Reads the file where there is one, and blocks while it does.
    ///
    /// # Errors
    /// [`SecretError`]; worth another try only for [`SecretError::Read`].
    pub fn get(&self) -> Result<SecretString, SecretError> {
        let (secret, place) = match &self.0 {
            Source::Text(secret) => (secret.clone(), "the secret".to_owned()),
            Source::File(path) => (read(path)?, path.display().to_string()),
        };
        let len = secret.expose_secret().len();
        if len == 0 || len as u64 > MAX { Err(SecretError::Size(place)) } else { Ok(secret) }
    }
}

fn read(path: &PathBuf) -> Result<SecretString, SecretError> {
    let failed = |source| SecretError::Read { path: path.clone(), source };
    let file = File::open(path).map_err(failed)?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::mode(&file.metadata().map_err(failed)?) & 0o004 != 0 {
        return Err(SecretError::WorldReadable(path.clone()));
    }
    let mut text = String::new();
    file.take(MAX + 2).read_to_string(&mut text).map_err(failed)?;
    text.truncate(text.trim_end().len());
    Ok(SecretString::from(text))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Text(_) => f.write_str("Secret(…)"),
            Source::File(path) => write!(f, "Secret(in {})", path.display()),
        }
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret as text, or a table with the path of its `file`")
    }

    fn visit_str<E>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::new(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Secret, E> {
        Ok(Secret::new(text))
    }

    // Serde's own text for a number would show it.
    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Secret, E> {
        Err(E::custom("is no text: put quotes around it"))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Secret, E> {
        Err(E::custom("is no text: put quotes around it"))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Secret, E> {
        Err(E::custom("is no text: put quotes around it"))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Secret, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            file: PathBuf,
        }
        let table = Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(Secret::in_file(table.file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_each_time_and_trimmed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let secret = Secret::in_file(&path);
        assert!(matches!(secret.get(), Err(SecretError::Read { .. })));
        for (text, expected) in [("one\r\n", "one"), (" two", " two")] {
            write(&path, text, 0o600);
            assert_eq!(secret.get().unwrap().expose_secret(), expected);
        }
        for text in ["\n".to_owned(), "x".repeat(70_000)] {
            write(&path, &text, 0o600);
            assert!(matches!(secret.get(), Err(SecretError::Size(_))), "{} bytes", text.len());
        }
        assert!(matches!(Secret::new("").get(), Err(SecretError::Size(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_for_everybody_is_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        write(&path, "x", 0o644);
        let error = Secret::in_file(&path).get().unwrap_err();
        assert!(error.to_string().contains("chmod"), "{error}");
        write(&path, "x", 0o640);
        Secret::in_file(&path).get().unwrap();
    }

    #[test]
    fn nothing_prints_it() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
        assert_eq!(format!("{:?}", Secret::in_file("/x")), "Secret(in /x)");
    }

    fn write(path: &std::path::Path, text: &str, mode: u32) {
        std::fs::write(path, text).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }
}

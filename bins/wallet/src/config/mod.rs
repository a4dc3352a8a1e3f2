//! `config.toml`: Go's keys, and ours.
//!
//! Names of sections and keys are matched in any case, as Go does, and what nobody knows is left alone: a file that
//! `venus-wallet` 1.x wrote opens, and one that we wrote opens there. Nothing here writes to a file that exists, but
//! for one support account more ([`edit`]).

pub(crate) mod edit;
mod sections;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER_PERMISSIVE;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::Deserialize;
use venus_bins_common::files;
use venus_bins_common::keys::{self, KeysError};

pub(crate) use sections::*;

/// The file's name in the repository.
pub(crate) const FILE: &str = "config.toml";

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ConfigError {
    /// There is no file.
    #[error("{} is no wallet repository: run `venus-wallet --repo {} init`", .0.display(), .0.display())]
    Missing(PathBuf),
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file cannot be read, or is no TOML, or a key has another type.
    #[error("{0}")]
    Unreadable(#[from] KeysError),
    /// There was a keystore once, and now there is none.
    #[error(
        "there is no keystore at {}: if it was moved, correct [DB] Conn in config.toml; if it was lost, `venus-wallet \
         init` makes an empty one to restore into", .0.display()
    )]
    NoKeystore(PathBuf),
    /// A key's value makes no sense.
    #[error("config.toml: [{section}] {key}: {reason}")]
    Value {
        /// The section.
        section: &'static str,
        /// The key.
        key: &'static str,
        /// What is wrong, without the value.
        reason: String,
    },
}

/// The configuration of a wallet.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    pub(crate) api: Api,
    pub(crate) db: Db,
    pub(crate) jwt: Jwt,
    pub(crate) factor: Factor,
    pub(crate) signfilter: SignFilter,
    pub(crate) apiregisterhub: RegisterHub,
    pub(crate) signrecorder: Option<SignRecorder>,
    pub(crate) strategy: Strategy,
    pub(crate) policy: Policy,
    pub(crate) slashing: Slashing,
    pub(crate) network: NetworkSection,
    pub(crate) lock: Lock,
    pub(crate) metrics: Metrics,
    pub(crate) compat: Compat,
}

impl Config {
    /// Reads the file of a repository.
    pub(crate) fn read(repo: &Path) -> Result<Self, ConfigError> {
        keys::read(&repo.join(FILE))?.ok_or_else(|| ConfigError::Missing(repo.to_owned()))
    }

    /// Where the database is, whether it is there or not.
    pub(crate) fn database(&self, repo: &Path) -> Result<PathBuf, ConfigError> {
        let wrong = |reason: &str| ConfigError::Value { section: "DB", key: "Conn", reason: reason.into() };
        let conn = self.db.conn.as_str();
        if conn.is_empty() {
            return Ok(repo.join("keystore.sqlit"));
        }
        if conn.starts_with(":memory:") || conn.starts_with("file:") {
            return Err(wrong("must be the path of a file: keys in memory would be lost"));
        }
        let path = files::expand(conn);
        // As in Go it is relative to where the program is started, which is not always the same place: what is there
        // is opened, and nothing is made.
        if path.is_relative() && !path.exists() {
            return Err(wrong("there is no such file here: write its absolute path"));
        }
        Ok(path)
    }

    /// Where the database is, for whoever must not make an empty one in its place.
    pub(crate) fn existing_database(&self, repo: &Path) -> Result<PathBuf, ConfigError> {
        let path = self.database(repo)?;
        match fs::metadata(&path) {
            Ok(found) if found.len() > 0 => Ok(path),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ConfigError::Io { path, source: error })
            }
            _ => Err(ConfigError::NoKeystore(path)),
        }
    }

    /// The secret that tokens are signed with.
    pub(crate) fn secret(&self) -> Result<SecretSlice<u8>, ConfigError> {
        let wrong =
            |reason: &str| ConfigError::Value { section: "JWT", key: "Secret", reason: reason.into() };
        let text = self.jwt.secret.expose_secret();
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| wrong("not hex"))?;
        if bytes.len() < 16 { Err(wrong("shorter than 16 bytes")) } else { Ok(bytes.into()) }
    }

    /// The token with all rights, which commands use.
    pub(crate) fn token(&self) -> Result<SecretString, ConfigError> {
        let wrong = |reason: &str| ConfigError::Value { section: "JWT", key: "Token", reason: reason.into() };
        let text = self.jwt.token.expose_secret();
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| wrong("not hex"))?;
        String::from_utf8(bytes).map(SecretString::from).map_err(|_| wrong("not hex of a text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        keys::parse(text)
    }

    const GO: &str = r#"
# Default config:
[API]
  ListenAddress = "/ip4/127.0.0.1/tcp/5678/http"

[DB]
  Conn = "/repo/keystore.sqlit"
  Type = "sqlite"
  DebugMode = true

[Metrics]
  Nickname = "x"
  HeadNotify = false

[JWT]
  Token = "61626364"
  Secret = "000102030405060708090a0b0c0d0e0f"

[Factor]
  ScryptN = 8192
  ScryptP = 1

[APIRegisterHub]
  RegisterAPI = ["/ip4/127.0.0.1/tcp/45132"]
  Token = "t"
  SupportAccounts = ["alice"]

[SignRecorder]
  Enable = true
  KeepDuration = ""

[WalletEvent]
  MessagerUrl = "dead"
"#;

    #[test]
    fn a_go_file_opens() {
        let config = parse(GO).unwrap();
        assert_eq!(config.api.listenaddress, "/ip4/127.0.0.1/tcp/5678/http");
        assert_eq!(config.factor.scryptn, 8192);
        assert_eq!(config.apiregisterhub.registerapi, ["/ip4/127.0.0.1/tcp/45132"]);
        assert_eq!(config.apiregisterhub.supportaccounts, ["alice"]);
        assert!(config.signrecorder.as_ref().unwrap().enable);
        assert_eq!(config.token().unwrap().expose_secret(), "abcd");
        assert_eq!(config.secret().unwrap().expose_secret().len(), 16);
        assert_eq!(config.database(Path::new("/x")).unwrap(), Path::new("/repo/keystore.sqlit"));
    }

    #[test]
    fn names_in_any_case_and_unknown_ones() {
        let config = parse("[api]\nlistenaddress='a'\nspare=1\n[spare]\nx=1").unwrap();
        assert_eq!(config.api.listenaddress, "a");
        assert_eq!(config.database(Path::new("/x")).unwrap(), Path::new("/x/keystore.sqlit"));
        assert!(parse("[API]\nx=1\n[api]\nx=1").unwrap_err().contains("api"));
    }

    #[test]
    fn errors_name_the_line_or_the_key() {
        let error = |text: &str| parse(text).unwrap_err();
        assert!(error("[API]\n\nListenAddress").starts_with("line 3: "));
        assert_eq!(
            error("[factor]\nScryptP = \"x\""),
            "[factor] scryptp: invalid type: string, expected u32"
        );
        assert!(error("[Lock]\nAutoLock = 5\n[API]").starts_with("[lock] autolock: invalid type: integer, "));
        assert!(error("DB = 5").starts_with("db: "));
        assert!(!error("[Metrics]\nToken = 5712").contains("5712"));
    }

    #[test]
    fn a_database_is_a_file_that_does_not_depend_on_the_place() {
        let at = |conn: &str| parse(&format!("[DB]\nConn = \"{conn}\"")).unwrap().database(Path::new("/x"));
        for conn in [":memory:", "file::memory:", "file:/x/y?mode=ro", "nowhere/keystore.sqlit"] {
            assert!(at(conn).unwrap_err().to_string().contains("[DB] Conn"), "{conn}");
        }
        assert_eq!(at("Cargo.toml").unwrap(), Path::new("Cargo.toml"));
        assert!(at("~/k").unwrap().is_absolute());
    }

    #[test]
    fn errors_do_not_quote_secrets() {
        for text in ["[JWT]\nSecret = 5EC12E7", "[JWT]\nSecret = [\"5EC12E7\"]", "[JWT]\nSecret = \"5EC12E7"]
        {
            let error = parse(text).unwrap_err();
            assert!(!error.contains("5EC12E7"), "{error}");
        }
        let config = parse("[JWT]\nSecret = \"5EC12E7x\"").unwrap();
        let error = format!("{} {config:?}", config.secret().unwrap_err());
        assert!(!error.contains("5EC12E7"), "{error}");
    }
}

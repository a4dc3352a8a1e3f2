//! `config.toml`: the keys of sophon-auth, in any case, and ours. What nobody knows is left alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use venus_auth::{Rules, SignerSharing, TokenStorage};

/// The file's name in the repository.
pub(crate) const FILE: &str = "config.toml";
/// The database's name there, unless the file says otherwise.
const DATABASE: &str = "auth.sqlite";

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    /// Without the line itself, which may hold a secret.
    #[error("{}: {reason}", path.display())]
    Malformed { path: PathBuf, reason: String },
    #[error("config.toml: {key}: {reason}")]
    Value { key: &'static str, reason: String },
}

/// What the service is told.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    pub(crate) listen: String,
    pub(crate) log: Log,
    pub(crate) db: Db,
    pub(crate) metrics: Metrics,
    pub(crate) tls: Tls,
    pub(crate) auth: Auth,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8989".into(),
            log: Log::default(),
            db: Db::default(),
            metrics: Metrics::default(),
            tls: Tls::default(),
            auth: Auth::default(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Log {
    pub(crate) loglevel: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Db {
    /// `sqlite` (default) or `mysql`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) dsn: SecretString,
    /// Of the SQLite file, in the repository.
    pub(crate) path: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metrics {
    pub(crate) listenaddress: String,
    pub(crate) token: SecretString,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tls {
    pub(crate) cert: String,
    pub(crate) key: String,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Auth {
    /// Whether tokens are taken from queries too.
    pub(crate) querytokens: bool,
    /// `hashed` or `clear`.
    pub(crate) tokenstore: String,
    /// `deny`, `grant` or `allow`.
    pub(crate) signersharing: String,
    /// Connections of one address at once.
    pub(crate) connectionsperip: usize,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            querytokens: false,
            tokenstore: String::new(),
            signersharing: String::new(),
            connectionsperip: 256,
        }
    }
}

/// Where accounts are kept.
pub(crate) enum Database {
    Sqlite(PathBuf),
    Mysql(SecretString),
}

impl Config {
    /// The repository's configuration; the defaults if it has none.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(ConfigError::Io { path: path.into(), source }),
        };
        let wrong = |reason: String| ConfigError::Malformed { path: path.into(), reason };
        let table: toml::Table = toml::from_str(&text).map_err(|e| wrong(e.message().to_owned()))?;
        Self::deserialize(toml::Value::Table(fold(table))).map_err(|e| wrong(e.message().to_owned()))
    }

    /// How the service decides.
    pub(crate) fn rules(&self) -> Result<Rules, ConfigError> {
        let value = |key, reason: &str| ConfigError::Value { key, reason: reason.into() };
        Ok(Rules {
            sharing: match self.auth.signersharing.as_str() {
                "" | "grant" => SignerSharing::Grant,
                "deny" => SignerSharing::Deny,
                "allow" => SignerSharing::Allow,
                _ => return Err(value("[Auth] SignerSharing", "write deny, grant or allow")),
            },
            tokens: match self.auth.tokenstore.as_str() {
                "" | "hashed" => TokenStorage::Hashed,
                "clear" => TokenStorage::Clear,
                _ => return Err(value("[Auth] TokenStore", "write hashed or clear")),
            },
        })
    }

    /// Where accounts are kept.
    pub(crate) fn database(&self, repo: &Path) -> Result<Database, ConfigError> {
        let value = |key, reason: &str| ConfigError::Value { key, reason: reason.into() };
        match self.db.kind.to_ascii_lowercase().as_str() {
            "" | "sqlite" => {
                let name = if self.db.path.is_empty() { DATABASE } else { &self.db.path };
                Ok(Database::Sqlite(repo.join(name)))
            }
            "mysql" if self.db.dsn.expose_secret().is_empty() => {
                Err(value("[DB] DSN", "is empty: write mysql://user:password@host:3306/database"))
            }
            "mysql" => Ok(Database::Mysql(self.db.dsn.clone())),
            "badger" => Err(value(
                "[DB] Type",
                "badger is a store of Go that nothing else reads: write sqlite and make the accounts anew, or move \
                 them to mysql with sophon-auth first",
            )),
            _ => Err(value("[DB] Type", "write sqlite or mysql")),
        }
    }
}

/// Keys in lower case, as Go matches them in any.
fn fold(table: toml::Table) -> toml::Table {
    let fold = |(key, value): (String, toml::Value)| {
        let value = match value {
            toml::Value::Table(inner) => toml::Value::Table(self::fold(inner)),
            other => other,
        };
        (key.to_ascii_lowercase(), value)
    };
    table.into_iter().map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_go() {
        let tmp = tempfile::tempdir().unwrap();
        let file = tmp.path().join(FILE);
        let text = "Listen = \"127.0.0.1:1\"\nReadTimeout = 60000000000\n[DB]\nType = \"mysql\"\nDSN = \"a:b@tcp(c:1)/d\"\n\
                    MaxOpenConns = 64\n[Auth]\nTokenStore = \"clear\"\n";
        fs::write(&file, text).unwrap();
        let config = Config::read(&file).unwrap();
        assert_eq!(config.listen, "127.0.0.1:1");
        assert!(matches!(config.database(tmp.path()).unwrap(), Database::Mysql(_)));
        assert_eq!(config.rules().unwrap().tokens, TokenStorage::Clear);
        assert!(!format!("{config:?}").contains("a:b"));
        fs::write(&file, "[DB]\nType = \"badger\"").unwrap();
        assert!(Config::read(&file).unwrap().database(tmp.path()).is_err());
    }
}

//! `config.toml`: the keys of sophon-auth, in any case, and ours. What nobody knows is left alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use venus_auth::limits::{CallLimiter, LimitConfig, Rate, RedisError, RedisWindow};
use venus_auth::{AuthService, Rules, SignerSharing, TokenStorage};
use venus_bins_common::keys::{self, KeysError};
use venus_bins_common::listen::{self, ClearText, Endpoint};

/// The file's name in the repository.
pub(crate) const FILE: &str = "config.toml";
/// The database's name there, unless the file says otherwise.
const DATABASE: &str = "auth.sqlite";

/// A key's value makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("config.toml: {key}: {reason}")]
pub(crate) struct ConfigError {
    key: &'static str,
    reason: String,
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
    pub(crate) ratelimit: RateLimit,
    /// Whether tokens may travel in clear between machines.
    pub(crate) allowcleartext: bool,
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
            ratelimit: RateLimit::default(),
            allowcleartext: false,
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

/// Calls in a second; 0 for any number.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RateLimit {
    pub(crate) perip: u32,
    pub(crate) pertoken: u32,
    /// Where the limits of accounts are counted together with other components; not here if empty.
    pub(crate) redis: SecretString,
}

/// Where accounts are kept.
pub(crate) enum Database {
    Sqlite(PathBuf),
    Mysql(SecretString),
}

impl Config {
    /// The repository's configuration; the defaults if it has none.
    pub(crate) fn read(path: &Path) -> Result<Self, KeysError> {
        Ok(keys::read(path)?.unwrap_or_default())
    }

    /// Where the service listens.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, ConfigError> {
        let wrong = |key| move |reason: String| ConfigError { key, reason };
        let addr = listen::socket_addr(&self.listen);
        Ok(Endpoint {
            addr: addr.map_err(|error| wrong("Listen")(error.to_string()))?,
            tls: listen::tls_files(&self.tls.cert, &self.tls.key).map_err(wrong("[TLS] Cert, Key"))?,
            per_ip: self.auth.connectionsperip,
            clear_text: if self.allowcleartext {
                ClearText::Allowed
            } else {
                ClearText::Refused("AllowClearText = true in config.toml or --allow-clear-text")
            },
        })
    }

    /// Who may ask `service` how often; `None` if everybody may always.
    pub(crate) fn limiter(&self, service: &AuthService) -> Result<Option<CallLimiter>, ConfigError> {
        let RateLimit { perip, pertoken, redis } = &self.ratelimit;
        let rate = |n: u32| (n > 0).then(|| Rate { per_second: n, burst: n.saturating_mul(2) });
        let mut limits = LimitConfig { service: "auth".into(), ..LimitConfig::default() };
        (limits.per_ip, limits.per_token) = (rate(*perip), rate(*pertoken));
        if redis.expose_secret().is_empty() {
            // sophon-auth counts nobody: limits of accounts are for the others, unless the operator says where.
            let any = limits.per_ip.is_some() || limits.per_token.is_some();
            return Ok(any.then(|| CallLimiter::new(limits, None, None)));
        }
        let wrong = |error: RedisError| ConfigError { key: "[RateLimit] Redis", reason: error.to_string() };
        let shared = Arc::new(RedisWindow::new(redis).map_err(wrong)?);
        Ok(Some(CallLimiter::new(limits, Some(Arc::new(service.clone())), Some(shared))))
    }

    /// How the service decides.
    pub(crate) fn rules(&self) -> Result<Rules, ConfigError> {
        let value = |key, reason: &str| ConfigError { key, reason: reason.into() };
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
        let value = |key, reason: &str| ConfigError { key, reason: reason.into() };
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

#[cfg(test)]
mod tests {
    use std::fs;

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

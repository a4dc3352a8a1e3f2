//! `config.toml`: the keys of sophon-gateway, in any case, and ours. What nobody knows is left alone.

mod sections;

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use venus_auth::client::{AuthClient, ClientConfig};
use venus_auth::limits::{RedisWindow, SharedWindow};
use venus_bins_common::config::Secret;
use venus_bins_common::files;
use venus_bins_common::keys::{self, KeysError};
use venus_bins_common::listen::{self, ClearText, Endpoint};
use venus_gateway::proxy::{HostKey, ProxyOptions, Target};
use venus_gateway::{HubOptions, Legacy, SupportRule};

pub(crate) use sections::*;

/// The file's name in the repository.
pub(crate) const FILE: &str = "config.toml";
/// The token for venus-auth, unless the configuration names another file.
const AUTH_TOKEN_FILE: &str = "auth-token";
/// Where that token may stand, for service managers.
pub(crate) const TOKEN_VARIABLE: &str = "VENUS_GATEWAY_AUTH_TOKEN";
/// What allows tokens in clear.
pub(crate) const ALLOW: &str = "AllowClearText = true in config.toml or --allow-clear-text";

/// A key's value makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("config.toml: {key}: {reason}")]
pub(crate) struct ConfigError {
    key: &'static str,
    reason: String,
}

fn wrong(key: &'static str) -> impl Fn(String) -> ConfigError {
    move |reason| ConfigError { key, reason }
}

/// What the gateway is told.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    pub(crate) api: Api,
    pub(crate) auth: Auth,
    /// Components behind the gateway: URLs or multiaddrs.
    pub(crate) node: String,
    pub(crate) messager: String,
    pub(crate) miner: String,
    pub(crate) droplet: String,
    pub(crate) ratelimit: RateLimit,
    pub(crate) metrics: Metrics,
    pub(crate) log: Log,
    pub(crate) tls: Tls,
    pub(crate) hub: HubSection,
    pub(crate) limits: Limits,
    pub(crate) proxy: ProxySection,
    /// Whether tokens may travel in clear between machines.
    pub(crate) allowcleartext: bool,
    /// Where the file stands; other files are named from there.
    #[serde(skip)]
    repo: PathBuf,
}

impl Config {
    /// The repository's configuration; the defaults if it has none.
    pub(crate) fn read(repo: &Path) -> Result<Self, KeysError> {
        let config: Self = keys::read(&repo.join(FILE))?.unwrap_or_default();
        Ok(Self { repo: repo.to_owned(), ..config })
    }

    /// Where the gateway listens.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, ConfigError> {
        let addr = listen::socket_addr(&self.api.listenaddress);
        Ok(Endpoint {
            addr: addr.map_err(|error| wrong("[API] ListenAddress")(error.to_string()))?,
            tls: listen::tls_files(&self.tls.cert, &self.tls.key).map_err(wrong("[TLS] Cert, Key"))?,
            per_ip: self.limits.connectionsperip,
            clear_text: if self.allowcleartext { ClearText::Allowed } else { ClearText::Refused(ALLOW) },
        })
    }

    /// The token for venus-auth: the environment's, or that of `Token`, or that in `TokenFile`.
    pub(crate) fn auth_token(&self) -> Result<SecretString, ConfigError> {
        if let Some(token) = env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty()) {
            return Ok(token.into());
        }
        if !self.auth.token.expose_secret().is_empty() {
            return Ok(self.auth.token.clone());
        }
        let file = self.token_file();
        if !self.auth.tokenfile.is_empty() || file.exists() {
            return Secret::in_file(file).get().map_err(|error| wrong("[Auth] TokenFile")(error.to_string()));
        }
        // The first words are those of sophon-gateway.
        Err(wrong("[Auth] Token")(format!(
            "token is empty: put what `venus-auth token gen --perm admin <user>` makes into {}, or set it here, by \
             --auth-token-file or in {TOKEN_VARIABLE}",
            file.display()
        )))
    }

    /// A client of the account service. Nothing is asked yet.
    pub(crate) fn auth_client(&self) -> Result<AuthClient, ConfigError> {
        let urls: Vec<&str> = self.auth.url.split(',').map(str::trim).filter(|url| !url.is_empty()).collect();
        let client = ClientConfig { allow_clear: self.allowcleartext, ..ClientConfig::default() };
        AuthClient::new(&urls, self.auth_token()?, client)
            .map_err(|error| wrong("[Auth] URL")(format!("{error} ({ALLOW} allows clear text)")))
    }

    /// How the hub behaves. It is called `named` unless the file says otherwise.
    pub(crate) fn hub(&self, named: &str) -> Result<HubOptions, ConfigError> {
        let hub = &self.hub;
        let mut options = HubOptions::new(if hub.name.is_empty() { named } else { &hub.name });
        options.legacy = legacy(&hub.legacyaccounts);
        options.support = match hub.supportrule.to_ascii_lowercase().as_str() {
            "" | "granted" => SupportRule::Granted,
            "any" => SupportRule::Any,
            _ => return Err(wrong("[Hub] SupportRule")("write granted or any".into())),
        };
        options.strict = hub.strict;
        options.handshake = hub.handshake;
        options.challenge = hub.challenge;
        options.sign = hub.sign;
        options.proof = hub.proof;
        options.unseal = hub.unseal;
        options.limits = self.limits.hub();
        Ok(options)
    }

    /// The components of the configuration.
    pub(crate) fn targets(&self) -> Result<Vec<(HostKey, Target)>, ConfigError> {
        let first = self.auth.url.split(',').next().unwrap_or_default().trim();
        let all = [
            ("[Auth] URL", HostKey::Auth, first),
            ("Node", HostKey::Venus, self.node.as_str()),
            ("Messager", HostKey::Messager, self.messager.as_str()),
            ("Miner", HostKey::Miner, self.miner.as_str()),
            ("Droplet", HostKey::Droplet, self.droplet.as_str()),
        ];
        let given = all.into_iter().filter(|(_, _, url)| !url.is_empty());
        given.map(|(name, key, url)| Ok((key, self.target(name, url)?))).collect()
    }

    /// The account service as the proxy writes it: the first of its addresses.
    pub(crate) fn auth_url(&self) -> Option<Target> {
        self.auth.url.split(',').next()?.trim().parse().ok()
    }

    fn target(&self, name: &'static str, url: &str) -> Result<Target, ConfigError> {
        let target: Target = url.parse().map_err(|error| wrong(name)(format!("{error}")))?;
        if target.is_remote_in_clear() && !self.allowcleartext {
            let text =
                format!("tokens of callers would travel in clear: write https, or allow it by {ALLOW}");
            return Err(wrong(name)(text));
        }
        Ok(target)
    }

    /// How requests are passed on.
    pub(crate) fn proxy(&self) -> ProxyOptions {
        let mut options = ProxyOptions::default();
        options.hosts.clone_from(&self.proxy.allowedhosts);
        options.query_tokens = self.api.querytokens;
        options
    }

    /// Where calls are counted together with other components, if anywhere.
    pub(crate) fn shared_limits(&self) -> Result<Option<Arc<dyn SharedWindow>>, ConfigError> {
        let url = &self.ratelimit.redis;
        if url.expose_secret().is_empty() {
            return Ok(None);
        }
        let window = RedisWindow::new(url).map_err(|error| wrong("[RateLimit] Redis")(error.to_string()))?;
        Ok(Some(Arc::new(window)))
    }

    /// Where metrics are asked for, if anywhere.
    pub(crate) fn metrics(
        &self,
    ) -> Result<Option<(std::net::SocketAddr, Option<SecretString>)>, ConfigError> {
        let section = &self.metrics;
        let text = match section.listenaddress.as_str() {
            "" if section.enabled => METRICS,
            "" => return Ok(None),
            text => text,
        };
        let addr = listen::socket_addr(text).map_err(|e| wrong("[Metrics] ListenAddress")(e.to_string()))?;
        let token = Some(section.token.clone()).filter(|token| !token.expose_secret().is_empty());
        Ok(Some((addr, token)))
    }

    /// The file of the token, unless it stands elsewhere.
    pub(crate) fn token_file(&self) -> PathBuf {
        match self.auth.tokenfile.as_str() {
            "" => self.repo.join(AUTH_TOKEN_FILE),
            file => self.repo.join(files::expand(file)),
        }
    }
}

fn legacy(accounts: &[String]) -> Legacy {
    match accounts {
        [] => Legacy::None,
        accounts if accounts.iter().any(|account| account == "*") => Legacy::All,
        accounts => Legacy::Accounts(accounts.iter().cloned().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO: &str = r#"
[API]
  ListenAddress = "/ip4/127.0.0.1/tcp/45132"

[Auth]
  Token = "5EC12E7.a.b"
  URL = "http://127.0.0.1:8989"

[Metrics]
  Enabled = false
  [Metrics.Exporter]
    Type = "prometheus"
    [Metrics.Exporter.Prometheus]
      EndPoint = "/ip4/0.0.0.0/tcp/4569"
      ReportingPeriod = "10s"

[RateLimit]
  Redis = ""

[Trace]
  JaegerTracingEnabled = false
"#;

    fn parse(text: &str) -> Result<Config, String> {
        keys::parse(text)
    }

    #[test]
    fn a_go_file_opens() {
        let config = parse(&format!("Node = \"/ip4/127.0.0.1/tcp/3453\"\n{GO}")).unwrap();
        assert_eq!(config.endpoint().unwrap().addr.port(), 45132);
        assert!(config.metrics().unwrap().is_none());
        let targets = config.targets().unwrap();
        assert_eq!(targets.len(), 2);
        assert_eq!(
            (targets[1].0, targets[1].1.to_string()),
            (HostKey::Venus, "http://127.0.0.1:3453/".into())
        );
        assert!(config.auth_client().is_ok());
        assert!(!format!("{config:?}").contains("5EC12E7"));
    }

    #[test]
    fn t22_no_token_goes_in_clear_between_machines() {
        let config =
            parse("Messager = \"http://10.0.0.1:1\"\n[Auth]\nToken = \"x\"\nURL = \"http://10.0.0.1:2\"")
                .unwrap();
        assert!(config.auth_client().unwrap_err().to_string().contains("AllowClearText"));
        assert!(config.targets().unwrap_err().to_string().contains("AllowClearText"));
        assert!(matches!(config.endpoint().unwrap().clear_text, ClearText::Refused(_)));
        let config = Config { allowcleartext: true, ..config };
        assert!(config.auth_client().is_ok() && config.targets().is_ok());
        assert_eq!(config.endpoint().unwrap().clear_text, ClearText::Allowed);
    }

    #[test]
    fn hubs_as_the_file_says() {
        let config = parse("[Hub]\nName = \"eu\"\nLegacyAccounts = [\"bob\"]\nSupportRule = \"Any\"\nSign = \"3s\"\n[Limits]\nChannels = 7").unwrap();
        let hub = config.hub("x").unwrap();
        assert_eq!((hub.name.as_str(), hub.limits.channels, hub.support), ("eu", 7, SupportRule::Any));
        assert!(hub.legacy.holds_for("bob") && !hub.legacy.holds_for("alice"));
        assert_eq!(hub.sign, std::time::Duration::from_secs(3));
        assert_eq!(Config::default().hub("x").unwrap().name, "x");
        assert_eq!(parse("[Hub]\nLegacyAccounts = [\"*\"]").unwrap().hub("x").unwrap().legacy, Legacy::All);
        assert!(parse("[Hub]\nSupportRule = \"all\"").unwrap().hub("x").is_err());
    }

    #[test]
    fn the_token_is_missing_in_the_words_of_go() {
        let error = Config::default().auth_token().unwrap_err().to_string();
        assert!(error.contains("token is empty") && error.contains("venus-auth token gen"), "{error}");
    }
}

//! Where requests go.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

use url::Url;
use venus_core::rpc::ApiInfo;

use crate::error::HubError;

/// A component that requests are passed on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostKey {
    /// The account service.
    Auth,
    /// The node.
    Venus,
    /// The messager.
    Messager,
    /// The miner.
    Miner,
    /// The market.
    Droplet,
    /// The hub itself, which is no target.
    Gateway,
}

impl HostKey {
    /// All that may have a target.
    pub const TARGETS: [Self; 5] = [Self::Auth, Self::Venus, Self::Messager, Self::Miner, Self::Droplet];

    /// As operators and sophon-gateway write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "AUTH",
            Self::Venus => "VENUS",
            Self::Messager => "MESSAGER",
            Self::Miner => "MINER",
            Self::Droplet => "DROPLET",
            Self::Gateway => "GATEWAY",
        }
    }

    /// What a client means that says it speaks this interface.
    pub(super) fn of_namespace(namespace: &[u8]) -> Option<Self> {
        match namespace {
            b"v0.FullNode" | b"v1.FullNode" => Some(Self::Venus),
            b"v0.IMarket" | b"v1.IMarket" => Some(Self::Droplet),
            b"messager.IMessager" => Some(Self::Messager),
            b"auth.IAuthClient" => Some(Self::Auth),
            b"miner.MinerAPI" => Some(Self::Miner),
            b"gateway.IGateway" => Some(Self::Gateway),
            _ => None,
        }
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for HostKey {
    type Err = HubError;

    /// Of those that may have a target.
    fn from_str(text: &str) -> Result<Self, HubError> {
        let found = Self::TARGETS.into_iter().find(|key| key.as_str() == text);
        found.ok_or_else(|| HubError::Invalid(format!("invalid type {text}")))
    }
}

/// An address of a component: a URL or a multiaddr.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(Url);

impl FromStr for Target {
    type Err = HubError;

    /// # Errors
    /// [`HubError::Invalid`]. A user name or password in a URL is refused: it would stand in logs.
    fn from_str(text: &str) -> Result<Self, HubError> {
        let wrong =
            || HubError::Invalid("no address of a component: write http://host:port or /ip4/…/tcp/…".into());
        let mut url = if text.starts_with('/') {
            let info = ApiInfo { token: None, address: text.to_owned() };
            let mut url = Url::parse(&info.dial_url("v0").map_err(|_| wrong())?).map_err(|_| wrong())?;
            url.set_path("");
            url
        } else {
            Url::parse(text).map_err(|_| wrong())?
        };
        // Sockets begin as requests.
        let scheme = match url.scheme() {
            "ws" => "http",
            "wss" => "https",
            "http" => "http",
            "https" => "https",
            _ => return Err(wrong()),
        };
        let plain = url.username().is_empty() && url.password().is_none();
        if !plain || url.host().is_none() || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong());
        }
        url.set_scheme(scheme).map_err(|()| wrong())?;
        Ok(Self(url))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl Target {
    /// Whether tokens for it can be read on the way: no TLS, and another machine.
    #[must_use]
    pub fn is_remote_in_clear(&self) -> bool {
        let local = match self.0.host() {
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.to_canonical().is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => true,
        };
        self.0.scheme() == "http" && !local
    }

    /// `path_and_query` there; nothing if it would leave the target's own path.
    pub(super) fn join(&self, path_and_query: &str) -> Option<Url> {
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        let base = self.0.path().trim_end_matches('/');
        let mut url = self.0.clone();
        // The URL's own rules fold `..`, also where it is percent-encoded.
        url.set_path(&format!("{base}{path}"));
        url.set_query(query);
        let below = url.path().strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
        below.then_some(url)
    }

    /// `host` and `host:port`, either of which may be allowed.
    fn hosts(&self) -> [String; 2] {
        let host = self.0.host_str().unwrap_or_default().to_ascii_lowercase();
        let port = self.0.port_or_known_default().unwrap_or_default();
        [host.clone(), format!("{host}:{port}")]
    }
}

/// All targets, and those that may be set at run time.
pub(super) struct Targets {
    allowed: BTreeSet<String>,
    of: RwLock<HashMap<HostKey, Target>>,
}

impl fmt::Debug for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = self.of.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_map().entries(of.iter().map(|(key, target)| (key, target.to_string()))).finish()
    }
}

impl Targets {
    pub(super) fn new(allowed: &[String]) -> Self {
        let allowed = allowed.iter().map(|host| host.to_ascii_lowercase()).collect();
        Self { allowed, of: RwLock::default() }
    }

    pub(super) fn get(&self, key: HostKey) -> Option<Target> {
        self.of.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    pub(super) fn set(&self, key: HostKey, target: Option<Target>) {
        let mut of = self.of.write().unwrap_or_else(PoisonError::into_inner);
        match target {
            Some(target) => drop(of.insert(key, target)),
            None => drop(of.remove(&key)),
        }
    }

    /// As an administrator asks at run time: its token must not become a way to everything that this machine reaches.
    pub(super) fn register(&self, host_key: &str, url: &str) -> Result<(), HubError> {
        let key: HostKey = host_key.parse()?;
        if url.is_empty() {
            self.set(key, None);
            return Ok(());
        }
        let target: Target = url.parse()?;
        if !target.hosts().iter().any(|host| self.allowed.contains(host)) {
            let [_, host] = target.hosts();
            return Err(HubError::Denied(format!(
                "{host} is no host that targets may have: add it to [Proxy] AllowedHosts in the gateway's config.toml"
            )));
        }
        tracing::info!(component = %key, %target, "requests go elsewhere from now on");
        self.set(key, Some(target));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_of_components() {
        assert_eq!(target("/ip4/127.0.0.1/tcp/3453").to_string(), "http://127.0.0.1:3453/");
        assert_eq!(target("/dns/node/tcp/443/wss").to_string(), "https://node/");
        assert_eq!(target("ws://node:1/below/").to_string(), "http://node:1/below/");
        for text in
            ["", "node:1", "ftp://x", "http://", "http://u:p@x", "http://x/?token=1", "/ip4/x", "data:x"]
        {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
        assert!(target("http://10.0.0.1").is_remote_in_clear());
        assert!(!target("https://10.0.0.1").is_remote_in_clear());
        assert!(!target("/ip4/127.0.0.1/tcp/1").is_remote_in_clear());
    }

    #[test]
    fn paths_stay_below_the_target() {
        let joined = |base: &str, path: &str| target(base).join(path).map(|url| url.to_string());
        assert_eq!(joined("http://x", "/rpc/v1?a=b&c"), Some("http://x/rpc/v1?a=b&c".into()));
        assert_eq!(joined("http://x/api/", "/rpc/v1"), Some("http://x/api/rpc/v1".into()));
        for path in ["/../admin", "/%2e%2e/admin", "/a/../../admin", "/..", "*", "\\..\\admin"] {
            assert_eq!(
                joined("http://x/api", path).filter(|url| !url.starts_with("http://x/api/")),
                None,
                "{path}"
            );
        }
    }

    #[test]
    fn only_named_hosts_at_run_time() {
        let targets = Targets::new(&["node".into(), "10.0.0.1:80".into()]);
        for url in ["http://node:7", "https://NODE", "http://10.0.0.1", "/ip4/10.0.0.1/tcp/80"] {
            targets.register("VENUS", url).unwrap();
        }
        for url in [
            "http://10.0.0.1:81",
            "http://127.0.0.1:1",
            "http://node.evil",
            "http://169.254.169.254",
            "http://[::1]",
        ] {
            assert!(matches!(targets.register("VENUS", url), Err(HubError::Denied(_))), "{url}");
        }
        assert_eq!(targets.get(HostKey::Venus), Some(target("http://10.0.0.1")));
        assert_eq!(targets.register("NOPE", "").unwrap_err().to_string(), "invalid type NOPE");
        assert!(targets.register("GATEWAY", "http://node").is_err());
        targets.register("VENUS", "").unwrap();
        assert_eq!(targets.get(HostKey::Venus), None);
    }

    proptest! {
        #[test]
        fn no_path_leaves_its_host(base in "(/[a-z]{1,3}){0,2}", path in "[/\\\\.%2ea-zA-Z?#@:*]{0,24}") {
            let target = target(&format!("http://x:1{base}"));
            if let Some(url) = target.join(&format!("/{path}")) {
                prop_assert_eq!((url.host_str(), url.port()), (Some("x"), Some(1)));
                prop_assert!(url.path().starts_with(&base));
            }
        }

        #[test]
        fn texts_never_panic(text in "\\PC{0,40}") {
            let _ = text.parse::<Target>();
            let _ = text.parse::<HostKey>();
        }
    }
}

//! The sections of `config.toml`.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use venus_bins_common::config::duration;
use venus_gateway::{HubLimits, HubOptions};

/// Where metrics are asked for if only their switch is set: sophon-gateway's port, on this machine alone.
pub(super) const METRICS: &str = "127.0.0.1:4569";

/// `[API]`
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Api {
    /// A multiaddr or an address and a port.
    pub(crate) listenaddress: String,
    /// Whether tokens are taken from queries too.
    pub(crate) querytokens: bool,
}

impl Default for Api {
    fn default() -> Self {
        Self { listenaddress: "/ip4/127.0.0.1/tcp/45132".into(), querytokens: false }
    }
}

/// `[Auth]`
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Auth {
    /// The account service; several addresses of one, with commas.
    pub(crate) url: String,
    /// The gateway's token there.
    pub(crate) token: SecretString,
    /// A file with the token.
    pub(crate) tokenfile: String,
}

impl Default for Auth {
    fn default() -> Self {
        Self { url: "http://127.0.0.1:8989".into(), token: SecretString::default(), tokenfile: String::new() }
    }
}

/// `[RateLimit]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RateLimit {
    /// The Redis that several components count in together; each counts alone if empty.
    pub(crate) redis: SecretString,
}

/// `[Metrics]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metrics {
    /// Go's switch.
    pub(crate) enabled: bool,
    pub(crate) listenaddress: String,
    pub(crate) token: SecretString,
}

/// `[Log]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Log {
    pub(crate) loglevel: String,
}

/// `[TLS]`: PEM files.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tls {
    pub(crate) cert: String,
    pub(crate) key: String,
}

/// `[Hub]`
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct HubSection {
    /// What wallets know this gateway as.
    pub(crate) name: String,
    /// Accounts whose wallets understand only Go's challenge; `*` for all.
    pub(crate) legacyaccounts: Vec<String>,
    /// `granted` or `any`.
    pub(crate) supportrule: String,
    /// Whether one bad key refuses a whole wallet.
    pub(crate) strict: bool,
    #[serde(with = "duration")]
    pub(crate) handshake: Duration,
    #[serde(with = "duration")]
    pub(crate) challenge: Duration,
    #[serde(with = "duration")]
    pub(crate) sign: Duration,
    #[serde(with = "duration")]
    pub(crate) proof: Duration,
    #[serde(with = "duration")]
    pub(crate) unseal: Duration,
}

impl Default for HubSection {
    fn default() -> Self {
        let usual = HubOptions::new("");
        Self {
            name: String::new(),
            legacyaccounts: Vec::new(),
            supportrule: String::new(),
            strict: usual.strict,
            handshake: usual.handshake,
            challenge: usual.challenge,
            sign: usual.sign,
            proof: usual.proof,
            unseal: usual.unseal,
        }
    }
}

/// `[Limits]`
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Limits {
    /// Connections of one address at once.
    pub(crate) connectionsperip: usize,
    /// WebSockets at once, on each path.
    pub(crate) sessions: usize,
    pub(crate) queue: usize,
    pub(crate) inflight: usize,
    pub(crate) channelsperaccount: usize,
    pub(crate) channelsperip: usize,
    pub(crate) channels: usize,
    pub(crate) addresses: usize,
    pub(crate) supportaccounts: usize,
    pub(crate) challenges: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let hub = HubLimits::default();
        Self {
            connectionsperip: hub.channels_per_ip,
            sessions: hub.channels,
            queue: hub.queue,
            inflight: hub.in_flight,
            channelsperaccount: hub.channels_per_account,
            channelsperip: hub.channels_per_ip,
            channels: hub.channels,
            addresses: hub.addresses,
            supportaccounts: hub.support_accounts,
            challenges: hub.challenges,
        }
    }
}

impl Limits {
    pub(super) fn hub(&self) -> HubLimits {
        HubLimits {
            queue: self.queue,
            in_flight: self.inflight,
            channels_per_account: self.channelsperaccount,
            channels_per_ip: self.channelsperip,
            channels: self.channels,
            addresses: self.addresses,
            support_accounts: self.supportaccounts,
            challenges: self.challenges,
        }
    }
}

/// `[Proxy]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ProxySection {
    /// Hosts, as `host` or `host:port`, that `proxy set` may name.
    pub(crate) allowedhosts: Vec<String>,
}

//! Which hubs, and how they are treated.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use venus_core::clock::{Clock, SystemClock};
use venus_core::entropy::{Entropy, OsEntropy};
use venus_core::error::{Classify, ErrorKind};
use venus_core::rpc::api_info::Token;
use venus_core::rpc::client::{BackOff, ClientConfig};
use venus_core::rpc::{ApiInfo, ApiInfoError, KeepAlive, Limits};

use super::hub::{Dial, Dialler};
use super::wire::NAMESPACE;

/// A hub to register at. Its address may begin with the token, so neither is shown.
#[derive(Clone)]
#[non_exhaustive]
pub struct HubConfig {
    /// The name in records, rules, metrics and logs: `gateway:NAME`.
    pub name: String,
    /// What the hub calls itself in its challenges; the name, unless set. No two hubs may share it.
    pub id: String,
    /// Where it is: `token:multiaddr`, a multiaddr or a URL. Without a scheme that is a WebSocket at `/rpc/v1`.
    pub api: String,
    /// The token, if it does not stand before the address. A JWT of the auth service names the wallet's account.
    pub token: Option<SecretString>,
    /// The wallet's account, where the token does not tell.
    pub account: Option<String>,
    /// Other accounts whose requests are served.
    pub support_accounts: Vec<String>,
    /// Answers challenges of Go gateways too, which name nobody. Only one hub should need it.
    pub legacy: bool,
}

impl std::fmt::Debug for HubConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut f = f.debug_struct("HubConfig");
        f.field("name", &self.name).field("id", &self.id).field("account", &self.account);
        f.field("support_accounts", &self.support_accounts).field("legacy", &self.legacy);
        f.finish_non_exhaustive()
    }
}

impl HubConfig {
    /// A hub that understands our challenges.
    pub fn new(name: impl Into<String>, api: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            id: name.clone(),
            name,
            api: api.into(),
            token: None,
            account: None,
            support_accounts: Vec::new(),
            legacy: false,
        }
    }

    /// The hub with a token.
    #[must_use]
    pub fn token(mut self, token: SecretString) -> Self {
        self.token = Some(token);
        self
    }

    /// The hub with accounts to support.
    #[must_use]
    pub fn support_accounts(mut self, accounts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.support_accounts = accounts.into_iter().map(Into::into).collect();
        self
    }

    /// The hub as a Go gateway.
    #[must_use]
    pub fn legacy(mut self) -> Self {
        self.legacy = true;
        self
    }

    pub(super) fn target(&self, limits: Limits) -> Result<Target, HubConfigError> {
        let wrong = |source| HubConfigError::Api { hub: self.name.clone(), source };
        let api: ApiInfo = self.api.parse().map_err(wrong)?;
        let own = self.token.as_ref().map(|token| Token::new(token.expose_secret())).transpose();
        let token = own.map_err(wrong)?.or_else(|| api.token.clone());
        let url = websocket(&api.endpoint_url(1).map_err(wrong)?);
        let mut client = ClientConfig {
            limits,
            keep_alive: KeepAlive::default(),
            deadline: Duration::from_secs(60),
            // The loop of the hub dials, with pauses of its own.
            back_off: BackOff { min: NEVER, max: NEVER, factor: 1.0 },
            ..ClientConfig::default()
        };
        client = client.with_namespace(NAMESPACE).map_err(wrong)?;
        let mut account = self.account.clone();
        if let Some(token) = &token {
            if is_exposed(&url) {
                // Go's wallets do so everywhere, so it is not refused.
                tracing::warn!(hub = %self.name, "the token travels in clear, and whoever reads it can stand in for this wallet: use /wss");
            }
            client = client.with_token(token);
            account = account.or_else(|| account_of(token.expose()));
        }
        Ok(Target { url, client, account })
    }
}

const NEVER: Duration = Duration::from_secs(24 * 3600);

/// A hub as it is dialled.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) url: String,
    pub(super) client: ClientConfig,
    pub(super) account: Option<String>,
}

/// Channels need a WebSocket, whatever the address says.
fn websocket(url: &str) -> String {
    match url.split_once("://") {
        Some(("http", rest)) => format!("ws://{rest}"),
        Some(("https", rest)) => format!("wss://{rest}"),
        _ => url.to_owned(),
    }
}

/// Whether somebody on the way can read along: no TLS, and a network in between.
fn is_exposed(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("ws://") else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host).trim_matches(['[', ']']);
    !host.parse::<IpAddr>().map_or(host == "localhost", |ip| ip.is_loopback())
}

/// The account that a token of the auth service names. The hub verifies it; here it only tells who we are.
fn account_of(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        name: String,
    }
    let claims = token.split('.').nth(1)?;
    let json = BASE64URL_NOPAD.decode(claims.trim_end_matches('=').as_bytes()).ok()?;
    let claims: Claims = serde_json::from_slice(&json).ok()?;
    Some(claims.name).filter(|name| !name.is_empty() && name.len() <= 256)
}

/// Why hubs cannot be used as configured. Mend the configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubConfigError {
    /// Where the hub is, or its token, cannot be read.
    #[error("hub {hub}: {source}")]
    Api {
        /// The hub's name.
        hub: String,
        /// What is wrong.
        #[source]
        source: ApiInfoError,
    },
    /// Two hubs share a name or an identity: challenges of one would pass for the other's.
    #[error("hub {0}: another hub has the same name or id")]
    Twice(String),
    /// A hub without a name, or one that is too long.
    #[error("hub {0:?}: name and id must have 1 to 256 bytes")]
    Name(String),
}

impl Classify for HubConfigError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// How all hubs are treated.
#[derive(Clone)]
#[non_exhaustive]
pub struct GatewayOptions {
    /// Events of one hub under way at once. More wait in the channel's queue; a hub that fills that one, too, loses
    /// the channel.
    pub events: usize,
    /// How long a hub may take from the opening of a channel to its end of the handshake.
    pub handshake: Duration,
    /// How long the wallet may take to answer one event, and the hub to take the answer.
    pub event_deadline: Duration,
    /// The first pause between attempts; it doubles.
    pub pause_min: Duration,
    /// The longest pause.
    pub pause_max: Duration,
    /// The bounds of messages and queues.
    pub limits: Limits,
    /// The time that challenges are held against.
    pub clock: Arc<dyn Clock>,
    /// Where random bytes come from.
    pub entropy: Arc<dyn Entropy>,
    /// How hubs are dialled.
    pub dial: Arc<dyn Dial>,
}

impl Default for GatewayOptions {
    /// 32 events, 60 s for a handshake, 60 s for an event, pauses from 1 s to 30 s, messages of 4 MiB.
    fn default() -> Self {
        let limits = Limits {
            message_bytes: 4 << 20,
            channel_values: 256,
            channel_bytes: 16 << 20,
            ..Limits::default()
        };
        Self {
            events: 32,
            handshake: Duration::from_secs(60),
            event_deadline: Duration::from_secs(60),
            pause_min: Duration::from_secs(1),
            pause_max: Duration::from_secs(30),
            limits,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            dial: Arc::new(Dialler),
        }
    }
}

impl std::fmt::Debug for GatewayOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewayOptions").field("events", &self.events).finish_non_exhaustive()
    }
}

impl GatewayOptions {
    /// The pause before attempt number `attempt`, from 0: up to a quarter shorter than it could be, so that wallets that
    /// lost one hub together do not come back together.
    pub(super) fn pause(&self, attempt: u32) -> Duration {
        let grown = self.pause_min.saturating_mul(1 << attempt.min(16)).min(self.pause_max);
        let mut random = [0; 4];
        // Without randomness all wallets pause alike, which is no reason not to go on.
        let _ = self.entropy.fill(&mut random);
        let part = f64::from(u32::from_ne_bytes(random)) / f64::from(u32::MAX);
        grown.mul_f64(1.0 - part / 4.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_name_the_account() {
        let alice =
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJuYW1lIjoiYWxpY2UiLCJwZXJtIjoicmVhZCIsImV4dCI6IiJ9.SwZl";
        assert_eq!(account_of(alice).as_deref(), Some("alice"));
        for token in ["", ".", "a.b.c", "a.!.c", "opaque", "a.e30.c", "a.eyJuYW1lIjo1fQ.c"] {
            assert_eq!(account_of(token), None, "{token}");
        }
    }

    #[test]
    fn addresses_become_websockets() {
        let url = |api: &str| HubConfig::new("h", api).target(Limits::default()).map(|target| target.url);
        for (api, expected) in [
            ("/ip4/1.2.3.4/tcp/45132", "ws://1.2.3.4:45132/rpc/v1"),
            ("a.b.c:/dns/gw/tcp/45132/wss", "wss://gw:45132/rpc/v1"),
            ("http://gw:1", "ws://gw:1/rpc/v1"),
            ("https://gw/rpc/v1", "wss://gw/rpc/v1"),
        ] {
            assert_eq!(url(api).unwrap(), expected);
        }
        let error = HubConfig::new("h", "nonsense").target(Limits::default()).unwrap_err();
        assert!(error.to_string().starts_with("hub h: "));
        let hub = HubConfig::new("h", "/ip4/1.2.3.4/tcp/1").token(SecretString::from("very-secret"));
        let shown = format!("{hub:?} {:?}", hub.target(Limits::default()).unwrap());
        assert!(!shown.contains("very-secret"), "{shown}");
        let shown = format!("{:?}", HubConfig::new("h", "very.secret.token:/ip4/1.2.3.4/tcp/1"));
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_token_on_a_network_without_tls_is_told() {
        for url in ["ws://1.2.3.4:45132/rpc/v1", "ws://[2001:db8::1]:1/rpc/v1", "ws://gw:1/rpc/v1", "ws://gw"]
        {
            assert!(is_exposed(url), "{url}");
        }
        for url in
            ["wss://gw:1/rpc/v1", "ws://127.0.0.1:1/rpc/v1", "ws://[::1]:1/rpc/v1", "ws://localhost:1/"]
        {
            assert!(!is_exposed(url), "{url}");
        }
    }

    #[test]
    fn pauses_grow_to_their_bound() {
        let options = GatewayOptions::default();
        for (attempt, most) in [(0, 1), (1, 2), (2, 4), (4, 16), (5, 30), (60, 30), (u32::MAX, 30)] {
            let pause = options.pause(attempt).as_secs_f64();
            assert!(pause <= f64::from(most) && pause >= f64::from(most) * 0.74, "{attempt}: {pause}");
        }
    }
}

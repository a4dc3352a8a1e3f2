//! How the gateway is, for `doctor`.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use venus_gateway::Kind;
use venus_gateway::proxy::HostKey;

use super::Parts;

/// What an administrator is told. Both ends are this program, of one version or another.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub(crate) version: String,
    pub(crate) hub: String,
    pub(crate) url: String,
    /// By its clock, Unix seconds.
    pub(crate) now: i64,
    pub(crate) sockets: usize,
    pub(crate) passed_on: usize,
    /// Why venus-auth does not answer; nothing if it does.
    pub(crate) auth_error: Option<String>,
    /// What the process may open, and what its limits promise.
    pub(crate) open_files: Option<u64>,
    pub(crate) channels: usize,
    pub(crate) enough_files: bool,
    pub(crate) clear_text: bool,
    pub(crate) unnamed: bool,
    /// Components behind it, by host key.
    pub(crate) targets: Vec<(String, String)>,
    pub(crate) failures: Vec<Refused>,
}

/// Somebody who could not register, or not with everything.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Refused {
    pub(crate) account: String,
    /// `wallet`, `proof` or `market`.
    pub(crate) kind: String,
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) at: String,
    pub(crate) times: u64,
    pub(crate) reason: String,
}

impl Status {
    pub(super) async fn of(parts: &Parts) -> Self {
        let facts = &parts.facts;
        let target = |key: HostKey| Some((key.to_string(), parts.proxy.target(key)?.to_string()));
        Self {
            version: venus_gateway::rpc::VERSION.to_owned(),
            hub: parts.hub.options().name.clone(),
            url: facts.url.clone(),
            now: OffsetDateTime::now_utc().unix_timestamp(),
            sockets: parts.server.sessions(),
            passed_on: parts.proxy.open(),
            auth_error: parts.auth.version().await.err().map(|error| error.to_string()),
            open_files: facts.open_files.soft,
            channels: facts.most_channels,
            enough_files: facts.open_files.fits(facts.most_channels),
            clear_text: facts.clear_text,
            unnamed: facts.unnamed,
            targets: HostKey::TARGETS.into_iter().filter_map(target).collect(),
            failures: parts.hub.failures().into_iter().map(Refused::from).collect(),
        }
    }
}

impl From<venus_gateway::Failure> for Refused {
    fn from(failure: venus_gateway::Failure) -> Self {
        Self {
            kind: kind(failure.kind).to_owned(),
            remote: failure.remote,
            at: failure.at.format(&Rfc3339).unwrap_or_default(),
            times: failure.times,
            account: failure.account,
            reason: failure.reason,
        }
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Wallet => "wallet",
        Kind::Proof => "proof",
        Kind::Market => "market",
    }
}

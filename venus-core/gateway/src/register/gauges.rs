//! What there is and what comes and goes, in numbers. Labels are kinds and outcomes: never an account, an address or
//! an IP address, of which there is no end.

use crate::provider::Kind;
use crate::registry::Counts;

/// Why a channel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The provider went.
    Left,
    /// It could not be registered.
    Failed,
    /// What it rested on was taken away.
    Revoked,
    /// The hub stops.
    Shutdown,
}

impl Cause {
    fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Failed => "failed",
            Self::Revoked => "revoked",
            Self::Shutdown => "shutdown",
        }
    }
}

pub(super) fn registered(kind: Kind, outcome: &'static str) {
    metrics::counter!("venus_gateway_registrations_total", "kind" => kind.as_str(), "outcome" => outcome)
        .increment(1);
}

pub(super) fn left(kind: Kind, cause: Cause) {
    metrics::counter!("venus_gateway_departures_total", "kind" => kind.as_str(), "cause" => cause.as_str())
        .increment(1);
}

/// Addresses came or went. Called as [`publish`].
pub(crate) fn changed(what: &'static str, addresses: usize, counts: &Counts) {
    let addresses = u64::try_from(addresses).unwrap_or(u64::MAX);
    metrics::counter!("venus_gateway_address_changes_total", "change" => what).increment(addresses);
    publish(counts);
}

/// Called under the registry's lock, so that the last one to write is the last one to know.
pub(super) fn publish(counts: &Counts) {
    metrics::gauge!("venus_gateway_wallet_accounts").set(number(counts.accounts));
    metrics::gauge!("venus_gateway_addresses").set(number(counts.addresses));
    metrics::gauge!("venus_gateway_connections", "kind" => "wallet").set(number(counts.wallets));
    let kinds = [Kind::Proof, Kind::Market];
    for ((kind, miners), connections) in kinds.into_iter().zip(counts.miners).zip(counts.miner_connections) {
        metrics::gauge!("venus_gateway_miners", "kind" => kind.as_str()).set(number(miners));
        metrics::gauge!("venus_gateway_connections", "kind" => kind.as_str()).set(number(connections));
    }
}

fn number(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::MAX, f64::from)
}

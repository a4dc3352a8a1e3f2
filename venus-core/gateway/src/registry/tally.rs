//! How many there are, of whom and from where.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::error::HubError;
use crate::options::HubLimits;
use crate::provider::{Kind, Provider};

/// Signatures of one account that are checked at once. A registration of thousands of keys keeps some of the
/// processors busy, and leaves room for everybody else's.
const CHECKS: usize = 16;

/// What the bounds and the gauges look at, so that nobody has to count.
#[derive(Debug, Default)]
pub(super) struct Tally {
    accounts: HashMap<String, OfAccount>,
    ips: HashMap<IpAddr, usize>,
    pub(super) wallets: usize,
    /// Of provers and of sealers.
    pub(super) miners: [usize; 2],
}

#[derive(Debug)]
struct OfAccount {
    channels: usize,
    turns: Arc<Semaphore>,
}

/// For the gauges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Accounts that have wallets.
    pub(crate) accounts: usize,
    /// Channels of wallets that are offered.
    pub(crate) wallets: usize,
    /// Different addresses.
    pub(crate) addresses: usize,
    /// Miners that have provers, and those that have sealers.
    pub(crate) miners: [usize; 2],
    /// Channels of provers and of sealers that are offered.
    pub(crate) miner_connections: [usize; 2],
}

impl Tally {
    pub(super) fn room_for(&self, who: &Provider, all: usize, limits: &HubLimits) -> Result<(), HubError> {
        let of_account = self.accounts.get(&who.account).map_or(0, |of| of.channels);
        if of_account >= limits.channels_per_account {
            return Err(HubError::TooMany("channels of this account"));
        }
        let of_ip = ip(who).and_then(|ip| self.ips.get(&ip)).copied().unwrap_or_default();
        if of_ip >= limits.channels_per_ip {
            return Err(HubError::TooMany("channels of this IP address"));
        }
        if all >= limits.channels {
            return Err(HubError::TooMany("channels"));
        }
        Ok(())
    }

    pub(super) fn entered(&mut self, who: &Provider) {
        let new = || OfAccount { channels: 0, turns: Arc::new(Semaphore::new(CHECKS)) };
        self.accounts.entry(who.account.clone()).or_insert_with(new).channels += 1;
        if let Some(ip) = ip(who) {
            *self.ips.entry(ip).or_default() += 1;
        }
    }

    pub(super) fn left(&mut self, who: &Provider) {
        one_less(&mut self.accounts, &who.account, |of| &mut of.channels);
        if let Some(ip) = ip(who) {
            one_less(&mut self.ips, &ip, |count| count);
        }
    }

    pub(super) fn miner(&mut self, kind: Kind, by: isize) {
        let [provers, sealers] = &mut self.miners;
        let count = if kind == Kind::Proof { provers } else { sealers };
        *count = count.saturating_add_signed(by);
    }

    pub(super) fn turns(&self, account: &str) -> Option<Arc<Semaphore>> {
        self.accounts.get(account).map(|of| of.turns.clone())
    }
}

fn one_less<K: Hash + Eq, V>(map: &mut HashMap<K, V>, key: &K, count: impl Fn(&mut V) -> &mut usize) {
    let Some(value) = map.get_mut(key) else { return };
    let count = count(value);
    *count = count.saturating_sub(1);
    if *count == 0 {
        map.remove(key);
    }
}

/// An IPv4 address is the same whichever way the socket writes it.
fn ip(who: &Provider) -> Option<IpAddr> {
    who.remote.map(|remote| remote.ip().to_canonical())
}

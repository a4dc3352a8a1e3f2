//! Machines that are kept out.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use crate::effect::Effect;
use crate::watch::OnEffect;

/// The most machines that are kept out at once; more belong into a firewall.
const MOST: usize = 100_000;

/// Where requests are refused from, whatever their token. Clones share it. A [`Watch`](crate::watch::Watch) keeps it up
/// to date.
#[derive(Clone, Debug, Default)]
pub struct Blacklist {
    ips: Arc<RwLock<HashSet<IpAddr>>>,
}

impl Blacklist {
    /// Whether requests from there are refused.
    pub fn has(&self, ip: IpAddr) -> bool {
        self.ips.read().unwrap_or_else(PoisonError::into_inner).contains(&ip.to_canonical())
    }

    /// Refuses these and no others.
    pub fn replace(&self, ips: impl IntoIterator<Item = IpAddr>) {
        let mut next: HashSet<IpAddr> = ips.into_iter().map(|ip| ip.to_canonical()).take(MOST + 1).collect();
        if next.len() > MOST {
            tracing::warn!(MOST, "too many machines are kept out: block them before they get here");
            next = next.into_iter().take(MOST).collect();
        }
        *self.ips.write().unwrap_or_else(PoisonError::into_inner) = next;
    }

    fn add(&self, ip: IpAddr) {
        let mut ips = self.ips.write().unwrap_or_else(PoisonError::into_inner);
        if ips.len() < MOST {
            ips.insert(ip.to_canonical());
        }
    }
}

impl OnEffect for Blacklist {
    fn ended(&self, effect: &Effect) {
        if let Effect::Ip(ip) = effect {
            self.add(*ip);
        }
    }

    fn banned(&self, ips: &[IpAddr]) {
        self.replace(ips.iter().copied());
    }
}

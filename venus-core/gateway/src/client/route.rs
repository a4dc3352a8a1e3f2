//! Which gateways have what, as far as it is known.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use venus_core::types::Address;

/// The gateways of an address, by their numbers, for as long as that may be believed.
#[derive(Debug)]
pub(super) struct Routes {
    ttl: Duration,
    most: usize,
    known: Mutex<HashMap<Address, Route>>,
}

#[derive(Debug)]
struct Route {
    gateways: Arc<[usize]>,
    until: Instant,
}

/// How long others may use what is being asked anew.
const REFRESH: Duration = Duration::from_secs(3);

impl Routes {
    pub(super) fn new(ttl: Duration, most: usize) -> Self {
        Self { ttl, most: most.max(1), known: Mutex::default() }
    }

    /// The gateways, if they are known. Who gets nothing asks; until the answer is there, the others go by what was
    /// known, so that an entry that ends under load does not make everybody ask at once.
    pub(super) fn get(&self, address: &Address) -> Option<Arc<[usize]>> {
        let now = Instant::now();
        let mut known = self.known();
        let route = known.get_mut(address)?;
        if route.until > now {
            return Some(route.gateways.clone());
        }
        if now.duration_since(route.until) > REFRESH {
            known.remove(address);
        } else {
            route.until = now + REFRESH.min(self.ttl);
        }
        None
    }

    /// Remembers who has an address. That nobody has it is not remembered: a wallet may come at any moment.
    pub(super) fn set(&self, address: &Address, gateways: Arc<[usize]>) {
        let now = Instant::now();
        let mut known = self.known();
        if known.len() >= self.most && !known.contains_key(address) {
            known.retain(|_, route| route.until > now);
            if known.len() >= self.most {
                known.clear();
            }
        }
        known.insert(*address, Route { gateways, until: now + self.ttl });
    }

    /// Forgets that `gateway` has the address: it failed.
    pub(super) fn forget(&self, address: &Address, gateway: usize) {
        let mut known = self.known();
        let Some(route) = known.get_mut(address) else { return };
        let left: Arc<[usize]> = route.gateways.iter().copied().filter(|at| *at != gateway).collect();
        if left.is_empty() {
            known.remove(address);
        } else {
            route.gateways = left;
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Address, Route>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(routes: &Routes, id: u64) -> Vec<usize> {
        routes.get(&Address::new_id(id)).map(|route| route.to_vec()).unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_known_ends() {
        let routes = Routes::new(Duration::from_secs(60), 10);
        routes.set(&Address::new_id(1), Arc::from([0, 2]));
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(known(&routes, 1), [0, 2]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(known(&routes, 1).is_empty(), "the first one asks");
        assert_eq!(known(&routes, 1), [0, 2], "and the others do not wait for it");
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(known(&routes, 1).is_empty() && known(&routes, 1).is_empty(), "but not for ever");
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_forgotten_at_once() {
        let routes = Routes::new(Duration::from_secs(60), 10);
        routes.set(&Address::new_id(1), Arc::from([0, 2]));
        routes.forget(&Address::new_id(1), 0);
        assert_eq!(known(&routes, 1), [2]);
        routes.forget(&Address::new_id(1), 2);
        routes.forget(&Address::new_id(7), 2);
        assert!(known(&routes, 1).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_a_bound() {
        let routes = Routes::new(Duration::from_secs(60), 10);
        for id in 0..1000 {
            routes.set(&Address::new_id(id), Arc::from([0]));
            assert!(routes.known().len() <= 10);
        }
        assert_eq!(known(&routes, 999), [0]);
    }
}

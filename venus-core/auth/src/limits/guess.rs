//! Tokens that were no good.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use moka::sync::Cache;
use tokio::time::Instant;

use super::Rate;
use super::bucket::{Buckets, Key, steady};

/// Machines that are watched at once.
const MOST: u64 = 20_000;

/// Counts tokens that were no good, by the machine that they came from. Who sends too many has to wait, so that a flood
/// of guesses costs the account service nothing. Machines of the loopback are not counted: proxies and operators are
/// there. Clones count together.
#[derive(Clone)]
pub struct Guesses {
    rate: Option<Rate>,
    buckets: Arc<Buckets>,
    /// Until when a machine has to wait.
    waiting: Cache<IpAddr, Instant>,
}

impl fmt::Debug for Guesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guesses").field("rate", &self.rate).finish_non_exhaustive()
    }
}

impl Default for Guesses {
    /// Fifty at once, one more each second: a component with an old token does not lock its neighbours out.
    fn default() -> Self {
        Self::new(Some(Rate { per_second: 1, burst: 50 }))
    }
}

impl Guesses {
    /// Allows so many; `None` for any number.
    pub fn new(rate: Option<Rate>) -> Self {
        let waiting = Cache::builder().max_capacity(MOST).build();
        Self { rate, buckets: Arc::new(Buckets::new(MOST)), waiting }
    }

    /// Counts one.
    pub fn count(&self, ip: IpAddr) {
        let ip = ip.to_canonical();
        let Some(rate) = self.rate.filter(|_| !ip.is_loopback()) else { return };
        if let Err(full) = self.buckets.take(&Key::Ip(ip), steady(rate), 1) {
            self.waiting.insert(ip, Instant::now() + full.reset);
        }
    }

    /// Whether a machine has to wait.
    pub fn are_too_many(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        match self.waiting.get(&ip) {
            Some(until) if Instant::now() < until => true,
            Some(_) => {
                self.waiting.invalidate(&ip);
                false
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_guesses_waits_and_others_do_not() {
        let guesses = Guesses::new(Some(Rate { per_second: 1, burst: 3 }));
        let [guesser, other] = [[203, 0, 113, 1], [203, 0, 113, 2]].map(IpAddr::from);
        for _ in 0..3 {
            guesses.count(guesser);
            assert!(!guesses.are_too_many(guesser));
        }
        guesses.count(guesser);
        assert!(guesses.are_too_many(guesser) && !guesses.are_too_many(other));
        let mapped: IpAddr = "::ffff:203.0.113.1".parse().unwrap();
        assert!(guesses.are_too_many(mapped), "one machine by two names");
        tokio::time::advance(Duration::from_millis(1001)).await;
        assert!(!guesses.are_too_many(guesser));
        let own = IpAddr::from([127, 0, 0, 1]);
        for _ in 0..100 {
            guesses.count(own);
        }
        assert!(!guesses.are_too_many(own));
    }
}

//! Whom to ask first.
//!
//! | rank | why |
//! |---|---|
//! | resting | it failed a moment ago: after the first failure for a second, then for two, four … at most a minute |
//! | cost | questions under way, this one included, times the usual time to an answer, roughly: twice is a difference |
//! | place | who is equally good is asked in turn: whoever asks begins elsewhere in the list each time |
//!
//! Everything that the choice looks at changes as questions are asked, here in the same process, so that the least
//! loaded is what it seems; picking two at random, as balancers with old news must, would only lose.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::channel::Load;

/// The longest rest after failures.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// How much of the average a new time to an answer is: one part in so many.
const WEIGHT: u64 = 8;

/// How a provider does at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Score {
    pub(crate) in_flight: u32,
    /// Microseconds.
    pub(crate) latency: u64,
    /// Since the last success.
    pub(crate) failures: u32,
    /// Microseconds since the last failure.
    pub(crate) since_failure: u64,
}

impl Score {
    fn resting(&self) -> bool {
        let Some(doublings) = self.failures.checked_sub(1) else { return false };
        let rest = Duration::from_secs(1 << doublings.min(6)).min(LONGEST_REST);
        u128::from(self.since_failure) < rest.as_micros()
    }

    /// `usual`: what is taken for a provider that never answered.
    fn cost(&self, usual: u64) -> u64 {
        let latency = if self.latency == 0 { usual } else { self.latency };
        let roughly = latency.checked_next_power_of_two().unwrap_or(u64::MAX);
        (u64::from(self.in_flight) + 1).saturating_mul(roughly)
    }
}

/// The order in which to ask, as indexes.
pub(crate) fn order(scores: &[Score]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    // As good as the best that is known, so that it is tried soon, and not flooded before it has answered once.
    let usual = scores.iter().map(|score| score.latency).filter(|latency| *latency > 0).min().unwrap_or(1);
    // Stable: equals keep their places.
    let rank = |score: &Score| (score.resting(), score.cost(usual));
    order.sort_by_cached_key(|i| scores.get(*i).map_or((true, u64::MAX), rank));
    order
}

impl Load {
    /// How it does at `now`, microseconds on the engine's clock.
    pub(crate) fn score(&self, now: u64) -> Score {
        Score {
            in_flight: self.in_flight.load(Ordering::Relaxed),
            latency: self.latency.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            since_failure: now.saturating_sub(self.failed_at.load(Ordering::Relaxed)),
        }
    }

    /// It answered after `took` microseconds.
    pub(crate) fn succeeded(&self, took: u64) {
        let old = self.latency.load(Ordering::Relaxed);
        let new = if old == 0 { took } else { old - old / WEIGHT + took / WEIGHT };
        // Two answers at once may lose one of the two: it is an average.
        self.latency.store(new.max(1), Ordering::Relaxed);
        self.failures.store(0, Ordering::Relaxed);
    }

    /// It answered with a final error. That says nothing about how long work takes: whoever refuses at once would else
    /// get everything.
    pub(crate) fn answered(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// It did not, at `now`.
    pub(crate) fn failed(&self, now: u64) {
        self.failed_at.store(now, Ordering::Relaxed);
        self.failures.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn score(in_flight: u32, latency: u64) -> Score {
        Score { in_flight, latency, ..Score::default() }
    }

    #[test]
    fn the_least_loaded_is_first_and_equals_keep_their_places() {
        assert_eq!(order(&[score(3, 100), score(0, 100), score(1, 100)]), [1, 2, 0]);
        assert_eq!(order(&[score(0, 900), score(3, 100)]), [1, 0], "slow counts as much as busy");
        assert_eq!(order(&[score(0, 250), score(0, 130)]), [0, 1], "a little slower is no difference");
        assert_eq!(order(&[score(1, 0), score(0, 500)]), [1, 0], "newcomers are not flooded");
        assert_eq!(order(&[score(1, 5); 3]), [0, 1, 2]);
        assert!(order(&[]).is_empty());
    }

    #[test]
    fn whoever_failed_rests_and_comes_back() {
        let failed = |failures, since| Score { failures, since_failure: since, ..score(0, 1) };
        let good = score(50, 1000);
        for (failures, rest) in [(1, 1_000_000), (2, 2_000_000), (4, 8_000_000), (40, 60_000_000)] {
            assert_eq!(order(&[failed(failures, rest - 1), good]), [1, 0], "{failures}");
            assert_eq!(order(&[failed(failures, rest), good]), [0, 1], "{failures}");
        }
    }

    #[test]
    fn latency_follows_slowly_and_success_forgives() {
        let load = Load::default();
        load.succeeded(800);
        assert_eq!(load.score(0).latency, 800);
        load.failed(5);
        load.failed(9);
        assert_eq!((load.score(10).failures, load.score(10).since_failure), (2, 1));
        load.succeeded(1600);
        assert_eq!((load.score(10).latency, load.score(10).failures), (900, 0));
        load.failed(11);
        load.answered();
        assert_eq!((load.score(12).latency, load.score(12).failures), (900, 0));
    }

    proptest! {
        #[test]
        fn everybody_is_asked_once(
            scores in prop::collection::vec((0u32..9, 0u64..9, 0u32..70, any::<u64>()), 0..20),
        ) {
            let scores: Vec<Score> = scores
                .into_iter()
                .map(|(in_flight, latency, failures, since_failure)| Score { in_flight, latency, failures, since_failure })
                .collect();
            let mut order = order(&scores);
            order.sort_unstable();
            prop_assert_eq!(order, (0..scores.len()).collect::<Vec<_>>());
        }
    }
}

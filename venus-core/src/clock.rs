//! Time from a source that can be replaced.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use auto_impl::auto_impl;
use tokio::sync::watch;

/// Wall time, and waiting for it. Cloneable through `Arc`.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait Clock: Debug + Send + Sync {
    /// Time since the Unix epoch.
    fn now(&self) -> Duration;

    /// Returns once [`Clock::now`] is at least `deadline`. Cancel safe.
    async fn sleep_until(&self, deadline: Duration);

    /// Whole seconds since the Unix epoch, as block headers count.
    fn unix_seconds(&self) -> u64 {
        self.now().as_secs()
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Duration {
        // A clock before 1970 is as good as 1970: nothing is due then.
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    async fn sleep_until(&self, deadline: Duration) {
        // The wall clock may be set while we sleep, so look again.
        while let Some(left) = deadline.checked_sub(self.now()).filter(|d| !d.is_zero()) {
            tokio::time::sleep(left).await;
        }
    }
}

/// A clock that moves only when told. Clones share the time.
#[derive(Clone, Debug)]
pub struct ManualClock {
    now: Arc<watch::Sender<Duration>>,
}

impl ManualClock {
    /// A clock that stands at `now`, counted from the Unix epoch.
    pub fn new(now: Duration) -> Self {
        Self { now: Arc::new(watch::Sender::new(now)) }
    }

    /// Moves the clock to `to`, never back.
    pub fn advance_to(&self, to: Duration) {
        self.now.send_if_modified(|now| {
            let later = to > *now;
            if later {
                *now = to;
            }
            later
        });
    }

    /// Moves the clock by `by`.
    pub fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now = now.saturating_add(by));
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Duration {
        *self.now.borrow()
    }

    async fn sleep_until(&self, deadline: Duration) {
        let mut now = self.now.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = now.wait_for(|now| *now >= deadline).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn manual_clock_wakes_sleepers_and_never_goes_back() {
        let clock = ManualClock::new(Duration::from_secs(10));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(Duration::from_secs(20)).await }
        });
        clock.advance(Duration::from_secs(5));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance_to(Duration::from_secs(20));
        sleeper.await.unwrap();
        clock.advance_to(Duration::from_secs(3));
        assert_eq!(clock.unix_seconds(), 20);
    }
}

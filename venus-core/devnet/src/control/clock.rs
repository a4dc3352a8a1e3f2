//! The clock of a devnet that can be moved.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future;
use tokio::sync::watch;
use venus_core::clock::{Clock, ManualClock, SystemClock};

/// Time that goes on by itself or only when told, and can be moved forward in either case. Clones share the time.
#[derive(Clone, Debug)]
pub struct DevnetClock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Manual(ManualClock),
    Running { source: Arc<dyn Clock>, ahead: Arc<watch::Sender<Duration>> },
}

impl DevnetClock {
    /// Stands still at `now` (since the Unix epoch) until it is moved: by mining, or by [`DevnetClock::advance_to`].
    pub fn manual(now: Duration) -> Self {
        Self(Kind::Manual(ManualClock::new(now)))
    }

    /// Follows the machine's clock.
    pub fn real() -> Self {
        Self::following(Arc::new(SystemClock))
    }

    /// Follows `source`.
    pub fn following(source: Arc<dyn Clock>) -> Self {
        Self(Kind::Running { source, ahead: Arc::new(watch::Sender::new(Duration::ZERO)) })
    }

    /// Whether it stands still unless told.
    pub fn is_manual(&self) -> bool {
        matches!(self.0, Kind::Manual(_))
    }

    /// Moves the time to `to`, never back. A running clock goes on from there, ahead of its source.
    pub fn advance_to(&self, to: Duration) {
        match &self.0 {
            Kind::Manual(clock) => clock.advance_to(to),
            Kind::Running { source, ahead } => {
                ahead.send_if_modified(|ahead| {
                    let missing = to.saturating_sub(source.now().saturating_add(*ahead));
                    *ahead = ahead.saturating_add(missing);
                    !missing.is_zero()
                });
            }
        }
    }

    /// Waits until `to` where time passes by itself, and moves the clock there where it does not.
    pub(crate) async fn reach(&self, to: Duration) {
        if self.is_manual() {
            self.advance_to(to);
        }
        self.sleep_until(to).await;
    }
}

#[async_trait]
impl Clock for DevnetClock {
    fn now(&self) -> Duration {
        match &self.0 {
            Kind::Manual(clock) => clock.now(),
            Kind::Running { source, ahead } => source.now().saturating_add(*ahead.borrow()),
        }
    }

    async fn sleep_until(&self, deadline: Duration) {
        let (source, ahead) = match &self.0 {
            Kind::Manual(clock) => return clock.sleep_until(deadline).await,
            Kind::Running { source, ahead } => (source, ahead),
        };
        let mut moved = ahead.subscribe();
        loop {
            let ahead = *moved.borrow_and_update();
            let due = deadline.saturating_sub(ahead);
            if source.now() >= due {
                return;
            }
            // The sender lives as long as `self`, so a change is the only end of `changed`.
            let changed = Box::pin(moved.changed());
            future::select(source.sleep_until(due), changed).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[tokio::test]
    async fn a_running_clock_is_moved_ahead_and_wakes_sleepers() {
        let source = ManualClock::new(seconds(100));
        let clock = DevnetClock::following(Arc::new(source.clone()));
        clock.advance_to(seconds(50));
        assert_eq!(clock.now(), seconds(100));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(seconds(200)).await }
        });
        source.advance(seconds(10));
        tokio::task::yield_now().await;
        clock.advance_to(seconds(190));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        source.advance(seconds(10));
        sleeper.await.unwrap();
        assert_eq!(clock.unix_seconds(), 200);
    }

    #[tokio::test]
    async fn a_manual_clock_is_moved_instead_of_waited_for() {
        let clock = DevnetClock::manual(seconds(5));
        clock.reach(seconds(9)).await;
        assert_eq!(clock.now(), seconds(9));
    }
}

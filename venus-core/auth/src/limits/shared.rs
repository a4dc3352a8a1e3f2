//! Counting together.

use std::time::Duration;

use async_trait::async_trait;
use venus_core::error::BoxError;

/// What a count came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Calls in the window, this one included.
    pub used: u64,
    /// When the next window begins.
    pub reset: Duration,
}

/// Counts calls for several processes, in windows of fixed length.
#[async_trait]
pub trait SharedWindow: Send + Sync + 'static {
    /// Counts `calls` more of `name` in the present window of `period`, and answers how many there are. Calls that are
    /// refused count too, as in Go.
    ///
    /// # Errors
    /// If nobody can count now; in time, for the caller waits.
    async fn count(&self, name: &str, calls: u32, period: Duration) -> Result<Window, BoxError>;
}

/// Windows begin at whole multiples of their length, which is whole seconds and at least one: Go's enforcers divide by
/// it, and by zero for less.
#[cfg(any(feature = "redis", test))]
pub(super) fn slot(now: Duration, period: Duration) -> (u64, u64, Duration) {
    let seconds = period.as_secs().max(1);
    let slot = now.as_secs() / seconds;
    let end = Duration::from_secs((slot + 1).saturating_mul(seconds));
    (slot, seconds, end.saturating_sub(Duration::from_secs(now.as_secs())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn windows_are_those_of_go() {
        let (now, minute) = (Duration::from_millis(1_700_000_021_900), Duration::from_secs(60));
        assert_eq!(slot(now, minute), (28_333_333, 60, Duration::from_secs(19)));
    }

    proptest! {
        #[test]
        fn no_period_divides_by_zero(now in 0u64..1 << 40, nanos: u64) {
            let (slot, seconds, reset) = slot(Duration::from_secs(now), Duration::from_nanos(nanos));
            prop_assert!(seconds >= 1 && slot <= now && reset > Duration::ZERO);
            prop_assert!(reset <= Duration::from_secs(seconds));
        }
    }
}

//! Slowing down who guesses passwords.

use std::time::Duration;

use venus_core::clock::Clock;

use crate::error::WalletError;

/// Wrong passwords in a row that cost nothing.
const FREE: u32 = 3;
/// Longest wait. Whoever guesses for ever can keep the owner waiting that long, and no longer.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// Wrong passwords in a row. They are forgotten with the process: a restart needs rights that make guessing needless.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    failures: u32,
    until: Duration,
}

impl Attempts {
    /// Begins an attempt, which counts as wrong until [`Attempts::succeeded`]: who hangs up early has guessed too.
    ///
    /// # Errors
    /// [`WalletError::TooManyAttempts`]; the password must not be looked at then.
    pub(super) fn begin(&mut self, clock: &dyn Clock) -> Result<(), WalletError> {
        let left = self.until.saturating_sub(clock.now());
        if !left.is_zero() {
            // A clock that was set back must not lock anyone out for long.
            let retry_after = left.min(MAX_DELAY);
            self.until = clock.now().saturating_add(retry_after);
            return Err(WalletError::TooManyAttempts { retry_after });
        }
        self.failures = self.failures.saturating_add(1);
        self.failed(clock);
        Ok(())
    }

    /// The wait counts from the answer on.
    pub(super) fn failed(&mut self, clock: &dyn Clock) {
        self.until = clock.now().saturating_add(delay(self.failures));
    }

    /// The password was right.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The password could not be looked at, for reasons of our own.
    pub(super) fn undecided(&mut self) {
        self.failures = self.failures.saturating_sub(1);
        self.until = Duration::ZERO;
    }
}

/// 1 s after the third wrong password, then twice as long each time.
fn delay(failures: u32) -> Duration {
    match failures.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(more) => Duration::from_secs(1u64.checked_shl(more).unwrap_or(u64::MAX)).min(MAX_DELAY),
    }
}

#[cfg(test)]
mod tests {
    use venus_core::clock::ManualClock;

    use super::*;

    #[test]
    fn waits_double_up_to_a_minute() {
        let waits: Vec<u64> = [0, 1, 2, 3, 4, 5, 8, 9, 10, 70, u32::MAX].map(|n| delay(n).as_secs()).into();
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 32, 60, 60, 60, 60]);
    }

    #[test]
    fn waiting_is_enforced_and_success_forgives() {
        let clock = ManualClock::new(Duration::from_secs(1000));
        let mut attempts = Attempts::default();
        for _ in 0..3 {
            attempts.begin(&clock).unwrap();
            attempts.failed(&clock);
        }
        let error = attempts.begin(&clock).unwrap_err();
        assert!(matches!(error, WalletError::TooManyAttempts { retry_after } if retry_after.as_secs() == 1));
        clock.advance(Duration::from_millis(1));
        assert_eq!(
            attempts.begin(&clock).unwrap_err().to_string(),
            "too many wrong passwords, try again in 1 s"
        );
        clock.advance(Duration::from_millis(999));
        // An attempt that never ends counts too.
        attempts.begin(&clock).unwrap();
        assert!(attempts.begin(&clock).unwrap_err().to_string().ends_with("2 s"));
        clock.advance(Duration::from_secs(2));
        attempts.begin(&clock).unwrap();
        attempts.succeeded();
        attempts.begin(&clock).unwrap();
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_lock_out() {
        let mut attempts = Attempts::default();
        let late = ManualClock::new(Duration::from_secs(1_000_000));
        for _ in 0..3 {
            attempts.begin(&late).unwrap();
            attempts.failed(&late);
        }
        let early = ManualClock::new(Duration::from_secs(1000));
        let error = attempts.begin(&early).unwrap_err();
        assert!(matches!(error, WalletError::TooManyAttempts { retry_after } if retry_after == MAX_DELAY));
        early.advance(MAX_DELAY);
        attempts.begin(&early).unwrap();
    }

    #[test]
    fn a_failing_store_is_nobodys_fault() {
        let clock = ManualClock::new(Duration::from_secs(1));
        let mut attempts = Attempts::default();
        for _ in 0..10 {
            attempts.begin(&clock).unwrap();
            attempts.undecided();
        }
    }
}

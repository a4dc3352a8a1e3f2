//! Whether it is known what ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Whether a [`Watch`](super::Watch) hears of what ends. Clones are one. Without a watch it is never alive.
#[derive(Clone, Debug)]
pub struct Liveness {
    began: Instant,
    /// Microseconds from the beginning to the last question that was answered, plus one; 0 for none.
    heard: Arc<AtomicU64>,
}

impl Default for Liveness {
    fn default() -> Self {
        Self { began: Instant::now(), heard: Arc::default() }
    }
}

impl Liveness {
    /// An answer says what ended until it was *asked* for. With a source that is 300 ms behind itself at most, as an
    /// account service is that shares its database, everything is known that ended a second ago.
    pub const WINDOW: Duration = Duration::from_millis(700);

    /// Everything is known that ended before `asked`.
    pub(super) fn heard(&self, asked: Instant) {
        let at = asked.saturating_duration_since(self.began).as_micros();
        self.heard.store(u64::try_from(at).unwrap_or(u64::MAX - 1) + 1, Ordering::Release);
    }

    /// Whether everything is known that ended a second ago.
    pub fn is_alive(&self) -> bool {
        match self.heard.load(Ordering::Acquire) {
            0 => false,
            at => self.began.elapsed() <= Duration::from_micros(at - 1) + Self::WINDOW,
        }
    }
}

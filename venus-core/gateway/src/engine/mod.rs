//! Asking providers: whom, in which order, for how long.

mod accounts;
mod cache;
mod exec;
mod failure;
mod go_json;
mod meaning;
mod measure;
mod plan;
mod proof;
mod sign;
mod unseal;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::{Builder, Uuid};

use crate::options::HubOptions;
use accounts::Known;

pub(crate) use meaning::Meaning;

/// The most providers that one request may try. Whoever has more has them by turns.
const MOST_CANDIDATES: usize = 8;
/// The fraction of the golden ratio, times 2^64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// Ids whose random bytes are fetched at once.
const IDS: usize = 32;
/// Longer than anybody waits, and short enough to be added to any time.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What requests share.
#[derive(Debug)]
pub(crate) struct Engine {
    started: Instant,
    /// One up with each request that has a choice.
    turn: AtomicU64,
    /// Random bytes that no id took yet: one look at the system for many requests.
    random: Mutex<Vec<[u8; 16]>>,
    known: Known,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            turn: AtomicU64::new(0),
            random: Mutex::default(),
            known: Known::default(),
        }
    }
}

impl Engine {
    /// Microseconds since the hub began.
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// Where to begin among so many, so that equals are asked in turn. By steps of the golden ratio, which come by
    /// everybody also when requests for others take every second turn.
    fn begin_at(&self, many: usize) -> usize {
        if many < 2 {
            return 0;
        }
        let position = u128::from(self.turn().wrapping_mul(GOLDEN)) * many as u128;
        usize::try_from(position >> 64).unwrap_or(0)
    }

    /// A fresh id of a question. It need not be secret, because an answer counts on the connection of the question only;
    /// so without random bytes a number that was never used will do.
    fn id(&self, options: &HubOptions) -> Uuid {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        if random.is_empty() {
            let mut fresh = [0; 16 * IDS];
            if options.entropy.fill(&mut fresh).is_ok() {
                random.extend(fresh.as_chunks().0);
            }
        }
        match random.pop() {
            Some(bytes) => Builder::from_random_bytes(bytes).into_uuid(),
            None => Uuid::from_u64_pair(self.now(), self.turn()),
        }
    }
}

/// When something that may take so long, and as long as the hub allows, must be over.
fn deadline(asked: Option<Duration>, most: Duration) -> (Duration, Instant) {
    let deadline = asked.unwrap_or(most).min(most);
    (deadline, Instant::now() + deadline.min(FAR))
}

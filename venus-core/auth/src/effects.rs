//! The stream of what ends.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::effect::{Effect, Revocation};

/// How many effects are remembered for those who were away. Who was away longer begins anew.
const REMEMBERED: usize = 4096;

/// Hands effects to all who follow, in order, without gaps. Clones are the same stream.
///
/// Publishing never waits: a follower that is too slow is told to begin anew ([`Effect::Reset`]).
#[derive(Clone, Default)]
pub struct Effects {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    log: Mutex<Log>,
    more: Notify,
}

#[derive(Default)]
struct Log {
    last: u64,
    recent: VecDeque<Revocation>,
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effects").field("last", &self.last()).finish()
    }
}

impl Effects {
    /// Tells everybody.
    pub fn publish(&self, effect: Effect) {
        let mut log = self.log();
        log.last += 1;
        let seq = log.last;
        log.recent.push_back(Revocation { seq, effect });
        if log.recent.len() > REMEMBERED {
            log.recent.pop_front();
        }
        drop(log);
        self.shared.more.notify_waiters();
    }

    /// The number of the latest effect; 0 if there was none.
    pub fn last(&self) -> u64 {
        self.log().last
    }

    /// What happened after effect number `seq`, waiting for something to happen. Cancel safe.
    ///
    /// If some of it is forgotten already, or `seq` is of another service's life, the answer is one
    /// [`Effect::Reset`] with the number to go on from.
    pub async fn after(&self, seq: u64) -> Vec<Revocation> {
        loop {
            // Registered before looking, so that nothing slips between.
            let more = self.shared.more.notified();
            tokio::pin!(more);
            more.as_mut().enable();
            let found = self.log().after(seq);
            if !found.is_empty() {
                return found;
            }
            more.await;
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn after(&self, seq: u64) -> Vec<Revocation> {
        let first = self.recent.front().map_or(self.last + 1, |r| r.seq);
        if seq > self.last || seq + 1 < first {
            return vec![Revocation { seq: self.last, effect: Effect::Reset }];
        }
        self.recent.iter().filter(|r| r.seq > seq).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(n: usize) -> Effect {
        Effect::Account(n.to_string())
    }

    #[tokio::test]
    async fn followers_miss_nothing() {
        let effects = Effects::default();
        let follower = tokio::spawn({
            let effects = effects.clone();
            async move {
                let (mut seq, mut seen) = (0, Vec::new());
                while seen.len() < 100 {
                    for revocation in effects.after(seq).await {
                        seq = revocation.seq;
                        seen.push(revocation.effect);
                    }
                }
                seen
            }
        });
        for n in 0..100 {
            effects.publish(account(n));
            tokio::task::yield_now().await;
        }
        assert_eq!(follower.await.unwrap(), (0..100).map(account).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn who_was_away_too_long_begins_anew() {
        let effects = Effects::default();
        let reset = |seq| vec![Revocation { seq, effect: Effect::Reset }];
        assert_eq!(effects.after(7).await, reset(0));
        for n in 0..=REMEMBERED {
            effects.publish(account(n));
        }
        assert_eq!(effects.after(0).await, reset(REMEMBERED as u64 + 1));
        assert_eq!(effects.after(REMEMBERED as u64).await.len(), 1);
    }
}

//! What was looked up, for a short time.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use tokio::time::Instant;
use venus_core::api::{IdentityError, PRINCIPAL_MAX_AGE};

/// How often an answer that was overtaken by a revocation is asked for again.
const REPEATS: usize = 3;

type Outcome<V> = Result<V, Arc<IdentityError>>;
type Lookup<V> = BoxFuture<'static, Outcome<V>>;

/// Answers of the account service. One question at a time for one key, however many wait; errors are not kept; what is
/// older than it may be is asked for anew; never more than `bound` entries.
pub(super) struct Cache<K, V> {
    bound: usize,
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// One up with each question, so that an answer finds its own.
    asked: u64,
}

enum Entry<V> {
    Known {
        value: V,
        since: Instant,
    },
    /// Weak: when nobody waits any more, nothing is asked any more.
    Asked {
        number: u64,
        since: Instant,
        answer: WeakShared<Lookup<V>>,
    },
}

enum Found<V> {
    Value(V),
    Answer { number: u64, since: Instant, answer: Shared<Lookup<V>> },
}

impl<K: Hash + Eq + Clone, V: Clone + Send + Sync + 'static> Cache<K, V> {
    pub(super) fn new(bound: usize) -> Self {
        Self { bound, state: Mutex::new(State { entries: HashMap::new(), asked: 0 }) }
    }

    /// The value of `key`, at most `ttl` old, from `ask` if need be.
    pub(super) async fn get<F>(&self, key: &K, ttl: Duration, ask: impl Fn() -> F) -> Result<V, IdentityError>
    where
        F: Future<Output = Result<V, IdentityError>> + Send + 'static,
    {
        for _ in 0..REPEATS {
            let (number, since, answer) = match self.find(key, ttl, &ask) {
                Found::Value(value) => return Ok(value),
                Found::Answer { number, since, answer } => (number, since, answer),
            };
            let outcome = answer.await;
            // Forgotten meanwhile: the answer may be from before what made us forget.
            if !self.settle(key, number, since, &outcome) {
                continue;
            }
            let value = outcome.map_err(|error| again(&error))?;
            let most = ttl.max(PRINCIPAL_MAX_AGE);
            return if since.elapsed() > most { Err(IdentityError::Timeout(most)) } else { Ok(value) };
        }
        Err(IdentityError::Timeout(ttl))
    }

    /// What is known, or who is asking, or a new question.
    fn find<F>(&self, key: &K, ttl: Duration, ask: &impl Fn() -> F) -> Found<V>
    where
        F: Future<Output = Result<V, IdentityError>> + Send + 'static,
    {
        let mut state = self.state();
        match state.entries.get(key) {
            Some(Entry::Known { value, since }) if since.elapsed() < ttl => {
                return Found::Value(value.clone());
            }
            Some(Entry::Asked { number, since, answer }) => {
                if let Some(answer) = answer.upgrade() {
                    return Found::Answer { number: *number, since: *since, answer };
                }
            }
            _ => {}
        }
        state.make_room(self.bound, ttl);
        state.asked += 1;
        let (number, since) = (state.asked, Instant::now());
        let answer = ask().map(|outcome| outcome.map_err(Arc::new)).boxed().shared();
        if let Some(answer) = answer.downgrade() {
            state.entries.insert(key.clone(), Entry::Asked { number, since, answer });
        }
        Found::Answer { number, since, answer }
    }

    /// Keeps a value, or drops the question of an error. Whether it still was the one that counts.
    fn settle(&self, key: &K, number: u64, since: Instant, outcome: &Outcome<V>) -> bool {
        let mut state = self.state();
        match (state.entries.get(key), outcome) {
            (Some(Entry::Asked { number: current, .. }), Ok(value)) if *current == number => {
                state.entries.insert(key.clone(), Entry::Known { value: value.clone(), since });
                true
            }
            (Some(Entry::Asked { number: current, .. }), Err(_)) if *current == number => {
                state.entries.remove(key);
                true
            }
            // Somebody who waited for the same answer was faster. Errors leave nothing behind.
            (Some(Entry::Known { since: kept, .. }), Ok(_)) => *kept == since,
            (_, Err(_)) => true,
            _ => false,
        }
    }

    /// Forgets one.
    pub(super) fn forget(&self, key: &K) {
        self.state().entries.remove(key);
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        self.state().entries.clear();
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> State<K, V> {
    fn make_room(&mut self, bound: usize, ttl: Duration) {
        if self.entries.len() < bound {
            return;
        }
        self.entries.retain(|_, entry| match entry {
            Entry::Known { since, .. } => since.elapsed() < ttl,
            Entry::Asked { answer, .. } => answer.upgrade().is_some(),
        });
        // All in use: what is dropped is asked for again, and that is all.
        if self.entries.len() >= bound {
            self.entries.clear();
        }
    }
}

impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("bound", &self.bound).finish_non_exhaustive()
    }
}

/// The same error for one more who waited.
fn again(error: &IdentityError) -> IdentityError {
    match error {
        IdentityError::Unauthenticated => IdentityError::Unauthenticated,
        IdentityError::Disabled(account) => IdentityError::Disabled(account.clone()),
        IdentityError::AccountNotFound(account) => IdentityError::AccountNotFound(account.clone()),
        IdentityError::NotYourMiner { miner } => IdentityError::NotYourMiner { miner: *miner },
        IdentityError::NotYourSigner { signer } => IdentityError::NotYourSigner { signer: *signer },
        IdentityError::Denied(text) => IdentityError::Denied(text.clone()),
        IdentityError::Invalid(text) => IdentityError::Invalid(text.clone()),
        IdentityError::RateLimited { retry_after } => {
            IdentityError::RateLimited { retry_after: *retry_after }
        }
        IdentityError::Timeout(after) => IdentityError::Timeout(*after),
        IdentityError::Store(source) => IdentityError::Store(source.to_string().into()),
        IdentityError::Corrupt(text) => IdentityError::Corrupt(text.clone()),
        IdentityError::Transport(source) => IdentityError::Transport(source.to_string().into()),
        other => IdentityError::Transport(other.to_string().into()),
    }
}

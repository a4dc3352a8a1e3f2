//! Answers that may be used for a while: bounded, and asked for once however many wait.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use moka::sync::Cache;
use tokio::time::Instant;

/// For how long an answer takes room at most, whoever still trusts it.
const KEPT: Duration = Duration::from_secs(60);

/// An answer, and when it was asked for: what changed later is not in it.
#[derive(Clone, Debug)]
pub(crate) struct Known<V> {
    pub(crate) value: V,
    pub(crate) asked: Instant,
    /// How often something was forgotten before.
    pub(crate) epoch: u64,
}

impl<V> Known<V> {
    pub(crate) fn age(&self) -> Duration {
        self.asked.elapsed()
    }
}

/// What came of asking. Failures are not remembered.
pub(crate) type Asked<V, E> = Result<Known<V>, Arc<E>>;
type Flight<V, E> = Shared<BoxFuture<'static, Asked<V, E>>>;
type WeakFlight<V, E> = WeakShared<BoxFuture<'static, Asked<V, E>>>;

/// Remembers answers. What is forgotten stays forgotten: an answer that was asked for before does not come back.
pub(crate) struct Memo<K, V, E> {
    known: Cache<K, Known<V>>,
    state: Mutex<State<K, V, E>>,
}

struct State<K, V, E> {
    /// Counts what was forgotten.
    epoch: u64,
    next: u64,
    /// Questions under way. Whoever waits for one owns it, so that it ends when nobody does.
    flights: HashMap<K, (u64, WeakFlight<V, E>)>,
}

impl<K, V, E> fmt::Debug for Memo<K, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}

impl<K, V, E> Memo<K, V, E>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    /// Remembers `most` answers.
    pub(crate) fn new(most: u64) -> Arc<Self> {
        let known = Cache::builder().max_capacity(most).time_to_live(KEPT).build();
        let state = State { epoch: 0, next: 0, flights: HashMap::new() };
        Arc::new(Self { known, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State<K, V, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered, however old.
    pub(crate) fn get(&self, key: &K) -> Option<Known<V>> {
        self.known.get(key)
    }

    /// Counts up whenever something is forgotten.
    pub(crate) fn epoch(&self) -> u64 {
        self.state().epoch
    }

    /// Asks, or waits for the same question of another. The answer is remembered unless something was forgotten
    /// meanwhile.
    pub(crate) async fn ask<F>(self: &Arc<Self>, key: K, question: impl FnOnce() -> F) -> Asked<V, E>
    where
        F: Future<Output = Result<V, E>> + Send + 'static,
    {
        self.flight(key, question).await
    }

    fn flight<F>(self: &Arc<Self>, key: K, question: impl FnOnce() -> F) -> Flight<V, E>
    where
        F: Future<Output = Result<V, E>> + Send + 'static,
    {
        let mut state = self.state();
        if let Some(flight) = state.flights.get(&key).and_then(|(_, flight)| flight.upgrade()) {
            return flight;
        }
        state.next += 1;
        let leave = Leave { memo: self.clone(), key: key.clone(), number: state.next };
        let (epoch, asked, question) = (state.epoch, Instant::now(), question());
        let flight = async move {
            let known = question.await.map(|value| Known { value, asked, epoch }).map_err(Arc::new)?;
            leave.memo.remember(&leave.key, &known);
            Ok(known)
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            let number = state.next;
            state.flights.insert(key, (number, weak));
        }
        flight
    }

    /// Under the lock that forgetting takes, so that nothing comes back.
    fn remember(&self, key: &K, known: &Known<V>) {
        let state = self.state();
        if state.epoch == known.epoch {
            self.known.insert(key.clone(), known.clone());
        }
    }

    fn leave(&self, key: &K, number: u64) {
        let mut state = self.state();
        if state.flights.get(key).is_some_and(|(current, _)| *current == number) {
            state.flights.remove(key);
        }
    }

    /// Forgets one answer. Whoever asks from now on asks anew, also for others.
    pub(crate) fn forget(&self, key: &K) {
        let _state = self.next_epoch();
        self.known.invalidate(key);
    }

    /// Forgets all answers that `which` picks.
    pub(crate) fn forget_if(&self, which: impl Fn(&V) -> bool) {
        let _state = self.next_epoch();
        for (key, known) in &self.known {
            if which(&known.value) {
                self.known.invalidate(&*key);
            }
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        let _state = self.next_epoch();
        self.known.invalidate_all();
    }

    fn next_epoch(&self) -> MutexGuard<'_, State<K, V, E>> {
        let mut state = self.state();
        state.epoch += 1;
        // Those who wait for these get answers that are older than what is forgotten now.
        state.flights.clear();
        state
    }

    /// How many answers are remembered, and how many questions are under way.
    #[cfg(test)]
    pub(crate) fn sizes(&self) -> (u64, usize) {
        self.known.run_pending_tasks();
        (self.known.entry_count(), self.state().flights.len())
    }
}

/// Takes a question off the list when it is answered, or when nobody waits for it any more.
struct Leave<K, V, E>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    memo: Arc<Memo<K, V, E>>,
    key: K,
    number: u64,
}

impl<K, V, E> Drop for Leave<K, V, E>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    fn drop(&mut self) {
        self.memo.leave(&self.key, self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    type Numbers = Memo<u32, usize, String>;

    #[tokio::test]
    async fn many_who_ask_at_once_are_one_question() {
        let (memo, count, go) = (Numbers::new(10), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let ask = || {
            memo.ask(1, || {
                let (count, go) = (count.clone(), go.clone());
                async move {
                    let turn = count.fetch_add(1, Ordering::SeqCst);
                    go.notified().await;
                    Ok(turn)
                }
            })
        };
        let all = futures::future::join_all((0..100).map(|_| ask()));
        let (answers, ()) = tokio::join!(all, async { go.notify_waiters() });
        assert!(answers.iter().all(|answer| answer.as_ref().unwrap().value == 0));
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert_eq!(memo.get(&1).unwrap().value, 0);
        assert_eq!(memo.sizes(), (1, 0));
    }

    #[tokio::test]
    async fn nothing_that_was_forgotten_comes_back() {
        let memo = Numbers::new(10);
        let (go, asked) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let slow = tokio::spawn({
            let (memo, go, asked) = (memo.clone(), go.clone(), asked.clone());
            async move {
                memo.ask(1, || async move {
                    asked.notify_one();
                    go.notified().await;
                    Ok(1)
                })
                .await
            }
        });
        asked.notified().await;
        memo.forget(&2);
        assert_eq!(
            memo.ask(1, || async { Ok(2) }).await.unwrap().value,
            2,
            "a new question, not the old one"
        );
        go.notify_one();
        assert_eq!(slow.await.unwrap().unwrap().value, 1);
        assert_eq!(memo.get(&1).unwrap().value, 2, "the older answer is not remembered");
        memo.forget_if(|value| *value == 2);
        assert!(memo.get(&1).is_none());
    }

    #[tokio::test]
    async fn failures_and_questions_that_are_given_up_leave_nothing() {
        let memo = Numbers::new(10);
        assert_eq!(*memo.ask(1, || async { Err("away".into()) }).await.unwrap_err(), "away");
        let never = memo.ask(2, std::future::pending);
        assert!(tokio::time::timeout(Duration::ZERO, never).await.is_err());
        assert_eq!(memo.sizes(), (0, 0));
    }

    #[tokio::test]
    async fn i8_answers_are_bounded() {
        let memo = Numbers::new(100);
        for key in 0..10_000 {
            memo.ask(key, || async { Ok(0) }).await.unwrap();
        }
        let (kept, flights) = memo.sizes();
        assert!(kept <= 100 && flights == 0, "{kept}");
    }
}

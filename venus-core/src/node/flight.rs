//! One call for all who ask the same at once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

/// Entries of calls that nobody waits for any more are swept out above this many.
const SWEEP: usize = 1024;

/// Calls under way by what they ask. A call goes on while anybody waits for it, and ends with the last one.
pub(super) struct Flights<T: Clone> {
    flying: Mutex<HashMap<String, WeakShared<BoxFuture<'static, T>>>>,
}

impl<T: Clone> Default for Flights<T> {
    fn default() -> Self {
        Self { flying: Mutex::default() }
    }
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    fn flying(&self) -> MutexGuard<'_, HashMap<String, WeakShared<BoxFuture<'static, T>>>> {
        self.flying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The result of `call`, or of the call with the same key that is under way.
    pub(super) async fn join(&self, key: String, call: impl FnOnce() -> BoxFuture<'static, T>) -> T {
        let flight = self.board(&key, call);
        let result = flight.clone().await;
        let mut flying = self.flying();
        // Another flight may have taken the key since this one landed.
        if flying.get(&key).and_then(WeakShared::upgrade).is_none_or(|other| other.ptr_eq(&flight)) {
            flying.remove(&key);
        }
        result
    }

    fn board(
        &self,
        key: &str,
        call: impl FnOnce() -> BoxFuture<'static, T>,
    ) -> Shared<BoxFuture<'static, T>> {
        let mut flying = self.flying();
        if let Some(flight) = flying.get(key).and_then(WeakShared::upgrade) {
            return flight;
        }
        if flying.len() >= SWEEP {
            flying.retain(|_, flight| flight.upgrade().is_some());
        }
        let flight = call().shared();
        if let Some(weak) = flight.downgrade() {
            flying.insert(key.to_owned(), weak);
        }
        flight
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn the_same_question_is_asked_once() {
        let (flights, asked, go) =
            (Arc::new(Flights::default()), Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let ask = || {
            let (flights, asked, go) = (flights.clone(), asked.clone(), go.clone());
            tokio::spawn(async move {
                let call = || {
                    async move {
                        asked.fetch_add(1, Ordering::SeqCst);
                        go.notified().await;
                        7
                    }
                    .boxed()
                };
                flights.join("k".to_owned(), call).await
            })
        };
        let (first, second, third) = (ask(), ask(), ask());
        while asked.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled(), "who asks first may leave");
        go.notify_one();
        assert_eq!((second.await.unwrap(), third.await.unwrap()), (7, 7));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(flights.flying().is_empty(), "nothing stays behind");
    }
}

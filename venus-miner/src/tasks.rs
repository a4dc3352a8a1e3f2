//! Deadlines, and many things at a time.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use venus_core::clock::Clock;
use venus_core::error::{Classify, ErrorKind};

use crate::report::{Failure, Stage};

/// Runs one call with a deadline. What is late is dropped: nothing waits for it, nothing of it stays in memory.
pub(crate) async fn within<T, E: Classify + Display>(
    clock: &dyn Clock,
    limit: Duration,
    stage: Stage,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure> {
    let deadline = clock.now().saturating_add(limit);
    tokio::select! {
        biased;
        result = call => result.map_err(|e| stage.failed(&e)),
        () = clock.sleep_until(deadline) => {
            Err(stage.failed_with(ErrorKind::Timeout, format!("no answer within {limit:?}")))
        }
    }
}

/// Runs all futures, at most `limit` at a time, and answers in their order. One that panics answers `None` and
/// disturbs no other. Dropping the call drops them all.
pub(crate) async fn run_all<F>(limit: usize, futures: Vec<F>) -> Vec<Option<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let permits = Arc::new(Semaphore::new(limit));
    let mut results: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    let mut tasks = JoinSet::new();
    for (index, future) in futures.into_iter().enumerate() {
        let permits = permits.clone();
        tasks.spawn(async move {
            // The semaphore is never closed.
            let _permit = permits.acquire().await;
            (index, future.await)
        });
    }
    while let Some(joined) = tasks.join_next().await {
        match joined {
            Ok((index, output)) => {
                if let Some(slot) = results.get_mut(index) {
                    *slot = Some(output);
                }
            }
            Err(error) => tracing::error!(%error, "a miner's task died"),
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use venus_core::api::ChainError;
    use venus_core::clock::ManualClock;

    #[tokio::test]
    async fn results_keep_their_order_and_panics_stay_alone() {
        let running = Arc::new(AtomicUsize::new(0));
        let futures: Vec<_> = (0..20)
            .map(|i| {
                let running = running.clone();
                async move {
                    assert!(running.fetch_add(1, Ordering::SeqCst) < 3);
                    tokio::task::yield_now().await;
                    running.fetch_sub(1, Ordering::SeqCst);
                    assert_ne!(i, 7);
                    i
                }
            })
            .collect();
        let results = run_all(3, futures).await;
        let expected: Vec<_> = (0..20).map(|i| (i != 7).then_some(i)).collect();
        assert_eq!(results, expected);
    }

    #[tokio::test]
    async fn the_deadline_is_by_the_clock() {
        let clock = ManualClock::new(Duration::from_secs(100));
        let never = std::future::pending::<Result<(), ChainError>>();
        let waiting = within(&clock, Duration::from_secs(5), Stage::Proof, never);
        let ticking = async { clock.advance(Duration::from_secs(5)) };
        let (result, ()) = tokio::join!(waiting, ticking);
        assert_eq!(result.unwrap_err().kind, ErrorKind::Timeout);
        let ready = within(&clock, Duration::ZERO, Stage::Proof, async { Ok::<_, ChainError>(1) }).await;
        assert_eq!(ready, Ok(1), "an answer that is there is taken");
    }
}

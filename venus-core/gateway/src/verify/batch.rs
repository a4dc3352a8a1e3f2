//! BLS signatures, checked together under load.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use venus_core::crypto::{CryptoError, bls};
use venus_core::entropy::OsEntropy;

/// The most that are checked at once: more hardly saves anything, and the first waits for the last.
const MOST: usize = 32;

/// Signatures that wait to be checked. They are as many as there are requests under way, which are bounded.
#[derive(Clone, Debug)]
pub(super) struct Batches {
    waiting: Arc<Mutex<Waiting>>,
    workers: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    workers: usize,
}

#[derive(Debug)]
struct Job {
    signed: (bls::CheckedKey, Vec<u8>, Vec<u8>),
    verdict: oneshot::Sender<Result<(), CryptoError>>,
}

impl Default for Batches {
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Self { waiting: Arc::default(), workers }
    }
}

impl Batches {
    /// Checks a signature of `key` over `bytes`: at once if a worker is free, else with all that come until one is.
    pub(super) async fn verify(
        &self,
        key: bls::CheckedKey,
        bytes: Vec<u8>,
        signature: Vec<u8>,
    ) -> Result<(), String> {
        let (verdict, told) = oneshot::channel();
        let hire = {
            let mut waiting = lock(&self.waiting);
            waiting.jobs.push_back(Job { signed: (key, bytes, signature), verdict });
            let hire = waiting.workers < self.workers;
            waiting.workers += usize::from(hire);
            hire
        };
        if hire {
            let worker = Worker { waiting: self.waiting.clone(), placed: true };
            drop(tokio::task::spawn_blocking(move || worker.work()));
        }
        match told.await {
            Ok(verdict) => verdict.map_err(|error| error.to_string()),
            Err(_) => Err("the check of the signature was given up".to_owned()),
        }
    }

    #[cfg(test)]
    pub(super) fn busy(&self) -> usize {
        lock(&self.waiting).workers
    }
}

/// One of the workers. Dropping it gives its place to another.
struct Worker {
    waiting: Arc<Mutex<Waiting>>,
    placed: bool,
}

impl Worker {
    /// Until nothing waits.
    fn work(mut self) {
        while let Some(batch) = self.next() {
            check(batch);
        }
    }

    /// What waits. The place is given up under the same lock that finds nothing, so that nothing waits for nobody.
    fn next(&mut self) -> Option<Vec<Job>> {
        let mut waiting = lock(&self.waiting);
        let many = waiting.jobs.len().min(MOST);
        if many == 0 {
            waiting.workers -= 1;
            self.placed = false;
            return None;
        }
        Some(waiting.jobs.drain(..many).collect())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.placed {
            lock(&self.waiting).workers -= 1;
        }
    }
}

fn check(batch: Vec<Job>) {
    // Nobody waits any more for some.
    let wanted = batch.into_iter().filter(|job| !job.verdict.is_closed());
    let (signed, tell): (Vec<_>, Vec<_>) = wanted.map(|job| (job.signed, job.verdict)).unzip();
    let verdicts = bls::verify_each(&signed, &OsEntropy);
    for (tell, verdict) in tell.into_iter().zip(verdicts) {
        // Whoever has gone meanwhile does not want it.
        let _ = tell.send(verdict);
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

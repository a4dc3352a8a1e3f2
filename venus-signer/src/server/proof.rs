//! Who has shown the password lately.
//!
//! Go's `WalletExport` has no password: its command line asks for one, has it verified, and exports. So we remember
//! for a short time which token verified it, from which machine, and export for no other. A token is its text: who may
//! make tokens can make this one again, and on the same machine ride along.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// More bearers than this are not remembered; the oldest is forgotten.
const MAX: usize = 1024;

/// Bearers of tokens and when they showed the password.
#[derive(Debug)]
pub(super) struct Proofs {
    lasting: Duration,
    shown: Mutex<HashMap<String, Instant>>,
}

impl Proofs {
    pub(super) fn new(lasting: Duration) -> Self {
        Self { lasting, shown: Mutex::default() }
    }

    /// The bearer knew the password just now.
    pub(super) fn shown_by(&self, bearer: &str) {
        let mut shown = self.lock();
        let now = Instant::now();
        shown.retain(|_, at| now.duration_since(*at) < self.lasting);
        if shown.len() >= MAX
            && let Some(oldest) = shown.iter().min_by_key(|(_, at)| **at).map(|(name, _)| name.clone())
        {
            shown.remove(&oldest);
        }
        shown.insert(bearer.to_owned(), now);
    }

    /// Whether the bearer knew it lately.
    pub(super) fn holds(&self, bearer: &str) -> bool {
        self.lock().get(bearer).is_some_and(|at| at.elapsed() < self.lasting)
    }

    /// Nobody did: the wallet was locked, or has another password.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn for_a_while_and_for_the_bearer_alone() {
        let proofs = Proofs::new(Duration::from_secs(60));
        proofs.shown_by("a");
        assert!(proofs.holds("a") && !proofs.holds("b"));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(!proofs.holds("a"));
        proofs.shown_by("a");
        proofs.forget();
        assert!(!proofs.holds("a"));
        (0..MAX + 5).for_each(|n| proofs.shown_by(&n.to_string()));
        assert_eq!(proofs.lock().len(), MAX);
    }
}

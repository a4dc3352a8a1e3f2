//! How long requests take and how they end. Labels are few and fixed: no address, no account.

use tokio::time::Instant;

use crate::error::HubError;

/// One request. Whoever drops it before it ends is counted as having gone.
#[derive(Debug)]
pub(super) struct Measured {
    name: &'static str,
    begun: Instant,
    outcome: &'static str,
}

impl Measured {
    pub(super) fn begin(name: &'static str) -> Self {
        Self { name, begun: Instant::now(), outcome: "abandoned" }
    }

    pub(super) fn end<T>(mut self, result: &Result<T, HubError>) {
        self.outcome = match result {
            Ok(_) => "ok",
            Err(error) => outcome(error),
        };
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        metrics::histogram!(self.name, "outcome" => self.outcome).record(self.begun.elapsed().as_secs_f64());
    }
}

fn outcome(error: &HubError) -> &'static str {
    match error {
        HubError::NoWallet { .. } | HubError::NoConnection(_) => "nobody",
        HubError::Provider(_) => "refused",
        HubError::AllFailed { .. } | HubError::Closed => "failed",
        HubError::Overloaded => "overloaded",
        HubError::Timeout { .. } => "timeout",
        HubError::Decode(_) | HubError::BadSignature { .. } => "bad_answer",
        HubError::Identity { .. } => "accounts",
        HubError::Stopped => "stopped",
        _ => "other",
    }
}

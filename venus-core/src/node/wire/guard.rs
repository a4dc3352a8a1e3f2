//! A node of another network is refused: at the first connection, and at each one after it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures::FutureExt;
use serde_json::value::RawValue;

use super::super::fault::copy_call;
use super::Wire;
use crate::rpc::CallError;

const NETWORK_NAME: &str = "Filecoin.StateNetworkName";

/// The node follows another network than it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node follows network {found:?} instead of {expected:?}: check the address")]
pub struct WrongNetwork {
    /// The network that was asked for, or that the node followed at first.
    pub expected: String,
    /// The network that it follows.
    pub found: String,
}

#[derive(Default)]
pub(super) struct Guard {
    expected: OnceLock<String>,
    /// The connection that was checked last and found right; none is number 0.
    verified: AtomicU64,
    /// The connection that was checked last and found wrong.
    refused: Mutex<Option<(u64, WrongNetwork)>>,
}

impl Guard {
    pub(super) fn new(expected: Option<String>) -> Self {
        let guard = Self::default();
        if let Some(name) = expected {
            let _ = guard.expected.set(name);
        }
        guard
    }

    fn refused(&self, generation: u64) -> Option<WrongNetwork> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.as_ref().filter(|(of, _)| *of == generation).map(|(_, wrong)| wrong.clone())
    }

    fn judge(&self, generation: u64, found: String) -> Result<(), WrongNetwork> {
        let expected = self.expected.get_or_init(|| found.clone());
        if *expected == found {
            self.verified.store(generation, Ordering::Release);
            return Ok(());
        }
        let wrong = WrongNetwork { expected: expected.clone(), found };
        tracing::warn!(%wrong, "node refused");
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some((generation, wrong.clone()));
        Err(wrong)
    }
}

impl Wire {
    /// Makes sure that the node at the other end is of the right network; answers the connection that is.
    pub(in super::super) async fn check(self: &Arc<Self>) -> Result<u64, CallError> {
        loop {
            let now = self.generation();
            if self.guard.verified.load(Ordering::Acquire) == now {
                return Ok(now);
            }
            if let Some(wrong) = self.guard.refused(now) {
                return Err(self.unreachable(wrong));
            }
            let name = self.ask_name(now).await?;
            if self.generation() != now {
                continue; // The answer may have come from either connection.
            }
            self.guard.judge(now, name).map_err(|wrong| self.unreachable(wrong))?;
        }
    }

    async fn ask_name(self: &Arc<Self>, generation: u64) -> Result<String, CallError> {
        let wire = self.clone();
        let ask = move || {
            async move {
                let answer: Result<Box<RawValue>, _> = wire.client.call_raw(NETWORK_NAME, Some("[]")).await;
                answer.map(Arc::from).map_err(Arc::new)
            }
            .boxed()
        };
        let answer = self.flights.join(format!("network of connection {generation}"), ask).await;
        let answer = answer.map_err(|error| copy_call(&error))?;
        serde_json::from_str(answer.get())
            .map_err(|e| CallError::Decode { method: NETWORK_NAME.to_owned(), reason: e.to_string() })
    }

    fn unreachable(&self, wrong: WrongNetwork) -> CallError {
        CallError::Unreachable { url: self.url.clone(), source: Box::new(wrong) }
    }
}

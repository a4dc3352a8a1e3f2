//! One request, asked of one provider after the other.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep_until, timeout_at};
use venus_core::types::gateway::ResponseEvent;

use super::failure::{Failure, Failures};
use super::go_json::{bounded, syntax_error};
use super::{FAR, plan};
use crate::channel::{Channel, NotSent};
use crate::error::HubError;
use crate::hub::Inner;

/// What is asked, and what is made of the answers.
pub(super) trait Request: Sync {
    /// What the caller wants.
    type Answer: Send;

    /// As providers know it.
    const METHOD: &'static str;

    /// What this provider is sent.
    fn payload(&self, channel: &Channel) -> Result<Vec<u8>, HubError>;

    /// Reads an answer that is no error, and checks it. What fails here never leaves the hub.
    fn read(
        &self,
        channel: &Channel,
        payload: &[u8],
    ) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

/// How long a request may take in all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) deadline: Duration,
    pub(super) until: Instant,
}

/// Writes a payload.
pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>, HubError> {
    serde_json::to_vec(value).map_err(|error| HubError::Invalid(bounded(error)))
}

/// Reads a payload; nothing for `null`, which is Go's zero value.
pub(super) fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<Option<T>, Failure> {
    serde_json::from_slice(payload).map_err(|error| {
        let reason = syntax_error(payload).unwrap_or_else(|| bounded(error));
        Failure::Bad(HubError::Decode(reason))
    })
}

impl Inner {
    /// Asks the candidates until one answers.
    ///
    /// The deadline is one for all: while there are others, an attempt gets half of what is left, so that one who hangs
    /// cannot use it up. Dropping the future forgets everything.
    pub(super) async fn run<R: Request>(
        &self,
        request: &R,
        candidates: &[Arc<Channel>],
        limits: Limits,
    ) -> Result<R::Answer, HubError> {
        let hedge_at = self.options.hedge.map(|after| Instant::now() + after.min(FAR));
        let mut failures = Failures::new(R::METHOD, limits.deadline, candidates.len());
        let mut waiting = self.order(candidates).into_iter().filter_map(|i| candidates.get(i)).peekable();
        let mut running = FuturesUnordered::new();
        let mut hedged = false;
        loop {
            if running.is_empty() {
                let Some(channel) = waiting.next() else { return Err(self.failed(failures)) };
                running.push(self.attempt(request, channel, share(limits.until, waiting.peek().is_some())));
            }
            let hedge = hedge_at.filter(|_| !hedged && waiting.peek().is_some());
            tokio::select! {
                biased;
                Some(outcome) = running.next() => match outcome {
                    Ok(answer) => return Ok(answer),
                    Err(Failure::Final(error)) => return Err(error),
                    Err(failure) => failures.note(failure),
                },
                () = sleep_until(hedge.unwrap_or(limits.until)), if hedge.is_some() => {
                    hedged = true;
                    if let Some(channel) = waiting.next() {
                        running.push(self.attempt(request, channel, share(limits.until, waiting.peek().is_some())));
                    }
                }
            }
        }
    }

    fn failed(&self, failures: Failures) -> HubError {
        self.unless_stopped(failures.into_error())
    }

    /// Why nobody answered: who is shutting down has ended all channels.
    pub(super) fn unless_stopped(&self, error: HubError) -> HubError {
        if self.stop.is_cancelled() { HubError::Stopped } else { error }
    }

    fn order(&self, candidates: &[Arc<Channel>]) -> Vec<usize> {
        if let [_] = candidates {
            return vec![0];
        }
        let now = self.engine.now();
        let scores: Vec<_> = candidates.iter().map(|channel| channel.load.score(now)).collect();
        plan::order(&scores)
    }

    /// Asks one provider, and remembers how it did.
    async fn attempt<R: Request>(
        &self,
        request: &R,
        channel: &Channel,
        until: Instant,
    ) -> Result<R::Answer, Failure> {
        let asked = self.engine.now();
        let outcome = timeout_at(until, self.exchange(request, channel)).await;
        let outcome = outcome.unwrap_or(Err(Failure::Silent));
        let now = self.engine.now();
        match &outcome {
            Ok(_) => channel.load.succeeded(now.saturating_sub(asked)),
            Err(Failure::Final(_)) => channel.load.answered(),
            Err(failure) => {
                channel.load.failed(now);
                tracing::debug!(channel = %channel.id, method = R::METHOD, ?failure, "provider failed");
            }
        }
        outcome
    }

    async fn exchange<R: Request>(&self, request: &R, channel: &Channel) -> Result<R::Answer, Failure> {
        // Whoever looks at the same moment may pass, too: the bound is kept up to the number of threads.
        let in_flight = usize::try_from(channel.load.in_flight.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        if in_flight >= self.options.limits.in_flight {
            return Err(Failure::Full);
        }
        let payload = request.payload(channel).map_err(Failure::Final)?;
        let id = self.engine.id(&self.options);
        let asked = channel.ask(id, R::METHOD, payload);
        let mut question = asked.map_err(|not_sent| match not_sent {
            NotSent::Full => Failure::Full,
            NotSent::Gone => Failure::Closed,
        })?;
        let ResponseEvent { payload, error, .. } = question.answer().await.ok_or(Failure::Closed)?;
        drop(question);
        match error.is_empty() {
            true => request.read(channel, &payload).await,
            false => Err(Failure::said(&error)),
        }
    }
}

/// Until when an attempt may take.
fn share(until: Instant, others: bool) -> Instant {
    let now = Instant::now();
    if others { now + until.saturating_duration_since(now) / 2 } else { until }
}

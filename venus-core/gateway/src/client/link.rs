//! A connection to one gateway that is there before it is needed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use venus_core::entropy::{Entropy, OsEntropy};
use venus_core::rpc::CallError;
use venus_core::rpc::client::RpcClient;

use crate::endpoint::Endpoint;

const VERSION: &str = "Gateway.Version";

/// A gateway, and whether it can be asked.
#[derive(Debug)]
pub(super) struct Link {
    endpoint: Endpoint,
    /// For which accounts it is asked; all that may, if empty.
    pub(super) accounts: Vec<String>,
    state: watch::Sender<State>,
    in_flight: AtomicUsize,
}

#[derive(Clone, Debug)]
enum State {
    /// Never reached so far; why the last attempt failed.
    Dialling(Option<Arc<str>>),
    /// Reached once: from then on the client itself redials.
    Dialled(RpcClient),
    Stopped,
}

/// Counts a call while it runs.
struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Link {
    pub(super) fn new(endpoint: Endpoint, accounts: Vec<String>) -> Self {
        Self {
            endpoint,
            accounts,
            state: watch::Sender::new(State::Dialling(None)),
            in_flight: AtomicUsize::new(0),
        }
    }

    pub(super) fn name(&self) -> &str {
        self.endpoint.name()
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(&*self.state.borrow(), State::Dialled(client) if client.is_connected())
    }

    /// Calls that run.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Why it could not be reached so far, if it could not.
    pub(super) fn trouble(&self) -> Option<String> {
        match &*self.state.borrow() {
            State::Dialling(reason) => reason.as_deref().map(str::to_owned),
            State::Dialled(client) if client.is_connected() => None,
            State::Dialled(_) => Some("connection lost".to_owned()),
            State::Stopped => Some("shut down".to_owned()),
        }
    }

    /// Dials until it works once.
    pub(super) async fn dial(self: Arc<Self>) {
        let back_off = self.endpoint.client.back_off;
        for attempt in 0.. {
            let error = match RpcClient::connect(&self.endpoint.url, self.endpoint.client.clone()).await {
                Ok(client) => {
                    self.state.send_replace(State::Dialled(client));
                    return;
                }
                Err(error) => error.to_string(),
            };
            tracing::debug!(gateway = self.name(), error, "gateway not reached yet");
            self.state.send_replace(State::Dialling(Some(error.into())));
            let mut random = [0; 4];
            // Without randomness all callers pause alike, which is no reason not to go on.
            let _ = OsEntropy.fill(&mut random);
            sleep(back_off.pause(attempt, u32::from_ne_bytes(random))).await;
        }
    }

    pub(super) async fn shutdown(&self) {
        if let State::Dialled(client) = self.state.send_replace(State::Stopped) {
            client.shutdown().await;
        }
    }

    /// Calls until `until`. A gateway that is not connected fails at once. Dropping the future cancels the call there.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &str,
        until: Instant,
    ) -> Result<T, CallError> {
        if !self.is_up() {
            return Err(self.down());
        }
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let _running = Running(&self.in_flight);
        let left = until.saturating_duration_since(Instant::now());
        let call = async { self.client().await?.call(method, Some(params)).await };
        let late = |_| CallError::Timeout { method: method.to_owned(), after: left };
        timeout_at(until, call).await.map_err(late)?
    }

    /// Returns when the gateway has answered something: calls wait for a connection that is lost.
    pub(super) async fn reached(&self) -> Result<(), CallError> {
        match self.client().await?.call::<IgnoredAny>(VERSION, Some("[]")).await {
            Ok(_) | Err(CallError::Rpc(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn client(&self) -> Result<RpcClient, CallError> {
        let mut state = self.state.subscribe();
        let known = state.wait_for(|state| !matches!(state, State::Dialling(_))).await;
        match known.as_deref() {
            Ok(State::Dialled(client)) => Ok(client.clone()),
            _ => Err(CallError::Closed),
        }
    }

    fn down(&self) -> CallError {
        let reason = self.trouble().unwrap_or_else(|| "not connected yet".to_owned());
        CallError::Unreachable { url: self.name().to_owned(), source: reason.into() }
    }
}

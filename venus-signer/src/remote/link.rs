//! A connection that is made when it is needed, and calls that are repeated where that is harmless.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep, timeout_at};
use venus_core::rpc::client::{BackOff, ClientConfig, RpcClient};
use venus_core::rpc::{ApiInfo, ApiInfoError, CallError};

use super::error::is_worth_repeating;
use crate::payload::SigningNetwork;

/// How a remote signer behaves.
#[derive(Clone, Debug)]
pub struct RemoteOptions {
    /// The network that messages of `f4` senders and F3 votes are signed for.
    pub network: SigningNetwork,
    /// How long a call may take in all, repetitions included.
    pub deadline: Duration,
    /// How long one attempt may take.
    pub attempt_deadline: Duration,
    /// How often a call is tried that may be repeated.
    pub attempts: u32,
    /// The pauses in between.
    pub back_off: BackOff,
    /// How sockets, headers and limits are set. The token of the API is added.
    pub client: ClientConfig,
}

impl Default for RemoteOptions {
    /// 30 s in all, 10 s an attempt, 3 attempts.
    fn default() -> Self {
        Self {
            network: SigningNetwork::default(),
            deadline: Duration::from_secs(30),
            attempt_deadline: Duration::from_secs(10),
            attempts: 3,
            back_off: BackOff { max: Duration::from_secs(2), ..BackOff::default() },
            client: ClientConfig::default(),
        }
    }
}

/// Where another wallet is, and how it is reached.
#[derive(Clone, Debug)]
pub(super) struct Link {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    url: String,
    options: RemoteOptions,
    client: OnceCell<RpcClient>,
}

impl Link {
    /// Dials nothing yet: a wallet may start after those who need it.
    pub(super) fn new(api: &ApiInfo, version: u32, mut options: RemoteOptions) -> Result<Self, ApiInfoError> {
        let url = api.endpoint_url(version)?;
        if let Some(token) = &api.token {
            options.client = options.client.with_token(token);
        }
        options.client.deadline = options.attempt_deadline;
        Ok(Self { inner: Arc::new(Inner { url, options, client: OnceCell::new() }) })
    }

    pub(super) fn options(&self) -> &RemoteOptions {
        &self.inner.options
    }

    pub(super) fn url(&self) -> &str {
        self.inner.url.split('?').next().unwrap_or_default()
    }

    /// Calls once.
    pub(super) async fn once<T, R, F>(&self, call: impl FnOnce(RpcClient) -> F) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, R>>,
        CallError: From<R>,
    {
        let until = Instant::now() + self.inner.options.deadline;
        self.attempt(call, until).await
    }

    /// Calls, and calls again while that may help.
    pub(super) async fn repeated<T, R, F>(&self, call: impl Fn(RpcClient) -> F) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, R>>,
        CallError: From<R>,
    {
        let Inner { options, .. } = &*self.inner;
        let until = Instant::now() + options.deadline;
        let mut tried = 0;
        loop {
            let error = match self.attempt(&call, until).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let pause = options.back_off.pause(tried, 0);
            tried += 1;
            let time_left = Instant::now() + pause < until;
            if tried >= options.attempts || !time_left || !is_worth_repeating(&error) {
                return Err(error);
            }
            tracing::debug!(%error, url = self.url(), "signer call is repeated");
            sleep(pause).await;
        }
    }

    async fn attempt<T, R, F>(
        &self,
        call: impl FnOnce(RpcClient) -> F,
        until: Instant,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, R>>,
        CallError: From<R>,
    {
        let after = self.inner.options.attempt_deadline;
        let until = until.min(Instant::now() + after);
        let attempt = async { Ok(call(self.client().await?).await?) };
        let late = |_| CallError::Timeout { method: format!("calling {}", self.url()), after };
        timeout_at(until, attempt).await.map_err(late)?
    }

    /// A socket that was opened once is redialled by the client itself.
    async fn client(&self) -> Result<RpcClient, CallError> {
        let Inner { url, options, client } = &*self.inner;
        let connect = || RpcClient::connect(url, options.client.clone());
        client.get_or_try_init(connect).await.cloned()
    }

    pub(super) async fn shutdown(&self) {
        if let Some(client) = self.inner.client.get() {
            client.shutdown().await;
        }
    }
}

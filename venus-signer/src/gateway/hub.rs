//! The loop that keeps one registration alive.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use venus_core::rpc::CallError;
use venus_core::rpc::client::{ClientConfig, RpcClient};

use super::config::GatewayOptions;
use super::live::Live;
use super::session::{Session, Why};
use super::status::HubState;
use super::wallet::WalletHandler;
use crate::vault::{LockState, VaultEvent};

/// Opens connections to hubs.
#[async_trait]
pub trait Dial: Send + Sync + 'static {
    /// Opens one, without trying twice.
    ///
    /// # Errors
    /// [`CallError`]; it is tried again later.
    async fn dial(&self, url: &str, config: ClientConfig) -> Result<RpcClient, CallError>;
}

/// Over the network.
#[derive(Debug)]
pub(super) struct Dialler;

#[async_trait]
impl Dial for Dialler {
    async fn dial(&self, url: &str, config: ClientConfig) -> Result<RpcClient, CallError> {
        RpcClient::connect(url, config).await
    }
}

/// One hub.
pub(super) struct Hub {
    pub(super) live: Arc<Live>,
    pub(super) wallet: Arc<dyn WalletHandler>,
    pub(super) options: GatewayOptions,
    pub(super) stop: CancellationToken,
}

impl Hub {
    /// Runs until it is stopped.
    pub(super) async fn run(self) {
        let mut connection = None;
        let stop = self.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.keep(&mut connection) => {}
        }
        self.live.enter(HubState::Stopped);
        close(&mut connection).await;
    }

    async fn keep(&self, connection: &mut Option<RpcClient>) {
        // Subscribed before the state is looked at, so that no change is missed.
        let mut events = self.wallet.events();
        let mut attempt = 0;
        loop {
            if self.wallet.state() != LockState::Unlocked {
                self.live.enter(HubState::Locked);
                self.unlocked(&mut events).await;
                attempt = 0;
            }
            let failure = match self.attempt(connection, &mut events).await {
                Ok(()) => continue,
                Err(Failure { reason, was_ready }) => {
                    if was_ready {
                        attempt = 0;
                    }
                    reason
                }
            };
            self.live.failed(&failure);
            self.pause(attempt, &mut events).await;
            attempt = attempt.saturating_add(1);
        }
    }

    /// Registers and serves. Success is an end that nobody has to wait after.
    async fn attempt(
        &self,
        connection: &mut Option<RpcClient>,
        events: &mut broadcast::Receiver<VaultEvent>,
    ) -> Result<(), Failure> {
        let client = self.connected(connection).await?;
        let Self { live, wallet, options, .. } = self;
        let end = Session { live, wallet, options, client: &client }.run(events).await;
        let was_ready = end.was_ready;
        match end.why {
            Why::Locked => Ok(()),
            Why::Closed(reason) => Err(Failure { reason, was_ready }),
            Why::Lost(reason) => {
                close(connection).await;
                Err(Failure { reason, was_ready })
            }
        }
    }

    /// The connection that stands, or a new one.
    async fn connected(&self, connection: &mut Option<RpcClient>) -> Result<RpcClient, Failure> {
        if let Some(client) = connection.as_ref().filter(|client| client.is_connected()) {
            return Ok(client.clone());
        }
        close(connection).await;
        self.live.enter(HubState::Connecting);
        let target = &self.live.target;
        match self.options.dial.dial(&target.url, target.client.clone()).await {
            Ok(client) => Ok(connection.insert(client).clone()),
            Err(CallError::Status { status: 401, .. }) => Err(Failure {
                reason: "the hub refuses the token (http status 401)".into(),
                was_ready: false,
            }),
            Err(error) => Err(Failure { reason: error.to_string(), was_ready: false }),
        }
    }

    async fn unlocked(&self, events: &mut broadcast::Receiver<VaultEvent>) {
        while self.wallet.state() != LockState::Unlocked {
            if let Err(broadcast::error::RecvError::Closed) = events.recv().await {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Waits, but not longer than to the next change of the lock.
    async fn pause(&self, attempt: u32, events: &mut broadcast::Receiver<VaultEvent>) {
        let until = Instant::now() + self.options.pause(attempt);
        loop {
            tokio::select! {
                () = sleep_until(until) => return,
                event = events.recv() => match event {
                    Ok(VaultEvent::Locked | VaultEvent::Unlocked) => return,
                    Err(broadcast::error::RecvError::Closed) => return sleep_until(until).await,
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                },
            }
        }
    }
}

struct Failure {
    reason: String,
    /// Whether the registration had worked before it ended.
    was_ready: bool,
}

async fn close(connection: &mut Option<RpcClient>) {
    if let Some(client) = connection.take() {
        client.shutdown().await;
    }
}

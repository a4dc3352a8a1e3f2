//! The loop that keeps the registrations at one hub alive.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use venus_core::rpc::CallError;
use venus_core::rpc::client::RpcClient;
use venus_core::types::Address;

use super::channel::{Lost, Registration};
use super::live::{Live, Shared};

/// One hub.
pub(super) struct Hub {
    pub(super) shared: Arc<Shared>,
    pub(super) live: Arc<Live>,
    pub(super) stop: CancellationToken,
}

impl Hub {
    /// Runs until it is stopped.
    pub(super) async fn run(self) {
        let mut connection = None;
        let _ = self.stop.run_until_cancelled(self.keep(&mut connection)).await;
        self.live.lost(None, &self.shared);
        if let Some(client) = connection {
            client.shutdown().await;
        }
    }

    /// Never returns. The connection stands outside, so that the hub is told when all ends.
    async fn keep(&self, connection: &mut Option<RpcClient>) {
        let mut miners = self.shared.miners.subscribe();
        let mut attempt = 0;
        loop {
            // Without miners nobody needs a connection.
            let _ = miners.wait_for(|miners| !miners.is_empty()).await;
            let lost = match self.dial().await {
                Ok(client) => {
                    self.live.connected();
                    let client = connection.insert(client);
                    let lost = self.serve(client, &mut miners).await;
                    client.shutdown().await;
                    lost
                }
                Err(error) => Lost { was_ready: false, reason: refusal(&error) },
            };
            *connection = None;
            self.live.lost(Some(&lost.reason), &self.shared);
            if lost.was_ready {
                attempt = 0;
            }
            sleep(self.shared.options.pause(attempt)).await;
            attempt = attempt.saturating_add(1);
        }
    }

    async fn dial(&self) -> Result<RpcClient, CallError> {
        let endpoint = &self.live.endpoint;
        RpcClient::connect(&endpoint.url, endpoint.client.clone()).await
    }

    /// Keeps a channel for each miner until the connection is lost.
    async fn serve(&self, client: &RpcClient, miners: &mut watch::Receiver<BTreeMap<Address, u64>>) -> Lost {
        let mut channels = Channels { hub: self, client, tasks: JoinSet::new(), running: HashMap::new() };
        let mut was_ready = false;
        loop {
            let wanted = miners.borrow_and_update().clone();
            channels.adjust(&wanted);
            tokio::select! {
                // Those that were aborted belong to miners that are gone.
                Some(Ok(lost)) = channels.tasks.join_next() => {
                    return Lost { was_ready: was_ready || lost.was_ready || self.is_serving(), ..lost };
                }
                changed = miners.changed() => {
                    was_ready |= self.is_serving();
                    if changed.is_err() {
                        return Lost { was_ready, reason: "shut down".to_owned() };
                    }
                }
            }
        }
    }

    /// Whether the hub has confirmed something on this connection.
    fn is_serving(&self) -> bool {
        self.live.status().borrow().channels.iter().any(|channel| channel.channel.is_some())
    }
}

/// The channels on one connection. Dropped, all end.
struct Channels<'a> {
    hub: &'a Hub,
    client: &'a RpcClient,
    tasks: JoinSet<Lost>,
    running: HashMap<(Address, u64), Vec<AbortHandle>>,
}

impl Channels<'_> {
    /// Opens what is missing and ends what is too much.
    fn adjust(&mut self, wanted: &BTreeMap<Address, u64>) {
        self.running.retain(|(miner, number), tasks| {
            let keep = wanted.get(miner) == Some(number);
            if !keep {
                tasks.iter().for_each(AbortHandle::abort);
            }
            keep
        });
        for (miner, number) in wanted {
            if self.running.contains_key(&(*miner, *number)) {
                continue;
            }
            let kinds = self.hub.shared.handlers.kinds();
            let tasks = kinds.map(|kind| {
                let registration = Registration {
                    shared: self.hub.shared.clone(),
                    live: self.hub.live.clone(),
                    client: self.client.clone(),
                    miner: *miner,
                    kind,
                };
                self.tasks.spawn(registration.keep())
            });
            self.running.insert((*miner, *number), tasks.collect());
        }
    }
}

fn refusal(error: &CallError) -> String {
    match error {
        CallError::Status { status: 401, .. } => "the hub refuses the token (http status 401)".to_owned(),
        other => other.to_string(),
    }
}

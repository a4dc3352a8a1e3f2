//! One registration: from the opening of the channel to its end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use uuid::Uuid;
use venus_core::json::Json;
use venus_core::rpc::client::{Channel, Resubscribe, RpcClient};
use venus_core::rpc::{CallError, ChannelClosed, ChannelEvent};
use venus_core::types::Address;
use venus_core::types::gateway::{
    EXT_ACCOUNTS, EXT_REPORT, RequestEvent, ResponseEvent, WalletRegisterPolicy,
};

use super::config::GatewayOptions;
use super::event::{Outcome, Registration};
use super::live::Live;
use super::status::HubState;
use super::wallet::WalletHandler;
use super::wire::{ADD_ADDRESS, LISTEN, REMOVE_ADDRESS, RESPOND, params};
use crate::vault::{LockState, VaultEvent};

/// Why a registration ended, and whether it had worked before.
#[derive(Debug)]
pub(super) struct End {
    pub(super) was_ready: bool,
    pub(super) why: Why,
}

/// Why a registration ended.
#[derive(Debug)]
pub(super) enum Why {
    /// The wallet was locked.
    Locked,
    /// The hub closed the channel, or did not let us open it; the connection stands.
    Closed(String),
    /// The connection is lost, or not worth keeping.
    Lost(String),
}

/// What one registration needs.
pub(super) struct Session<'a> {
    pub(super) live: &'a Arc<Live>,
    pub(super) wallet: &'a Arc<dyn WalletHandler>,
    pub(super) options: &'a GatewayOptions,
    pub(super) client: &'a RpcClient,
}

impl Session<'_> {
    /// Registers and serves, until something ends it. Dropping the future ends it, too: the channel is cancelled and
    /// what is under way is aborted.
    pub(super) async fn run(&self, events: &mut broadcast::Receiver<VaultEvent>) -> End {
        let early = |why| End { was_ready: false, why };
        let mut random = [0; 32];
        if let Err(error) = self.options.entropy.fill(&mut random) {
            return early(Why::Closed(error.to_string()));
        }
        self.live.enter(HubState::Registering);
        let policy = WalletRegisterPolicy {
            support_accounts: self.live.support(),
            sign_bytes: random.to_vec(),
            ext: self.extensions(),
        };
        let opened = self.client.channel(LISTEN, Some(&params(&[policy])), Resubscribe::Never).await;
        let channel = match opened {
            Ok(channel) => channel,
            Err(error @ CallError::Rpc(_)) => return early(Why::Closed(text(error))),
            Err(error) => return early(Why::Lost(text(error))),
        };
        let (live, wallet) = (self.live.clone(), self.wallet.clone());
        let registration = Arc::new(Registration::new(live, wallet, self.options.clock.clone(), random));
        self.serve(registration, channel, events).await
    }

    /// What is understood besides what Go's wallets understand; gateways of Go are told nothing of it.
    fn extensions(&self) -> Vec<String> {
        match self.live.config.legacy {
            true => Vec::new(),
            false => vec![EXT_ACCOUNTS.to_owned(), EXT_REPORT.to_owned()],
        }
    }

    async fn serve(
        &self,
        registration: Arc<Registration>,
        mut channel: Channel<RequestEvent>,
        events: &mut broadcast::Receiver<VaultEvent>,
    ) -> End {
        let mut serving = Serving {
            session: self,
            registration,
            permits: Arc::new(Semaphore::new(self.options.events.max(1))),
            tasks: JoinSet::new(),
            changed: Arc::new(Notify::new()),
            was_ready: false,
        };
        self.keep_announced(&mut serving.tasks, serving.changed.clone());
        let why = serving.until_it_ends(&mut channel, events).await;
        self.live.enter(HubState::Waiting);
        End { was_ready: serving.was_ready, why }
    }

    /// Answers one event. Whatever happens in it stays in it.
    fn answering(
        &self,
        registration: Arc<Registration>,
        event: RequestEvent,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (client, deadline) = (self.client.clone(), self.options.event_deadline);
        async move {
            let handled = AssertUnwindSafe(timeout(deadline, registration.handle(&event))).catch_unwind();
            let answer = match handled.await {
                Ok(Ok(Outcome::Answer(answer))) => answer,
                Ok(Ok(_)) => return,
                Ok(Err(_)) => Err("the wallet did not answer in time".to_owned()),
                Err(_) => Err("internal error of the wallet".to_owned()),
            };
            let (payload, error) = match answer {
                Ok(payload) => (payload, String::new()),
                Err(error) => (Vec::new(), error),
            };
            let response = ResponseEvent { id: event.id, payload, error };
            let told = timeout(deadline, client.call_raw(RESPOND, Some(&params(&[response])))).await;
            match told {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::debug!(%error, "the hub takes no answer"),
                Err(_) => tracing::debug!("the hub takes no answer in time"),
            }
        }
    }

    /// Tells the hub what is not as it was told, each time that it is asked to. One task does it, so that thousands of
    /// new keys wait for the hub in the list and not in thousands of calls.
    fn keep_announced(&self, tasks: &mut JoinSet<()>, changed: Arc<Notify>) {
        let (live, wallet, client) = (self.live.clone(), self.wallet.clone(), self.client.clone());
        tasks.spawn(async move {
            loop {
                changed.notified().await;
                let Ok(list) = wallet.list().await else { continue };
                let known = live.addresses();
                for address in list.iter().filter(|address| !known.contains(address)) {
                    told(&live, &client, ADD_ADDRESS, *address).await;
                }
                for address in known.iter().filter(|address| !list.contains(address)) {
                    told(&live, &client, REMOVE_ADDRESS, *address).await;
                }
            }
        });
    }
}

/// An open channel, and what is under way on it.
struct Serving<'a> {
    session: &'a Session<'a>,
    registration: Arc<Registration>,
    permits: Arc<Semaphore>,
    /// Aborted when the registration ends, however it does.
    tasks: JoinSet<()>,
    changed: Arc<Notify>,
    was_ready: bool,
}

type Received = Option<Result<ChannelEvent<RequestEvent>, CallError>>;

impl Serving<'_> {
    async fn until_it_ends(
        &mut self,
        channel: &mut Channel<RequestEvent>,
        events: &mut broadcast::Receiver<VaultEvent>,
    ) -> Why {
        let deadline = Instant::now() + self.session.options.handshake;
        loop {
            // The next event is taken only when there is room for it: the channel's queue is bounded, too.
            let room = self.permits.clone().acquire_owned();
            let next = async { (room.await.ok(), channel.next().await) };
            let end = tokio::select! {
                // What the wallet says comes first, and a hub that always has something to say last.
                biased;
                event = events.recv() => self.vault(event),
                Some(_) = self.tasks.join_next() => None,
                () = sleep_until(deadline), if !self.was_ready => {
                    Some(Why::Lost("the hub did not end the handshake in time".to_owned()))
                }
                (permit, event) = next => self.received(permit, event).await,
            };
            if let Some(why) = end {
                return why;
            }
        }
    }

    fn vault(&self, event: Result<VaultEvent, RecvError>) -> Option<Why> {
        let closed = matches!(event, Ok(VaultEvent::Locked) | Err(RecvError::Closed));
        if closed || self.session.wallet.state() != LockState::Unlocked {
            return Some(Why::Locked);
        }
        if self.was_ready {
            self.changed.notify_one();
        }
        None
    }

    async fn received(&mut self, permit: Option<OwnedSemaphorePermit>, event: Received) -> Option<Why> {
        let event = match event {
            Some(Ok(ChannelEvent::Value(event))) => event,
            Some(Ok(ChannelEvent::Closed(ChannelClosed::ByPeer))) | None => {
                return Some(Why::Closed("the hub closed the channel".to_owned()));
            }
            Some(Ok(ChannelEvent::Closed(ChannelClosed::Lagged))) => {
                return Some(Why::Closed("the hub sends more than can be answered".to_owned()));
            }
            Some(Ok(_)) => return Some(Why::Lost("the connection was lost".to_owned())),
            Some(Err(error)) => {
                // Without an id nobody can be told.
                let hub = &self.session.live.config.name;
                tracing::debug!(%hub, error = %text(error), "malformed event");
                return None;
            }
        };
        match event.method.as_str() {
            "InitConnect" => return self.confirmed(&event).await,
            // In order with the rest, and nobody waits for an answer.
            "RegisterReport" => {
                self.session.live.reported(&event.payload, self.was_ready);
                return None;
            }
            _ => {}
        }
        let answering = self.session.answering(self.registration.clone(), event);
        self.tasks.spawn(async move {
            answering.await;
            drop(permit);
        });
        None
    }

    /// The end of the handshake.
    async fn confirmed(&mut self, event: &RequestEvent) -> Option<Why> {
        match self.registration.handle(event).await {
            Outcome::Ready(channel) => {
                self.was_ready = true;
                self.session.live.ready(self.session.client, channel);
                // Keys that came while the hub asked for the list.
                self.changed.notify_one();
                None
            }
            Outcome::Broken(reason) => Some(Why::Lost(reason.to_owned())),
            Outcome::Answer(_) => None,
        }
    }
}

async fn told(live: &Live, client: &RpcClient, method: &'static str, address: Address) {
    let Some((_, channel)) = live.connection() else { return };
    if let Err(error) = tell(live, client, channel, method, &[address]).await {
        tracing::warn!(hub = %live.config.name, %error, method, "keys were not announced");
    }
}

/// Adds or removes addresses at a hub.
pub(super) async fn tell(
    live: &Live,
    client: &RpcClient,
    channel: Uuid,
    method: &'static str,
    addresses: &[Address],
) -> Result<(), CallError> {
    let list: Vec<_> = addresses.iter().copied().map(Json).collect();
    client.call_raw(method, Some(&params(&(Json(channel), list)))).await?;
    for address in addresses {
        live.announced_one(*address, method == ADD_ADDRESS);
    }
    Ok(())
}

fn text(error: CallError) -> String {
    match error {
        CallError::Rpc(error) => error.message.chars().take(500).collect(),
        other => other.to_string(),
    }
}

//! One registration: a miner at a hub, for proofs or for unsealing.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use venus_core::rpc::client::{Channel, Resubscribe, RpcClient};
use venus_core::rpc::{CallError, ChannelClosed, ChannelEvent};
use venus_core::types::Address;
use venus_core::types::gateway::{
    ComputeProofRequest, ConnectedCompleted, MarketRegisterPolicy, ProofRegisterPolicy, RequestEvent,
    ResponseEvent, UnsealPayload,
};

use super::live::{self, Live, Shared, bounded};
use super::work::Overloaded;
use crate::provider::Kind;

/// The connection is gone, or not worth keeping.
#[derive(Debug)]
pub(super) struct Lost {
    /// Whether the hub had confirmed the registration.
    pub(super) was_ready: bool,
    pub(super) reason: String,
}

/// Why a channel ended.
enum End {
    /// The hub closed it, or did not let us open it; the connection stands.
    Closed(String),
    Lost(String),
}

/// Events of one channel under way at once, answers `overloaded` included. More wait in the channel's queue.
const EVENTS: usize = 128;

/// A miner at a hub.
#[derive(Clone)]
pub(super) struct Registration {
    pub(super) shared: Arc<Shared>,
    pub(super) live: Arc<Live>,
    pub(super) client: RpcClient,
    pub(super) miner: Address,
    pub(super) kind: Kind,
}

impl Registration {
    /// Registers, serves, and registers again, until the connection is lost. Aborted, the channel is cancelled at the hub
    /// and what is under way is given up.
    pub(super) async fn keep(self) -> Lost {
        let mut attempt = 0;
        loop {
            let mut was_ready = false;
            let reason = match self.once(&mut was_ready).await {
                End::Closed(reason) => reason,
                End::Lost(reason) => return Lost { was_ready, reason },
            };
            self.live.refused(self.which(), &reason);
            if was_ready {
                attempt = 0;
            }
            sleep(self.shared.options.pause(attempt)).await;
            attempt = attempt.saturating_add(1);
        }
    }

    fn which(&self) -> live::Channel<'_> {
        live::Channel { shared: &self.shared, miner: self.miner, kind: self.kind }
    }

    async fn once(&self, was_ready: &mut bool) -> End {
        self.live.registering(self.which());
        let (listen, policy) = match self.kind {
            Kind::Proof => {
                ("Gateway.ListenProofEvent", params(&[ProofRegisterPolicy { miner_address: self.miner }]))
            }
            Kind::Market | Kind::Wallet => {
                ("Gateway.ListenMarketEvent", params(&[MarketRegisterPolicy { miner: self.miner }]))
            }
        };
        match self.client.channel(listen, Some(&policy), Resubscribe::Never).await {
            Ok(channel) => self.serve(channel, was_ready).await,
            Err(CallError::Rpc(error)) => End::Closed(bounded(&error.message)),
            Err(error) => End::Lost(error.to_string()),
        }
    }

    async fn serve(&self, mut channel: Channel<RequestEvent>, was_ready: &mut bool) -> End {
        let deadline = Instant::now() + self.shared.options.handshake;
        let room = Arc::new(Semaphore::new(EVENTS));
        let mut tasks = JoinSet::new();
        loop {
            // The next event is taken only when there is room for it: the channel's queue is bounded, too.
            let next = async { (room.clone().acquire_owned().await.ok(), channel.next().await) };
            let (permit, event) = tokio::select! {
                biased;
                Some(_) = tasks.join_next() => continue,
                () = sleep_until(deadline), if !*was_ready => {
                    return End::Lost("the hub did not confirm the registration in time".to_owned());
                }
                next = next => next,
            };
            let event = match received(event) {
                Ok(Some(event)) => event,
                Ok(None) => continue,
                Err(end) => return end,
            };
            if event.method == "InitConnect" {
                if let Err(end) = self.confirmed(&event, was_ready) {
                    return end;
                }
                continue;
            }
            let registration = self.clone();
            tasks.spawn(async move {
                registration.answer(event).await;
                drop(permit);
            });
        }
    }

    fn confirmed(&self, event: &RequestEvent, was_ready: &mut bool) -> Result<(), End> {
        match serde_json::from_slice::<ConnectedCompleted>(&event.payload) {
            Ok(done) => {
                *was_ready = true;
                self.live.ready(self.which(), done.channel_id);
                Ok(())
            }
            Err(_) => Err(End::Lost("the hub confirms no channel".to_owned())),
        }
    }

    /// Answers one event. Whatever happens in it stays in it.
    async fn answer(&self, event: RequestEvent) {
        let deadline = match self.kind {
            Kind::Proof => self.shared.options.proof_deadline,
            Kind::Market | Kind::Wallet => self.shared.options.unseal_deadline,
        };
        let until = Instant::now() + deadline;
        let handled = AssertUnwindSafe(timeout_at(until, self.handle(&event, until))).catch_unwind();
        let answer = match handled.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(format!("no answer to {} within {deadline:?}", bounded(&event.method))),
            Err(_) => Err("internal error of the provider".to_owned()),
        };
        self.live.count(self.which(), answer.is_ok());
        let (payload, error) = match answer {
            Ok(payload) => (payload, String::new()),
            Err(error) => (Vec::new(), error),
        };
        let respond = match self.kind {
            Kind::Proof => "Gateway.ResponseProofEvent",
            Kind::Market | Kind::Wallet => "Gateway.ResponseMarketEvent",
        };
        let response = params(&[ResponseEvent { id: event.id, payload, error }]);
        if let Err(error) = self.client.call_raw(respond, Some(&response)).await {
            tracing::debug!(hub = self.live.endpoint.name(), %error, "the hub takes no answer");
        }
    }

    async fn handle(&self, event: &RequestEvent, until: Instant) -> Result<Vec<u8>, String> {
        let handlers = &self.shared.handlers;
        match (event.method.as_str(), self.kind, &handlers.proof, &handlers.unseal) {
            ("ComputeProof", Kind::Proof, Some(handler), _) => {
                let request: ComputeProofRequest = payload(event)?;
                let _place = self.place().await?;
                let left = until.saturating_duration_since(Instant::now());
                let proofs = handler.compute(&self.miner, request, left).await;
                Ok(json(&proofs.map_err(|error| bounded(&error.to_string()))?))
            }
            ("SectorsUnsealPiece", Kind::Market, _, Some(handler)) => {
                let request: UnsealPayload = payload(event)?;
                // A hub gets for a miner only what was registered for it.
                if request.miner != self.miner {
                    return Err("the request is for another miner than the channel".to_owned());
                }
                let _place = self.place().await?;
                let state = handler.unseal(request).await.map_err(|error| bounded(&error.to_string()))?;
                Ok(json(&state.as_str()))
            }
            (other, ..) => Err(format!("unsupported method {}", other.chars().take(64).collect::<String>())),
        }
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, String> {
        let places = self.shared.work.of(self.miner, self.kind, &self.shared.options);
        match places.enter().await {
            Ok(place) => Ok(place),
            Err(Overloaded) => Err("overloaded: as much waits for this miner as may; try again".to_owned()),
        }
    }
}

type Received = Option<Result<ChannelEvent<RequestEvent>, CallError>>;

/// An event, nothing for one that cannot be read: without an id nobody can be told.
fn received(event: Received) -> Result<Option<RequestEvent>, End> {
    match event {
        Some(Ok(ChannelEvent::Value(event))) => Ok(Some(event)),
        Some(Ok(ChannelEvent::Closed(ChannelClosed::ByPeer))) | None => {
            Err(End::Closed("the hub closed the channel".to_owned()))
        }
        Some(Ok(ChannelEvent::Closed(ChannelClosed::Lagged))) => {
            Err(End::Closed("the hub sends more than can be answered".to_owned()))
        }
        Some(Ok(_)) => Err(End::Lost("the connection was lost".to_owned())),
        Some(Err(error)) => {
            tracing::debug!(%error, "malformed event");
            Ok(None)
        }
    }
}

fn payload<T: DeserializeOwned>(event: &RequestEvent) -> Result<T, String> {
    serde_json::from_slice(&event.payload).map_err(|error| bounded(&error.to_string()))
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn params(values: &impl Serialize) -> String {
    serde_json::to_string(values).unwrap_or_default()
}

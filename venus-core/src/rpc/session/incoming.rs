//! Calls of the other side: each runs in its own task until it is done, cancelled, or the session ends.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Waker},
};

use http::Extensions;
use jsonrpsee::core::server::BoundedSubscriptions;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Limits, link::Link};
use crate::{
    error::ErrorKind,
    rpc::{
        dialect::Dialect,
        dispatch::{Answer, Prepared},
        error::{RpcError, codes},
        frame::{Frame, channel_close, channel_value},
        id::{FrameId, Id},
        service::{Caller, Service},
        table::Returns,
    },
};

/// Values that a method may put into a channel before it has to wait for the socket.
const CHANNEL_BUFFER: usize = 16;

/// What the calls of a session share.
pub(super) struct Shared {
    pub(super) link: Arc<Link>,
    pub(super) service: Arc<Service>,
    pub(super) caller: Arc<Caller>,
    pub(super) extensions: Extensions,
    pub(super) limits: Limits,
    handling: Mutex<HashMap<Id, (u64, CancellationToken)>>,
    turn: AtomicU64,
    next_channel: AtomicU64,
    /// Counts channels. jsonrpsee counts what its sinks are alive for, which some channels do without.
    channels: Semaphore,
    permits: BoundedSubscriptions,
}

/// The calls under way.
pub(super) struct Calls {
    pub(super) shared: Arc<Shared>,
    tasks: JoinSet<()>,
    draining: bool,
}

impl Calls {
    pub(super) fn new(
        link: Arc<Link>,
        service: Arc<Service>,
        caller: Arc<Caller>,
        extensions: Extensions,
        limits: Limits,
    ) -> Self {
        let channels = limits.channels.min(Semaphore::MAX_PERMITS);
        let shared = Shared {
            link,
            service,
            caller,
            extensions,
            limits,
            handling: Mutex::default(),
            turn: AtomicU64::new(0),
            next_channel: AtomicU64::new(1),
            channels: Semaphore::new(channels),
            permits: BoundedSubscriptions::new(u32::MAX),
        };
        Self { shared: Arc::new(shared), tasks: JoinSet::new(), draining: false }
    }

    /// Starts a call. False if the peer floods us and reads no answers.
    pub(super) fn start(&mut self, frame: &Frame<'_>) -> bool {
        while self.tasks.try_join_next().is_some() {}
        let id = match &frame.id {
            FrameId::Id(id) => Some(id.clone()),
            _ => None,
        };
        if self.draining {
            return self.refuse(id, Answer::Error(busy("shutting down", ErrorKind::Transient)));
        }
        if self.tasks.len() >= self.shared.limits.calls {
            return self.refuse(id, Answer::Error(busy("too many calls under way", ErrorKind::RateLimited)));
        }
        let params = frame.params.map(|params| params.get());
        match self.shared.service.prepare(&frame.method, params, &self.shared.caller) {
            Ok(prepared) => {
                // Listed before the next frame is read: that may be the cancellation.
                let ticket = id.map(|id| self.shared.enter(id, prepared.spec.returns == Returns::Channel));
                let prompt = prepared.spec.prompt;
                let call = self.shared.clone().serve(ticket, prepared);
                if prompt {
                    self.begin(call)
                } else {
                    drop(self.tasks.spawn(call))
                }
                true
            }
            Err(answer) => self.refuse(id, answer),
        }
    }

    /// Runs a call as far as it comes without waiting. A task and its two turns in the scheduler cost more than what most
    /// such calls do.
    fn begin(&mut self, call: impl Future<Output = ()> + Send + 'static) {
        let mut call = Box::pin(call);
        // Nobody needs to be woken: the task polls once more.
        if call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            self.tasks.spawn(call);
        }
    }

    fn refuse(&mut self, id: Option<Id>, answer: Answer) -> bool {
        let Some(id) = id else { return true };
        let text = self.shared.text(&id, &answer);
        match self.shared.link.try_send(text) {
            Ok(()) => true,
            // Answers may wait for the socket, but not without bound.
            Err(text) if self.tasks.len() < 2 * self.shared.limits.calls => {
                let link = self.shared.link.clone();
                self.tasks.spawn(async move {
                    let _ = link.send(text).await;
                });
                true
            }
            Err(_) => false,
        }
    }

    /// Cancels the call or channel that `id` opened, if it is still there.
    pub(super) fn cancel(&self, id: &Id) {
        if let Some((_, token)) = self.shared.handling().get(id) {
            token.cancel();
        }
    }

    /// Takes no new calls and closes the channels. Ordinary calls go on.
    pub(super) fn drain(&mut self) {
        self.draining = true;
        self.shared.cancel_channels();
    }

    /// Completes when no call is left.
    pub(super) async fn idle(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

fn busy(text: &str, kind: ErrorKind) -> RpcError {
    RpcError::new(codes::METHOD, text).with_kind(kind)
}

impl Shared {
    fn handling(&self) -> MutexGuard<'_, HashMap<Id, (u64, CancellationToken)>> {
        self.handling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Channels end by their tokens; ordinary calls are let run.
    fn cancel_channels(&self) {
        for (turn, token) in self.handling().values() {
            if turn & CHANNEL_TURN != 0 {
                token.cancel();
            }
        }
    }

    async fn serve(self: Arc<Self>, ticket: Option<Ticket>, prepared: Prepared) {
        let is_channel = prepared.spec.returns == Returns::Channel;
        match &ticket {
            Some(ticket) if is_channel => self.serve_channel(&ticket.id, prepared, &ticket.token).await,
            Some(ticket) => self.serve_call(&ticket.id, prepared, &ticket.token).await,
            // A channel that nobody can know the number of would be of no use.
            None if is_channel => {}
            None => {
                let run =
                    prepared.run(self.extensions.clone(), self.caller.connection, self.limits.message_bytes);
                let _ = timeout(self.limits.call_deadline, run).await;
            }
        }
        if let Some(ticket) = ticket {
            self.leave(&ticket);
        }
    }

    /// A second call under an id that is in use takes the id over; both are answered, as Go does.
    fn enter(&self, id: Id, is_channel: bool) -> Ticket {
        let token = CancellationToken::new();
        let turn = self.turn.fetch_add(2, Ordering::Relaxed) | if is_channel { CHANNEL_TURN } else { 0 };
        self.handling().insert(id.clone(), (turn, token.clone()));
        if !is_channel {
            self.link.under_way.fetch_add(1, Ordering::Relaxed);
        }
        Ticket { id, turn, token }
    }

    fn leave(&self, ticket: &Ticket) {
        if ticket.turn & CHANNEL_TURN == 0 {
            self.link.under_way.fetch_sub(1, Ordering::Relaxed);
        }
        let mut handling = self.handling();
        if handling.get(&ticket.id).is_some_and(|(turn, _)| *turn == ticket.turn) {
            handling.remove(&ticket.id);
        }
    }

    async fn serve_call(&self, id: &Id, prepared: Prepared, token: &CancellationToken) {
        let text = prepared.spec.cancelled;
        let run = prepared.run(self.extensions.clone(), self.caller.connection, self.limits.message_bytes);
        let answer = tokio::select! {
            biased;
            answer = timeout(self.limits.call_deadline, run) => answer.unwrap_or_else(|_| {
                Answer::Error(busy("context deadline exceeded", ErrorKind::Timeout))
            }),
            () = token.cancelled() => cancelled(text),
        };
        let _ = self.link.send(self.text(id, &answer)).await;
    }

    async fn serve_channel(&self, id: &Id, prepared: Prepared, token: &CancellationToken) {
        let (Ok(_counted), Some(permit)) = (self.channels.try_acquire(), self.permits.acquire()) else {
            let answer = Answer::Error(busy("too many channels", ErrorKind::RateLimited));
            let _ = self.link.send(self.text(id, &answer)).await;
            return;
        };
        let text = prepared.spec.cancelled;
        let open = prepared.open(self.extensions.clone(), self.caller.connection, permit, CHANNEL_BUFFER);
        // A cancelled method usually still opens its channel, to close it at once.
        let given_up = async {
            token.cancelled().await;
            sleep(self.limits.grace).await;
        };
        let opened = tokio::select! {
            biased;
            opened = open => opened,
            () = given_up => Err(cancelled(text)),
        };
        let mut source = match opened {
            Ok(source) => source,
            Err(answer) => {
                let _ = self.link.send(self.text(id, &answer)).await;
                return;
            }
        };
        let number = self.next_channel.fetch_add(1, Ordering::Relaxed);
        let reply = self.service.dialect().result(id, Some(&number.to_string()));
        if self.link.send(reply).await.is_err() {
            return;
        }
        loop {
            let value = tokio::select! {
                biased;
                () = token.cancelled() => break,
                value = source.next() => value,
            };
            let Some(value) = value else { break };
            if self.link.send(channel_value(number, value.get())).await.is_err() {
                return;
            }
        }
        // The method stops before the peer hears that the channel is closed, unless it does not watch.
        let _ = timeout(self.limits.grace, source.end()).await;
        let _ = self.link.send(channel_close(number)).await;
    }

    fn text(&self, id: &Id, answer: &Answer) -> String {
        answer_text(self.service.dialect(), id, answer, self.caller.kinds)
    }
}

/// A call that can be cancelled.
struct Ticket {
    id: Id,
    turn: u64,
    token: CancellationToken,
}

/// Marks the turns of channels.
const CHANNEL_TURN: u64 = 1;

fn cancelled(text: &str) -> Answer {
    Answer::Error(busy(text, ErrorKind::Transient))
}

/// The frame that answers a call.
pub(crate) fn answer_text(dialect: Dialect, id: &Id, answer: &Answer, kinds: bool) -> String {
    match answer {
        Answer::Value(payload) => dialect.result(id, Some(payload.as_str())),
        Answer::Void => dialect.result(id, None),
        Answer::Error(error) => dialect.error(Some(id), error, kinds),
        Answer::Fault(fault) => dialect.error(Some(id), &fault.error(dialect), kinds),
    }
}

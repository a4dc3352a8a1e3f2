//! A WebSocket that is dialled again whenever it is lost.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::Extensions;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    ClientConfig, WhileDown,
    dial::{Connect, Socket, unreachable},
};
use crate::{
    entropy::{Entropy, OsEntropy},
    rpc::{
        error::CallError,
        service::{Caller, Transport, extensions_for},
        session::{Malformed, Order, Peer, Session, close, link},
    },
};

/// The pauses between attempts to redial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BackOff {
    /// The first pause.
    pub min: Duration,
    /// The longest pause.
    pub max: Duration,
    /// How much longer each is than the one before.
    pub factor: f64,
}

impl Default for BackOff {
    /// 100 ms, 5 s and 1.5, as in Go.
    fn default() -> Self {
        Self { min: Duration::from_millis(100), max: Duration::from_secs(5), factor: 1.5 }
    }
}

impl BackOff {
    /// The pause before attempt number `attempt`, from 0. `random` spreads clients that lost one server together, by
    /// up to `min`.
    pub fn pause(&self, attempt: u32, random: u32) -> Duration {
        let exponent = i32::try_from(attempt).unwrap_or(i32::MAX);
        let grown = self.min.as_secs_f64() * self.factor.powi(exponent);
        let jitter = self.min.as_secs_f64() * f64::from(random) / f64::from(u32::MAX);
        Duration::try_from_secs_f64(grown + jitter).unwrap_or(self.max).min(self.max)
    }
}

#[derive(Clone)]
enum State {
    Up(Peer),
    /// With what the last attempt to dial failed.
    Down(Arc<str>),
    Closed,
}

pub(super) struct WsClient {
    state: watch::Receiver<State>,
    connector: Arc<dyn Connect>,
    while_down: WhileDown,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl WsClient {
    pub(super) async fn start(
        connector: Arc<dyn Connect>,
        config: Arc<ClientConfig>,
    ) -> Result<Self, CallError> {
        let socket = connector.connect().await?;
        let (state, receiver) = watch::channel(State::Down("not yet connected".into()));
        let (stop, while_down) = (CancellationToken::new(), config.while_down);
        let keeper = Keeper { connector: connector.clone(), config, state, stop: stop.clone() };
        let running = keeper.prepare();
        let task = tokio::spawn(keeper.keep(running, socket));
        Ok(Self {
            state: receiver,
            connector,
            while_down,
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
            task: Mutex::new(Some(task)),
        })
    }

    pub(super) fn url(&self) -> &str {
        self.connector.url()
    }

    pub(super) fn is_connected(&self) -> bool {
        matches!(&*self.state.borrow(), State::Up(peer) if peer.is_open())
    }

    /// The current connection, waiting for one until `until` if that is wanted.
    pub(super) async fn peer(&self, until: Instant) -> Result<Peer, CallError> {
        let mut state = self.state.clone();
        loop {
            let current = state.borrow_and_update().clone();
            match current {
                State::Up(peer) if peer.is_open() => return Ok(peer),
                State::Closed => return Err(CallError::Closed),
                _ if self.while_down == WhileDown::Fail => return Err(CallError::Disconnected),
                _ => {}
            }
            match timeout_at(until, state.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(CallError::Closed),
                Err(_) => return Err(self.still_down()),
            }
        }
    }

    fn still_down(&self) -> CallError {
        match &*self.state.borrow() {
            State::Down(reason) => unreachable(self.url(), reason.to_string()),
            _ => CallError::Disconnected,
        }
    }

    pub(super) async fn shutdown(&self) {
        self.stop.cancel();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }
}

/// The task behind a [`WsClient`].
struct Keeper {
    connector: Arc<dyn Connect>,
    config: Arc<ClientConfig>,
    state: watch::Sender<State>,
    stop: CancellationToken,
}

impl Keeper {
    /// Makes a session, and announces its peer: calls may queue from now on.
    fn prepare(&self) -> Session {
        let (link, queue) = link(self.config.limits);
        let peer = Peer::new(link.clone(), self.config.deadline);
        let (caller, mut extensions): (_, Extensions) =
            extensions_for(Caller::trusted(Transport::WebSocket, 0));
        extensions.insert(peer.clone());
        self.state.send_replace(State::Up(peer));
        Session {
            link,
            queue,
            service: self.config.reverse.clone(),
            caller,
            extensions,
            keep_alive: self.config.keep_alive,
            limits: self.config.limits,
            malformed: Malformed::Ignored,
        }
    }

    async fn keep(self, mut session: Session, mut socket: Socket) {
        loop {
            self.run(session, socket).await;
            self.state.send_replace(State::Down("connection lost".into()));
            match self.redial().await {
                Some(again) => socket = again,
                None => break,
            }
            session = self.prepare();
        }
        self.state.send_replace(State::Closed);
    }

    async fn run(&self, session: Session, socket: Socket) {
        let link = session.link.clone();
        let mut running = std::pin::pin!(session.run(socket));
        tokio::select! {
            () = &mut running => {}
            () = self.stop.cancelled() => {
                link.order(Order::Close(close::NORMAL, ""));
                running.await;
            }
        }
    }

    /// Tries until there is a socket again; nothing once the client is shut down.
    async fn redial(&self) -> Option<Socket> {
        for attempt in 0.. {
            let mut random = [0; 4];
            // Without randomness all clients pause alike, which is no reason not to go on.
            let _ = OsEntropy.fill(&mut random);
            let pause = self.config.back_off.pause(attempt, u32::from_ne_bytes(random));
            let attempt = async {
                sleep(pause).await;
                self.connector.connect().await
            };
            tokio::select! {
                () = self.stop.cancelled() => return None,
                dialled = attempt => match dialled {
                    Ok(socket) => return Some(socket),
                    Err(error) => {
                        tracing::debug!(%error, "redial failed");
                        self.state.send_replace(State::Down(error.to_string().into()));
                    }
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound() {
        let back_off = BackOff::default();
        let pauses: Vec<u128> = (0..12).map(|n| back_off.pause(n, 0).as_millis()).collect();
        assert_eq!(pauses[..4], [100, 150, 225, 337]);
        assert!(pauses.is_sorted() && pauses[11] == 5000, "{pauses:?}");
        assert_eq!(back_off.pause(0, u32::MAX).as_millis(), 200);
        assert_eq!(back_off.pause(u32::MAX, u32::MAX), Duration::from_secs(5));
    }
}

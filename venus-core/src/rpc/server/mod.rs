//! An API for Go and Rust clients: HTTP and WebSocket on one port and one path.
//!
//! ```no_run
//! # use venus_core::rpc::{Dialect, Permissions, Service, server::{Everybody, RpcServer}};
//! # async fn run(service: Service) -> std::io::Result<()> {
//! let server = RpcServer::new(service, Everybody(Permissions::READ));
//! let listening = server.listen("127.0.0.1:0".parse().expect("an address"), &["/rpc/v0"]).await?;
//! println!("http://{}/rpc/v0", listening.local_addr());
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod auth;
mod http;
mod listen;
mod open;
mod options;
mod ws;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, response::Response, routing::any};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use auth::{AuthError, Authenticate, ByToken, Everybody, token_of};
pub use listen::Listening;
pub use options::ServerOptions;

use self::open::Open;
use super::{
    service::{Caller, Identity, Service, Transport},
    session::{KeepAlive, Limits},
};
use crate::clock::Clock;

/// How long a method waits for the client that it calls back, unless it says otherwise.
const REVERSE_DEADLINE: Duration = Duration::from_secs(60);

/// Numbers of connections: one process may have several servers of one thing, which tells callers by them.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

/// A server of one API. Cheap to clone; all clones are the same server.
#[derive(Clone)]
pub struct RpcServer(Arc<Inner>);

struct Inner {
    service: Arc<Service>,
    auth: Arc<dyn Authenticate>,
    limits: Limits,
    keep_alive: KeepAlive,
    clock: Arc<dyn Clock>,
    query_tokens: bool,
    /// Requests over HTTP at once.
    requests: Arc<Semaphore>,
    /// WebSockets at once.
    sockets: Arc<Semaphore>,
    open: Open,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Somebody for whom something runs now.
#[derive(Clone, Debug)]
pub struct Held {
    /// Who.
    pub caller: Arc<Caller>,
    /// A WebSocket; else a request over HTTP.
    pub is_session: bool,
}

impl fmt::Debug for RpcServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RpcServer")
            .field("service", &self.0.service)
            .field("sessions", &self.sessions())
            .finish()
    }
}

impl RpcServer {
    /// A server with the default limits.
    pub fn new(service: Service, auth: impl Authenticate) -> Self {
        Self::with_limits(service, auth, Limits::default(), KeepAlive::default())
    }

    /// A server with limits of your own.
    pub fn with_limits(
        service: Service,
        auth: impl Authenticate,
        limits: Limits,
        keep_alive: KeepAlive,
    ) -> Self {
        Self::with_options(service, auth, ServerOptions { limits, keep_alive, ..ServerOptions::default() })
    }

    /// A server with options of your own.
    pub fn with_options(service: Service, auth: impl Authenticate, options: ServerOptions) -> Self {
        let ServerOptions { limits, keep_alive, clock, query_tokens } = options;
        let places = || Arc::new(Semaphore::new(limits.sessions.min(Semaphore::MAX_PERMITS)));
        Self(Arc::new(Inner {
            service: Arc::new(service),
            auth: Arc::new(auth),
            limits,
            keep_alive,
            clock,
            query_tokens,
            requests: places(),
            sockets: places(),
            open: Open::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }))
    }

    /// A router that answers on `paths`, as `/rpc/v0`. Merge it with others, or [`RpcServer::listen`].
    pub fn router(&self, paths: &[&str]) -> Router {
        let mut router = Router::new();
        for path in paths {
            router = router.route(path, any(answer));
        }
        router.with_state(self.clone())
    }

    /// How many WebSockets are open.
    pub fn sessions(&self) -> usize {
        self.0.open.sessions()
    }

    /// For whom something runs now, in no order.
    pub fn held(&self) -> Vec<Held> {
        self.0.open.held()
    }

    /// Ends what runs for all callers that `who` picks: WebSockets close with code 1008, with their calls and channels;
    /// requests over HTTP get 401. Returns how many were picked.
    ///
    /// To be called when a token or an account is revoked, *after* the [`Authenticate`] knows of it: a caller who is
    /// just being let in is asked once more.
    pub fn disconnect(&self, who: impl Fn(&Caller) -> bool) -> usize {
        self.0.open.end(who)
    }

    /// Takes no new request, lets running calls end within the grace of [`Limits`], closes all sockets and returns
    /// when nothing of the server runs any more.
    pub async fn shutdown(&self) {
        self.0.stop.cancel();
        self.0.open.drain();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Runs a session over `socket`, on which the WebSocket handshake is done already (or is not wanted, as between
    /// two ends of a pipe), for a caller who is known. Returns when the session has ended.
    pub async fn serve_socket<S>(&self, socket: S, identity: Identity)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let caller = Caller { identity, ..Caller::trusted(Transport::WebSocket, self.next_connection()) };
        ws::run(self.clone(), socket, caller, None).await;
    }

    fn next_connection(&self) -> u64 {
        CONNECTIONS.fetch_add(1, Ordering::Relaxed)
    }
}

async fn answer(State(server): State<RpcServer>, request: axum::extract::Request) -> Response {
    http::answer(server, request).await
}

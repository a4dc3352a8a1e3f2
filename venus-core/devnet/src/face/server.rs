//! A face on a port.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use futures::{future, stream};
use http::StatusCode;
use http::request::Parts;
use tokio::sync::watch;
use tokio::task::JoinSet;
use venus_core::rpc::Identity;
use venus_core::rpc::server::{AuthError, Authenticate, RpcServer};

use super::faults::Cuts;
use super::{ApiVersion, Face, FaceKind};

/// How long calls over HTTP may go on after a shutdown began.
const GRACE: Duration = Duration::from_secs(2);

/// A face that is served until [`FaceServer::shutdown`]. Without this handle it goes on, but nobody can end it, and
/// faults break no WebSocket any more.
pub struct FaceServer {
    servers: Vec<RpcServer>,
    local: SocketAddr,
    stop: watch::Sender<bool>,
    _cutting: JoinSet<()>,
}

impl fmt::Debug for FaceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaceServer").field("local", &self.local).field("sessions", &self.sessions()).finish()
    }
}

impl Face {
    /// Serves the face at `address`: `/rpc/v0` and `/rpc/v1`, for Lotus and Forest also `/rpc/v2`. Any other path is
    /// not found, in Go's words.
    ///
    /// # Errors
    /// [`std::io::Error`] if the address cannot be had.
    pub async fn listen(&self, address: SocketAddr, auth: impl Authenticate) -> io::Result<FaceServer> {
        self.listen_with(address, auth, Router::new()).await
    }

    /// As [`Face::listen`], with `more` routes on the same port.
    ///
    /// # Errors
    /// As [`Face::listen`].
    pub async fn listen_with(
        &self,
        address: SocketAddr,
        auth: impl Authenticate,
        more: Router,
    ) -> io::Result<FaceServer> {
        let (auth, stop) = (SharedAuth(Arc::new(auth)), watch::Sender::new(false));
        let mut paths = vec![("/rpc/v1", ApiVersion::V1), ("/rpc/v0", ApiVersion::V0)];
        if self.kind != FaceKind::Venus {
            paths.push(("/rpc/v2", ApiVersion::V2));
        }
        let (mut servers, mut router) = (Vec::new(), more);
        for (path, version) in paths {
            let service = self.service_of(version).map_err(io::Error::other)?;
            let server = RpcServer::new(service, auth.clone());
            router = router.merge(server.router(&[path]));
            servers.push(server);
        }
        let gate = stop.subscribe();
        let router = router.fallback(not_found).layer(from_fn_with_state(gate, guard));
        let first = servers.first().ok_or_else(|| io::Error::other("no service"))?;
        let local = first.listen_with(address, router).await?.local_addr();
        let mut cutting = JoinSet::new();
        cutting.spawn(cut_sessions(self.faults.cuts(), servers.clone()));
        Ok(FaceServer { servers, local, stop, _cutting: cutting })
    }
}

impl FaceServer {
    /// Where: the port is known even if 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// `http://…`, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.local)
    }

    /// How many WebSockets are open.
    pub fn sessions(&self) -> usize {
        self.servers.iter().map(RpcServer::sessions).sum()
    }

    /// Closes all WebSockets; clients may come back at once. Answers how many there were.
    pub fn disconnect(&self) -> usize {
        self.servers.iter().map(|server| server.disconnect(|_| true)).sum()
    }

    /// Takes no new request, lets running calls end within seconds, closes all sockets and returns when nothing of
    /// the server runs any more. The devnet goes on.
    pub async fn shutdown(&self) {
        self.stop.send_replace(true);
        future::join_all(self.servers.iter().map(RpcServer::shutdown)).await;
    }
}

/// One authentication for all paths.
#[derive(Clone)]
struct SharedAuth(Arc<dyn Authenticate>);

#[async_trait]
impl Authenticate for SharedAuth {
    async fn authenticate(&self, token: Option<&str>, request: &Parts) -> Result<Identity, AuthError> {
        self.0.authenticate(token, request).await
    }
}

async fn not_found() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "404 page not found\n")
}

tokio::task_local! {
    /// Whether the connection of the request that this task answers shall break instead.
    static BREAK: Arc<AtomicBool>;
}

/// Marks the request under way as one whose connection breaks. False if there is none, as over a WebSocket.
pub(super) fn break_request() -> bool {
    BREAK.try_with(|flag| flag.store(true, Ordering::Relaxed)).is_ok()
}

/// Ends requests at a shutdown, and breaks those that a fault wants broken.
async fn guard(State(mut stop): State<watch::Receiver<bool>>, request: Request, next: Next) -> Response {
    let broken = Arc::new(AtomicBool::new(false));
    let response = tokio::select! {
        response = BREAK.scope(broken.clone(), next.run(request)) => response,
        () = late(&mut stop) => unavailable(),
    };
    if broken.load(Ordering::Relaxed) { breaking() } else { response }
}

async fn late(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_ok() {
        tokio::time::sleep(GRACE).await;
    }
}

fn unavailable() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

/// A response that breaks off before its body.
fn breaking() -> Response {
    let broken = io::Error::from(io::ErrorKind::ConnectionReset);
    Response::new(Body::from_stream(stream::once(future::ready(Err::<Vec<u8>, _>(broken)))))
}

/// Closes the sessions that faults pick.
async fn cut_sessions(mut cuts: Cuts, servers: Vec<RpcServer>) {
    while let Some(target) = cuts.next().await {
        for server in &servers {
            server.disconnect(|caller| std::ptr::eq(caller, &*target));
        }
    }
}

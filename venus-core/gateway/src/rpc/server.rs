//! Sockets for the API.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::AUTHORIZATION;
use http::request::Parts;
use venus_core::rpc::server::{AuthError, Authenticate, Listening, RpcServer, ServerOptions as RpcOptions};
use venus_core::rpc::{Caller, Dialect, Identity, KeepAlive, Limiter, Limits, Service, ServiceError};

use super::api::{GatewayApiServer, GatewayApiV1Server, TABLE, V1_TABLE, V2_TABLE};
use super::serve::{Api, ReverseTargets};
use crate::hub::Hub;

/// Sessions of a gateway at once, unless told otherwise: as many as a hub has channels.
const SESSIONS: usize = 20_000;

/// How a [`GatewayServer`] talks.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Whose bytes it answers with; it reads both.
    pub dialect: Dialect,
    /// The bounds of each of the two paths: 16 MiB a message, which Go's callers expect to be 100, and 20 000 sessions.
    pub limits: Limits,
    /// How sessions stay alive.
    pub keep_alive: KeepAlive,
    /// Where `RegisterReverse` goes. Without it the call is refused.
    pub reverse: Option<Arc<dyn ReverseTargets>>,
    /// Who may call how often. It is asked about calls that the caller may make.
    pub limiter: Option<Arc<dyn Limiter>>,
    /// Whether tokens are taken from the query, `?token=`, as Go does. Whoever logs requests on the way keeps them.
    pub query_tokens: bool,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            dialect: Dialect::Fork,
            limits: Limits { sessions: SESSIONS, ..Limits::default() },
            keep_alive: KeepAlive::default(),
            reverse: None,
            limiter: None,
            query_tokens: true,
        }
    }
}

impl fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerOptions")
            .field("dialect", &self.dialect)
            .field("limits", &self.limits)
            .field("keep_alive", &self.keep_alive)
            .finish_non_exhaustive()
    }
}

/// The services at `/rpc/v1` and `/rpc/v2`.
///
/// # Errors
/// [`ServiceError`], if tables and methods do not fit: a mistake of the programmer.
pub fn services(
    hub: &Hub,
    reverse: Option<Arc<dyn ReverseTargets>>,
    dialect: Dialect,
) -> Result<(Service, Service), ServiceError> {
    let api = Api { hub: hub.clone(), reverse };
    let v2 = GatewayApiServer::into_rpc(api.clone());
    let mut v1 = v2.clone();
    for spec in V1_TABLE {
        v1.remove_method(spec.name);
    }
    let own = GatewayApiV1Server::into_rpc(api);
    v1.merge(own).map_err(|_| ServiceError::Twice("a method of v1"))?;
    Ok((Service::new(v1, &[TABLE, V1_TABLE], dialect)?, Service::new(v2, &[TABLE, V2_TABLE], dialect)?))
}

/// A hub at `/rpc/v1` and `/rpc/v2`, over HTTP and WebSocket. Cheap to clone; all clones are one server.
#[derive(Clone, Debug)]
pub struct GatewayServer {
    v1: RpcServer,
    v2: RpcServer,
    gate: Gate,
}

/// One gate for both paths.
#[derive(Clone)]
struct Gate(Arc<dyn Authenticate>);

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

#[async_trait]
impl Authenticate for Gate {
    async fn authenticate(&self, token: Option<&str>, request: &Parts) -> Result<Identity, AuthError> {
        self.0.authenticate(token, request).await
    }
}

impl GatewayServer {
    /// A server for those whom `gate` knows. It listens nowhere yet.
    ///
    /// # Errors
    /// As [`services`].
    pub fn new(hub: &Hub, gate: Arc<dyn Authenticate>, options: ServerOptions) -> Result<Self, ServiceError> {
        let ServerOptions { dialect, limits, keep_alive, reverse, limiter, query_tokens } = options;
        let (v1, v2) = services(hub, reverse, dialect)?;
        let gate = Gate(gate);
        let below = RpcOptions { limits, keep_alive, query_tokens, ..RpcOptions::default() };
        let server = |service: Service| {
            let service = match &limiter {
                Some(limiter) => service.limited(limiter.clone()),
                None => service,
            };
            RpcServer::with_options(service, gate.clone(), below.clone())
        };
        Ok(Self { v1: server(v1), v2: server(v2), gate })
    }

    /// The two paths, to be merged with other routes.
    pub fn router(&self) -> Router {
        self.v1.router(&["/rpc/v1"]).merge(self.v2.router(&["/rpc/v2"]))
    }

    /// `router` with an answer for every other path, as Go's gateway has it: 401 to strangers, so that they do not find
    /// out what there is, and 404 to everybody else.
    pub fn fallback(&self, router: Router) -> Router {
        let gate = self.gate.clone();
        router.fallback(async move |request: Request| {
            let (parts, _) = request.into_parts();
            let token = parts.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
            let token = token.and_then(|header| header.strip_prefix("Bearer "));
            match gate.authenticate(token, &parts).await {
                Ok(_) => (StatusCode::NOT_FOUND, "404 page not found\n").into_response(),
                Err(AuthError::Unavailable) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                Err(_) => StatusCode::UNAUTHORIZED.into_response(),
            }
        })
    }

    /// The server of one path, for layers of one's own.
    pub fn servers(&self) -> [&RpcServer; 2] {
        [&self.v1, &self.v2]
    }

    /// Serves the two paths on `addr`, which should be loopback unless the operator said otherwise.
    ///
    /// # Errors
    /// If the port cannot be had.
    pub async fn listen(&self, addr: SocketAddr) -> io::Result<Listening> {
        self.listen_with(addr, self.router()).await
    }

    /// Serves `router`, in which [`GatewayServer::router`] is merged with other routes.
    ///
    /// # Errors
    /// If the port cannot be had.
    pub async fn listen_with(&self, addr: SocketAddr, router: Router) -> io::Result<Listening> {
        self.v2.listen_with(addr, router).await
    }

    /// How many WebSockets are open.
    pub fn sessions(&self) -> usize {
        self.servers().iter().map(|server| server.sessions()).sum()
    }

    /// Closes the WebSockets of all callers that `who` picks; their channels and calls end at once. To be called, with
    /// [`Hub::end`], when a token or an account is revoked. Returns how many were picked.
    pub fn disconnect(&self, who: impl Fn(&Caller) -> bool) -> usize {
        self.servers().iter().map(|server| server.disconnect(&who)).sum()
    }

    /// Takes no new request, lets running calls end, closes all sockets and returns when nothing runs any more.
    pub async fn shutdown(&self) {
        tokio::join!(self.v1.shutdown(), self.v2.shutdown());
    }
}

#[cfg(test)]
mod tests {
    use venus_core::clock::SystemClock;
    use venus_core::testing::doubles::MemoryAccounts;

    use super::*;
    use crate::options::HubOptions;

    #[test]
    fn tables_and_methods_fit_in_every_dialect() {
        let accounts = MemoryAccounts::new(Arc::new(SystemClock));
        let hub = Hub::new(Arc::new(accounts), HubOptions::new("test"));
        for dialect in [Dialect::Fork, Dialect::Upstream] {
            services(&hub, None, dialect).unwrap();
        }
    }
}

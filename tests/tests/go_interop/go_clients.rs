//! Go clients examine our server.

use std::{net::SocketAddr, time::Duration};

use async_trait::async_trait;
use http::request::Parts;
use tokio::time::timeout;
use venus_core::rpc::{
    Dialect, Identity, KeepAlive, Limits, Permissions,
    client::{ClientConfig, RpcClient},
    server::{AuthError, Authenticate, RpcServer},
};

use crate::{
    DIALECTS, LIBRARIES, Library,
    program::{Program, programs},
    service::{TClient, service},
};

/// The tokens of the Go programs; who has none may read, as with Lotus.
struct Tokens;

#[async_trait]
impl Authenticate for Tokens {
    async fn authenticate(&self, token: Option<&str>, _: &Parts) -> Result<Identity, AuthError> {
        let permissions = match token {
            None | Some("reader") => Permissions::READ,
            Some("admin") => Permissions::ALL,
            Some(_) => return Err(AuthError::Unauthenticated),
        };
        Ok(Identity::new("", permissions))
    }
}

/// Sees within a second that the other side has gone.
const QUICK: KeepAlive =
    KeepAlive { ping_every: Duration::from_millis(200), dead_after: Duration::from_secs(1) };

struct Ours {
    server: RpcServer,
    address: SocketAddr,
    dialect: Dialect,
}

impl Ours {
    async fn listen(dialect: Dialect, address: &str, keep_alive: KeepAlive) -> Self {
        let limits =
            Limits { message_bytes: 4 << 20, grace: Duration::from_millis(100), ..Limits::default() };
        let server = RpcServer::with_limits(service(dialect), Tokens, limits, keep_alive);
        let listening = server.listen(address.parse().unwrap(), &["/rpc/v0"]).await.unwrap();
        Self { server, address: listening.local_addr(), dialect }
    }

    async fn new(dialect: Dialect) -> Self {
        Self::listen(dialect, "127.0.0.1:0", KeepAlive::default()).await
    }

    fn examined_by(&self, library: Library, examination: &str, scheme: &str) -> Program {
        let url = format!("{scheme}://{}/rpc/v0", self.address);
        Program::client(library, examination, &url, self.dialect)
    }

    async fn shutdown(self) {
        timeout(Duration::from_secs(20), self.server.shutdown()).await.expect("nothing is left running");
    }
}

/// All libraries examine servers of both dialects.
async fn examine(examination: &str, scheme: &str, checks: u32) {
    if programs().is_none() {
        return;
    }
    for dialect in DIALECTS {
        let ours = Ours::new(dialect).await;
        for library in LIBRARIES {
            let made = ours.examined_by(library, examination, scheme).passed().await;
            assert_eq!(made, checks, "{library:?} of {dialect:?}");
        }
        ours.shutdown().await;
    }
}

#[tokio::test]
async fn calls_over_http() {
    examine("calls", "http", 161).await;
}

#[tokio::test]
async fn calls_over_a_websocket() {
    examine("calls", "ws", 159).await;
}

#[tokio::test]
async fn channels_and_reverse_calls() {
    examine("session", "ws", 63).await;
}

#[tokio::test]
async fn tokens_over_http() {
    examine("tokens", "http", 6).await;
}

#[tokio::test]
async fn tokens_over_a_websocket() {
    examine("tokens", "ws", 6).await;
}

#[tokio::test]
async fn messages_beyond_the_limit_over_http() {
    examine("limits", "http", 4).await;
}

#[tokio::test]
async fn messages_beyond_the_limit_over_a_websocket() {
    examine("limits", "ws", 3).await;
}

#[tokio::test]
async fn an_idle_session_is_kept_alive_for_the_client() {
    examine("idle", "ws", 3).await;
}

#[tokio::test]
async fn an_idle_session_is_kept_alive_by_the_client() {
    if programs().is_none() {
        return;
    }
    for library in LIBRARIES {
        let ours = Ours::listen(Dialect::Fork, "127.0.0.1:0", QUICK).await;
        assert_eq!(ours.examined_by(library, "idle", "ws").passed().await, 3);
        ours.shutdown().await;
    }
}

#[tokio::test]
async fn clients_find_the_server_again() {
    if programs().is_none() {
        return;
    }
    for dialect in DIALECTS {
        for library in LIBRARIES {
            let ours = Ours::new(dialect).await;
            let address = ours.address.to_string();
            let mut client = ours.examined_by(library, "restart", "ws");
            assert_eq!(client.line().await, "ready");
            ours.shutdown().await;
            let again = Ours::listen(dialect, &address, KeepAlive::default()).await;
            client.tell("again").await;
            assert_eq!(client.passed().await, 5, "{library:?} of {dialect:?}");
            again.shutdown().await;
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_client_that_hangs_is_dropped() {
    if programs().is_none() {
        return;
    }
    for library in LIBRARIES {
        let ours = Ours::listen(Dialect::Upstream, "127.0.0.1:0", QUICK).await;
        let mut client = ours.examined_by(library, "restart", "ws");
        assert_eq!(client.line().await, "ready");
        client.hang(true);
        // Its call and its channel end, although it closed nothing.
        let witness = format!("http://{}/rpc/v0", ours.address);
        let witness = RpcClient::connect(&witness, ClientConfig::default()).await.unwrap();
        assert_eq!(witness.given_up(2).await.unwrap(), 2);
        client.hang(false);
        client.tell("again").await;
        assert_eq!(client.passed().await, 5, "{library:?}");
        ours.shutdown().await;
    }
}

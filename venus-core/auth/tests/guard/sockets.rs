//! Open sockets end with the right that they rest on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tower::ServiceExt;
use venus_auth::client::{AuthClient, ClientConfig};
use venus_auth::limits::Guesses;
use venus_auth::rest::{RestConfig, router};
use venus_auth::verifier::{Blacklist, CacheConfig, Cached, Chain, Gate};
use venus_auth::watch::{FromService, InProcess, Liveness, Sockets, Watch, WatchConfig};
use venus_auth::{Actor, AuthService, Ban, UserChange, UserState};
use venus_core::api::Authenticator;
use venus_core::rpc::server::RpcServer;

use crate::support::{Socket, api, bearer, in_time, service, token};

/// A server that guards itself by an account service in this process.
struct Guarded {
    auth: AuthService,
    verifier: Cached,
    server: RpcServer,
}

async fn guarded() -> Guarded {
    let auth = service().await;
    let liveness = Liveness::default();
    let verifier = Cached::new(Arc::new(auth.clone()), liveness.clone(), CacheConfig::default());
    let blacklist = Blacklist::default();
    let chain = Chain::new("gateway").remote(verifier.clone());
    let server = RpcServer::new(api(), Gate::new(chain, blacklist.clone(), Guesses::default()));
    let watch = Watch::new(InProcess::new(auth.clone()), liveness, WatchConfig::default());
    tokio::spawn(watch.tell(verifier.clone()).tell(blacklist).tell(Sockets::of([server.clone()])).run());
    Guarded { auth, verifier, server }
}

impl Guarded {
    async fn socket(&self, token: &SecretString) -> Socket {
        let caller = self.verifier.authenticate(token.expose_secret()).await.unwrap();
        let mut socket = Socket::open(&self.server, caller.into()).await;
        assert!(socket.call("T.Read").await.contains("done"));
        socket
    }
}

/// Time is that of the test: what passes while nobody has anything to do.
#[tokio::test(start_paused = true)]
async fn i5_a_socket_ends_within_a_second_of_the_revocation() {
    let world = guarded().await;
    let system = Actor::system();
    let (mut kept, keeper) = {
        let keeper = token(&world.auth, "bob", "read").await;
        (world.socket(&keeper).await, keeper)
    };
    for turn in ["token", "token ban", "account ban", "disabled", "deleted"] {
        let token = token(&world.auth, "alice", "sign").await;
        let id = world.auth.check(token.expose_secret(), None).await.unwrap().id;
        let mut socket = world.socket(&token).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let start = Instant::now();
        match turn {
            "token" => world.auth.revoke_token(&system, token.expose_secret()).await.unwrap(),
            "token ban" => world.auth.ban(&system, &Ban::Token(id), "").await.unwrap(),
            "account ban" => world.auth.ban(&system, &Ban::Account("alice".into()), "").await.unwrap(),
            "disabled" => {
                let change = UserChange { state: Some(UserState::Disabled), ..UserChange::default() };
                world.auth.update_user(&system, "alice", change).await.unwrap();
            }
            _ => world.auth.delete_user(&system, "alice").await.unwrap(),
        }
        assert_eq!(socket.closed().await, Some(1008), "{turn}");
        assert!(start.elapsed() < Duration::from_secs(1), "{turn}: {:?}", start.elapsed());
        assert!(world.verifier.authenticate(token.expose_secret()).await.is_err(), "{turn}");
        let _ = world.auth.unban(&system, &Ban::Account("alice".into())).await;
        if turn == "disabled" {
            let change = UserChange { state: Some(UserState::Enabled), ..UserChange::default() };
            world.auth.update_user(&system, "alice", change).await.unwrap();
        }
    }
    assert!(kept.call("T.Read").await.contains("done"), "nobody else's");
    world.verifier.authenticate(keeper.expose_secret()).await.unwrap();
}

/// An account service behind a socket that can be away, and begin anew.
#[derive(Clone)]
struct Remote {
    auth: AuthService,
    is_away: Arc<AtomicBool>,
    router: Arc<std::sync::Mutex<Router>>,
}

async fn hand_over(State(remote): State<Remote>, request: Request) -> Response {
    if remote.is_away.load(Ordering::SeqCst) {
        return http::StatusCode::BAD_GATEWAY.into_response();
    }
    let router = remote.router.lock().unwrap().clone();
    router.oneshot(request).await.unwrap()
}

impl Remote {
    async fn start() -> (Self, AuthClient) {
        let auth = service().await;
        let admin = auth.local_token(None).await.unwrap();
        let inner = Arc::new(std::sync::Mutex::new(router(auth.clone(), RestConfig::default())));
        let this = Self { auth, is_away: Arc::default(), router: inner };
        let app = Router::new().fallback(hand_over).with_state(this.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let client = AuthClient::new(&[url], admin, ClientConfig::default()).unwrap();
        (this, client)
    }

    fn restart(&self) {
        *self.router.lock().unwrap() = router(self.auth.clone(), RestConfig::default());
    }
}

type Ws = tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>;

async fn dial(addr: SocketAddr, token: &SecretString) -> Ws {
    let mut request = format!("ws://{addr}/rpc/v1").into_client_request().unwrap();
    request.headers_mut().insert("authorization", bearer(token).parse().unwrap());
    let socket = tokio::net::TcpStream::connect(addr).await.unwrap();
    tokio_tungstenite::client_async(request, socket).await.unwrap().0
}

async fn closed(socket: &mut Ws) -> Option<u16> {
    loop {
        match in_time(socket.next()).await {
            Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
            Some(Ok(_)) => {}
            other => panic!("a close frame is expected, not {other:?}"),
        }
    }
}

async fn sessions(server: &RpcServer, count: usize) {
    in_time(async {
        while server.sessions() != count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Everything real: the account service over REST, the watch over a socket, the server's WebSockets.
#[tokio::test]
async fn t06_open_sockets_end_also_what_was_revoked_while_the_service_was_away() {
    let (remote, client) = Remote::start().await;
    let liveness = Liveness::default();
    let verifier = Cached::new(Arc::new(client.clone()), liveness.clone(), CacheConfig::default());
    let chain = Chain::new("gateway").remote(verifier.clone());
    let server = RpcServer::new(api(), Gate::new(chain, Blacklist::default(), Guesses::default()));
    let addr = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v1"]).await.unwrap().local_addr();
    let watch =
        Watch::new(FromService::new(client.clone()), liveness.clone(), WatchConfig { patience: None });
    tokio::spawn(watch.tell(verifier).tell(Sockets::of([server.clone()])).run());
    in_time(async {
        while !liveness.is_alive() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let [one, two, three] = [
        token(&remote.auth, "alice", "sign").await,
        token(&remote.auth, "alice", "read").await,
        token(&remote.auth, "bob", "read").await,
    ];
    let (mut first, mut second, mut third) =
        (dial(addr, &one).await, dial(addr, &two).await, dial(addr, &three).await);
    sessions(&server, 3).await;
    client.remove_token(one.expose_secret()).await.unwrap();
    assert_eq!(closed(&mut first).await, Some(1008));
    sessions(&server, 2).await;

    remote.is_away.store(true, Ordering::SeqCst);
    remote.auth.revoke_token(&Actor::system(), two.expose_secret()).await.unwrap();
    remote.restart();
    remote.is_away.store(false, Ordering::SeqCst);
    assert_eq!(closed(&mut second).await, Some(1008), "found out after the gap");
    sessions(&server, 1).await;

    client.delete_user("bob").await.unwrap();
    assert_eq!(closed(&mut third).await, Some(1008));
    sessions(&server, 0).await;
    server.shutdown().await;
}

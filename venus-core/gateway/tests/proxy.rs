//! The proxy over real sockets: a component behind it, callers before it.
#![cfg(feature = "server")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use futures::{SinkExt, StreamExt};
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use venus_core::clock::SystemClock;
use venus_core::rpc::server::{AuthError, Authenticate, ByToken};
use venus_core::rpc::{Identity, Permissions};
use venus_core::testing::doubles::MemoryAccounts;
use venus_gateway::HubError;
use venus_gateway::proxy::{HostKey, Proxy, ProxyOptions};
use venus_gateway::rpc::ReverseTargets;

const PATIENCE: Duration = Duration::from_secs(20);

async fn within<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("took too long")
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    addr
}

/// A component that tells what reached it, and counts.
async fn component() -> (SocketAddr, Arc<AtomicUsize>) {
    async fn echo(State(count): State<Arc<AtomicUsize>>, request: Request) -> Response {
        count.fetch_add(1, Ordering::SeqCst);
        let (parts, body) = request.into_parts();
        let mut text = format!("{} {}\n", parts.method, parts.uri);
        for (name, value) in &parts.headers {
            text += &format!("{name}: {}\n", value.to_str().unwrap());
        }
        // Of a body that is cut there is nothing to tell.
        let body = axum::body::to_bytes(body, 1 << 30).await.unwrap_or_default();
        text += &format!("\n{} bytes", body.len());
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        response.headers_mut().insert("keep-alive", "5".parse().unwrap());
        response.headers_mut().insert("x-mine", "1".parse().unwrap());
        response
    }
    let count = Arc::new(AtomicUsize::new(0));
    (serve(Router::new().fallback(any(echo)).with_state(count.clone())).await, count)
}

struct World {
    proxy: Proxy,
    at: SocketAddr,
    token: String,
    accounts: Arc<MemoryAccounts>,
}

async fn world(options: impl FnOnce(&mut ProxyOptions)) -> World {
    let accounts = Arc::new(MemoryAccounts::new(Arc::new(SystemClock)));
    accounts.add("alice");
    let token = accounts.issue(Some("alice"), Permissions::up_to("read"), None).unwrap();
    let mut chosen = ProxyOptions::default();
    options(&mut chosen);
    let proxy = Proxy::new(Arc::new(Named(ByToken::new(accounts.clone()))), chosen).unwrap();
    let own = Router::new().fallback(any(|| async { "the gateway itself" }));
    let at = serve(proxy.wrap(own)).await;
    World { proxy, at, token, accounts }
}

impl World {
    fn ask(&self, namespace: &str, path: &str) -> reqwest::RequestBuilder {
        self.stranger(namespace, path).bearer_auth(&self.token)
    }

    fn stranger(&self, namespace: &str, path: &str) -> reqwest::RequestBuilder {
        client().post(format!("http://{}{path}", self.at)).header("X-VENUS-API-NAMESPACE", namespace)
    }

    fn to(&self, key: HostKey, addr: SocketAddr) {
        self.proxy.set(key, Some(format!("http://{addr}").parse().unwrap()));
    }
}

fn client() -> reqwest::Client {
    venus_core::rpc::client::choose_tls();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, String) {
    let response = within(request.send()).await.unwrap();
    (response.status().as_u16(), within(response.text()).await.unwrap())
}

#[tokio::test]
async fn the_header_decides() {
    let world = world(|_| {}).await;
    let (at, count) = component().await;
    world.to(HostKey::Venus, at);
    for own in ["", "gateway.IGateway"] {
        assert_eq!(answer(world.ask(own, "/x")).await, (200, "the gateway itself".into()));
    }
    let unknown = "header(foo.Bar): invalid venus proxy header for X-VENUS-API-NAMESPACE\n";
    assert_eq!(answer(world.ask("foo.Bar", "/x")).await, (400, unknown.into()));
    let unset = "host key(MINER) : no reverse proxy registered\n";
    assert_eq!(answer(world.ask("miner.MinerAPI", "/x")).await, (400, unset.into()));
    assert_eq!(count.load(Ordering::SeqCst), 0);
    let request = world.ask("v1.FullNode", "/rpc/v1?a=b").header("connection", "x-hop").header("x-hop", "1");
    let response = within(request.body("12345").send()).await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["x-mine"].to_str().unwrap()), (418, "1"));
    assert!(!response.headers().contains_key("keep-alive"));
    let text = response.text().await.unwrap();
    assert!(text.starts_with("POST /rpc/v1?a=b\n") && text.ends_with("\n5 bytes"), "{text}");
    for line in
        ["x-forwarded-for: 127.0.0.1\n", "authorization: Bearer ", "x-venus-api-namespace: v1.FullNode\n"]
    {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(text.contains(&format!("x-forwarded-host: {}\n", world.at)) && !text.contains("x-hop"), "{text}");
    assert!(text.contains(&format!("\nhost: {at}\n")), "{text}");
}

/// T13: nothing behind the gateway hears of somebody who is not known here.
#[tokio::test]
async fn t13_strangers_reach_no_component() {
    let world = world(|_| {}).await;
    let (at, count) = component().await;
    HostKey::TARGETS.into_iter().for_each(|key| world.to(key, at));
    let ended = Some(time::OffsetDateTime::UNIX_EPOCH);
    let ended = world.accounts.issue(Some("alice"), Permissions::ALL, ended).unwrap();
    let interfaces =
        ["v1.FullNode", "v0.IMarket", "messager.IMessager", "miner.MinerAPI", "auth.IAuthClient", "foo.Bar"];
    for namespace in interfaces {
        for path in ["/", "/healthcheck", "/verify", "/debug/pprof/"] {
            let stranger = || world.stranger(namespace, path);
            let basic = stranger().header("authorization", "Basic x");
            for request in
                [stranger(), stranger().bearer_auth("guess"), stranger().bearer_auth(&ended), basic]
            {
                assert_eq!(answer(request).await, (401, String::new()), "{namespace} {path}");
            }
        }
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
    // The token itself goes on, in the header even if it came in the path.
    let (status, text) =
        answer(world.stranger("v1.FullNode", &format!("/x?token={}&y=1", world.token))).await;
    assert!(status == 418 && text.starts_with("POST /x?y=1\n"), "{text}");
    assert!(text.contains(&format!("authorization: Bearer {}\n", world.token)), "{text}");
}

#[tokio::test]
async fn t13_targets_at_run_time_are_those_that_the_operator_named() {
    let world = world(|options| options.hosts = vec!["127.0.0.1".into()]).await;
    let (at, _) = component().await;
    world.proxy.register("MINER", &format!("http://{at}")).await.unwrap();
    assert_eq!(answer(world.ask("miner.MinerAPI", "/")).await.0, 418);
    for url in ["http://169.254.169.254/latest", "http://localhost:1", "http://10.1.2.3", "http://[::1]:1"] {
        let refused = world.proxy.register("MINER", url).await.unwrap_err();
        assert!(matches!(refused, HubError::Denied(_)), "{refused}");
        assert!(refused.to_string().contains("AllowedHosts"), "{refused}");
    }
    assert_eq!(answer(world.ask("miner.MinerAPI", "/")).await.0, 418);
    world.proxy.register("MINER", "").await.unwrap();
    assert_eq!(answer(world.ask("miner.MinerAPI", "/")).await.0, 400);
}

/// Tokens have names, as those of the account service.
struct Named<A>(A);

#[async_trait::async_trait]
impl<A: Authenticate> Authenticate for Named<A> {
    async fn authenticate(
        &self,
        token: Option<&str>,
        request: &http::request::Parts,
    ) -> Result<Identity, AuthError> {
        let who = self.0.authenticate(token, request).await?;
        Ok(Identity { token: token.unwrap_or_default().to_owned(), ..who })
    }
}

/// Whose token is the name of its scope.
struct Scoped;

#[async_trait::async_trait]
impl Authenticate for Scoped {
    async fn authenticate(
        &self,
        token: Option<&str>,
        _: &http::request::Parts,
    ) -> Result<Identity, AuthError> {
        let mut who = Identity::new("alice", Permissions::ALL);
        match token {
            Some("own") | None => {}
            Some(scope) => {
                who.token = "5555".into();
                who.scopes = vec![scope.to_owned()];
            }
        }
        Ok(who)
    }
}

#[tokio::test]
async fn narrowed_and_own_tokens_stay_here() {
    let (at, count) = component().await;
    let proxy = Proxy::new(Arc::new(Scoped), ProxyOptions::default()).unwrap();
    proxy.set(HostKey::Venus, Some(format!("http://{at}").parse().unwrap()));
    let at = serve(proxy.wrap(Router::new())).await;
    let ask = |token: &str| {
        client()
            .get(format!("http://{at}/"))
            .header("X-VENUS-API-NAMESPACE", "v1.FullNode")
            .bearer_auth(token)
    };
    for token in ["wallet.sign", "own", "proxy:MINER"] {
        assert_eq!(answer(ask(token)).await.0, 403, "{token}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
    for token in ["proxy:VENUS", "support:bob"] {
        assert_eq!(answer(ask(token)).await.0, 418, "{token}");
    }
}

#[tokio::test]
async fn bodies_have_a_bound() {
    let world = world(|options| options.body = 100_000).await;
    let (at, count) = component().await;
    world.to(HostKey::Venus, at);
    let (status, text) = answer(world.ask("v1.FullNode", "/").body(vec![1; 100_000])).await;
    assert!(status == 418 && text.ends_with("\n100000 bytes"), "{text}");
    // Whoever still writes may find the connection closed instead of an answer.
    let refused = async |body: reqwest::Body| {
        let answered = within(world.ask("v1.FullNode", "/").body(body).send()).await;
        assert!(answered.map_or(true, |response| response.status().as_u16() == 413));
    };
    refused(vec![1; 100_001].into()).await;
    assert_eq!(count.load(Ordering::SeqCst), 1);
    // The same when nobody says beforehand how much it will be.
    let pieces = (0..30).map(|_| Ok::<_, std::io::Error>(vec![0; 10_000]));
    refused(reqwest::Body::wrap_stream(futures::stream::iter(pieces))).await;
}

#[tokio::test]
async fn a_component_that_is_away_or_silent() {
    let world = world(|options| options.answer = Duration::from_millis(200)).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    world.to(HostKey::Venus, silent.local_addr().unwrap());
    assert_eq!(answer(world.ask("v1.FullNode", "/")).await, (504, "VENUS did not answer in time\n".into()));
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    world.to(HostKey::Miner, free);
    assert_eq!(answer(world.ask("miner.MinerAPI", "/")).await, (502, "MINER cannot be reached\n".into()));
    assert_eq!(world.proxy.open(), 0);
}

/// What was admitted is what arrives: whoever could smuggle a second token past the gateway, or a second request behind
/// the first, would be somebody else there.
#[tokio::test]
async fn no_second_token_or_request_is_smuggled() {
    let world = world(|_| {}).await;
    let (at, count) = component().await;
    world.to(HostKey::Venus, at);
    let request = world.ask("v1.FullNode", "/rpc/v1?a=1&token=stolen&%74oken=stolen");
    let (_, text) = answer(request.header("authorization", "Bearer stolen")).await;
    assert!(text.starts_with("POST /rpc/v1?a=1\n") && !text.contains("stolen"), "{text}");
    assert_eq!(text.matches("authorization: ").count(), 1, "{text}");
    // Which length counts is not for two servers to guess; nor is what a byte more would mean.
    let head = format!(
        "POST /rpc/v1 HTTP/1.1\r\nhost: x\r\nx-venus-api-namespace: v1.FullNode\r\nauthorization: Bearer {}\r\n",
        world.token
    );
    for (lengths, passed) in [
        ("content-length: 4\r\ntransfer-encoding: chunked", 1),
        ("transfer-encoding: chunked\r\ncontent-length: 4", 1),
        ("transfer-encoding: chunked, identity", 0),
        ("content-length: 4\r\ncontent-length: 5", 0),
        ("content-length: +4", 0),
    ] {
        let before = count.load(Ordering::SeqCst);
        let mut socket = TcpStream::connect(world.at).await.unwrap();
        let more = "GET /admin HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        socket.write_all(format!("{head}{lengths}\r\n\r\n0\r\n\r\n{more}").as_bytes()).await.unwrap();
        let mut text = Vec::new();
        let _ = within(socket.read_to_end(&mut text)).await;
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains("GET /admin") && !text.contains("content-length: 4\n"), "{lengths}: {text}");
        assert_eq!(count.load(Ordering::SeqCst) - before, passed, "{lengths}: {text}");
    }
}

#[tokio::test]
async fn one_account_does_not_take_the_places_of_others() {
    let world = world(|options| (options.exchanges, options.exchanges_of_account) = (3, 2)).await;
    world.accounts.add("bob");
    let bob = world.accounts.issue(Some("bob"), Permissions::up_to("read"), None).unwrap();
    let (at, _ended) = sockets().await;
    world.to(HostKey::Venus, at);
    let _held =
        [dial(&world, Some(&world.token)).await.unwrap(), dial(&world, Some(&world.token)).await.unwrap()];
    assert_eq!(dial(&world, Some(&world.token)).await.unwrap_err(), 429);
    let bobs = dial(&world, Some(&bob)).await.unwrap();
    assert_eq!(dial(&world, Some(&bob)).await.unwrap_err(), 503, "of all together there are three");
    drop(bobs);
    within(async { while dial(&world, Some(&bob)).await.is_err() {} }).await;
}

/// A gate that forgets a token while it answers about it.
struct Overtaken {
    inner: Named<ByToken<Arc<MemoryAccounts>>>,
    proxy: std::sync::OnceLock<Proxy>,
    calls: AtomicUsize,
}

#[async_trait::async_trait]
impl Authenticate for Overtaken {
    async fn authenticate(
        &self,
        token: Option<&str>,
        parts: &http::request::Parts,
    ) -> Result<Identity, AuthError> {
        if self.calls.fetch_add(1, Ordering::SeqCst) > 0 {
            return Err(AuthError::Unauthenticated);
        }
        let answer = self.inner.authenticate(token, parts).await;
        self.proxy.get().unwrap().end(|who, _| who.name == "alice");
        answer
    }
}

#[tokio::test]
async fn whoever_loses_its_rights_while_it_is_let_in_is_not() {
    let accounts = Arc::new(MemoryAccounts::new(Arc::new(SystemClock)));
    accounts.add("alice");
    let token = accounts.issue(Some("alice"), Permissions::up_to("read"), None).unwrap();
    let inner = Named(ByToken::new(accounts.clone()));
    let gate = Arc::new(Overtaken { inner, proxy: std::sync::OnceLock::new(), calls: AtomicUsize::new(0) });
    let proxy = Proxy::new(gate.clone(), ProxyOptions::default()).unwrap();
    assert!(gate.proxy.set(proxy.clone()).is_ok());
    let at = serve(proxy.wrap(Router::new())).await;
    let (component, count) = component().await;
    let world = World { proxy, at, token, accounts };
    world.to(HostKey::Venus, component);
    assert_eq!(answer(world.ask("v1.FullNode", "/")).await, (401, String::new()));
    assert_eq!((count.load(Ordering::SeqCst), world.proxy.open()), (0, 0));
}

#[tokio::test]
async fn a_circle_ends() {
    let world = world(|_| {}).await;
    world.to(HostKey::Venus, world.at);
    assert_eq!(answer(world.ask("v1.FullNode", "/")).await.0, 508);
}

/// A component that echoes frames, and tells what its handshake was when its socket has ended.
async fn sockets() -> (SocketAddr, tokio::sync::mpsc::UnboundedReceiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(echo(socket, tell.clone()));
        }
    });
    (addr, told)
}

// The crate's own callback returns a response as its error.
#[allow(clippy::result_large_err)]
async fn echo(socket: TcpStream, tell: tokio::sync::mpsc::UnboundedSender<Vec<String>>) {
    use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
    let mut lines = Vec::new();
    let seen = |request: &Request, mut response: Response| {
        lines.push(request.uri().to_string());
        lines.extend(request.headers().keys().map(|name| name.to_string()));
        response.headers_mut().insert("sec-websocket-extensions", "permessage-deflate".parse().unwrap());
        Ok::<_, ErrorResponse>(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(socket, seen).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() {
            let _ = socket.send(message).await;
        }
    }
    tell.send(lines).unwrap();
}

type Socket = tokio_tungstenite::WebSocketStream<TcpStream>;

async fn dial(world: &World, token: Option<&str>) -> Result<(Socket, http::HeaderMap), u16> {
    let mut request = format!("ws://{}/rpc/v1", world.at).into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("x-venus-api-namespace", "v1.FullNode".parse().unwrap());
    headers.insert("sec-websocket-extensions", "permessage-deflate".parse().unwrap());
    if let Some(token) = token {
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let socket = TcpStream::connect(world.at).await.unwrap();
    match within(tokio_tungstenite::client_async(request, socket)).await {
        Ok((socket, response)) => Ok((socket, response.headers().clone())),
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn websockets_pass() {
    let world = world(|_| {}).await;
    let (at, mut ended) = sockets().await;
    world.proxy.set(HostKey::Venus, Some(format!("ws://{at}").parse().unwrap()));
    for stranger in [None, Some("guess")] {
        assert_eq!(dial(&world, stranger).await.unwrap_err(), 401);
    }
    let (mut socket, headers) = dial(&world, Some(&world.token)).await.unwrap();
    assert!(!headers.contains_key("sec-websocket-extensions"));
    for size in [1, 5_000, 3_000_000] {
        let text = Message::text("x".repeat(size));
        within(socket.send(text.clone())).await.unwrap();
        assert_eq!(within(socket.next()).await.unwrap().unwrap(), text);
    }
    assert_eq!(world.proxy.open(), 1);
    within(socket.close(None)).await.unwrap();
    let lines = within(ended.recv()).await.unwrap();
    assert_eq!(lines[0], "/rpc/v1");
    assert!(lines.contains(&"x-forwarded-for".into()) && lines.contains(&"authorization".into()));
    assert!(!lines.contains(&"sec-websocket-extensions".into()));
}

#[tokio::test]
async fn a_half_of_a_websocket_is_none() {
    let world = world(|_| {}).await;
    let (at, mut ended) = sockets().await;
    world.to(HostKey::Venus, at);
    let (socket, _) = dial(&world, Some(&world.token)).await.unwrap();
    // No close frame, and nobody says anything any more.
    drop(socket);
    within(ended.recv()).await.unwrap();
    within(async {
        while world.proxy.open() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn t13_revoked_callers_lose_their_sockets_and_answers() {
    let world = world(|_| {}).await;
    let (at, mut ended) = sockets().await;
    world.to(HostKey::Venus, at);
    let (mut socket, _) = dial(&world, Some(&world.token)).await.unwrap();
    assert_eq!(world.proxy.end(|who, _| who.name == "bob"), 0);
    assert_eq!(world.proxy.end(|who, from| who.name == "alice" && from.is_some()), 1);
    within(ended.recv()).await.unwrap();
    assert!(!matches!(within(socket.next()).await, Some(Ok(_))));
    // An answer that has begun, of a component that never ends it.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    world.to(HostKey::Venus, listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 1024]).await;
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1").await.unwrap();
        let _ = socket.read(&mut [0; 1024]).await;
    });
    let mut response = within(world.ask("v1.FullNode", "/").send()).await.unwrap();
    assert_eq!(within(response.chunk()).await.unwrap().unwrap().as_ref(), b"1");
    assert_eq!(world.proxy.end(|who, _| who.name == "alice"), 1);
    assert!(within(response.chunk()).await.is_err());
    within(world.proxy.shutdown()).await;
    assert_eq!(answer(world.ask("v1.FullNode", "/")).await.0, 503);
}

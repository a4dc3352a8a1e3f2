//! Nobody's call runs before it is known who calls, and nothing runs on once that is over.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use http::request::Parts;
use time::OffsetDateTime;
use tokio::{sync::Semaphore, time::timeout};
use venus_core::{
    clock::ManualClock,
    error::{Classify, ErrorKind},
    rpc::{
        CallError, Caller, Dialect, Identity, Limiter, Limits, MethodSpec, Permission, Permissions, RpcError,
        Service,
        api_info::Token,
        client::{ClientConfig, Resubscribe, RpcClient, WhileDown},
        codes,
        server::{AuthError, Authenticate, RpcServer, ServerOptions},
    },
    testing::suites::{RequestGuardFixture, request_guard},
};

use crate::support::{
    admin,
    api::{self, TABLE, TServer, Tiny},
    bare::{Bare, Got},
};

/// Tokens are the names of levels, and good until they are revoked.
#[derive(Clone, Default)]
struct Levels(Arc<Gate>);

#[derive(Default)]
struct Gate {
    revoked: Mutex<Vec<String>>,
    asked: AtomicUsize,
    /// Whom to end while the first caller is being let in.
    server: OnceLock<RpcServer>,
}

#[async_trait]
impl Authenticate for Levels {
    async fn authenticate(&self, token: Option<&str>, _: &Parts) -> Result<Identity, AuthError> {
        let level = token.ok_or(AuthError::Unauthenticated)?;
        let good = Permissions::up_to(level) != Permissions::NONE
            && !self.0.revoked.lock().unwrap().iter().any(|revoked| revoked == level);
        let answer = good.then(|| Identity::new(level, Permissions::up_to(level)));
        if self.0.asked.fetch_add(1, Ordering::SeqCst) == 0
            && let Some(server) = self.0.server.get()
        {
            // The token is revoked after it was looked at and before the caller is in any list.
            self.0.revoked.lock().unwrap().push(level.to_owned());
            assert_eq!(server.disconnect(|caller| caller.identity.name == level), 0);
        }
        answer.ok_or(AuthError::Unauthenticated)
    }
}

async fn serve(service: Service, levels: Levels) -> (RpcServer, std::net::SocketAddr) {
    let server = RpcServer::new(service, levels);
    let listening = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v0"]).await.unwrap();
    (server, listening.local_addr())
}

async fn connect(scheme: &str, addr: std::net::SocketAddr, token: &str) -> Result<RpcClient, CallError> {
    let config = ClientConfig { while_down: WhileDown::Fail, ..ClientConfig::default() };
    let config = config.with_token(&Token::new(token).unwrap());
    RpcClient::connect(&format!("{scheme}://{addr}/rpc/v0"), config).await
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), future).await.expect("in time")
}

#[tokio::test]
async fn i1_no_method_of_the_test_api_runs_for_a_stranger_or_below_its_level() {
    for dialect in [Dialect::Fork, Dialect::Upstream] {
        let service = api::service(dialect);
        let methods: Vec<MethodSpec> = service.methods().copied().collect();
        assert_eq!(methods.len(), TABLE.len());
        let (server, addr) = serve(service, Levels::default()).await;
        let levels = ["read", "write", "sign"].map(|level| (level, level.to_owned())).to_vec();
        let refused = vec!["root".into(), "READ".into()];
        let path = "/rpc/v0".into();
        let strangers = None;
        request_guard(&RequestGuardFixture { addr, path, dialect, methods, strangers, levels, refused })
            .await;
        server.shutdown().await;
    }
}

#[tokio::test]
async fn a_revocation_between_the_question_and_the_list_is_not_missed() {
    for scheme in ["http", "ws"] {
        let levels = Levels::default();
        let (server, addr) = serve(api::service(Dialect::Fork), levels.clone()).await;
        assert!(levels.0.server.set(server.clone()).is_ok());
        let called = in_time(async {
            match connect(scheme, addr, "read").await {
                Ok(client) => client.call_raw("T.Add", Some("[1,2]")).await.map(drop),
                Err(error) => Err(error),
            }
        });
        assert!(called.await.is_err(), "{scheme}: the first question was answered before the revocation");
        assert_eq!(levels.0.asked.load(Ordering::SeqCst), 2, "{scheme}: asked once more");
        server.shutdown().await;
    }
}

#[tokio::test]
async fn a_request_under_way_ends_with_its_caller() {
    let (server, addr) = serve(api::service(Dialect::Fork), Levels::default()).await;
    let client = connect("http", addr, "sign").await.unwrap();
    let sleeping = tokio::spawn(async move { client.call_raw("T.Sleep", Some("[3600000]")).await });
    in_time(async {
        while server.held().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!server.held()[0].is_session);
    assert_eq!(server.disconnect(|caller| caller.identity.name == "sign"), 1);
    let ended = in_time(sleeping).await.unwrap().unwrap_err();
    assert!(matches!(ended, CallError::Status { status: 401, .. }), "{ended:?}");
    assert!(server.held().is_empty());
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_socket_ends_with_its_token() {
    let clock = ManualClock::new(Duration::from_secs(1000));
    let options = ServerOptions { clock: Arc::new(clock.clone()), ..ServerOptions::default() };
    let server = RpcServer::with_options(api::service(Dialect::Fork), Levels::default(), options);
    let expires_at = Some(OffsetDateTime::UNIX_EPOCH + Duration::from_secs(1060));
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let session = tokio::spawn({
        let (server, identity) = (server.clone(), Identity { expires_at, ..admin() });
        async move { server.serve_socket(theirs, identity).await }
    });
    let role = tokio_tungstenite::tungstenite::protocol::Role::Client;
    let mut bare = Bare(tokio_tungstenite::WebSocketStream::from_raw_socket(ours, role, None).await);
    clock.advance(Duration::from_secs(59));
    bare.send(r#"{"id":1,"method":"T.Void"}"#).await;
    assert_eq!(bare.text().await, "{\"jsonrpc\":\"2.0\",\"id\":1}\n");
    clock.advance(Duration::from_secs(1));
    assert_eq!(bare.all_within(Duration::from_secs(1)).await, [Got::Close(Some(1008)), Got::Eof]);
    in_time(session).await.unwrap();
    assert_eq!(server.sessions(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_narrowed_token_calls_only_what_it_names() {
    static NARROW: &[MethodSpec] = &[
        MethodSpec::new("T.ValNoErr", Permission::Read, &[]).scope("t.look"),
        MethodSpec::new("T.VoidNoErr", Permission::Read, &[]).void(),
        MethodSpec::new("T.Void", Permission::None, &[]).void(),
    ];
    let service = Service::new(Tiny.into_rpc(), &[NARROW], Dialect::Fork).unwrap();
    let server = RpcServer::new(service, Levels::default());
    for (scopes, look, other) in [
        (vec![], "false", "\"id\":1}"),
        (vec!["support:bob"], "false", "\"id\":1}"),
        (vec!["t.look", "support:bob"], "false", "(need 'a token without scopes')"),
        (vec!["t.sign"], "(need 't.look')", "(need 'a token without scopes')"),
    ] {
        let scopes: Vec<String> = scopes.into_iter().map(str::to_owned).collect();
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (serving, identity) = (server.clone(), Identity { scopes: scopes.clone(), ..admin() });
        tokio::spawn(async move { serving.serve_socket(theirs, identity).await });
        let role = tokio_tungstenite::tungstenite::protocol::Role::Client;
        let mut bare = Bare(tokio_tungstenite::WebSocketStream::from_raw_socket(ours, role, None).await);
        for (method, expected) in
            [("T.ValNoErr", look), ("T.VoidNoErr", other), ("T.Void", "{\"jsonrpc\":\"2.0\",\"id\":1}")]
        {
            bare.send(&format!(r#"{{"id":1,"method":"{method}"}}"#)).await;
            let answer = bare.text().await;
            assert!(answer.contains(expected), "{method} with {scopes:?}: {answer}");
        }
    }
}

/// Lets so many calls through, and lists whom it was asked about.
struct Counts {
    left: Semaphore,
    asked: Mutex<Vec<(String, &'static str)>>,
}

#[async_trait]
impl Limiter for Counts {
    async fn admit(&self, caller: &Caller, method: &MethodSpec) -> Result<(), RpcError> {
        self.asked.lock().unwrap().push((caller.identity.name.clone(), method.short_name()));
        match self.left.try_acquire() {
            Ok(permit) => {
                permit.forget();
                Ok(())
            }
            Err(_) => Err(RpcError::new(codes::METHOD, "is limited").with_kind(ErrorKind::RateLimited)),
        }
    }
}

#[tokio::test]
async fn t16_a_limiter_is_inside_and_never_replaces_the_check_of_rights() {
    let counts = Arc::new(Counts { left: Semaphore::new(2), asked: Mutex::default() });
    let service = api::service(Dialect::Fork).limited(counts.clone());
    let (server, addr) = serve(service, Levels::default()).await;
    for scheme in ["http", "ws"] {
        assert!(scheme == "http" || connect(scheme, addr, "nobody").await.is_err());
        let reader = connect(scheme, addr, "read").await.unwrap();
        let denied = reader.call_raw("T.Reverse", Some("[\"x\"]")).await.unwrap_err();
        assert_eq!(denied.kind(), ErrorKind::Denied, "a limiter that would let it through is not asked");
        let unknown = reader.call_raw("T.Nothing", None).await.unwrap_err();
        assert_eq!(unknown.kind(), ErrorKind::Unsupported);
    }
    assert_eq!(*counts.asked.lock().unwrap(), []);
    for scheme in ["http", "ws"] {
        connect(scheme, addr, "read").await.unwrap().call::<i64>("T.Add", Some("[1,2]")).await.unwrap();
    }
    for scheme in ["http", "ws"] {
        let limited =
            connect(scheme, addr, "read").await.unwrap().call_raw("short", Some("[1,2]")).await.unwrap_err();
        assert_eq!(limited.kind(), ErrorKind::RateLimited);
        assert_eq!(limited.to_string(), "is limited (code 1)");
    }
    let ws = connect("ws", addr, "read").await.unwrap();
    let limited = ws.channel::<i64>("T.Count", Some("[1,1]"), Resubscribe::Never).await.unwrap_err();
    assert_eq!(limited.kind(), ErrorKind::RateLimited, "a channel is a call");
    let asked = counts.asked.lock().unwrap().clone();
    let read = |method| ("read".to_owned(), method);
    assert_eq!(asked, [vec![read("Add"); 4], vec![read("Count")]].concat(), "an alias counts as its method");
    server.shutdown().await;
}

#[tokio::test]
async fn tokens_in_queries_can_be_refused() {
    let options = ServerOptions { query_tokens: false, ..ServerOptions::default() };
    let server = RpcServer::with_options(api::service(Dialect::Fork), Levels::default(), options);
    let addr = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v0"]).await.unwrap().local_addr();
    let config = ClientConfig { while_down: WhileDown::Fail, ..ClientConfig::default() };
    let url = format!("ws://{addr}/rpc/v0?token=read");
    let refused = RpcClient::connect(&url, config).await.unwrap_err();
    assert!(matches!(refused, CallError::Status { status: 401, .. }));
    connect("ws", addr, "read").await.unwrap().call::<()>("T.Void", None).await.unwrap();
    server.shutdown().await;
}

#[tokio::test]
async fn i8_sockets_at_once_are_bounded() {
    let limits = Limits { sessions: 2, ..Limits::default() };
    let options = ServerOptions { limits, ..ServerOptions::default() };
    let server = RpcServer::with_options(api::service(Dialect::Fork), Levels::default(), options);
    let addr = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v0"]).await.unwrap().local_addr();
    let dialled = futures::future::join_all((0..8).map(|_| connect("ws", addr, "read"))).await;
    let (open, refused): (Vec<_>, Vec<_>) = dialled.into_iter().partition(Result::is_ok);
    assert_eq!(open.len(), 2);
    for refused in refused {
        assert!(matches!(refused, Err(CallError::Status { status: 503, .. })));
    }
    drop(open);
    in_time(async {
        while server.sessions() > 0 {
            tokio::task::yield_now().await;
        }
        while connect("ws", addr, "read").await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    server.shutdown().await;
}

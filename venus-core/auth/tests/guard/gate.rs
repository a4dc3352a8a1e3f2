//! The door of a server.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use http::request::Parts;
use secrecy::ExposeSecret;
use venus_auth::Effect;
use venus_auth::limits::{Guesses, Rate};
use venus_auth::rest::{RestConfig, router};
use venus_auth::verifier::{Blacklist, CacheConfig, Cached, Chain, Gate};
use venus_auth::watch::{Liveness, OnEffect};
use venus_core::api::Permissions;
use venus_core::rpc::Dialect;
use venus_core::rpc::MethodSpec;
use venus_core::rpc::server::{AuthError, Authenticate, RpcServer};
use venus_core::testing::suites::{RequestGuardFixture, request_guard};

use crate::support::{Counted, api, bearer, service, token};

fn from(ip: &str) -> Parts {
    let mut request = http::Request::new(());
    let addr = SocketAddr::new(ip.parse().unwrap(), 4000);
    request.extensions_mut().insert(ConnectInfo(addr));
    request.into_parts().0
}

fn gate(inner: &Arc<Counted>, blacklist: &Blacklist) -> Gate {
    let cached = Cached::new(inner.clone(), Liveness::default(), CacheConfig::default());
    let guesses = Guesses::new(Some(Rate { per_second: 1, burst: 20 }));
    Gate::new(Chain::new("gateway").remote(cached), blacklist.clone(), guesses)
}

#[tokio::test(start_paused = true)]
async fn t12_a_flood_of_guesses_costs_the_service_little_and_locks_nobody_out() {
    let inner = Counted::new();
    let good = inner.accounts.issue(Some("alice"), Permissions::READ, None).unwrap();
    let gate = gate(&inner, &Blacklist::default());
    let (flood, other) = (from("203.0.113.9"), from("203.0.113.10"));
    gate.authenticate(Some(&good), &flood).await.unwrap();
    inner.asked();
    let mut turned_away = 0;
    for n in 0..10_000 {
        let outcome = gate.authenticate(Some(&format!("guess.{n}.x")), &flood).await;
        turned_away += usize::from(outcome == Err(AuthError::TooMany));
    }
    assert_eq!((inner.asked(), turned_away), (21, 9979));
    gate.authenticate(Some(&good), &flood).await.expect("who is known comes in, as through a shared proxy");
    gate.authenticate(Some(&good), &other).await.unwrap();
    let guess = gate.authenticate(Some("guess"), &other).await;
    assert_eq!(guess, Err(AuthError::Unauthenticated), "others may still be wrong");
}

#[tokio::test(start_paused = true)]
async fn machines_that_are_kept_out_get_nowhere() {
    let inner = Counted::new();
    let good = inner.accounts.issue(Some("alice"), Permissions::READ, None).unwrap();
    let blacklist = Blacklist::default();
    let gate = gate(&inner, &blacklist).strangers(Permissions::READ);
    let ip = "2001:db8::1";
    assert!(gate.authenticate(None, &from(ip)).await.is_ok());
    blacklist.ended(&Effect::Ip(ip.parse().unwrap()));
    for token in [None, Some(good.as_str())] {
        assert_eq!(gate.authenticate(token, &from(ip)).await, Err(AuthError::Unauthenticated));
        assert!(gate.authenticate(token, &from("2001:db8::2")).await.is_ok());
    }
}

#[tokio::test]
async fn i1_no_method_behind_the_gate_runs_for_a_stranger_or_below_its_level() {
    let auth = service().await;
    let mut levels = Vec::new();
    for level in ["read", "write", "sign"] {
        levels.push((level, token(&auth, "alice", level).await.expose_secret().to_owned()));
    }
    let revoked = token(&auth, "alice", "admin").await;
    let disabled = token(&auth, "bob", "admin").await;
    let system = venus_auth::Actor::system();
    auth.revoke_token(&system, revoked.expose_secret()).await.unwrap();
    let change =
        venus_auth::UserChange { state: Some(venus_auth::UserState::Disabled), ..Default::default() };
    auth.update_user(&system, "bob", change).await.unwrap();
    let elsewhere = venus_auth::NewToken {
        name: "alice".into(),
        perm: "admin".into(),
        audience: vec!["messager".into()],
        ..Default::default()
    };
    let elsewhere = auth.create_token(&system, elsewhere).await.unwrap();
    let cached = Cached::new(Arc::new(auth), Liveness::default(), CacheConfig::default());
    let chain = Chain::new("gateway").remote(cached);
    let api = api();
    let methods: Vec<MethodSpec> = api.methods().copied().collect();
    let server = RpcServer::new(api, Gate::new(chain, Blacklist::default(), Guesses::default()));
    let listening = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v1"]).await.unwrap();
    let refused = [revoked, disabled, elsewhere].map(|token| token.expose_secret().to_owned()).to_vec();
    let (addr, path, dialect) = (listening.local_addr(), "/rpc/v1".into(), Dialect::Fork);
    let strangers = None;
    request_guard(&RequestGuardFixture { addr, path, dialect, methods, strangers, levels, refused }).await;
    server.shutdown().await;
}

/// Health and version answer everybody, and nothing else does, whether it exists or not.
#[tokio::test]
async fn t17_nothing_but_health_and_version_answers_without_a_token() {
    use tower::ServiceExt;
    let auth = service().await;
    let admin = token(&auth, "alice", "admin").await;
    let config = RestConfig::default();
    let status = async |path: &str, token: Option<String>| {
        let mut request = http::Request::get(path).body(axum::body::Body::empty()).unwrap();
        if let Some(token) = token {
            request.headers_mut().insert("authorization", token.parse().unwrap());
        }
        router(auth.clone(), config.clone()).oneshot(request).await.unwrap().status().as_u16()
    };
    for path in ["/healthcheck", "/version", "/livez", "/readyz"] {
        assert_eq!(status(path, None).await, 200, "{path}");
    }
    let closed = [
        "/debug/pprof/",
        "/debug/pprof/heap",
        "/debug/metrics",
        "/metrics",
        "/debug/vars",
        "/admin",
        "/",
        "/healthcheck/x",
        "/revocations",
        "/bans/ips",
        "/audit",
        "/tokens",
    ];
    for path in closed {
        assert_eq!(status(path, None).await, 401, "{path}");
        assert_eq!(status(path, Some("Bearer x.y.z".into())).await, 401, "{path}");
    }
    for path in closed.iter().take(7) {
        assert_eq!(status(path, Some(bearer(&admin))).await, 404, "{path} is not there for anybody");
    }
}

/// Guesses at the account service itself cost no store.
#[tokio::test]
async fn t12_guesses_at_the_account_service_have_to_wait() {
    use tower::ServiceExt;
    let auth = service().await;
    let good = token(&auth, "alice", "read").await;
    let app = router(auth.clone(), RestConfig::default());
    let status = async |token: String| {
        let mut request = http::Request::get("/user?name=alice").body(axum::body::Body::empty()).unwrap();
        request.headers_mut().insert("authorization", token.parse().unwrap());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([203, 0, 113, 5], 9))));
        app.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    assert_eq!(status(bearer(&good)).await, 200);
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..100 {
        seen.insert(status(format!("Bearer e30.e30.{n}")).await);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [401, 429]);
    assert_eq!(status(bearer(&good)).await, 200, "who was known a moment ago comes in");
}

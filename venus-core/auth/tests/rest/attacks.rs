//! Requests that must not get anywhere.

use axum::body::Body;
use axum::http::Request;
use secrecy::{ExposeSecret, SecretString};
use venus_auth::rest::{RestConfig, router};
use venus_auth::{Actor, AuthService, NewToken, SignerSharing};

use crate::support::{Served, bearer, config, raw};

/// Every route, with a body or a query that would do something.
const ROUTES: [(&str, &str, &str); 41] = [
    ("POST", "/verify", r#"{"token":"a.b.c"}"#),
    ("POST", "/genToken", r#"{"name":"alice","perm":"admin"}"#),
    ("GET", "/token?name=bob", ""),
    ("DELETE", "/token", r#"{"token":"BOB"}"#),
    ("GET", "/tokens?skip=0&limit=9", ""),
    ("POST", "/recoverToken", r#"{"token":"BOB"}"#),
    ("PUT", "/user/new", r#"{"Name":"eve"}"#),
    ("POST", "/user/update", r#"{"Name":"bob","State":2}"#),
    ("GET", "/user/list?limit=9", ""),
    ("GET", "/user?name=bob", ""),
    ("POST", "/user/verify", r#"{"Names":["bob"]}"#),
    ("GET", "/user/has?name=bob", ""),
    ("POST", "/user/del", r#"{"Name":"bob"}"#),
    ("POST", "/user/recover", r#"{"Name":"bob"}"#),
    ("POST", "/user/ratelimit/upsert", r#"{"Name":"bob","ReqLimit":{"Cap":1,"ResetDur":1}}"#),
    ("POST", "/user/ratelimit/del", r#"{"Name":"bob","Id":"x"}"#),
    ("GET", "/user/ratelimit?name=bob", ""),
    ("GET", "/user/miner?miner=f01000", ""),
    ("GET", "/miner?miner=f01000", ""),
    ("POST", "/user/miner/add", r#"{"User":"alice","Miner":"f01000","OpenMining":true}"#),
    ("POST", "/miner/add-miner", r#"{"User":"alice","Miner":"f01000","OpenMining":true}"#),
    ("GET", "/user/miner/exist?miner=f01000&user=bob", ""),
    ("GET", "/user/miner/list?user=bob", ""),
    ("GET", "/miner/list-by-user?user=bob", ""),
    ("POST", "/user/miner/del", r#"{"miner":"f01000"}"#),
    ("POST", "/miner/del", r#"{"miner":"f01000"}"#),
    ("GET", "/miner/has?miner=f01000", ""),
    ("GET", "/miner/has-miner?miner=f01000", ""),
    ("GET", "/user/signer?signer=SIGNER", ""),
    ("POST", "/user/signer/register", r#"{"User":"alice","Signers":["SIGNER"]}"#),
    ("GET", "/user/signer/exist?signer=SIGNER&user=bob", ""),
    ("GET", "/user/signer/list?user=bob", ""),
    ("POST", "/user/signer/unregister", r#"{"User":"bob","Signers":["SIGNER"]}"#),
    ("GET", "/signer/has?signer=SIGNER", ""),
    ("POST", "/signer/del", r#"{"signer":"SIGNER"}"#),
    ("POST", "/signer/grant", r#"{"signer":"SIGNER","User":"alice"}"#),
    ("GET", "/revocations", ""),
    ("GET", "/audit", ""),
    ("POST", "/ban", r#"{"subject":"account:bob"}"#),
    ("POST", "/unban", r#"{"subject":"account:bob"}"#),
    ("GET", "/bans", ""),
];

const SIGNER: &str = "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za";

async fn prepared() -> (Served, SecretString) {
    let served = Served::start(SignerSharing::Grant, config()).await;
    for name in ["alice", "bob"] {
        served.user(name, venus_auth::UserState::Enabled).await;
    }
    let bob = served.token("bob", "sign").await;
    let client = served.client();
    client.bind_miner("bob", &venus_core::types::Address::new_id(1000), true).await.unwrap();
    let signer = venus_core::types::address::parse(SIGNER).unwrap();
    client.register_signers("bob", &[signer]).await.unwrap();
    (served, bob)
}

/// Everything that the store holds of bob, and whether eve came.
async fn state(service: &AuthService) -> String {
    let system = venus_auth::Actor::system();
    let bob = service.user(&system, "bob").await.unwrap();
    let miners = service.miners_of(&system, "bob").await.unwrap();
    let signers = service.signers_of(&system, "bob").await.unwrap();
    let tokens = service.tokens_of(&system, "bob").await.unwrap().len();
    let limits = service.limits(&system, "bob", None).await.unwrap();
    let bans = service.bans(&system).await.unwrap();
    let eve = service.has_user(&system, "eve").await.unwrap();
    format!("{bob:?}{miners:?}{signers:?}{tokens}{limits:?}{bans:?}{eve}")
}

#[tokio::test]
async fn strangers_reach_no_handler() {
    let (served, bob) = prepared().await;
    let before = state(&served.service).await;
    let changed = format!("{}x", bearer(&bob));
    for header in
        ["", "Bearer ", "Bearer garbage", "Basic YTpi", "Bearer a.b.c", bob.expose_secret(), &changed]
    {
        for (method, path, body) in ROUTES {
            let request = Request::builder()
                .method(method)
                .uri(path.replace("SIGNER", SIGNER))
                .header("Authorization", header)
                .header("Content-Type", "application/json")
                .body(Body::from(body.replace("SIGNER", SIGNER).replace("BOB", bob.expose_secret())))
                .unwrap();
            let (status, said) = raw(router(served.service.clone(), config()), request).await;
            assert_eq!(status, 401, "{method} {path} with {header:?}: {said}");
            assert!(!said.contains(bob.expose_secret()) && said.contains("error"), "{said}");
        }
    }
    assert_eq!(state(&served.service).await, before);
}

#[tokio::test]
async fn others_change_nothing() {
    let (served, bob) = prepared().await;
    let before = state(&served.service).await;
    for perm in ["read", "write", "sign", "", "root"] {
        let alice = served.token("alice", perm).await;
        for (method, path, body) in ROUTES {
            if path == "/verify" {
                continue;
            }
            let request = Request::builder()
                .method(method)
                .uri(path.replace("SIGNER", SIGNER))
                .header("Authorization", bearer(&alice))
                .header("Content-Type", "application/json")
                .body(Body::from(body.replace("SIGNER", SIGNER).replace("BOB", bob.expose_secret())))
                .unwrap();
            let (status, said) = raw(router(served.service.clone(), config()), request).await;
            assert_eq!(status, 400, "{method} {path} by {perm:?}: {said}");
            assert!(said.contains("Permission Deny"), "{method} {path} by {perm:?}: {said}");
            assert!(!said.contains(bob.expose_secret()), "{said}");
        }
    }
    assert_eq!(state(&served.service).await, before);
}

#[tokio::test]
async fn tokens_in_queries_only_where_allowed() {
    let (served, _) = prepared().await;
    for (query_tokens, wanted) in [(false, 401), (true, 200)] {
        let uri = format!("/user?name=bob&token={}", served.admin.expose_secret());
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let config = RestConfig { query_tokens, ..config() };
        assert_eq!(raw(router(served.service.clone(), config), request).await.0, wanted);
    }
}

#[tokio::test]
async fn floods_are_bounded() {
    let (served, _) = prepared().await;
    let request = |body: String| {
        let request = Request::put("/user/new").header("Authorization", bearer(&served.admin));
        request.header("Content-Type", "application/json").body(Body::from(body)).unwrap()
    };
    let config = || RestConfig { polls: 0, ..config() };
    let huge = format!("{{\"Name\":\"{}\"}}", "x".repeat(1 << 20));
    assert_eq!(raw(router(served.service.clone(), config()), request(huge)).await.0, 413);
    let deep = "[".repeat(60_000);
    assert_eq!(raw(router(served.service.clone(), config()), request(deep)).await.0, 400);
    let poll = Request::get("/revocations?after=0").header("Authorization", bearer(&served.admin));
    let poll = poll.body(Body::empty()).unwrap();
    assert_eq!(raw(router(served.service.clone(), config()), poll).await.0, 429);
}

#[tokio::test]
async fn open_routes_tell_nothing() {
    let (served, _) = prepared().await;
    for path in ["/version", "/healthcheck", "/livez", "/readyz"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let (status, body) = raw(router(served.service.clone(), config()), request).await;
        assert!(status == 200 && body.len() < 40, "{path}: {status} {body}");
    }
}

/// A program of Go asks `/verify` without asking for scopes, and would let a narrowed token do all that its level may.
#[tokio::test]
async fn t07_narrowed_tokens_do_not_count_where_nobody_knows_scopes() {
    let (served, _) = prepared().await;
    let verified = async |scopes: &[&str], audience: &[&str], more: bool| {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let (scopes, audience) = (owned(scopes), owned(audience));
        let new =
            NewToken { name: "bob".into(), perm: "admin".into(), scopes, audience, ..NewToken::default() };
        let token = served.service.create_token(&Actor::system(), new).await.unwrap();
        let mut request = Request::post("/verify").header("Authorization", bearer(&served.admin));
        if more {
            request = request.header("X-Venus-Errors", "1");
        }
        let body = format!("{{\"token\":\"{}\"}}", token.expose_secret());
        let request = request.header("Content-Type", "application/json").body(Body::from(body)).unwrap();
        raw(router(served.service.clone(), config()), request).await
    };
    let narrowed: [(&[&str], &[&str]); 3] =
        [(&["wallet.sign"], &[]), (&["support:alice", "wallet.sign"], &[]), (&[], &["gateway"])];
    for (scopes, audience) in narrowed {
        let (status, said) = verified(scopes, audience, false).await;
        assert!(status == 400 && said.contains("narrowed"), "{scopes:?} {audience:?}: {status} {said}");
        assert_eq!(verified(scopes, audience, true).await.0, 200, "{scopes:?} {audience:?}");
    }
    for scopes in [&[][..], &["support:alice"], &["proxy:VENUS", "legacy"]] {
        let (status, said) = verified(scopes, &[], false).await;
        assert_eq!((status, said.contains("\"perm\":\"admin\"")), (200, true), "{scopes:?}: {said}");
    }
}

//! Every method, asked by everybody who must not.

use serde_json::{Value, json};
use venus_core::api::Permissions;
use venus_core::rpc::{Identity, MethodSpec, Returns};
use venus_gateway::Ended;
use venus_gateway::rpc::{TABLE, V1_TABLE, V2_TABLE};

use crate::client::wallet;
use crate::replay::conn::{Answer, Conn, Got};
use crate::replay::play::Scene;
use crate::replay::read;
use crate::stage::{Gate, Stage, call, open, server_options, token};

/// All methods with the path that they are served at.
fn methods() -> impl Iterator<Item = (&'static str, &'static MethodSpec)> {
    let at = |path, table: &'static [MethodSpec]| table.iter().map(move |spec| (path, spec));
    at("/rpc/v1", TABLE)
        .chain(at("/rpc/v1", V1_TABLE))
        .chain(at("/rpc/v2", TABLE))
        .chain(at("/rpc/v2", V2_TABLE))
}

fn nulls(spec: &MethodSpec) -> String {
    json!(vec![Value::Null; spec.params.len()]).to_string()
}

fn said(body: &str) -> (i64, String) {
    let answer: Value = serde_json::from_str(body).unwrap();
    let error = &answer["error"];
    (error["code"].as_i64().unwrap_or_default(), error["message"].as_str().unwrap_or_default().to_owned())
}

/// Calls where the method can be called: channels over WebSocket only.
async fn ask(stage: &Stage, path: &str, token: &str, spec: &MethodSpec, params: &str) -> (i64, String) {
    if spec.returns != Returns::Channel {
        return said(&call(stage.addr, path, Some(token), spec.name, params).await.body);
    }
    let mut conn = open(stage.addr, path, token).await;
    said(&one(&mut conn, spec.name, params).await)
}

async fn one(conn: &mut Conn, method: &str, params: &str) -> String {
    conn.send(&format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}")).await;
    conn.text().await
}

#[tokio::test]
async fn i1_gateway_no_method_runs_without_a_principal() {
    let gate = Gate { disabled: vec!["carol".into()], ..Gate::default() };
    let stage = Stage::talking(&["alice"], gate, server_options()).await;
    let carol = token("carol", "admin");
    for (path, spec) in methods() {
        for nobody in [None, Some(""), Some("abc"), Some("a.b.c"), Some(carol.as_str())] {
            let Answer { start, body, .. } = call(stage.addr, path, nobody, spec.name, &nulls(spec)).await;
            assert_eq!(
                (start.as_str(), body.as_str()),
                ("HTTP/1.1 401 Unauthorized", ""),
                "{path} {} {nobody:?}",
                spec.name
            );
        }
    }
    for path in ["/rpc/v1", "/rpc/v2"] {
        for nobody in ["", "abc", &carol] {
            let line = crate::stage::request(&format!("GET {path}"), Some(nobody), "");
            let refused = Conn::open(stage.addr, &line).await.err();
            assert_eq!(refused.as_deref(), Some("HTTP/1.1 401 Unauthorized"));
        }
    }
    assert_eq!(stage.server().sessions(), 0);
}

#[tokio::test]
async fn every_lower_permission_is_refused_in_gos_words() {
    let stage = Stage::talking(&["alice"], Gate::default(), server_options()).await;
    let mut refused = 0;
    for (path, spec) in methods() {
        for lower in ["", "nonsense", "read", "write", "sign"] {
            if Permissions::up_to(lower).allow(spec.permission) {
                continue;
            }
            let (name, need) = (spec.name.trim_start_matches("Gateway."), spec.permission.as_str());
            let got = ask(&stage, path, &token("alice", lower), spec, &nulls(spec)).await;
            let want = format!("missing permission to invoke '{name}'  (need '{need}')");
            assert_eq!(got, (1, want), "{path} {lower}");
            refused += 1;
        }
    }
    assert_eq!(refused, 2 * (10 * 2 + 10 * 5), "10 methods for providers and 10 for callers at each path");
}

#[tokio::test]
async fn narrowed_tokens_are_good_for_what_they_name() {
    let narrow = |scope: &str| {
        let identity = Identity::new("alice", Permissions::ALL);
        Identity { scopes: vec![scope.to_owned()], token: scope.to_owned(), ..identity }
    };
    let scopes =
        ["gateway.provide", "wallet.sign", "proof.compute", "piece.unseal", "gateway.list", "gateway.admin"];
    let known = scopes.iter().map(|scope| ((*scope).to_owned(), narrow(scope))).collect();
    let stage = Stage::talking(&["alice"], Gate { known, ..Gate::default() }, server_options()).await;
    for (path, spec) in methods() {
        assert!(scopes.contains(&spec.scope), "{}", spec.name);
        for scope in scopes {
            let (_, text) = ask(&stage, path, scope, spec, &nulls(spec)).await;
            let refused = text.starts_with("missing permission to invoke");
            assert_eq!(refused, scope != spec.scope, "{path} {} with {scope}: {text}", spec.name);
        }
    }
}

#[tokio::test]
async fn garbage_is_answered_and_changes_nothing() {
    let stage = Stage::talking(&["alice"], Gate::default(), server_options()).await;
    let admin = stage.admin().to_owned();
    let odd = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!("\u{0}"),
        json!("f01000"),
        json!("x".repeat(5000)),
        json!([]),
        json!([[]]),
        json!(["f0", 5]),
        json!({}),
        json!({"Id": 5, "/": "x", "MinerAddress": 7}),
    ];
    for (path, spec) in methods() {
        let (code, _) =
            ask(&stage, path, &admin, spec, &json!(vec![1; spec.params.len() + 1]).to_string()).await;
        assert_eq!(code, -32602, "{path} {}", spec.name);
        for value in &odd {
            let params = json!(vec![value.clone(); spec.params.len()]).to_string();
            let (code, text) = ask(&stage, path, &admin, spec, &params).await;
            let answered = spec.params.is_empty() || code == 1 || code == -32700;
            // An empty address is nobody's key, no address is quickly removed, and an empty policy is one.
            let fits =
                ["WalletHas", "RemoveAddress", "ListenWalletEvent"].iter().any(|n| spec.name.ends_with(n));
            assert!(answered || (fits && code == 0), "{path} {} {value}: {code} {text}", spec.name);
        }
    }
    assert!(
        stage.hub().wallets().is_empty()
            && stage.hub().miners().is_empty()
            && stage.hub().markets().is_empty()
    );
}

#[tokio::test]
async fn another_account_reaches_nothing_of_ours() {
    let mut stage = Stage::talking(&["alice", "bob", "mallory"], Gate::default(), server_options()).await;
    stage.bind_miner("alice", "f01000");
    let lines = read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/client-gateway.jsonl"));
    let alice = wallet(&lines).start(stage.addr).await;
    let before = stage.hub().wallet("alice").unwrap();
    let channel = before.connect_states[0].channel_id.to_string();
    let key = &before.connect_states[0].addrs[0];
    let key = venus_core::types::address::format(key, venus_core::types::Network::Mainnet);
    let mallory = token("mallory", "read");
    for (method, params, text) in [
        (
            "AddNewAddress",
            json!([channel, [key]]),
            format!("no connect found for wallet mallory and channelID {channel}"),
        ),
        ("RemoveAddress", json!([channel, [key]]), format!("channel {channel} not found ")),
        ("SupportNewAccount", json!([channel, "mallory"]), "wallet mallory not exit".to_owned()),
    ] {
        let params = params.to_string();
        let answer = call(stage.addr, "/rpc/v2", Some(&mallory), &format!("Gateway.{method}"), &params).await;
        assert_eq!(said(&answer.body), (1, text), "{method}");
    }
    let mut conn = open(stage.addr, "/rpc/v2", &mallory).await;
    for (method, policy) in [
        ("ListenProofEvent", json!([{"MinerAddress": "f01000"}])),
        ("ListenMarketEvent", json!([{"Miner": "f01000"}])),
    ] {
        let text = one(&mut conn, &format!("Gateway.{method}"), &policy.to_string()).await;
        assert_eq!(
            said(&text).1,
            "verify miner:f01000 failed:miner:f01000 not exist in user:mallory, please bind it on 'sophon-auth'"
        );
    }
    assert_eq!(stage.hub().wallet("alice").unwrap(), before);
    stage.stop().await;
    alice.await.unwrap();
}

#[tokio::test]
async fn sockets_of_a_revoked_token_end() {
    let known = |token: &str| {
        let identity =
            Identity { token: format!("hash of {token}"), ..Identity::new("alice", Permissions::READ) };
        (token.to_owned(), identity)
    };
    let gate = Gate { known: [known("one"), known("two")].into(), ..Gate::default() };
    let stage = Stage::talking(&["alice"], gate, server_options()).await;
    stage.bind_miner("alice", "f01000");
    let mut conns = Vec::new();
    for (path, token) in [("/rpc/v1", "one"), ("/rpc/v2", "one"), ("/rpc/v2", "two")] {
        let mut conn = open(stage.addr, path, token).await;
        let text = one(&mut conn, "Gateway.ListenProofEvent", "[{\"MinerAddress\":\"f01000\"}]").await;
        assert_eq!(said(&text).0, 0, "{text}");
        conn.text().await;
        conns.push(conn);
    }
    let miner = crate::stage::address("f01000");
    assert_eq!(stage.hub().miner(&miner).unwrap().connection_count, 3);
    assert_eq!(stage.hub().end(&Ended::Token("hash of one".into())), 2);
    assert_eq!(stage.server().disconnect(|caller| caller.identity.token == "hash of one"), 2);
    for conn in conns.iter_mut().take(2) {
        assert_eq!(conn.find(|got| matches!(got, Got::Close(_))).await, Some(Got::Close(1008)));
    }
    assert_eq!(stage.hub().miner(&miner).unwrap().connection_count, 1);
    conns[2].ping().await;
    assert!(conns[2].find(|got| *got == Got::Pong).await.is_some(), "the other token's connection stays");
}

//! What a Lotus node asked its remote wallet, asked again.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use venus_core::rpc::api_info::Token;
use venus_core::rpc::client::{ClientConfig, RpcClient};

use crate::support::{Wallet, http, recorded};

/// Which of the faces.
#[derive(Clone, Copy, PartialEq)]
enum Face {
    /// As `lotus-wallet` serves it.
    Lotus,
    /// As Go's `venus-wallet` does.
    Venus,
}

/// How an answer is written in the dialect of a face.
fn written(face: Face, id: &Value, result: &Value) -> String {
    match face {
        Face::Lotus => format!("{{\"id\":{id},\"jsonrpc\":\"2.0\",\"result\":{result}}}\n"),
        Face::Venus => format!("{{\"jsonrpc\":\"2.0\",\"result\":{result},\"id\":{id}}}\n"),
    }
}

fn calls() -> Vec<(Value, Value, bool)> {
    let mut asked: BTreeMap<(u64, u64), (Value, bool)> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in recorded("lotus-remote-wallet.jsonl") {
        let socket = line["kind"] == "text";
        let Some(Ok(body)) = line["body"].as_str().map(serde_json::from_str::<Value>) else { continue };
        let key = (line["conn"].as_u64().unwrap(), body["id"].as_u64().unwrap());
        match asked.remove(&key) {
            Some((request, socket)) => calls.push((request, body, socket)),
            None => drop(asked.insert(key, (body, socket))),
        }
    }
    assert!(asked.is_empty(), "{asked:?}");
    calls
}

fn replay(face: Face, own_port: bool) {
    let mut wallet = Wallet::init();
    wallet.extra = vec!["--nettype".into(), "2k".into()];
    wallet.allow_all();
    if own_port {
        wallet.edit("[API]\n", "[API]\n  LotusListenAddress = \"/ip4/127.0.0.1/tcp/0/http\"\n");
    }
    wallet.start(&["--password-file", &wallet.password_file()]);
    let url = match face {
        Face::Lotus => format!("{}/rpc/v0", wallet.ready["lotus_url"].as_str().unwrap()),
        Face::Venus => wallet.ready["url"].as_str().unwrap().to_owned(),
    };
    let (addr, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let addr = addr.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let token = Token::new(wallet.token()).unwrap();
    let config = ClientConfig::default().with_token(&token);
    let client = runtime.block_on(RpcClient::connect(&url.replace("http://", "ws://"), config)).unwrap();
    let (mut counts, all) = (BTreeMap::<String, usize>::new(), calls());
    for (request, answer, socket) in &all {
        let method = request["method"].as_str().unwrap();
        let result = if *socket {
            let params = request["params"].to_string();
            let raw = runtime.block_on(client.call_raw(method, Some(&params)));
            serde_json::from_str(raw.unwrap_or_else(|e| panic!("{request}: {e}")).get()).unwrap()
        } else {
            let headers = [("Authorization".to_owned(), format!("Bearer {}", wallet.token()))];
            let ours = http(addr, &format!("POST /{path} HTTP/1.1"), &headers, &request.to_string());
            let body: Value = serde_json::from_str(&ours.body).unwrap_or_else(|e| panic!("{ours:?}: {e}"));
            assert_eq!(ours.header("content-type"), Some("application/json"));
            assert_eq!(ours.body, written(face, &request["id"], &body["result"]), "{request}");
            body["result"].clone()
        };
        // Secp256k1 signatures have a random nonce there.
        let random = method.ends_with("WalletSign") && answer["result"]["Type"] == json!(1);
        if random {
            assert_eq!(result["Type"], json!(1));
        } else {
            assert_eq!(result, answer["result"], "{request}");
        }
        *counts.entry(method.to_owned()).or_default() += 1;
    }
    println!("{counts:?}");
    assert_eq!(all.len(), 147);
    runtime.block_on(client.shutdown());
}

#[test]
fn a_lotus_node_at_the_lotus_face() {
    replay(Face::Lotus, false);
}

#[test]
fn a_lotus_node_at_the_lotus_port() {
    replay(Face::Lotus, true);
}

#[test]
fn a_lotus_node_at_the_venus_face() {
    replay(Face::Venus, false);
}

/// Everything there needs `admin`, as at `lotus-wallet`, and there is nothing else.
#[test]
fn the_lotus_face_is_for_admins() {
    let wallet = Wallet::run(&[]);
    let read = wallet.json(&["auth", "api-info", "--perm", "read"])["token"].as_str().unwrap().to_owned();
    let call = |token: &str, method: &str| {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": [] }).to_string();
        let headers = [("Authorization".to_owned(), format!("Bearer {token}"))];
        http(wallet.addr(), "POST /lotus/rpc/v0 HTTP/1.1", &headers, &body)
    };
    let refused = call(&read, "Filecoin.WalletList");
    assert!(refused.body.contains("missing permission to invoke 'WalletList' (need 'admin')"), "{refused:?}");
    assert!(call(&wallet.token(), "Filecoin.WalletList").body.contains("\"result\":[]"));
    assert!(call(&wallet.token(), "Filecoin.LockState").body.contains("not found"));
}

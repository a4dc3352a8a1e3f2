//! Recorded requests to sophon-gateway: its own paths, and those that it passes on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Auth, Gateway, http};

/// Lines that differ on purpose: what we answer instead, and why.
const INTENDED: &[(u64, u16, &str, &str)] = &[
    (2, 200, "{\"status\":\"OK\"}\n", "health is asked for by its path, with whatever query"),
    (3, 401, "", "T17: nothing about debugging is said to strangers"),
    (13, 401, "", "T14: tokens in queries end up in logs; QueryTokens allows them"),
    (16, 401, "", "T6: a disabled account is disabled everywhere"),
    (56, 401, "", "T13: strangers do not learn what is behind the gateway"),
    (59, 401, "", "T13: no request of a stranger reaches venus-auth"),
    (61, 401, "", "T13: the same; health is asked for without naming a component"),
];

#[test]
fn requests_as_recorded() {
    let auth = Auth::start();
    for user in ["alice", "bob", "carol"] {
        auth.user(user);
    }
    let tokens =
        BTreeMap::from([("alice", auth.token("alice", "admin")), ("carol", auth.token("carol", "read"))]);
    auth.runtime.block_on(async {
        use venus_auth::{Actor, UserChange, UserState};
        let change = UserChange { state: Some(UserState::Disabled), ..UserChange::default() };
        auth.service.update_user(&Actor::system(), "carol", change).await.unwrap();
    });
    let gateway = Gateway::run(&auth, "", "");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/gateway-http.jsonl");
    let text = fs::read_to_string(data).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (mut alike, mut intended, mut other) = (0, 0, Vec::new());
    for line in &lines {
        let n = line["n"].as_u64().unwrap();
        let ours = |text: &str| mended(text, &tokens, &gateway.token());
        let headers = line["req"]["headers"].as_object().unwrap().iter();
        let headers: Vec<(String, String)> =
            headers.map(|(name, value)| (name.clone(), ours(value.as_str().unwrap()))).collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let (start, body) =
            (line["req"]["start"].as_str().unwrap(), line["req"]["body"].as_str().unwrap_or(""));
        let got = http(gateway.addr(), &ours(start), &headers, &ours(body));
        let status = line["res"]["status"].as_u64().unwrap();
        let same = u64::from(got.status) == status
            && shape(line["res"]["body"].as_str().unwrap()) == shape(&got.body)
            && kind(line) == got.head.contains("text/plain; charset=utf-8");
        match (same, INTENDED.iter().find(|(known, ..)| *known == n)) {
            (true, None) => alike += 1,
            (false, Some((_, status, body, _))) if got.status == *status && got.body == *body => {
                intended += 1
            }
            _ => other.push(format!("{line}\n  ours {got:?}")),
        }
    }
    println!("alike {alike}, intended {intended}, other {}", other.len());
    assert!(other.is_empty(), "{}", other.join("\n"));
    assert_eq!(lines.len(), alike + intended);
}

/// Whether the answer is Go's plain text.
fn kind(line: &Value) -> bool {
    line["res"]["headers"]["Content-Type"].as_str().is_some_and(|kind| kind.starts_with("text/plain"))
}

/// Our tokens for theirs: of an account, or of the gateway itself.
fn mended(text: &str, tokens: &BTreeMap<&str, String>, local: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_inclusive([' ', '=', '"']) {
        let token = word.trim_end_matches([' ', '=', '"']);
        let name = venus_auth::jwt::peek(token).map(|claims| claims.name).unwrap_or_default();
        let ours = match name.as_str() {
            "" => None,
            "defaultLocalToken" => Some(local),
            name => tokens.get(name).map(String::as_str),
        };
        words.push(ours.map_or_else(|| word.to_owned(), |ours| word.replace(token, ours)));
    }
    words.concat()
}

/// What varies: ids, times, our own version.
fn shape(body: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
    for name in ["id", "createTime", "updateTime"] {
        if value["name"] == "alice" && value.get(name).is_some() {
            value[name] = "…".into();
        }
    }
    if value["result"].get("Version").is_some() {
        value["result"]["Version"] = "…".into();
    }
    value.to_string()
}

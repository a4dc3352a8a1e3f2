//! The frames of event streams, byte for byte, in both dialects.

use data_encoding::BASE64;
use serde_json::{Value, json};
use venus_core::rpc::Dialect;
use venus_gateway::rpc::ServerOptions;

use crate::client::wallet;
use crate::replay::adapt::decoded;
use crate::replay::conn::Conn;
use crate::replay::play::Scene;
use crate::replay::read;
use crate::stage::{Gate, Stage, call, open, server_options, token};
use crate::wallet::CHALLENGES;

const SECP: &str = "f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq";
const BLS: &str = "f3tho7tbdrw3xuy6ybz6p5tfc7nsqqa2ozhsrnmhwynrb3keeaeywe3felidbpgvy2wcxktmxcezlpz7pbu5pq";
const DELEGATED: &str = "f410fnz6o7a4owcgw33z2zvsxtuf64aoxlmcn4dh5hzy";
/// Of the BLS key over `hello filecoin`.
const SIGNED: &str = r#"{"Type":2,"Data":"go5IXPkGrl3toz7D4WsqWsdhq1phCfSBE0pN1A17XDsD0Yf2FMfdhdFC/1C5Ar31CSP1i1u3QbSlIr8X+O/lzz+PUXFc0xp2XrXl12iJECdS0swu+kKHgpystN4r4Hz3"}"#;

/// A dialect's bytes.
struct Bytes(Dialect);

impl Bytes {
    fn value(&self, id: u64, value: &str) -> String {
        match self.0 {
            Dialect::Fork => format!("{{\"jsonrpc\":\"2.0\",\"result\":{value},\"id\":{id}}}\n"),
            _ => format!("{{\"id\":{id},\"jsonrpc\":\"2.0\",\"result\":{value}}}\n"),
        }
    }

    /// The fork's answers to what returns nothing have no result at all.
    fn void(&self, id: u64) -> String {
        match self.0 {
            Dialect::Fork => format!("{{\"jsonrpc\":\"2.0\",\"id\":{id}}}\n"),
            _ => self.value(id, "null"),
        }
    }

    fn error(&self, id: u64, message: &str) -> String {
        let error = format!("{{\"code\":1,\"message\":\"{message}\"}}");
        match self.0 {
            Dialect::Fork => format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{error}}}\n"),
            _ => format!("{{\"error\":{error},\"id\":{id},\"jsonrpc\":\"2.0\"}}\n"),
        }
    }
}

/// An event, whose id is not known before.
async fn event(conn: &mut Conn, channel: u64, method: &str, payload: Option<&str>) -> String {
    let text = conn.text().await;
    let id = serde_json::from_str::<Value>(&text).unwrap()["params"][1]["Id"].as_str().unwrap().to_owned();
    assert!(uuid::Uuid::try_parse(&id).is_ok() && id.len() == 36);
    let payload =
        payload.map_or("null".to_owned(), |payload| format!("\"{}\"", BASE64.encode(payload.as_bytes())));
    let event = format!("{{\"Id\":\"{id}\",\"Method\":\"{method}\",\"Payload\":{payload}}}");
    assert_eq!(
        text,
        format!("{{\"jsonrpc\":\"2.0\",\"method\":\"xrpc.ch.val\",\"params\":[{channel},{event}]}}\n")
    );
    id
}

/// A wallet's call as Go writes it.
fn response(id: u64, event: &str, payload: &str) -> String {
    let payload = BASE64.encode(payload.as_bytes());
    format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"Gateway.ResponseWalletEvent\",\"params\":[{{\"Id\":\"{event}\",\"Payload\":\"{payload}\",\"Error\":\"\"}}]}}\n"
    )
}

fn talking(dialect: Dialect) -> ServerOptions {
    let mut options = server_options();
    options.dialect = dialect;
    options
}

/// A registered wallet with the three keys of the recordings, and the number of its next call.
async fn registered(stage: &Stage, bytes: &Bytes) -> (Conn, u64, String) {
    let script = wallet(&read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/client-gateway.jsonl")));
    let mut conn = open(stage.addr, "/rpc/v1", &token("alice", "read")).await;
    let policy = json!({"SupportAccounts": ["bob"], "SignBytes": script.sign_bytes});
    let listen =
        json!({"jsonrpc": "2.0", "id": 1, "method": "Gateway.ListenWalletEvent", "params": [policy]});
    conn.send(&format!("{listen}\n")).await;
    assert_eq!(conn.text().await, bytes.value(1, "1"));
    let list = event(&mut conn, 1, "WalletList", None).await;
    conn.send(&response(2, &list, &json!([SECP, BLS, DELEGATED]).to_string())).await;
    assert_eq!(conn.text().await, bytes.void(2));
    let mut id = 2;
    let mut asked = Vec::new();
    for key in [SECP, BLS, DELEGATED] {
        let challenge = format!(
            "{{\"Signer\":\"{key}\",\"ToSign\":\"M8Nm615eI2cYuc2/leMJGocxReJ6oOlmcjYP0kQM7xo=\",\"Meta\":{{\"Type\":\"verifyaddress\",\"Extra\":\"{}\"}}}}",
            CHALLENGES[1]
        );
        asked.push((event(&mut conn, 1, "WalletSign", Some(&challenge)).await, key));
    }
    for (event, key) in asked {
        id += 1;
        conn.send(&response(id, &event, &script.proofs[key])).await;
        assert_eq!(conn.text().await, bytes.void(id));
    }
    let channel = connected(&mut conn).await;
    (conn, id + 1, channel)
}

async fn connected(conn: &mut Conn) -> String {
    let text = conn.text().await;
    let frame: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(frame["params"][1]["Method"], "InitConnect", "{text}");
    let payload = decoded(frame["params"][1]["Payload"].as_str().unwrap()).unwrap();
    let channel = serde_json::from_str::<Value>(&payload).unwrap()["ChannelId"].as_str().unwrap().to_owned();
    assert_eq!(payload, format!("{{\"ChannelId\":\"{channel}\"}}"));
    channel
}

/// Registers, signs and leaves, comparing every byte.
async fn a_life(dialect: Dialect) {
    let (stage, bytes) =
        (Stage::talking(&["alice", "bob"], Gate::default(), talking(dialect)).await, Bytes(dialect));
    let (mut conn, id, channel) = registered(&stage, &bytes).await;
    let (addr, admin) = (stage.addr, stage.admin().to_owned());
    let sign = json!([BLS, [], "aGVsbG8gZmlsZWNvaW4=", {"Type": "unknown", "Extra": null}]).to_string();
    let caller =
        tokio::spawn(async move { call(addr, "/rpc/v2", Some(&admin), "Gateway.WalletSign", &sign).await });
    let request = format!(
        "{{\"Signer\":\"{BLS}\",\"ToSign\":\"aGVsbG8gZmlsZWNvaW4=\",\"Meta\":{{\"Type\":\"unknown\",\"Extra\":null}}}}"
    );
    let asked = event(&mut conn, 1, "WalletSign", Some(&request)).await;
    conn.send(&response(id, &asked, SIGNED)).await;
    assert_eq!(conn.text().await, bytes.void(id));
    let answer = caller.await.unwrap();
    assert_eq!((answer.start.as_str(), answer.body), ("HTTP/1.1 200 OK", bytes.value(1, SIGNED)));
    // Twice is once too often.
    conn.send(&response(id + 1, &asked, SIGNED)).await;
    assert_eq!(conn.text().await, bytes.error(id + 1, &format!("request id {asked} not exit")));
    let remove = json!([channel, [BLS]]);
    conn.send(&format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"Gateway.RemoveAddress\",\"params\":{remove}}}\n",
        id + 2
    ))
    .await;
    assert_eq!(conn.text().await, bytes.void(id + 2));
    conn.send("{\"jsonrpc\":\"2.0\",\"method\":\"xrpc.cancel\",\"params\":[1]}\n").await;
    assert_eq!(conn.text().await, "{\"jsonrpc\":\"2.0\",\"method\":\"xrpc.ch.close\",\"params\":[1]}\n");
    assert!(stage.hub().wallets().is_empty(), "who gives its channel up is gone");
}

#[tokio::test]
async fn a_wallet_of_the_fork_registers_and_signs() {
    a_life(Dialect::Fork).await;
}

#[tokio::test]
async fn a_wallet_of_upstream_registers_and_signs() {
    a_life(Dialect::Upstream).await;
}

#[tokio::test]
async fn a_caller_who_gives_up_leaves_nothing_behind() {
    let stage = Stage::talking(&["alice", "bob"], Gate::default(), server_options()).await;
    let bytes = Bytes(Dialect::Fork);
    let (mut conn, id, _) = registered(&stage, &bytes).await;
    let mut caller = open(stage.addr, "/rpc/v2", stage.admin()).await;
    let params = json!([BLS, null, "eA==", {"Type": "unknown", "Extra": null}]);
    caller
        .send(&format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"Gateway.WalletSign\",\"params\":{params}}}"
        ))
        .await;
    let request = format!(
        "{{\"Signer\":\"{BLS}\",\"ToSign\":\"eA==\",\"Meta\":{{\"Type\":\"unknown\",\"Extra\":null}}}}"
    );
    let asked = event(&mut conn, 1, "WalletSign", Some(&request)).await;
    assert_eq!(stage.hub().wallet("alice").unwrap().connect_states[0].request_count, 1);
    caller.send("{\"jsonrpc\":\"2.0\",\"method\":\"xrpc.cancel\",\"params\":[7]}\n").await;
    assert_eq!(caller.text().await, bytes.error(7, "cancel by context context canceled"));
    assert_eq!(stage.hub().wallet("alice").unwrap().connect_states[0].request_count, 0);
    conn.send(&response(id, &asked, SIGNED)).await;
    assert_eq!(conn.text().await, bytes.error(id, &format!("request id {asked} not exit")));
}

#[tokio::test]
async fn a_caller_says_how_long_it_waits() {
    let stage = Stage::talking(&["alice", "bob"], Gate::default(), server_options()).await;
    let (mut conn, _, _) = registered(&stage, &Bytes(Dialect::Fork)).await;
    let params = json!([BLS, null, "eA==", {"Type": "unknown", "Extra": null}]);
    let body =
        format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"Gateway.WalletSign\",\"params\":{params}}}");
    let mut request = crate::stage::request("POST /rpc/v2", Some(stage.admin()), &body);
    request.headers.push((venus_gateway::rpc::DEADLINE_HEADER.into(), "50".into()));
    let answer = crate::replay::conn::exchange(stage.addr, &request).await;
    assert_eq!(answer.body, Bytes(Dialect::Fork).error(1, "no answer to WalletSign within 50ms"));
    conn.text().await;
    assert_eq!(stage.hub().wallet("alice").unwrap().connect_states[0].request_count, 0);
}

#[tokio::test]
async fn several_channels_share_a_connection_and_end_alone() {
    let stage = Stage::talking(&["alice"], Gate::default(), server_options()).await;
    stage.bind_miner("alice", "f01000");
    stage.bind_miner("alice", "f01001");
    let mut conn = open(stage.addr, "/rpc/v2", &token("alice", "read")).await;
    for (id, miner) in [(1, "f01000"), (2, "f01001")] {
        let policy = json!([{"MinerAddress": miner}]);
        conn.send(&format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"Gateway.ListenProofEvent\",\"params\":{policy}}}"
        ))
        .await;
        assert_eq!(conn.text().await, Bytes(Dialect::Fork).value(id, &id.to_string()));
        connected(&mut conn).await;
    }
    assert_eq!(stage.hub().miners().len(), 2);
    conn.send("{\"jsonrpc\":\"2.0\",\"method\":\"xrpc.cancel\",\"params\":[1]}\n").await;
    assert_eq!(conn.text().await, "{\"jsonrpc\":\"2.0\",\"method\":\"xrpc.ch.close\",\"params\":[1]}\n");
    assert_eq!(stage.hub().miners(), [crate::stage::address("f01001")]);
}

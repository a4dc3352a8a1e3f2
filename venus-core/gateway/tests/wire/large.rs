//! What is too large, and what only looks so.

use data_encoding::BASE64;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::frame::coding::Data;
use venus_core::rpc::Limits;
use venus_gateway::rpc::ServerOptions;

use crate::client::wallet;
use crate::replay::conn::{Got, exchange};
use crate::replay::play::Scene;
use crate::replay::read;
use crate::stage::{Gate, Stage, call, open, request, server_options};

const MIB: usize = 1 << 20;

async fn still_answers(stage: &Stage) {
    let answer = call(stage.addr, "/rpc/v2", Some(stage.admin()), "Gateway.Version", "[]").await;
    assert_eq!(answer.start, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn t11_frames_of_100_mib_end_their_connection_and_nobody_elses() {
    let stage = Stage::talking(&["alice"], Gate::default(), server_options()).await;
    let mut other = open(stage.addr, "/rpc/v2", stage.admin()).await;
    let mut one = open(stage.addr, "/rpc/v2", stage.admin()).await;
    one.send_part(Data::Text, true, &vec![b' '; 100 * MIB]).await;
    let mut pieces = open(stage.addr, "/rpc/v2", stage.admin()).await;
    let piece = vec![b' '; MIB];
    for n in 0..100 {
        if !pieces.send_part(if n == 0 { Data::Text } else { Data::Continue }, n == 99, &piece).await {
            break;
        }
    }
    for conn in [&mut one, &mut pieces] {
        let end = conn.find(|got| matches!(got, Got::Close(_) | Got::Eof)).await;
        // A client that still writes may not come to read why.
        assert!(matches!(end, Some(Got::Close(1009) | Got::Eof)), "{end:?}");
    }
    let body =
        exchange(stage.addr, &request("POST /rpc/v2", Some(stage.admin()), &" ".repeat(17 * MIB))).await;
    assert_eq!((body.start.as_str(), body.body.as_str()), ("HTTP/1.1 500 Internal Server Error", ""));
    other.send("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"Gateway.Version\",\"params\":[]}").await;
    assert!(other.text().await.contains("\"Version\""));
    still_answers(&stage).await;
}

#[tokio::test]
async fn bodies_of_up_to_100_mib_are_read_where_the_operator_lets_them() {
    let limits = Limits { message_bytes: 100 * MIB, ..ServerOptions::default().limits };
    let mut options = server_options();
    options.limits = limits;
    let stage = Stage::talking(&["alice"], Gate::default(), options).await;
    let body = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"Gateway.Version\",{}\"params\":[]}}",
        " ".repeat(40 * MIB)
    );
    let answer = exchange(stage.addr, &request("POST /rpc/v2", Some(stage.admin()), &body)).await;
    assert_eq!(answer.start, "HTTP/1.1 200 OK");
    assert!(answer.body.contains("\"Version\""));
}

#[tokio::test]
async fn messages_in_pieces_come_through_whole() {
    let mut stage = Stage::talking(&["alice", "bob"], Gate::default(), server_options()).await;
    let lines = read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/client-gateway.jsonl"));
    let mut script = wallet(&lines);
    let (key, to_sign) = ("f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq", BASE64.encode(&vec![7; 3 * MIB]));
    let question = (key.to_owned(), to_sign.clone(), "unknown".to_owned());
    script.answers.insert(question, [Err("it came whole".to_owned())].into());
    let wallet = script.start(stage.addr).await;
    let mut caller = open(stage.addr, "/rpc/v2", stage.admin()).await;
    let params = json!([key, ["alice"], to_sign, {"Type": "unknown", "Extra": null}]);
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "Gateway.WalletSign", "params": params});
    caller.send(&body.to_string()).await;
    let answer: Value = serde_json::from_str(&caller.text().await).unwrap();
    assert_eq!(answer["error"]["message"], "it came whole");
    stage.stop().await;
    wallet.await.unwrap();
}

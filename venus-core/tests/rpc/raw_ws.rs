//! Hand-made frames, answered as Go answers them.

use std::time::Duration;

use futures::SinkExt;
use serde_json::Value;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};
use venus_core::rpc::Dialect;

use crate::support::{
    bare::{Bare, Got},
    recording::{dialect, lines, text, without_span},
    server,
};

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Sends what was sent. An answer to a reverse call waits for that call, and what came meanwhile is returned.
async fn play(bare: &mut Bare, sent: &Value, big: &str) -> Vec<Got> {
    let mut early = Vec::new();
    for frame in sent.as_array().unwrap() {
        let (kind, fin) = (text(frame, "kind"), frame["fin"] == 1);
        let body = match text(frame, "body") {
            "(12078 bytes)" => big,
            body => body,
        };
        let bytes = hex(text(frame, "hex"));
        match kind {
            "ping" => drop(bare.0.send(Message::Ping(bytes.into())).await),
            "pong" => drop(bare.0.send(Message::Pong(bytes.into())).await),
            "close" if bytes.is_empty() => drop(bare.0.send(Message::Close(None)).await),
            "close" => {
                let code = CloseCode::from(u16::from_be_bytes([bytes[0], bytes[1]]));
                drop(bare.0.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await);
            }
            _ => {
                if body.starts_with("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\"")
                    || body == "{\"jsonrpc\":\"2.0\",\"id\":1}"
                {
                    early.push(bare.next().await);
                }
                bare.send_fragment(kind, fin, body.as_bytes()).await;
            }
        }
    }
    early
}

/// Messages put together from their frames.
fn recorded(line: &Value) -> Vec<Got> {
    let mut all: Vec<Got> = Vec::new();
    for frame in line["received"].as_array().unwrap() {
        let body = text(frame, "body");
        match text(frame, "kind") {
            "text" => all.push(Got::Text(without_span(body))),
            "continuation" => match all.last_mut() {
                Some(Got::Text(text)) => text.push_str(body),
                other => panic!("continuation of {other:?}"),
            },
            "ping" => all.push(Got::Ping),
            "pong" => all.push(Got::Pong(hex(text(frame, "hex")))),
            "close" => all.push(Got::Close(
                text(frame, "hex").get(..4).map(|hex| u16::from_str_radix(hex, 16).unwrap()),
            )),
            "eof" => all.push(Got::Eof),
            other => panic!("{other}"),
        }
    }
    all
}

/// How many values a channel brings before it is cancelled is a matter of time.
fn without_values(mut all: Vec<Got>) -> Vec<Got> {
    all.retain(|got| !matches!(got, Got::Text(text) if text.contains("xrpc.ch.val")));
    all
}

#[tokio::test(start_paused = true)]
async fn recorded_frames() {
    let mut played = 0;
    for line in lines("jsonrpc-raw-ws.jsonl") {
        let (lib, case) = (text(&line, "lib"), text(&line, "case"));
        let other_tests = ["handshake", "keep-alive", "frame sizes", "breaking"];
        if other_tests.iter().any(|prefix| case.starts_with(prefix)) {
            continue;
        }
        let name = format!("{lib}: {case}");
        let mut bare = Bare::client(&server(dialect(lib))).await;
        let mut expected = recorded(&line);
        let big = big_call(&expected);
        let mut got = play(&mut bare, &line["sent"], &big).await;
        got.extend(bare.all_within(Duration::from_secs(3)).await);
        if case == "ping" && lib.ends_with("v0.10.1") {
            // Pings are always answered, as v0.10.2 does.
            expected = vec![Got::Pong(b"hey".to_vec())];
        }
        if case.ends_with("channel cancelled") {
            (got, expected) = (without_values(got), without_values(expected));
            // One recording stopped before Go had noticed the cancellation.
            let end = Got::Text("{\"jsonrpc\":\"2.0\",\"method\":\"xrpc.ch.close\",\"params\":[1]}\n".into());
            if !expected.contains(&end) {
                expected.push(end);
            }
        }
        assert_eq!(got, expected, "{name}");
        played += 1;
    }
    assert_eq!(played, 3 * 45);
}

/// The call that the recorded big reply answers.
fn big_call(expected: &[Got]) -> String {
    let Some(Got::Text(text)) = expected.first() else { return String::new() };
    let reply: Value = serde_json::from_str(text).unwrap();
    let pt = serde_json::to_string(&reply["result"]).unwrap();
    format!(r#"{{"jsonrpc":"2.0","id":{},"method":"T.Bytes","params":[{pt}]}}"#, reply["id"])
}

/// What crashes upstream v0.10.1 and wedges the fork does nothing here; v0.10.2 shows how.
#[tokio::test(start_paused = true)]
async fn breaking_frames_break_nothing() {
    let lines: Vec<Value> = lines("jsonrpc-raw-ws.jsonl")
        .into_iter()
        .filter(|line| text(line, "case").starts_with("breaking"))
        .collect();
    assert_eq!(lines.len(), 12);
    for line in &lines {
        for dialect in [Dialect::Fork, Dialect::Upstream] {
            let mut bare = Bare::client(&server(dialect)).await;
            play(&mut bare, &line["sent"], "").await;
            let got = bare.all_within(Duration::from_secs(1)).await;
            assert_eq!(got.len(), 1, "{dialect:?} {}: {got:?}", text(line, "case"));
            assert!(matches!(&got[0], Got::Text(text) if text.contains("\"result\":3")));
        }
    }
}

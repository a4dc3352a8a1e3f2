//! Whole recorded sessions of Go clients, played against our server: the same answers, in the same order where
//! order means something.

use std::{collections::BTreeMap, time::Duration};

use axum::body::{Body, to_bytes};
use http::Request;
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout};
use tower::ServiceExt;
use venus_core::rpc::server::RpcServer;

use crate::support::{
    bare::{Bare, Got},
    recording::{dialect, lines, text, without_span},
    server,
};

/// The lines of each pair of programs.
fn runs(file: &str) -> Vec<(String, Vec<Value>)> {
    let mut runs: Vec<(String, Vec<Value>)> = Vec::new();
    for line in lines(file) {
        let lib =
            [&line["server"], &line["lib"]].into_iter().find_map(Value::as_str).unwrap_or("fork v0.1.9");
        let name = format!("{} of {}", lib, text(&line, "client"));
        match runs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, lines)) => lines.push(line),
            None => runs.push((name, vec![line])),
        }
    }
    runs
}

/// What belongs together in order: the frames of one channel, the frames with one id.
fn threads(frames: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut threads: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for frame in frames {
        let value: Value = serde_json::from_str(frame).unwrap();
        let method = text(&value, "method");
        let key = if method.starts_with("xrpc.ch.") {
            format!("channel {}", value["params"][0])
        } else {
            format!("{} {}", if method.is_empty() { "answer" } else { "call" }, value["id"])
        };
        threads.entry(key).or_default().push(frame.clone());
    }
    threads
}

async fn play_http(server: &RpcServer, lines: &[&Value], name: &str) -> usize {
    let router = server.router(&["/rpc/v0"]);
    let (calls, answers): (Vec<&Value>, Vec<&Value>) =
        lines.iter().filter(|line| line["kind"] == "http").partition(|line| line["dir"] == "c>s");
    assert_eq!(calls.len(), answers.len());
    for (call, answer) in calls.iter().zip(&answers) {
        let request = Request::post("/rpc/v0").body(Body::from(text(call, "body").to_owned())).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert!(text(answer, "start").contains(response.status().as_str()), "{name}: {call}");
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&body), text(answer, "body"), "{name}: {call}");
    }
    calls.len()
}

async fn play_ws(server: &RpcServer, lines: &[&Value], name: &str) -> usize {
    let mut bare = Bare::client(server).await;
    let mut got = Vec::new();
    let zero = lines[0]["t"].as_f64().unwrap();
    let start = Instant::now();
    let frames: Vec<&&Value> = lines.iter().filter(|line| line["kind"] == "text").collect();
    for line in frames.iter().filter(|line| line["dir"] == "c>s") {
        let due = start + Duration::from_secs_f64(line["t"].as_f64().unwrap() - zero);
        collect_until(&mut bare, &mut got, due).await;
        await_call(&mut bare, &mut got, text(line, "body")).await;
        bare.send(text(line, "body")).await;
    }
    // A recording that broke off has no answers after its end.
    let end = lines.last().unwrap()["t"].as_f64().unwrap();
    collect_until(&mut bare, &mut got, start + Duration::from_secs_f64(end - zero)).await;
    let expected: Vec<String> = frames
        .iter()
        .filter(|line| line["dir"] == "s>c")
        .map(|line| without_span(text(line, "body")))
        .collect();
    let (got, mut expected_threads) = (threads(&got), threads(&expected));
    assert_eq!(got.keys().collect::<Vec<_>>(), expected_threads.keys().collect::<Vec<_>>(), "{name}");
    for (key, got) in got {
        let expected = expected_threads.remove(&key).unwrap();
        if key == CANCELLED {
            assert_eq!(got.last(), expected.last(), "{name}");
            assert!(got.iter().zip(&expected).take(3).all(|(got, expected)| got == expected), "{name}");
        } else {
            assert_eq!(got, expected, "{name}: {key}");
        }
    }
    expected.len()
}

/// The channel that clients cancel after three values. Go may let more values pass before it notices.
const CANCELLED: &str = "channel 2";

/// An answer of the client comes after the call that it answers, whatever the recorded times say.
async fn await_call(bare: &mut Bare, got: &mut Vec<String>, frame: &str) {
    let frame: Value = serde_json::from_str(frame).unwrap();
    if frame["method"].is_string() {
        return;
    }
    let call = format!("\"id\":{},\"method\"", frame["id"]);
    while !got.iter().any(|text| text.contains(&call)) {
        got.push(bare.text().await);
    }
}

async fn collect_until(bare: &mut Bare, got: &mut Vec<String>, due: Instant) {
    let _ = timeout(due - Instant::now(), async {
        loop {
            match bare.next().await {
                Got::Text(text) => got.push(text),
                Got::Ping | Got::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    })
    .await;
    sleep_until(due).await;
}

async fn play(file: &str) -> (usize, usize, usize) {
    let runs = runs(file);
    let (mut http, mut ws) = (0, 0);
    for (name, lines) in &runs {
        let server = server(dialect(name));
        let mut connections: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
        for line in lines {
            connections.entry(line["conn"].as_u64().unwrap()).or_default().push(line);
        }
        for (number, lines) in connections {
            let name = format!("{file}: {name}, connection {number}");
            if text(lines[0], "start").starts_with("POST") {
                http += play_http(&server, &lines, &name).await;
            } else {
                ws += play_ws(&server, &lines[2..], &name).await;
            }
        }
    }
    (runs.len(), http, ws)
}

#[tokio::test(start_paused = true)]
async fn the_fork_with_itself() {
    assert_eq!(play("jsonrpc-fork.jsonl").await, (1, 15, 41));
}

#[tokio::test(start_paused = true)]
async fn upstream_with_itself() {
    assert_eq!(play("jsonrpc-upstream.jsonl").await, (2, 30, 84));
}

#[tokio::test(start_paused = true)]
async fn the_mixed_pairs() {
    assert_eq!(play("jsonrpc-mixed.jsonl").await, (4, 60, 166));
}

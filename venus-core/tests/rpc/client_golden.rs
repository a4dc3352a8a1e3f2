//! What Go servers sent to Go clients, fed to ours: the calls must be the recorded bytes, and each answer be understood.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body, routing::any};
use futures::{SinkExt, StreamExt};
use http::{Request, Response, StatusCode};
use serde_json::Value;
use tokio::{io::DuplexStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};
use venus_core::{
    error::{Classify, ErrorKind},
    rpc::{
        CallError, ChannelClosed, ChannelEvent, Dialect, Limits, RpcError,
        client::{ClientConfig, Connect, Resubscribe, RpcClient, Socket, socket_over},
    },
};

use crate::support::{
    api,
    recording::{dialect, lines, text, without_span},
};

struct Once(tokio::sync::Mutex<Option<DuplexStream>>);

#[async_trait::async_trait]
impl Connect for Once {
    async fn connect(&self) -> Result<Socket, CallError> {
        let io = self.0.lock().await.take().ok_or(CallError::Disconnected)?;
        Ok(socket_over(io, &Limits::default()).await)
    }

    fn url(&self) -> &str {
        "pipe:"
    }
}

/// Plays the recorded server: reads what the recorded client sent, sends what the recorded server sent.
async fn recorded_server(io: DuplexStream, frames: Vec<Value>) -> usize {
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
    let mut calls = 0;
    for frame in &frames {
        let body = text(frame, "body");
        if frame["dir"] == "s>c" {
            socket.send(Message::text(body)).await.unwrap();
            continue;
        }
        let sent = loop {
            match socket.next().await {
                Some(Ok(Message::Text(sent))) => break sent,
                Some(Ok(_)) => {}
                other => panic!("{other:?} instead of {body}"),
            }
        };
        assert_eq!(sent.as_str(), without_span(body));
        calls += 1;
    }
    calls
}

fn rpc_error(result: Result<Box<serde_json::value::RawValue>, CallError>) -> RpcError {
    match result {
        Err(CallError::Rpc(error)) => *error,
        other => panic!("{other:?}"),
    }
}

/// The calls that every transport has, in the recorded order.
async fn plain_calls(client: &RpcClient, server: Dialect) {
    for void in ["T.Void", "T.VoidNoErr"] {
        client.call::<()>(void, None).await.unwrap();
    }
    assert_eq!(client.call::<i64>("T.Add", Some("[2,3]")).await.unwrap(), 5);
    assert!(!client.call::<bool>("T.ValNoErr", None).await.unwrap());
    for nil in ["T.NilPtr", "T.NilSlice"] {
        assert_eq!(client.call::<Option<Value>>(nil, None).await.unwrap(), None);
    }
    let pt = client.call::<api::Pt>("T.Bytes", Some(r#"[{"A":1,"B":"AQL/","C":null}]"#)).await.unwrap();
    assert_eq!(pt, api::Pt { a: 1, b: "AQL/".into(), c: None });
    let fail = rpc_error(client.call_raw("T.Fail", None).await);
    assert_eq!((fail.code, fail.message.as_str()), (1, "boom \"quoted\" <&> \u{2028} é"));
    assert_eq!(rpc_error(client.call_raw("T.FailVal", None).await).message, "boom");
    let coded = rpc_error(client.call_raw("T.Coded", None).await);
    let with_data = rpc_error(client.call_raw("T.WithData", None).await);
    match server {
        Dialect::Fork => assert_eq!((coded.code, with_data.code), (1, 1)),
        Dialect::Upstream | Dialect::Forest => {
            assert_eq!((coded.code, with_data.code), (1001, 1002));
            assert_eq!(coded.meta.unwrap().get(), r#"{"Message":"coded"}"#);
            assert_eq!(with_data.data.unwrap().get(), r#"{"detail":42}"#);
        }
    }
    let panic = rpc_error(client.call_raw("T.Panic", None).await);
    assert!(panic.code == 0 && panic.message.contains("panic in rpc method 'T.Panic': oh no"));
    let nope = rpc_error(client.call_raw("T.Nope", None).await);
    assert_eq!((nope.code, nope.kind()), (-32601, ErrorKind::Unsupported));
    client.notify("T.Note", Some("[5]")).await.unwrap();
}

async fn all_values(client: &RpcClient, params: &str) -> Vec<i64> {
    let mut channel = client.channel::<i64>("T.Count", Some(params), Resubscribe::Never).await.unwrap();
    let mut values = Vec::new();
    while let Some(event) = channel.next().await {
        match event.unwrap() {
            ChannelEvent::Value(value) => values.push(value),
            ChannelEvent::Closed(why) => assert_eq!(why, ChannelClosed::ByPeer),
            other => panic!("{other:?}"),
        }
    }
    values
}

async fn next_value(channel: &mut venus_core::rpc::client::Channel<i64>) -> i64 {
    match channel.next().await {
        Some(Ok(ChannelEvent::Value(value))) => value,
        other => panic!("{other:?}"),
    }
}

async fn session_calls(client: &RpcClient) {
    assert_eq!(all_values(client, "[3,20]").await, [0, 1, 2]);
    let refused = client.channel::<i64>("T.Count", Some("[-1,0]"), Resubscribe::Never).await;
    assert!(matches!(refused, Err(CallError::Rpc(error)) if error.message == "negative"));
    let mut endless = client.channel::<i64>("T.Count", Some("[1000,50]"), Resubscribe::Never).await.unwrap();
    for n in 0..3 {
        assert_eq!(next_value(&mut endless).await, n);
    }
    drop(endless);
    let given_up = timeout(Duration::from_millis(100), client.call_raw("T.Sleep", Some("[5000]"))).await;
    assert!(given_up.is_err());
    assert_eq!(client.call::<String>("T.Reverse", Some("[\"hi\"]")).await.unwrap(), "echo:hi");
    assert_eq!(rpc_error(client.call_raw("T.Reverse", Some("[\"fail\"]")).await).message, "client says no");
    let mut first = client.channel::<i64>("T.Count", Some("[2,30]"), Resubscribe::Never).await.unwrap();
    let mut second = client.channel::<i64>("T.Count", Some("[2,30]"), Resubscribe::Never).await.unwrap();
    assert_eq!(client.call::<i64>("T.Add", Some("[1,1]")).await.unwrap(), 2);
    for channel in [&mut first, &mut second] {
        assert_eq!((next_value(channel).await, next_value(channel).await), (0, 1));
        assert!(matches!(channel.next().await, Some(Ok(ChannelEvent::Closed(ChannelClosed::ByPeer)))));
        assert!(channel.next().await.is_none());
    }
    let mut open = client.channel::<i64>("T.Count", Some("[1,3600000]"), Resubscribe::Never).await.unwrap();
    assert_eq!(next_value(&mut open).await, 0);
    // Not dropped before the server has gone: the recorded client did not cancel it.
    std::mem::forget(open);
}

type Sessions = BTreeMap<(String, String), BTreeMap<u64, Vec<Value>>>;

/// The connections of each pair of programs.
fn sessions(file: &str) -> Sessions {
    let mut sessions = Sessions::new();
    for line in lines(file) {
        let lib = line["lib"].as_str().unwrap_or("fork v0.1.9").to_owned();
        let server = line["server"].as_str().unwrap_or(&lib).to_owned();
        let client = line["client"].as_str().unwrap_or(&lib).to_owned();
        let connection = line["conn"].as_u64().unwrap();
        sessions.entry((client, server)).or_default().entry(connection).or_default().push(line);
    }
    sessions
}

#[tokio::test(start_paused = true)]
async fn recorded_sessions() {
    let mut played = 0;
    for file in ["jsonrpc-fork.jsonl", "jsonrpc-upstream.jsonl", "jsonrpc-mixed.jsonl"] {
        for ((client_lib, server_lib), connections) in sessions(file) {
            // Later connections of a pair are those after a loss.
            let session =
                connections.values().find(|lines| text(&lines[0], "start").starts_with("GET")).unwrap();
            let end = |line: &&Value| !text(line, "body").contains("\"T.Add\",\"params\":[20,22]");
            let frames: Vec<Value> =
                session.iter().filter(|line| line["kind"] == "text").take_while(end).cloned().collect();
            let (ours, theirs) = tokio::io::duplex(1 << 20);
            let server = tokio::spawn(recorded_server(theirs, frames));
            let reverse = Arc::new(api::reverse_service(dialect(&client_lib)));
            let config = ClientConfig::default().with_reverse(reverse);
            let client =
                RpcClient::connect_with(Once(tokio::sync::Mutex::new(Some(ours))), config).await.unwrap();
            plain_calls(&client, dialect(&server_lib)).await;
            session_calls(&client).await;
            assert_eq!(server.await.unwrap(), 28, "{client_lib} at {server_lib}");
            played += 1;
        }
    }
    assert_eq!(played, 7);
}

type Exchanges = Arc<Mutex<VecDeque<(String, u16, String)>>>;

async fn recorded_answer(exchanges: Exchanges, request: Request<Body>) -> Response<Body> {
    assert_eq!(request.headers()["authorization"], "Bearer token");
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let (expected, status, answer) = exchanges.lock().unwrap().pop_front().expect("no call more");
    assert_eq!(String::from_utf8_lossy(&body), expected);
    Response::builder().status(StatusCode::from_u16(status).unwrap()).body(Body::from(answer)).unwrap()
}

#[tokio::test]
async fn recorded_http() {
    for file in ["jsonrpc-fork.jsonl", "jsonrpc-upstream.jsonl", "jsonrpc-mixed.jsonl"] {
        for ((_, server_lib), connections) in sessions(file) {
            let lines: Vec<Value> = connections
                .into_values()
                .filter(|lines| text(&lines[0], "start").starts_with("POST"))
                .flatten()
                .filter(|line| line["kind"] == "http")
                .collect();
            let exchanges = lines.chunks(2).map(|pair| {
                let status = text(&pair[1], "start").split(' ').nth(1).unwrap().parse().unwrap();
                (without_span(text(&pair[0], "body")), status, text(&pair[1], "body").to_owned())
            });
            let exchanges: Exchanges = Arc::new(Mutex::new(exchanges.collect()));
            assert_eq!(exchanges.lock().unwrap().len(), 15);
            let (left, handler) = (exchanges.clone(), exchanges.clone());
            let router =
                Router::new().route("/rpc/v0", any(move |request| recorded_answer(handler.clone(), request)));
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/rpc/v0", listener.local_addr().unwrap());
            let serving = tokio::spawn(async move { axum::serve(listener, router).await });
            let token = venus_core::rpc::api_info::Token::new("token").unwrap();
            let client = RpcClient::connect(&url, ClientConfig::default().with_token(&token)).await.unwrap();
            plain_calls(&client, dialect(&server_lib)).await;
            let count = rpc_error(client.call_raw("T.Count", Some("[3,20]")).await);
            assert!(count.message.contains("not supported in this mode"));
            assert!(left.lock().unwrap().is_empty());
            serving.abort();
        }
    }
}

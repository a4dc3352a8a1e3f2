//! Our client calls Go servers.

mod losses;

use std::{sync::Arc, time::Duration};

use futures::{future::join_all, stream::StreamExt};
use jsonrpsee::core::client::ClientT;
use serde_json::{Value, json};
use tokio::time::timeout;
use venus_core::{
    error::{Classify, ErrorKind},
    rpc::{
        ApiInfo, CallError, ChannelClosed, ChannelEvent, Dialect, Limits, RpcError,
        client::{ClientConfig, Resubscribe, RpcClient},
    },
};

use crate::{
    LIBRARIES,
    program::{Program, programs},
    service::{Pt, TClient, reverse_service},
};

fn config() -> ClientConfig {
    ClientConfig::default().with_reverse(Arc::new(reverse_service(Dialect::Upstream)))
}

/// As an operator writes it: token, multiaddr, and the transport at its end.
fn info(token: &str, address: &str, transport: &str) -> ApiInfo {
    let (ip, port) = address.split_once(':').unwrap();
    format!("{token}:/ip4/{ip}/tcp/{port}/{transport}").parse().unwrap()
}

async fn connect_with(info: &ApiInfo, config: ClientConfig) -> Result<RpcClient, CallError> {
    let config = config.with_token(info.token.as_ref().unwrap());
    RpcClient::connect(&info.dial_url("v0").unwrap(), config).await
}

async fn connect(address: &str, transport: &str) -> RpcClient {
    connect_with(&info("admin", address, transport), config()).await.unwrap()
}

async fn error(client: &RpcClient, method: &str, params: &str) -> RpcError {
    match client.call_raw(method, Some(params)).await {
        Err(CallError::Rpc(error)) => *error,
        other => panic!("{method}: {other:?}"),
    }
}

fn json_of(raw: Option<Box<serde_json::value::RawValue>>) -> Value {
    raw.map_or(Value::Null, |raw| serde_json::from_str(raw.get()).unwrap())
}

async fn values(client: &RpcClient) {
    client.void().await.unwrap();
    client.void_no_err().await.unwrap();
    assert!(!client.val_no_err().await.unwrap());
    assert_eq!(client.add((1 << 53) - 2, 1).await.unwrap(), (1 << 53) - 1);
    assert_eq!(client.call::<i64>("short", Some("[2,3]")).await.unwrap(), 5);
    assert_eq!(client.nil_ptr().await.unwrap(), None);
    assert_eq!(client.nil_slice().await.unwrap(), None);
    let big = "PGJpZz4A".repeat(200_000);
    for pt in [
        Pt::default(),
        Pt { a: -7, b: Some("AAH+/w==".into()), c: None },
        Pt { a: 0, b: Some(String::new()), c: Some(5) },
        Pt { b: Some(big), ..Pt::default() },
    ] {
        assert!(client.bytes(pt.clone()).await.unwrap() == pt);
    }
}

async fn errors(client: &RpcClient, dialect: Dialect) {
    let fork = dialect == Dialect::Fork;
    for (method, code, text) in [("T.Fail", 1, "boom \"quoted\" <&> \u{2028} é"), ("T.FailVal", 1, "boom")] {
        let error = error(client, method, "[]").await;
        assert_eq!((error.code, error.message.as_str()), (code, text), "{method}");
    }
    let coded = error(client, "T.Coded", "[]").await;
    let data = error(client, "T.WithData", "[]").await;
    assert_eq!((coded.message.as_str(), data.message.as_str()), ("coded", "with data"));
    let (codes, more) = ((coded.code, data.code), (json_of(coded.meta), json_of(data.data)));
    if fork {
        assert_eq!((codes, more), ((1, 1), (Value::Null, Value::Null)));
    } else {
        assert_eq!((codes, more), ((1001, 1002), (json!({"Message": "coded"}), json!({"detail": 42}))));
    }
    let panicked = error(client, "T.Panic", "[]").await;
    assert_eq!(panicked.code, 0);
    assert!(panicked.message.contains("panic in rpc method 'T.Panic': oh no"), "{panicked}");
}

async fn refusals(client: &RpcClient) {
    for (method, params, code, text) in [
        ("T.Nope", "[]", -32601, "method 'T.Nope' not found"),
        ("T.Add", "[1]", -32602, "wrong param count (method 'T.Add'): 1 != 2"),
        ("T.Add", "[\"x\",2]", -32700, "unmarshaling params for 'T.Add' (param: *int): json: cannot"),
        ("T.Add", "{\"a\":1}", -32700, "unmarshaling param array: json: cannot unmarshal object"),
    ] {
        let error = error(client, method, params).await;
        assert_eq!(error.code, code);
        assert!(error.message.contains(text), "{error}");
    }
    assert_eq!(error(client, "T.Nope", "[]").await.kind(), ErrorKind::Unsupported);
}

async fn notes_and_cancelled_calls(client: &RpcClient) {
    let notes = client.notes(0).await.unwrap();
    for _ in 0..3 {
        client.notify("T.Note", Some("[\"x\"]")).await.unwrap();
    }
    client.notification("T.Note", ["x"]).await.unwrap();
    assert_eq!(client.notes(notes + 4).await.unwrap(), notes + 4);
    let given_up = client.given_up(0).await.unwrap();
    let late = timeout(Duration::from_millis(50), client.sleep(50_000)).await;
    assert!(late.is_err());
    assert_eq!(client.given_up(given_up + 1).await.unwrap(), given_up + 1);
}

async fn many_at_once(client: &RpcClient) {
    let calls = (0..64).map(|i| async move {
        assert_eq!(client.sleep(100 - u64::try_from(i).unwrap()).await.unwrap(), "slept");
        assert_eq!(client.add(i, 1000).await.unwrap(), 1000 + i);
    });
    join_all(calls).await;
}

async fn calls(transport: &str) {
    if programs().is_none() {
        return;
    }
    for library in LIBRARIES {
        let (_server, address) = Program::server(library, "127.0.0.1:0").await;
        let client = connect(&address, transport).await;
        values(&client).await;
        errors(&client, library.dialect()).await;
        refusals(&client).await;
        notes_and_cancelled_calls(&client).await;
        many_at_once(&client).await;
        if transport == "http" {
            assert_eq!(error(&client, "T.Count", "[1,1]").await.kind(), ErrorKind::Unsupported);
            assert_eq!(error(&client, "T.Reverse", "[\"hi\"]").await.message, "no reverse client");
        }
        client.shutdown().await;
    }
}

#[tokio::test]
async fn calls_over_http() {
    calls("http").await;
}

#[tokio::test]
async fn calls_over_a_websocket() {
    calls("ws").await;
}

async fn counted(client: &RpcClient, n: usize, every_ms: u64) {
    let params = format!("[{n},{every_ms}]");
    let channel = client.channel::<usize>("T.Count", Some(&params), Resubscribe::Never).await.unwrap();
    let events: Vec<_> = channel.into_stream().map(Result::unwrap).collect().await;
    assert_eq!(events.len(), n + 1);
    for (i, event) in events.iter().enumerate().take(n) {
        assert!(matches!(event, ChannelEvent::Value(value) if *value == i), "{event:?} at {i}");
    }
    assert!(matches!(events[n], ChannelEvent::Closed(ChannelClosed::ByPeer)));
}

#[tokio::test]
async fn channels() {
    if programs().is_none() {
        return;
    }
    for library in LIBRARIES {
        let (_server, address) = Program::server(library, "127.0.0.1:0").await;
        let client = connect(&address, "ws").await;
        for n in [0, 1, 5, 1000] {
            counted(&client, n, 0).await;
        }
        join_all((0..16).map(|i| counted(&client, 50 + i, 1))).await;
        assert_eq!(error(&client, "T.Count", "[-1,0]").await.message, "negative");
        let given_up = client.given_up(0).await.unwrap();
        let mut endless = client.count(1_000_000, 1).await.unwrap();
        for n in 0..3 {
            assert_eq!(endless.next().await.unwrap().unwrap(), n);
        }
        drop(endless);
        assert_eq!(client.given_up(given_up + 1).await.unwrap(), given_up + 1);
        client.shutdown().await;
    }
}

#[tokio::test]
async fn reverse_calls() {
    if programs().is_none() {
        return;
    }
    for library in LIBRARIES {
        let (_server, address) = Program::server(library, "127.0.0.1:0").await;
        let client = connect(&address, "ws").await;
        for text in ["hi".to_owned(), String::new(), "é<>".repeat(100_000)] {
            assert!(client.reverse(text.clone()).await.unwrap() == format!("echo:{text}"));
        }
        assert_eq!(error(&client, "T.Reverse", "[\"fail\"]").await.message, "client says no");
        let calls = (0..32).map(|i| client.reverse(format!("call {i}")));
        for (i, text) in join_all(calls).await.into_iter().enumerate() {
            assert_eq!(text.unwrap(), format!("echo:call {i}"));
        }
        client.shutdown().await;
    }
}

#[tokio::test]
async fn an_answer_beyond_our_limit_costs_the_call_and_not_the_client() {
    if programs().is_none() {
        return;
    }
    for library in LIBRARIES {
        let (_server, address) = Program::server(library, "127.0.0.1:0").await;
        let limits = Limits { message_bytes: 1 << 20, ..Limits::default() };
        let limited = ClientConfig { limits, ..config() };
        let client = connect_with(&info("admin", &address, "ws"), limited.clone()).await.unwrap();
        let lost = CallError::from(client.repeat("x".into(), 2 << 20).await.unwrap_err());
        assert!(matches!(lost, CallError::Disconnected), "{lost:?}");
        assert_eq!(client.add(2, 3).await.unwrap(), 5);
        client.shutdown().await;
        let client = connect_with(&info("admin", &address, "http"), limited).await.unwrap();
        let refused = CallError::from(client.repeat("x".into(), 2 << 20).await.unwrap_err());
        assert!(matches!(refused, CallError::TooBig { what: "answer", .. }), "{refused:?}");
        assert_eq!(client.add(2, 3).await.unwrap(), 5);
    }
}

#[tokio::test]
async fn tokens() {
    if programs().is_none() {
        return;
    }
    for library in LIBRARIES {
        let (_server, address) = Program::server(library, "127.0.0.1:0").await;
        for transport in ["http", "ws"] {
            let reader = connect_with(&info("reader", &address, transport), config()).await.unwrap();
            assert_eq!(reader.add(2, 3).await.unwrap(), 5);
            let denied = CallError::from(reader.bytes(Pt::default()).await.unwrap_err());
            assert_eq!(denied.kind(), ErrorKind::Denied, "{denied}");
            let forged = match connect_with(&info("forged", &address, transport), config()).await {
                Ok(client) => client.call_raw("T.Void", None).await.unwrap_err(),
                Err(error) => error,
            };
            assert!(matches!(forged, CallError::Status { status: 401, .. }), "{forged:?}");
            assert_eq!(forged.kind(), ErrorKind::Unauthenticated);
        }
    }
}

//! Answers that are none, and servers that are not there.

use std::time::Duration;

use axum::{Router, body::Body, routing::any};
use futures::{SinkExt, StreamExt};
use http::{Request, Response, StatusCode};
use tokio::io::DuplexStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};
use venus_core::{
    error::{Classify, ErrorKind},
    rpc::{
        CallError, ChannelClosed, ChannelEvent, Dialect, Limits,
        client::{ClientConfig, Connect, Resubscribe, RpcClient, Socket, socket_over},
    },
};

use crate::support::{client, server};

async fn http_client(status: u16, body: &'static str) -> RpcClient {
    let answer = move |_: Request<Body>| async move {
        Response::builder().status(StatusCode::from_u16(status).unwrap()).body(Body::from(body)).unwrap()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", any(answer))).await });
    RpcClient::connect(&url, ClientConfig::default()).await.unwrap()
}

#[tokio::test]
async fn over_http() {
    let cases: &[(u16, &str, ErrorKind)] = &[
        (401, "", ErrorKind::Unauthenticated),
        (403, "", ErrorKind::Denied),
        (404, "404 page not found", ErrorKind::NotFound),
        (429, "slow down", ErrorKind::RateLimited),
        (502, "<html>bad gateway</html>", ErrorKind::Transient),
        (500, "", ErrorKind::Transient),
        (500, "panic!", ErrorKind::Transient),
        (301, "", ErrorKind::Transient),
        (200, "", ErrorKind::Corrupt),
        (200, "<html>", ErrorKind::Corrupt),
        (200, "{\"jsonrpc\":\"2.0\",", ErrorKind::Corrupt),
        (200, "{}", ErrorKind::Corrupt),
        (200, "[1,2]", ErrorKind::Corrupt),
        (200, "{\"id\":1,\"result\":\"no number\"}", ErrorKind::Corrupt),
        (500, "{\"id\":1,\"error\":{\"code\":-32602,\"message\":\"wrong param count\"}}", ErrorKind::Invalid),
        (
            400,
            "{\"id\":null,\"error\":{\"code\":-32600,\"message\":\"Invalid request\"}}",
            ErrorKind::Invalid,
        ),
    ];
    for (status, body, kind) in cases {
        let error = http_client(*status, body).await.call::<i64>("T.Add", Some("[1,2]")).await.unwrap_err();
        assert_eq!(error.kind(), *kind, "{status} {body}: {error:?}");
    }
    let long: &'static str = Box::leak("x".repeat(1 << 20).into_boxed_str());
    let error = http_client(502, long).await.call_raw("T.Void", None).await.unwrap_err();
    assert!(error.to_string().len() < 300);
}

#[tokio::test]
async fn nobody_listens() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("ws://127.0.0.1:{port}/rpc/v0?token=secret");
    let error = RpcClient::connect(&url, ClientConfig::default()).await.unwrap_err();
    assert!(
        matches!(error, CallError::Unreachable { .. }) && !error.to_string().contains("secret"),
        "{error}"
    );
    let client =
        RpcClient::connect(&format!("http://127.0.0.1:{port}/?token=secret"), ClientConfig::default()).await;
    let error = client.unwrap().call_raw("T.Void", None).await.unwrap_err();
    assert!(
        matches!(error, CallError::Unreachable { .. }) && !error.to_string().contains("secret"),
        "{error}"
    );
    for url in ["", "nonsense", "ftp://h", "ws://", "http://"] {
        assert!(RpcClient::connect(url, ClientConfig::default()).await.is_err(), "{url}");
    }
}

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

/// A client, and the bare server at the other end of its pipe.
async fn pair(config: ClientConfig) -> (RpcClient, WebSocketStream<DuplexStream>) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let client = RpcClient::connect_with(Once(tokio::sync::Mutex::new(Some(ours))), config).await.unwrap();
    (client, WebSocketStream::from_raw_socket(theirs, Role::Server, None).await)
}

#[tokio::test(start_paused = true)]
async fn garbage_from_a_server_is_survived() {
    let (client, mut server) = pair(ClientConfig::default()).await;
    let call = tokio::spawn(async move { client.call::<i64>("T.Add", Some("[1,2]")).await });
    server.next().await.unwrap().unwrap();
    for garbage in [
        "",
        "{",
        "[]",
        "[1]",
        "null",
        "{}",
        "{\"id\":{}}",
        "{\"id\":true,\"result\":1}",
        "{\"id\":77,\"result\":1}",
        "{\"id\":\"1\",\"result\":1}",
        "{\"id\":1.5,\"result\":1}",
        "{\"id\":-1,\"result\":1}",
        "{\"id\":1e300,\"result\":1}",
        "{\"method\":\"xrpc.ch.val\",\"params\":[]}",
        "{\"method\":\"xrpc.ch.val\",\"params\":[1]}",
        "{\"method\":\"xrpc.ch.val\",\"params\":[-1,1]}",
        "{\"method\":\"xrpc.ch.val\",\"params\":{}}",
        "{\"method\":\"xrpc.ch.val\"}",
        "{\"method\":\"xrpc.ch.close\",\"params\":[\"x\"]}",
        "{\"method\":\"xrpc.cancel\"}",
        "{\"method\":\"Cli.Echo\",\"id\":1,\"params\":[\"nobody serves this\"]}",
    ] {
        server.send(Message::text(garbage)).await.unwrap();
        server.send(Message::binary(vec![0xff, 0xfe])).await.unwrap();
    }
    server.send(Message::text("{\"id\":1,\"result\":3}")).await.unwrap();
    assert_eq!(call.await.unwrap().unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_channel_needs_a_number() {
    for result in ["null", "-1", "\"x\"", "{}", "1.5"] {
        let (client, mut server) = pair(ClientConfig::default()).await;
        let opening = tokio::spawn(async move {
            client.channel::<i64>("T.Count", None, Resubscribe::Never).await.map(drop)
        });
        server.next().await.unwrap().unwrap();
        server.send(Message::text(format!("{{\"id\":1,\"result\":{result}}}"))).await.unwrap();
        assert!(matches!(opening.await.unwrap(), Err(CallError::Decode { .. })), "{result}");
    }
}

/// Forest counts channels from 0 for the whole process.
#[tokio::test(start_paused = true)]
async fn a_channel_may_have_any_number() {
    let (client, mut server) = pair(ClientConfig::default()).await;
    let opening = tokio::spawn(async move {
        let mut channel = client.channel::<i64>("T.Count", None, Resubscribe::Never).await.unwrap();
        (channel.next().await, channel.next().await)
    });
    server.next().await.unwrap().unwrap();
    for frame in [
        "{\"id\":1,\"result\":0}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"xrpc.ch.val\",\"params\":[0,7]}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"xrpc.ch.close\",\"params\":[0]}",
    ] {
        server.send(Message::text(frame)).await.unwrap();
    }
    let (value, end) = opening.await.unwrap();
    assert!(matches!(value, Some(Ok(ChannelEvent::Value(7)))));
    assert!(matches!(end, Some(Ok(ChannelEvent::Closed(ChannelClosed::ByPeer)))));
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_a_timeout_and_a_cancellation() {
    let config = ClientConfig::default().with_deadline("T.Sleep", Duration::from_secs(3));
    let (client, mut server) = pair(config).await;
    let call = tokio::spawn(async move {
        let error = client.call_raw("T.Sleep", Some("[1]")).await.unwrap_err();
        (error, client)
    });
    let sent = server.next().await.unwrap().unwrap();
    assert!(sent.to_text().unwrap().contains("T.Sleep"));
    let (error, _client) = call.await.unwrap();
    assert!(matches!(&error, CallError::Timeout { after, .. } if after.as_secs() <= 3), "{error:?}");
    let cancel = server.next().await.unwrap().unwrap();
    assert_eq!(
        cancel.to_text().unwrap(),
        "{\"jsonrpc\":\"2.0\",\"method\":\"xrpc.cancel\",\"params\":[1]}\n"
    );
}

#[tokio::test(start_paused = true)]
async fn calls_after_the_end() {
    let server = server(Dialect::Fork);
    let client = client(&server).await;
    client.shutdown().await;
    assert!(matches!(client.call_raw("T.Void", None).await, Err(CallError::Closed)));
    assert!(!client.is_connected());
}

//! Bounds: of messages, of calls, of those who send and never read.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use venus_core::{
    error::{Classify, ErrorKind},
    rpc::{
        CallError, Dialect, Limits,
        client::{ClientConfig, RpcClient},
    },
};

use crate::support::{
    Pipe,
    bare::{Bare, Got},
    client, server_with,
};

#[tokio::test(start_paused = true)]
async fn a_message_too_big_closes_with_1009() {
    let server = server_with(Dialect::Upstream, Limits { message_bytes: 1000, ..Limits::default() });
    let mut bare = Bare::client(&server).await;
    let call =
        |size: usize| format!(r#"{{"id":1,"method":"T.Void","params":[],"x":"{}"}}"#, "y".repeat(size));
    bare.send(&call(900)).await;
    assert!(bare.text().await.contains("result"));
    bare.send(&call(2000)).await;
    let got = bare.all_within(Duration::from_secs(1)).await;
    assert_eq!(got, [Got::Close(Some(1009)), Got::Eof]);
}

/// Go writes the whole body before it reads: a server that closes earlier is a broken pipe to it.
#[tokio::test]
async fn a_body_too_big_is_refused_after_it_was_read() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = server_with(Dialect::Upstream, Limits { message_bytes: 8 << 20, ..Limits::default() });
    let listening = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v0"]).await.unwrap();
    let mut socket = tokio::net::TcpStream::connect(listening.local_addr()).await.unwrap();
    let body = vec![b'x'; 15 << 20];
    let head = format!("POST /rpc/v0 HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&body).await.unwrap();
    let mut answer = vec![0; 4096];
    let size = socket.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..size]).into_owned();
    assert!(
        answer.starts_with("HTTP/1.1 500 ") && answer.contains("bigger than maximum 8388608"),
        "{answer}"
    );
}

/// A length that lies: the frame header promises far more than the limit, and nothing is allocated for it.
#[tokio::test(start_paused = true)]
async fn a_lying_length_is_refused_at_once() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = server_with(Dialect::Fork, Limits::default());
    let (mut ours, theirs) = tokio::io::duplex(1 << 16);
    tokio::spawn(async move { server.serve_socket(theirs, crate::support::admin()).await });
    let header = [&[0x81u8, 0xff][..], &(1u64 << 62).to_be_bytes(), &[0; 4]].concat();
    ours.write_all(&header).await.unwrap();
    let mut rest = Vec::new();
    ours.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest[..4], [0x88, rest[1], 0x03, 0xf1], "a close frame with 1009");
}

#[tokio::test(start_paused = true)]
async fn a_client_does_not_send_what_is_too_big() {
    let server = server_with(Dialect::Fork, Limits::default());
    let limits = Limits { message_bytes: 1000, ..Limits::default() };
    let config = ClientConfig { limits, ..ClientConfig::default() };
    let client = RpcClient::connect_with(Pipe(server.clone()), config).await.unwrap();
    let params = format!("[\"{}\"]", "x".repeat(2000));
    let refused = client.call_raw("T.Reverse", Some(&params)).await.unwrap_err();
    assert!(matches!(refused, CallError::TooBig { .. }) && refused.kind() == ErrorKind::Invalid);
    client.call::<()>("T.Void", None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn calls_under_way_have_a_bound_on_both_sides() {
    let server = server_with(Dialect::Fork, Limits { calls: 2, ..Limits::default() });
    let mut bare = Bare::client(&server).await;
    for id in 1..=3 {
        bare.send(&format!(r#"{{"id":{id},"method":"T.Sleep","params":[1000]}}"#)).await;
    }
    assert!(bare.text().await.contains("too many calls under way"));
    assert!(bare.text().await.contains("slept") && bare.text().await.contains("slept"));
    bare.send(r#"{"id":4,"method":"T.Void"}"#).await;
    assert_eq!(bare.text().await, "{\"jsonrpc\":\"2.0\",\"id\":4}\n");

    let limits = Limits { calls: 1, ..Limits::default() };
    let config = ClientConfig { limits, ..ClientConfig::default() };
    let client = RpcClient::connect_with(Pipe(server.clone()), config).await.unwrap();
    let (first, second) =
        tokio::join!(client.call_raw("T.Sleep", Some("[1000]")), client.call_raw("T.Sleep", Some("[1000]")));
    assert!(first.is_ok() && matches!(second, Err(CallError::TooMany(1))));
}

#[tokio::test(start_paused = true)]
async fn a_method_has_a_deadline() {
    let limits = Limits { call_deadline: Duration::from_secs(5), ..Limits::default() };
    let server = server_with(Dialect::Fork, limits);
    let client = client(&server).await;
    let start = Instant::now();
    let late = client.call_raw("T.Sleep", Some("[60000]")).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 5);
    assert!(late.to_string().contains("context deadline exceeded"), "{late}");
}

/// Calls, never reads an answer: the session ends, and what waited for it is gone.
#[tokio::test(start_paused = true)]
async fn who_never_reads_is_dropped() {
    let limits = Limits { queue: 4, calls: 8, queue_bytes: 4096, ..Limits::default() };
    let server = server_with(Dialect::Fork, limits);
    let (ours, theirs) = tokio::io::duplex(1024);
    let serving = tokio::spawn({
        let server = server.clone();
        async move { server.serve_socket(theirs, crate::support::admin()).await }
    });
    let role = tokio_tungstenite::tungstenite::protocol::Role::Client;
    let mut bare = Bare(tokio_tungstenite::WebSocketStream::from_raw_socket(ours, role, None).await);
    let call =
        format!(r#"{{"id":1,"method":"T.Bytes","params":[{{"A":1,"B":"{}","C":null}}]}}"#, "x".repeat(500));
    let flood = tokio::spawn(async move {
        for _ in 0..10_000 {
            bare.send(&call).await;
        }
        bare
    });
    sleep(Duration::from_secs(120)).await;
    serving.await.unwrap();
    assert_eq!(server.sessions(), 0);
    flood.abort();
}

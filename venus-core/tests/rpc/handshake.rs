//! Upgrades over real sockets.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use venus_core::rpc::{
    Dialect, Limits,
    client::{ClientConfig, RpcClient},
};

use crate::support::{
    recording::{lines, text},
    server, server_with,
};

const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAA==";

async fn shake(address: std::net::SocketAddr, headers: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /rpc/v0 HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}

fn upgrade(extra: &str) -> String {
    format!(
        "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{extra}"
    )
}

/// Any origin, no subprotocol, no extension: the header names of the recorded answers.
#[tokio::test]
async fn recorded_handshakes() {
    let cases: Vec<_> = lines("jsonrpc-raw-ws.jsonl")
        .into_iter()
        .filter(|line| text(line, "case").starts_with("handshake"))
        .collect();
    assert_eq!(cases.len(), 9);
    let server = server(Dialect::Fork);
    let listening = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v0"]).await.unwrap();
    for line in &cases {
        let extra = format!("{}\r\n", text(&line["sent"][0], "header"));
        let answer = shake(listening.local_addr(), &upgrade(&extra)).await;
        assert!(answer.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{answer}");
        let mut names: Vec<String> =
            answer.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0.to_lowercase())).collect();
        names.retain(|name| name != "date");
        names.sort();
        assert_eq!(names, ["connection", "sec-websocket-accept", "upgrade"], "{}", text(line, "case"));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn half_a_handshake_is_refused() {
    let server = server(Dialect::Upstream);
    let listening = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v0"]).await.unwrap();
    for headers in [
        "Connection: Upgrade\r\n".to_owned(),
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n".to_owned(),
        upgrade("").replace("13", "8"),
        upgrade("").replace("websocket", "h2c"),
    ] {
        let answer = shake(listening.local_addr(), &headers).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{headers}: {answer}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn sessions_have_a_bound_and_shutdown_ends_them() {
    let server = server_with(Dialect::Fork, Limits { sessions: 2, ..Limits::default() });
    let listening = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v0", "/rpc/v1"]).await.unwrap();
    let url = |path| format!("ws://{}{path}", listening.local_addr());
    let first = RpcClient::connect(&url("/rpc/v0"), ClientConfig::default()).await.unwrap();
    let second = RpcClient::connect(&url("/rpc/v1"), ClientConfig::default()).await.unwrap();
    for client in [&first, &second] {
        assert_eq!(client.call::<i64>("T.Add", Some("[1,2]")).await.unwrap(), 3);
    }
    let third = RpcClient::connect(&url("/rpc/v0"), ClientConfig::default()).await.unwrap_err();
    assert!(third.to_string().contains("503"), "{third}");
    server.shutdown().await;
    assert_eq!(server.sessions(), 0);
    assert!(TcpStream::connect(listening.local_addr()).await.is_err());
}

//! Who stays connected: simulated peers that ping only, pong only, or say nothing.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};
use venus_core::rpc::{
    CallError, Dialect, Limits,
    client::{ClientConfig, Connect, RpcClient, Socket, socket_over},
};

use crate::support::{bare::Bare, server};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Peer {
    /// Sends pings and never a pong: old upstream.
    PingOnly,
    /// Answers pings: what the fork waits for.
    PongOnly,
    /// Sends data now and then.
    DataOnly,
    /// Nothing at all.
    Silent,
}

/// Plays `peer` on a bare socket. The codec queues a pong for each ping that it reads, so a peer without pongs does
/// not read. Returns when, after the start, the other side had closed; `None` if it had not after `time`.
async fn play(
    mut socket: WebSocketStream<tokio::io::DuplexStream>,
    peer: Peer,
    time: Duration,
) -> Option<Duration> {
    let start = Instant::now();
    let playing = async {
        loop {
            match peer {
                Peer::PingOnly => {
                    sleep(Duration::from_secs(5)).await;
                    if socket.send(Message::Ping("".into())).await.is_err() {
                        break;
                    }
                }
                Peer::DataOnly => {
                    sleep(Duration::from_secs(20)).await;
                    if socket.send(Message::text("{\"id\":99,\"result\":0}")).await.is_err() {
                        break;
                    }
                }
                Peer::PongOnly => {
                    if !matches!(socket.next().await, Some(Ok(_))) {
                        break;
                    }
                }
                Peer::Silent => {
                    // The end of the stream shows without answering anything.
                    let (_, mut read) = tokio::io::duplex(1);
                    let _ = tokio::io::AsyncReadExt::read(&mut read, &mut [0]).await;
                    let io = socket.get_mut();
                    let mut buffer = [0; 64];
                    while tokio::io::AsyncReadExt::read(io, &mut buffer).await.unwrap_or(0) > 0 {}
                    break;
                }
            }
        }
        start.elapsed()
    };
    timeout(time, playing).await.ok()
}

const MINUTES: Duration = Duration::from_secs(180);

#[tokio::test(start_paused = true)]
async fn a_server_keeps_every_peer_that_gives_a_sign_of_life() {
    for dialect in [Dialect::Fork, Dialect::Upstream] {
        for peer in [Peer::PingOnly, Peer::PongOnly, Peer::DataOnly] {
            let server = server(dialect);
            let bare = Bare::client(&server).await;
            assert_eq!(play(bare.0, peer, MINUTES).await, None, "{dialect:?} {peer:?}");
        }
        let server = server(dialect);
        let bare = Bare::client(&server).await;
        let closed = play(bare.0, Peer::Silent, MINUTES).await.expect("a silent client is closed");
        assert_eq!(closed.as_secs(), 30, "{dialect:?}");
        assert_eq!(server.sessions(), 0);
    }
}

/// A connector that hands out one end of a pipe once; the other end is played.
struct Once(tokio::sync::Mutex<Option<tokio::io::DuplexStream>>);

#[async_trait::async_trait]
impl Connect for Once {
    async fn connect(&self) -> Result<Socket, CallError> {
        match self.0.lock().await.take() {
            Some(io) => Ok(socket_over(io, &Limits::default()).await),
            None => std::future::pending().await,
        }
    }

    fn url(&self) -> &str {
        "pipe:"
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_keeps_every_server_that_gives_a_sign_of_life() {
    for (peer, stays) in
        [(Peer::PingOnly, true), (Peer::PongOnly, true), (Peer::DataOnly, true), (Peer::Silent, false)]
    {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let connector = Once(tokio::sync::Mutex::new(Some(ours)));
        let client = RpcClient::connect_with(connector, ClientConfig::default()).await.unwrap();
        let socket = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
        let closed = play(socket, peer, MINUTES).await;
        assert_eq!((closed.is_none(), client.is_connected()), (stays, stays), "{peer:?}");
        if let Some(closed) = closed {
            assert_eq!(closed.as_secs(), 30);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn both_ends_of_ours_stay_for_hours() {
    let server = server(Dialect::Fork);
    let client = crate::support::client(&server).await;
    sleep(Duration::from_secs(7200)).await;
    assert!(client.is_connected());
    assert_eq!(client.call::<i64>("T.Add", Some("[20,22]")).await.unwrap(), 42);
}

#[tokio::test(start_paused = true)]
async fn pings_go_out_every_five_seconds() {
    let server = server(Dialect::Upstream);
    let mut bare = Bare::client(&server).await;
    let start = Instant::now();
    for n in 1..=4 {
        assert_eq!(bare.next().await, crate::support::bare::Got::Ping);
        assert_eq!(start.elapsed().as_secs(), 5 * n);
    }
}

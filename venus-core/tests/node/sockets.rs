//! Real sockets: tokens, HTTP, and servers that are none.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message as Frame;
use venus_core::api::*;
use venus_core::error::{Classify, ErrorKind};
use venus_core::node::{LotusNode, NodeConfig, VenusNode};
use venus_core::rpc::server::{AuthError, Authenticate, RpcServer};
use venus_core::rpc::{ApiInfo, Identity, Permissions};
use venus_core::testing::suites::{self, ChainReaderFixture};

use crate::heads::{Consumer, suite_passes, world};
use crate::support::{Face, Style, config};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Lets `good` in, until that is revoked.
#[derive(Clone, Default)]
struct Good {
    revoked: Arc<AtomicBool>,
}

#[async_trait]
impl Authenticate for Good {
    async fn authenticate(
        &self,
        token: Option<&str>,
        _: &http::request::Parts,
    ) -> Result<Identity, AuthError> {
        match token {
            Some("good") if !self.revoked.load(Ordering::SeqCst) => {
                Ok(Identity::new("admin", Permissions::ALL))
            }
            _ => Err(AuthError::Unauthenticated),
        }
    }
}

async fn listening(face: &Face) -> (RpcServer, SocketAddr) {
    let server = RpcServer::new(face.service(), Good::default());
    let at = server.listen(LOOPBACK, &["/rpc/v0", "/rpc/v1"]).await.unwrap().local_addr();
    (server, at)
}

fn info(token: &str, address: &str) -> ApiInfo {
    format!("{token}:{address}").parse().unwrap()
}

#[tokio::test]
async fn addresses_and_tokens_of_both_tools() {
    let face = Face::new(world().await, Style::Venus);
    let message =
        face.world.chain.tipset_messages(&face.world.chain.head_now().parents()).await.unwrap()[0].0;
    let fixture = ChainReaderFixture { message, null_round: Some(2) };
    let (server, at) = listening(&face).await;
    let multiaddr = format!("/ip4/127.0.0.1/tcp/{}", at.port());
    let lotus = LotusNode::connect(&info("good", &multiaddr), config()).await.unwrap();
    assert!(lotus.url().starts_with("ws://") && lotus.url().ends_with("/rpc/v1"), "{}", lotus.url());
    suites::chain_reader(&lotus, &fixture).await;
    let over_http = format!("{multiaddr}/http");
    let polling = NodeConfig { poll: Some(Duration::from_millis(2)), ..config() };
    let venus = VenusNode::connect(&info("good", &over_http), polling).await.unwrap();
    assert!(venus.url().starts_with("http://"), "{}", venus.url());
    suites::chain_reader(&venus, &fixture).await;
    suite_passes(&face, &venus, || {}).await;
    suite_passes(&face, &lotus, || {}).await;
    server.shutdown().await;
    assert_eq!(venus.head().await.unwrap_err().kind(), ErrorKind::Transient);
}

#[tokio::test]
async fn wrong_tokens_are_refused_and_never_shown() {
    let face = Face::new(world().await, Style::Lotus);
    let (_server, at) = listening(&face).await;
    for address in [format!("/ip4/127.0.0.1/tcp/{}", at.port()), format!("http://{at}")] {
        for token in ["secret-but-wrong", ""] {
            let refused = LotusNode::connect(&info(token, &address), config()).await.unwrap_err();
            assert!(matches!(refused, ChainError::Unauthorized), "{refused:?}");
            assert!(token.is_empty() || !format!("{refused} {refused:?}").contains(token));
        }
        let node = LotusNode::connect(&info("good", &address), config()).await.unwrap();
        assert!(!format!("{node:?}").contains("good"));
    }
    let odd = LotusNode::connect(&info("good", "ftp://127.0.0.1:1"), config()).await.unwrap_err();
    assert_eq!(odd.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn nobody_at_the_address() {
    let closed = TcpListener::bind(LOOPBACK).await.unwrap().local_addr().unwrap();
    for address in [format!("ws://{closed}"), format!("http://{closed}")] {
        let lost = LotusNode::connect(&info("good", &address), config()).await.unwrap_err();
        assert_eq!(lost.kind(), ErrorKind::Transient, "{lost:?}");
    }
}

/// Answers every frame with these, to whatever was asked.
async fn babbler(frames: Vec<Frame>) -> SocketAddr {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let frames = frames.clone();
            tokio::spawn(async move {
                let Ok(mut socket) = tokio_tungstenite::accept_async(socket).await else { return };
                while let Some(Ok(_)) = socket.next().await {
                    for frame in &frames {
                        if socket.send(frame.clone()).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    at
}

#[tokio::test]
async fn servers_that_babble() {
    for frames in [
        vec![Frame::text("not json")],
        vec![Frame::binary(vec![0xff; 64]), Frame::text("{}"), Frame::text("[]")],
        vec![Frame::text(r#"{"jsonrpc":"2.0","id":1,"result":{"Version":5}}"#)],
        vec![Frame::text(r#"{"jsonrpc":"2.0","id":1,"result":"localnet-x"}"#), Frame::text("{\"id\":1,")],
        vec![Frame::text(r#"{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[1]}"#)],
        vec![Frame::Close(None)],
    ] {
        let at = babbler(frames.clone()).await;
        let mut config = config();
        config.client.deadline = Duration::from_millis(300);
        config.client.deadlines.clear();
        let error = LotusNode::connect(&info("good", &format!("ws://{at}")), config).await.unwrap_err();
        let known = [ErrorKind::Corrupt, ErrorKind::Transient, ErrorKind::Timeout, ErrorKind::Internal];
        assert!(known.contains(&error.kind()), "{frames:?}: {error:?}");
    }
}

#[tokio::test]
async fn servers_that_are_no_web_servers() {
    for answer in [
        "",
        "\0\0\0\0",
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nhello",
    ] {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = [0; 2048];
                let _ = socket.read(&mut request).await;
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        for scheme in ["ws", "http"] {
            let mut config = config();
            config.retries = 0;
            config.client.deadline = Duration::from_secs(5);
            let result = LotusNode::connect(&info("good", &format!("{scheme}://{at}")), config).await;
            let error = result.unwrap_err();
            assert!(
                matches!(error.kind(), ErrorKind::Transient | ErrorKind::Corrupt | ErrorKind::Invalid),
                "{scheme} {answer:?}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_feed_survives_the_restart_of_a_server() {
    let face = Face::new(world().await, Style::Lotus);
    let (server, at) = listening(&face).await;
    let node = LotusNode::connect(&info("good", &format!("ws://{at}")), config()).await.unwrap();
    let mut consumer = Consumer::start(&node, &face.world).await;
    server.shutdown().await;
    face.world.chain.mine(&[]).unwrap();
    face.world.chain.reorg(2, &[]).unwrap();
    let again = RpcServer::new(face.service(), Good::default());
    again.listen(at, &["/rpc/v1"]).await.unwrap();
    consumer.catch_up().await;
}

#[tokio::test]
async fn a_revoked_token_ends_streams_with_an_error() {
    let face = Face::new(world().await, Style::Lotus);
    let good = Good::default();
    let server = RpcServer::new(face.service(), good.clone());
    let at = server.listen(LOOPBACK, &["/rpc/v1"]).await.unwrap().local_addr();
    let polling = NodeConfig { poll: Some(Duration::from_millis(2)), ..config() };
    let node = LotusNode::connect(&info("good", &format!("http://{at}")), polling).await.unwrap();
    let mut consumer = Consumer::start(&node, &face.world).await;
    good.revoked.store(true, Ordering::SeqCst);
    let end = consumer.events.next().await.unwrap().unwrap_err();
    assert!(matches!(end, ChainError::Unauthorized), "{end:?}");
    assert!(consumer.events.next().await.is_none(), "an error ends the stream");
    let refused = node.heads(Resume::Head).next().await.unwrap().unwrap_err();
    assert!(matches!(refused, ChainError::Unauthorized), "{refused:?}");
    face.world.chain.reorg(2, &[]).unwrap();
    good.revoked.store(false, Ordering::SeqCst);
    consumer.events = node.heads(Resume::From(consumer.at.key().clone()));
    consumer.catch_up().await;
}

//! Faults on purpose, as a client meets them.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use venus_core::api::{ChainReader, Permissions};
use venus_core::node::{LotusNode, NodeConfig};
use venus_devnet::face::{FaceKind, Fault, FaultKind};

use crate::raw::{PATIENCE, frame, next_text, request};
use crate::served::{Served, world};

fn once(kind: FaultKind) -> Fault {
    Fault { kind, count: 1 }
}

#[tokio::test]
async fn errors_come_as_they_were_injected() {
    let served = Served::new(world(1), FaceKind::Lotus).await;
    let busy = FaultKind::Error { code: 1, message: "too many cooks".into() };
    served.face.faults().inject("Filecoin.ChainHead", Fault { kind: busy, count: 2 }).unwrap();
    for _ in 0..2 {
        assert_eq!(served.call("ChainHead", json!([])).await.error(), (1, "too many cooks".into()));
        assert_eq!(served.result("ChainGetGenesis", json!([])).await["Height"], 0);
    }
    assert_eq!(served.result("ChainHead", json!([])).await["Height"], 0);
}

#[tokio::test]
async fn a_delay_is_only_a_delay() {
    let served = Served::new(world(2), FaceKind::Venus).await;
    served.face.faults().inject("*", once(FaultKind::Delay(Duration::from_millis(1)))).unwrap();
    assert_eq!(served.result("ChainHead", json!([])).await["Height"], 0);
    served.face.faults().used_up().await;
}

#[tokio::test]
async fn connections_break() {
    let served = Served::new(world(3), FaceKind::Lotus).await;
    let token = served.token(Permissions::ALL);
    let head = request("ChainHead", &json!([]));
    served.face.faults().inject("ChainHead", Fault { kind: FaultKind::Disconnect, count: 2 }).unwrap();
    assert!(served.post("/rpc/v1", Some(&token), &head).await.is_none());
    let mut socket = served.websocket().await;
    socket.write_all(&frame(&head)).await.unwrap();
    assert_eq!(next_text(&mut socket).await, None);
    assert_eq!(served.result("ChainHead", json!([])).await["Height"], 0);
}

#[tokio::test]
async fn an_answer_that_never_comes_holds_up_nobody_else() {
    let served = Served::new(world(4), FaceKind::Lotus).await;
    served.face.faults().inject("ChainHead", once(FaultKind::Drop)).unwrap();
    let mut socket = served.websocket().await;
    socket.write_all(&frame(&request("ChainHead", &json!([])))).await.unwrap();
    served.face.faults().used_up().await;
    socket.write_all(&frame(&request("StateNetworkName", &json!([])))).await.unwrap();
    assert!(next_text(&mut socket).await.unwrap().contains("localnet-"));
    tokio::time::timeout(PATIENCE, served.server.shutdown()).await.expect("shutdown waits for nobody");
}

#[tokio::test]
async fn an_adapter_lives_with_them() {
    let served = Served::new(world(5), FaceKind::Lotus).await;
    let url = format!("http://{}/rpc/v1", served.server.local_addr());
    let node = LotusNode::connect_url(&url, NodeConfig::default()).await.unwrap();
    served.world.extend().await;
    let faults = served.face.faults();
    faults.inject("ChainHead", Fault { kind: FaultKind::Disconnect, count: 2 }).unwrap();
    let head = tokio::time::timeout(PATIENCE, node.head()).await.expect("an answer").unwrap();
    assert_eq!(head.key(), served.world.head().await.key());
    assert!(faults.pending().is_empty());
}

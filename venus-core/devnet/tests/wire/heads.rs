//! `ChainNotify` over sockets.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use venus_core::rpc::ApiInfo;
use venus_core::rpc::client::{Channel, ClientConfig, Resubscribe, RpcClient};
use venus_core::rpc::{ChannelClosed, ChannelEvent};
use venus_devnet::face::{FaceKind, Fault, FaultKind};

use crate::raw::{PATIENCE, frame, next_text, request};
use crate::served::{Served, world};

async fn client(served: &Served) -> RpcClient {
    let info: ApiInfo =
        format!("{}:ws://{}", served.token(venus_core::api::Permissions::ALL), served.server.local_addr())
            .parse()
            .unwrap();
    let config = ClientConfig::default().with_token(info.token.as_ref().unwrap());
    RpcClient::connect(&format!("ws://{}/rpc/v1", served.server.local_addr()), config).await.unwrap()
}

async fn next(channel: &mut Channel<Value>) -> ChannelEvent<Value> {
    tokio::time::timeout(PATIENCE, channel.next()).await.expect("nothing came").unwrap().unwrap()
}

fn heights(value: &ChannelEvent<Value>) -> Vec<(String, i64)> {
    let ChannelEvent::Value(steps) = value else { panic!("{value:?}") };
    let step =
        |step: &Value| (step["Type"].as_str().unwrap().to_owned(), step["Val"]["Height"].as_i64().unwrap());
    steps.as_array().unwrap().iter().map(step).collect()
}

#[tokio::test]
async fn everybody_hears_of_every_change() {
    let served = Served::new(world(1), FaceKind::Lotus).await;
    let client = client(&served).await;
    let mut channels = Vec::new();
    for _ in 0..20 {
        channels
            .push(client.channel::<Value>("Filecoin.ChainNotify", None, Resubscribe::Never).await.unwrap());
    }
    for channel in &mut channels {
        assert_eq!(heights(&next(channel).await), [("current".to_owned(), 0)]);
    }
    let head = served.world.extend().await.height();
    for channel in &mut channels {
        let mut seen = heights(&next(channel).await);
        while seen.last() != Some(&("apply".to_owned(), head)) {
            seen = heights(&next(channel).await);
        }
    }
    // Somebody who comes later begins where the chain stands.
    let mut late = client.channel::<Value>("Filecoin.ChainNotify", None, Resubscribe::Never).await.unwrap();
    assert_eq!(heights(&next(&mut late).await), [("current".to_owned(), head)]);
    drop(channels);
    let head = served.world.extend().await.height();
    let mut seen = Vec::new();
    while seen.last() != Some(&("apply".to_owned(), head)) {
        seen = heights(&next(&mut late).await);
    }
    client.shutdown().await;
    served.server.shutdown().await;
}

/// The request is cancelled by its id, and the channel is closed by its number.
#[tokio::test]
async fn a_channel_ends_when_its_client_says_so() {
    for kind in [FaceKind::Lotus, FaceKind::Venus] {
        let served = Served::new(world(2), kind).await;
        let mut socket = served.websocket().await;
        let subscribe = request("ChainNotify", &json!([])).replace("\"id\":1", "\"id\":7");
        socket.write_all(&frame(&subscribe)).await.unwrap();
        let opened = next_text(&mut socket).await.unwrap();
        assert!(opened.contains("\"result\":1") && opened.contains("\"id\":7"), "{opened}");
        assert!(next_text(&mut socket).await.unwrap().contains("\"current\""));
        socket.write_all(&frame(r#"{"jsonrpc":"2.0","method":"xrpc.cancel","params":[7]}"#)).await.unwrap();
        let closed = next_text(&mut socket).await.unwrap();
        assert!(closed.contains("xrpc.ch.close") && closed.contains("[1]"), "{closed}");
        // The socket is good for other calls, and nothing of the channel comes any more.
        served.world.extend().await;
        socket.write_all(&frame(&request("StateNetworkName", &json!([])))).await.unwrap();
        assert!(next_text(&mut socket).await.unwrap().contains("localnet-"));
        served.server.shutdown().await;
    }
}

#[tokio::test]
async fn a_slow_reader_is_let_go() {
    let served = Served::new(world(3), FaceKind::Lotus).await;
    served.face.faults().inject("ChainNotify", Fault { kind: FaultKind::SlowReader, count: 1 }).unwrap();
    let client = client(&served).await;
    let mut slow = client.channel::<Value>("Filecoin.ChainNotify", None, Resubscribe::Never).await.unwrap();
    assert_eq!(heights(&next(&mut slow).await), [("current".to_owned(), 0)]);
    assert!(matches!(next(&mut slow).await, ChannelEvent::Closed(ChannelClosed::ByPeer)));
    let mut again = client.channel::<Value>("Filecoin.ChainNotify", None, Resubscribe::Never).await.unwrap();
    assert_eq!(heights(&next(&mut again).await), [("current".to_owned(), 0)]);
}

#[tokio::test]
async fn what_comes_to_the_pool_and_leaves_it() {
    let served = Served::new(world(4), FaceKind::Venus).await;
    let client = client(&served).await;
    let mut updates = client.channel::<Value>("Filecoin.MpoolSub", None, Resubscribe::Never).await.unwrap();
    let sent = served.world.send(served.world.bls, served.world.secp, 1).await;
    let ChannelEvent::Value(added) = next(&mut updates).await else { panic!() };
    assert_eq!(
        (added["Type"].as_i64(), &added["Message"]["Message"]["CID"]["/"]),
        (Some(0), &json!(sent[0].cid().to_string()))
    );
    served.world.extend().await;
    let ChannelEvent::Value(removed) = next(&mut updates).await else { panic!() };
    assert_eq!(removed["Type"], 1);
}

#[tokio::test]
async fn faults_reach_the_channel_of_the_pool() {
    let served = Served::new(world(5), FaceKind::Lotus).await;
    let faults = served.face.faults();
    let refused = FaultKind::Error { code: 1, message: "no channel today".into() };
    faults.inject("MpoolSub", Fault { kind: refused, count: 1 }).unwrap();
    faults.inject("MpoolSub", Fault { kind: FaultKind::SlowReader, count: 1 }).unwrap();
    let client = client(&served).await;
    let open = || client.channel::<Value>("Filecoin.MpoolSub", None, Resubscribe::Never);
    let refusal = open().await.expect_err("refused");
    assert!(refusal.to_string().contains("no channel today"), "{refusal}");
    let mut slow = open().await.unwrap();
    assert!(matches!(next(&mut slow).await, ChannelEvent::Closed(ChannelClosed::ByPeer)));
    let mut good = open().await.unwrap();
    served.world.send(served.world.bls, served.world.secp, 1).await;
    assert!(matches!(next(&mut good).await, ChannelEvent::Value(_)));
    assert!(faults.pending().is_empty());
}

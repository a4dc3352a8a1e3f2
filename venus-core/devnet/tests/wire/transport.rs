//! Frames, bodies and paths that are not as they should be: the documented error, and the chain goes on.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use venus_core::api::{ChainReader, Permissions};
use venus_devnet::face::FaceKind;

use crate::raw::{PATIENCE, frame, next_text, request};
use crate::served::{Served, world};

#[tokio::test]
async fn calls_that_do_not_reach_a_method() {
    let calls = [
        ("NoSuchMethod", json!([]), -32601, "method 'Filecoin.NoSuchMethod' not found"),
        ("ChainHead", json!([1]), -32602, "wrong param count (method 'Filecoin.ChainHead'): 1 != 0"),
        ("ChainGetTipSet", json!([]), -32602, "wrong param count (method 'Filecoin.ChainGetTipSet'): 0 != 1"),
        (
            "ChainGetTipSet",
            json!(["x"]),
            -32700,
            "unmarshaling params for 'Filecoin.ChainGetTipSet' (param: *types.TipSetKey): \
             json: cannot unmarshal string into Go value of type []cid.Cid",
        ),
        (
            "StateMinerInfo",
            json!(["zz", []]),
            -32700,
            "unmarshaling params for 'Filecoin.StateMinerInfo' (param: *address.Address): invalid address length",
        ),
        (
            "StateNetworkName",
            json!({}),
            -32700,
            "unmarshaling param array: json: cannot unmarshal object into Go value of type []jsonrpc.param",
        ),
        (
            "ChainNotify",
            json!([]),
            -32601,
            "method 'Filecoin.ChainNotify' not supported in this mode (no out channel support)",
        ),
    ];
    let lotus = Served::new(world(1), FaceKind::Lotus).await;
    let venus = Served::new(world(1), FaceKind::Venus).await;
    for (method, params, code, text) in calls {
        let reply = lotus.call(method, params.clone()).await;
        assert_eq!((reply.status, reply.error()), (500, (code, text.to_owned())));
        let reply = venus.call(method, params).await;
        let repeated = if code == -32700 { format!(": error code {code}") } else { String::new() };
        assert_eq!(
            (reply.status, reply.error()),
            (500, (code, format!("(error code {code}) {text}{repeated}")))
        );
    }
}

#[tokio::test]
async fn forest_takes_calls_without_their_last_parameters() {
    let served = Served::new(world(2), FaceKind::Forest).await;
    let genesis = served.result("ChainGetTipSetByHeight", json!([0])).await;
    assert_eq!(genesis["Height"], 0);
    let block = &genesis["Blocks"][0];
    assert!(block.get("BLSAggregate").is_none() && block.get("BlockSig").is_none(), "{block}");
    assert!(block.get("Ticket").is_some());
    let reply = served.call("ChainGetBlock", json!([])).await;
    assert_eq!(reply.error().0, -32700, "a CID cannot be left out");
    let reply = served.call("ChainGetMessage", json!([genesis["Cids"][0]])).await;
    assert_eq!(reply.error().0, -32603);
    assert_eq!(served.result("StateGetActor", json!(["t0999999", []])).await, Value::Null);
}

#[tokio::test]
async fn paths() {
    for (kind, v2) in [(FaceKind::Lotus, 200), (FaceKind::Venus, 404), (FaceKind::Forest, 200)] {
        let served = Served::new(world(3), kind).await;
        let token = served.token(Permissions::ALL);
        let version = |path: &'static str| {
            let (served, token) = (&served, &token);
            async move { served.post(path, Some(token), &request("Version", &json!([]))).await.unwrap() }
        };
        assert_eq!(version("/rpc/v1").await.json()["result"]["APIVersion"], 131_840);
        assert_eq!(version("/rpc/v0").await.json()["result"]["APIVersion"], 66_816);
        let reply = version("/rpc/v3").await;
        assert_eq!((reply.status, reply.body.as_str()), (404, "404 page not found\n"));
        let latest = request("ChainGetTipSet", &json!([{ "tag": "latest" }]));
        let reply = served.post("/rpc/v2", Some(&token), &latest).await.unwrap();
        assert_eq!(reply.status, v2, "{reply:?}");
        if v2 == 200 {
            assert_eq!(reply.json()["result"]["Height"], 0);
            let nobody = request("StateGetActor", &json!(["t0999999", { "tag": "latest" }]));
            let reply = served.post("/rpc/v2", Some(&token), &nobody).await.unwrap();
            assert_eq!(reply.json()["result"], Value::Null);
        }
    }
}

#[tokio::test]
async fn bodies_that_are_no_requests() {
    let lotus = Served::new(world(4), FaceKind::Lotus).await;
    let venus = Served::new(world(4), FaceKind::Venus).await;
    let batch = "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"Filecoin.ChainHead\",\"params\":[]}]";
    for (body, status) in [("{bad json", 500), ("", 400), ("[]", 400), (batch, 200)] {
        let token = lotus.token(Permissions::ALL);
        let reply = lotus.post("/rpc/v1", Some(&token), body).await.unwrap();
        assert_eq!(reply.status, status, "{body}: {reply:?}");
        let reply = venus.post("/rpc/v1", Some(&token), body).await.unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (500, ""), "{body}");
    }
    for served in [lotus, venus] {
        served.world.extend().await;
        assert!(served.result("ChainHead", json!([])).await["Height"].as_i64() > Some(0));
    }
}

#[tokio::test]
async fn frames_that_break_off() {
    for kind in [FaceKind::Lotus, FaceKind::Venus] {
        let served = Served::new(world(5), kind).await;
        let whole = frame(&request("ChainHead", &json!([])));
        for cut in [1, 3, 9, whole.len() / 2, whole.len() - 1] {
            let mut socket = served.websocket().await;
            socket.write_all(&whole[..cut]).await.unwrap();
            socket.shutdown().await.unwrap();
            assert_eq!(next_text(&mut socket).await, None, "{kind:?} {cut}");
        }
        let mut socket = served.websocket().await;
        socket.write_all(&whole).await.unwrap();
        assert!(next_text(&mut socket).await.unwrap().contains("Blocks"));
        drop(socket);
        served.server.shutdown().await;
    }
}

/// Channels of clients that read nothing fill their buffers and no others.
#[tokio::test]
async fn clients_that_never_read() {
    let served = Served::new(world(6), FaceKind::Venus).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        let mut socket = served.websocket().await;
        for id in 0..16 {
            let subscribe = request("ChainNotify", &json!([])).replace("\"id\":1", &format!("\"id\":{id}"));
            socket.write_all(&frame(&subscribe)).await.unwrap();
        }
        silent.push(socket);
    }
    let mut listening = served.websocket().await;
    listening.write_all(&frame(&request("ChainNotify", &json!([])))).await.unwrap();
    assert!(next_text(&mut listening).await.unwrap().contains("\"result\":1"));
    assert!(next_text(&mut listening).await.unwrap().contains("current"));
    for _ in 0..24 {
        let head = served.world.extend().await;
        // An epoch of several blocks is several changes.
        let key = head.cids().last().unwrap().to_string();
        while !next_text(&mut listening).await.expect("still served").contains(&key) {}
    }
    assert!(served.result("ChainHead", json!([])).await["Height"].as_i64() >= Some(24));
    let head = served.world.devnet.head().await.unwrap();
    assert_eq!(served.result("ChainHead", json!([])).await["Height"], head.height());
    drop(silent);
    tokio::time::timeout(PATIENCE, served.server.shutdown()).await.expect("shutdown waits for nobody");
}

//! Executing for the answer's sake, and parameters.

use serde_json::{Value, json};
use venus_core::api::{ChainReader, SearchOptions, StateReader};
use venus_devnet::face::FaceKind;

use crate::support::World;
use crate::wire::{MINER, NOBODY, Wire, key_of, message, number};

#[tokio::test]
async fn params_are_decoded_and_encoded() {
    let wire = Wire::of(World::new(1, 1), FaceKind::Venus).await;
    let decoded = wire.get("StateDecodeParams", json!([MINER, 16, "gUA=", []])).await;
    assert_eq!(decoded, json!({"AmountRequested": "0"}));
    let code = wire.get("StateGetActor", json!([MINER, []])).await["Code"].clone();
    assert_eq!(wire.get("StateEncodeParams", json!([code, 16, decoded])).await, json!("gUA="));
    let codes = wire.get("StateActorCodeCIDs", json!([28])).await;
    assert_eq!(codes["storageminer"], code);
    assert_eq!(codes.as_object().unwrap().len(), 16);
    let (_, text) = wire.refusal("StateDecodeParams", json!([MINER, 12345, "gUA=", []])).await;
    assert!(text.starts_with("getting params type: unknown method 12345"), "{text}");
    assert!(wire.call("StateDecodeParams", json!([MINER, 16, "gQ==", []])).await.is_err());
    assert!(wire.call("StateActorManifestCID", json!([1])).await.is_err());
}

#[tokio::test]
async fn calls_are_executed_and_forgotten() {
    for kind in [FaceKind::Venus, FaceKind::Lotus] {
        let wire = Wire::new(kind).await;
        let (k, from) = (wire.key().await, Wire::text(&wire.world.bls));
        let nonce = wire.get("StateGetActor", json!([from, k])).await["Nonce"].clone();
        let sent = wire.get("StateCall", json!([message(&from, &from, "0", 0), k])).await;
        assert_eq!((&sent["MsgRct"]["ExitCode"], &sent["Error"]), (&json!(0), &json!("")));
        assert_eq!(
            (&sent["Msg"]["Nonce"], &sent["Msg"]["GasLimit"]),
            (&nonce, &json!(4_611_686_018_427_387_903_u64))
        );
        assert_eq!(sent["MsgCid"], sent["Msg"]["CID"]);
        assert_eq!(sent["GasCost"]["Message"], Value::Null);
        assert_eq!(sent["GasCost"]["TotalCost"], json!("0"));

        let poor = wire
            .get("StateCall", json!([message(&from, &from, "999999999999999999999999999999", 0), k]))
            .await;
        assert_eq!(poor["MsgRct"]["ExitCode"], json!(6));
        assert!(poor["Error"].as_str().unwrap().contains("(RetCode=6)"));

        let asked = wire.get("StateCall", json!([message(&from, MINER, "0", 2), k])).await;
        assert_eq!(asked["MsgRct"]["ExitCode"], json!(0));
        let trace = &asked["ExecutionTrace"];
        assert_eq!(trace["InvokedActor"]["Id"], json!(1000));
        assert_eq!(
            (&trace["MsgRct"]["Return"], &trace["MsgRct"]["ReturnCodec"]),
            (&asked["MsgRct"]["Return"], &json!(81))
        );
        assert_eq!(trace["Subcalls"], Value::Null);
        assert!(!trace["GasCharges"].as_array().unwrap().is_empty());

        let (_, text) = wire.refusal("StateCall", json!([message(NOBODY, MINER, "0", 2), k])).await;
        assert!(text.contains("actor not found"), "{text}");
        assert_eq!(wire.get("StateGetActor", json!([from, k])).await["Nonce"], nonce);
    }
}

#[tokio::test]
async fn a_replay_is_what_happened() {
    let wire = Wire::of(World::new(34, 2), FaceKind::Lotus).await;
    for (from, to) in [(wire.world.bls, wire.world.secp), (wire.world.secp, wire.world.bls)] {
        let sent = wire.world.send(from, to, 2).await;
        let tipset = wire.world.extend().await;
        wire.world.extend().await;
        for signed in &sent {
            let cid = json!({"/": signed.cid().to_string()});
            let receipt =
                wire.world.devnet.search_message(&signed.cid(), &SearchOptions::default()).await.unwrap();
            let receipt = serde_json::to_value(receipt.unwrap().receipt).unwrap();
            let replayed = wire.get("StateReplay", json!([[], cid])).await;
            assert_eq!((&replayed["MsgCid"], &replayed["GasCost"]["Message"]), (&cid, &cid));
            assert_eq!(replayed["MsgRct"], receipt);
            assert_eq!(replayed["GasCost"]["GasUsed"], json!(receipt["GasUsed"].to_string()));
            let cost = &replayed["GasCost"];
            let parts = ["BaseFeeBurn", "OverEstimationBurn", "MinerTip"].map(|part| number(&cost[part]));
            assert_eq!(parts.iter().sum::<u128>(), number(&cost["TotalCost"]));
            let mut there = wire.get("StateReplay", json!([key_of(&tipset), cid])).await;
            there["Duration"] = replayed["Duration"].clone();
            assert_eq!(there, replayed);
        }
    }
    let nowhere = json!({"/": "bafy2bzacebp3shtrn43k7g3unredz7fxn4gj533d3o43tqn2p2ipxxhrvchve"});
    assert!(wire.call("StateReplay", json!([[], nowhere])).await.is_err());
    assert!(wire.call("StateReplay", json!([wire.key().await, nowhere])).await.is_err());
}

#[tokio::test]
async fn computing_a_tipset_gives_what_its_child_names() {
    let wire = Wire::of(World::new(35, 3), FaceKind::Lotus).await;
    wire.world.send(wire.world.bls, wire.world.secp, 3).await;
    wire.world.send(wire.world.secp, wire.world.bls, 2).await;
    let tipset = wire.world.extend().await;
    let child = wire.world.extend().await;
    let compute = async |messages: Value| {
        wire.get("StateCompute", json!([tipset.height(), messages, key_of(&tipset)])).await
    };
    let computed = compute(json!([])).await;
    assert_eq!(computed["Root"], json!({"/": child.parent_state().to_string()}));
    let trace = computed["Trace"].as_array().unwrap();
    let (implicit, explicit): (Vec<_>, Vec<_>) =
        trace.iter().partition(|one| one["Msg"]["From"] == json!("t00"));
    // A reward for each block, and cron.
    assert!(implicit.len() > tipset.blocks().len());
    let receipts = wire.world.devnet.parent_receipts(&child.cids()[0]).await.unwrap();
    let found: Vec<_> = explicit.iter().map(|one| one["MsgRct"].clone()).collect();
    assert_eq!(json!(found), serde_json::to_value(receipts).unwrap());
    let cids: Vec<_> = explicit.iter().map(|one| one["MsgCid"].clone()).collect();
    let executed = wire.world.devnet.parent_messages(&child.cids()[0]).await.unwrap();
    let on_chain: Vec<_> = executed.iter().map(|(cid, _)| json!({"/": cid.to_string()})).collect();
    assert_eq!(cids, on_chain);
    // With one more message the state is another.
    let more = wire.world.transfer(wire.world.bls, wire.world.secp, 3).await.message;
    let more = serde_json::to_value(venus_core::json::Json(more)).unwrap();
    assert_ne!(compute(json!([more])).await["Root"], computed["Root"]);
    let (_, text) = wire.refusal("StateCompute", json!([0, [], key_of(&tipset)])).await;
    assert!(text.contains("below"), "{text}");
}

#[tokio::test]
async fn the_deposit_makes_a_miner_and_less_does_not() {
    let wire = Wire::of(World::new(37, 1), FaceKind::Lotus).await;
    let from = Wire::text(&wire.world.bls);
    let deposit = number(&wire.get("StateMinerCreationDeposit", json!([[]])).await);
    let code = wire.get("StateGetActor", json!(["t04", []])).await["Code"].clone();
    let worker = from.clone();
    let params = json!({"Owner": from, "Worker": worker, "WindowPoStProofType": 10, "Peer": "Bw==", "Multiaddrs": null});
    let params = wire.get("StateEncodeParams", json!([code, 2, params])).await;
    for (value, succeeds) in [(deposit - 1, false), (deposit, true)] {
        let mut create = message(&from, "t04", &value.to_string(), 2);
        create["Params"] = params.clone();
        let result = wire.get("StateCall", json!([create, []])).await;
        assert_eq!(result["MsgRct"]["ExitCode"] == json!(0), succeeds, "{value}: {}", result["Error"]);
        assert!(!succeeds || !result["ExecutionTrace"]["Subcalls"].as_array().unwrap().is_empty());
    }
}

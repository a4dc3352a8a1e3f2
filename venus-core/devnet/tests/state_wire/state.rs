//! Answers are those of the state, and change with it.

use serde_json::{Value, json};
use venus_core::api::{ChainReader, GasEstimator, GasSpec, MessagePool, MinerReader, SignerExt, StateReader};
use venus_core::json::{Face as Writer, Json, with_face, with_network};
use venus_core::types::{Address, BitField, Message, Network, Tipset};
use venus_devnet::StateChange;
use venus_devnet::face::FaceKind;

use crate::support::{self, World};
use crate::wire::{MINER, Wire, key_of, message, number};

#[tokio::test]
async fn state_at_a_tipset_is_what_its_messages_were_executed_on() {
    let wire = Wire::of(World::new(32, 2), FaceKind::Venus).await;
    let sender = Wire::text(&wire.world.bls);
    let nonce = async |key: Value| wire.get("StateGetActor", json!([sender, key])).await["Nonce"].clone();
    wire.world.send(wire.world.bls, wire.world.secp, 1).await;
    let with_message = wire.world.extend().await;
    // The message is in the head, so the state that nodes answer with does not know of it.
    assert_eq!(nonce(json!([])).await, json!(0));
    assert_eq!(nonce(key_of(&with_message)).await, json!(0));
    assert_eq!(
        wire.world.nonce(&wire.world.bls).await,
        1,
        "in the process the empty key is the newest state"
    );
    let child = wire.world.extend().await;
    assert_eq!(nonce(json!([])).await, json!(1));
    assert_eq!(nonce(key_of(&child)).await, json!(1));
    assert_eq!(nonce(key_of(&with_message)).await, json!(0));
    assert_eq!(nonce(Value::Null).await, json!(1));
}

#[tokio::test]
async fn balances_follow_transfers() {
    let wire = Wire::of(World::new(33, 2), FaceKind::Lotus).await;
    let (from, to) = (wire.world.bls, wire.world.signer.new_secp());
    let (text, key) = (Wire::text(&to), wire.key().await);
    assert_eq!(wire.refusal("StateGetActor", json!([text, key])).await.1, "actor not found");
    let supply: u128 = number(&wire.get("StateCirculatingSupply", json!([key])).await);
    wire.world.send(from, to, 3).await;
    wire.world.extend().await;
    wire.world.extend().await;
    let key = wire.key().await;
    let actor = wire.get("StateGetActor", json!([text, key])).await;
    assert_eq!((&actor["Balance"], &actor["Nonce"]), (&json!("21"), &json!(0)));
    let state = wire.get("StateReadState", json!([text, key])).await;
    assert_eq!((&state["Balance"], &state["State"]), (&json!("21"), &json!({"Address": text})));
    let id = wire.get("StateLookupID", json!([text, key])).await;
    assert!(wire.get("StateListActors", json!([key])).await.as_array().unwrap().contains(&id));
    assert_eq!(wire.get("StateAccountKey", json!([id, key])).await, json!(text));
    // Rewards came into circulation.
    assert!(number(&wire.get("StateCirculatingSupply", json!([key])).await) > supply);
    let messages = wire.get("StateListMessages", json!([{"To": text}, key, 0])).await;
    assert_eq!(messages.as_array().unwrap().len(), 3);
    let nobody = json!([{"To": text, "From": text}, key, 0]);
    assert_eq!(wire.get("StateListMessages", nobody).await, Value::Null);
}

#[tokio::test]
async fn changed_actors_are_those_that_differ() {
    let wire = Wire::new(FaceKind::Lotus).await;
    let head = wire.world.head().await;
    let genesis = wire.world.devnet.genesis().await.unwrap();
    let root = |tipset: &Tipset| json!({"/": tipset.parent_state().to_string()});
    let changed = wire.get("StateChangedActors", json!([root(&genesis), root(&head)])).await;
    let sender = wire.get("StateLookupID", json!([Wire::text(&wire.world.bls), []])).await;
    let changed = changed.as_object().unwrap();
    assert!(changed.contains_key(sender.as_str().unwrap()) && !changed.contains_key("t00"));
    let same = wire.get("StateChangedActors", json!([root(&head), root(&head)])).await;
    assert_eq!(same, json!({}));
    let unknown = json!({"/": "bafy2bzacebp3shtrn43k7g3unredz7fxn4gj533d3o43tqn2p2ipxxhrvchve"});
    let (_, text) = wire.refusal("StateChangedActors", json!([unknown, root(&head)])).await;
    assert!(text.starts_with("failed to load old state tree"), "{text}");
}

#[tokio::test]
async fn sectors_and_power_are_those_of_the_state() {
    let wire = Wire::new(FaceKind::Venus).await;
    let (k, miner) = (wire.key().await, Address::new_id(1000));
    let at = wire.world.head().await.key().clone();
    let sectors = wire.get("StateMinerSectors", json!([MINER, null, k])).await;
    assert_eq!(sectors.as_array().unwrap().len(), 8);
    let one = wire.get("StateMinerSectors", json!([MINER, [3, 1], k])).await;
    assert_eq!(one, json!([sectors[3]]));
    assert_eq!(wire.get("StateSectorGetInfo", json!([MINER, 3, k])).await, sectors[3]);
    assert_eq!(wire.get("StateMinerActiveSectors", json!([MINER, k])).await, sectors);
    let count = wire.get("StateMinerSectorCount", json!([MINER, k])).await;
    assert_eq!(count, json!({"Live": 8, "Active": 8, "Faulty": 0}));
    assert_eq!(wire.get("StateMinerAllocated", json!([MINER, k])).await, json!([0, 8]));
    let place = wire.get("StateSectorPartition", json!([MINER, 3, k])).await;
    let partitions = wire.get("StateMinerPartitions", json!([MINER, place["Deadline"], k])).await;
    let index = usize::try_from(place["Partition"].as_u64().unwrap()).unwrap();
    assert_ne!(partitions[index]["AllSectors"], json!([0]));
    let deadline = wire.get("StateMinerProvingDeadline", json!([MINER, k])).await;
    let info = wire.world.devnet.proving_deadline(&miner, &at).await.unwrap();
    assert_eq!(deadline, serde_json::to_value(info).unwrap());
    assert_eq!(deadline["CurrentEpoch"], json!(wire.world.head().await.height()));
    let end = wire.get("StateSectorExpiration", json!([MINER, 3, k])).await;
    assert!(end["OnTime"].as_i64() >= sectors[3]["Expiration"].as_i64());
}

#[tokio::test]
async fn prices_carry_a_margin_and_follow_verified_deals() {
    let wire = Wire::new(FaceKind::Lotus).await;
    let k = wire.key().await;
    let pledge = async |verified: u64| {
        number(&wire.get("StateMinerInitialPledgeForSector", json!([518_400, 2048, verified, k])).await)
    };
    let (plain, full) = (pledge(0).await, pledge(2048).await);
    assert!(full >= 9 * plain && plain > 0, "{plain} {full}");
    let sector = json!({
        "SealProof": 5, "SectorNumber": 9, "SealRandEpoch": 0, "DealIDs": [], "Expiration": 600_000,
        "SealedCID": {"/": "bagboea4b5abcatlxechwbp7kjpjguna6r6q7ejrhe6mdp3lf34pmswn27pkkiekz"}, "UnsealedCid": null,
    });
    let collateral = wire.get("StateMinerInitialPledgeCollateral", json!([MINER, sector, k])).await;
    assert_eq!(number(&collateral), plain);
    let deposit = wire.get("StateMinerPreCommitDepositForPower", json!([MINER, sector, k])).await;
    assert!(number(&deposit) > 0);
    let bounds = wire.get("StateDealProviderCollateralBounds", json!([2048, true, k])).await;
    assert!(number(&bounds["Min"]) > 0 && number(&bounds["Min"]) < number(&bounds["Max"]));
    let zeros = json!({"/": "baga6ea4seaqpy7usqklokfx2vxuynmupslkeutzexe2uqurdg5vhtebhxqmpqmy"});
    assert_eq!(wire.get("StateComputeDataCID", json!([MINER, 5, [], k])).await, zeros);
}

#[tokio::test]
async fn the_wire_writes_what_the_process_reads() {
    for (kind, writer) in [(FaceKind::Venus, Writer::Venus), (FaceKind::Lotus, Writer::Lotus)] {
        let wire = Wire::new(kind).await;
        let devnet = &wire.world.devnet;
        let (at, k) = (wire.world.head().await.key().clone(), wire.key().await);
        for miner in devnet.miners() {
            let text = Wire::text(&miner);
            let info = devnet.info(&miner, &at).await.unwrap();
            let json =
                with_face(writer, || with_network(Network::Testnet, || serde_json::to_value(&info))).unwrap();
            assert_eq!(wire.get("StateMinerInfo", json!([text, k])).await, json);
            let actor = devnet.actor(&miner, &at).await.unwrap().unwrap();
            let json = with_network(Network::Testnet, || serde_json::to_value(&actor)).unwrap();
            assert_eq!(wire.get("StateGetActor", json!([text, k])).await, json);
        }
    }
}

#[tokio::test]
async fn the_wire_sees_what_messages_change() {
    let wire = Wire::of(World::new(36, 2), FaceKind::Lotus).await;
    let world = &wire.world;
    let info = wire.get("StateMinerInfo", json!([MINER, []])).await;
    assert_eq!(info["ControlAddresses"], Value::Null);
    let control = wire.get("StateLookupID", json!([Wire::text(&world.secp), []])).await;
    let code = wire.get("StateGetActor", json!([MINER, []])).await["Code"].clone();
    let params = json!({"NewWorker": info["Worker"], "NewControlAddrs": [control]});
    let params = wire.get("StateEncodeParams", json!([code, 3, params])).await;
    tell(&wire, 3, params).await;
    let before = world.extend().await;
    world.extend().await;
    assert_eq!(wire.get("StateMinerInfo", json!([MINER, []])).await["ControlAddresses"], json!([control]));
    let then = wire.get("StateMinerInfo", json!([MINER, key_of(&before)])).await;
    assert_eq!(then["ControlAddresses"], Value::Null);
}

#[tokio::test]
async fn the_wire_sees_power_balances_and_faults_change() {
    for kind in [FaceKind::Venus, FaceKind::Lotus] {
        let wire = Wire::of(World::new(38, 2), kind).await;
        let (devnet, miner) = (&wire.world.devnet, Address::new_id(1000));
        let power = async || wire.get("StateMinerPower", json!([MINER, []])).await["MinerPower"].clone();
        assert_eq!(power().await["RawBytePower"], json!("16384"));
        let sectors = BitField::try_from_bits([1]).unwrap();
        let grant = StateChange::GrantPower { miner, raw: 4096.into(), quality_adjusted: 8192.into() };
        let balance = StateChange::SetBalance { address: wire.world.secp, balance: support::fil(7) };
        let fault = StateChange::FaultSectors { miner, sectors };
        for change in [grant, balance, fault] {
            devnet.change_state(change).unwrap();
        }
        for _ in 0..3 {
            wire.world.extend().await;
        }
        assert_eq!(power().await["RawBytePower"], json!((16384 + 4096 - 2048).to_string()));
        let secp = Wire::text(&wire.world.secp);
        let actor = wire.get("StateGetActor", json!([secp, []])).await;
        assert_eq!(actor["Balance"], json!("7000000000000000000"));
        assert_eq!(wire.get("StateMinerFaults", json!([MINER, []])).await, json!([1, 1]));
        let count = wire.get("StateMinerSectorCount", json!([MINER, []])).await;
        assert_eq!(count, json!({"Live": 8, "Active": 7, "Faulty": 1}));
        let active = wire.get("StateMinerActiveSectors", json!([MINER, []])).await;
        assert!(active.as_array().unwrap().iter().all(|sector| sector["SectorNumber"] != json!(1)));
        let claims = wire.get("StateReadState", json!(["t04", []])).await;
        assert_eq!(claims["State"]["MinerCount"], json!(2));
    }
}

/// Offers a message of the owner to the miner.
async fn tell(wire: &Wire, method: u64, params: Value) {
    let world = &wire.world;
    let mut content = message(&Wire::text(&world.bls), MINER, "0", method);
    content["Params"] = params;
    let Json(mut content): Json<Message> = serde_json::from_value(content).unwrap();
    content.sequence = world.devnet.next_nonce(&world.bls).await.unwrap();
    let content = world.devnet.estimate(&content, &GasSpec::default()).await.unwrap();
    world.devnet.push(&world.signer.sign_message(&content).await.unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_worker_takes_over_when_its_time_has_come() {
    let wire = Wire::of(World::new(39, 2), FaceKind::Venus).await;
    let (world, miner) = (&wire.world, Address::new_id(1000));
    let old = wire.get("StateMinerInfo", json!([MINER, []])).await;
    let next = wire.get("StateLookupID", json!([Wire::text(&world.bls), []])).await;
    assert_ne!(old["Worker"], next);
    let code = wire.get("StateGetActor", json!([MINER, []])).await["Code"].clone();
    let params = json!({"NewWorker": next, "NewControlAddrs": []});
    tell(&wire, 3, wire.get("StateEncodeParams", json!([code, 3, params])).await).await;
    world.extend().await;
    world.extend().await;
    let pending = wire.get("StateMinerInfo", json!([MINER, []])).await;
    assert_eq!((&pending["Worker"], &pending["NewWorker"]), (&old["Worker"], &next));
    let due = pending["WorkerChangeEpoch"].as_i64().unwrap();
    world.extend_to(due).await;
    tell(&wire, 21, Value::Null).await;
    world.extend().await;
    world.extend().await;
    let new = wire.get("StateMinerInfo", json!([MINER, []])).await;
    assert_eq!((&new["Worker"], &new["NewWorker"]), (&next, &json!("<empty>")));
    assert_eq!(new["WorkerChangeEpoch"], json!(-1));
    assert_eq!(wire.get("StateMinerWorkerAddress", json!([MINER, []])).await, next);
    let head = world.head().await;
    let info = world.devnet.info(&miner, head.key()).await.unwrap();
    assert_eq!(json!(Wire::text(&info.worker)), next);
}

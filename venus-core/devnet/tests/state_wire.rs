//! `State*` over a socket, in the words of each node.
//!
//! Texts are those of a venus and a lotus 2k network, asked the same.
#![cfg(feature = "server")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::sync::Arc;

use serde_json::{Value, json};
use support::World;
use venus_core::api::{
    ChainReader, GasEstimator, GasSpec, MessagePool, MinerReader, Permissions, SearchOptions, SignerExt,
    StateReader,
};
use venus_core::json::{Face as Writer, Json, with_face, with_network};
use venus_core::rpc::client::{ClientConfig, RpcClient};
use venus_core::rpc::server::{Everybody, Listening, RpcServer};
use venus_core::rpc::{CallError, RpcError};
use venus_core::types::{Address, BitField, Message, Network, Tipset};
use venus_devnet::StateChange;
use venus_devnet::face::{ApiVersion, Face, FaceKind};

const MINER: &str = "t01000";
const NOBODY: &str = "t0999999";

/// A face of a devnet behind a socket, and a client of it.
struct Wire {
    world: World,
    client: RpcClient,
    _server: (RpcServer, Listening),
}

impl Wire {
    async fn of(world: World, kind: FaceKind) -> Self {
        Self::of_version(world, kind, ApiVersion::V1).await
    }

    async fn of_version(world: World, kind: FaceKind, version: ApiVersion) -> Self {
        let service = Face::new(world.devnet.clone(), kind).service_of(version).unwrap();
        let server = RpcServer::new(service, Everybody(Permissions::ALL));
        let listening = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v1"]).await.unwrap();
        let url = format!("http://{}/rpc/v1", listening.local_addr());
        let client = RpcClient::connect(&url, ClientConfig::default()).await.unwrap();
        Self { world, client, _server: (server, listening) }
    }

    /// A chain with messages of both kinds.
    async fn new(kind: FaceKind) -> Self {
        let world = World::new(31, 3);
        world.send(world.bls, world.secp, 2).await;
        world.extend().await;
        world.send(world.secp, world.bls, 2).await;
        world.extend().await;
        world.extend().await;
        Self::of(world, kind).await
    }

    async fn call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let params = params.to_string();
        match self.client.call_raw(&format!("Filecoin.{method}"), Some(&params)).await {
            Ok(result) => Ok(serde_json::from_str(result.get()).unwrap()),
            Err(CallError::Rpc(error)) => Err(*error),
            Err(other) => panic!("{method}: {other}"),
        }
    }

    async fn get(&self, method: &str, params: Value) -> Value {
        self.call(method, params.clone()).await.unwrap_or_else(|e| panic!("{method}{params}: {e:?}"))
    }

    async fn refusal(&self, method: &str, params: Value) -> (i64, String) {
        let error = self.call(method, params.clone()).await;
        let error = error.expect_err(&format!("{method}{params} is refused"));
        (error.code, error.message)
    }

    async fn key(&self) -> Value {
        key_of(&*self.world.head().await)
    }

    fn text(address: &Address) -> String {
        venus_core::types::address::format(address, Network::Testnet)
    }
}

fn key_of(tipset: &Tipset) -> Value {
    serde_json::to_value(tipset.key()).unwrap()
}

#[tokio::test]
async fn nobody_is_refused_in_the_words_of_the_node() {
    let miner = "failed to load miner actor: actor not found";
    let named = "address is :t0999999: actor not found";
    let state = "failed to load miner actor state: address is :t0999999: actor not found";
    for (method, venus, lotus) in [
        ("StateMinerInfo", named, miner),
        ("StateMinerDeadlines", state, miner),
        ("StateMinerProvingDeadline", state, miner),
        ("StateMinerFaults", state, miner),
        ("StateMinerRecoveries", state, miner),
        ("StateMinerActiveSectors", state, miner),
        ("StateMinerSectorCount", named, "actor not found"),
        ("StateMinerAvailableBalance", named, miner),
        ("StateGetActor", "actor not found", "actor not found"),
        ("StateReadState", named, "getting actor: actor not found"),
        ("StateLookupRobustAddress", "address t0999999 not found", "Address t0999999 not found"),
    ] {
        for (kind, text) in [(FaceKind::Venus, venus), (FaceKind::Lotus, lotus)] {
            let wire = Wire::of(World::new(1, 1), kind).await;
            let refusal = wire.refusal(method, json!([NOBODY, wire.key().await])).await;
            assert_eq!(refusal, (1, text.to_owned()), "{kind:?} {method}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_has_its_own_texts() {
    for (kind, deal) in [
        (FaceKind::Venus, "deal 999 not found"),
        (
            FaceKind::Lotus,
            "deal 999 not found - deal may not have completed sealing before deal proposal start epoch, or deal may have been slashed",
        ),
    ] {
        let wire = Wire::of(World::new(1, 1), kind).await;
        let k = wire.key().await;
        for (method, params, text) in [
            ("StateMarketStorageDeal", json!([999, k]), deal),
            ("StateSectorExpiration", json!([MINER, 77, k]), "failed to find sector 77"),
            ("StateSectorPartition", json!([MINER, 77, k]), "sector 77 not due at any deadline"),
            ("StateMinerSectors", json!([MINER, [0, 1, 76, 1], k]), "can't find sector 77"),
            (
                "StateMinerPartitions",
                json!([MINER, 48, k]),
                "failed to load the deadline: invalid deadline 48",
            ),
            (
                "StateAccountKey",
                json!([MINER, k]),
                "failed to get account actor state for t01000: actor code is not account: storageminer",
            ),
            ("StateAccountKey", json!([NOBODY, k]), "failed to find actor: t0999999"),
            (
                "StateMinerInitialPledgeForSector",
                json!([0, 2048, 0, k]),
                "sector duration must greater than 0",
            ),
            ("StateDecodeParams", json!([NOBODY, 2, "", k]), "getting actor: actor not found"),
        ] {
            assert_eq!(wire.refusal(method, params).await, (1, text.to_owned()), "{kind:?} {method}");
        }
        for (method, params) in [
            ("StateSectorGetInfo", json!([MINER, 77, k])),
            ("StateSectorPreCommitInfo", json!([MINER, 0, k])),
            ("StateMinerPartitions", json!([MINER, 47, k])),
            ("StateVerifiedClientStatus", json!(["t0100", k])),
            ("StateVerifierStatus", json!(["t0100", k])),
            ("StateGetAllocation", json!(["t0100", 1, k])),
            ("StateGetAllocationForPendingDeal", json!([0, k])),
        ] {
            assert_eq!(wire.get(method, params).await, Value::Null, "{kind:?} {method}");
        }
        for (method, params) in [
            ("StateMarketParticipants", json!([k])),
            ("StateGetAllocations", json!(["t0100", k])),
            ("StateGetAllocations", json!([NOBODY, k])),
        ] {
            assert_eq!(wire.get(method, params).await, json!({}), "{kind:?} {method}");
        }
        // An ID is itself, and nobody has no power, no money and no allocation.
        assert_eq!(wire.get("StateLookupID", json!([NOBODY, k])).await, json!(NOBODY));
        assert_eq!(wire.get("StateMinerSectorAllocated", json!([MINER, 9999, k])).await, json!(false));
        assert_eq!(wire.get("StateGetAllocationIdForPendingDeal", json!([0, k])).await, json!(0));
        assert_eq!(
            wire.get("StateMarketBalance", json!([NOBODY, k])).await,
            json!({"Escrow": "0", "Locked": "0"})
        );
        let none = json!({"RawBytePower": "0", "QualityAdjPower": "0"});
        for nobody in [NOBODY, "t00", "<empty>"] {
            let power = wire.get("StateMinerPower", json!([nobody, k])).await;
            assert_eq!((&power["MinerPower"], &power["HasMinPower"]), (&none, &json!(false)), "{nobody}");
            assert_ne!(power["TotalPower"], none);
        }
    }
}

#[tokio::test]
async fn an_unknown_key_is_resolved_to_nobody() {
    let key = "t1d2xrzcslx7xlbbylc5c3d5lvandqw4iwl6epxba";
    for (kind, code, text) in [
        (FaceKind::Lotus, 11, "actor not found".to_owned()),
        (
            FaceKind::Venus,
            1,
            format!("resolution lookup failed ({key}): resolve address {key}: actor not found"),
        ),
    ] {
        let wire = Wire::of(World::new(1, 1), kind).await;
        assert_eq!(wire.refusal("StateLookupID", json!([key, []])).await, (code, text));
        // A key is its own key, whether anybody has it or not.
        assert_eq!(wire.get("StateAccountKey", json!([key, []])).await, json!(key));
    }
}

#[tokio::test]
async fn methods_that_only_venus_has() {
    for method in ["StateMinerWorkerAddress", "StateMinerSectorSize"] {
        let wire = Wire::of(World::new(1, 1), FaceKind::Lotus).await;
        let (code, text) = wire.refusal(method, json!([MINER, []])).await;
        assert_eq!((code, text), (-32601, format!("method 'Filecoin.{method}' not found")));
    }
    let wire = Wire::of(World::new(1, 1), FaceKind::Venus).await;
    let info = wire.get("StateMinerInfo", json!([MINER, []])).await;
    assert_eq!(wire.get("StateMinerWorkerAddress", json!([MINER, []])).await, info["Worker"]);
    assert_eq!(wire.get("StateMinerSectorSize", json!([MINER, []])).await, json!(2048));
}

#[tokio::test]
async fn the_old_version_has_fewer_methods_and_other_answers() {
    let wire = Wire::of_version(World::new(1, 1), FaceKind::Venus, ApiVersion::V0).await;
    let refusal = wire.refusal("StateSectorPreCommitInfo", json!([MINER, 0, []])).await;
    assert_eq!(refusal, (1, "precommit info does not exist".into()));
    for method in ["StateLookupRobustAddress", "StateMinerAllocated", "StateMinerCreationDeposit"] {
        assert_eq!(wire.refusal(method, json!([MINER, []])).await.0, -32601, "{method}");
    }
    assert_eq!(wire.get("StateMinerInfo", json!([MINER, []])).await["SectorSize"], json!(2048));
}

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

fn number(value: &Value) -> u128 {
    value.as_str().unwrap().parse().unwrap()
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
async fn a_tipset_that_is_not_there_is_an_error_everywhere() {
    let wire = Arc::new(Wire::of(World::new(1, 1), FaceKind::Venus).await);
    let k = json!([{"/": "bafy2bzacebp3shtrn43k7g3unredz7fxn4gj533d3o43tqn2p2ipxxhrvchve"}]);
    for (method, params) in [
        ("StateGetActor", json!([MINER, k])),
        ("StateMinerPower", json!([MINER, k])),
        ("StateMarketDeals", json!([k])),
        ("StateListMiners", json!([k])),
        ("StateVerifiedRegistryRootKey", json!([k])),
        ("StateMinerInitialPledgeForSector", json!([5, 2048, 0, k])),
    ] {
        assert_eq!(wire.refusal(method, params).await.0, 1, "{method}");
    }
}

/// A message that asks for nothing but an answer.
fn message(from: &str, to: &str, value: &str, method: u64) -> Value {
    json!({
        "Version": 0, "To": to, "From": from, "Nonce": 0, "Value": value, "GasLimit": 0, "GasFeeCap": "0",
        "GasPremium": "0", "Method": method, "Params": null,
    })
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
async fn the_wire_sees_what_messages_change() {
    let wire = Wire::of(World::new(36, 2), FaceKind::Lotus).await;
    let world = &wire.world;
    let info = wire.get("StateMinerInfo", json!([MINER, []])).await;
    assert_eq!(info["ControlAddresses"], Value::Null);
    let control = wire.get("StateLookupID", json!([Wire::text(&world.secp), []])).await;
    let code = wire.get("StateGetActor", json!([MINER, []])).await["Code"].clone();
    let params = json!({"NewWorker": info["Worker"], "NewControlAddrs": [control]});
    let params = wire.get("StateEncodeParams", json!([code, 3, params])).await;
    let mut message = message(&Wire::text(&world.bls), MINER, "0", 3);
    message["Params"] = params;
    let Json(message): Json<Message> = serde_json::from_value(message).unwrap();
    let message = world.devnet.estimate(&message, &GasSpec::default()).await.unwrap();
    world.devnet.push(&world.signer.sign_message(&message).await.unwrap()).await.unwrap();
    let before = world.extend().await;
    world.extend().await;
    assert_eq!(wire.get("StateMinerInfo", json!([MINER, []])).await["ControlAddresses"], json!([control]));
    let then = wire.get("StateMinerInfo", json!([MINER, key_of(&before)])).await;
    assert_eq!(then["ControlAddresses"], Value::Null);
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

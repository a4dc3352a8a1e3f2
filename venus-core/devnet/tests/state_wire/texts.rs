//! What is refused, and in which words; what is null and what is empty.

use serde_json::{Value, json};
use venus_devnet::face::{ApiVersion, FaceKind};

use crate::support::World;
use crate::wire::{MINER, NOBODY, Wire};

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
async fn a_tipset_that_is_not_there_is_an_error_everywhere() {
    let wire = Wire::of(World::new(1, 1), FaceKind::Venus).await;
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

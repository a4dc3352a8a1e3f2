use proptest::prelude::*;
use serde_json::json;
use venus_core::actors::{miner, multisig, power};
use venus_core::cbor::Encode;
use venus_core::types::{BitField, PostProof, RawBytes, TokenAmount};

use super::*;

fn shape(kind: ActorKind, name: &str) -> &'static Shape {
    table::shape(kind, name).unwrap()
}

fn text(kind: ActorKind, name: &str, params: &impl Encode) -> Value {
    json::with_network(fvm_shared::address::Network::Testnet, || {
        to_json(shape(kind, name), &params.to_cbor())
    })
    .unwrap()
}

fn bytes(kind: ActorKind, name: &str, params: &Value) -> Result<Vec<u8>, String> {
    let mut w = Writer::new();
    shape(kind, name).write(params, &mut w)?;
    Ok(w.into_vec())
}

fn window_post() -> miner::SubmitWindowedPostParams {
    miner::SubmitWindowedPostParams {
        deadline: 3,
        partitions: vec![miner::PostPartition { index: 1, skipped: BitField::try_from_bits([5]).unwrap() }],
        proofs: vec![PostProof { post_proof: 10, proof_bytes: vec![1, 2] }],
        chain_commit_epoch: -1,
        chain_commit_rand: vec![],
    }
}

#[test]
fn json_is_what_go_writes() {
    let withdraw = miner::WithdrawBalanceParams { amount_requested: TokenAmount::default() };
    assert_eq!(text(ActorKind::Miner, "WithdrawBalance", &withdraw), json!({"AmountRequested": "0"}));
    assert_eq!(
        text(ActorKind::Miner, "SubmitWindowedPoSt", &window_post()),
        json!({
            "Deadline": 3,
            "Partitions": [{"Index": 1, "Skipped": [5, 1]}],
            "Proofs": [{"PoStProof": 10, "ProofBytes": "AQI="}],
            "ChainCommitEpoch": -1,
            "ChainCommitRand": null,
        })
    );
    let owner = Address::new_id(100);
    assert_eq!(text(ActorKind::Miner, "ChangeOwnerAddressExported", &owner), json!("t0100"));
    assert_eq!(to_json(shape(ActorKind::Miner, "RepayDebt"), &[]).unwrap(), json!({}));
    let create = power::CreateMinerParams {
        owner,
        worker: owner,
        window_post_proof_type: 10,
        peer: vec![7],
        multiaddrs: vec![],
    };
    assert_eq!(
        text(ActorKind::Power, "CreateMiner", &create),
        json!({"Owner": "t0100", "Worker": "t0100", "WindowPoStProofType": 10, "Peer": "Bw==", "Multiaddrs": null})
    );
}

#[test]
fn json_is_read_as_go_reads_it() {
    let params = json!({"to": "f0100", "VALUE": "5", "method": 2, "more": true});
    let expected = multisig::ProposeParams {
        to: Address::new_id(100),
        value: TokenAmount::from_atto(5),
        method: 2,
        params: RawBytes::default(),
    };
    assert_eq!(bytes(ActorKind::Multisig, "Propose", &params).unwrap(), expected.to_cbor());
    for (bad, says) in [
        (json!([]), "expected an object"),
        (json!({}), "To: missing"),
        (json!({"To": "zz"}), "To: "),
        (json!({"To": "f01", "Value": 5}), "Value: "),
    ] {
        let error = bytes(ActorKind::Multisig, "Propose", &bad).unwrap_err();
        assert!(error.starts_with(says), "{error}");
    }
}

#[test]
fn every_row_names_a_method() {
    let version = methods::actors_version(crate::genesis::NETWORK_VERSION);
    let mut described = 0;
    for kind in ActorKind::ALL {
        for (number, name) in methods::all(*kind, version) {
            assert_eq!(methods::name(*kind, version, number), Some(name));
            described += usize::from(table::shape(*kind, name).is_some());
        }
    }
    assert!(described >= 100, "{described}");
}

proptest! {
    #[test]
    fn what_decodes_encodes_to_the_same_bytes(input in prop::collection::vec(any::<u8>(), 0..60)) {
        let version = methods::actors_version(crate::genesis::NETWORK_VERSION);
        for kind in ActorKind::ALL {
            for (_, name) in methods::all(*kind, version) {
                let Some(shape) = table::shape(*kind, name) else { continue };
                if let Ok(value) = to_json(shape, &input) {
                    let mut w = Writer::new();
                    shape.write(&value, &mut w).unwrap();
                    prop_assert_eq!(w.as_slice(), &input);
                }
            }
        }
    }

    #[test]
    fn proofs_come_back(deadline: u64, index: u64, proof: Vec<u8>, epoch: i64, bits in prop::collection::vec(0u64..400, 0..9)) {
        let params = miner::SubmitWindowedPostParams {
            deadline,
            partitions: vec![miner::PostPartition { index, skipped: BitField::try_from_bits(bits).unwrap() }; 2],
            proofs: vec![PostProof { post_proof: 10, proof_bytes: proof.clone() }],
            chain_commit_epoch: epoch,
            chain_commit_rand: proof,
        };
        let value = text(ActorKind::Miner, "SubmitWindowedPoSt", &params);
        prop_assert_eq!(bytes(ActorKind::Miner, "SubmitWindowedPoSt", &value).unwrap(), params.to_cbor());
    }
}

//! Actor parameters byte by byte, and the method table against the whole of Go's.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod golden;
mod malformed;

use common::{hex_of, json, list, str_of};
use golden::{Echo, assert_golden, echo, hex};
use venus_core::actors::{ActorKind, BatchReturn, market, methods, miner};
use venus_core::cbor::{Decode, Encode};
use venus_core::crypto;
use venus_core::types::*;

#[test]
fn recorded_parameters() {
    let mut counts = std::collections::BTreeMap::new();
    for row in list(&json("actor_params.json")) {
        let method = str_of(row, "method").to_owned();
        let echo: Echo = match method.as_str() {
            "market.AddBalance" => echo::<Address>,
            "market.PublishStorageDeals" => echo::<market::PublishStorageDealsParams>,
            "miner.ChangeMultiaddrs" => echo::<miner::ChangeMultiaddrsParams>,
            "miner.ChangePeerID" => echo::<miner::ChangePeerIdParams>,
            "miner.PreCommitSectorBatch2" => echo::<miner::PreCommitSectorBatch2Params>,
            "miner.ProveCommitSectors3" => echo::<miner::ProveCommitSectors3Params>,
            "miner.WithdrawBalance" => echo::<miner::WithdrawBalanceParams>,
            other => panic!("{other}"),
        };
        assert_golden(&method, &hex_of(row, "params"), echo);
        *counts.entry(method).or_insert(0) += 1;
    }
    assert_eq!(counts.values().copied().collect::<Vec<i32>>(), [2, 1, 1, 1, 3, 1, 1]);
}

fn recorded<T: Decode>(method: &str) -> Vec<T> {
    let rows = json("actor_params.json");
    let of_method = list(&rows).iter().filter(|row| str_of(row, "method") == method);
    of_method.map(|row| T::from_cbor(&hex_of(row, "params")).unwrap()).collect()
}

#[test]
fn recorded_deals_are_signed_by_their_clients() {
    let params: Vec<market::PublishStorageDealsParams> = recorded("market.PublishStorageDeals");
    let deals = &params[0].deals;
    for deal in deals {
        let bytes = deal.proposal.to_cbor();
        crypto::verify(&deal.client_signature, &deal.proposal.client, &bytes).unwrap();
        assert!(crypto::verify(&deal.client_signature, &deal.proposal.client, &bytes[1..]).is_err());
        assert!(!deal.proposal.verified_deal);
        assert_eq!(deal.proposal.provider, Address::new_id(1001));
        assert!(matches!(&deal.proposal.label, DealLabel::Text(text) if text.starts_with("bafk")));
        assert_ne!(deal.cid(), deal.proposal.cid());
    }
    let sizes: Vec<_> = deals.iter().map(|deal| deal.proposal.piece_size).collect();
    assert_eq!(sizes, [2048, 512, 512]);
}

#[test]
fn recorded_sectors() {
    let commits: Vec<miner::PreCommitSectorBatch2Params> = recorded("miner.PreCommitSectorBatch2");
    let numbers: Vec<_> = commits.iter().map(|c| c.sectors[0].sector_number).collect();
    assert_eq!(numbers, [13, 18, 21]);
    assert!(commits[0].sectors[0].unsealed_cid.is_none() && commits[2].sectors[0].unsealed_cid.is_some());
    let proofs: Vec<miner::ProveCommitSectors3Params> = recorded("miner.ProveCommitSectors3");
    assert_eq!(proofs[0].sector_activations[0].sector_number, 13);
    assert_eq!((proofs[0].sector_proofs[0].len(), proofs[0].aggregate_proof_type), (192, None));
}

#[test]
fn deal_labels() {
    let text = DealLabel::from("a");
    let bytes = DealLabel::Bytes(vec![0xff]);
    assert_eq!((text.to_cbor(), bytes.to_cbor()), (vec![0x61, b'a'], vec![0x41, 0xff]));
    for label in [text, bytes, DealLabel::default()] {
        assert_eq!(DealLabel::from_cbor(&label.to_cbor()).unwrap(), label);
    }
    // Old chains hold text that is no UTF-8; today's do not.
    assert!(DealLabel::from_cbor(&[0x61, 0xff]).is_err());
    assert!(DealLabel::from_cbor(&[0x01]).is_err());
}

#[test]
fn ids_of_published_deals() {
    let valid_deals = BitField::try_from_bits([0, 2, 3, 7]).unwrap();
    let published = market::PublishStorageDealsReturn { ids: vec![10, 11, 12, 13], valid_deals };
    let ids: Vec<_> = (0..9).map(|i| published.deal_id(i)).collect();
    let expected = [Some(10), None, Some(11), Some(12), None, None, None, Some(13), None];
    assert_eq!(ids, expected);
    let lying = market::PublishStorageDealsReturn { ids: vec![1], ..published };
    assert_eq!(lying.deal_id(7), None);
}

#[test]
fn batch_codes() {
    let batch = BatchReturn::from_cbor(&hex("82 02 82 82 01 10 82 03 12")).unwrap();
    assert_eq!((batch.len(), batch.is_empty()), (4, false));
    assert_eq!([batch.code(0), batch.code(1), batch.code(2), batch.code(3)], [0, 16, 0, 18]);
}

#[test]
fn method_table_is_gos() {
    let file = json("method_table.json");
    let (mut rows, mut tables) = (0, 0);
    for (version, actors) in file["actors_version"].as_object().unwrap() {
        let version: u32 = version.parse().unwrap();
        for kind in ActorKind::ALL {
            let expected = actors[kind.name()].as_object();
            let ours: Vec<_> = methods::all(*kind, version).collect();
            assert_eq!(ours.len(), expected.map_or(0, serde_json::Map::len), "{kind} {version}");
            tables += usize::from(!ours.is_empty());
            for (number, name) in expected.into_iter().flatten() {
                let number: u64 = number.parse().unwrap();
                assert_eq!(methods::name(*kind, version, number), name.as_str(), "{kind} {version} {number}");
                assert_eq!(
                    methods::number(*kind, version, name.as_str().unwrap()),
                    Some(number),
                    "{kind} {name}"
                );
                assert!(ours.contains(&(number, name.as_str().unwrap())));
                rows += 1;
            }
            assert_eq!(methods::name(*kind, version, 0), Some("Send"));
        }
        for kind in actors.as_object().unwrap().keys() {
            assert!(ActorKind::ALL.iter().any(|k| k.name() == kind), "{kind}");
        }
    }
    assert_eq!((rows, tables), (2397, 250));
    assert_eq!(file["actors_version"].as_object().unwrap().len(), 19);
}

#[test]
fn actors_of_a_manifest() {
    let line = common::text("recorded/lotus.jsonl");
    let line = line.lines().find(|l| l.contains("\"StateActorCodeCIDs\"")).unwrap();
    let answer: serde_json::Value = serde_json::from_str(line).unwrap();
    let names = answer["result"].as_object().unwrap();
    assert_eq!(names.len(), ActorKind::ALL.len());
    for name in names.keys() {
        assert_eq!(ActorKind::from_manifest_name(name).unwrap().manifest_name(), name);
    }
    assert_eq!(ActorKind::from_manifest_name("miner"), None);
    assert_eq!(ActorKind::of_singleton(5), Some(ActorKind::Market));
}

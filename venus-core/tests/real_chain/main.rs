//! Tipsets that a Lotus and a Venus network made and accepted, recomputed with our rules.
//!
//! Reading the files already compares every header, message, receipt and base info with the node's text, letter
//! by letter. Counts are exact, so that a part of the data that is skipped is a failure.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod mutations;
mod rules;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use common::real_chain::{CHAIN, Chain, Recorded, VENUS};
use rules::{CHAIN_ID, Case, RULES, case, wins};
use venus_core::cbor::{Decode, Encode};
use venus_core::consensus::{beacon, msg_meta, ticket, weight};
use venus_core::crypto::{self, CryptoError};
use venus_core::types::*;

fn chains() -> [&'static Chain; 2] {
    [&CHAIN, &VENUS]
}

fn tipsets() -> impl Iterator<Item = (&'static Chain, &'static Recorded)> {
    chains().into_iter().flat_map(|chain| chain.tipsets.iter().map(move |tipset| (chain, tipset)))
}

/// All blocks, ready to be judged.
fn cases() -> Vec<Case> {
    let of = |(chain, tipset): (&Chain, &Recorded)| {
        tipset.blocks.iter().map(|block| case(chain, tipset, block)).collect::<Vec<_>>()
    };
    tipsets().flat_map(of).collect()
}

#[test]
fn real_chain_every_rule_holds_for_every_block() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for case in cases() {
        for (name, rule) in RULES {
            let Some(holds) = rule(&case) else { continue };
            assert!(holds, "{name} of {} at height {}", case.cid, case.header.height);
            *counts.entry(name).or_default() += 1;
        }
    }
    let expected = [
        ("BLS aggregate", 277),
        ("base fee", 264),
        ("beacon entries", 277),
        ("block signature", 277),
        ("election proof", 277),
        ("header CID", 277),
        ("message root", 277),
        ("message signatures", 5),
        ("parent weight", 264),
        ("receipt root", 277),
        ("ticket", 264),
        ("timestamp", 277),
        ("win count", 277),
        ("winning sector", 277),
    ];
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn real_chain_what_there_is() {
    let heights = |chain: &Chain| chain.tipsets.iter().map(|t| t.height).collect::<Vec<_>>();
    let lotus: Vec<i64> = (1..=8).chain(26..=56).chain(90..=96).collect();
    assert_eq!(heights(&CHAIN), lotus);
    let venus = (1..=12).chain(30..=52).chain((112..=132).filter(|h| *h != 120));
    let venus: Vec<i64> = venus.chain((196..=206).filter(|h| *h != 202)).collect();
    assert_eq!(heights(&VENUS), venus);
    assert_eq!((CHAIN.tipsets.len(), VENUS.tipsets.len(), tipsets().count()), (46, 65, 111));
    assert_eq!((CHAIN.blocks().count(), VENUS.blocks().count(), cases().len()), (115, 162, 277));
    let with_parents = tipsets().filter(|(chain, tipset)| chain.parents(tipset).is_some()).count();
    let after_genesis = tipsets().filter(|(_, tipset)| tipset.height == 1).count();
    assert_eq!((with_parents - after_genesis, after_genesis), (104, 2));
    assert_eq!(VENUS.tipsets.iter().filter(|t| t.network_version == 28).count(), 5);
    let won: i64 = tipsets().flat_map(|(_, tipset)| wins(&tipset.tipset)).sum();
    assert_eq!(won, 242 + 310);
}

#[test]
fn real_chain_genesis() {
    for (chain, cid) in [
        (&CHAIN, "bafy2bzacec4xent6kodlu4ydnorhi5aywjgyvoic6tiqxrcd7uh2ihkl43q3a"),
        (&VENUS, "bafy2bzacebs3icjqax6g4rhujwwmwf7jnlhwwdiqmlpackv7ufimqdzl6ldu4"),
    ] {
        let genesis = chain.genesis.min_ticket_block();
        assert_eq!(genesis.cid().to_string(), cid);
        assert_eq!(genesis.beacon_entries, [beacon::mock_genesis_entry()]);
        assert_eq!(genesis.messages, msg_meta::msg_meta_cid(&[], &[]));
        assert_eq!(BlockHeader::from_cbor(&genesis.to_cbor()).unwrap(), *genesis);
    }
}

#[test]
fn real_chain_tipset_keys_are_ordered_by_ticket() {
    for (_, tipset) in tipsets() {
        assert_eq!(*tipset.tipset.key(), tipset.key, "rebuilt from the blocks in reverse order");
        let cids: Vec<_> = tipset.blocks.iter().map(|b| b.cid).collect();
        assert_eq!(tipset.key.cids(), cids);
        assert_eq!(TipsetKey::from_cbor(&tipset.key.to_cbor()).unwrap(), tipset.key);
        for pair in tipset.tipset.blocks().windows(2) {
            let proof = |b: &BlockHeader| b.ticket.clone().unwrap().vrf_proof;
            assert_eq!(ticket::compare(&proof(&pair[0]), &proof(&pair[1])), Ordering::Less);
        }
    }
    let several = tipsets().filter(|(_, tipset)| tipset.blocks.len() > 1).count();
    assert_eq!((tipsets().count(), several), (111, 99));
}

#[test]
fn real_chain_weights() {
    let mut checked = 0;
    for (_, tipset) in tipsets() {
        let power = &tipset.blocks[0].info.network_power;
        let weight_of = |wins: Vec<i64>| weight::weight(tipset.tipset.parent_weight(), power, wins).unwrap();
        assert_eq!(weight_of(wins(&tipset.tipset)), tipset.weight);
        let mut more = wins(&tipset.tipset);
        more[0] += 1;
        assert_ne!(weight_of(more), tipset.weight);
        checked += 1;
    }
    assert_eq!(checked, 111);
}

#[test]
fn real_chain_null_rounds_and_beacons() {
    let mut entries = BTreeMap::new();
    for case in cases() {
        *entries.entry(case.header.beacon_entries.len()).or_insert(0) += 1;
        assert_eq!(case.info.beacon_entries, case.header.beacon_entries);
        assert_eq!(Some(case.info.randomness_base()), case.header.beacon_entries.last());
    }
    assert_eq!(entries, BTreeMap::from([(1, 272), (2, 5)]), "two entries after a null round");
    let mut previous = 0;
    for (chain, tipset) in tipsets() {
        if let Some(parents) = chain.parents(tipset) {
            let last = parents.tipset.min_ticket_block().beacon_entries.last();
            assert!(tipset.blocks.iter().all(|b| Some(&b.info.prev_beacon_entry) == last));
            previous += tipset.blocks.len();
        }
    }
    assert_eq!(previous, 264);
}

#[test]
fn real_chain_messages_and_receipts() {
    let (mut bls, mut secp, mut delegated, mut receipts, mut executed) = (0, 0, 0, 0, 0);
    for (chain, tipset) in tipsets() {
        for block in &tipset.blocks {
            assert_eq!(block.messages.cids().collect::<Vec<_>>(), block.message_cids);
            for message in &block.messages.bls {
                assert_eq!(Message::from_cbor(&message.to_cbor()).unwrap(), *message);
                message.check_for_block(0).unwrap();
                bls += 1;
            }
            for signed in &block.messages.secp {
                assert_eq!(SignedMessage::from_cbor(&signed.to_cbor()).unwrap(), *signed);
                signed.message.check_for_block(0).unwrap();
                match signed.signature.sig_type {
                    SignatureType::Secp256k1 => secp += 1,
                    SignatureType::Delegated => delegated += 1,
                    SignatureType::Bls => panic!("a BLS message with a signature of its own"),
                }
            }
        }
        for receipt in &tipset.parent_receipts {
            assert_eq!(Receipt::from_cbor(&receipt.to_cbor()).unwrap(), *receipt);
            assert_eq!(receipt.exit_code, ExitCode::OK);
        }
        receipts += tipset.parent_receipts.len();
        if let Some(parents) = chain.parents(tipset) {
            let cids: Vec<_> = parents.messages.iter().map(|(cid, _)| *cid).collect();
            assert_eq!(cids, tipset.parent_messages, "messages of a tipset in order, each once");
            assert_eq!(cids.len(), tipset.parent_receipts.len());
            executed += cids.len();
        }
    }
    assert_eq!((bls, secp, delegated), (5 + 1178, 8, 6 + 9));
    assert_eq!((receipts, executed), (9 + 469, 477));
}

#[test]
fn real_chain_delegated_signatures_are_bound_to_their_chain() {
    let mut checked = 0;
    for case in cases() {
        for signed in case.messages.secp.iter().filter(|m| m.signature.sig_type == SignatureType::Delegated) {
            crypto::verify_message(signed, &signed.message.from, CHAIN_ID).unwrap();
            let other_chain = crypto::verify_message(signed, &signed.message.from, 314);
            assert!(matches!(other_chain, Err(CryptoError::BadSignature { .. })));
            checked += 1;
        }
    }
    assert_eq!(checked, 15);
}

//! Tipsets that a Lotus network made and accepted, recomputed with our rules.
//!
//! Counts are exact, so that a part of the data that is skipped is a failure.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::cmp::Ordering;

use common::real_chain::{Block, CHAIN, Recorded, TEXT};
use venus_core::cbor::{Decode, Encode};
use venus_core::consensus::{amt, base_fee, beacon, election, msg_meta, post, ticket, vrf, weight};
use venus_core::crypto::{self, CryptoError, bls};
use venus_core::json::{Json, with_network};
use venus_core::types::*;

/// Blocks at heights 1–8, 30–34 and 90–96.
const BLOCKS: usize = 53;
/// Of these, blocks whose parents were recorded: all but those at height 90.
const WITH_PARENTS: usize = 50;
/// Sum of their win counts.
const WINS: i64 = 109;
/// Tipsets of these heights.
const TIPSETS: usize = 20;
/// The chain ID of 2k devnets.
const CHAIN_ID: u64 = 31_415_926;

/// Our JSON must stand in the recording letter by letter.
#[track_caller]
fn assert_recorded(value: &impl serde::Serialize) {
    let json = with_network(Network::Testnet, || serde_json::to_string(value)).unwrap();
    assert!(TEXT.contains(&json), "not as Lotus writes it: {json}");
}

fn count(check: impl Fn(&Recorded, &Block)) -> usize {
    CHAIN.blocks().map(|(tipset, block)| check(tipset, block)).count()
}

/// Checks every tipset whose parents were recorded.
fn count_with_parents(check: impl Fn(&Recorded, &Tipset, &[(Cid, &Message)])) -> usize {
    let known = CHAIN.tipsets.iter().filter_map(|t| CHAIN.parents(t).map(|(p, messages)| (t, p, messages)));
    known.map(|(tipset, parents, messages)| check(tipset, parents, &messages)).count()
}

#[test]
fn real_chain_heights() {
    let heights: Vec<_> = CHAIN.tipsets.iter().map(|t| t.height).collect();
    let expected: Vec<i64> = (1..=8).chain(30..=34).chain(90..=96).collect();
    assert_eq!(heights, expected);
    assert_eq!(CHAIN.tipsets.len(), TIPSETS);
    assert_eq!(CHAIN.blocks().count(), BLOCKS);
}

#[test]
fn real_chain_header_json_cbor_and_cids() {
    let checked = count(|tipset, block| {
        assert_eq!(block.header.to_cbor(), block.cbor);
        assert_eq!(BlockHeader::from_cbor(&block.cbor).unwrap(), block.header);
        assert_eq!(block.header.cid(), block.cid);
        assert_eq!(block.header.height, tipset.height);
        assert_recorded(&block.header);
        assert_recorded(&block.info);
    });
    assert_eq!(checked, BLOCKS);
}

#[test]
fn real_chain_genesis() {
    let genesis = CHAIN.genesis.min_ticket_block();
    // Reading a tipset compares its `Cids` with the blocks.
    assert_recorded(&CHAIN.genesis);
    assert_eq!(genesis.cid().to_string(), "bafy2bzacec4xent6kodlu4ydnorhi5aywjgyvoic6tiqxrcd7uh2ihkl43q3a");
    assert_eq!(genesis.beacon_entries, [beacon::mock_genesis_entry()]);
    assert_eq!(genesis.messages, msg_meta::msg_meta_cid(&[], &[]));
    assert_eq!(BlockHeader::from_cbor(&genesis.to_cbor()).unwrap(), *genesis);
}

#[test]
fn real_chain_tipset_keys_are_ordered_by_ticket() {
    for tipset in &CHAIN.tipsets {
        assert_eq!(*tipset.tipset.key(), tipset.key, "rebuilt from the blocks in reverse order");
        assert_recorded(&tipset.key);
        let cids: Vec<_> = tipset.blocks.iter().map(|b| b.cid).collect();
        assert_eq!(tipset.key.cids(), cids);
        assert_eq!(TipsetKey::from_cbor(&tipset.key.to_cbor()).unwrap(), tipset.key);
        for pair in tipset.tipset.blocks().windows(2) {
            let proof = |b: &BlockHeader| b.ticket.clone().unwrap().vrf_proof;
            assert_eq!(ticket::compare(&proof(&pair[0]), &proof(&pair[1])), Ordering::Less);
        }
    }
    let several = CHAIN.tipsets.iter().filter(|t| t.blocks.len() > 1).count();
    assert_eq!((CHAIN.tipsets.len(), several), (TIPSETS, 19));
}

#[test]
fn real_chain_beacon_entries() {
    let checked = count(|tipset, block| {
        let entries = i64::try_from(block.header.beacon_entries.len()).unwrap();
        let expected: Vec<_> =
            beacon::mock_entries_for_block(tipset.height - entries, tipset.height).collect();
        assert_eq!(block.header.beacon_entries, expected);
        assert_eq!(block.info.beacon_entries, expected);
        assert_eq!(Some(block.info.randomness_base()), expected.last());
        if let Some((parents, _)) = CHAIN.parents(tipset) {
            assert_eq!(parents.height(), tipset.height - entries, "an entry for every epoch");
            assert_eq!(parents.min_ticket_block().beacon_entries.last(), Some(&block.info.prev_beacon_entry));
        }
    });
    assert_eq!(checked, BLOCKS);
}

#[test]
fn real_chain_timestamps() {
    let genesis_timestamp = CHAIN.genesis.min_timestamp();
    let checked = count(|tipset, block| {
        let epochs = u64::try_from(tipset.height).unwrap();
        assert_eq!(block.header.timestamp, genesis_timestamp + epochs * CHAIN.block_delay_secs);
    });
    assert_eq!(checked, BLOCKS);
}

#[test]
fn real_chain_ticket_vrfs() {
    let verify = |block: &Block, base: &[u8]| {
        let input = vrf::ticket_input(block.header.height, &block.header.miner, Some(base));
        let digest = input.digest(&block.info.randomness_base().data);
        vrf::verify_vrf(&block.info.worker_key, &digest, &block.header.ticket.as_ref().unwrap().vrf_proof)
    };
    let mut checked = 0;
    for (tipset, block) in CHAIN.blocks() {
        let Some((parents, _)) = CHAIN.parents(tipset) else { continue };
        verify(block, parents.min_ticket()).unwrap();
        assert!(verify(block, b"another ticket").is_err());
        checked += 1;
    }
    assert_eq!(checked, WITH_PARENTS);
}

#[test]
fn real_chain_election_proofs() {
    let checked = count(|_, block| {
        let rbase = &block.info.randomness_base().data;
        let digest = vrf::election_input(block.header.height, &block.header.miner).digest(rbase);
        let proof = &block.header.election_proof.as_ref().unwrap().vrf_proof;
        vrf::verify_vrf(&block.info.worker_key, &digest, proof).unwrap();
        let later = vrf::election_input(block.header.height + 1, &block.header.miner).digest(rbase);
        assert!(vrf::verify_vrf(&block.info.worker_key, &later, proof).is_err());
    });
    assert_eq!(checked, BLOCKS);
}

#[test]
fn real_chain_win_counts() {
    let checked = count(|_, block| {
        let proof = block.header.election_proof.as_ref().unwrap();
        let wins = election::win_count(&proof.vrf_proof, &block.info.miner_power, &block.info.network_power);
        assert_eq!(wins, proof.win_count);
    });
    assert_eq!(checked, BLOCKS);
    let wins = CHAIN.blocks().map(|(_, b)| b.header.election_proof.as_ref().unwrap().win_count);
    assert_eq!(wins.sum::<i64>(), WINS);
}

#[test]
fn real_chain_winning_post_sectors() {
    let checked = count(|_, block| {
        let input = vrf::winning_post_input(block.header.height, &block.header.miner);
        let randomness = input.digest(&block.info.randomness_base().data);
        // Each miner has the sectors 0 and 1 with verified deals, which count ten times their size.
        let sectors = u64::try_from(&block.info.miner_power / (10 * block.info.sector_size)).unwrap();
        assert_eq!(sectors, 2);
        let index = post::challenged_sector(block.header.miner.id().unwrap(), randomness, sectors);
        assert_eq!(index, Some(block.info.sectors[0].sector_number));
        let fixed = PostProof { post_proof: 0, proof_bytes: b"valid proof".to_vec() };
        assert_eq!(block.header.win_post_proof, [fixed]);
    });
    assert_eq!(checked, BLOCKS);
}

#[test]
fn real_chain_block_signatures() {
    let checked = count(|_, block| {
        let signature = block.header.block_sig.as_ref().unwrap();
        let bytes = block.header.signing_bytes();
        crypto::verify(signature, &block.info.worker_key, &bytes).unwrap();
        let forged = BlockHeader { fork_signaling: 7, ..block.header.clone() }.signing_bytes();
        assert!(crypto::verify(signature, &block.info.worker_key, &forged).is_err());
    });
    assert_eq!(checked, BLOCKS);
}

#[test]
fn real_chain_bls_aggregates() {
    let (mut empty, mut full) = (0, 0);
    for (tipset, block) in CHAIN.blocks() {
        let aggregate = block.header.bls_aggregate.as_ref().unwrap();
        assert_eq!(aggregate.sig_type, SignatureType::Bls);
        let key_of = |m: &Message| match m.from.payload() {
            Payload::BLS(key) => *key,
            other => panic!("{other:?} signs no BLS message"),
        };
        let signed = block.messages.bls.iter().map(|m| (key_of(m), m.cid().to_bytes()));
        let mut signed: Vec<_> = signed.collect();
        bls::verify_aggregate(&signed, &aggregate.data).unwrap();
        if signed.is_empty() {
            assert_eq!(aggregate.data, bls::EMPTY_AGGREGATE);
            empty += 1;
        } else {
            assert!([92, 93].contains(&tipset.height));
            signed[0].1[37] ^= 1;
            assert!(bls::verify_aggregate(&signed, &aggregate.data).is_err());
            full += 1;
        }
    }
    assert_eq!((empty, full), (48, 5));
}

#[test]
fn real_chain_message_signatures() {
    let (mut secp, mut delegated) = (0, 0);
    for (tipset, block) in CHAIN.blocks() {
        for signed in &block.messages.secp {
            assert_eq!(tipset.height, 32);
            crypto::verify_message(signed, &signed.message.from, CHAIN_ID).unwrap();
            let mut forged = signed.clone();
            forged.message.gas_limit += 1;
            assert!(crypto::verify_message(&forged, &signed.message.from, CHAIN_ID).is_err());
            match signed.signature.sig_type {
                SignatureType::Secp256k1 => secp += 1,
                SignatureType::Delegated => {
                    let other_chain = crypto::verify_message(signed, &signed.message.from, 314);
                    assert!(matches!(other_chain, Err(CryptoError::BadSignature { .. })));
                    delegated += 1;
                }
                SignatureType::Bls => panic!("a BLS message with a signature of its own"),
            }
        }
    }
    // The same seven messages in two blocks.
    assert_eq!((secp, delegated), (8, 6));
}

#[test]
fn real_chain_message_cids_and_roots() {
    let mut messages = 0;
    let checked = CHAIN.blocks().inspect(|(_, block)| {
        let cids: Vec<_> = block.messages.cids().collect();
        assert_eq!(cids, block.message_cids);
        let (bls, secp) = cids.split_at(block.messages.bls.len());
        assert_eq!(msg_meta::msg_meta_cid(bls, secp), block.header.messages);
        for message in &block.messages.bls {
            assert_recorded(&Json(message.clone()));
            assert_eq!(Message::from_cbor(&message.to_cbor()).unwrap(), *message);
        }
        for signed in &block.messages.secp {
            assert_recorded(signed);
            assert_eq!(SignedMessage::from_cbor(&signed.to_cbor()).unwrap(), *signed);
        }
        messages += cids.len();
    });
    assert_eq!(checked.count(), BLOCKS);
    assert_eq!(messages, 14 + 5);
}

#[test]
fn real_chain_receipts() {
    let mut receipts = 0;
    for tipset in &CHAIN.tipsets {
        let encoded: Vec<_> = tipset.parent_receipts.iter().map(Encode::to_cbor).collect();
        let root = amt::amt_v0_root(&encoded);
        for block in &tipset.blocks {
            assert_eq!(root, block.header.parent_message_receipts, "height {}", tipset.height);
        }
        for (receipt, cbor) in tipset.parent_receipts.iter().zip(&encoded) {
            assert_recorded(receipt);
            assert_eq!(Receipt::from_cbor(cbor).unwrap(), *receipt);
            assert_eq!(receipt.exit_code, ExitCode::OK);
        }
        receipts += encoded.len();
    }
    assert_eq!(receipts, 7 + 1 + 1);
    let of_parents = count_with_parents(|tipset, _, messages| {
        let cids: Vec<_> = messages.iter().map(|(cid, _)| *cid).collect();
        assert_eq!(cids, tipset.parent_messages, "messages of a tipset in order, each once");
        assert_eq!(cids.len(), tipset.parent_receipts.len());
    });
    assert_eq!(of_parents, TIPSETS - 1);
}

fn weight_of(tipset: &Tipset, power: &BigInt) -> BigInt {
    let wins = tipset.blocks().iter().map(|b| b.election_proof.as_ref().unwrap().win_count);
    weight::weight(tipset.parent_weight(), power, wins).unwrap()
}

#[test]
fn real_chain_weights() {
    for tipset in &CHAIN.tipsets {
        assert_eq!(weight_of(&tipset.tipset, &tipset.blocks[0].info.network_power), tipset.weight);
    }
    let children = count_with_parents(|tipset, parents, _| {
        let power = &tipset.blocks[0].info.network_power;
        for block in &tipset.blocks {
            assert_eq!(block.header.parent_weight, weight_of(parents, power));
        }
    });
    assert_eq!(children, TIPSETS - 1);
}

#[test]
fn real_chain_base_fees() {
    let children = count_with_parents(|tipset, parents, messages| {
        let base = &parents.min_ticket_block().parent_base_fee;
        let next = base_fee::next_base_fee_premium(base, messages.iter().map(|(_, m)| *m));
        for block in &tipset.blocks {
            assert_eq!(block.header.parent_base_fee, next, "height {}", tipset.height);
        }
    });
    assert_eq!(children, TIPSETS - 1);
}

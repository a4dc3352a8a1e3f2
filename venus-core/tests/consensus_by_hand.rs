//! Consensus rules where the recorded chains have no case: full blocks, faults, miners with many sectors.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::real_chain::CHAIN;
use venus_core::consensus::base_fee::next_base_fee_premium;
use venus_core::consensus::fault::{
    ConsensusFault, FaultBlock, consensus_fault, is_double_fork, is_parent_grinding, is_time_offset,
};
use venus_core::consensus::post;
use venus_core::types::*;

/// A message that pays: sender, nonce, fee cap, premium, gas in units of 10^9.
type Paid = (u64, u64, i64, i64, u64);

const G: u64 = 1_000_000_000;
/// A fee cap that never binds.
const ANY: i64 = i64::MAX;

fn message((sender, nonce, fee_cap, premium, gas_limit): Paid) -> Message {
    Message {
        version: 0,
        from: Address::new_id(sender),
        to: Address::new_id(1),
        sequence: nonce,
        value: TokenAmount::default(),
        method_num: 0,
        params: RawBytes::default(),
        gas_limit,
        gas_fee_cap: TokenAmount::from_atto(fee_cap),
        gas_premium: TokenAmount::from_atto(premium),
    }
}

#[test]
fn base_fees_of_fip_0115_with_full_blocks() {
    // Each has more than 8e9 gas, or just as much. What is due: the fee moves by the premium of the unit of gas at
    // 80 % of a block, less an eighth of the fee, and never by more than that eighth.
    let cases: &[(&str, i64, &[Paid], i64)] = &[
        ("half an eighth more", 800, &[(1, 0, 1000, 150, 8 * G)], 850),
        ("the cap binds", 800, &[(1, 0, 900, 150, 9 * G)], 800),
        ("the cap binds closer", 800, &[(1, 0, 850, 150, 9 * G)], 750),
        ("the cap is the fee", 800, &[(1, 0, 800, 150, 9 * G)], 700),
        ("the cap is below the fee", 800, &[(1, 0, 700, 150, 9 * G)], 700),
        ("an eighth at most", 800, &[(1, 0, ANY, 500, 10 * G)], 900),
        ("the second pays less", 800, &[(1, 0, ANY, 300, 5 * G), (2, 0, ANY, 120, 4 * G)], 820),
        ("in any order", 800, &[(2, 0, ANY, 120, 4 * G), (1, 0, ANY, 300, 5 * G)], 820),
        (
            "the last unit of the second",
            800,
            &[(1, 0, ANY, 10, 4 * G), (2, 0, ANY, 20, 4 * G), (3, 0, ANY, 30, 4 * G)],
            720,
        ),
        (
            "one unit further",
            800,
            &[(1, 0, ANY, 30, 4 * G), (2, 0, ANY, 20, 4 * G - 1), (3, 0, ANY, 10, 4 * G)],
            710,
        ),
        ("the same nonce counts once", 800, &[(1, 0, ANY, 0, 9 * G), (1, 0, ANY, 500, 9 * G)], 700),
        ("the next nonce counts", 800, &[(1, 0, ANY, 200, 5 * G), (1, 1, ANY, 110, 5 * G)], 810),
        ("an eighth is rounded up", 101, &[(1, 0, ANY, 20, 9 * G)], 108),
        ("never below the minimum", 100, &[(1, 0, ANY, 0, 9 * G)], 100),
        ("up from the minimum", 100, &[(1, 0, ANY, 1000, 9 * G)], 113),
        (
            "large fees",
            8_000_000_000_000_000_000,
            &[(1, 0, ANY, 1_500_000_000_000_000_000, 9 * G)],
            8_223_372_036_854_775_807,
        ),
        (
            "many blocks",
            800,
            &[
                (1, 0, ANY, 10, 5 * G),
                (2, 0, ANY, 20, 5 * G),
                (3, 0, ANY, 90, 5 * G),
                (4, 0, ANY, 100, 5 * G),
                (5, 0, ANY, 50, 5 * G),
            ],
            790,
        ),
    ];
    for (what, base, paid, expected) in cases {
        let messages: Vec<_> = paid.iter().copied().map(message).collect();
        assert!(paid.iter().map(|m| m.4).sum::<u64>() >= 8 * G, "{what}");
        let next = next_base_fee_premium(&TokenAmount::from_atto(*base), &messages);
        assert_eq!(next, TokenAmount::from_atto(*expected), "{what}");
    }
    assert_eq!(cases.len(), 17);
}

/// Recorded blocks of one miner at two heights, and changed ones.
fn block(height: i64, miner: u64) -> BlockHeader {
    let blocks = CHAIN.at(height).tipset.blocks();
    blocks.iter().find(|b| b.miner == Address::new_id(miner)).unwrap().clone()
}

#[test]
fn honest_blocks_are_no_fault() {
    let headers: Vec<_> = CHAIN.blocks().map(|(_, block)| &block.header).collect();
    let mut pairs = 0;
    for (i, a) in headers.iter().enumerate() {
        for b in &headers[i + 1..] {
            let (a, b) = (FaultBlock::from(*a), FaultBlock::from(*b));
            assert!(!is_double_fork(&a, &b) && !is_time_offset(&a, &b));
            assert_eq!(consensus_fault(&a, &b, None), None);
            pairs += 1;
        }
    }
    assert_eq!(pairs, 115 * 114 / 2);
}

#[test]
fn double_forks() {
    let first = block(26, 1000);
    for second in [
        BlockHeader { fork_signaling: 1, ..first.clone() },
        BlockHeader { timestamp: 1, ..first.clone() },
        BlockHeader { parents: vec![first.cid()], ..first.clone() },
        BlockHeader { messages: first.cid(), block_sig: None, ..first.clone() },
    ] {
        let (a, b) = (FaultBlock::from(&first), FaultBlock::from(&second));
        assert!(is_double_fork(&a, &b) && is_double_fork(&b, &a) && !is_time_offset(&a, &b));
        assert_eq!(consensus_fault(&a, &b, None), Some(ConsensusFault::DoubleFork));
        let other_miner = BlockHeader { miner: Address::new_id(1001), ..second.clone() };
        assert!(!is_double_fork(&a, &FaultBlock::from(&other_miner)));
        let other_height = BlockHeader { height: 27, ..second };
        assert!(!is_double_fork(&a, &FaultBlock::from(&other_height)));
    }
    // The same block twice is one block.
    assert_eq!(consensus_fault(&FaultBlock::from(&first), &FaultBlock::from(&first), None), None);
}

#[test]
fn time_offsets() {
    let first = block(26, 1000);
    let later = BlockHeader { height: 29, ..first.clone() };
    let (a, b) = (FaultBlock::from(&first), FaultBlock::from(&later));
    assert!(is_time_offset(&a, &b) && is_time_offset(&b, &a) && !is_double_fork(&a, &b));
    assert_eq!(consensus_fault(&b, &a, None), Some(ConsensusFault::TimeOffset));
    let mut parents = first.parents.clone();
    parents.pop();
    let fewer = BlockHeader { parents, ..later.clone() };
    assert!(!is_time_offset(&a, &FaultBlock::from(&fewer)));
    let of_another = BlockHeader { miner: Address::new_id(1001), ..later };
    assert!(!is_time_offset(&a, &FaultBlock::from(&of_another)));
}

#[test]
fn parent_grinding() {
    // The miner made `own`, and `witness` beside it; its next block builds on the witness alone.
    let (own, witness) = (block(26, 1000), block(26, 1001));
    let next = BlockHeader { parents: vec![witness.cid()], ..block(27, 1000) };
    let (a, b, w) = (FaultBlock::from(&own), FaultBlock::from(&next), FaultBlock::from(&witness));
    assert!(is_parent_grinding(&a, &b, &w));
    assert_eq!(consensus_fault(&b, &a, Some(&w)), Some(ConsensusFault::ParentGrinding));
    assert_eq!(consensus_fault(&a, &b, None), None, "nothing is proven without the witness");
    let honest = BlockHeader { parents: vec![witness.cid(), own.cid()], ..next.clone() };
    assert!(!is_parent_grinding(&a, &FaultBlock::from(&honest), &w));
    let elsewhere = BlockHeader { parents: vec![own.parents[0]], ..next.clone() };
    assert!(!is_parent_grinding(&a, &FaultBlock::from(&elsewhere), &w));
    let no_sibling = BlockHeader { parents: vec![own.cid()], ..witness.clone() };
    let on_it = BlockHeader { parents: vec![no_sibling.cid()], ..next };
    assert!(!is_parent_grinding(&a, &FaultBlock::from(&on_it), &FaultBlock::from(&no_sibling)));
}

/// Miner, byte of the randomness, number of sectors, and the sector that a separate program drew.
#[rustfmt::skip]
const DRAWS: &[(u64, u8, u64, u64)] = &[
    (1000, 0xab, 1, 0),
    (1000, 0xab, 2, 1),
    (1000, 0xab, 3, 0),
    (1000, 0xab, 349, 294),
    (1000, 0xab, 2349, 1992),
    (1000, 0xab, 100000, 92775),
    (1000, 0xab, 4294967296, 3505093991),
    (1000, 0xab, 18446744073709551615, 13531657304095292775),
    (1001, 0xff, 1, 0),
    (1001, 0xff, 2, 1),
    (1001, 0xff, 3, 1),
    (1001, 0xff, 349, 6),
    (1001, 0xff, 2349, 238),
    (1001, 0xff, 100000, 75251),
    (1001, 0xff, 4294967296, 3695424275),
    (1001, 0xff, 18446744073709551615, 2795191911370175251),
    (1234567, 0x01, 1, 0),
    (1234567, 0x01, 2, 1),
    (1234567, 0x01, 3, 2),
    (1234567, 0x01, 349, 176),
    (1234567, 0x01, 2349, 2237),
    (1234567, 0x01, 100000, 79391),
    (1234567, 0x01, 4294967296, 2235415071),
    (1234567, 0x01, 18446744073709551615, 311105077852879391),
    (9223372036854775807, 0x7f, 1, 0),
    (9223372036854775807, 0x7f, 2, 0),
    (9223372036854775807, 0x7f, 3, 2),
    (9223372036854775807, 0x7f, 349, 301),
    (9223372036854775807, 0x7f, 2349, 803),
    (9223372036854775807, 0x7f, 100000, 61622),
    (9223372036854775807, 0x7f, 4294967296, 1534302582),
    (9223372036854775807, 0x7f, 18446744073709551615, 7295370204286261622),
];

#[test]
fn sectors_drawn_of_many() {
    for (miner, fill, sectors, expected) in DRAWS {
        assert_eq!(
            post::challenged_sector(*miner, [*fill; 32], *sectors),
            Some(*expected),
            "{miner} of {sectors}"
        );
    }
    assert_eq!(DRAWS.len(), 32);
    // Every sector has its turn.
    let drawn: std::collections::BTreeSet<_> = (0..2000u32)
        .map(|i| {
            let mut r = [0; 32];
            r[..4].copy_from_slice(&i.to_le_bytes());
            post::challenged_sector(1000, r, 100)
        })
        .collect();
    assert_eq!(drawn.len(), 100);
}

//! The ten groups of `miner.json`: what a miner computes.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{hex_of, json, list, parsed, str_of, typed};
use serde_json::Value;
use venus_core::cbor::{Decode, Encode};
use venus_core::consensus::beacon::{ChainSchedule, QUICKNET};
use venus_core::consensus::{amt, draw, election, msg_meta, probability, ticket, vrf};
use venus_core::crypto::hash::blake2b_256;
use venus_core::types::{Address, BigInt, BlockHeader, Cid, DrawRandomParams, blake2b_cid};

/// Checks each element of a group and answers how many there are.
fn each(group: &str, check: impl Fn(&Value)) -> usize {
    let file = json("miner.json");
    let vectors = list(&file[group]);
    vectors.iter().for_each(check);
    vectors.len()
}

fn float(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

#[test]
fn the_file_has_ten_groups() {
    assert_eq!(json("miner.json").as_object().unwrap().len(), 10);
}

#[test]
fn draw_randomness() {
    let checked = each("draw_randomness", |v| {
        let (tag, round) = (v["tag"].as_i64().unwrap(), v["round_arg"].as_i64().unwrap());
        let (rbase, entropy) = (hex_of(v, "rbase"), hex_of(v, "entropy"));
        let digest = draw::draw_randomness_raw(&rbase, tag, round, &entropy);
        assert_eq!(digest.to_vec(), hex_of(v, "digest"));

        let params = DrawRandomParams { rbase: rbase.clone(), pers: tag, round, entropy: entropy.clone() };
        let cbor = hex_of(v, "draw_random_params_cbor");
        assert_eq!(params.to_cbor(), cbor);
        assert_eq!(DrawRandomParams::from_cbor(&cbor).unwrap(), params);
        assert_eq!(params.digest(), digest);

        let miner = Address::new_id(v["miner_id"].as_u64().unwrap());
        let input = match str_of(v, "kind") {
            "ticket" => {
                vrf::ticket_input(round + 1, &miner, Some(&entropy[vrf::miner_entropy(&miner).len()..]))
            }
            "election" => vrf::election_input(round, &miner),
            "winningpost" => vrf::winning_post_input(round, &miner),
            other => panic!("{other} is no kind of draw"),
        };
        assert_eq!(input.params(&rbase), params);
        assert_eq!(input.digest(&rbase), digest);
    });
    assert_eq!(checked, 12);
}

/// As the Go miner's CBOR library writes it.
#[test]
fn draw_params_of_go() {
    let rbase = vec![1; 48];
    let params = DrawRandomParams { rbase, pers: 1, round: 99, entropy: vec![0x43, 0, 0xe8, 7] };
    let rbase = "01".repeat(48);
    let text = format!("a46552626173655830{rbase}64506572730165526f756e64186367456e74726f7079444300e807");
    assert_eq!(data_encoding::HEXLOWER.encode(&params.to_cbor()), text);
    let empty = DrawRandomParams { rbase: Vec::new(), entropy: Vec::new(), ..params };
    let text = "a4655262617365f664506572730165526f756e64186367456e74726f7079f6";
    assert_eq!(data_encoding::HEXLOWER.encode(&empty.to_cbor()), text);
    assert_eq!(DrawRandomParams::from_cbor(&empty.to_cbor()).unwrap(), empty);
}

#[test]
fn win_count() {
    let checked = each("win_count", |v| {
        let (power, total) = (parsed::<BigInt>(v, "power"), parsed::<BigInt>(v, "total"));
        assert_eq!(
            election::win_count(&hex_of(v, "vrf"), &power, &total),
            v["wins"].as_i64().unwrap(),
            "{v}"
        );
    });
    assert_eq!(checked, 120);
}

#[test]
fn lambda_expneg() {
    let checked = each("lambda_expneg", |v| {
        assert_eq!(election::exp_neg(&parsed(v, "lam")), parsed::<BigInt>(v, "expneg"));
    });
    assert_eq!(checked, 4);
}

#[test]
fn ticket_quality() {
    let checked = each("ticket_quality", |v| {
        let proof = hex_of(v, "vrf");
        assert_eq!(ticket::sort_key(&proof).to_vec(), hex_of(v, "hash"));
        assert_eq!(ticket::quality(&proof).to_bits(), float(&v["quality"]).to_bits(), "{v}");
    });
    assert_eq!(checked, 8);
}

#[test]
fn no_winners_prob() {
    let file = json("miner.json");
    let expected = list(&file["no_winners_prob_assuming_more_than_one"]);
    let found = probability::no_winners();
    assert_eq!(expected.len(), found.len());
    for (found, expected) in found.into_iter().zip(expected) {
        assert_close(found, float(expected), 1e-14);
    }
    // As printed in the report on mining, to six digits.
    let printed = [
        0.033918, 0.084796, 0.141326, 0.176658, 0.176658, 0.147215, 0.105153, 0.065721, 0.036512, 0.018256,
        0.008298, 0.003458, 0.001330, 0.000475, 0.000158,
    ];
    found.into_iter().zip(printed).for_each(|(found, printed)| assert_close(found, printed, 5.01e-7));
    assert_close(found.iter().sum(), 0.99993, 5.01e-6);
}

#[test]
fn block_probabilities() {
    let checked = each("block_probabilities", |v| {
        let found = probability::block_probabilities(v["tq"].as_f64().unwrap());
        let expected = list(&v["probs"]);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.into_iter().zip(expected) {
            assert_close(found, float(expected), 1e-13);
        }
    });
    assert_eq!(checked, 13);
}

#[test]
fn block_probabilities_as_printed_to_four_digits() {
    let rows: [(f64, [f64; 6]); 8] = [
        (1.00, [0.9999, 0.0, 0.0, 0.0, 0.0, 0.0]),
        (0.95, [0.8182, 0.1632, 0.0172, 0.0012, 0.0001, 0.0]),
        (0.90, [0.6709, 0.2647, 0.0554, 0.0080, 0.0009, 0.0001]),
        (0.84, [0.5305, 0.3298, 0.1095, 0.0251, 0.0044, 0.0006]),
        (0.70, [0.3112, 0.3480, 0.2119, 0.0897, 0.0292, 0.0078]),
        (0.50, [0.1517, 0.2615, 0.2550, 0.1754, 0.0936, 0.0409]),
        (0.25, [0.0676, 0.1524, 0.2086, 0.2066, 0.1607, 0.1031]),
        (0.00, [0.0339, 0.0848, 0.1413, 0.1767, 0.1767, 0.1472]),
    ];
    for (quality, printed) in rows {
        let found = probability::block_probabilities(quality);
        for (found, printed) in found.into_iter().zip(printed) {
            assert_eq!(format!("{found:.4}"), format!("{printed:.4}"), "quality {quality}");
        }
    }
    // The quality at which the first place stops being the likeliest.
    let [first, second, ..] = probability::block_probabilities(0.734_684_392_091_033_3);
    assert_close(first, second, 1e-9);
}

/// CIDs of consecutive numbers, which stand for messages.
fn numbered(numbers: std::ops::Range<u64>) -> Vec<Cid> {
    numbers.map(|i| blake2b_cid(&i.to_be_bytes())).collect()
}

#[test]
fn amt_v0_of_cids() {
    let file = json("miner.json");
    let roots = list(&file["amt_v0_of_cids"]["roots"]);
    for v in roots {
        let cids = numbered(0..v["n"].as_u64().unwrap());
        let expected: Cid = parsed(v, "root");
        assert_eq!(amt::amt_v0_root_of_cids(&cids), expected);
        let tree = amt::amt_v0_of_cids(&cids);
        assert_eq!(tree.root, expected);
        assert!(tree.blocks.iter().all(|(cid, block)| *cid == blake2b_cid(block)));
    }
    assert_eq!(roots.len(), 15);
}

/// Where the numbers of the second list begin in the vectors.
const SECP: u64 = 100_000;

#[test]
fn msg_meta_roots() {
    let checked = each("msg_meta", |v| {
        let (bls, secp) = (v["bls"].as_u64().unwrap(), v["secp"].as_u64().unwrap());
        let (bls, secp) = (numbered(0..bls), numbered(SECP..SECP + secp));
        let expected: Cid = parsed(v, "cid");
        assert_eq!(msg_meta::msg_meta_cid(&bls, &secp), expected, "{v}");
        assert_eq!(msg_meta::msg_meta(&bls, &secp).0, expected);
    });
    assert_eq!(checked, 5);
}

#[test]
fn block_header_signing() {
    let headers = json("block_headers.json");
    let checked = each("block_header_signing", |v| {
        let header = list(&headers).iter().find(|h| h["cid"] == v["cid"]).expect("a header of this CID");
        let header: BlockHeader = typed(&header["block"]);
        let bytes = header.signing_bytes();
        assert_eq!(bytes, hex_of(v, "signing_bytes"));
        assert_eq!(bytes.len() as u64, v["signing_bytes_len"].as_u64().unwrap());
        assert_eq!(blake2b_256(&bytes).to_vec(), hex_of(v, "signing_bytes_blake2b256"));
        let unsigned = BlockHeader::from_cbor(&bytes).unwrap();
        assert_eq!(unsigned, BlockHeader { block_sig: None, ..header });
        assert_eq!(unsigned.signing_bytes(), bytes);
    });
    assert_eq!(checked, 5);
}

#[test]
fn quicknet_round() {
    let checked = each("quicknet_round", |v| {
        let number = |member: &str| v[member].as_u64().unwrap();
        let chain = ChainSchedule { genesis: number("genesis"), block_delay: 30 };
        let epoch = v["epoch"].as_i64().unwrap();
        let round = QUICKNET.round_for_epoch(&chain, epoch);
        assert_eq!(round, number("round"));
        // The round is out exactly when the epoch before begins.
        assert_eq!(QUICKNET.genesis + (round - 1) * QUICKNET.period, number("available_unix"));
        assert_eq!(chain.time_of(epoch - 1), number("available_unix"));
    });
    assert_eq!(checked, 2);
    // Null rounds: one entry for every epoch since the parents, each the round of its own epoch.
    let mainnet = ChainSchedule { genesis: 1_598_306_400, block_delay: 30 };
    let rounds: Vec<_> = QUICKNET.rounds_for_block(mainnet, 3_999_998, 4_000_000).collect();
    assert_eq!(rounds, [8_500_992, 8_501_002]);
    assert_eq!(QUICKNET.round_for_epoch(&mainnet, 1), 1, "before the beacon began");
}

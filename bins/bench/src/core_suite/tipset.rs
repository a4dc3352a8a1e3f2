//! A tipset of five blocks from JSON: every change of the head brings one.

use serde::Deserialize;
use serde_json::Value;
use venus_core::types::{
    Address, BeaconEntry, BigInt, BlockHeader, Cid, ElectionProof, PostProof, Signature, Ticket, Tipset,
    TokenAmount, blake2b_cid,
};

use crate::measure::{BenchError, Effort, Measure, Names, compare, over, same};

const NAMES: Names = Names { measure: "tipset_json", baseline: "serde_json::Value, then the same types" };

pub(super) fn measure(effort: &Effort) -> Result<Measure, BenchError> {
    let tipset = Tipset::new((0..5).map(block).collect()).map_err(|error| NAMES.input(error))?;
    let json = serde_json::to_string(&tipset)?;
    same(NAMES, &typed(&json)?, &tipset)?;
    same(NAMES, &by_value(&json)?, &tipset)?;
    let inputs = [json];
    Ok(compare(NAMES, effort, 1, over(&inputs, |json| typed(json)), over(&inputs, |json| by_value(json))))
}

fn typed(json: &str) -> Result<Tipset, BenchError> {
    Ok(serde_json::from_str(json)?)
}

fn by_value(json: &str) -> Result<Tipset, BenchError> {
    let value: Value = serde_json::from_str(json).map_err(|error| NAMES.failed(error))?;
    Tipset::deserialize(value).map_err(|error| NAMES.failed(error))
}

/// A block with fields of the lengths that mainnet's have.
fn block(n: u8) -> BlockHeader {
    BlockHeader {
        miner: Address::new_id(1000 + u64::from(n) * 777_777),
        ticket: Some(Ticket { vrf_proof: bytes(96, n) }),
        election_proof: Some(ElectionProof { win_count: i64::from(n % 3) + 1, vrf_proof: bytes(96, n + 10) }),
        beacon_entries: vec![BeaconEntry { round: 20_000_000, data: bytes(48, 20) }],
        win_post_proof: vec![PostProof { post_proof: 3, proof_bytes: bytes(192, n + 30) }],
        parents: (40..45).map(cid).collect(),
        parent_weight: BigInt::from(123_456_789_012_u64),
        height: 5_432_100,
        parent_state_root: cid(50),
        parent_message_receipts: cid(51),
        messages: cid(60 + n),
        bls_aggregate: Some(Signature::bls(bytes(96, n + 70))),
        timestamp: 1_761_000_000,
        block_sig: Some(Signature::bls(bytes(96, n + 80))),
        fork_signaling: 0,
        parent_base_fee: TokenAmount::from_atto(100),
    }
}

fn cid(n: u8) -> Cid {
    blake2b_cid(&[n])
}

fn bytes(len: usize, seed: u8) -> Vec<u8> {
    (0..len).map(|at| (at as u8).wrapping_mul(31).wrapping_add(seed)).collect()
}

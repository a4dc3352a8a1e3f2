//! Every rule that the network applied to a block, as a function of what it reads.

use venus_core::cbor::{Decode, Encode};
use venus_core::consensus::{amt, base_fee, beacon, election, msg_meta, post, vrf, weight};
use venus_core::crypto::{self, bls};
use venus_core::types::*;

use crate::common::real_chain::{Block, Chain, Recorded};

/// The chain ID of 2k devnets.
pub(crate) const CHAIN_ID: u64 = 31_415_926;

/// A block with all that its rules read. Owned, so that a test can change any of it.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) cid: Cid,
    pub(crate) header: BlockHeader,
    pub(crate) info: MiningBaseInfo,
    pub(crate) messages: BlockMessages,
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) genesis_timestamp: u64,
    pub(crate) block_delay_secs: u64,
    pub(crate) network_version: u32,
    pub(crate) parents: Option<ParentCase>,
}

/// What is read of the parents, where they were recorded.
#[derive(Clone)]
pub(crate) struct ParentCase {
    pub(crate) height: i64,
    pub(crate) min_ticket: Vec<u8>,
    pub(crate) weight: BigInt,
    pub(crate) win_counts: Vec<i64>,
    pub(crate) base_fee: TokenAmount,
    pub(crate) messages: Vec<Message>,
}

impl Case {
    pub(crate) fn new(chain: &Chain, tipset: &Recorded, block: &Block) -> Self {
        let parents = chain.parents(tipset).map(|parents| ParentCase {
            height: parents.tipset.height(),
            min_ticket: parents.tipset.min_ticket().to_vec(),
            weight: parents.tipset.parent_weight().clone(),
            win_counts: wins(parents.tipset),
            base_fee: parents.tipset.min_ticket_block().parent_base_fee.clone(),
            messages: parents.messages.iter().map(|(_, m)| (*m).clone()).collect(),
        });
        Self {
            cid: block.cid,
            header: block.header.clone(),
            info: block.info.clone(),
            messages: block.messages.clone(),
            receipts: tipset.parent_receipts.clone(),
            genesis_timestamp: chain.genesis.min_timestamp(),
            block_delay_secs: chain.block_delay_secs,
            network_version: tipset.network_version,
            parents,
        }
    }

    fn rbase(&self) -> &[u8] {
        &self.info.randomness_base().data
    }
}

/// The win counts of a tipset's blocks.
pub(crate) fn wins(tipset: &Tipset) -> Vec<i64> {
    tipset.blocks().iter().map(|b| b.election_proof.as_ref().unwrap().win_count).collect()
}

/// Whether a rule holds; `None` if what it reads is not there.
pub(crate) type Rule = fn(&Case) -> Option<bool>;

/// All rules by name.
pub(crate) const RULES: [(&str, Rule); 14] = [
    ("header CID", header_cid),
    ("block signature", block_signature),
    ("ticket", ticket),
    ("election proof", election_proof),
    ("win count", win_count),
    ("beacon entries", beacon_entries),
    ("timestamp", timestamp),
    ("winning sector", winning_sector),
    ("BLS aggregate", bls_aggregate),
    ("message signatures", message_signatures),
    ("message root", message_root),
    ("receipt root", receipt_root),
    ("parent weight", parent_weight),
    ("base fee", next_base_fee),
];

fn header_cid(case: &Case) -> Option<bool> {
    let bytes = case.header.to_cbor();
    assert_eq!(BlockHeader::from_cbor(&bytes).unwrap(), case.header, "CBOR is exact");
    Some(case.header.cid() == case.cid)
}

fn block_signature(case: &Case) -> Option<bool> {
    let signature = case.header.block_sig.as_ref()?;
    Some(crypto::verify(signature, &case.info.worker_key, &case.header.signing_bytes()).is_ok())
}

fn ticket(case: &Case) -> Option<bool> {
    let parents = case.parents.as_ref()?;
    let input = vrf::ticket_input(case.header.height, &case.header.miner, Some(&parents.min_ticket));
    let proof = &case.header.ticket.as_ref()?.vrf_proof;
    Some(vrf::verify_vrf(&case.info.worker_key, &input.digest(case.rbase()), proof).is_ok())
}

fn election_proof(case: &Case) -> Option<bool> {
    let input = vrf::election_input(case.header.height, &case.header.miner);
    let proof = &case.header.election_proof.as_ref()?.vrf_proof;
    Some(vrf::verify_vrf(&case.info.worker_key, &input.digest(case.rbase()), proof).is_ok())
}

fn win_count(case: &Case) -> Option<bool> {
    let proof = case.header.election_proof.as_ref()?;
    let wins = election::win_count(&proof.vrf_proof, &case.info.miner_power, &case.info.network_power);
    Some(wins == proof.win_count)
}

/// Of the mock beacon: one entry for every epoch since the parents.
fn beacon_entries(case: &Case) -> Option<bool> {
    let height = case.header.height;
    let entries = i64::try_from(case.header.beacon_entries.len()).ok()?;
    let since = case.parents.as_ref().map_or(height - entries, |parents| parents.height);
    let expected: Vec<_> = beacon::mock_entries_for_block(since, height).collect();
    Some(case.header.beacon_entries == expected)
}

fn timestamp(case: &Case) -> Option<bool> {
    let epochs = u64::try_from(case.header.height).ok()?;
    Some(case.header.timestamp == case.genesis_timestamp + epochs * case.block_delay_secs)
}

/// Each miner has the sectors 0 and 1 with verified deals, which count ten times their size.
fn winning_sector(case: &Case) -> Option<bool> {
    let input = vrf::winning_post_input(case.header.height, &case.header.miner);
    let sectors = u64::try_from(&case.info.miner_power / (10 * case.info.sector_size)).ok()?;
    let index = post::challenged_sector(case.header.miner.id().ok()?, input.digest(case.rbase()), sectors);
    Some(index == Some(case.info.sectors.first()?.sector_number))
}

fn bls_aggregate(case: &Case) -> Option<bool> {
    let aggregate = case.header.bls_aggregate.as_ref()?;
    let key_of = |m: &Message| match m.from.payload() {
        Payload::BLS(key) => *key,
        other => panic!("{other:?} signs no BLS message"),
    };
    let signed: Vec<_> = case.messages.bls.iter().map(|m| (key_of(m), m.cid().to_bytes())).collect();
    Some(bls::verify_aggregate(&signed, &aggregate.data).is_ok())
}

/// Of secp256k1 and delegated senders, whose signatures stand in the block one by one.
fn message_signatures(case: &Case) -> Option<bool> {
    if case.messages.secp.is_empty() {
        return None;
    }
    let valid = |m: &SignedMessage| crypto::verify_message(m, &m.message.from, CHAIN_ID).is_ok();
    Some(case.messages.secp.iter().all(valid))
}

fn message_root(case: &Case) -> Option<bool> {
    let cids: Vec<_> = case.messages.cids().collect();
    let (bls, secp) = cids.split_at(case.messages.bls.len());
    Some(msg_meta::msg_meta_cid(bls, secp) == case.header.messages)
}

fn receipt_root(case: &Case) -> Option<bool> {
    let encoded: Vec<_> = case.receipts.iter().map(Encode::to_cbor).collect();
    Some(amt::amt_v0_root(&encoded) == case.header.parent_message_receipts)
}

fn parent_weight(case: &Case) -> Option<bool> {
    let parents = case.parents.as_ref()?;
    let wins = parents.win_counts.iter().copied();
    let weight = weight::weight(&parents.weight, &case.info.network_power, wins).ok()?;
    Some(weight == case.header.parent_weight)
}

/// By utilisation before network version 28, by premium from it on.
fn next_base_fee(case: &Case) -> Option<bool> {
    let parents = case.parents.as_ref()?;
    let fee = if case.network_version < 28 {
        let limits = parents.messages.iter().map(|m| m.gas_limit);
        base_fee::next_base_fee_utilization(&parents.base_fee, limits, parents.win_counts.len())
    } else {
        base_fee::next_base_fee_premium(&parents.base_fee, &parents.messages)
    };
    Some(fee == case.header.parent_base_fee)
}

//! What a network checks of every block, as functions of what they read.
//!
//! Recorded chains of Lotus and Venus networks pass, and so must the blocks of any chain that claims to follow the
//! same rules. Two ways in: [`RULES`] judge a [`BlockCase`] that was put together from a recording, and
//! [`check_chain`] walks a chain through its traits and judges every block.

use std::collections::BTreeMap;

use cid::Cid;
use fvm_shared::address::Payload;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use num_bigint::BigInt;

use crate::api::{BlockProducer, ChainReader};
use crate::cbor::{Decode, Encode};
use crate::consensus::{amt, base_fee, beacon, election, msg_meta, post, vrf, weight};
use crate::crypto::{self, bls};
use crate::types::{
    BlockHeader, BlockMessages, MessageExt, MiningBaseInfo, Receipt, SignedMessage, Tipset, TipsetKey,
};

/// The first network version whose base fee follows premiums (FIP-0115).
const PREMIUM_BASE_FEE: u32 = 28;

/// A block with all that its rules read. Owned and open, so that a test can change any of it.
#[derive(Clone, Debug)]
pub struct BlockCase {
    /// What the block is known as.
    pub cid: Cid,
    /// The block.
    pub header: BlockHeader,
    /// What the miner mined with.
    pub info: MiningBaseInfo,
    /// The bodies of its messages.
    pub messages: BlockMessages,
    /// Receipts of its parents' messages.
    pub receipts: Vec<Receipt>,
    /// How many sectors the miner could have been asked to prove.
    pub sectors: u64,
    /// Timestamp of the genesis, Unix seconds.
    pub genesis_timestamp: u64,
    /// Seconds from one epoch to the next.
    pub block_delay_secs: u64,
    /// The network version at the block's height.
    pub network_version: u32,
    /// EIP-155 chain ID, to which delegated signatures are bound.
    pub chain_id: u64,
    /// What is read of the parents, where they are known.
    pub parents: Option<ParentCase>,
}

/// What the rules of a block read of its parents.
#[derive(Clone, Debug)]
pub struct ParentCase {
    /// Their height.
    pub height: i64,
    /// The VRF proof of their smallest ticket.
    pub min_ticket: Vec<u8>,
    /// The weight of the chain below them.
    pub weight: BigInt,
    /// Wins of each of them.
    pub win_counts: Vec<i64>,
    /// The base fee that they name.
    pub base_fee: TokenAmount,
    /// Their messages in the order of execution, each once.
    pub messages: Vec<Message>,
}

impl ParentCase {
    /// What is read of a tipset with these messages.
    pub fn new(tipset: &Tipset, messages: Vec<Message>) -> Self {
        Self {
            height: tipset.height(),
            min_ticket: tipset.min_ticket().to_vec(),
            weight: tipset.parent_weight().clone(),
            win_counts: wins(tipset),
            base_fee: tipset.min_ticket_block().parent_base_fee.clone(),
            messages,
        }
    }
}

impl BlockCase {
    fn rbase(&self) -> &[u8] {
        &self.info.randomness_base().data
    }
}

/// The win counts of a tipset's blocks, in its order.
pub fn wins(tipset: &Tipset) -> Vec<i64> {
    let proofs = tipset.blocks().iter().filter_map(|b| b.election_proof.as_ref());
    proofs.map(|proof| proof.win_count).collect()
}

/// Whether a rule holds; `None` if what it reads is not there.
pub type Rule = fn(&BlockCase) -> Option<bool>;

/// All rules by name.
pub const RULES: [(&str, Rule); 14] = [
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

/// Judges every block of the chain of the head, from the genesis' children on, and answers how often each rule was
/// applied. The power of the network and of its miners must not have changed on the way, and no miner's sectors.
///
/// `sectors` is the number of sectors of a miner.
///
/// # Panics
/// If a rule does not hold, a header does not survive its JSON, messages and receipts do not pair up, or the chain
/// cannot be read.
#[allow(clippy::panic, clippy::unwrap_used, reason = "a checker for tests: what is wrong is a panic")]
pub async fn check_chain<N: ChainReader + BlockProducer>(
    node: &N,
    sectors: impl Fn(&MiningBaseInfo) -> u64,
) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    let mut tipset = node.head().await.unwrap();
    while tipset.height() > 0 {
        let parents = node.tipset(&tipset.parents()).await.unwrap();
        for header in tipset.blocks() {
            let case = case_of(node, header, &parents, &sectors).await;
            let json = serde_json::to_string(&case.header).unwrap();
            assert_eq!(serde_json::from_str::<BlockHeader>(&json).unwrap(), case.header, "JSON is exact");
            for (name, rule) in RULES {
                let Some(holds) = rule(&case) else { continue };
                assert!(holds, "{name} of {} at height {}", case.cid, case.header.height);
                *counts.entry(name).or_default() += 1;
            }
        }
        tipset = parents;
    }
    counts
}

#[allow(clippy::unwrap_used, reason = "see check_chain")]
async fn case_of<N: ChainReader + BlockProducer>(
    node: &N,
    header: &BlockHeader,
    parents: &Tipset,
    sectors: &impl Fn(&MiningBaseInfo) -> u64,
) -> BlockCase {
    let cid = header.cid();
    let key = TipsetKey::from(header.parents.clone());
    let info = node.base_info(&header.miner, header.height, &key).await.unwrap().unwrap();
    let (network, genesis) = (node.network().await.unwrap(), node.genesis().await.unwrap());
    let executed = node.parent_messages(&cid).await.unwrap();
    let receipts = node.parent_receipts(&cid).await.unwrap();
    assert_eq!(executed.len(), receipts.len(), "a receipt for each message at height {}", header.height);
    BlockCase {
        cid,
        header: node.block(&cid).await.unwrap(),
        sectors: sectors(&info),
        info,
        messages: node.block_messages(&cid).await.unwrap(),
        receipts,
        genesis_timestamp: genesis.min_timestamp(),
        block_delay_secs: network.block_delay_secs,
        network_version: network.network_version,
        chain_id: network.eip155_chain_id,
        parents: Some(ParentCase::new(parents, executed.into_iter().map(|(_, message)| message).collect())),
    }
}

/// The CBOR decodes to the same header again, and its hash is the name.
fn header_cid(case: &BlockCase) -> Option<bool> {
    let decoded = BlockHeader::from_cbor(&case.header.to_cbor());
    Some(decoded.is_ok_and(|header| header == case.header) && case.header.cid() == case.cid)
}

fn block_signature(case: &BlockCase) -> Option<bool> {
    let signature = case.header.block_sig.as_ref()?;
    Some(crypto::verify(signature, &case.info.worker_key, &case.header.signing_bytes()).is_ok())
}

fn ticket(case: &BlockCase) -> Option<bool> {
    let parents = case.parents.as_ref()?;
    let input = vrf::ticket_input(case.header.height, &case.header.miner, Some(&parents.min_ticket));
    let proof = &case.header.ticket.as_ref()?.vrf_proof;
    Some(vrf::verify_vrf(&case.info.worker_key, &input.digest(case.rbase()), proof).is_ok())
}

fn election_proof(case: &BlockCase) -> Option<bool> {
    let input = vrf::election_input(case.header.height, &case.header.miner);
    let proof = &case.header.election_proof.as_ref()?.vrf_proof;
    Some(vrf::verify_vrf(&case.info.worker_key, &input.digest(case.rbase()), proof).is_ok())
}

fn win_count(case: &BlockCase) -> Option<bool> {
    let proof = case.header.election_proof.as_ref()?;
    let wins = election::win_count(&proof.vrf_proof, &case.info.miner_power, &case.info.network_power);
    Some(wins == proof.win_count)
}

/// Of the mock beacon: one entry for every epoch since the parents.
fn beacon_entries(case: &BlockCase) -> Option<bool> {
    let height = case.header.height;
    let entries = i64::try_from(case.header.beacon_entries.len()).ok()?;
    let since = case.parents.as_ref().map_or(height - entries, |parents| parents.height);
    let expected: Vec<_> = beacon::mock_entries_for_block(since, height).collect();
    Some(case.header.beacon_entries == expected)
}

fn timestamp(case: &BlockCase) -> Option<bool> {
    let epochs = u64::try_from(case.header.height).ok()?;
    Some(case.header.timestamp == case.genesis_timestamp + epochs * case.block_delay_secs)
}

fn winning_sector(case: &BlockCase) -> Option<bool> {
    let input = vrf::winning_post_input(case.header.height, &case.header.miner);
    let miner = case.header.miner.id().ok()?;
    let index = post::challenged_sector(miner, input.digest(case.rbase()), case.sectors);
    Some(index == Some(case.info.sectors.first()?.sector_number))
}

fn bls_aggregate(case: &BlockCase) -> Option<bool> {
    let aggregate = case.header.bls_aggregate.as_ref()?;
    let signed = |m: &Message| match m.from.payload() {
        Payload::BLS(key) => Some((*key, m.cid().to_bytes())),
        _ => None,
    };
    let signed: Option<Vec<_>> = case.messages.bls.iter().map(signed).collect();
    Some(signed.is_some_and(|signed| bls::verify_aggregate(&signed, &aggregate.data).is_ok()))
}

/// Of secp256k1 and delegated senders, whose signatures stand in the block one by one.
fn message_signatures(case: &BlockCase) -> Option<bool> {
    if case.messages.secp.is_empty() {
        return None;
    }
    let valid = |m: &SignedMessage| crypto::verify_message(m, &m.message.from, case.chain_id).is_ok();
    Some(case.messages.secp.iter().all(valid))
}

fn message_root(case: &BlockCase) -> Option<bool> {
    let cids: Vec<_> = case.messages.cids().collect();
    let (bls, secp) = cids.split_at(case.messages.bls.len());
    Some(msg_meta::msg_meta_cid(bls, secp) == case.header.messages)
}

fn receipt_root(case: &BlockCase) -> Option<bool> {
    let encoded: Vec<_> = case.receipts.iter().map(Encode::to_cbor).collect();
    Some(amt::amt_v0_root(&encoded) == case.header.parent_message_receipts)
}

fn parent_weight(case: &BlockCase) -> Option<bool> {
    let parents = case.parents.as_ref()?;
    let wins = parents.win_counts.iter().copied();
    let weight = weight::weight(&parents.weight, &case.info.network_power, wins).ok()?;
    Some(weight == case.header.parent_weight)
}

/// By utilisation before network version 28, by premium from it on.
fn next_base_fee(case: &BlockCase) -> Option<bool> {
    let parents = case.parents.as_ref()?;
    let fee = if case.network_version < PREMIUM_BASE_FEE {
        let limits = parents.messages.iter().map(|m| m.gas_limit);
        base_fee::next_base_fee_utilization(&parents.base_fee, limits, parents.win_counts.len())
    } else {
        base_fee::next_base_fee_premium(&parents.base_fee, &parents.messages)
    };
    Some(fee == case.header.parent_base_fee)
}

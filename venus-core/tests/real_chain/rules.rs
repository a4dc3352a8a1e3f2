//! The rules of `venus_core::testing`, fed with the recordings.

use venus_core::testing::chain_rules::{BlockCase, ParentCase};
pub(crate) use venus_core::testing::chain_rules::{RULES, Rule, wins};

use crate::common::real_chain::{Block, Chain, Recorded};

/// The chain ID of 2k devnets.
pub(crate) const CHAIN_ID: u64 = 31_415_926;

pub(crate) type Case = BlockCase;

/// A recorded block, ready to be judged.
pub(crate) fn case(chain: &Chain, tipset: &Recorded, block: &Block) -> Case {
    let parents = chain.parents(tipset).map(|parents| {
        ParentCase::new(parents.tipset, parents.messages.iter().map(|(_, m)| (*m).clone()).collect())
    });
    Case {
        cid: block.cid,
        header: block.header.clone(),
        info: block.info.clone(),
        messages: block.messages.clone(),
        receipts: tipset.parent_receipts.clone(),
        // Each miner has the sectors 0 and 1 with verified deals, which count ten times their size.
        sectors: u64::try_from(&block.info.miner_power / (10 * block.info.sector_size)).unwrap(),
        genesis_timestamp: chain.genesis.min_timestamp(),
        block_delay_secs: chain.block_delay_secs,
        network_version: tipset.network_version,
        chain_id: CHAIN_ID,
        parents,
    }
}

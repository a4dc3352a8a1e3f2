//! Answers about the chain that are no chain objects.

use cid::Cid;
use fvm_shared::address::Network;
use fvm_shared::clock::ChainEpoch;

use super::{Receipt, TipsetKey};
use crate::json::lotus_json;

/// Where a message was executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageLookup {
    /// The message that landed; another CID than asked for if it was replaced by one with the same nonce.
    pub message: Cid,
    /// What it left behind.
    pub receipt: Receipt,
    /// The tipset whose parent receipts hold the receipt: a child of the one that includes the message.
    pub tipset: TipsetKey,
    /// Height of that tipset.
    pub height: ChainEpoch,
}

lotus_json!(MessageLookup { message: "Message", receipt: "Receipt", tipset: "TipSet", height: "Height" });

/// Facts of a network that never change while a node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkInfo {
    /// The name, such as `mainnet` or `localnet-…`.
    pub name: String,
    /// The prefix of addresses in text.
    pub address_network: Network,
    /// Network version that the pool's rules follow.
    pub network_version: u32,
    /// Seconds from one epoch to the next.
    pub block_delay_secs: u64,
    /// Timestamp of the genesis block, Unix seconds.
    pub genesis_timestamp: u64,
    /// EIP-155 chain ID of delegated transactions.
    pub eip155_chain_id: u64,
}

impl NetworkInfo {
    /// The timestamp that a block of `epoch` must carry, Unix seconds.
    pub fn timestamp_of(&self, epoch: ChainEpoch) -> u64 {
        self.genesis_timestamp
            .saturating_add(self.block_delay_secs.saturating_mul(epoch.try_into().unwrap_or(0)))
    }
}

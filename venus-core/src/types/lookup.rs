//! Answers about the chain that are no chain objects.

use cid::Cid;
use fvm_shared::address::Network;
use fvm_shared::clock::ChainEpoch;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{Receipt, TipsetKey};
use crate::json::{JsonRef, lotus_json};

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

lotus_json!(@read MessageLookup { message: "Message", receipt: "Receipt", tipset: "TipSet", height: "Height" });
lotus_json!(@delegate MessageLookup);

/// `ReturnDec` is what a node may decode of the return data for people; ours leaves that to them.
impl Serialize for MessageLookup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("Message", &JsonRef(&self.message))?;
        map.serialize_entry("Receipt", &self.receipt)?;
        map.serialize_entry("ReturnDec", &())?;
        map.serialize_entry("TipSet", &self.tipset)?;
        map.serialize_entry("Height", &self.height)?;
        map.end()
    }
}

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

//! What a miner needs to make a block.

use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use num_bigint::BigInt;

use super::{BeaconEntry, ElectionProof, PostProof, SignedMessage, Ticket, TipsetKey};
use crate::json::lotus_json;

/// A sector as the chain knows it, enough to prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedSectorInfo {
    /// Registered seal proof number.
    pub seal_proof: i64,
    /// Sector number.
    pub sector_number: u64,
    /// The sealed CID of the last replica update's base, if the sector was updated.
    pub sector_key: Option<Cid>,
    /// The sealed CID (CommR).
    pub sealed_cid: Cid,
}

lotus_json!(ExtendedSectorInfo {
    seal_proof: "SealProof",
    sector_number: "SectorNumber",
    sector_key: "SectorKey",
    sealed_cid: "SealedCID",
});

/// Everything about a miner that an election of one epoch needs.
///
/// Power, sectors and worker come from the lookback state, beacon entries and eligibility from the base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MiningBaseInfo {
    /// Quality-adjusted power of the miner, bytes.
    pub miner_power: BigInt,
    /// Quality-adjusted power of the network, bytes.
    pub network_power: BigInt,
    /// The sectors to prove in WinningPoSt, already drawn for this epoch.
    pub sectors: Vec<ExtendedSectorInfo>,
    /// Key address (`f3`) of the worker that signs VRFs and the block.
    pub worker_key: Address,
    /// Sector size in bytes, padded: 2048 for 2 KiB sectors.
    pub sector_size: u64,
    /// The last beacon entry of the base or its ancestors.
    pub prev_beacon_entry: BeaconEntry,
    /// Entries that the new block must carry, oldest first; empty if the round did not move.
    pub beacon_entries: Vec<BeaconEntry>,
    /// Whether the miner may win at all.
    pub eligible_for_mining: bool,
}

lotus_json!(MiningBaseInfo {
    miner_power: "MinerPower",
    network_power: "NetworkPower",
    sectors: "Sectors",
    worker_key: "WorkerKey",
    sector_size: "SectorSize",
    prev_beacon_entry: "PrevBeaconEntry",
    beacon_entries: "BeaconEntries" null,
    eligible_for_mining: "EligibleForMining",
});

impl MiningBaseInfo {
    /// The entry that randomness of this epoch is drawn from.
    pub fn randomness_base(&self) -> &BeaconEntry {
        self.beacon_entries.last().unwrap_or(&self.prev_beacon_entry)
    }
}

/// What the winner of an election gives to the node that assembles the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockTemplate {
    /// ID address of the miner.
    pub miner: Address,
    /// The tipset to build on.
    pub parents: TipsetKey,
    /// The lottery ticket.
    pub ticket: Ticket,
    /// The election proof.
    pub election_proof: ElectionProof,
    /// Beacon entries of [`MiningBaseInfo::beacon_entries`].
    pub beacon_values: Vec<BeaconEntry>,
    /// Messages to include, in order.
    pub messages: Vec<SignedMessage>,
    /// The epoch of the block.
    pub epoch: ChainEpoch,
    /// Unix seconds; must be the parents' time plus the block delay for every epoch between.
    pub timestamp: u64,
    /// WinningPoSt.
    pub winning_post_proof: Vec<PostProof>,
}

lotus_json!(BlockTemplate {
    miner: "Miner",
    parents: "Parents",
    ticket: "Ticket",
    election_proof: "Eproof",
    beacon_values: "BeaconValues" null,
    messages: "Messages" null,
    epoch: "Epoch",
    timestamp: "Timestamp",
    winning_post_proof: "WinningPoStProof" null,
});

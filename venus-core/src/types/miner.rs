//! What a node tells about a miner.

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;

use super::MaybeAddress;
use crate::cbor::cbor_tuple;
use crate::json::lotus_json;

/// The static facts of a miner actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinerInfo {
    /// ID address of the owner, who gets the rewards.
    pub owner: Address,
    /// ID address of the worker, whose BLS key signs blocks.
    pub worker: Address,
    /// The next worker, while a change is pending.
    pub new_worker: MaybeAddress,
    /// ID addresses that may send the messages of proofs and sectors.
    pub control_addresses: Vec<Address>,
    /// When [`MinerInfo::new_worker`] takes over; -1 if no change is pending.
    pub worker_change_epoch: ChainEpoch,
    /// The libp2p peer ID.
    pub peer_id: Option<String>,
    /// Binary multiaddresses.
    pub multiaddrs: Vec<Vec<u8>>,
    /// Registered WindowPoSt proof number: 10 to 14.
    pub window_post_proof_type: i64,
    /// Padded sector size in bytes.
    pub sector_size: u64,
    /// Sectors in a full partition.
    pub window_post_partition_sectors: u64,
    /// Until when a consensus fault bars the miner from elections; -1 if it never made one.
    pub consensus_fault_elapsed: ChainEpoch,
    /// The next owner, proposed and not yet confirmed.
    pub pending_owner_address: Option<Address>,
    /// Who gets the rewards up to the quota of the term.
    pub beneficiary: Address,
    /// What the beneficiary may get.
    pub beneficiary_term: BeneficiaryTerm,
    /// A change of the beneficiary, proposed and not yet approved by all.
    pub pending_beneficiary_term: Option<PendingBeneficiaryChange>,
}

lotus_json!(MinerInfo {
    owner: "Owner",
    worker: "Worker",
    new_worker: "NewWorker",
    control_addresses: "ControlAddresses" null,
    worker_change_epoch: "WorkerChangeEpoch",
    peer_id: "PeerId",
    multiaddrs: "Multiaddrs" null,
    window_post_proof_type: "WindowPoStProofType",
    sector_size: "SectorSize",
    window_post_partition_sectors: "WindowPoStPartitionSectors",
    consensus_fault_elapsed: "ConsensusFaultElapsed",
    pending_owner_address: "PendingOwnerAddress",
    beneficiary: "Beneficiary",
    beneficiary_term: "BeneficiaryTerm",
    pending_beneficiary_term: "PendingBeneficiaryTerm",
});

/// What a beneficiary may get (FIP-0029).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BeneficiaryTerm {
    /// In all, attoFIL.
    pub quota: TokenAmount,
    /// Taken so far, attoFIL.
    pub used_quota: TokenAmount,
    /// The end of the term.
    pub expiration: ChainEpoch,
}

cbor_tuple!(BeneficiaryTerm { quota: "Quota", used_quota: "UsedQuota", expiration: "Expiration" });
lotus_json!(BeneficiaryTerm { quota: "Quota", used_quota: "UsedQuota", expiration: "Expiration" });

/// A proposed beneficiary. It takes over when both sides have approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingBeneficiaryChange {
    /// Who it shall be.
    pub new_beneficiary: Address,
    /// What it may get, attoFIL.
    pub new_quota: TokenAmount,
    /// The end of its term.
    pub new_expiration: ChainEpoch,
    /// Whether the present beneficiary approved.
    pub approved_by_beneficiary: bool,
    /// Whether the next one approved.
    pub approved_by_nominee: bool,
}

cbor_tuple!(PendingBeneficiaryChange {
    new_beneficiary: "NewBeneficiary",
    new_quota: "NewQuota",
    new_expiration: "NewExpiration",
    approved_by_beneficiary: "ApprovedByBeneficiary",
    approved_by_nominee: "ApprovedByNominee",
});
lotus_json!(PendingBeneficiaryChange {
    new_beneficiary: "NewBeneficiary",
    new_quota: "NewQuota",
    new_expiration: "NewExpiration",
    approved_by_beneficiary: "ApprovedByBeneficiary",
    approved_by_nominee: "ApprovedByNominee",
});

/// The power of one miner or of all, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PowerClaim {
    /// Bytes of sectors.
    pub raw_byte_power: BigInt,
    /// The same, with verified deals counting tenfold.
    pub quality_adj_power: BigInt,
}

lotus_json!(PowerClaim { raw_byte_power: "RawBytePower", quality_adj_power: "QualityAdjPower" });

/// A miner's share of the power.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinerPower {
    /// The miner's power.
    pub miner_power: PowerClaim,
    /// The power of all miners above the minimum.
    pub total_power: PowerClaim,
    /// Whether the miner has enough to win elections.
    pub has_min_power: bool,
}

lotus_json!(MinerPower {
    miner_power: "MinerPower",
    total_power: "TotalPower",
    has_min_power: "HasMinPower",
});

/// How many sectors a miner has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MinerSectors {
    /// Not terminated.
    pub live: u64,
    /// Live, proven and not faulty.
    pub active: u64,
    /// Faulty.
    pub faulty: u64,
}

lotus_json!(MinerSectors { live: "Live", active: "Active", faulty: "Faulty" });

//! Proving sectors again and again, and what happens to those that are not.

use fvm_ipld_bitfield::BitField;
use fvm_shared::clock::ChainEpoch;

use crate::cbor::cbor_tuple;
use crate::types::PostProof;

/// Parameters of [`SUBMIT_WINDOWED_POST`](super::SUBMIT_WINDOWED_POST).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmitWindowedPostParams {
    /// The open deadline.
    pub deadline: u64,
    /// What is proven, at most three partitions.
    pub partitions: Vec<PostPartition>,
    /// Exactly one proof.
    pub proofs: Vec<PostProof>,
    /// An epoch from the challenge on, whose tickets are known.
    pub chain_commit_epoch: ChainEpoch,
    /// Randomness of that epoch, so that the message is good on this chain only.
    pub chain_commit_rand: Vec<u8>,
}

cbor_tuple!(SubmitWindowedPostParams {
    deadline: "Deadline",
    partitions: "Partitions",
    proofs: "Proofs",
    chain_commit_epoch: "ChainCommitEpoch",
    chain_commit_rand: "ChainCommitRand",
});

/// A partition in a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostPartition {
    /// Its index in the deadline.
    pub index: u64,
    /// Sectors that are not proven and become faulty.
    pub skipped: BitField,
}

cbor_tuple!(PostPartition { index: "Index", skipped: "Skipped" });

/// Sectors of a partition that are faulty, recover, or end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultDeclaration {
    /// Their deadline.
    pub deadline: u64,
    /// Their partition.
    pub partition: u64,
    /// Which.
    pub sectors: BitField,
}

cbor_tuple!(FaultDeclaration { deadline: "Deadline", partition: "Partition", sectors: "Sectors" });

/// Parameters of [`DECLARE_FAULTS`](super::DECLARE_FAULTS) and
/// [`DECLARE_FAULTS_RECOVERED`](super::DECLARE_FAULTS_RECOVERED).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclareFaultsParams {
    /// The sectors.
    pub declarations: Vec<FaultDeclaration>,
}

cbor_tuple!(DeclareFaultsParams { declarations: "Declarations" });

/// Parameters of [`TERMINATE_SECTORS`](super::TERMINATE_SECTORS).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TerminateSectorsParams {
    /// The sectors.
    pub terminations: Vec<FaultDeclaration>,
}

cbor_tuple!(TerminateSectorsParams { terminations: "Terminations" });

/// What [`TERMINATE_SECTORS`](super::TERMINATE_SECTORS) returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminateSectorsReturn {
    /// Whether nothing is left for cron.
    pub done: bool,
}

cbor_tuple!(TerminateSectorsReturn { done: "Done" });

/// Parameters of [`COMPACT_PARTITIONS`](super::COMPACT_PARTITIONS).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompactPartitionsParams {
    /// The deadline.
    pub deadline: u64,
    /// Partitions to empty.
    pub partitions: BitField,
}

cbor_tuple!(CompactPartitionsParams { deadline: "Deadline", partitions: "Partitions" });

/// Parameters of [`COMPACT_SECTOR_NUMBERS`](super::COMPACT_SECTOR_NUMBERS).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompactSectorNumbersParams {
    /// Numbers that shall never be used.
    pub mask: BitField,
}

cbor_tuple!(CompactSectorNumbersParams { mask: "MaskSectorNumbers" });

/// Parameters of [`CHECK_SECTOR_PROVEN`](super::CHECK_SECTOR_PROVEN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckSectorProvenParams {
    /// The sector.
    pub sector_number: u64,
}

cbor_tuple!(CheckSectorProvenParams { sector_number: "SectorNumber" });

/// Parameters of [`DISPUTE_WINDOWED_POST`](super::DISPUTE_WINDOWED_POST).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisputeWindowedPostParams {
    /// The deadline.
    pub deadline: u64,
    /// Which of its proofs.
    pub post_index: u64,
}

cbor_tuple!(DisputeWindowedPostParams { deadline: "Deadline", post_index: "PoStIndex" });

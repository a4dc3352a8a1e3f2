//! Promising, proving and prolonging sectors.

use cid::Cid;
use fvm_ipld_bitfield::BitField;
use fvm_ipld_encoding::RawBytes;
use fvm_shared::ActorID;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;

use crate::cbor::cbor_tuple;
use crate::types::SectorPreCommitInfo;

/// Parameters of [`PRE_COMMIT_SECTOR_BATCH2`](super::PRE_COMMIT_SECTOR_BATCH2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreCommitSectorBatch2Params {
    /// The promises.
    pub sectors: Vec<SectorPreCommitInfo>,
}

cbor_tuple!(PreCommitSectorBatch2Params { sectors: "Sectors" });

/// Parameters of [`PROVE_COMMIT_SECTORS3`](super::PROVE_COMMIT_SECTORS3): a proof for every sector, or one
/// aggregate of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProveCommitSectors3Params {
    /// The sectors and their pieces.
    pub sector_activations: Vec<SectorActivationManifest>,
    /// A proof for each; empty if aggregated.
    pub sector_proofs: Vec<Vec<u8>>,
    /// The aggregate; empty if there is a proof for each.
    pub aggregate_proof: Vec<u8>,
    /// How it was aggregated; `None` if it was not.
    pub aggregate_proof_type: Option<i64>,
    /// Whether one bad sector fails all.
    pub require_activation_success: bool,
    /// Whether one failed notification fails all.
    pub require_notification_success: bool,
}

cbor_tuple!(ProveCommitSectors3Params {
    sector_activations: "SectorActivations",
    sector_proofs: "SectorProofs",
    aggregate_proof: "AggregateProof",
    aggregate_proof_type: "AggregateProofType",
    require_activation_success: "RequireActivationSuccess",
    require_notification_success: "RequireNotificationSuccess",
});

/// A sector and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorActivationManifest {
    /// The sector.
    pub sector_number: u64,
    /// Its pieces in order; none in a sector of zeros.
    pub pieces: Vec<PieceActivationManifest>,
}

cbor_tuple!(SectorActivationManifest { sector_number: "SectorNumber", pieces: "Pieces" });

/// A piece of a sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PieceActivationManifest {
    /// CommP.
    pub cid: Cid,
    /// Padded size in bytes.
    pub size: u64,
    /// The allocation that it claims.
    pub verified_allocation_key: Option<VerifiedAllocationKey>,
    /// Whom to tell.
    pub notify: Vec<DataActivationNotification>,
}

cbor_tuple!(PieceActivationManifest {
    cid: "CID",
    size: "Size",
    verified_allocation_key: "VerifiedAllocationKey",
    notify: "Notify",
});

/// An allocation of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VerifiedAllocationKey {
    /// The client's ID.
    pub client: ActorID,
    /// The allocation.
    pub id: u64,
}

cbor_tuple!(VerifiedAllocationKey { client: "Client", id: "ID" });

/// An actor that is told of a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataActivationNotification {
    /// Whom; the market for a deal.
    pub address: Address,
    /// What; the CBOR of the deal's ID for the market.
    pub payload: RawBytes,
}

cbor_tuple!(DataActivationNotification { address: "Address", payload: "Payload" });

/// Parameters of [`PROVE_REPLICA_UPDATES3`](super::PROVE_REPLICA_UPDATES3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProveReplicaUpdates3Params {
    /// The sectors and their pieces.
    pub sector_updates: Vec<SectorUpdateManifest>,
    /// A proof for each.
    pub sector_proofs: Vec<Vec<u8>>,
    /// Empty: aggregates of updates are not taken.
    pub aggregate_proof: Vec<u8>,
    /// Registered update proof number.
    pub update_proofs_type: i64,
    /// `None`, as there is no aggregate.
    pub aggregate_proof_type: Option<i64>,
    /// Whether one bad sector fails all.
    pub require_activation_success: bool,
    /// Whether one failed notification fails all.
    pub require_notification_success: bool,
}

cbor_tuple!(ProveReplicaUpdates3Params {
    sector_updates: "SectorUpdates",
    sector_proofs: "SectorProofs",
    aggregate_proof: "AggregateProof",
    update_proofs_type: "UpdateProofsType",
    aggregate_proof_type: "AggregateProofType",
    require_activation_success: "RequireActivationSuccess",
    require_notification_success: "RequireNotificationSuccess",
});

/// A sector that got data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorUpdateManifest {
    /// The sector.
    pub sector: u64,
    /// Its deadline.
    pub deadline: u64,
    /// Its partition.
    pub partition: u64,
    /// The new CommR.
    pub new_sealed_cid: Cid,
    /// Its pieces in order.
    pub pieces: Vec<PieceActivationManifest>,
}

cbor_tuple!(SectorUpdateManifest {
    sector: "Sector",
    deadline: "Deadline",
    partition: "Partition",
    new_sealed_cid: "NewSealedCID",
    pieces: "Pieces",
});

/// Parameters of [`PROVE_COMMIT_SECTORS_NI`](super::PROVE_COMMIT_SECTORS_NI) (FIP-0092).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProveCommitSectorsNiParams {
    /// The sectors.
    pub sectors: Vec<SectorNiActivation>,
    /// The proof of them all.
    pub aggregate_proof: Vec<u8>,
    /// Registered seal proof number, 15 to 19.
    pub seal_proof_type: i64,
    /// How it was aggregated.
    pub aggregate_proof_type: i64,
    /// The deadline that the sectors go to.
    pub proving_deadline: u64,
    /// Whether one bad sector fails all.
    pub require_activation_success: bool,
}

cbor_tuple!(ProveCommitSectorsNiParams {
    sectors: "Sectors",
    aggregate_proof: "AggregateProof",
    seal_proof_type: "SealProofType",
    aggregate_proof_type: "AggregateProofType",
    proving_deadline: "ProvingDeadline",
    require_activation_success: "RequireActivationSuccess",
});

/// A sector that was sealed without a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorNiActivation {
    /// The number that it was sealed with.
    pub sealing_number: u64,
    /// ID of the miner that sealed it.
    pub sealer_id: ActorID,
    /// CommR.
    pub sealed_cid: Cid,
    /// The number that it gets.
    pub sector_number: u64,
    /// Epoch of the seal ticket.
    pub seal_rand_epoch: ChainEpoch,
    /// When its life ends.
    pub expiration: ChainEpoch,
}

cbor_tuple!(SectorNiActivation {
    sealing_number: "SealingNumber",
    sealer_id: "SealerID",
    sealed_cid: "SealedCID",
    sector_number: "SectorNumber",
    seal_rand_epoch: "SealRandEpoch",
    expiration: "Expiration",
});

/// Parameters of [`EXTEND_SECTOR_EXPIRATION2`](super::EXTEND_SECTOR_EXPIRATION2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtendSectorExpiration2Params {
    /// What to prolong.
    pub extensions: Vec<ExpirationExtension>,
}

cbor_tuple!(ExtendSectorExpiration2Params { extensions: "Extensions" });

/// Sectors of a partition that get a new end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpirationExtension {
    /// Their deadline.
    pub deadline: u64,
    /// Their partition.
    pub partition: u64,
    /// Those without claims.
    pub sectors: BitField,
    /// Those with claims.
    pub sectors_with_claims: Vec<SectorClaim>,
    /// The new end.
    pub new_expiration: ChainEpoch,
}

cbor_tuple!(ExpirationExtension {
    deadline: "Deadline",
    partition: "Partition",
    sectors: "Sectors",
    sectors_with_claims: "SectorsWithClaims",
    new_expiration: "NewExpiration",
});

/// What becomes of a sector's claims when it is prolonged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorClaim {
    /// The sector.
    pub sector_number: u64,
    /// Claims that stay.
    pub maintain_claims: Vec<u64>,
    /// Claims that are given up.
    pub drop_claims: Vec<u64>,
}

cbor_tuple!(SectorClaim {
    sector_number: "SectorNumber",
    maintain_claims: "MaintainClaims",
    drop_claims: "DropClaims",
});

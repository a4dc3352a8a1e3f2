//! A storage provider.

mod control;
mod post;
mod sectors;

use fvm_shared::MethodNum;

pub use control::{
    ActiveBeneficiary, ChangeBeneficiaryParams, ChangeMultiaddrsParams, ChangePeerIdParams,
    ChangeWorkerAddressParams, ControlAddressesReturn, GetBeneficiaryReturn, ReportConsensusFaultParams,
    WithdrawBalanceParams,
};
pub use post::{
    CheckSectorProvenParams, CompactPartitionsParams, CompactSectorNumbersParams, DeclareFaultsParams,
    DisputeWindowedPostParams, FaultDeclaration, PostPartition, SubmitWindowedPostParams,
    TerminateSectorsParams, TerminateSectorsReturn,
};
pub use sectors::{
    DataActivationNotification, ExpirationExtension, ExtendSectorExpiration2Params, PieceActivationManifest,
    PreCommitSectorBatch2Params, ProveCommitSectors3Params, ProveCommitSectorsNiParams,
    ProveReplicaUpdates3Params, SectorActivationManifest, SectorClaim, SectorNiActivation,
    SectorUpdateManifest, VerifiedAllocationKey,
};

/// Answers owner, worker and control addresses.
pub const CONTROL_ADDRESSES: MethodNum = 2;
/// Sets control addresses at once and proposes a worker.
pub const CHANGE_WORKER_ADDRESS: MethodNum = 3;
/// Sets the libp2p peer ID.
pub const CHANGE_PEER_ID: MethodNum = 4;
/// Proves partitions of the open deadline.
pub const SUBMIT_WINDOWED_POST: MethodNum = 5;
/// Ends sectors before their time.
pub const TERMINATE_SECTORS: MethodNum = 9;
/// Says that sectors cannot be proven.
pub const DECLARE_FAULTS: MethodNum = 10;
/// Says that faulty sectors can be proven again.
pub const DECLARE_FAULTS_RECOVERED: MethodNum = 11;
/// Fails unless a sector is proven.
pub const CHECK_SECTOR_PROVEN: MethodNum = 13;
/// Reports a miner that broke consensus. Anybody may.
pub const REPORT_CONSENSUS_FAULT: MethodNum = 15;
/// Takes what is not locked; returns the amount.
pub const WITHDRAW_BALANCE: MethodNum = 16;
/// Sets multiaddresses.
pub const CHANGE_MULTIADDRS: MethodNum = 18;
/// Moves what is left of partitions together.
pub const COMPACT_PARTITIONS: MethodNum = 19;
/// Gives up sector numbers.
pub const COMPACT_SECTOR_NUMBERS: MethodNum = 20;
/// Makes the proposed worker the worker when its time has come. No parameters.
pub const CONFIRM_CHANGE_WORKER_ADDRESS: MethodNum = 21;
/// Pays debts from the value and what is not locked. No parameters.
pub const REPAY_DEBT: MethodNum = 22;
/// Proposes an owner or, called by that one, takes over; parameters are the address alone.
pub const CHANGE_OWNER_ADDRESS: MethodNum = 23;
/// Shows that a WindowPoSt was false.
pub const DISPUTE_WINDOWED_POST: MethodNum = 24;
/// Promises sectors.
pub const PRE_COMMIT_SECTOR_BATCH2: MethodNum = 28;
/// Proposes or approves a beneficiary.
pub const CHANGE_BENEFICIARY: MethodNum = 30;
/// Answers the beneficiary.
pub const GET_BENEFICIARY: MethodNum = 31;
/// Prolongs sectors.
pub const EXTEND_SECTOR_EXPIRATION2: MethodNum = 32;
/// Proves promised sectors; returns a [`BatchReturn`](super::BatchReturn).
pub const PROVE_COMMIT_SECTORS3: MethodNum = 34;
/// Proves data put into sectors without any; returns a [`BatchReturn`](super::BatchReturn).
pub const PROVE_REPLICA_UPDATES3: MethodNum = 35;
/// Proves sectors that need no promise; returns a [`BatchReturn`](super::BatchReturn).
pub const PROVE_COMMIT_SECTORS_NI: MethodNum = 36;

//! Addresses, money and faults of a miner.

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;

use crate::cbor::cbor_tuple;
use crate::types::{BeneficiaryTerm, PendingBeneficiaryChange};

/// What [`CONTROL_ADDRESSES`](super::CONTROL_ADDRESSES) returns: ID addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlAddressesReturn {
    /// The owner.
    pub owner: Address,
    /// The worker.
    pub worker: Address,
    /// The others.
    pub control_addresses: Vec<Address>,
}

cbor_tuple!(ControlAddressesReturn { owner: "Owner", worker: "Worker", control_addresses: "ControlAddrs" });

/// Parameters of [`CHANGE_WORKER_ADDRESS`](super::CHANGE_WORKER_ADDRESS).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeWorkerAddressParams {
    /// The worker, the present one to keep it.
    pub new_worker: Address,
    /// All control addresses.
    pub new_control_addresses: Vec<Address>,
}

cbor_tuple!(ChangeWorkerAddressParams { new_worker: "NewWorker", new_control_addresses: "NewControlAddrs" });

/// Parameters of [`CHANGE_PEER_ID`](super::CHANGE_PEER_ID).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangePeerIdParams {
    /// Binary libp2p peer ID.
    pub new_id: Vec<u8>,
}

cbor_tuple!(ChangePeerIdParams { new_id: "NewID" });

/// Parameters of [`CHANGE_MULTIADDRS`](super::CHANGE_MULTIADDRS).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeMultiaddrsParams {
    /// Binary multiaddresses.
    pub new_multiaddrs: Vec<Vec<u8>>,
}

cbor_tuple!(ChangeMultiaddrsParams { new_multiaddrs: "NewMultiaddrs" });

/// Parameters of [`WITHDRAW_BALANCE`](super::WITHDRAW_BALANCE).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawBalanceParams {
    /// At most so much, attoFIL.
    pub amount_requested: TokenAmount,
}

cbor_tuple!(WithdrawBalanceParams { amount_requested: "AmountRequested" });

/// Parameters of [`REPORT_CONSENSUS_FAULT`](super::REPORT_CONSENSUS_FAULT): CBOR of block headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportConsensusFaultParams {
    /// One block.
    pub header1: Vec<u8>,
    /// The other.
    pub header2: Vec<u8>,
    /// The witness of parent-grinding; else empty.
    pub header_extra: Vec<u8>,
}

cbor_tuple!(ReportConsensusFaultParams {
    header1: "BlockHeader1",
    header2: "BlockHeader2",
    header_extra: "BlockHeaderExtra",
});

/// Parameters of [`CHANGE_BENEFICIARY`](super::CHANGE_BENEFICIARY) (FIP-0029).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeBeneficiaryParams {
    /// Who; the owner to end another's term.
    pub new_beneficiary: Address,
    /// How much in all, attoFIL.
    pub new_quota: TokenAmount,
    /// Until when.
    pub new_expiration: ChainEpoch,
}

cbor_tuple!(ChangeBeneficiaryParams {
    new_beneficiary: "NewBeneficiary",
    new_quota: "NewQuota",
    new_expiration: "NewExpiration",
});

/// What [`GET_BENEFICIARY`](super::GET_BENEFICIARY) returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetBeneficiaryReturn {
    /// Who it is.
    pub active: ActiveBeneficiary,
    /// Who shall be it.
    pub proposed: Option<PendingBeneficiaryChange>,
}

cbor_tuple!(GetBeneficiaryReturn { active: "Active", proposed: "Proposed" });

/// The beneficiary and its term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveBeneficiary {
    /// Who.
    pub beneficiary: Address,
    /// What it may get.
    pub term: BeneficiaryTerm,
}

cbor_tuple!(ActiveBeneficiary { beneficiary: "Beneficiary", term: "Term" });

//! Verified clients, their allocations, and the claims of providers.

use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::{ActorID, MethodNum};
use num_bigint::BigInt;

use super::BatchReturn;
use crate::cbor::cbor_tuple;
use crate::types::Claim;

/// Makes a verifier, who gives datacap to clients. Only the root key may.
pub const ADD_VERIFIER: MethodNum = 2;
/// Ends a verifier; parameters are the address alone.
pub const REMOVE_VERIFIER: MethodNum = 3;
/// Gives datacap to a client.
pub const ADD_VERIFIED_CLIENT: MethodNum = 4;
/// Gives datacap of lapsed allocations back to the client.
pub const REMOVE_EXPIRED_ALLOCATIONS: MethodNum = 8;
/// Answers claims.
pub const GET_CLAIMS: MethodNum = 10;
/// Prolongs claims that the caller, a client, paid for.
pub const EXTEND_CLAIM_TERMS: MethodNum = 11;
/// Removes claims whose term is over.
pub const REMOVE_EXPIRED_CLAIMS: MethodNum = 12;

/// Parameters of [`ADD_VERIFIER`] and [`ADD_VERIFIED_CLIENT`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantParams {
    /// Who gets it.
    pub address: Address,
    /// Bytes.
    pub allowance: BigInt,
}

cbor_tuple!(GrantParams { address: "Address", allowance: "Allowance" });

/// A wish for an allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocationRequest {
    /// The provider's ID.
    pub provider: ActorID,
    /// CommP of the data.
    pub data: Cid,
    /// Padded size in bytes.
    pub size: u64,
    /// Shortest term, epochs.
    pub term_min: ChainEpoch,
    /// Longest term, epochs.
    pub term_max: ChainEpoch,
    /// Until when the provider must claim it.
    pub expiration: ChainEpoch,
}

cbor_tuple!(AllocationRequest {
    provider: "Provider",
    data: "Data",
    size: "Size",
    term_min: "TermMin",
    term_max: "TermMax",
    expiration: "Expiration",
});

/// A wish to prolong a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimExtensionRequest {
    /// The provider's ID.
    pub provider: ActorID,
    /// The claim.
    pub claim: u64,
    /// The new longest term, epochs.
    pub term_max: ChainEpoch,
}

cbor_tuple!(ClaimExtensionRequest { provider: "Provider", claim: "Claim", term_max: "TermMax" });

/// Operator data of a datacap transfer to the registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllocationRequests {
    /// New allocations.
    pub allocations: Vec<AllocationRequest>,
    /// Claims to prolong.
    pub extensions: Vec<ClaimExtensionRequest>,
}

cbor_tuple!(AllocationRequests { allocations: "Allocations", extensions: "Extensions" });

/// What the registry answers to [`AllocationRequests`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllocationsResponse {
    /// Of the allocations.
    pub allocation_results: BatchReturn,
    /// Of the extensions.
    pub extension_results: BatchReturn,
    /// IDs of the new allocations, in the order of those that succeeded.
    pub new_allocations: Vec<u64>,
}

cbor_tuple!(AllocationsResponse {
    allocation_results: "AllocationResults",
    extension_results: "ExtensionResults",
    new_allocations: "NewAllocations",
});

/// A claim with its new longest term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimTerm {
    /// The provider's ID.
    pub provider: ActorID,
    /// The claim.
    pub claim_id: u64,
    /// The new longest term, epochs.
    pub term_max: ChainEpoch,
}

cbor_tuple!(ClaimTerm { provider: "Provider", claim_id: "ClaimId", term_max: "TermMax" });

/// Parameters of [`EXTEND_CLAIM_TERMS`], which returns a [`BatchReturn`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtendClaimTermsParams {
    /// What to prolong.
    pub terms: Vec<ClaimTerm>,
}

cbor_tuple!(ExtendClaimTermsParams { terms: "Terms" });

/// Parameters of [`GET_CLAIMS`] and [`REMOVE_EXPIRED_CLAIMS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimIdsParams {
    /// The provider's ID.
    pub provider: ActorID,
    /// Which claims.
    pub claim_ids: Vec<u64>,
}

cbor_tuple!(ClaimIdsParams { provider: "Provider", claim_ids: "ClaimIds" });

/// What [`GET_CLAIMS`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetClaimsReturn {
    /// Which were found.
    pub batch_info: BatchReturn,
    /// Those that were.
    pub claims: Vec<Claim>,
}

cbor_tuple!(GetClaimsReturn { batch_info: "BatchInfo", claims: "Claims" });

/// Parameters of [`REMOVE_EXPIRED_ALLOCATIONS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveExpiredAllocationsParams {
    /// The client's ID.
    pub client: ActorID,
    /// Which; all that lapsed if empty.
    pub allocation_ids: Vec<u64>,
}

cbor_tuple!(RemoveExpiredAllocationsParams { client: "Client", allocation_ids: "AllocationIds" });

/// What [`REMOVE_EXPIRED_ALLOCATIONS`] returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveExpiredAllocationsReturn {
    /// Which were looked at.
    pub considered: Vec<u64>,
    /// Which of them had lapsed.
    pub results: BatchReturn,
    /// Bytes of datacap that the client got back.
    pub datacap_recovered: BigInt,
}

cbor_tuple!(RemoveExpiredAllocationsReturn {
    considered: "Considered",
    results: "Results",
    datacap_recovered: "DataCapRecovered",
});

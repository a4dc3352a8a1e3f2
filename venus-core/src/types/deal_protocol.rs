//! What client and provider tell each other about a deal off the chain.

use cid::Cid;

use super::DealProposal;
use crate::cbor::cbor_map;
use crate::json::lotus_json;

/// A provider's answer to a deal proposal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DealResponse {
    /// The deal's state, a number of the storage market.
    pub state: u64,
    /// Why it was rejected, if it was.
    pub message: String,
    /// CID of the proposal with the client's signature.
    pub proposal: Cid,
    /// The message that publishes the deal, once it is sent.
    pub publish_message: Option<Cid>,
}

cbor_map!(DealResponse {
    state: "State",
    message: "Message",
    proposal: "Proposal",
    publish_message: "PublishMessage",
});
lotus_json!(DealResponse {
    state: "State",
    message: "Message",
    proposal: "Proposal",
    publish_message: "PublishMessage",
});

/// Where a provider stands with a deal, as it answers a client that asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProviderDealState {
    /// The deal's state, a number of the storage market.
    pub state: u64,
    /// More about it.
    pub message: String,
    /// What was agreed.
    pub proposal: Option<DealProposal>,
    /// CID of the proposal with the client's signature.
    pub proposal_cid: Option<Cid>,
    /// The message that added funds.
    pub add_funds_cid: Option<Cid>,
    /// The message that publishes the deal.
    pub publish_cid: Option<Cid>,
    /// Number of the published deal, 0 before.
    pub deal_id: u64,
    /// Whether an unsealed copy is kept.
    pub fast_retrieval: bool,
}

cbor_map!(ProviderDealState {
    state: "State",
    deal_id: "DealID",
    message: "Message",
    proposal: "Proposal",
    publish_cid: "PublishCid",
    add_funds_cid: "AddFundsCid",
    proposal_cid: "ProposalCid",
    fast_retrieval: "FastRetrieval",
});
lotus_json!(ProviderDealState {
    state: "State",
    message: "Message",
    proposal: "Proposal",
    proposal_cid: "ProposalCid",
    add_funds_cid: "AddFundsCid",
    publish_cid: "PublishCid",
    deal_id: "DealID",
    fast_retrieval: "FastRetrieval",
});

//! The storage market.

use fvm_ipld_bitfield::BitField;
use fvm_ipld_encoding::RawBytes;
use fvm_shared::MethodNum;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;

use super::BatchReturn;
use crate::cbor::{cbor_transparent, cbor_tuple};
use crate::types::ClientDealProposal;

/// Adds the value to an escrow; parameters are the address alone.
pub const ADD_BALANCE: MethodNum = 2;
/// Takes from an escrow what no deal binds; returns the amount.
pub const WITHDRAW_BALANCE: MethodNum = 3;
/// Publishes deals.
pub const PUBLISH_STORAGE_DEALS: MethodNum = 4;
/// Pays for deals up to now.
pub const SETTLE_DEAL_PAYMENTS_EXPORTED: MethodNum = 1_900_091_594;
/// Answers [`MarketBalance`](crate::types::MarketBalance); parameters are the address alone.
pub const GET_BALANCE_EXPORTED: MethodNum = 726_108_461;
/// What a miner calls when a sector's data changes; parameters of each piece are its notification payload.
pub const SECTOR_CONTENT_CHANGED: MethodNum = 2_034_386_435;

/// Parameters of [`WITHDRAW_BALANCE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawBalanceParams {
    /// The client, or the miner whose owner gets it.
    pub address: Address,
    /// At most so much, attoFIL.
    pub amount: TokenAmount,
}

cbor_tuple!(WithdrawBalanceParams { address: "ProviderOrClientAddress", amount: "Amount" });

/// Parameters of [`PUBLISH_STORAGE_DEALS`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishStorageDealsParams {
    /// The deals, all of one provider.
    pub deals: Vec<ClientDealProposal>,
}

cbor_tuple!(PublishStorageDealsParams { deals: "Deals" });

/// What [`PUBLISH_STORAGE_DEALS`] returns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishStorageDealsReturn {
    /// IDs of the deals that were published, in order.
    pub ids: Vec<u64>,
    /// Indices of those deals in the parameters; the others were refused.
    pub valid_deals: BitField,
}

cbor_tuple!(PublishStorageDealsReturn { ids: "IDs", valid_deals: "ValidDeals" });

impl PublishStorageDealsReturn {
    /// The ID of a deal by its index in the parameters; `None` if it was refused.
    pub fn deal_id(&self, index: u64) -> Option<u64> {
        if !self.valid_deals.get(index) {
            return None;
        }
        let before = self.valid_deals.ranges().take_while(|run| run.start < index);
        let rank: u64 = before.map(|run| run.end.min(index) - run.start).sum();
        usize::try_from(rank).ok().and_then(|rank| self.ids.get(rank)).copied()
    }
}

/// Parameters of [`SETTLE_DEAL_PAYMENTS_EXPORTED`]: the deals' IDs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettleDealPaymentsParams {
    /// The deals.
    pub deal_ids: BitField,
}

cbor_transparent!(SettleDealPaymentsParams { deal_ids });

/// What [`SETTLE_DEAL_PAYMENTS_EXPORTED`] returns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettleDealPaymentsReturn {
    /// Which deals could be settled.
    pub results: BatchReturn,
    /// Those that could.
    pub settlements: Vec<DealSettlement>,
}

cbor_tuple!(SettleDealPaymentsReturn { results: "Results", settlements: "Settlements" });

/// What settling a deal did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DealSettlement {
    /// Paid to the provider, attoFIL.
    pub payment: TokenAmount,
    /// Whether the deal is over.
    pub completed: bool,
}

cbor_tuple!(DealSettlement { payment: "Payment", completed: "Completed" });

/// How an actor that is a client learns of its published deal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketNotifyDealParams {
    /// CBOR of the proposal.
    pub proposal: RawBytes,
    /// The deal's ID.
    pub deal_id: u64,
}

cbor_tuple!(MarketNotifyDealParams { proposal: "Proposal", deal_id: "DealId" });

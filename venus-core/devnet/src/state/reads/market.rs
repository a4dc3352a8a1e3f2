//! Deals and datacap. There are none so far: the actors exist and their states are empty.

use std::collections::BTreeMap;

use fvm_shared::ActorID;
use fvm_shared::address::Address;
use num_bigint::BigInt;
use venus_core::types::{Allocation, Claim, MarketBalance, MarketDeal};

use super::StateView;
use crate::state::{ActorState, VERIFREG};

impl StateView<'_> {
    pub(crate) fn deal(&self, id: u64) -> Option<MarketDeal> {
        self.deals().remove(&id)
    }

    pub(crate) fn deals(&self) -> BTreeMap<u64, MarketDeal> {
        BTreeMap::new()
    }

    /// Zero for those who have nothing there.
    pub(crate) fn market_balance(&self, actor: ActorID) -> MarketBalance {
        self.market_participants().remove(&actor).unwrap_or_default()
    }

    pub(crate) fn market_participants(&self) -> BTreeMap<ActorID, MarketBalance> {
        BTreeMap::new()
    }

    /// ID address of who names verifiers.
    pub(crate) fn verified_root_key(&self) -> Option<Address> {
        match self.tree.get(VERIFREG)?.state() {
            ActorState::Verifreg { root_key } => Some(Address::new_id(*root_key)),
            _ => None,
        }
    }

    /// Bytes that a client may still make verified deals of; `None` for who never was one.
    pub(crate) fn datacap(&self, _client: ActorID) -> Option<BigInt> {
        None
    }

    /// Bytes that a verifier may still give out; `None` for who is none.
    pub(crate) fn verifier(&self, _verifier: ActorID) -> Option<BigInt> {
        None
    }

    pub(crate) fn allocations(&self, _client: ActorID) -> BTreeMap<u64, Allocation> {
        BTreeMap::new()
    }

    pub(crate) fn claims(&self, _provider: ActorID) -> BTreeMap<u64, Claim> {
        BTreeMap::new()
    }
}

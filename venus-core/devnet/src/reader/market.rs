//! Deals, escrow, datacap, allocations and claims.

use std::collections::BTreeMap;

use async_trait::async_trait;
use fvm_shared::ActorID;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;
use venus_core::api::{ChainError, MarketReader};
use venus_core::types::{Allocation, Claim, DealCollateralBounds, MarketBalance, MarketDeal, TipsetKey};

use super::with_margin;
use crate::config::TOTAL_FIL;
use crate::node::Devnet;
use crate::state::{BASELINE_POWER, StateView};

/// The smallest piece, padded bytes.
const LEAST_PIECE: u64 = 128;
/// The part of the circulating FIL that collateral for all deals together would lock: a hundredth.
const SUPPLY_TARGET: u64 = 100;

#[async_trait]
impl MarketReader for Devnet {
    async fn deal(&self, id: u64, at: &TipsetKey) -> Result<Option<MarketDeal>, ChainError> {
        Ok(self.at(at)?.view().deal(id))
    }

    async fn market_balance(&self, address: &Address, at: &TipsetKey) -> Result<MarketBalance, ChainError> {
        self.of_actor(address, at, |view, id| view.market_balance(id))
    }

    async fn collateral_bounds(
        &self,
        piece_size: u64,
        _verified: bool,
        at: &TipsetKey,
    ) -> Result<DealCollateralBounds, ChainError> {
        if piece_size < LEAST_PIECE || !piece_size.is_power_of_two() {
            return Err(ChainError::Invalid(format!("piece_size {piece_size} is no piece's")));
        }
        Ok(collateral_bounds(&self.at(at)?.view(), piece_size))
    }

    async fn datacap(&self, client: &Address, at: &TipsetKey) -> Result<Option<BigInt>, ChainError> {
        self.of_actor(client, at, |view, id| view.datacap(id))
    }

    async fn allocations(
        &self,
        client: &Address,
        at: &TipsetKey,
    ) -> Result<BTreeMap<u64, Allocation>, ChainError> {
        self.of_actor(client, at, |view, id| view.allocations(id))
    }

    async fn claims(&self, provider: &Address, at: &TipsetKey) -> Result<BTreeMap<u64, Claim>, ChainError> {
        self.of_actor(provider, at, |view, id| view.claims(id))
    }

    async fn allocation_for_deal(&self, deal: u64, at: &TipsetKey) -> Result<Option<Allocation>, ChainError> {
        Ok(pending_allocation(&self.at(at)?.view(), deal).map(|(_, allocation)| allocation))
    }
}

/// The piece's share of the power times a part of what circulates. Verified deals need as much as others (the
/// market's policy since version 8 of the actors).
fn collateral_bounds(view: &StateView<'_>, piece_size: u64) -> DealCollateralBounds {
    let raw = view.power(None).total_power.raw_byte_power;
    let power = raw.max(BASELINE_POWER.into()).max(piece_size.into());
    let circulating = view.supply().circulating;
    let least = circulating.atto() * piece_size / (power * SUPPLY_TARGET);
    DealCollateralBounds {
        min: with_margin(&TokenAmount::from_atto(least)),
        max: TokenAmount::from_whole(TOTAL_FIL),
    }
}

/// The allocation that waits for a deal to be proven: its client's for the same piece at the same provider.
pub(crate) fn pending_allocation(view: &StateView<'_>, deal: u64) -> Option<(u64, Allocation)> {
    let MarketDeal { proposal, state } = view.deal(deal)?;
    if !proposal.verified_deal || state.sector_start_epoch >= 0 {
        return None;
    }
    let (client, provider) = (view.tree.resolve(&proposal.client)?, view.tree.resolve(&proposal.provider)?);
    let same =
        |a: &Allocation| (a.provider, a.data, a.size) == (provider, proposal.piece_cid, proposal.piece_size);
    view.allocations(client).into_iter().find(|(_, allocation)| same(allocation))
}

impl Devnet {
    /// Asks the state at `at` about anybody.
    fn of_actor<T>(
        &self,
        address: &Address,
        at: &TipsetKey,
        ask: impl FnOnce(&StateView<'_>, ActorID) -> T,
    ) -> Result<T, ChainError> {
        let at = self.at(at)?;
        Ok(ask(&at.view(), at.id_of(address)?))
    }
}

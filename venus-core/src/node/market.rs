//! Reading the state of the market and of datacap.

use std::collections::BTreeMap;

use async_trait::async_trait;
use fvm_shared::address::Address;
use num_bigint::BigInt;

use super::fault::Fault;
use super::{Flavour, RpcNode};
use crate::api::{ChainError, MarketReader};
use crate::json::{Json, JsonRef};
use crate::types::{Allocation, Claim, DealCollateralBounds, MarketBalance, MarketDeal, TipsetKey};

/// The smallest piece, padded bytes.
const LEAST_PIECE: u64 = 128;

#[async_trait]
impl<F: Flavour> MarketReader for RpcNode<F> {
    async fn deal(&self, id: u64, at: &TipsetKey) -> Result<Option<MarketDeal>, ChainError> {
        let answer = self.get_at("Filecoin.StateMarketStorageDeal", &(id, at), at).await;
        absent_if(answer.map(Some), &["deal ", "not found"], at)
    }

    async fn market_balance(&self, address: &Address, at: &TipsetKey) -> Result<MarketBalance, ChainError> {
        let balance: MarketBalance = self.of_miner("Filecoin.StateMarketBalance", address, at).await?;
        if balance == MarketBalance::default() {
            self.must_exist(address, at).await?;
        }
        Ok(balance)
    }

    async fn collateral_bounds(
        &self,
        piece_size: u64,
        verified: bool,
        at: &TipsetKey,
    ) -> Result<DealCollateralBounds, ChainError> {
        if piece_size < LEAST_PIECE || !piece_size.is_power_of_two() {
            return Err(ChainError::Invalid(format!("piece_size {piece_size} is no piece's")));
        }
        let params = (piece_size, verified, at);
        let answer = self.get_at("Filecoin.StateDealProviderCollateralBounds", &params, at).await;
        answer.map_err(|fault| fault.at(at))
    }

    async fn datacap(&self, client: &Address, at: &TipsetKey) -> Result<Option<BigInt>, ChainError> {
        let datacap: Option<Json<BigInt>> =
            self.of_miner("Filecoin.StateVerifiedClientStatus", client, at).await?;
        self.or_nobody(datacap.map(Json::into_inner), client, at).await
    }

    async fn allocations(
        &self,
        client: &Address,
        at: &TipsetKey,
    ) -> Result<BTreeMap<u64, Allocation>, ChainError> {
        let Json(all) = self.of_miner("Filecoin.StateGetAllocations", client, at).await?;
        self.all_or_nobody(all, client, at).await
    }

    async fn claims(&self, provider: &Address, at: &TipsetKey) -> Result<BTreeMap<u64, Claim>, ChainError> {
        let Json(all) = self.of_miner("Filecoin.StateGetClaims", provider, at).await?;
        self.all_or_nobody(all, provider, at).await
    }

    async fn allocation_for_deal(&self, deal: u64, at: &TipsetKey) -> Result<Option<Allocation>, ChainError> {
        let answer = self.get_at("Filecoin.StateGetAllocationForPendingDeal", &(deal, at), at).await;
        absent_if(answer, &["deal ", "not found"], at)
    }

    async fn allocation(
        &self,
        client: &Address,
        id: u64,
        at: &TipsetKey,
    ) -> Result<Option<Allocation>, ChainError> {
        let params = (JsonRef(client), id, at);
        let one = self.about("Filecoin.StateGetAllocation", client, &params, at).await?;
        self.or_nobody(one, client, at).await
    }

    async fn claim(&self, provider: &Address, id: u64, at: &TipsetKey) -> Result<Option<Claim>, ChainError> {
        let params = (JsonRef(provider), id, at);
        let one = self.about("Filecoin.StateGetClaim", provider, &params, at).await?;
        self.or_nobody(one, provider, at).await
    }
}

/// Nothing, where the node's text has all of `parts`.
fn absent_if<T>(
    answer: Result<Option<T>, Fault>,
    parts: &[&str],
    at: &TipsetKey,
) -> Result<Option<T>, ChainError> {
    match answer {
        Ok(found) => Ok(found),
        Err(fault) if parts.iter().all(|part| fault.says(&[part])) => Ok(None),
        Err(fault) => Err(fault.at(at)),
    }
}

impl<F: Flavour> RpcNode<F> {
    /// Nodes answer nothing for nobody.
    async fn or_nobody<T: Send>(
        &self,
        found: Option<T>,
        whose: &Address,
        at: &TipsetKey,
    ) -> Result<Option<T>, ChainError> {
        if found.is_none() {
            self.must_exist(whose, at).await?;
        }
        Ok(found)
    }

    async fn all_or_nobody<T: Send>(
        &self,
        all: BTreeMap<u64, T>,
        whose: &Address,
        at: &TipsetKey,
    ) -> Result<BTreeMap<u64, T>, ChainError> {
        if all.is_empty() {
            self.must_exist(whose, at).await?;
        }
        Ok(all)
    }
}

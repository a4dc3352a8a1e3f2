//! Reading the state of the storage market and of datacap.

use std::collections::BTreeMap;

use async_trait::async_trait;
use auto_impl::auto_impl;
use fvm_shared::address::Address;
use num_bigint::BigInt;

use super::ChainError;
use crate::types::{Allocation, Claim, DealCollateralBounds, MarketBalance, MarketDeal, TipsetKey};

/// Facts of deals, escrow, datacap, allocations and claims. State at a tipset means what it means for
/// [`StateReader`](super::StateReader); the empty key stands for the head.
///
/// # Contract
/// * All calls are idempotent and may be retried; none changes anything. Each answer belongs to `at`, however
///   late it comes; with the empty key two calls may see two heads, so pass a key where answers must agree.
/// * Clients and providers may be named by any of their addresses.
/// * What does not exist is `None` or empty. Who does not exist is an error.
///
/// There is no call for all deals: on a large network nodes take minutes for it.
///
/// # Errors
/// All methods: [`ChainError::TipsetNotFound`] for an unknown `at`, and whatever a node that does not answer
/// gives. Those that take an address: [`ChainError::ActorNotFound`] if nobody has it at `at`.
///
/// # Implementing
/// Seven methods are needed. Run `testing::suites::market_reader`.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait MarketReader: Send + Sync {
    /// A published deal; `None` if the number was not given out, or the deal is over and was removed.
    async fn deal(&self, id: u64, at: &TipsetKey) -> Result<Option<MarketDeal>, ChainError>;

    /// What an address has at the market actor, attoFIL; zero if it never put anything there.
    async fn market_balance(&self, address: &Address, at: &TipsetKey) -> Result<MarketBalance, ChainError>;

    /// Between what a provider's collateral for a deal must be, attoFIL. `piece_size` is padded bytes.
    ///
    /// # Errors
    /// [`ChainError::Invalid`] for a size that is no piece's: not a power of two, or below 128.
    async fn collateral_bounds(
        &self,
        piece_size: u64,
        verified: bool,
        at: &TipsetKey,
    ) -> Result<DealCollateralBounds, ChainError>;

    /// Datacap that a client can still spend, in bytes; `None` for one that was never given any.
    async fn datacap(&self, client: &Address, at: &TipsetKey) -> Result<Option<BigInt>, ChainError>;

    /// Allocations of a client that no provider has claimed, by their id. Expired ones stay until somebody
    /// removes them.
    async fn allocations(
        &self,
        client: &Address,
        at: &TipsetKey,
    ) -> Result<BTreeMap<u64, Allocation>, ChainError>;

    /// Claims of a provider, by the id of the allocation that each was. For a large provider these are many.
    async fn claims(&self, provider: &Address, at: &TipsetKey) -> Result<BTreeMap<u64, Claim>, ChainError>;

    /// The allocation of a verified deal that was published and not yet proven; `None` for any other deal.
    async fn allocation_for_deal(&self, deal: u64, at: &TipsetKey) -> Result<Option<Allocation>, ChainError>;

    /// One allocation; `None` if it does not exist (any more), or is another client's.
    async fn allocation(
        &self,
        client: &Address,
        id: u64,
        at: &TipsetKey,
    ) -> Result<Option<Allocation>, ChainError> {
        Ok(self.allocations(client, at).await?.remove(&id))
    }

    /// One claim; `None` if it does not exist (any more), or is another provider's.
    async fn claim(&self, provider: &Address, id: u64, at: &TipsetKey) -> Result<Option<Claim>, ChainError> {
        Ok(self.claims(provider, at).await?.remove(&id))
    }
}

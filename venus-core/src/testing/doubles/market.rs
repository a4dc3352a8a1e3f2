//! A market that a test sets up.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;

use super::versions::Versions;
use crate::api::{ChainError, MarketReader};
use crate::types::{Allocation, Claim, DealCollateralBounds, MarketBalance, MarketDeal, Payload, TipsetKey};

/// attoFIL of collateral that a byte needs at least, and at most.
const COLLATERAL_PER_BYTE: [u64; 2] = [1, 1_000_000];

/// The state of the market and of datacap, all of it up to the test.
#[derive(Clone, Debug, Default)]
pub struct MarketScript {
    /// Addresses that exist without having anything; those in the lists below exist anyway.
    pub known: BTreeSet<Address>,
    /// Deals by their number.
    pub deals: BTreeMap<u64, MarketDeal>,
    /// Escrow by address.
    pub balances: BTreeMap<Address, MarketBalance>,
    /// Datacap by client, bytes.
    pub datacap: BTreeMap<Address, BigInt>,
    /// Allocations by their id.
    pub allocations: BTreeMap<u64, Allocation>,
    /// Claims by the id of their allocation.
    pub claims: BTreeMap<u64, Claim>,
    /// Allocations of deals that are not proven: from deal to allocation.
    pub pending_deals: BTreeMap<u64, u64>,
}

impl MarketScript {
    /// The ID behind an address, if it is one.
    fn actor(&self, address: &Address) -> Result<Option<u64>, ChainError> {
        let id = match address.payload() {
            Payload::ID(id) => Some(*id),
            _ => None,
        };
        let known = self.known.contains(address)
            || self.balances.contains_key(address)
            || self.datacap.contains_key(address)
            || self.allocations.values().any(|a| Some(a.client) == id || Some(a.provider) == id)
            || self.claims.values().any(|c| Some(c.client) == id || Some(c.provider) == id);
        if known { Ok(id) } else { Err(ChainError::ActorNotFound(*address)) }
    }
}

/// A market in memory. Addresses are compared as they are given, so allocations and claims are found by ID
/// addresses only. What [`update`](Self::update) changes is seen with the empty key at once;
/// [`keep_as`](Self::keep_as) makes it the state at a tipset.
#[derive(Debug, Default)]
pub struct ScriptedMarket {
    state: Versions<MarketScript>,
}

impl ScriptedMarket {
    /// An empty market.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes the state.
    pub fn update<R>(&self, change: impl FnOnce(&mut MarketScript) -> R) -> R {
        change(&mut self.state.now())
    }

    /// From now on, the state at `key` is what it is now.
    pub fn keep_as(&self, key: TipsetKey) {
        self.state.keep_as(key);
    }
}

#[async_trait]
impl MarketReader for ScriptedMarket {
    async fn deal(&self, id: u64, at: &TipsetKey) -> Result<Option<MarketDeal>, ChainError> {
        self.state.read(at, |m| Ok(m.deals.get(&id).cloned()))
    }

    async fn market_balance(&self, address: &Address, at: &TipsetKey) -> Result<MarketBalance, ChainError> {
        self.state.read(at, |m| {
            m.actor(address)?;
            Ok(m.balances.get(address).cloned().unwrap_or_default())
        })
    }

    async fn collateral_bounds(
        &self,
        piece_size: u64,
        _: bool,
        at: &TipsetKey,
    ) -> Result<DealCollateralBounds, ChainError> {
        self.state.read(at, |_| Ok(()))?;
        if piece_size < 128 || !piece_size.is_power_of_two() {
            return Err(ChainError::Invalid(format!("piece_size {piece_size} is no piece's")));
        }
        let [min, max] = COLLATERAL_PER_BYTE.map(|atto| TokenAmount::from_atto(atto) * piece_size);
        Ok(DealCollateralBounds { min, max })
    }

    async fn datacap(&self, client: &Address, at: &TipsetKey) -> Result<Option<BigInt>, ChainError> {
        self.state.read(at, |m| {
            m.actor(client)?;
            Ok(m.datacap.get(client).cloned())
        })
    }

    async fn allocations(
        &self,
        client: &Address,
        at: &TipsetKey,
    ) -> Result<BTreeMap<u64, Allocation>, ChainError> {
        self.state.read(at, |m| {
            let client = m.actor(client)?;
            let own = m.allocations.iter().filter(|(_, a)| Some(a.client) == client);
            Ok(own.map(|(id, a)| (*id, a.clone())).collect())
        })
    }

    async fn claims(&self, provider: &Address, at: &TipsetKey) -> Result<BTreeMap<u64, Claim>, ChainError> {
        self.state.read(at, |m| {
            let provider = m.actor(provider)?;
            let own = m.claims.iter().filter(|(_, c)| Some(c.provider) == provider);
            Ok(own.map(|(id, c)| (*id, c.clone())).collect())
        })
    }

    async fn allocation_for_deal(&self, deal: u64, at: &TipsetKey) -> Result<Option<Allocation>, ChainError> {
        self.state.read(at, |m| Ok(m.pending_deals.get(&deal).and_then(|id| m.allocations.get(id)).cloned()))
    }
}

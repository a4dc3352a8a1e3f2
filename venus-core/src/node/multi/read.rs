//! Reads of several nodes.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use num_bigint::BigInt;

use super::MultiNode;
use crate::api::{
    ActorInfo, ChainError, ChainReader, GasEstimator, GasSpec, HeadChange, MarketReader, MinerReader,
    NullRound, PledgeSpec, SearchOptions, SectorReader, StateReader, path_between,
};
use crate::error::{Classify, ErrorKind};
use crate::types::{
    Allocation, BitField, BlockHeader, BlockMessages, Claim, Deadline, DeadlineInfo, DealCollateralBounds,
    MarketBalance, MarketDeal, MessageLookup, MinerInfo, MinerPower, MinerSectors, NetworkInfo, Partition,
    Receipt, SectorExpiration, SectorLocation, SectorOnChainInfo, SectorPreCommitInfo,
    SectorPreCommitOnChainInfo, Tipset, TipsetKey,
};

/// Asks the best node, and the next one where a node is at fault.
macro_rules! ask {
    ($multi:expr, $node:ident => $call:expr) => {
        ask!($multi, $node => $call, |_| false)
    };
    ($multi:expr, $node:ident => $call:expr, $go_on:expr) => {{
        let mut failure = ChainError::Invalid("no node of this network".into());
        let go_on: fn(&ChainError) -> bool = $go_on;
        for member in $multi.0.by_merit().into_iter().filter(|member| !member.is_foreign()) {
            let $node = &member.node;
            let result = $call.await;
            if !member.learn(&result) && !result.as_ref().is_err_and(go_on) {
                return result;
            }
            // Of several failures one that is an answer says more.
            if let Err(error) = result
                && (failure.kind() != ErrorKind::NotFound || error.kind() == ErrorKind::NotFound)
            {
                failure = error;
            }
        }
        Err(failure)
    }};
}

/// Asks for what is the same everywhere, until a node has it.
macro_rules! find {
    ($multi:expr, $node:ident => $call:expr) => {
        ask!($multi, $node => $call, |error| error.kind() == ErrorKind::NotFound)
    };
}

pub(super) use ask;

#[async_trait]
impl ChainReader for MultiNode {
    async fn head(&self) -> Result<Arc<Tipset>, ChainError> {
        ask!(self, node => node.head())
    }

    async fn tipset(&self, key: &TipsetKey) -> Result<Arc<Tipset>, ChainError> {
        find!(self, node => node.tipset(key))
    }

    async fn tipset_at(
        &self,
        height: ChainEpoch,
        anchor: &TipsetKey,
        null: NullRound,
    ) -> Result<Arc<Tipset>, ChainError> {
        ask!(self, node => node.tipset_at(height, anchor, null), |e| matches!(e, ChainError::TipsetNotFound(_)))
    }

    async fn block(&self, cid: &Cid) -> Result<BlockHeader, ChainError> {
        find!(self, node => node.block(cid))
    }

    async fn block_messages(&self, block: &Cid) -> Result<BlockMessages, ChainError> {
        find!(self, node => node.block_messages(block))
    }

    async fn message(&self, cid: &Cid) -> Result<Message, ChainError> {
        find!(self, node => node.message(cid))
    }

    async fn parent_receipts(&self, block: &Cid) -> Result<Vec<Receipt>, ChainError> {
        find!(self, node => node.parent_receipts(block))
    }

    async fn network(&self) -> Result<Arc<NetworkInfo>, ChainError> {
        Ok(self.0.network.clone())
    }

    async fn genesis(&self) -> Result<Arc<Tipset>, ChainError> {
        ask!(self, node => node.genesis())
    }

    async fn tipset_messages(&self, key: &TipsetKey) -> Result<Vec<(Cid, Message)>, ChainError> {
        find!(self, node => node.tipset_messages(key))
    }

    async fn parent_messages(&self, block: &Cid) -> Result<Vec<(Cid, Message)>, ChainError> {
        find!(self, node => node.parent_messages(block))
    }

    /// The ends may be known to different nodes, so the way is looked for tipset by tipset if no node knows both.
    async fn path(&self, from: &TipsetKey, to: &TipsetKey) -> Result<HeadChange, ChainError> {
        match self.path_of_one(from, to).await {
            Err(e) if e.kind() == ErrorKind::NotFound => path_between(self, from, to).await,
            other => other,
        }
    }
}

impl MultiNode {
    async fn path_of_one(&self, from: &TipsetKey, to: &TipsetKey) -> Result<HeadChange, ChainError> {
        find!(self, node => node.path(from, to))
    }
}

/// Methods of a trait that ask the best node.
macro_rules! reader {
    ($trait:ident { $($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)+ }) => {
        #[async_trait]
        impl $trait for MultiNode {
            $(
                async fn $name(&self, $($arg: $ty),*) -> Result<$out, ChainError> {
                    ask!(self, node => node.$name($($arg),*))
                }
            )+
        }
    };
}

reader!(StateReader {
    actor(address: &Address, at: &TipsetKey) -> Option<ActorInfo>;
    lookup_id(address: &Address, at: &TipsetKey) -> Address;
    account_key(address: &Address, at: &TipsetKey) -> Address;
    search_message(message: &Cid, options: &SearchOptions) -> Option<MessageLookup>;
    balance(address: &Address) -> TokenAmount;
});

reader!(MinerReader {
    info(miner: &Address, at: &TipsetKey) -> MinerInfo;
    power(miner: &Address, at: &TipsetKey) -> MinerPower;
    available_balance(miner: &Address, at: &TipsetKey) -> TokenAmount;
    proving_deadline(miner: &Address, at: &TipsetKey) -> DeadlineInfo;
    deadlines(miner: &Address, at: &TipsetKey) -> Vec<Deadline>;
    partitions(miner: &Address, deadline: u64, at: &TipsetKey) -> Vec<Partition>;
    all_partitions(miner: &Address, at: &TipsetKey) -> Vec<(SectorLocation, Partition)>;
    faults(miner: &Address, at: &TipsetKey) -> BitField;
    recoveries(miner: &Address, at: &TipsetKey) -> BitField;
    active_sectors(miner: &Address, at: &TipsetKey) -> BitField;
    sector_count(miner: &Address, at: &TipsetKey) -> MinerSectors;
    sector_location(miner: &Address, sector: u64, at: &TipsetKey) -> Option<SectorLocation>;
});

reader!(SectorReader {
    sectors(miner: &Address, numbers: Option<&BitField>, at: &TipsetKey) -> Vec<SectorOnChainInfo>;
    precommit(miner: &Address, sector: u64, at: &TipsetKey) -> Option<SectorPreCommitOnChainInfo>;
    is_allocated(miner: &Address, sector: u64, at: &TipsetKey) -> bool;
    sector_expiration(miner: &Address, sector: u64, at: &TipsetKey) -> Option<SectorExpiration>;
    precommit_deposit(miner: &Address, sector: &SectorPreCommitInfo, at: &TipsetKey) -> TokenAmount;
    initial_pledge(spec: &PledgeSpec, at: &TipsetKey) -> TokenAmount;
    sector(miner: &Address, sector: u64, at: &TipsetKey) -> Option<SectorOnChainInfo>;
});

reader!(MarketReader {
    deal(id: u64, at: &TipsetKey) -> Option<MarketDeal>;
    market_balance(address: &Address, at: &TipsetKey) -> MarketBalance;
    collateral_bounds(piece_size: u64, verified: bool, at: &TipsetKey) -> DealCollateralBounds;
    datacap(client: &Address, at: &TipsetKey) -> Option<BigInt>;
    allocations(client: &Address, at: &TipsetKey) -> BTreeMap<u64, Allocation>;
    claims(provider: &Address, at: &TipsetKey) -> BTreeMap<u64, Claim>;
    allocation_for_deal(deal: u64, at: &TipsetKey) -> Option<Allocation>;
    allocation(client: &Address, id: u64, at: &TipsetKey) -> Option<Allocation>;
    claim(provider: &Address, id: u64, at: &TipsetKey) -> Option<Claim>;
});

#[async_trait]
impl GasEstimator for MultiNode {
    async fn estimate(&self, message: &Message, spec: &GasSpec) -> Result<Message, ChainError> {
        ask!(self, node => node.estimate(message, spec))
    }

    /// All at one node, and what it could not answer at the next.
    async fn estimate_many(&self, messages: &[(Message, GasSpec)]) -> Vec<Result<Message, ChainError>> {
        let mut results: Vec<Option<Result<Message, ChainError>>> = messages.iter().map(|_| None).collect();
        for member in self.0.by_merit().into_iter().filter(|member| !member.is_foreign()) {
            let open: Vec<usize> = (0..)
                .zip(&results)
                .filter(|(_, r)| r.as_ref().is_none_or(|r| r.as_ref().is_err_and(super::member::is_outage)))
                .map(|(index, _)| index)
                .collect();
            if open.is_empty() {
                break;
            }
            let ask: Vec<_> = open.iter().filter_map(|index| messages.get(*index).cloned()).collect();
            for (index, result) in open.into_iter().zip(member.node.estimate_many(&ask).await) {
                member.learn(&result);
                if let Some(slot) = results.get_mut(index) {
                    *slot = Some(result);
                }
            }
        }
        let none = || Err(ChainError::Invalid("no node of this network".into()));
        results.into_iter().map(|result| result.unwrap_or_else(none)).collect()
    }
}

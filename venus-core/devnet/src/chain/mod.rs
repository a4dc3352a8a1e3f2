//! The chain: every block that was accepted, and which of them count.

mod aggregates;
mod base;
mod changes;
mod execute;
mod fork_choice;
mod index;
mod keys;
mod messages;
mod search;
mod slash;
pub(crate) mod validate;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use num_bigint::BigInt;
use venus_core::types::{BlockHeader, NetworkInfo, Tipset, TipsetKey};

use crate::config::DevnetConfig;
use crate::genesis::Genesis;
use crate::message::Verified;
use crate::vm::{NativeVm, StateChange, Vm};
use aggregates::Aggregates;
use execute::Executions;
use keys::WorkerKeys;
use messages::MessageStore;

pub(crate) use base::ChildFacts;
pub(crate) use execute::Executed;
pub(crate) use fork_choice::HeadMove;
#[cfg(feature = "server")]
pub(crate) use search::Sameness;

/// A block that was accepted.
#[derive(Debug)]
pub(crate) struct StoredBlock {
    pub(crate) cid: Cid,
    pub(crate) header: BlockHeader,
    /// BLS messages, then the others, each in the order of the block.
    pub(crate) messages: Vec<Arc<Verified>>,
}

/// All blocks, the head among them, and what follows from them. Blocks are only ever added.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) network: Arc<NetworkInfo>,
    lookback: ChainEpoch,
    head: Arc<Tipset>,
    head_weight: BigInt,
    blocks: HashMap<Cid, Arc<StoredBlock>>,
    /// Blocks that form a tipset: same parents, same height.
    siblings: HashMap<(TipsetKey, ChainEpoch), Vec<Cid>>,
    by_miner: HashMap<Address, BTreeMap<ChainEpoch, Cid>>,
    by_parents: HashMap<(Address, TipsetKey), Cid>,
    /// The tipsets from genesis to the head.
    canonical: BTreeMap<ChainEpoch, Arc<Tipset>>,
    pub(crate) messages: MessageStore,
    pub(crate) aggregates: Aggregates,
    executions: Executions,
    pub(crate) vm: Arc<dyn Vm>,
    /// What the admin changes, by the epoch at whose end it does, in the order in which it was asked for.
    changes: Vec<(ChainEpoch, StateChange)>,
    keys: WorkerKeys,
    reorgs: u64,
}

impl Chain {
    pub(crate) fn new(config: &DevnetConfig, genesis: Genesis) -> Self {
        let Genesis { info, state } = genesis;
        let tipset = info.tipset;
        let mut chain = Self {
            network: info.network,
            lookback: config.lookback,
            head: tipset.clone(),
            // Anything outweighs the genesis.
            head_weight: BigInt::from(-1),
            blocks: HashMap::new(),
            siblings: HashMap::new(),
            by_miner: HashMap::new(),
            by_parents: HashMap::new(),
            canonical: BTreeMap::from([(0, tipset.clone())]),
            messages: MessageStore::default(),
            aggregates: Aggregates::default(),
            executions: Executions::new(&tipset, state, config.states_in_memory),
            vm: Arc::new(NativeVm),
            changes: Vec::new(),
            keys: WorkerKeys::default(),
            reorgs: 0,
        };
        let header = tipset.min_ticket_block().clone();
        chain.index_block(StoredBlock { cid: header.cid(), header, messages: Vec::new() });
        chain
    }

    pub(crate) fn head(&self) -> &Arc<Tipset> {
        &self.head
    }

    /// Head changes in which a tipset left the chain that did not merely grow.
    pub(crate) fn reorgs(&self) -> u64 {
        self.reorgs
    }

    /// Blocks that were accepted, those that no longer count included, without the genesis.
    pub(crate) fn block_count(&self) -> u64 {
        self.blocks.len() as u64 - 1
    }
}

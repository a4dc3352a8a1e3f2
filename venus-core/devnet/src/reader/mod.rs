//! Reading the chain and its state in process.
//!
//! Everything about a state is asked of [`StateView`]; the faces ask these traits, so that what is read over a socket
//! is what is read here.

mod chain;
#[cfg(feature = "server")]
mod commitment;
mod market;
mod miner;
mod sector;
mod state;

use std::collections::HashSet;
use std::sync::Arc;

use cid::Cid;
use fvm_shared::ActorID;
use fvm_shared::address::{Address, Payload};
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use venus_core::api::ChainError;
use venus_core::types::{Tipset, TipsetKey};

#[cfg(feature = "server")]
pub(crate) use commitment::data_commitment;
pub(crate) use market::pending_allocation;
pub(crate) use sector::{sector_size, verified_in};
pub(crate) use state::actor_info;

use crate::chain::Executed;
use crate::message::Verified;
use crate::node::{Core, Devnet};
use crate::state::StateView;

/// A state, and the epoch from which it is looked at.
pub(crate) struct At {
    executed: Arc<Executed>,
    epoch: ChainEpoch,
}

impl At {
    pub(crate) fn view(&self) -> StateView<'_> {
        StateView { tree: &self.executed.state, epoch: self.epoch }
    }

    /// The actor behind an address.
    ///
    /// # Errors
    /// [`ChainError::ActorNotFound`].
    pub(crate) fn id_of(&self, address: &Address) -> Result<ActorID, ChainError> {
        self.executed.state.resolve(address).ok_or(ChainError::ActorNotFound(*address))
    }

    /// The ID that an address stands for: an ID is taken as it is, whether anybody has it or not.
    pub(crate) fn named(&self, address: &Address) -> Option<ActorID> {
        match address.payload() {
            Payload::ID(id) => Some(*id),
            _ => self.executed.state.resolve(address),
        }
    }
}

impl Devnet {
    /// Before the messages of a tipset; after those of the head for the empty key.
    ///
    /// # Errors
    /// [`ChainError::TipsetNotFound`].
    pub(crate) fn at(&self, key: &TipsetKey) -> Result<At, ChainError> {
        self.inner.read().at(key)
    }

    /// The state with a root, if a tipset of the chain was executed on it.
    ///
    /// # Errors
    /// Those of executing that tipset's parents again.
    pub(crate) fn at_root(&self, root: &Cid) -> Result<Option<At>, ChainError> {
        let core = self.inner.read();
        core.chain.canonical_on(root).map(|tipset| core.at(tipset.key())).transpose()
    }

    /// The messages of a tipset's blocks, each once.
    pub(crate) fn included(&self, tipset: &Tipset) -> Vec<Arc<Verified>> {
        let mut seen = HashSet::new();
        let blocks = self.inner.read().chain.blocks_of(tipset);
        let messages = blocks.iter().flat_map(|block| &block.messages);
        messages.filter(|m| seen.insert(m.cid)).cloned().collect()
    }
}

impl Core {
    fn at(&self, key: &TipsetKey) -> Result<At, ChainError> {
        let tipset = self.chain.tipset(key)?;
        let executed = match key.is_empty() {
            true => self.chain.execute(&tipset)?,
            false => self.chain.parent_state(&tipset)?,
        };
        Ok(At { executed, epoch: tipset.height() })
    }
}

/// What nodes add to deposits, pledges and collateral for changes until the message lands: ten per cent.
pub(crate) fn with_margin(amount: &TokenAmount) -> TokenAmount {
    (amount * 110_u64).div_floor(100_u64)
}

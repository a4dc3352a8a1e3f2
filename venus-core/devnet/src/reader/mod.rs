//! Reading the chain and its state in process.
//!
//! Everything about a state is asked of [`StateView`]; the faces ask these traits, so that what is read over a socket
//! is what is read here.

mod chain;
#[cfg(feature = "server")]
mod commitment;
#[cfg(feature = "server")]
mod faces;
mod market;
mod miner;
mod sector;
mod state;

use std::sync::Arc;

use fvm_shared::ActorID;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use venus_core::api::ChainError;
use venus_core::types::TipsetKey;

#[cfg(feature = "server")]
pub(crate) use self::{
    commitment::data_commitment,
    faces::{Traced, verified_in},
    market::pending_allocation,
    sector::sector_size,
    state::actor_info,
};

use crate::chain::Executed;
use crate::node::{Core, Devnet};
use crate::state::StateView;
use crate::vm::Vm;

/// A state, and the epoch from which it is looked at.
pub(crate) struct At {
    executed: Arc<Executed>,
    epoch: ChainEpoch,
    vm: Arc<dyn Vm>,
}

impl At {
    pub(crate) fn view(&self) -> StateView<'_> {
        self.vm.view(&self.executed.state, self.epoch)
    }

    /// The actor behind an address.
    ///
    /// # Errors
    /// [`ChainError::ActorNotFound`].
    pub(crate) fn id_of(&self, address: &Address) -> Result<ActorID, ChainError> {
        self.executed.state.resolve(address).ok_or(ChainError::ActorNotFound(*address))
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
}

impl Core {
    fn at(&self, key: &TipsetKey) -> Result<At, ChainError> {
        let tipset = self.chain.tipset(key)?;
        let executed = match key.is_empty() {
            true => self.chain.execute(&tipset)?,
            false => self.chain.parent_state(&tipset)?,
        };
        Ok(At { executed, epoch: tipset.height(), vm: self.chain.vm.clone() })
    }
}

/// What nodes add to deposits, pledges and collateral for changes until the message lands: ten per cent.
pub(crate) fn with_margin(amount: &TokenAmount) -> TokenAmount {
    (amount * 110_u64).div_floor(100_u64)
}

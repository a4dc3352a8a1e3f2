//! What only the faces ask: questions of nodes' interfaces that no trait has.

use std::collections::HashSet;
use std::sync::Arc;

use cid::Cid;
use fvm_shared::ActorID;
use fvm_shared::address::{Address, Payload};
use venus_core::api::ChainError;
use venus_core::types::{BitField, Tipset, TipsetKey};

use super::At;
use crate::message::Verified;
use crate::node::Devnet;
use crate::state::StateView;

impl At {
    /// The ID that an address stands for: an ID is taken as it is, whether anybody has it or not.
    pub(crate) fn named(&self, address: &Address) -> Option<ActorID> {
        match address.payload() {
            Payload::ID(id) => Some(*id),
            _ => self.view().tree.resolve(address),
        }
    }
}

impl Devnet {
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

    /// The numbers of all sectors that a miner ever used.
    ///
    /// # Errors
    /// [`ChainError::ActorNotFound`], [`ChainError::TipsetNotFound`].
    pub(crate) fn allocated(&self, miner: &Address, at: &TipsetKey) -> Result<BitField, ChainError> {
        self.of_miner(miner, at, |view, id| Some(BitField::clone(&view.tree.miner(id)?.allocated)))
    }
}

/// Bytes that the verified ones of these deals fill.
pub(crate) fn verified_in(view: &StateView<'_>, deals: &[u64]) -> u64 {
    let proposals = deals.iter().filter_map(|id| view.deal(*id)).map(|deal| deal.proposal);
    let sizes = proposals.filter(|proposal| proposal.verified_deal).map(|proposal| proposal.piece_size);
    sizes.fold(0, u64::saturating_add)
}

//! What may be asked of a state, in the types of the node's API.
//!
//! Everything that `State*` methods answer comes from here; nothing else looks into actors. Answers are `None` where
//! there is no such actor, or it is of another kind.

mod base58;
mod json;
mod market;
mod miner;
mod supply;

use fvm_shared::ActorID;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;

use super::{Actor, ActorState, StateTree};
pub(crate) use supply::BASELINE_POWER;

/// A state at an epoch. The epoch matters for deadlines, vesting and expirations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StateView<'a> {
    pub(crate) tree: &'a StateTree,
    pub(crate) epoch: ChainEpoch,
}

impl StateView<'_> {
    /// `StateReadState`: the state as Go's JSON has it for actors of this kind. Links are CIDs of the devnet's own
    /// layout. Addresses are written with the network of the caller, so call it inside
    /// [`venus_core::json::with_network`].
    pub(crate) fn json(&self, actor: ActorID) -> Option<serde_json::Value> {
        json::of(self, self.tree.get(actor)?.state())
    }

    /// `StateLookupRobustAddress`: the key address of an account, the `f2` address of others.
    pub(crate) fn robust(&self, actor: ActorID) -> Option<Address> {
        self.tree.get(actor)?.robust_address()
    }

    /// IDs of all actors, ascending.
    pub(crate) fn actors(&self) -> Vec<ActorID> {
        self.ids(|_| true)
    }

    /// IDs of all miners, ascending.
    pub(crate) fn miners(&self) -> Vec<ActorID> {
        self.ids(|actor| matches!(actor.state(), ActorState::Miner(_)))
    }

    fn ids(&self, keep: impl Fn(&Actor) -> bool) -> Vec<ActorID> {
        let mut ids: Vec<ActorID> =
            self.tree.iter().filter(|(_, actor)| keep(actor)).map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids
    }
}

//! What only the faces ask: questions of nodes' interfaces that no trait has.

use std::collections::HashSet;
use std::sync::Arc;

use cid::Cid;
use fvm_shared::ActorID;
use fvm_shared::address::{Address, Payload};
use fvm_shared::message::Message;
use venus_core::api::{ChainError, SearchOptions};
use venus_core::cbor::Encode;
use venus_core::types::{BitField, MessageExt, MessageLookup, Tipset, TipsetKey};

use super::At;
use crate::chain::Sameness;
use crate::message::Verified;
use crate::node::Devnet;
use crate::state::{SYSTEM, StateView};
use crate::vm::{Applied, ApplyMode, Context};

/// A message, and what came of it.
pub(crate) struct Traced {
    /// CID on chain; of an implicit message, its own.
    pub(crate) cid: Cid,
    pub(crate) message: Message,
    pub(crate) applied: Applied,
}

impl At {
    /// The ID that an address stands for: an ID is taken as it is, whether anybody has it or not.
    pub(crate) fn named(&self, address: &Address) -> Option<ActorID> {
        match address.payload() {
            Payload::ID(id) => Some(*id),
            _ => self.view().tree.resolve(address),
        }
    }
}

impl At {
    /// Executes a message on a copy of the state. Nobody pays for it.
    pub(crate) fn call(&self, message: &Message) -> Applied {
        let context = Context { base_fee: self.executed.next_base_fee.clone() };
        self.vm.apply_one(&mut self.executed.state.clone(), &context, message, ApplyMode::Call)
    }
}

impl Devnet {
    /// Executes a tipset again, and tells everything that happened, in order.
    ///
    /// # Errors
    /// Those of executing the tipset's parents again.
    pub(crate) fn traces(&self, tipset: &Tipset) -> Result<Vec<Traced>, ChainError> {
        let core = self.inner.read();
        let executed = core.chain.execute(tipset)?;
        let mut on_chain = executed.messages.iter().map(|message| message.cid);
        let system = Address::new_id(SYSTEM);
        let traced = |(message, applied): (Message, Applied)| {
            let on_chain = if message.from == system { None } else { on_chain.next() };
            Traced { cid: on_chain.unwrap_or_else(|| message.cid()), message, applied }
        };
        Ok(core.chain.trace(tipset)?.into_iter().map(traced).collect())
    }

    /// The root after a tipset and then some messages, which are executed as if blocks had them.
    ///
    /// # Errors
    /// Those of executing the tipset's parents again.
    pub(crate) fn root_after(&self, tipset: &Tipset, messages: &[Message]) -> Result<Cid, ChainError> {
        let core = self.inner.read();
        let executed = core.chain.execute(tipset)?;
        let context = Context { base_fee: executed.next_base_fee.clone() };
        let mut state = executed.state.clone();
        for message in messages {
            let mode = ApplyMode::Explicit { chain_len: message.to_cbor().len() };
            core.chain.vm.apply_one(&mut state, &context, message, mode);
        }
        Ok(core.chain.vm.root(&state))
    }

    /// What was executed under the sender and the nonce of a message, whatever it does.
    ///
    /// # Errors
    /// [`ChainError::TipsetNotFound`].
    pub(crate) fn executed_as(
        &self,
        message: &Cid,
        options: &SearchOptions,
    ) -> Result<Option<(MessageLookup, Sameness)>, ChainError> {
        self.inner.read().chain.executed_as(message, options)
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

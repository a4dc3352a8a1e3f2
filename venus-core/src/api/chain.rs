//! Reading the chain and its state.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use auto_impl::auto_impl;
use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;

use super::{ChainError, HeadChange, path_between};
pub use crate::types::ActorInfo;
use crate::types::{BlockHeader, BlockMessages, MessageLookup, NetworkInfo, Receipt, Tipset, TipsetKey};

/// Which tipset stands for an epoch without blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullRound {
    /// The last one before it.
    Before,
    /// The first one after it.
    After,
}

/// Facts of the chain. All calls are idempotent and may be retried; none changes anything.
///
/// What is named by CID or key never changes and may be cached for ever. `head`, and whatever is asked with
/// the empty key, which stands for the head, may answer differently each time.
///
/// # Implementing
/// Eight methods are needed; override the others where the node answers in one call. Run
/// `testing::suites::chain_reader` against it.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait ChainReader: Send + Sync {
    /// The heaviest tipset that the node knows and has validated.
    async fn head(&self) -> Result<Arc<Tipset>, ChainError>;

    /// The tipset of a key; the head for the empty key.
    ///
    /// # Errors
    /// [`ChainError::TipsetNotFound`] if the node does not have all blocks of it.
    async fn tipset(&self, key: &TipsetKey) -> Result<Arc<Tipset>, ChainError>;

    /// The tipset at a height among the ancestors of `anchor` (the head for the empty key), or its neighbour
    /// if that epoch is a null round.
    ///
    /// # Errors
    /// [`ChainError::HeightAhead`] above the anchor; [`ChainError::Invalid`] below zero.
    async fn tipset_at(
        &self,
        height: ChainEpoch,
        anchor: &TipsetKey,
        null: NullRound,
    ) -> Result<Arc<Tipset>, ChainError>;

    /// A block header.
    ///
    /// # Errors
    /// [`ChainError::BlockNotFound`].
    async fn block(&self, cid: &Cid) -> Result<BlockHeader, ChainError>;

    /// The messages of a block.
    ///
    /// # Errors
    /// [`ChainError::BlockNotFound`].
    async fn block_messages(&self, block: &Cid) -> Result<BlockMessages, ChainError>;

    /// A message by its chain CID or its unsigned CID.
    ///
    /// # Errors
    /// [`ChainError::MessageNotFound`].
    async fn message(&self, cid: &Cid) -> Result<Message, ChainError>;

    /// Receipts of the messages in the *parents* of a block, one for each of [`ChainReader::parent_messages`].
    ///
    /// # Errors
    /// [`ChainError::BlockNotFound`].
    async fn parent_receipts(&self, block: &Cid) -> Result<Vec<Receipt>, ChainError>;

    /// The network that the node follows. Never changes while it runs.
    async fn network(&self) -> Result<Arc<NetworkInfo>, ChainError>;

    /// The first tipset.
    async fn genesis(&self) -> Result<Arc<Tipset>, ChainError> {
        self.tipset_at(0, &TipsetKey::default(), NullRound::After).await
    }

    /// The messages of a tipset in the order of execution, each once, with their chain CIDs.
    ///
    /// # Errors
    /// [`ChainError::TipsetNotFound`].
    async fn tipset_messages(&self, key: &TipsetKey) -> Result<Vec<(Cid, Message)>, ChainError> {
        let tipset = self.tipset(key).await?;
        let mut seen = HashSet::new();
        let mut messages = Vec::new();
        for block in tipset.cids() {
            let of_block = self.block_messages(block).await?;
            messages.extend(
                of_block.iter().filter(|(cid, _)| seen.insert(*cid)).map(|(cid, m)| (cid, m.clone())),
            );
        }
        Ok(messages)
    }

    /// The messages of a block's parents, which [`ChainReader::parent_receipts`] belong to.
    ///
    /// # Errors
    /// [`ChainError::BlockNotFound`].
    async fn parent_messages(&self, block: &Cid) -> Result<Vec<(Cid, Message)>, ChainError> {
        let parents = TipsetKey::from(self.block(block).await?.parents);
        self.tipset_messages(&parents).await
    }

    /// How to get from one tipset to another: reverts newest first, then applies oldest first.
    ///
    /// # Errors
    /// [`ChainError::TipsetNotFound`] if either end is not known.
    async fn path(&self, from: &TipsetKey, to: &TipsetKey) -> Result<HeadChange, ChainError> {
        path_between(self, from, to).await
    }
}

/// How to look for a message.
#[derive(Clone, Debug)]
pub struct SearchOptions {
    /// Where to start looking backwards; the head for the empty key.
    pub from: TipsetKey,
    /// How many epochs to look back; all if `None`.
    pub lookback: Option<ChainEpoch>,
    /// Whether a message with the same sender and nonce but other fees counts.
    pub allow_replaced: bool,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self { from: TipsetKey::default(), lookback: None, allow_replaced: true }
    }
}

/// Facts of the state. State at a tipset is the state *before* its own messages: what its header's parent
/// state root names. For the empty key it is the state after the head's messages, which the next block builds on.
///
/// # Implementing
/// Run `testing::suites::state_reader`.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait StateReader: Send + Sync {
    /// The actor behind any address; `None` if there is none.
    async fn actor(&self, address: &Address, at: &TipsetKey) -> Result<Option<ActorInfo>, ChainError>;

    /// The ID address of any address.
    ///
    /// # Errors
    /// [`ChainError::ActorNotFound`].
    async fn lookup_id(&self, address: &Address, at: &TipsetKey) -> Result<Address, ChainError>;

    /// The key address of an account.
    ///
    /// # Errors
    /// [`ChainError::ActorNotFound`]; [`ChainError::Invalid`] for an actor that is no account.
    async fn account_key(&self, address: &Address, at: &TipsetKey) -> Result<Address, ChainError>;

    /// Where a message was executed; `None` if it was not, within the bounds of `options`.
    async fn search_message(
        &self,
        message: &Cid,
        options: &SearchOptions,
    ) -> Result<Option<MessageLookup>, ChainError>;

    /// Balance in attoFIL after the head; zero if there is no such actor.
    async fn balance(&self, address: &Address) -> Result<TokenAmount, ChainError> {
        Ok(self.actor(address, &TipsetKey::default()).await?.map_or_else(TokenAmount::default, |a| a.balance))
    }
}

//! Making blocks.

use async_trait::async_trait;
use auto_impl::auto_impl;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;

use super::ChainError;
use crate::types::{BlockMsg, BlockTemplate, MiningBaseInfo, SignedMessage, TipsetKey};

/// What a miner asks of a node to make blocks.
///
/// Selection, template and submission of one block must go to the same node: it has to own the messages.
///
/// # Implementing
/// Run `testing::suites::block_producer`.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait BlockProducer: Send + Sync {
    /// What `miner` needs to take part in the election of `epoch` on top of `base`; `None` if it has no power
    /// or no sector to prove. Idempotent.
    ///
    /// # Errors
    /// [`ChainError::TipsetNotFound`] for an unknown base.
    async fn base_info(
        &self,
        miner: &Address,
        epoch: ChainEpoch,
        base: &TipsetKey,
    ) -> Result<Option<MiningBaseInfo>, ChainError>;

    /// Messages for several blocks on the same base, one list for each ticket quality (0 to 1, see
    /// [`crate::consensus::ticket`]). Lists of one call share no sender, so that the blocks do not compete.
    /// Idempotent.
    ///
    /// # Errors
    /// [`ChainError::TipsetNotFound`] for an unknown base.
    async fn select_messages(
        &self,
        base: &TipsetKey,
        ticket_qualities: &[f64],
    ) -> Result<Vec<Vec<SignedMessage>>, ChainError>;

    /// Assembles a block: state root, receipts, weight, base fee, message root, BLS aggregate. The header has
    /// no signature, unless the node owns the worker's key. Changes nothing; the same template gives the same block.
    ///
    /// # Errors
    /// [`ChainError::TipsetNotFound`] for unknown parents; [`ChainError::Invalid`] for a message that no block takes.
    async fn create_block(&self, template: &BlockTemplate) -> Result<BlockMsg, ChainError>;

    /// Publishes a signed block. The same block again is success. Success says neither that the block is valid
    /// (some nodes validate later) nor that it stays in the chain: watch the head for it.
    ///
    /// Never sign another block for the same miner and height after a failure: the first may be out.
    ///
    /// # Errors
    /// [`ChainError::Block`] with the rule that the block breaks.
    async fn submit_block(&self, block: &BlockMsg) -> Result<(), ChainError>;
}

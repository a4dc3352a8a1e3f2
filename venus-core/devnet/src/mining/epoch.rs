//! One epoch on demand, in process.

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use venus_core::api::ISigner;
use venus_core::types::{BlockMsg, TipsetKey};

use super::{Kind, Miners, OwnProver};
use crate::error::DevnetError;
use crate::node::Devnet;

/// One epoch of mining.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochSpec {
    /// The epoch that the miners take part in.
    pub epoch: ChainEpoch,
    /// What they build on; the empty key stands for the head.
    pub base: TipsetKey,
    /// ID addresses of the miners that take part, in any order. Those that may not mine are passed over.
    pub miners: Vec<Address>,
    /// Whether the blocks take messages of the pool.
    pub messages: bool,
}

impl Devnet {
    /// Holds the election of one epoch and publishes the winners' blocks, best ticket first. No block if nobody won,
    /// which is a null round.
    ///
    /// Nothing is forged or passed over: the blocks are validated like any other. The clock must have reached the
    /// epoch. The same specification on the same chain and pool gives the same blocks.
    ///
    /// # Errors
    /// If no miner could take part, or all who won failed: [`DevnetError::Signer`] if a worker's key is missing,
    /// [`DevnetError::Prover`] if nothing can make the proofs, [`DevnetError::Chain`] if a block is refused.
    pub async fn mine(&self, spec: &EpochSpec, signer: &dyn ISigner) -> Result<Vec<BlockMsg>, DevnetError> {
        let base = self.inner.read().chain.tipset(&spec.base)?;
        let prover = OwnProver(&*self.inner.proofs);
        let kind = if spec.messages { Kind::Full } else { Kind::Empty };
        let miners = Miners { devnet: self, signer, prover: &prover };
        miners.round(&spec.miners, spec.epoch, &base, kind).await
    }
}

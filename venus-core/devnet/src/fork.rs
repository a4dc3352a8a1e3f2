//! A reorg on demand.

use std::sync::Arc;
use std::time::Duration;

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use venus_core::api::{BlockProducer, ChainError, ISigner};
use venus_core::clock::ManualClock;
use venus_core::types::{Tipset, TipsetKey};

use crate::config::MAX_NULL_ROUNDS;
use crate::error::DevnetError;
use crate::mining::{Kind, Miners, OwnProver};
use crate::node::Devnet;

/// Which branch to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkSpec {
    /// How many tipsets the head is to lose, at least 1.
    pub depth: u64,
    /// ID address of the miner that makes the blocks of the branch. It must not have made a block at these heights
    /// before, or the slash filter refuses the branch.
    pub producer: Address,
}

/// The branch that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForkReport {
    /// The tipset that both branches have in common.
    pub ancestor: TipsetKey,
    /// The head that was left.
    pub old_head: TipsetKey,
    /// The head now.
    pub new_head: TipsetKey,
    /// Blocks of the branch.
    pub blocks: u64,
    /// Epoch of the last of them.
    pub epoch: ChainEpoch,
}

impl Devnet {
    /// Makes a branch of empty blocks beside the last `depth` tipsets, until it is heavier than they are.
    ///
    /// Nothing is forged: the producer takes part in the election of one epoch after the other, wins some by its
    /// share of the power, and its blocks are validated like any other. The clock moves on to the time of each
    /// block. On the same head the same branch comes out, so a fork that was interrupted is simply asked for again.
    ///
    /// # Errors
    /// [`DevnetError::Fork`] if the depth is 0 or reaches below the genesis, or the producer has too little power;
    /// [`DevnetError::Signer`] and [`DevnetError::Chain`] from making its blocks.
    pub async fn fork(
        &self,
        spec: ForkSpec,
        signer: &dyn ISigner,
        clock: &ManualClock,
    ) -> Result<ForkReport, DevnetError> {
        let Fork { old_head, left, ancestor } = self.fork_point(spec.depth)?;
        let mut tip = ancestor.clone();
        // A branch that is not heavier after as many epochs as can be empty never will be.
        let mut blocks = 0;
        for epoch in ancestor.height() + 1..=ancestor.height() + MAX_NULL_ROUNDS {
            let Some(block) = self.fork_block(&spec, signer, clock, &tip, epoch).await? else { continue };
            tip = block;
            blocks += 1;
            if let Some(new_head) = self.head_instead(&left, &tip) {
                let (ancestor, old_head) = (ancestor.key().clone(), old_head.key().clone());
                return Ok(ForkReport { ancestor, old_head, new_head, blocks, epoch });
            }
        }
        Err(DevnetError::Fork(format!("{} is too weak, its branch does not get heavier", spec.producer)))
    }

    fn fork_point(&self, depth: u64) -> Result<Fork, DevnetError> {
        if depth == 0 {
            return Err(DevnetError::Fork("depth must be at least 1".into()));
        }
        let too_deep = || DevnetError::Fork(format!("depth {depth} is below the genesis"));
        let core = self.inner.read();
        let old_head = core.chain.head().clone();
        let (mut left, mut ancestor) = (old_head.clone(), old_head.clone());
        for _ in 0..depth {
            let parents = core.chain.parents(&ancestor)?.ok_or_else(too_deep)?;
            left = std::mem::replace(&mut ancestor, parents);
        }
        Ok(Fork { old_head, left, ancestor })
    }

    /// The head, once its chain contains the branch and not the tipset that was to be left. The first block of a
    /// branch may stand beside that tipset and merely widen it; and other miners may build on the branch.
    fn head_instead(&self, left: &Tipset, tip: &Tipset) -> Option<TipsetKey> {
        let core = self.inner.read();
        let canonical = |tipset: &Tipset| tipset.cids().iter().any(|cid| core.chain.is_canonical_block(cid));
        (canonical(tip) && !canonical(left)).then(|| core.chain.head().key().clone())
    }

    /// The producer's block of one epoch, if it wins, as a tipset of its own.
    async fn fork_block(
        &self,
        spec: &ForkSpec,
        signer: &dyn ISigner,
        clock: &ManualClock,
        base: &Arc<Tipset>,
        epoch: ChainEpoch,
    ) -> Result<Option<Arc<Tipset>>, DevnetError> {
        let info = self.base_info(&spec.producer, epoch, base.key()).await?;
        let info = info.filter(|info| info.eligible_for_mining);
        let info = info.ok_or_else(|| DevnetError::Fork(format!("{} may not mine", spec.producer)))?;
        let prover = OwnProver(&*self.inner.proofs);
        let miners = Miners { devnet: self, signer, prover: &prover };
        let winner = miners.elect(spec.producer, info, epoch, base).await?;
        let Some(winner) = winner else { return Ok(None) };
        let due = self.inner.info.network.timestamp_of(epoch);
        clock.advance_to(Duration::from_secs(due));
        let block = miners.publish(winner, Vec::new(), epoch, base, Kind::Empty).await?;
        let tipset = Tipset::new(vec![block.header]).map_err(|e| ChainError::Corrupt(e.to_string()))?;
        Ok(Some(Arc::new(tipset)))
    }
}

/// Where a fork begins.
struct Fork {
    old_head: Arc<Tipset>,
    /// The oldest tipset that is to be reverted.
    left: Arc<Tipset>,
    /// Its parents.
    ancestor: Arc<Tipset>,
}

//! A reorganisation on demand, by all miners of the devnet.

use std::sync::Arc;

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use venus_core::api::{ChainError, ChainReader};
use venus_core::types::{Tipset, TipsetKey};

use super::{DevnetControl, HeadInfo, ReorgReport, ReorgSpec, Turn, check_count, refuse};
use crate::error::DevnetError;
use crate::mining::{Branch, Kind};

/// Epochs after which a branch that is still not heavier is given up: only where most of the power is outside.
const PATIENCE: ChainEpoch = 1_000;

impl DevnetControl {
    /// Takes the last tipsets away: makes another branch beside them until it is heavier.
    ///
    /// All miners of the genesis whose keys the devnet has make the branch, those that are left to others outside
    /// included. It begins at the same epochs, so most of them sign a second block of an epoch there: what the slash
    /// filter refuses everybody else. Its blocks are empty, and valid in everything else. Where the clock runs by itself,
    /// epochs that have not come yet are waited for.
    ///
    /// # Errors
    /// [`DevnetError::Fork`] if the depth reaches below the genesis, or the branch does not get heavier;
    /// [`DevnetError::Control`] if the numbers make no sense or the head is frozen; and what making blocks has. Blocks of
    /// a branch that was not finished stay where they are, beside the chain.
    pub async fn fork(&self, spec: &ReorgSpec) -> Result<ReorgReport, DevnetError> {
        check_count(spec.depth)?;
        check_count(spec.tipsets)?;
        if self.shared.settings.borrow().frozen {
            return refuse("the head is frozen: let it go first");
        }
        let mut turn = self.shared.turn.lock().await;
        let (left, ancestor) = self.fork_point(spec.depth).await?;
        let old_head = self.shared.devnet.head().await?;
        self.branch(&mut turn, spec.tipsets, &left, &ancestor).await?;
        let dropped =
            if spec.drop_messages { self.drop_messages(old_head.key(), ancestor.key())? } else { 0 };
        let (ancestor, old_head) = (HeadInfo::of(&ancestor), HeadInfo::of(&old_head));
        Ok(ReorgReport { ancestor, old_head, head: self.head_info(), dropped })
    }

    /// The oldest tipset that is to go, and its parents.
    async fn fork_point(&self, depth: u64) -> Result<(Arc<Tipset>, Arc<Tipset>), DevnetError> {
        let mut ancestor = self.shared.devnet.head().await?;
        let mut left = ancestor.clone();
        for _ in 0..depth {
            if ancestor.height() == 0 {
                return Err(DevnetError::Fork(format!("depth {depth} is below the genesis")));
            }
            left = ancestor;
            ancestor = self.shared.devnet.tipset(&left.parents()).await?;
        }
        Ok((left, ancestor))
    }

    async fn branch(
        &self,
        turn: &mut Turn,
        tipsets: u64,
        left: &Tipset,
        ancestor: &Arc<Tipset>,
    ) -> Result<(), DevnetError> {
        let miners = self.shared.devnet.miners();
        // No block before had this number, and after a restart it comes out the same.
        let branch = Branch { mark: self.shared.devnet.stats().blocks + 1 };
        let (mut tip, mut length) = (ancestor.clone(), 0);
        for epoch in ancestor.height() + 1..=ancestor.height() + PATIENCE {
            let Some(next) = self.branch_epoch(&miners, epoch, &tip, branch).await? else { continue };
            turn.reached = turn.reached.max(epoch);
            tip = next;
            length += 1;
            if length >= tipsets && self.has_moved(left, &tip) {
                return Ok(());
            }
        }
        Err(DevnetError::Fork(format!("the branch is not heavier after {PATIENCE} epochs")))
    }

    async fn branch_epoch(
        &self,
        miners: &[Address],
        epoch: ChainEpoch,
        tip: &Tipset,
        branch: Branch,
    ) -> Result<Option<Arc<Tipset>>, DevnetError> {
        self.shared.clock.reach(self.time_of(epoch)).await;
        let blocks = self.shared.miners().round(miners, epoch, tip, Kind::Branch(branch)).await?;
        if blocks.is_empty() {
            return Ok(None);
        }
        let headers = blocks.into_iter().map(|block| block.header).collect();
        let tipset = Tipset::new(headers).map_err(|e| ChainError::Corrupt(e.to_string()))?;
        Ok(Some(Arc::new(tipset)))
    }

    fn has_moved(&self, left: &Tipset, tip: &Tipset) -> bool {
        let core = self.shared.devnet.inner.read();
        let stands = |tipset: &Tipset| tipset.cids().iter().any(|cid| core.chain.is_canonical_block(cid));
        stands(tip) && !stands(left)
    }

    /// Takes the messages of the lost tipsets out of the pool, to which they went back.
    fn drop_messages(&self, old_head: &TipsetKey, ancestor: &TipsetKey) -> Result<u64, DevnetError> {
        let mut core = self.shared.devnet.inner.write();
        let core = &mut *core;
        let lost = core.chain.path(old_head, ancestor)?.revert;
        let blocks = lost.iter().flat_map(|tipset| core.chain.blocks_of(tipset));
        let cids: Vec<_> =
            blocks.flat_map(|block| block.messages.iter().map(|m| m.cid).collect::<Vec<_>>()).collect();
        Ok(cids.iter().filter(|cid| core.pool.remove_message(cid)).count() as u64)
    }
}

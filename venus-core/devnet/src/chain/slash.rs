//! The slash filter: no block gets in that would prove a consensus fault of its miner together with one that is in.

use std::ops::Bound;

use cid::Cid;
use venus_core::api::BlockReject;
use venus_core::consensus::fault::{FaultBlock, consensus_fault};
use venus_core::types::{BlockHeader, TipsetKey};

use super::{Chain, StoredBlock};

impl Chain {
    /// Looks for a block of the same miner that `header` would be a fault with, in either order of time.
    pub(crate) fn slash_filter(&self, header: &BlockHeader) -> Result<(), BlockReject> {
        let new = FaultBlock::from(header);
        let found = self.suspects(header).into_iter().find(|old| {
            let old_block = FaultBlock { cid: old.cid, ..FaultBlock::from(&old.header) };
            let (earlier, later) =
                if old_block.height <= new.height { (old_block, new) } else { (new, old_block) };
            let alone = consensus_fault(&earlier, &later, None);
            let mut witnesses = later.parents.iter().filter_map(|cid| self.blocks.get(cid));
            alone.is_some()
                || witnesses.any(|w| {
                    let witness = FaultBlock { cid: w.cid, ..FaultBlock::from(&w.header) };
                    consensus_fault(&earlier, &later, Some(&witness)).is_some()
                })
        });
        found.map_or(Ok(()), |old| Err(BlockReject::SlashFilter { witness: old.cid }))
    }

    /// The miner's blocks that a fault is possible with: of the same height, on the same parents, of the height of
    /// the parents, and those whose parents have the height of this one.
    fn suspects(&self, header: &BlockHeader) -> Vec<&StoredBlock> {
        let Some(own) = self.by_miner.get(&header.miner) else { return Vec::new() };
        let parents = TipsetKey::from(header.parents.clone());
        let parent_height = self.height_of(header.parents.first());
        let beside = own.get(&header.height);
        let same_parents = self.by_parents.get(&(header.miner, parents));
        let before = parent_height.and_then(|height| own.get(&height));
        let fixed = [beside, same_parents, before].into_iter().flatten();
        let later = own.range((Bound::Excluded(header.height), Bound::Unbounded)).map(|(_, cid)| cid);
        // Parents' heights do not fall along a miner's honest blocks, but a fork may mix them, so look at all.
        let after = later.filter(|cid| {
            let parent = self.blocks.get(cid).and_then(|block| block.header.parents.first());
            self.height_of(parent) == Some(header.height)
        });
        fixed.chain(after).filter_map(|cid| self.blocks.get(cid)).map(|block| &**block).collect()
    }

    fn height_of(&self, block: Option<&Cid>) -> Option<i64> {
        self.blocks.get(block?).map(|block| block.header.height)
    }
}

//! Which tipset is the head.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use num_bigint::BigInt;
use venus_core::api::{ChainError, HeadChange};
use venus_core::consensus::weight::break_tie;
use venus_core::types::{BlockHeader, Tipset, TipsetKey};

use super::{Chain, StoredBlock};

/// What a new block did to the head.
#[derive(Debug)]
pub(crate) struct HeadMove {
    pub(crate) head: Arc<Tipset>,
    pub(crate) change: HeadChange,
}

impl Chain {
    /// Takes in a validated block. Answers how the head moved, if it did.
    ///
    /// A new block can only make one tipset better: that of the blocks beside it. It becomes the head if it is
    /// heavier, or as heavy with the smaller ticket. Of a miner that made several blocks there, only one counts, as in
    /// Lotus (`ExpandTipset`): else a reorganisation on demand, which makes such blocks, would be paid for twice.
    pub(crate) fn insert(&mut self, block: StoredBlock) -> Result<Option<HeadMove>, ChainError> {
        let header = block.header.clone();
        self.index_block(block);
        let tipset = Tipset::new(self.beside(header)).map_err(|e| ChainError::Corrupt(e.to_string()))?;
        let weight = self.weight(&tipset)?;
        if !self.is_better(&weight, &tipset) {
            return Ok(None);
        }
        self.set_head(Arc::new(tipset), weight).map(Some)
    }

    /// A block with those beside it, one of each miner: that of the head if it is there, else the earliest.
    fn beside(&self, header: BlockHeader) -> Vec<BlockHeader> {
        let place = (TipsetKey::from(header.parents.clone()), header.height);
        let siblings = self.siblings.get(&place).map(Vec::as_slice).unwrap_or_default();
        let (in_head, others): (Vec<_>, Vec<_>) =
            siblings.iter().partition(|cid| self.head.cids().contains(cid));
        let blocks = in_head.into_iter().chain(others).filter_map(|cid| self.blocks.get(cid));
        let mut miners = HashSet::from([header.miner]);
        let mut headers = vec![header];
        headers.extend(blocks.map(|b| &b.header).filter(|h| miners.insert(h.miner)).cloned());
        headers
    }

    fn is_better(&self, weight: &BigInt, tipset: &Tipset) -> bool {
        match weight.cmp(&self.head_weight) {
            Ordering::Equal => break_tie(tickets(tipset), tickets(&self.head)).is_gt(),
            order => order.is_gt(),
        }
    }

    fn set_head(&mut self, head: Arc<Tipset>, weight: BigInt) -> Result<HeadMove, ChainError> {
        // The state is needed at once by the pool, and what fails must fail before anything has changed.
        self.execute(&head)?;
        let change = self.path(self.head.key(), head.key())?;
        self.reorgs += u64::from(is_reorg(&change));
        for tipset in &change.revert {
            self.canonical.remove(&tipset.height());
        }
        for tipset in &change.apply {
            self.canonical.insert(tipset.height(), tipset.clone());
        }
        self.head = head.clone();
        self.head_weight = weight;
        Ok(HeadMove { head, change })
    }
}

fn tickets(tipset: &Tipset) -> impl Iterator<Item = &[u8]> {
    tipset.blocks().iter().filter_map(|b| b.ticket.as_ref()).map(|t| t.vrf_proof.as_slice())
}

/// Whether a tipset left the chain for another one, instead of growing by a block.
fn is_reorg(change: &HeadChange) -> bool {
    change.revert.iter().any(|old| {
        let new = change.apply.iter().find(|new| new.height() == old.height());
        !new.is_some_and(|new| old.cids().iter().all(|cid| new.cids().contains(cid)))
    })
}

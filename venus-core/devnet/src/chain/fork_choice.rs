//! Which tipset is the head.

use std::cmp::Ordering;
use std::sync::Arc;

use num_bigint::BigInt;
use venus_core::api::{ChainError, HeadChange};
use venus_core::consensus::weight::break_tie;
use venus_core::types::{Tipset, TipsetKey};

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
    /// A new block can only make one tipset better: that of all blocks beside it. It becomes the head if it is
    /// heavier, or as heavy with the smaller ticket.
    pub(crate) fn insert(&mut self, block: StoredBlock) -> Result<Option<HeadMove>, ChainError> {
        let parents = TipsetKey::from(block.header.parents.clone());
        let place = (parents, block.header.height);
        self.index_block(block);
        let siblings = self.siblings.get(&place).into_iter().flatten();
        let headers = siblings.filter_map(|cid| self.blocks.get(cid)).map(|b| b.header.clone()).collect();
        let tipset = Tipset::new(headers).map_err(|e| ChainError::Corrupt(e.to_string()))?;
        let weight = self.weight(&tipset)?;
        if !self.is_better(&weight, &tipset) {
            return Ok(None);
        }
        self.set_head(Arc::new(tipset), weight).map(Some)
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

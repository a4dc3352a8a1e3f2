//! Finding blocks and tipsets.

use std::sync::Arc;

use cid::Cid;
use fvm_shared::clock::ChainEpoch;
use venus_core::api::{ChainError, HeadChange, NullRound};
use venus_core::types::{Tipset, TipsetKey};

use super::{Chain, StoredBlock};

impl Chain {
    pub(crate) fn block(&self, cid: &Cid) -> Result<&Arc<StoredBlock>, ChainError> {
        self.blocks.get(cid).ok_or(ChainError::BlockNotFound(*cid))
    }

    pub(crate) fn has_block(&self, cid: &Cid) -> bool {
        self.blocks.contains_key(cid)
    }

    /// The tipset of a key; the head for the empty one.
    pub(crate) fn tipset(&self, key: &TipsetKey) -> Result<Arc<Tipset>, ChainError> {
        let Some(first) = key.cids().first() else { return Ok(self.head.clone()) };
        let not_found = || ChainError::TipsetNotFound(key.to_string());
        let height = self.blocks.get(first).ok_or_else(not_found)?.header.height;
        if let Some(tipset) = self.canonical.get(&height).filter(|t| t.key() == key) {
            return Ok(tipset.clone());
        }
        let header = |cid| self.blocks.get(cid).map(|block| block.header.clone());
        let headers = key.cids().iter().map(header).collect::<Option<Vec<_>>>().ok_or_else(not_found)?;
        let tipset = Tipset::new(headers).ok().filter(|t| t.key() == key);
        tipset.map(Arc::new).ok_or_else(not_found)
    }

    /// The parents of a tipset; `None` for the genesis.
    pub(crate) fn parents(&self, tipset: &Tipset) -> Result<Option<Arc<Tipset>>, ChainError> {
        if tipset.height() == 0 { Ok(None) } else { self.tipset(&tipset.parents()).map(Some) }
    }

    /// The tipset at a height among the ancestors of `anchor`, itself included.
    pub(crate) fn tipset_at(
        &self,
        height: ChainEpoch,
        anchor: &Arc<Tipset>,
        null: NullRound,
    ) -> Result<Arc<Tipset>, ChainError> {
        if height < 0 {
            return Err(ChainError::Invalid(format!("height {height} lies before the genesis")));
        }
        if height > anchor.height() {
            return Err(ChainError::HeightAhead { wanted: height, head: anchor.height() });
        }
        let mut after = anchor.clone();
        loop {
            if self.is_canonical(&after) {
                return Ok(self.canonical_at(height, &after, null));
            }
            if after.height() == height {
                return Ok(after);
            }
            let Some(before) = self.parents(&after)? else { return Ok(after) };
            if before.height() < height {
                return Ok(if null == NullRound::After { after } else { before });
            }
            after = before;
        }
    }

    /// Whether a tipset is on the chain of the head.
    pub(crate) fn is_canonical(&self, tipset: &Tipset) -> bool {
        self.canonical.get(&tipset.height()).is_some_and(|t| t.key() == tipset.key())
    }

    /// The latest tipset on the chain of the head that was executed on a state of this root.
    #[cfg(feature = "server")]
    pub(crate) fn canonical_on(&self, root: &Cid) -> Option<&Arc<Tipset>> {
        self.canonical.values().rev().find(|tipset| tipset.parent_state() == root)
    }

    /// Whether a block is on the chain of the head.
    pub(crate) fn is_canonical_block(&self, cid: &Cid) -> bool {
        let height = self.blocks.get(cid).map(|block| block.header.height);
        let tipset = height.and_then(|height| self.canonical.get(&height));
        tipset.is_some_and(|tipset| tipset.cids().contains(cid))
    }

    fn canonical_at(&self, height: ChainEpoch, anchor: &Arc<Tipset>, null: NullRound) -> Arc<Tipset> {
        let found = match null {
            NullRound::Before => self.canonical.range(..=height).next_back(),
            NullRound::After => self.canonical.range(height..).next(),
        };
        // The genesis lies below and the anchor above, so there is always one.
        found.map_or_else(|| anchor.clone(), |(_, tipset)| tipset.clone())
    }

    /// The way from one tipset to another. See [`venus_core::api::path_between`].
    pub(crate) fn path(&self, from: &TipsetKey, to: &TipsetKey) -> Result<HeadChange, ChainError> {
        let (mut old, mut new) = (self.tipset(from)?, self.tipset(to)?);
        let mut change = HeadChange::default();
        while old.key() != new.key() {
            let (step_old, step_new) = (old.height() >= new.height(), new.height() >= old.height());
            if step_old {
                let parent = self.tipset(&old.parents())?;
                change.revert.push(std::mem::replace(&mut old, parent));
            }
            if step_new {
                let parent = self.tipset(&new.parents())?;
                change.apply.push(std::mem::replace(&mut new, parent));
            }
        }
        change.apply.reverse();
        Ok(change)
    }

    /// The blocks of a tipset, in its order.
    pub(crate) fn blocks_of(&self, tipset: &Tipset) -> Vec<Arc<StoredBlock>> {
        tipset.cids().iter().filter_map(|cid| self.blocks.get(cid)).cloned().collect()
    }

    /// Enters a block into all indexes.
    pub(super) fn index_block(&mut self, block: StoredBlock) {
        let (cid, header) = (block.cid, &block.header);
        let parents = TipsetKey::from(header.parents.clone());
        self.siblings.entry((parents.clone(), header.height)).or_default().push(cid);
        self.by_miner.entry(header.miner).or_default().insert(header.height, cid);
        self.by_parents.insert((header.miner, parents), cid);
        for message in &block.messages {
            self.messages.include(message, cid);
        }
        self.blocks.insert(cid, Arc::new(block));
    }
}

//! Tipsets, blocks and messages.

use std::sync::Arc;

use async_trait::async_trait;
use cid::Cid;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::message::Message;
use venus_core::api::{ChainError, ChainReader, HeadChange, NullRound};
use venus_core::types::{BlockHeader, BlockMessages, NetworkInfo, Receipt, Tipset, TipsetKey};

use crate::node::{Core, Devnet};

#[async_trait]
impl ChainReader for Devnet {
    async fn head(&self) -> Result<Arc<Tipset>, ChainError> {
        Ok(self.inner.read().chain.head().clone())
    }

    async fn tipset(&self, key: &TipsetKey) -> Result<Arc<Tipset>, ChainError> {
        self.inner.read().chain.tipset(key)
    }

    async fn tipset_at(
        &self,
        height: ChainEpoch,
        anchor: &TipsetKey,
        null: NullRound,
    ) -> Result<Arc<Tipset>, ChainError> {
        let core = self.inner.read();
        let anchor = core.chain.tipset(anchor)?;
        core.chain.tipset_at(height, &anchor, null)
    }

    async fn block(&self, cid: &Cid) -> Result<BlockHeader, ChainError> {
        self.inner.read().chain.block(cid).map(|block| block.header.clone())
    }

    async fn block_messages(&self, block: &Cid) -> Result<BlockMessages, ChainError> {
        let core = self.inner.read();
        let (bls, secp): (Vec<_>, Vec<_>) =
            core.chain.block(block)?.messages.iter().partition(|m| m.is_bls());
        Ok(BlockMessages {
            bls: bls.iter().map(|m| m.signed.message.clone()).collect(),
            secp: secp.iter().map(|m| m.signed.clone()).collect(),
        })
    }

    /// Finds messages that wait in the pool, too.
    async fn message(&self, cid: &Cid) -> Result<Message, ChainError> {
        let core = self.inner.read();
        let found = core.chain.messages.get(cid).or_else(|| core.pool.get(cid));
        found.map(|m| m.signed.message.clone()).ok_or(ChainError::MessageNotFound(*cid))
    }

    async fn parent_receipts(&self, block: &Cid) -> Result<Vec<Receipt>, ChainError> {
        let core = self.inner.read();
        let parents = core.parents_of(block)?;
        parents.map_or(Ok(Vec::new()), |parents| Ok(core.chain.execute(&parents)?.receipts.clone()))
    }

    async fn network(&self) -> Result<Arc<NetworkInfo>, ChainError> {
        Ok(self.inner.info.network.clone())
    }

    /// Only messages that were executed: of two with the same sender and nonce the first.
    async fn tipset_messages(&self, key: &TipsetKey) -> Result<Vec<(Cid, Message)>, ChainError> {
        let core = self.inner.read();
        let tipset = core.chain.tipset(key)?;
        core.chain.executed_messages(&tipset)
    }

    async fn parent_messages(&self, block: &Cid) -> Result<Vec<(Cid, Message)>, ChainError> {
        let core = self.inner.read();
        let parents = core.parents_of(block)?;
        parents.map_or(Ok(Vec::new()), |parents| core.chain.executed_messages(&parents))
    }

    async fn path(&self, from: &TipsetKey, to: &TipsetKey) -> Result<HeadChange, ChainError> {
        self.inner.path(from, to)
    }
}

impl Core {
    fn parents_of(&self, block: &Cid) -> Result<Option<Arc<Tipset>>, ChainError> {
        let header = &self.chain.block(block)?.header;
        if header.height == 0 {
            return Ok(None);
        }
        self.chain.tipset(&header.parents.clone().into()).map(Some)
    }
}

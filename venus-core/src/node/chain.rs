//! Reading the chain.

use std::sync::Arc;

use async_trait::async_trait;
use cid::Cid;
use fvm_shared::address::Network;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::message::Message;

use super::fault::Fault;
use super::wire::NONE;
use super::{Core, Flavour, List, RpcNode, list};
use crate::api::{ChainError, ChainReader, HeadChange, NullRound, path_between};
use crate::json::{Json, JsonRef};
use crate::types::{
    BlockHeader, BlockMessages, ChainMessage, HeadChangeKind, HeadChangeStep, NetworkInfo, NetworkParams,
    Receipt, Tipset, TipsetKey,
};

const BY_HEIGHT: &str = "Filecoin.ChainGetTipSetByHeight";
const AFTER_HEIGHT: &str = "Filecoin.ChainGetTipSetAfterHeight";
/// EIP-155 chain ID of mainnet.
const MAINNET_CHAIN_ID: u64 = 314;

#[async_trait]
impl<F: Flavour> ChainReader for RpcNode<F> {
    async fn head(&self) -> Result<Arc<Tipset>, ChainError> {
        self.core.head().await
    }

    async fn tipset(&self, key: &TipsetKey) -> Result<Arc<Tipset>, ChainError> {
        // Venus answers the head for the empty key, Lotus an error.
        if key.is_empty() {
            return self.head().await;
        }
        if let Some(known) = self.core.tipsets.get(key) {
            return Ok(known);
        }
        let answer = self.wire().pinned("Filecoin.ChainGetTipSet", &(key,)).await;
        let tipset: Tipset = answer.map_err(|fault| match fault.not_there() {
            true => ChainError::TipsetNotFound(key.to_string()),
            false => fault.at(key),
        })?;
        if tipset.key() != key {
            return Err(ChainError::Corrupt(format!("asked for {key}, the node answered {}", tipset.key())));
        }
        Ok(self.core.keep(tipset))
    }

    async fn tipset_at(
        &self,
        height: ChainEpoch,
        anchor: &TipsetKey,
        null: NullRound,
    ) -> Result<Arc<Tipset>, ChainError> {
        if height < 0 {
            return Err(ChainError::Invalid("height is negative".into()));
        }
        match null {
            NullRound::Before => self.tipset_by(BY_HEIGHT, height, anchor).await,
            NullRound::After if self.wire().lacks(AFTER_HEIGHT) => self.first_from(height, anchor).await,
            NullRound::After => match self.tipset_by(AFTER_HEIGHT, height, anchor).await {
                Err(ChainError::Unsupported(_)) => self.first_from(height, anchor).await,
                other => other,
            },
        }
    }

    async fn block(&self, cid: &Cid) -> Result<BlockHeader, ChainError> {
        if let Some(known) = self.core.blocks.get(cid) {
            return Ok(BlockHeader::clone(&known));
        }
        let answer = self.wire().pinned("Filecoin.ChainGetBlock", &(JsonRef(cid),)).await;
        let header: BlockHeader = answer.map_err(|fault| fault.of_block(cid))?;
        if header.cid() != *cid {
            return Err(ChainError::Corrupt(format!("asked for block {cid}, got {}", header.cid())));
        }
        self.core.blocks.put(*cid, Arc::new(header.clone()));
        Ok(header)
    }

    async fn block_messages(&self, block: &Cid) -> Result<BlockMessages, ChainError> {
        if let Some(known) = self.core.block_messages.get(block) {
            return Ok(BlockMessages::clone(&known));
        }
        let answer = self.wire().pinned("Filecoin.ChainGetBlockMessages", &(JsonRef(block),)).await;
        let messages: BlockMessages = answer.map_err(|fault| fault.of_block(block))?;
        self.core.block_messages.put(*block, Arc::new(messages.clone()));
        Ok(messages)
    }

    async fn message(&self, cid: &Cid) -> Result<Message, ChainError> {
        if let Some(known) = self.core.messages.get(cid) {
            return Ok(known);
        }
        let answer = self.wire().pinned("Filecoin.ChainGetMessage", &(JsonRef(cid),)).await;
        let Json(message): Json<Message> = answer.map_err(|fault| fault.of_message(cid))?;
        self.core.messages.put(*cid, message.clone());
        Ok(message)
    }

    async fn parent_receipts(&self, block: &Cid) -> Result<Vec<Receipt>, ChainError> {
        if let Some(known) = self.core.receipts.get(block) {
            return Ok(known.to_vec());
        }
        let answer = self.wire().pinned("Filecoin.ChainGetParentReceipts", &(JsonRef(block),)).await;
        let receipts = list::<Receipt>(answer.map_err(|fault: Fault| fault.of_block(block))?);
        self.core.receipts.put(*block, Arc::new(receipts.clone()));
        Ok(receipts)
    }

    /// Asked for once: what a node calls its network version changes with upgrades, this answer does not.
    async fn network(&self) -> Result<Arc<NetworkInfo>, ChainError> {
        self.core.network().await
    }

    async fn genesis(&self) -> Result<Arc<Tipset>, ChainError> {
        self.core.genesis().await
    }

    async fn tipset_messages(&self, key: &TipsetKey) -> Result<Vec<(Cid, Message)>, ChainError> {
        let key = self.named(key).await?;
        let answer: Result<List<ChainMessage>, _> =
            self.wire().pinned("Filecoin.ChainGetMessagesInTipset", &(&key,)).await;
        match answer {
            Ok(messages) => Ok(pairs(messages)),
            Err(fault) if fault.not_there() => Err(ChainError::TipsetNotFound(key.to_string())),
            Err(fault) => Err(fault.at(&key)),
        }
    }

    async fn parent_messages(&self, block: &Cid) -> Result<Vec<(Cid, Message)>, ChainError> {
        let answer: Result<List<ChainMessage>, _> =
            self.wire().pinned("Filecoin.ChainGetParentMessages", &(JsonRef(block),)).await;
        answer.map(pairs).map_err(|fault| fault.of_block(block))
    }

    async fn path(&self, from: &TipsetKey, to: &TipsetKey) -> Result<HeadChange, ChainError> {
        let (from, to) = (self.named(from).await?, self.named(to).await?);
        let answer: Result<List<HeadChangeStep>, _> =
            self.wire().pinned("Filecoin.ChainGetPath", &(&from, &to)).await;
        match answer {
            Ok(steps) => self.core.change(&from, &to, list(steps)),
            // Which of the two is unknown is found by looking for them.
            Err(fault) if fault.is_missing() || !fault.is_retryable() => path_between(self, &from, &to).await,
            Err(fault) => Err(fault.plain()),
        }
    }
}

impl<F: Flavour> RpcNode<F> {
    /// The key, or that of the head for the empty one, which some methods do not take.
    pub(super) async fn named(&self, key: &TipsetKey) -> Result<TipsetKey, ChainError> {
        Ok(if key.is_empty() { self.core.head().await?.key().clone() } else { key.clone() })
    }

    async fn tipset_by(
        &self,
        method: &'static str,
        height: ChainEpoch,
        anchor: &TipsetKey,
    ) -> Result<Arc<Tipset>, ChainError> {
        match self.get_at(method, &(height, anchor), anchor).await {
            Ok(tipset) => Ok(self.core.keep(tipset)),
            Err(fault) if fault.says(&["height greater than start point"]) => {
                let head = self.tipset(anchor).await?.height();
                Err(ChainError::HeightAhead { wanted: height, head })
            }
            Err(fault) if fault.not_there() => Err(ChainError::TipsetNotFound(anchor.to_string())),
            Err(fault) => Err(fault.at(anchor)),
        }
    }

    /// The first tipset from `height` on, for nodes that look backwards only.
    async fn first_from(&self, height: ChainEpoch, anchor: &TipsetKey) -> Result<Arc<Tipset>, ChainError> {
        let anchor = self.named(anchor).await?;
        let mut at = height;
        loop {
            let tipset = self.tipset_by(BY_HEIGHT, at, &anchor).await?;
            if tipset.height() >= height {
                return Ok(tipset);
            }
            at += 1;
        }
    }
}

impl Core {
    pub(super) async fn head(&self) -> Result<Arc<Tipset>, ChainError> {
        let tipset = self.wire.read("Filecoin.ChainHead", &NONE).await;
        Ok(self.keep(tipset.map_err(Fault::plain)?))
    }

    /// Remembers a tipset and its blocks.
    pub(super) fn keep(&self, tipset: Tipset) -> Arc<Tipset> {
        if let Some(known) = self.tipsets.get(tipset.key()) {
            return known;
        }
        let tipset = Arc::new(tipset);
        self.tipsets.put(tipset.key().clone(), tipset.clone());
        for (cid, block) in tipset.cids().iter().zip(tipset.blocks()) {
            self.blocks.put(*cid, Arc::new(block.clone()));
        }
        tipset
    }

    async fn genesis(&self) -> Result<Arc<Tipset>, ChainError> {
        let ask = async || {
            let tipset = self.wire.pinned("Filecoin.ChainGetGenesis", &NONE).await;
            Ok(self.keep(tipset.map_err(Fault::plain)?))
        };
        self.genesis.get_or_try_init(ask).await.cloned()
    }

    pub(super) async fn network(&self) -> Result<Arc<NetworkInfo>, ChainError> {
        self.network.get_or_try_init(async || self.ask_network().await.map(Arc::new)).await.cloned()
    }

    async fn ask_network(&self) -> Result<NetworkInfo, ChainError> {
        let name: Json<String> =
            self.wire.read("Filecoin.StateNetworkName", &NONE).await.map_err(Fault::plain)?;
        let params: NetworkParams =
            self.wire.read("Filecoin.StateGetNetworkParams", &NONE).await.map_err(Fault::plain)?;
        let head = TipsetKey::default();
        let version = self.wire.read("Filecoin.StateNetworkVersion", &(&head,)).await;
        let Json(network_version): Json<u32> = version.map_err(Fault::plain)?;
        let genesis_timestamp = match params.genesis_timestamp {
            Some(timestamp) if timestamp > 0 => timestamp,
            _ => self.genesis().await?.min_timestamp(),
        };
        let is_mainnet = name.0 == "mainnet" || params.eip155_chain_id == MAINNET_CHAIN_ID;
        Ok(NetworkInfo {
            name: name.0,
            address_network: if is_mainnet { Network::Mainnet } else { Network::Testnet },
            network_version,
            block_delay_secs: params.block_delay_secs,
            genesis_timestamp,
            eip155_chain_id: params.eip155_chain_id,
        })
    }

    /// Steps of a node as a change, if they lead where they should.
    fn change(
        &self,
        from: &TipsetKey,
        to: &TipsetKey,
        steps: Vec<HeadChangeStep>,
    ) -> Result<HeadChange, ChainError> {
        let astray =
            || ChainError::Corrupt(format!("the node's path from {from} leads elsewhere than to {to}"));
        let (mut at, mut change) = (from.clone(), HeadChange::default());
        for HeadChangeStep { kind, tipset } in steps {
            let tipset = self.keep(Tipset::clone(&tipset));
            match kind {
                HeadChangeKind::Revert if *tipset.key() == at && change.apply.is_empty() => {
                    at = tipset.parents();
                    change.revert.push(tipset);
                }
                HeadChangeKind::Apply if tipset.parents() == at => {
                    at = tipset.key().clone();
                    change.apply.push(tipset);
                }
                _ => return Err(astray()),
            }
        }
        if at == *to { Ok(change) } else { Err(astray()) }
    }
}

fn pairs(messages: List<ChainMessage>) -> Vec<(Cid, Message)> {
    list(messages).into_iter().map(|m| (m.cid, m.message)).collect()
}

//! The traits that a scripted chain implements.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use cid::Cid;
use futures::StreamExt;
use futures::stream;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::message::Message;
use tokio::sync::watch;

use super::ScriptedChain;
use super::chain::{Head, Inner};
use super::ledger::Accounts;
use crate::api::{
    ActorInfo, ChainError, ChainReader, HeadEvent, HeadFeed, HeadStream, NullRound, Resume, SearchOptions,
    StateReader, path_between,
};
use crate::types::{
    BlockHeader, BlockMessages, MessageExt, MessageLookup, NetworkInfo, Receipt, Tipset, TipsetKey,
};

#[async_trait]
impl ChainReader for ScriptedChain {
    async fn head(&self) -> Result<Arc<Tipset>, ChainError> {
        Ok(self.head_now())
    }

    async fn tipset(&self, key: &TipsetKey) -> Result<Arc<Tipset>, ChainError> {
        Ok(self.executed(key)?.tipset.clone())
    }

    async fn tipset_at(
        &self,
        height: ChainEpoch,
        anchor: &TipsetKey,
        null: NullRound,
    ) -> Result<Arc<Tipset>, ChainError> {
        let mut tipset = self.tipset(anchor).await?;
        if height < 0 {
            return Err(ChainError::Invalid("height is negative".into()));
        }
        if height > tipset.height() {
            return Err(ChainError::HeightAhead { wanted: height, head: tipset.height() });
        }
        while tipset.height() > height {
            let parent = self.tipset(&tipset.parents()).await?;
            if parent.height() < height && null == NullRound::After {
                break;
            }
            tipset = parent;
        }
        Ok(tipset)
    }

    async fn block(&self, cid: &Cid) -> Result<BlockHeader, ChainError> {
        self.with_ledger(|l| l.blocks.get(cid).map(|(header, _)| header.clone()))
            .ok_or(ChainError::BlockNotFound(*cid))
    }

    async fn block_messages(&self, block: &Cid) -> Result<BlockMessages, ChainError> {
        self.with_ledger(|l| l.blocks.get(block).map(|(_, messages)| messages.clone()))
            .ok_or(ChainError::BlockNotFound(*block))
    }

    async fn message(&self, cid: &Cid) -> Result<Message, ChainError> {
        self.with_ledger(|l| l.messages.get(cid).cloned()).ok_or(ChainError::MessageNotFound(*cid))
    }

    async fn parent_receipts(&self, block: &Cid) -> Result<Vec<Receipt>, ChainError> {
        let parents = TipsetKey::from(self.block(block).await?.parents);
        if parents.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.executed(&parents)?.receipts.clone())
    }

    async fn network(&self) -> Result<Arc<NetworkInfo>, ChainError> {
        Ok(self.inner.network.clone())
    }
}

impl ScriptedChain {
    /// The state before the messages of `at`, or after those of the head for the empty key.
    fn accounts(&self, at: &TipsetKey) -> Result<Arc<Accounts>, ChainError> {
        let executed = self.executed(at)?;
        Ok(if at.is_empty() { executed.after.clone() } else { executed.before.clone() })
    }
}

#[async_trait]
impl StateReader for ScriptedChain {
    async fn actor(&self, address: &Address, at: &TipsetKey) -> Result<Option<ActorInfo>, ChainError> {
        Ok(self.accounts(at)?.actor(address))
    }

    async fn lookup_id(&self, address: &Address, at: &TipsetKey) -> Result<Address, ChainError> {
        self.accounts(at)?.id(address).ok_or(ChainError::ActorNotFound(*address))
    }

    async fn account_key(&self, address: &Address, at: &TipsetKey) -> Result<Address, ChainError> {
        self.accounts(at)?.key(address).ok_or(ChainError::ActorNotFound(*address))
    }

    async fn search_message(
        &self,
        message: &Cid,
        options: &SearchOptions,
    ) -> Result<Option<MessageLookup>, ChainError> {
        let wanted = self.with_ledger(|l| l.messages.get(message).cloned());
        let matches = |(cid, m): &(Cid, Message)| {
            let replaced = || wanted.as_ref().is_some_and(|w| (w.from, w.sequence) == (m.from, m.sequence));
            cid == message || m.cid() == *message || (options.allow_replaced && replaced())
        };
        let mut child = self.tipset(&options.from).await?;
        let oldest = options.lookback.map_or(0, |epochs| child.height() - epochs);
        while child.height() > 0 {
            let executed = self.executed(&child.parents())?;
            if executed.tipset.height() < oldest {
                break;
            }
            let found = executed.messages.iter().zip(&executed.receipts).find(|(m, _)| matches(m));
            if let Some(((cid, _), receipt)) = found {
                return Ok(Some(MessageLookup {
                    message: *cid,
                    receipt: receipt.clone(),
                    tipset: child.key().clone(),
                    height: child.height(),
                }));
            }
            child = executed.tipset.clone();
        }
        Ok(None)
    }
}

impl HeadFeed for ScriptedChain {
    fn heads(&self, from: Resume) -> HeadStream {
        let head = self.inner.head.subscribe();
        let connection = head.borrow().connection;
        let follower =
            Follower { chain: Arc::downgrade(&self.inner), head, connection, from: Some(from), last: None };
        stream::unfold(Some(follower), |follower| async {
            let mut follower = follower?;
            match follower.next().await? {
                Ok(event) => Some((Ok(event), Some(follower))),
                Err(e) => Some((Err(e), None)),
            }
        })
        .fuse()
        .boxed()
    }
}

/// One subscription. It does not keep the chain alive, so it ends with the last handle of it.
struct Follower {
    chain: Weak<Inner>,
    head: watch::Receiver<Head>,
    connection: u64,
    from: Option<Resume>,
    last: Option<TipsetKey>,
}

impl Follower {
    async fn next(&mut self) -> Option<Result<HeadEvent, ChainError>> {
        if let Some(from) = self.from.take() {
            let now = self.head.borrow_and_update().tipset.clone();
            return match from {
                Resume::Head => {
                    self.last = Some(now.key().clone());
                    Some(Ok(HeadEvent::Current(now)))
                }
                Resume::From(seen) => self.change(seen, now).await,
            };
        }
        loop {
            self.head.changed().await.ok()?;
            let head = self.head.borrow_and_update().clone();
            if head.connection != self.connection {
                return Some(Err(ChainError::Transport("disconnected by the test".into())));
            }
            match self.last.clone() {
                Some(last) if last != *head.tipset.key() => return self.change(last, head.tipset).await,
                _ => {}
            }
        }
    }

    async fn change(
        &mut self,
        last_seen: TipsetKey,
        now: Arc<Tipset>,
    ) -> Option<Result<HeadEvent, ChainError>> {
        let chain = ScriptedChain { inner: self.chain.upgrade()? };
        self.last = Some(now.key().clone());
        Some(Ok(match path_between(&chain, &last_seen, now.key()).await {
            Ok(change) => HeadEvent::Change(change),
            Err(_) => HeadEvent::Gap { last_seen, now },
        }))
    }
}

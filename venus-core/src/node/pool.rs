//! Sending messages to a node's mempool.

use async_trait::async_trait;
use cid::Cid;
use fvm_shared::address::Address;

use super::heads::again;
use super::{Flavour, List, RpcNode, list};
use crate::api::{ChainError, ChainReader, MessagePool, PoolReject, SearchOptions, StateReader};
use crate::error::Classify;
use crate::json::{Json, JsonRef};
use crate::types::{SignedMessage, TipsetKey};

const PUSH: &str = "Filecoin.MpoolPush";
const PUSH_MANY: &str = "Filecoin.MpoolBatchPush";
const PENDING: &str = "Filecoin.MpoolPending";
/// Messages of one batch: 64 KiB each at most, and a frame has room for all of them.
const BATCH: usize = 128;

#[async_trait]
impl<F: Flavour> MessagePool for RpcNode<F> {
    /// Repeated when the connection fails, for the same bytes twice are one message.
    async fn push(&self, message: &SignedMessage) -> Result<Cid, ChainError> {
        let cid = message.cid();
        match self.wire().read::<Json<Cid>>(PUSH, &(message,)).await {
            Ok(Json(answer)) if answer == cid => Ok(cid),
            Ok(Json(other)) => Err(ChainError::Corrupt(format!("pushed {cid}, the node took {other}"))),
            Err(fault) => {
                let refusal = fault.of_push();
                if self.has_it(&refusal, message).await { Ok(cid) } else { Err(refusal) }
            }
        }
    }

    async fn pending(&self) -> Result<Vec<SignedMessage>, ChainError> {
        let answer = self.wire().read(PENDING, &(TipsetKey::default(),)).await;
        let mut pending = list::<SignedMessage>(answer.map_err(super::Fault::plain)?);
        pending.sort_by_cached_key(|m| (m.message.from.to_bytes(), m.message.sequence));
        Ok(pending)
    }

    async fn next_nonce(&self, sender: &Address) -> Result<u64, ChainError> {
        let answer = self.wire().read("Filecoin.MpoolGetNonce", &(JsonRef(sender),)).await;
        answer.map(|Json(nonce)| nonce).map_err(|fault| fault.of_actor(sender, &TipsetKey::default()))
    }

    /// The node's own batch stops at the first refusal and does not say what it took before. So one that fails is
    /// pushed again message by message; what was taken already is success then.
    async fn push_many(&self, messages: &[SignedMessage]) -> Vec<Result<Cid, ChainError>> {
        let mut results = Vec::with_capacity(messages.len());
        for batch in messages.chunks(BATCH) {
            match self.push_batch(batch).await {
                Some(cids) => results.extend(cids.into_iter().map(Ok)),
                None => self.push_each(batch, &mut results).await,
            }
        }
        results
    }
}

impl<F: Flavour> RpcNode<F> {
    async fn push_batch(&self, batch: &[SignedMessage]) -> Option<Vec<Cid>> {
        if batch.len() < 2 {
            return None;
        }
        let expected: Vec<Cid> = batch.iter().map(SignedMessage::cid).collect();
        let answer: Result<List<Cid>, _> = self.wire().call(PUSH_MANY, &(batch,)).await;
        answer.ok().map(list).filter(|cids| *cids == expected)
    }

    /// Ends with the first failure of the connection: the other messages would wait for it, too.
    async fn push_each(&self, batch: &[SignedMessage], results: &mut Vec<Result<Cid, ChainError>>) {
        let mut lost: Option<ChainError> = None;
        for message in batch {
            if let Some(error) = &lost {
                results.push(Err(again(PUSH, error)));
                continue;
            }
            let result = self.push(message).await;
            if let Err(e @ (ChainError::Transport(_) | ChainError::Timeout { .. })) = &result {
                lost = Some(again(PUSH, e));
            }
            results.push(result);
        }
    }

    /// Whether a message is refused because the node has it already.
    async fn has_it(&self, refusal: &ChainError, message: &SignedMessage) -> bool {
        match refusal {
            ChainError::Pool(PoolReject::NonceTaken) => {
                self.pending().await.is_ok_and(|pending| pending.contains(message))
            }
            ChainError::Pool(PoolReject::NonceTooLow { .. }) => self.landed(&message.cid()).await,
            _ => false,
        }
    }

    async fn landed(&self, cid: &Cid) -> bool {
        // Messages of the head have no receipt yet, so a search does not find them.
        let head = self.tipset_messages(&TipsetKey::default()).await;
        if head.is_ok_and(|messages| messages.iter().any(|(landed, _)| landed == cid)) {
            return true;
        }
        let options = SearchOptions { allow_replaced: false, ..SearchOptions::default() };
        match self.search_message(cid, &options).await {
            Ok(found) => found.is_some_and(|lookup| lookup.message == *cid),
            Err(error) => {
                tracing::debug!(%error, kind = %error.kind(), "not known whether a message landed");
                false
            }
        }
    }
}

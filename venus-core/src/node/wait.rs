//! Waiting for a message.

use std::sync::Arc;

use cid::Cid;
use futures::StreamExt;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::message::Message;

use crate::api::{
    ChainError, ChainReader, HeadChange, HeadEvent, HeadFeed, Resume, SearchOptions, StateReader,
};
use crate::error::ErrorKind;
use crate::types::{MessageExt, MessageLookup, Tipset};

/// Waits until a message was executed and `confidence` epochs lie on top of its receipt.
///
/// Looks back from the head as far as `options` says (its `from` does not matter), then at each tipset that joins
/// the chain. A landing that is reverted is forgotten. Nodes have a call for this; it ties up the node and ends with
/// the connection, this does neither. Drop the future to give up, there is no deadline of its own.
///
/// With [`SearchOptions::allow_replaced`] a message with the same sender and nonce counts, and the lookup names it.
///
/// # Errors
/// [`ErrorKind::Conflict`] if another message took the nonce and that does not count; [`ChainError::Closed`] when the
/// node shuts down; errors that a retry of a single call did not mend. Waiting again is always safe.
///
/// ```
/// use venus_core::api::SearchOptions;
/// use venus_core::node::wait_message;
/// # use venus_core::testing::doubles::{ScriptedChain, TestSigner};
/// # use venus_core::{api::{MessageRequest, SignerExt}, types::TokenAmount};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let signer = TestSigner::new(7);
/// # let (from, to) = (signer.new_secp(), signer.new_secp());
/// # let chain = ScriptedChain::new([(from, TokenAmount::from_whole(1))]);
/// # let mut message = MessageRequest::transfer(from, to, TokenAmount::from_atto(1)).message;
/// # message.gas_limit = 1_000_000;
/// # let message = signer.sign_message(&message).await.unwrap();
/// # chain.mine(&[message.clone()]).unwrap();
/// # for _ in 0..3 { chain.mine(&[]).unwrap(); }
/// let lookup = wait_message(&chain, &message.cid(), 2, &SearchOptions::default()).await?;
/// assert!(lookup.receipt.exit_code.is_success());
/// # Ok::<(), venus_core::api::ChainError>(())
/// # }).unwrap();
/// ```
pub async fn wait_message<N>(
    node: &N,
    message: &Cid,
    confidence: ChainEpoch,
    options: &SearchOptions,
) -> Result<MessageLookup, ChainError>
where
    N: ChainReader + StateReader + HeadFeed + ?Sized,
{
    let mut waiting = Waiting { node, cid: *message, options, wanted: None, found: None };
    let mut heads = node.heads(Resume::Head);
    while let Some(event) = heads.next().await {
        let height = waiting.moved(event?).await?;
        if let Some(found) = waiting.found.as_ref().filter(|found| height - found.height >= confidence) {
            return Ok(found.clone());
        }
    }
    Err(ChainError::Closed)
}

struct Waiting<'a, N: ?Sized> {
    node: &'a N,
    cid: Cid,
    options: &'a SearchOptions,
    /// The message itself, once the node has it.
    wanted: Option<Message>,
    found: Option<MessageLookup>,
}

impl<N: ChainReader + StateReader + ?Sized> Waiting<'_, N> {
    /// Follows the head; answers its height.
    async fn moved(&mut self, event: HeadEvent) -> Result<ChainEpoch, ChainError> {
        match event {
            HeadEvent::Current(head) | HeadEvent::Gap { now: head, .. } => {
                let options = SearchOptions { from: head.key().clone(), ..self.options.clone() };
                self.found = self.node.search_message(&self.cid, &options).await?;
                if self.found.is_none() && !options.allow_replaced {
                    let any = SearchOptions { allow_replaced: true, ..options };
                    if let Some(other) = self.node.search_message(&self.cid, &any).await? {
                        return Err(replaced(&self.cid, &other.message));
                    }
                }
                self.look(&head).await?;
                Ok(head.height())
            }
            HeadEvent::Change(change) => self.follow(change).await,
        }
    }

    async fn follow(&mut self, change: HeadChange) -> Result<ChainEpoch, ChainError> {
        let mut height = 0;
        for left in &change.revert {
            self.found = self.found.take().filter(|found| found.tipset != *left.key());
            height = left.height() - 1;
        }
        for joined in &change.apply {
            self.look(joined).await?;
            height = joined.height();
        }
        Ok(height)
    }

    /// Looks for the message among the parents' messages, which this tipset has the receipts of.
    async fn look(&mut self, tipset: &Arc<Tipset>) -> Result<(), ChainError> {
        if self.found.is_some() || tipset.height() == 0 {
            return Ok(());
        }
        self.know_message().await?;
        let block = tipset.min_ticket_block().cid();
        let messages = self.node.parent_messages(&block).await?;
        let Some((index, landed)) = self.position(&messages) else { return Ok(()) };
        let own = landed == self.cid || messages.get(index).is_some_and(|(_, m)| m.cid() == self.cid);
        if !own && !self.options.allow_replaced {
            return Err(replaced(&self.cid, &landed));
        }
        let receipt = self.node.parent_receipts(&block).await?.get(index).cloned();
        let receipt = receipt.ok_or_else(|| ChainError::Corrupt(format!("no receipt for {landed}")))?;
        let (tipset, height) = (tipset.key().clone(), tipset.height());
        self.found = Some(MessageLookup { message: landed, receipt, tipset, height });
        Ok(())
    }

    fn position(&self, messages: &[(Cid, Message)]) -> Option<(usize, Cid)> {
        let is_it = |(cid, m): &(Cid, Message)| {
            let same = |wanted: &Message| (wanted.from, wanted.sequence) == (m.from, m.sequence);
            *cid == self.cid || m.cid() == self.cid || self.wanted.as_ref().is_some_and(same)
        };
        let index = messages.iter().position(is_it)?;
        messages.get(index).map(|(cid, _)| (index, *cid))
    }

    async fn know_message(&mut self) -> Result<(), ChainError> {
        if self.wanted.is_none() {
            self.wanted = match self.node.message(&self.cid).await {
                Ok(message) => Some(message),
                // Its block will bring it.
                Err(ChainError::MessageNotFound(_)) => None,
                Err(e) => return Err(e),
            };
        }
        Ok(())
    }
}

/// Says what Lotus says.
fn replaced(cid: &Cid, by: &Cid) -> ChainError {
    ChainError::Rpc {
        method: "Filecoin.StateWaitMsg",
        code: crate::rpc::codes::METHOD,
        message: format!("found message with equal nonce and other content: {cid} was replaced by {by}"),
        kind: ErrorKind::Conflict,
        retry_after: None,
    }
}

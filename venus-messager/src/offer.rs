//! Offering what is signed to the mempool, again and again until it lands. The bytes never change, so repeating is
//! safe.

use std::collections::HashSet;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use fvm_shared::address::Address;
use venus_core::api::{Attempt, ChainError, MessagerError, PoolReject};
use venus_core::types::{Cid, SignedMessage};

use crate::fill::{PAGE, Scope};
use crate::messager::Inner;
use crate::state::RowState;
use crate::store::StoredMessage;

/// What the mempool said.
#[derive(Debug)]
pub(crate) enum Offered {
    /// It has the message.
    Taken,
    /// It does not want this one. Others may pass.
    Refused(String),
    /// The nonce is used up: something of this sender and nonce is on chain.
    Used(String),
    /// It is full for this sender, or out of reach: no use in going on now.
    Unreachable(String),
}

fn signed_of(attempt: &Attempt) -> SignedMessage {
    SignedMessage { message: attempt.message.clone(), signature: attempt.signature.clone() }
}

impl Inner {
    /// Offers the signed messages of all senders. Answers how many the pool lacked and took.
    pub(crate) async fn offer_all(&self) -> Result<usize, MessagerError> {
        let senders = self.store.senders(Some(RowState::Filled)).await?;
        if senders.is_empty() {
            return Ok(0);
        }
        let pending = self.pending().await;
        self.for_senders(senders.iter().map(|sender| self.offer_sender(sender, &pending).boxed())).await
    }

    /// Fills the messages of all senders. Answers how many were filled.
    pub(crate) async fn fill_all(&self) -> Result<usize, MessagerError> {
        let senders = self.store.senders(Some(RowState::Unfilled)).await?;
        self.for_senders(senders.iter().map(|sender| self.fill_sender(sender, Scope::All).boxed())).await
    }

    /// Serves several senders at a time, so that one that hangs delays no other, and adds up what they did.
    async fn for_senders(
        &self,
        work: impl Iterator<Item = BoxFuture<'_, Result<usize, MessagerError>>>,
    ) -> Result<usize, MessagerError> {
        // Collected, because the compiler cannot see that the lazy iterator is `Send` for every lifetime.
        let work: Vec<_> = work.collect();
        let mut results = futures::stream::iter(work).buffer_unordered(self.config.concurrency);
        let (mut sum, mut failure) = (0, None);
        while let Some(result) = results.next().await {
            match result {
                Ok(n) => sum += n,
                Err(e) => failure = Some(e),
            }
        }
        failure.map_or(Ok(sum), Err)
    }

    /// What the pool has, so that only the rest is sent. If it does not say, all is.
    async fn pending(&self) -> HashSet<Cid> {
        let pending = self.ask("pending", self.deps.pool.pending()).await.unwrap_or_default();
        pending.iter().map(SignedMessage::cid).collect()
    }

    async fn offer_sender(&self, sender: &Address, pending: &HashSet<Cid>) -> Result<usize, MessagerError> {
        let (mut from, mut taken) = (0, 0);
        loop {
            let page = self.store.filled(sender, from, PAGE).await?;
            let Some(last) = page.last().and_then(|row| row.nonce) else { return Ok(taken) };
            from = last.saturating_add(1);
            for row in &page {
                if row.attempts.last().is_some_and(|attempt| pending.contains(&attempt.cid)) {
                    self.note(row, None).await?;
                    continue;
                }
                match self.offer_one(row).await {
                    Offered::Taken => {
                        taken += 1;
                        self.note(row, None).await?;
                    }
                    Offered::Refused(error) => self.note(row, Some(&error)).await?,
                    Offered::Used(error) => self.look_up(row, &error).await?,
                    Offered::Unreachable(error) => {
                        self.note(row, Some(&error)).await?;
                        return Ok(taken);
                    }
                }
            }
        }
    }

    /// Offers the newest attempt, and if the pool refuses it the one before: a node that lost its pool may take the
    /// original where the replacement asks too much of the balance. The newest refusal is the one to tell.
    async fn offer_one(&self, row: &StoredMessage) -> Offered {
        let mut refusal = None;
        for attempt in row.attempts.iter().rev() {
            match self.push_signed(&signed_of(attempt)).await {
                Offered::Refused(error) => {
                    refusal.get_or_insert(error);
                }
                Offered::Taken if refusal.is_some() => break,
                other => return other,
            }
        }
        Offered::Refused(refusal.unwrap_or_default())
    }

    pub(crate) async fn push_signed(&self, signed: &SignedMessage) -> Offered {
        let Err(e) = self.ask("push", self.deps.pool.push(signed)).await else { return Offered::Taken };
        let text = format!("push: {e}");
        match e {
            ChainError::Pool(PoolReject::NonceTooLow { .. }) => Offered::Used(text),
            ChainError::Pool(PoolReject::TooManyPending) => Offered::Unreachable(text),
            ChainError::Pool(_) | ChainError::Invalid(_) => Offered::Refused(text),
            _ => Offered::Unreachable(text),
        }
    }
}

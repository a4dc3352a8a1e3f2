//! Filling: nonce, gas, signature, and the first push.
//!
//! The order of effects is the point. Under the sender's lock: choose the nonce, sign, and then store nonce, attempt
//! and state in **one** transaction that compares the sender's next nonce; only then push. A crash before the
//! transaction leaves nothing, one after it leaves a message that is offered again.

use std::sync::atomic::Ordering;

use fvm_shared::address::Address;
use fvm_shared::message::Message;
use venus_core::api::MessagerError;
use venus_core::types::{MessageExt, SignedMessage, TipsetKey};

use crate::messager::Inner;
use crate::node::{Trouble, estimate_trouble, inclusion_gas, same_call, sign_trouble};
use crate::offer::Offered;
use crate::state::{Event, RowState, Step, plan};
use crate::store::{Filling, Seq, StoredMessage, Swap};

/// Messages that are read at a time.
pub(crate) const PAGE: usize = 256;
/// How often a lost compare-and-set is tried again before the message waits for the next round.
const MAX_RACES: usize = 8;

/// A sender's queue.
#[derive(Debug)]
pub(crate) struct Lane {
    /// The last round ended early, so messages with errors may only have been in its way.
    halted: bool,
}

impl Default for Lane {
    fn default() -> Self {
        // What a former process left is tried once.
        Self { halted: true }
    }
}

/// Which messages of a sender are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All.
    All,
    /// Those up to a new one. Older ones that failed for reasons of their own wait for a full round, so that a heap
    /// of bad messages does not slow down each new one.
    UpTo(Seq),
}

impl Scope {
    fn last(self) -> Seq {
        match self {
            Self::All => Seq::MAX,
            Self::UpTo(last) => last,
        }
    }
}

/// What became of one message.
enum Outcome {
    Filled,
    Left,
    Halt(String),
}

impl Inner {
    /// Fills the messages of a sender in the order of acceptance. A message that cannot go now is passed over; a
    /// failure that concerns all ends the round. Answers how many were filled.
    pub(crate) async fn fill_sender(&self, sender: &Address, scope: Scope) -> Result<usize, MessagerError> {
        let lane = self.lane(sender);
        let mut lane = lane.lock().await;
        self.begin_tracking().await?;
        let fresh = scope != Scope::All && !lane.halted;
        // A round that follows a failure tries one message first.
        let mut limit = if lane.halted { 1 } else { PAGE };
        lane.halted = true;
        let (mut after, mut filled) = (0, 0);
        while after < scope.last() {
            let mut page = self.store.unfilled(sender, after, fresh, limit).await?;
            page.retain(|row| row.seq <= scope.last());
            let Some(last) = page.last() else { break };
            (after, limit) = (last.seq, PAGE);
            let (done, halt) = self.fill_page(&page).await?;
            filled += done;
            if let Some(error) = halt {
                self.note_last(scope, &error).await?;
                return Ok(filled);
            }
        }
        lane.halted = false;
        Ok(filled)
    }

    /// A new store follows the chain from before its first signature, so that no landing is missed.
    async fn begin_tracking(&self) -> Result<(), MessagerError> {
        if !self.begun.load(Ordering::Relaxed) {
            self.first_cursor().await?;
            self.begun.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Answers how many were filled, and the failure that concerns the rest, if one came up.
    async fn fill_page(&self, page: &[StoredMessage]) -> Result<(usize, Option<String>), MessagerError> {
        let mut filled = 0;
        for (at, row) in page.iter().enumerate() {
            match self.fill_one(row).await? {
                Outcome::Filled => filled += 1,
                Outcome::Left => {}
                Outcome::Halt(error) => {
                    self.note_all(page.iter().skip(at), &error).await?;
                    return Ok((filled, Some(error)));
                }
            }
        }
        Ok((filled, None))
    }

    /// Tells the caller of a new message what it waits for, even if the failure was another's.
    async fn note_last(&self, scope: Scope, error: &str) -> Result<(), MessagerError> {
        if let Scope::UpTo(seq) = scope {
            // Stale if it was filled or cancelled meanwhile.
            let state = RowState::Unfilled;
            let _ = self.store.set_state(seq, state, state, Some(error)).await?;
        }
        Ok(())
    }

    async fn note_all(
        &self,
        rows: impl Iterator<Item = &StoredMessage>,
        error: &str,
    ) -> Result<(), MessagerError> {
        for row in rows {
            self.note(row, Some(error)).await?;
        }
        Ok(())
    }

    async fn fill_one(&self, row: &StoredMessage) -> Result<Outcome, MessagerError> {
        for _ in 0..MAX_RACES {
            let expected_next = self.store.next_nonce(&row.sender).await?;
            let signed = match self.prepare(row, expected_next).await {
                Ok(signed) => signed,
                Err(trouble) => return self.give_way(row, trouble).await,
            };
            let filling = Filling { seq: row.seq, sender: &row.sender, expected_next, signed: &signed };
            if self.store.fill(&filling).await? == Swap::Done {
                self.hub.changed([row.seq]);
                return self.first_push(row, &signed).await;
            }
            // Cancelled meanwhile, or another messager was faster: the signature is thrown away, unseen by anybody.
            let now = self.store.get(&row.id).await?;
            if now.is_none_or(|now| now.state != RowState::Unfilled) {
                return Ok(Outcome::Left);
            }
        }
        Ok(Outcome::Left)
    }

    /// Nonce, gas and signature of a message; changes nothing.
    async fn prepare(&self, row: &StoredMessage, expected_next: u64) -> Result<SignedMessage, Trouble> {
        self.check_not_expired(row).await?;
        let mut message = row.request.message.clone();
        message.from = row.sender;
        message.sequence = self.next_nonce(&row.sender, expected_next).await?;
        let message = self.with_gas(row, message).await?;
        let signed = self.sign(&message).await.map_err(|e| sign_trouble(&e))?;
        let fit = message.check_for_block(inclusion_gas(&signed)).and_then(|()| signed.check_size());
        // With gas that the node estimated the fault may be the node's, and tomorrow's estimate better.
        fit.map_err(|e| match row.request.message.gas_limit {
            0 => Trouble::Message(e.to_string()),
            _ => Trouble::Fatal(e.to_string()),
        })?;
        Ok(signed)
    }

    async fn check_not_expired(&self, row: &StoredMessage) -> Result<(), Trouble> {
        let expires_at = row.request.spec.expires_at;
        if expires_at == 0 {
            return Ok(());
        }
        let head = self.ask("head", self.deps.chain.head()).await;
        let head = head.map_err(|e| Trouble::Sender(e.to_string()))?.height();
        if head > expires_at {
            return Err(Trouble::Fatal(format!("expired: not signed by epoch {expires_at}")));
        }
        Ok(())
    }

    /// The nonce that follows both ours and the chain's: somebody else may have sent with the key.
    async fn next_nonce(&self, sender: &Address, ours: u64) -> Result<u64, Trouble> {
        let actor = self.ask("actor", self.deps.state.actor(sender, &TipsetKey::default())).await;
        let actor = actor.map_err(|e| Trouble::Sender(format!("nonce: {e}")))?;
        let chain = actor.map_or(0, |actor| actor.nonce);
        if chain > ours {
            tracing::warn!(addr = %sender, ours, chain, "the sender's nonce was used elsewhere");
        }
        Ok(ours.max(chain))
    }

    async fn with_gas(&self, row: &StoredMessage, message: Message) -> Result<Message, Trouble> {
        let estimating = self.deps.gas.estimate(&message, &row.request.spec.gas);
        let estimate = self.ask("estimate", estimating).await.map_err(|e| estimate_trouble(&e))?;
        if !same_call(&estimate, &message) {
            return Err(Trouble::Sender("gas estimate: the node changed the message".into()));
        }
        Ok(estimate)
    }

    async fn give_way(&self, row: &StoredMessage, trouble: Trouble) -> Result<Outcome, MessagerError> {
        match trouble {
            Trouble::Sender(error) => return Ok(Outcome::Halt(error)),
            Trouble::Message(error) => self.note(row, Some(&error)).await?,
            Trouble::Fatal(error) => {
                if let Step::Go(to) = plan(row.state, Event::Reject) {
                    // Stale: the caller cancelled it.
                    let _ = self.store.set_state(row.seq, row.state, to, Some(&error)).await?;
                    self.hub.changed([row.seq]);
                }
            }
        }
        Ok(Outcome::Left)
    }

    /// The signed message is safe by now; a failed push is noted and repeated with the next offer.
    async fn first_push(
        &self,
        row: &StoredMessage,
        signed: &SignedMessage,
    ) -> Result<Outcome, MessagerError> {
        let filled = StoredMessage { state: RowState::Filled, error: None, ..row.clone() };
        if let Offered::Refused(error) | Offered::Unreachable(error) = self.push_signed(signed).await {
            self.note(&filled, Some(&error)).await?;
        }
        Ok(Outcome::Filled)
    }
}

//! Following the chain: which messages landed, and which landings a reorg took back.
//!
//! The cursor names the tipset up to which the store agrees with the chain. One tipset at a time, cursor and messages
//! move in one transaction. A tipset says what became of its *parents'* messages, so applying it lands them, and
//! reverting it takes exactly those landings back, by key.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::message::Message;
use venus_core::api::{ChainError, HeadChange, HeadEvent, MessagerError, Resume, SearchOptions};
use venus_core::types::{Cid, MessageLookup, Tipset, TipsetKey};

use crate::fill::PAGE;
use crate::messager::{Inner, Messager};
use crate::node::{same_call, was_applied};
use crate::state::{Event, RowState, Step, plan};
use crate::store::{Cursor, Move, Seq, StoredMessage, Swap};

/// How often the head may move on while it is followed, before the rest is left for the next time.
const MAX_ROUNDS: usize = 64;

/// What [`Messager::catch_up`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatchUp {
    /// The head that was followed to.
    pub head: TipsetKey,
    /// Its height.
    pub height: ChainEpoch,
    /// Tipsets that were undone.
    pub reverted: usize,
    /// Tipsets that were applied.
    pub applied: usize,
    /// Messages that were found landed.
    pub landed: usize,
    /// Landings that were taken back.
    pub undone: usize,
    /// Messages that were signed.
    pub filled: usize,
    /// Signed messages that the pool lacked and took.
    pub offered: usize,
}

impl Messager {
    /// Follows the chain to the node's head, offers every signed message that is not on chain to the pool, and signs
    /// what can be signed, in the order of acceptance. Idempotent; what it does depends on the store, the node and
    /// the signer only. Failures of single messages are noted on them.
    ///
    /// # Errors
    /// [`MessagerError::Chain`] if the head could not be followed, signing and offering were tried all the same;
    /// [`MessagerError::Store`]; [`MessagerError::Closed`]. Retry.
    pub async fn catch_up(&self) -> Result<CatchUp, MessagerError> {
        self.inner.unless_closed(self.inner.catch_up().await)
    }
}

/// How far the head was followed.
struct Walk {
    cursor: Cursor,
    touched: Vec<Seq>,
    report: CatchUp,
}

/// A message of ours that the chain decided on.
struct Verdict {
    event: Event,
    used: MessageLookup,
}

impl Inner {
    pub(crate) async fn catch_up(&self) -> Result<CatchUp, MessagerError> {
        self.check_open()?;
        let tracked = self.track().await;
        // Older nonces first: the pool may have lost what the new ones follow.
        let offered = self.offer_all().await?;
        let filled = self.fill_all().await?;
        Ok(CatchUp { offered, filled, ..tracked? })
    }

    /// Where the store stands; the node's head if it is new.
    pub(crate) async fn first_cursor(&self) -> Result<Cursor, MessagerError> {
        if let Some(cursor) = self.store.cursor().await? {
            return Ok(cursor);
        }
        let head = Cursor::from(&*self.ask("head", self.deps.chain.head()).await?);
        if self.store.advance(None, &head, &[]).await? == Swap::Done {
            self.hub.set_height(head.height);
            return Ok(head);
        }
        self.store.cursor().await?.ok_or_else(|| MessagerError::Corrupt("no cursor".into()))
    }

    /// Follows the head.
    async fn track(&self) -> Result<CatchUp, MessagerError> {
        let mut left_at = self.tracking.lock().await;
        let mut report = CatchUp::default();
        for _ in 0..MAX_ROUNDS {
            let cursor = self.first_cursor().await?;
            if left_at.as_ref() != Some(&cursor) {
                // Another messager on this database moved messages that may be waited for here.
                self.hub.set_height(cursor.height);
                self.hub.all_changed();
            }
            let head = self.ask("head", self.deps.chain.head()).await?;
            (report.head, report.height) = (cursor.tipset.clone(), cursor.height);
            *left_at = Some(cursor.clone());
            if cursor.tipset == *head.key() {
                break;
            }
            let mut walk = Walk { cursor, touched: Vec::new(), report };
            let done = self.walk(&head, &mut walk).await;
            self.hub.set_height(walk.cursor.height);
            self.hub.changed(walk.touched);
            *left_at = Some(walk.cursor);
            report = walk.report;
            done?;
        }
        Ok(report)
    }

    /// One event of the feed.
    async fn walk(&self, head: &Arc<Tipset>, walk: &mut Walk) -> Result<(), MessagerError> {
        match self.next_event(&walk.cursor, head).await? {
            HeadEvent::Change(change) => self.follow(&change, walk).await,
            HeadEvent::Current(now) | HeadEvent::Gap { now, .. } => self.start_over(&now, walk).await,
            _ => Err(strange("an event of an unknown kind")),
        }
    }

    /// The way from the cursor to the head.
    async fn next_event(&self, cursor: &Cursor, head: &Arc<Tipset>) -> Result<HeadEvent, ChainError> {
        let mut stream = self.deps.heads.heads(Resume::From(cursor.tipset.clone()));
        let event = self.ask("heads", async { stream.next().await.unwrap_or(Err(ChainError::Closed)) }).await;
        match event {
            // A node that never had our tipset: another node, or one that starts over.
            Err(ChainError::TipsetNotFound(_)) => {
                Ok(HeadEvent::Gap { last_seen: cursor.tipset.clone(), now: head.clone() })
            }
            other => other,
        }
    }

    async fn follow(&self, change: &HeadChange, walk: &mut Walk) -> Result<(), MessagerError> {
        for tipset in &change.revert {
            if self.step_back(tipset, walk).await? == Swap::Stale {
                return Ok(());
            }
        }
        for tipset in &change.apply {
            if self.step_forth(tipset, walk).await? == Swap::Stale {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Undoes a tipset: what landed by it is open again.
    async fn step_back(&self, tipset: &Tipset, walk: &mut Walk) -> Result<Swap, MessagerError> {
        if *tipset.key() != walk.cursor.tipset {
            return Err(strange("a revert that is not of the tipset seen last"));
        }
        let parent = self.ask("tipset", self.deps.chain.tipset(&tipset.parents())).await?;
        let moves: Vec<Move> = self.store.used_in(tipset.key()).await?.iter().filter_map(undo).collect();
        let swap = self.step(walk, Cursor::from(&*parent), &moves).await?;
        walk.report.reverted += usize::from(swap == Swap::Done);
        Ok(swap)
    }

    /// Applies a tipset: what its parents held has receipts now.
    async fn step_forth(&self, tipset: &Tipset, walk: &mut Walk) -> Result<Swap, MessagerError> {
        if tipset.parents() != walk.cursor.tipset {
            return Err(strange("an apply that does not follow the tipset seen last"));
        }
        let moves = self.executed(tipset).await?;
        let swap = self.step(walk, Cursor::from(tipset), &moves).await?;
        walk.report.applied += usize::from(swap == Swap::Done);
        Ok(swap)
    }

    /// Moves cursor and messages. Stale if another messager on the database did so first.
    async fn step(&self, walk: &mut Walk, next: Cursor, moves: &[Move]) -> Result<Swap, MessagerError> {
        let swap = self.store.advance(Some(&walk.cursor), &next, moves).await?;
        if swap == Swap::Done {
            let landed = |state: RowState| state == RowState::Landed;
            walk.report.landed += moves.iter().filter(|m| landed(m.to) && !landed(m.from)).count();
            walk.report.undone += moves.iter().filter(|m| landed(m.from) && !landed(m.to)).count();
            walk.touched.extend(moves.iter().map(|m| m.seq));
            walk.cursor = next;
        }
        Ok(swap)
    }

    /// What the execution of `tipset`'s parents means for our messages.
    async fn executed(&self, tipset: &Tipset) -> Result<Vec<Move>, MessagerError> {
        let mut moves = Vec::new();
        for (sender, nonces) in self.executed_of_ours(tipset).await? {
            let (Some(low), Some(high)) = (nonces.keys().next(), nonces.keys().next_back()) else { continue };
            for row in self.store.with_nonces(&sender, *low, *high).await? {
                let Some((message, used)) = row.nonce.and_then(|n| nonces.get(&n)) else { continue };
                let event = judge(&row, &used.message, message);
                moves.extend(decide(&row, Verdict { event, used: used.clone() }));
            }
        }
        Ok(moves)
    }

    /// Messages that the parents of `tipset` executed, of senders that we know, by sender and nonce.
    async fn executed_of_ours(
        &self,
        tipset: &Tipset,
    ) -> Result<Vec<(Address, BTreeMap<u64, (Message, MessageLookup)>)>, MessagerError> {
        let mut senders: Vec<_> =
            self.store.senders(None).await?.into_iter().map(|sender| (sender, BTreeMap::new())).collect();
        let block = tipset.min_ticket_block().cid();
        let messages = self.ask("parent_messages", self.deps.chain.parent_messages(&block)).await?;
        let receipts = self.ask("parent_receipts", self.deps.chain.parent_receipts(&block)).await?;
        if messages.len() != receipts.len() {
            return Err(strange("as many receipts as messages were expected"));
        }
        for ((cid, message), receipt) in messages.into_iter().zip(receipts) {
            let Some((_, nonces)) = senders.iter_mut().find(|(sender, _)| *sender == message.from) else {
                continue;
            };
            let used = MessageLookup {
                message: cid,
                tipset: tipset.key().clone(),
                height: tipset.height(),
                receipt,
            };
            if was_applied(&used.receipt) {
                nonces.entry(message.sequence).or_insert((message, used));
            }
        }
        Ok(senders)
    }

    /// Begins anew from `now`: asks for every message that is not settled for good.
    async fn start_over(&self, now: &Tipset, walk: &mut Walk) -> Result<(), MessagerError> {
        tracing::warn!(from = %walk.cursor.tipset, to = %now.key(), "the way of the head is lost, looking up all");
        let floor = walk.cursor.height.min(now.height()).saturating_sub(self.config.finality);
        let (mut after, mut moves) = (0, Vec::new());
        loop {
            let page = self.store.unsettled(floor, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for row in &page {
                moves.extend(self.review(row, now.key()).await?);
            }
        }
        // Stale: the next round looks again.
        let _ = self.step(walk, Cursor::from(now), &moves).await?;
        Ok(())
    }

    /// Where a message stands on the chain of `now`.
    async fn review(&self, row: &StoredMessage, now: &TipsetKey) -> Result<Option<Move>, MessagerError> {
        if let Some(verdict) = self.locate(row, now).await? {
            return Ok(decide(row, verdict));
        }
        let actor = self.ask("actor", self.deps.state.actor(&row.sender, now)).await?;
        let used = actor.is_some_and(|actor| Some(actor.nonce) > row.nonce);
        // Used, and nothing found: a node without the history. What was known of the nonce stays true.
        Ok(if used { None } else { undo(row) })
    }

    /// A signed message whose nonce the pool calls used: finds out by what, as seen from the cursor. What the head
    /// itself holds has no receipt yet and shows when the next tipset comes.
    pub(crate) async fn look_up(&self, row: &StoredMessage, error: &str) -> Result<(), MessagerError> {
        let Some(cursor) = self.store.cursor().await? else { return self.note(row, Some(error)).await };
        let located = match self.locate(row, &cursor.tipset).await {
            Ok(located) => located,
            Err(e) => {
                tracing::warn!(msg.id = row.id, error = %e, "search for a used nonce");
                None
            }
        };
        match located.and_then(|verdict| decide(row, verdict)) {
            Some(step) => {
                // With the cursor unmoved: a reorg that comes in between makes this stale.
                let _ = self.store.advance(Some(&cursor), &cursor, &[step]).await?;
                self.hub.changed([row.seq]);
                Ok(())
            }
            None => self.note(row, Some(error)).await,
        }
    }

    /// Searches for the execution of a message's nonce in the ancestry of `from`.
    async fn locate(&self, row: &StoredMessage, from: &TipsetKey) -> Result<Option<Verdict>, ChainError> {
        for attempt in row.attempts.iter().rev() {
            let options = SearchOptions { from: from.clone(), ..SearchOptions::default() };
            let found = self.deps.state.search_message(&attempt.cid, &options);
            let used = match self.ask("search_message", found).await {
                Ok(Some(used)) if was_applied(&used.receipt) => used,
                // A node that never saw this attempt may have seen another one.
                Ok(_) | Err(ChainError::MessageNotFound(_)) => continue,
                Err(e) => return Err(e),
            };
            let event = if row.attempts.iter().any(|a| a.cid == used.message) {
                Event::Land
            } else {
                let message = self.ask("message", self.deps.chain.message(&used.message)).await?;
                judge(row, &used.message, &message)
            };
            return Ok(Some(Verdict { event, used }));
        }
        Ok(None)
    }
}

fn strange(reason: &str) -> MessagerError {
    ChainError::Decode { method: "heads".into(), reason: reason.into() }.into()
}

/// Whether the message that used a row's nonce is the one that was asked for. Under other fees it is: the call was
/// executed, whoever raised them.
fn judge(row: &StoredMessage, cid: &Cid, message: &Message) -> Event {
    let ours = row.attempts.iter().any(|a| a.cid == *cid || same_call(&a.message, message));
    if ours { Event::Land } else { Event::Take }
}

fn decide(row: &StoredMessage, verdict: Verdict) -> Option<Move> {
    let Step::Go(to) = plan(row.state, verdict.event) else { return None };
    let error = (to == RowState::Conflicted).then(|| {
        let MessageLookup { message, height, .. } = &verdict.used;
        format!("nonce {} was used by another message: {message} at {height}", row.nonce.unwrap_or_default())
    });
    Some(Move { seq: row.seq, from: row.state, to, used: Some(verdict.used), error })
}

fn undo(row: &StoredMessage) -> Option<Move> {
    match plan(row.state, Event::Revert) {
        Step::Go(to) => Some(Move { seq: row.seq, from: row.state, to, used: None, error: None }),
        Step::Stay | Step::Refuse => None,
    }
}

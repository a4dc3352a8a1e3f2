//! The store in memory: the reference for the others, and for programs that need no durability.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use fvm_shared::address::{Address, Network};
use fvm_shared::clock::ChainEpoch;
use venus_core::api::Attempt;
use venus_core::types::{SignedMessage, TipsetKey, address};

use super::{
    Cursor, Filling, Inserted, MessageStore, Move, NewMessage, Seq, StoreError, StoredMessage, Swap,
};
use crate::state::RowState;

/// A [`MessageStore`] that forgets everything when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    messages: BTreeMap<Seq, StoredMessage>,
    ids: HashMap<String, Seq>,
    // By text, so that the order is the one of the databases.
    senders: BTreeMap<String, (Address, u64)>,
    cursor: Option<Cursor>,
}

impl MemoryStore {
    // Nothing panics while the lock is held, and every method checks before it writes.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn select(&self, keep: impl Fn(&StoredMessage) -> bool, limit: usize) -> Vec<StoredMessage> {
        self.lock().messages.values().filter(|m| keep(m)).take(limit).cloned().collect()
    }

    fn select_by_nonce(&self, keep: impl Fn(&StoredMessage) -> bool, limit: usize) -> Vec<StoredMessage> {
        let mut found = self.select(keep, usize::MAX);
        found.sort_by_key(|m| m.nonce);
        found.truncate(limit);
        found
    }
}

pub(super) fn text(address: &Address) -> String {
    address::format(address, Network::Mainnet)
}

pub(super) fn attempt_of(signed: &SignedMessage) -> Attempt {
    Attempt { cid: signed.cid(), message: signed.message.clone(), signature: signed.signature.clone() }
}

#[async_trait]
impl MessageStore for MemoryStore {
    async fn insert(&self, new: &NewMessage) -> Result<Inserted, StoreError> {
        let mut inner = self.lock();
        let known = inner.ids.get(&new.id).and_then(|seq| inner.messages.get(seq));
        if let Some(known) = known {
            return Ok(Inserted::Known(Box::new(known.clone())));
        }
        let seq = inner.messages.last_key_value().map_or(1, |(last, _)| last + 1);
        inner.ids.insert(new.id.clone(), seq);
        inner.senders.entry(text(&new.sender)).or_insert((new.sender, 0));
        let NewMessage { id, sender, request } = new.clone();
        let stored = StoredMessage {
            seq,
            id,
            sender,
            request,
            state: RowState::Unfilled,
            nonce: None,
            attempts: Vec::new(),
            used: None,
            error: None,
        };
        inner.messages.insert(seq, stored);
        Ok(Inserted::Fresh(seq))
    }

    async fn get(&self, id: &str) -> Result<Option<StoredMessage>, StoreError> {
        let inner = self.lock();
        Ok(inner.ids.get(id).and_then(|seq| inner.messages.get(seq)).cloned())
    }

    async fn unfilled(
        &self,
        sender: &Address,
        after: Seq,
        fresh: bool,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let keep = |m: &StoredMessage| {
            let open = m.state == RowState::Unfilled && !(fresh && m.error.is_some());
            open && m.sender == *sender && m.seq > after
        };
        Ok(self.select(keep, limit))
    }

    async fn filled(
        &self,
        sender: &Address,
        from: u64,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let keep =
            |m: &StoredMessage| m.state == RowState::Filled && m.sender == *sender && m.nonce >= Some(from);
        Ok(self.select_by_nonce(keep, limit))
    }

    async fn with_nonces(
        &self,
        sender: &Address,
        low: u64,
        high: u64,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let keep = |m: &StoredMessage| {
            m.sender == *sender && m.nonce.is_some_and(|nonce| (low..=high).contains(&nonce))
        };
        Ok(self.select_by_nonce(keep, usize::MAX))
    }

    async fn used_in(&self, tipset: &TipsetKey) -> Result<Vec<StoredMessage>, StoreError> {
        Ok(self.select(|m| m.used.as_ref().is_some_and(|used| used.tipset == *tipset), usize::MAX))
    }

    async fn unsettled(
        &self,
        floor: ChainEpoch,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let keep = |m: &StoredMessage| {
            let open = m.state == RowState::Filled || m.used.as_ref().is_some_and(|u| u.height > floor);
            open && m.seq > after
        };
        Ok(self.select(keep, limit))
    }

    async fn senders(&self, state: Option<RowState>) -> Result<Vec<Address>, StoreError> {
        let inner = self.lock();
        let has = |sender: &Address| {
            state.is_none_or(|s| inner.messages.values().any(|m| m.state == s && m.sender == *sender))
        };
        Ok(inner.senders.values().map(|(sender, _)| *sender).filter(has).collect())
    }

    async fn next_nonce(&self, sender: &Address) -> Result<u64, StoreError> {
        Ok(self.lock().senders.get(&text(sender)).map_or(0, |(_, next)| *next))
    }

    async fn fill(&self, filling: &Filling<'_>) -> Result<Swap, StoreError> {
        let Inner { messages, senders, .. } = &mut *self.lock();
        let nonce = filling.signed.message.sequence;
        let next = senders
            .get_mut(&text(filling.sender))
            .filter(|(_, next)| *next == filling.expected_next && nonce >= *next);
        let row = messages.get_mut(&filling.seq).filter(|m| m.state == RowState::Unfilled);
        let (Some((_, next)), Some(row)) = (next, row) else { return Ok(Swap::Stale) };
        *next = nonce + 1;
        row.state = RowState::Filled;
        row.nonce = Some(nonce);
        row.error = None;
        row.attempts.push(attempt_of(filling.signed));
        Ok(Swap::Done)
    }

    async fn add_attempt(
        &self,
        seq: Seq,
        existing: usize,
        signed: &SignedMessage,
    ) -> Result<Swap, StoreError> {
        let mut inner = self.lock();
        let fits = |m: &&mut StoredMessage| m.state == RowState::Filled && m.attempts.len() == existing;
        let Some(row) = inner.messages.get_mut(&seq).filter(fits) else { return Ok(Swap::Stale) };
        row.attempts.push(attempt_of(signed));
        Ok(Swap::Done)
    }

    async fn set_state(
        &self,
        seq: Seq,
        from: RowState,
        to: RowState,
        error: Option<&str>,
    ) -> Result<Swap, StoreError> {
        let mut inner = self.lock();
        let row = inner.messages.get_mut(&seq).filter(|m| m.state == from);
        let Some(row) = row else { return Ok(Swap::Stale) };
        row.state = to;
        row.error = error.map(str::to_owned);
        Ok(Swap::Done)
    }

    async fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        Ok(self.lock().cursor.clone())
    }

    async fn advance(&self, from: Option<&Cursor>, to: &Cursor, moves: &[Move]) -> Result<Swap, StoreError> {
        let mut inner = self.lock();
        let found = |m: &Move| inner.messages.get(&m.seq).is_some_and(|row| row.state == m.from);
        if inner.cursor.as_ref() != from || !moves.iter().all(found) {
            return Ok(Swap::Stale);
        }
        for step in moves {
            if let Some(row) = inner.messages.get_mut(&step.seq) {
                row.state = step.to;
                row.used = step.used.clone();
                row.error = step.error.clone();
            }
        }
        inner.cursor = Some(to.clone());
        Ok(Swap::Done)
    }
}

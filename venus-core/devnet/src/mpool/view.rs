//! What waits as seen from a tipset that need not be the head.

use std::collections::BTreeMap;
use std::sync::Arc;

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use venus_core::api::ChainError;
use venus_core::types::Tipset;

use super::rules::is_preferred;
use super::{Pool, Queue};
use crate::chain::{Chain, Executed};
use crate::message::Verified;

/// How far a tipset may be from the head. No message comes back from behind finality.
const REACH: ChainEpoch = 900;

/// The pool as if a tipset were the head: what landed after it waits again, what landed before it does not.
pub(crate) struct Waiting<'a> {
    pool: &'a Pool,
    /// Senders of messages that landed between the tipset and the head, with all that waits of theirs.
    changed: BTreeMap<Address, Queue>,
    pub(crate) executed: Arc<Executed>,
}

impl<'a> Waiting<'a> {
    pub(crate) fn at(chain: &Chain, pool: &'a Pool, base: &Tipset) -> Result<Self, ChainError> {
        let distance = chain.head().height() - base.height();
        if distance.abs() > REACH {
            return Err(ChainError::Invalid(format!(
                "tipset of epoch {} is {distance} epochs from the head, the pool looks {REACH} far",
                base.height()
            )));
        }
        let mut changed: BTreeMap<Address, Queue> = BTreeMap::new();
        let ahead = chain.path(chain.head().key(), base.key())?.revert;
        for message in ahead.iter().flat_map(|t| chain.blocks_of(t)).flat_map(|b| b.messages.clone()) {
            let of_pool = || pool.queues.get(&message.sender).cloned().unwrap_or_default();
            let queue = changed.entry(message.sender).or_insert_with(of_pool);
            if queue.get(&message.nonce()).is_none_or(|other| is_preferred(&message, other)) {
                queue.insert(message.nonce(), message);
            }
        }
        Ok(Self { pool, changed, executed: chain.execute(base)? })
    }

    /// The senders with all that is known of theirs, in no particular order. Nonces below that of the sender at the
    /// tipset are among them.
    pub(crate) fn queues(&self) -> impl Iterator<Item = (&Address, &Queue)> {
        let unchanged = self.pool.queues.iter().filter(|(sender, _)| !self.changed.contains_key(*sender));
        unchanged.chain(&self.changed)
    }

    /// What one sender has waiting, by nonce.
    pub(crate) fn of(&self, sender: &Address) -> Vec<Arc<Verified>> {
        let queue = self.changed.get(sender).or_else(|| self.pool.queues.get(sender));
        queue.map(|queue| self.waiting(sender, queue).cloned().collect()).unwrap_or_default()
    }

    /// All that waits by sender and nonce.
    pub(crate) fn all(&self) -> Vec<Arc<Verified>> {
        let queues: BTreeMap<&Address, &Queue> = self.queues().collect();
        queues.into_iter().flat_map(|(sender, queue)| self.waiting(sender, queue)).cloned().collect()
    }

    fn waiting<'b>(&self, sender: &Address, queue: &'b Queue) -> impl Iterator<Item = &'b Arc<Verified>> {
        let next = self.executed.state.find(sender).map_or(0, |(_, actor)| actor.nonce);
        queue.range(next..).map(|(_, message)| message)
    }
}

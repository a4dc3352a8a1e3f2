//! The mempool: messages that wait for a block.

mod chains;
mod rules;
mod select;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cid::Cid;
use fvm_shared::address::Address;
use venus_core::api::PoolReject;

use crate::chain::{Chain, HeadMove};
use crate::message::Verified;

pub(crate) use rules::{Limits, check_content};
pub(crate) use select::select;

/// The messages of one sender by nonce.
pub(crate) type Queue = BTreeMap<u64, Arc<Verified>>;

/// Messages that wait, by the key address of their sender.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    queues: BTreeMap<Address, Queue>,
    by_cid: HashMap<Cid, Arc<Verified>>,
    bytes: usize,
}

impl Pool {
    /// Whether exactly this message waits.
    pub(crate) fn get(&self, cid: &Cid) -> Option<&Arc<Verified>> {
        self.by_cid.get(cid)
    }

    /// All messages by sender and nonce.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Verified>> {
        self.queues.values().flat_map(BTreeMap::values)
    }

    pub(crate) fn queues(&self) -> impl Iterator<Item = (&Address, &Queue)> {
        self.queues.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_cid.len()
    }

    /// The first nonce from `on_chain` on that no message of the sender has.
    pub(crate) fn next_nonce(&self, sender: &Address, on_chain: u64) -> u64 {
        let taken = self.queues.get(sender).into_iter().flat_map(|queue| queue.range(on_chain..));
        taken.fold(on_chain, |next, (nonce, _)| if *nonce == next { next + 1 } else { next })
    }

    /// Takes a message in, or says why not. Its content was checked before.
    ///
    /// # Errors
    /// [`PoolReject`].
    pub(crate) fn admit(
        &mut self,
        chain: &Chain,
        message: Arc<Verified>,
        limits: &Limits,
    ) -> Result<(), PoolReject> {
        rules::check_state(self, chain, &message, limits)?;
        self.put(message);
        Ok(())
    }

    /// Follows the head: what landed goes, what was reverted comes back.
    pub(crate) fn follow(&mut self, chain: &Chain, head: &HeadMove) {
        for tipset in &head.change.revert {
            for block in chain.blocks_of(tipset) {
                block.messages.iter().for_each(|message| self.restore(message));
            }
        }
        let Ok(executed) = chain.execute(&head.head) else { return };
        let landed = head.change.apply.iter().flat_map(|tipset| chain.blocks_of(tipset));
        let mut touched: Vec<Address> = landed.flat_map(|b| senders(&b.messages)).collect();
        let reverted = head.change.revert.iter().flat_map(|tipset| chain.blocks_of(tipset));
        touched.extend(reverted.flat_map(|b| senders(&b.messages)));
        for sender in touched {
            let nonce = executed.state.find(&sender).map_or(0, |(_, actor)| actor.nonce);
            self.drop_below(&sender, nonce);
        }
    }

    /// Takes a message out. Whether it was there.
    pub(crate) fn forget(&mut self, cid: &Cid) -> bool {
        let Some(message) = self.by_cid.remove(cid) else { return false };
        self.bytes = self.bytes.saturating_sub(message.size);
        if let Some(queue) = self.queues.get_mut(&message.sender) {
            queue.remove(&message.nonce());
            if queue.is_empty() {
                self.queues.remove(&message.sender);
            }
        }
        true
    }

    fn queue(&self, sender: &Address) -> Option<&Queue> {
        self.queues.get(sender)
    }

    fn put(&mut self, message: Arc<Verified>) {
        self.bytes += message.size;
        self.by_cid.insert(message.cid, message.clone());
        let queue = self.queues.entry(message.sender).or_default();
        if let Some(old) = queue.insert(message.nonce(), message.clone()) {
            self.bytes = self.bytes.saturating_sub(old.size);
            if old.cid != message.cid {
                self.by_cid.remove(&old.cid);
            }
        }
    }

    /// Puts a message back that had landed, unless a better one took its place meanwhile.
    fn restore(&mut self, message: &Arc<Verified>) {
        let taken = self.queue(&message.sender).and_then(|queue| queue.get(&message.nonce()));
        if taken.is_none_or(|other| rules::is_preferred(message, other)) {
            self.put(message.clone());
        }
    }

    fn drop_below(&mut self, sender: &Address, nonce: u64) {
        let Some(queue) = self.queues.get_mut(sender) else { return };
        let kept = queue.split_off(&nonce);
        for old in std::mem::replace(queue, kept).into_values() {
            self.bytes = self.bytes.saturating_sub(old.size);
            self.by_cid.remove(&old.cid);
        }
        if queue.is_empty() {
            self.queues.remove(sender);
        }
    }
}

fn senders(messages: &[Arc<Verified>]) -> Vec<Address> {
    messages.iter().map(|m| m.sender).collect()
}

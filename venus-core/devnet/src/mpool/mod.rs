//! The mempool: messages that wait for a block.

mod chains;
mod config;
mod content;
mod events;
mod prune;
mod rules;
mod select;
#[cfg(feature = "server")]
mod turns;
mod view;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use cid::Cid;
use fvm_shared::address::Address;
use venus_core::api::PoolReject;
use venus_core::types::{MpoolChange, MpoolConfig, Tipset};

use crate::chain::{Chain, HeadMove};
use crate::message::Verified;
use events::Events;

pub(crate) use config::check_config;
pub(crate) use content::{bad_signature, check_content, check_inclusion};
pub use events::PoolUpdates;
pub(crate) use rules::Limits;
pub(crate) use select::Candidates;
#[cfg(feature = "server")]
pub(crate) use turns::Turns;
pub(crate) use view::Waiting;

/// The messages of one sender by nonce.
type Queue = BTreeMap<u64, Arc<Verified>>;

/// Messages that wait, by the key address of their sender.
#[derive(Debug)]
pub(crate) struct Pool {
    queues: BTreeMap<Address, Queue>,
    by_cid: HashMap<Cid, Arc<Verified>>,
    bytes: usize,
    config: MpoolConfig,
    /// When messages were dropped for others the last time, since the Unix epoch.
    pruned_at: Option<Duration>,
    events: Events,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            queues: BTreeMap::new(),
            by_cid: HashMap::new(),
            bytes: 0,
            config: config::default_config(),
            pruned_at: None,
            events: Events::default(),
        }
    }
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

    pub(crate) fn len(&self) -> usize {
        self.by_cid.len()
    }

    pub(crate) fn config(&self) -> &MpoolConfig {
        &self.config
    }

    /// Replaces the configuration, which was checked. It holds from the next message on.
    pub(crate) fn set_config(&mut self, config: MpoolConfig) {
        self.config = config;
    }

    /// Everything that happens from now on.
    pub(crate) fn updates(&self) -> PoolUpdates {
        self.events.listen()
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
        now: Duration,
    ) -> Result<(), PoolReject> {
        rules::check_state(self, chain, &message, limits)?;
        let replaces = self.at(&message.sender, message.nonce()).is_some();
        let is_full = !replaces && self.is_full_for(chain, &message.sender);
        if is_full && !self.may_prune(now) {
            return Err(PoolReject::TooManyPending);
        }
        self.put(message.clone());
        if is_full {
            self.prune(chain, now);
        }
        // It may have been the worst of all.
        self.get(&message.cid).map(drop).ok_or(PoolReject::TooManyPending)
    }

    /// Follows the head: what landed goes, what was reverted and did not land again comes back.
    pub(crate) fn follow(&mut self, chain: &Chain, head: &HeadMove) {
        let Ok(executed) = chain.execute(&head.head) else { return };
        let next = |sender: &Address| executed.state.find(sender).map_or(0, |(_, actor)| actor.nonce);
        let messages = |tipsets: &[Arc<Tipset>]| {
            let blocks = tipsets.iter().flat_map(|tipset| chain.blocks_of(tipset));
            blocks.flat_map(|block| block.messages.clone()).collect::<Vec<_>>()
        };
        let (reverted, applied) = (messages(&head.change.revert), messages(&head.change.apply));
        for message in reverted.iter().filter(|m| m.nonce() >= next(&m.sender)) {
            self.restore(message);
        }
        let touched: HashSet<Address> = reverted.iter().chain(&applied).map(|m| m.sender).collect();
        for sender in touched {
            self.drop_below(&sender, next(&sender));
        }
    }

    /// Drops the message of a sender with this nonce, if there is one.
    pub(crate) fn remove(&mut self, sender: &Address, nonce: u64) -> bool {
        let Some(queue) = self.queues.get_mut(sender) else { return false };
        let removed = queue.remove(&nonce);
        if queue.is_empty() {
            self.queues.remove(sender);
        }
        removed.inspect(|old| self.forget(old)).is_some()
    }

    /// Drops a message. Whether it was there.
    pub(crate) fn remove_message(&mut self, cid: &Cid) -> bool {
        let Some(message) = self.by_cid.get(cid).cloned() else { return false };
        self.remove(&message.sender, message.nonce())
    }

    /// Drops all messages of a sender. Answers how many there were.
    pub(crate) fn remove_sender(&mut self, sender: &Address) -> usize {
        let queue = self.queues.remove(sender).unwrap_or_default();
        queue.values().for_each(|old| self.forget(old));
        queue.len()
    }

    /// Drops everything. Answers how much there was.
    pub(crate) fn clear(&mut self) -> usize {
        let senders: Vec<Address> = self.queues.keys().copied().collect();
        senders.iter().map(|sender| self.remove_sender(sender)).sum()
    }

    fn at(&self, sender: &Address, nonce: u64) -> Option<&Arc<Verified>> {
        self.queues.get(sender)?.get(&nonce)
    }

    /// Key addresses of the senders that the configuration prefers.
    fn priority(&self, chain: &Chain) -> HashSet<Address> {
        let state = chain.execute(chain.head()).ok();
        let key = |address: &Address| {
            let known = state.as_ref().and_then(|executed| executed.state.sender_key(address));
            known.unwrap_or(*address)
        };
        self.config.priority_addrs.iter().map(key).collect()
    }

    fn put(&mut self, message: Arc<Verified>) {
        let queue = self.queues.entry(message.sender).or_default();
        if let Some(old) = queue.insert(message.nonce(), message.clone()) {
            self.forget(&old);
        }
        self.bytes += message.size;
        self.events.tell(MpoolChange::Add, &message);
        self.by_cid.insert(message.cid, message);
    }

    /// Puts a message back that had landed, unless a better one took its place meanwhile.
    fn restore(&mut self, message: &Arc<Verified>) {
        let taken = self.at(&message.sender, message.nonce());
        if taken.is_none_or(|other| rules::is_preferred(message, other)) {
            self.put(message.clone());
        }
    }

    fn drop_below(&mut self, sender: &Address, nonce: u64) {
        let Some(queue) = self.queues.get_mut(sender) else { return };
        let kept = queue.split_off(&nonce);
        let dropped = std::mem::replace(queue, kept);
        if queue.is_empty() {
            self.queues.remove(sender);
        }
        dropped.values().for_each(|old| self.forget(old));
    }

    /// Keeps the books of a message that left its queue.
    fn forget(&mut self, old: &Arc<Verified>) {
        self.bytes = self.bytes.saturating_sub(old.size);
        self.by_cid.remove(&old.cid);
        self.events.tell(MpoolChange::Remove, old);
    }
}

//! Finding messages.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use cid::Cid;
use fvm_shared::address::Address;

use crate::message::Verified;

/// Bytes of messages in no block that are remembered; the oldest are forgotten first.
const TRANSIENT_BYTES: usize = 64 << 20;

#[derive(Debug)]
struct Entry {
    message: Arc<Verified>,
    in_block: bool,
}

/// All messages of blocks, and recent ones that are in none: a block names its messages by CID only, and may be
/// submitted after the pool dropped them.
#[derive(Debug, Default)]
pub(crate) struct MessageStore {
    by_cid: HashMap<Cid, Entry>,
    /// From the CID of an unsigned message to that on chain, where they differ.
    by_unsigned: HashMap<Cid, Cid>,
    /// `(message, block)` for each block that has a message with this sender and nonce.
    included: HashMap<(Address, u64), Vec<(Cid, Cid)>>,
    transient: VecDeque<Cid>,
    transient_bytes: usize,
}

impl MessageStore {
    /// A message by its CID on chain or that of the unsigned message.
    pub(crate) fn get(&self, cid: &Cid) -> Option<&Arc<Verified>> {
        let direct = self.by_cid.get(cid);
        let entry = direct.or_else(|| self.by_cid.get(self.by_unsigned.get(cid)?));
        entry.map(|entry| &entry.message)
    }

    /// A message by its CID on chain only, as blocks name it.
    pub(crate) fn get_exact(&self, cid: &Cid) -> Option<&Arc<Verified>> {
        self.by_cid.get(cid).map(|entry| &entry.message)
    }

    /// Remembers a message for a while.
    pub(crate) fn remember(&mut self, message: &Arc<Verified>) {
        if self.by_cid.contains_key(&message.cid) {
            return;
        }
        self.transient.push_back(message.cid);
        self.transient_bytes += message.size;
        self.put(message.clone(), false);
        while self.transient_bytes > TRANSIENT_BYTES {
            let Some(oldest) = self.transient.pop_front() else { break };
            self.forget(&oldest);
        }
    }

    /// Where messages with this sender and nonce are: `(message, block)`.
    pub(crate) fn inclusions(&self, sender: &Address, nonce: u64) -> &[(Cid, Cid)] {
        self.included.get(&(*sender, nonce)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn include(&mut self, message: &Arc<Verified>, block: Cid) {
        self.included.entry((message.sender, message.nonce())).or_default().push((message.cid, block));
        self.put(message.clone(), true);
    }

    fn put(&mut self, message: Arc<Verified>, in_block: bool) {
        if message.cid != message.unsigned {
            self.by_unsigned.insert(message.unsigned, message.cid);
        }
        self.by_cid.insert(message.cid, Entry { message, in_block });
    }

    fn forget(&mut self, cid: &Cid) {
        let Some(entry) = self.by_cid.get(cid) else { return };
        self.transient_bytes = self.transient_bytes.saturating_sub(entry.message.size);
        if !entry.in_block {
            let unsigned = entry.message.unsigned;
            self.by_cid.remove(cid);
            if self.by_unsigned.get(&unsigned) == Some(cid) {
                self.by_unsigned.remove(&unsigned);
            }
        }
    }
}

//! Taking blocks in.

use std::sync::Arc;

use cid::Cid;
use venus_core::api::{BlockReject, ChainError};
use venus_core::types::{BlockMsg, SignedMessage};

use crate::chain::validate::{Candidate, check_list_sizes, check_lists};
use crate::message::Verified;
use crate::node::{Core, Inner};
use crate::store::{Entry, Record};

impl Inner {
    /// Validates a block, keeps it, and moves the head if it makes a better one. The same block again is success.
    ///
    /// Verifies signatures and waits for the disk, so it does not belong on a thread that others wait for.
    pub(crate) fn submit(&self, block: &BlockMsg) -> Result<(), ChainError> {
        self.accept(block, true)
    }

    /// As [`Inner::submit`], but takes blocks that prove a fault of their miner: for reorganisations on demand.
    pub(crate) fn submit_past_filter(&self, block: &BlockMsg) -> Result<(), ChainError> {
        self.accept(block, false)
    }

    fn accept(&self, block: &BlockMsg, filter: bool) -> Result<(), ChainError> {
        if self.is_frozen() {
            return Err(ChainError::Invalid("the head is frozen by Devnet.FreezeHead".into()));
        }
        let now = self.clock.unix_seconds();
        let candidate = {
            let core = self.read();
            if core.chain.has_block(&block.cid()) {
                return Ok(());
            }
            core.examine(block, now, filter)?
        };
        candidate.verify(&*self.proofs)?;
        self.commit(candidate, filter)
    }

    /// Blocks come here in any order, one at a time. What was checked before stays true, since blocks are never
    /// removed, but another block of the same miner may have got in meanwhile.
    fn commit(&self, candidate: Candidate, filter: bool) -> Result<(), ChainError> {
        let mut store = self.store();
        {
            let core = self.read();
            if core.chain.has_block(&candidate.block.cid) {
                return Ok(());
            }
            if filter {
                core.chain.slash_filter(&candidate.block.header)?;
            }
        }
        let entry = Entry::Block(Box::new(Record::of(&candidate.block)));
        store.append(&entry).map_err(|e| ChainError::Transport(Box::new(e)))?;
        let head = self.write().insert(candidate)?;
        if let Some(head) = head {
            self.announce(head);
        }
        Ok(())
    }
}

impl Core {
    /// Checks a block as far as that goes without cryptography, in the order of Lotus's `SyncSubmitBlock`: the
    /// first parent, the slash filter, the bodies of the messages, their root, and then the rules.
    fn examine(&self, block: &BlockMsg, now: u64, filter: bool) -> Result<Candidate, ChainError> {
        let header = &block.header;
        if header.parents.first().is_some_and(|parent| !self.chain.has_block(parent)) {
            return Err(BlockReject::UnknownParents.into());
        }
        if filter {
            self.chain.slash_filter(header)?;
        }
        check_list_sizes(block)?;
        let cids = block.bls_messages.iter().chain(&block.secp_messages);
        let messages = cids.map(|cid| self.message(cid)).collect::<Result<Vec<_>, _>>()?;
        check_lists(block, &messages)?;
        self.chain.validate(header, messages, Some(now))
    }

    fn message(&self, cid: &Cid) -> Result<Arc<Verified>, BlockReject> {
        let found = self.chain.messages.get_exact(cid).or_else(|| self.pool.get(cid));
        found.cloned().ok_or(BlockReject::MissingMessage(*cid))
    }

    fn insert(&mut self, candidate: Candidate) -> Result<Option<Arc<venus_core::types::Tipset>>, ChainError> {
        let Some(head) = self.chain.insert(candidate.block)? else { return Ok(None) };
        self.pool.follow(&self.chain, &head);
        Ok(Some(head.head))
    }

    /// Takes in an entry of the log. Its signatures were checked before it was written; everything else is checked
    /// again, because it costs little and a log may have been written by other code.
    pub(crate) fn replay(&mut self, entry: Entry) -> Result<(), ChainError> {
        let Record { header, bls, secp } = match entry {
            Entry::Block(record) => *record,
            Entry::Change(epoch, change) => return self.chain.replay_change(epoch, change),
        };
        let parents = self.chain.tipset(&header.parents.clone().into())?;
        let state = self.chain.execute(&parents)?;
        let trusted = |signed: SignedMessage| {
            let from = signed.message.from;
            let sender = state.state.sender_key(&from).unwrap_or(from);
            Arc::new(Verified::trust(signed, sender))
        };
        let messages: Vec<Arc<Verified>> = bls.into_iter().chain(secp).map(trusted).collect();
        let cids = |is_bls| messages.iter().filter(|m| m.is_bls() == is_bls).map(|m| m.cid).collect();
        let block = BlockMsg { header, bls_messages: cids(true), secp_messages: cids(false) };
        check_lists(&block, &messages)?;
        let candidate = self.chain.validate(&block.header, messages, None)?;
        candidate.trusted()?;
        self.insert(candidate).map(drop)
    }
}

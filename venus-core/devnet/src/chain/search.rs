//! Where messages were executed.

use std::sync::Arc;

use cid::Cid;
use fvm_shared::message::Message;
use venus_core::api::{ChainError, NullRound, SearchOptions};
use venus_core::types::{MessageLookup, Tipset};

use super::Chain;
use crate::message::Verified;

impl Chain {
    /// The messages of a tipset as they were executed.
    pub(crate) fn executed_messages(&self, tipset: &Tipset) -> Result<Vec<(Cid, Message)>, ChainError> {
        let executed = self.execute(tipset)?;
        Ok(executed.messages.iter().map(|m| (m.cid, m.signed.message.clone())).collect())
    }

    /// Where a message, or one that replaced it, was executed on the chain of `options.from`.
    pub(crate) fn search(
        &self,
        cid: &Cid,
        options: &SearchOptions,
    ) -> Result<Option<MessageLookup>, ChainError> {
        let from = self.tipset(&options.from)?;
        let Some(wanted) = self.messages.get(cid) else { return Ok(None) };
        let lowest = options.lookback.map_or(0, |lookback| from.height().saturating_sub(lookback));
        for (message, block) in self.messages.inclusions(&wanted.sender, wanted.nonce()) {
            let Some(found) = self.messages.get_exact(message) else { continue };
            let counts = found.cid == wanted.cid || (options.allow_replaced && same_call(found, wanted));
            if !counts {
                continue;
            }
            if let Some(lookup) = self.lookup(message, block, &from)?.filter(|l| l.height >= lowest) {
                return Ok(Some(lookup));
            }
        }
        Ok(None)
    }

    /// Whether a message is part of the chain of the head.
    pub(crate) fn is_on_chain(&self, message: &Verified) -> bool {
        let included = self.messages.inclusions(&message.sender, message.nonce()).iter();
        included.filter(|(cid, _)| *cid == message.cid).any(|(_, block)| self.is_canonical_block(block))
    }

    /// The receipt of a message that `block` includes, if the block is an ancestor of `from`.
    fn lookup(
        &self,
        message: &Cid,
        block: &Cid,
        from: &Arc<Tipset>,
    ) -> Result<Option<MessageLookup>, ChainError> {
        let height = self.block(block)?.header.height;
        if height >= from.height() {
            return Ok(None);
        }
        let tipset = self.tipset_at(height, from, NullRound::Before)?;
        if !tipset.cids().contains(block) {
            return Ok(None);
        }
        let executed = self.execute(&tipset)?;
        let at = executed.messages.iter().position(|m| m.cid == *message);
        let Some(receipt) = at.and_then(|at| executed.receipts.get(at)) else { return Ok(None) };
        let child = self.tipset_at(height + 1, from, NullRound::After)?;
        Ok(Some(MessageLookup {
            message: *message,
            receipt: receipt.clone(),
            tipset: child.key().clone(),
            height: child.height(),
        }))
    }
}

/// Whether two messages do the same and differ in fees at most.
fn same_call(a: &Verified, b: &Verified) -> bool {
    let (a, b) = (&a.signed.message, &b.signed.message);
    (a.to, &a.value, a.method_num, &a.params) == (b.to, &b.value, b.method_num, &b.params)
}

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
        let found = self.executed_as(cid, options)?;
        let counts = |how: Sameness| match how {
            Sameness::Same => true,
            Sameness::OtherFees => options.allow_replaced,
            Sameness::OtherCall => false,
        };
        Ok(found.filter(|(_, how)| counts(*how)).map(|(lookup, _)| lookup))
    }

    /// What was executed under the sender and the nonce of a message on the chain of `options.from`, and how much it
    /// has in common with that message.
    ///
    /// Of so many epochs the first is that of `from` itself, as nodes count them; in that one is always looked.
    pub(crate) fn executed_as(
        &self,
        cid: &Cid,
        options: &SearchOptions,
    ) -> Result<Option<(MessageLookup, Sameness)>, ChainError> {
        let from = self.tipset(&options.from)?;
        let Some(wanted) = self.messages.get(cid) else { return Ok(None) };
        let near = |found: &MessageLookup| {
            let lookback = |epochs: i64| found.height > from.height().saturating_sub(epochs);
            found.height == from.height() || options.lookback.is_none_or(lookback)
        };
        for (message, block) in self.messages.inclusions(&wanted.sender, wanted.nonce()) {
            let Some(found) = self.messages.get_exact(message) else { continue };
            if let Some(lookup) = self.lookup(message, block, &from)?.filter(near) {
                return Ok(Some((lookup, sameness(found, wanted))));
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

/// What two messages with the same sender and nonce have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sameness {
    /// They are one.
    Same,
    /// They do the same for other fees.
    OtherFees,
    /// They do different things.
    OtherCall,
}

fn sameness(found: &Verified, wanted: &Verified) -> Sameness {
    let (a, b) = (&found.signed.message, &wanted.signed.message);
    if found.cid == wanted.cid {
        Sameness::Same
    } else if (a.to, &a.value, a.method_num, &a.params) == (b.to, &b.value, b.method_num, &b.params) {
        Sameness::OtherFees
    } else {
        Sameness::OtherCall
    }
}

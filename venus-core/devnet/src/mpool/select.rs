//! Choosing the messages of blocks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use venus_core::api::ChainError;
use venus_core::consensus::base_fee::BLOCK_GAS_LIMIT;
use venus_core::types::Tipset;

use super::chains::{MessageChain, chains_of};
use super::rules::is_preferred;
use super::{Pool, Queue};
use crate::chain::Chain;
use crate::chain::validate::{LIST_LIMIT, MESSAGE_LIMIT};
use crate::message::Verified;

/// No message needs less gas, so a block with less left is full.
const MIN_GAS: u64 = 560_663;

/// Messages for `blocks` blocks on one base, best ones first. No two lists share a sender: a block may not skip
/// nonces, so a sender's messages cannot be spread over blocks that do not know each other.
///
/// The choice depends on the base and on the messages that are known, not on when they came: what landed between the
/// base and the head counts as waiting.
pub(crate) fn select(
    chain: &Chain,
    pool: &Pool,
    base: &Tipset,
    blocks: usize,
) -> Result<Vec<Vec<Arc<Verified>>>, ChainError> {
    let executed = chain.execute(base)?;
    let (state, base_fee) = (&executed.state, &executed.next_base_fee);
    let mut chains = Vec::new();
    for (sender, queue) in waiting_at(chain, pool, base)? {
        if let Some((_, actor)) = state.find(&sender) {
            chains.extend(chains_of(&queue, actor, base_fee));
        }
    }
    chains.retain(|chain| !chain.is_loss());
    chains.sort_by(MessageChain::best_first);
    let mut lists = Vec::with_capacity(blocks);
    for _ in 0..blocks {
        let list = fill(&chains, base_fee);
        chains.retain(|chain| !chain.messages.iter().any(|m| list.senders.contains_key(&m.sender)));
        lists.push(list.messages);
    }
    Ok(lists)
}

/// What waits as seen from `base`.
fn waiting_at(chain: &Chain, pool: &Pool, base: &Tipset) -> Result<BTreeMap<Address, Queue>, ChainError> {
    let mut queues: BTreeMap<Address, Queue> =
        pool.queues().map(|(sender, queue)| (*sender, queue.clone())).collect();
    let ahead = chain.path(chain.head().key(), base.key())?.revert;
    for message in ahead.iter().flat_map(|t| chain.blocks_of(t)).flat_map(|b| b.messages.clone()) {
        let queue = queues.entry(message.sender).or_default();
        if queue.get(&message.nonce()).is_none_or(|other| is_preferred(&message, other)) {
            queue.insert(message.nonce(), message);
        }
    }
    Ok(queues)
}

#[derive(Default)]
struct List {
    messages: Vec<Arc<Verified>>,
    bls: usize,
    gas: u64,
    /// Which chain of a sender may come next; `None` once one of them was cut short.
    senders: HashMap<Address, Option<usize>>,
}

impl List {
    fn fits(&self, messages: &[Arc<Verified>]) -> bool {
        let bls = self.bls + messages.iter().filter(|m| m.is_bls()).count();
        let all = self.messages.len() + messages.len();
        all <= MESSAGE_LIMIT && bls <= LIST_LIMIT && all - bls <= LIST_LIMIT
    }

    fn take(&mut self, chain: &MessageChain, complete: bool) {
        if let Some(sender) = chain.messages.first().map(|m| m.sender) {
            self.senders.insert(sender, complete.then_some(chain.index + 1));
        }
        self.gas += chain.gas;
        self.bls += chain.messages.iter().filter(|m| m.is_bls()).count();
        self.messages.extend(chain.messages.iter().cloned());
    }

    fn is_next(&self, chain: &MessageChain) -> bool {
        let sender = chain.messages.first().map(|m| m.sender);
        let next = sender.and_then(|sender| self.senders.get(&sender));
        next.map_or(chain.index == 0, |next| *next == Some(chain.index))
    }
}

/// Fills a block: whole chains, best first, and the beginning of those that do not fit.
fn fill(chains: &[MessageChain], base_fee: &TokenAmount) -> List {
    let mut list = List::default();
    for chain in chains {
        let left = BLOCK_GAS_LIMIT - list.gas;
        if left < MIN_GAS {
            break;
        }
        if !list.is_next(chain) {
            continue;
        }
        let Some(taken) = chain.trimmed(left, |m| list.fits(m), base_fee) else { continue };
        list.take(&taken, taken.messages.len() == chain.messages.len());
    }
    list
}

//! Choosing the messages of blocks.
//!
//! Messages of a sender form chains of falling reward for gas. With a ticket so good that the block is most likely the
//! first of its tipset, the best chains are taken. With a worse one, others probably take those first and get paid
//! for them: the reward of each chain counts by the chance that its turn comes just with this block, supposing that
//! the blocks before it take the chains in order of reward (Lotus, "optimal" selection). Unlike there, nothing is
//! left to chance: room that remains is filled in the same order.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use venus_core::api::ChainError;
use venus_core::consensus::base_fee::BLOCK_GAS_LIMIT;
use venus_core::consensus::probability::{MAX_BLOCKS, block_probabilities};
use venus_core::types::Tipset;

use super::chains::{FRACTION, MessageChain, chains_of, falling};
use super::view::Waiting;
use super::{Pool, Queue};
use crate::chain::Chain;
use crate::chain::validate::{LIST_LIMIT, MESSAGE_LIMIT};
use crate::message::Verified;
use crate::state::Actor;

/// No message needs less gas, so a block with less left is full.
const MIN_GAS: u64 = 560_663;
/// From this quality on the block is more likely the first of its tipset than anything else.
const SURELY_FIRST: f64 = 0.84;
/// Blocks that one call can choose for: no round has so many.
const MOST_LISTS: usize = 100;

/// What blocks on one base can choose from. Owns what it needs, so that choosing holds up nobody.
#[derive(Debug)]
pub(crate) struct Candidates {
    base_fee: TokenAmount,
    /// Chains of senders that go before all others, best first.
    priority: Vec<MessageChain>,
    /// The chains of the others by sender, each with the place of the block that takes it if all take the best.
    others: BTreeMap<Address, Vec<(usize, MessageChain)>>,
}

impl Candidates {
    /// What waits as seen from `base`, without what its miner would lose by.
    pub(crate) fn gather(chain: &Chain, pool: &Pool, base: &Tipset) -> Result<Self, ChainError> {
        let waiting = Waiting::at(chain, pool, base)?;
        let executed = &waiting.executed;
        let senders = waiting.queues().filter_map(|(sender, queue)| {
            let (_, actor) = executed.state.find(sender)?;
            Some((*sender, queue, actor))
        });
        Ok(Self::of(senders, &pool.priority(chain), executed.next_base_fee.clone()))
    }

    fn of<'a>(
        senders: impl Iterator<Item = (Address, &'a Queue, &'a Actor)>,
        preferred: &HashSet<Address>,
        base_fee: TokenAmount,
    ) -> Self {
        let (mut priority, mut others) = (Vec::new(), Vec::new());
        for (sender, queue, actor) in senders {
            let chains = chains_of(queue, actor, &base_fee);
            let chains = chains.into_iter().take_while(|chain| !chain.is_loss());
            if preferred.contains(&sender) { priority.extend(chains) } else { others.extend(chains) }
        }
        priority.sort_by(MessageChain::best_first);
        others.sort_by(MessageChain::best_first);
        Self { base_fee, priority, others: by_sender(others) }
    }

    /// One list for each ticket quality. The block of the best ticket chooses first. No two lists share a sender: a
    /// block may not skip nonces, so a sender's messages cannot be spread over blocks that do not know each other.
    pub(crate) fn select(mut self, qualities: &[f64]) -> Result<Vec<Vec<Arc<Verified>>>, ChainError> {
        if qualities.len() > MOST_LISTS {
            return Err(ChainError::Invalid(format!(
                "{} tickets are too many, at most {MOST_LISTS} can be chosen for at once",
                qualities.len()
            )));
        }
        let mut order: Vec<(usize, f64)> = qualities.iter().copied().enumerate().collect();
        order.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let mut lists = vec![Vec::new(); qualities.len()];
        for (at, quality) in order {
            let messages = self.fill(quality).messages;
            self.without(&messages.iter().map(|m| m.sender).collect());
            if let Some(list) = lists.get_mut(at) {
                *list = messages;
            }
        }
        Ok(lists)
    }

    fn fill(&self, quality: f64) -> Block {
        let mut block = Block::default();
        block.fill(&self.priority, &self.base_fee);
        if !block.is_full() {
            block.fill(&self.by_expectation(quality), &self.base_fee);
        }
        block
    }

    fn by_expectation(&self, quality: f64) -> Vec<MessageChain> {
        let chances = chances(quality);
        let mut chains = Vec::new();
        for of_sender in self.others.values() {
            let expecting = of_sender.iter().map(|(place, chain)| {
                let chance =
                    chances.as_ref().map_or(u32::MAX, |c| c.get(*place).copied().unwrap_or_default());
                chain.clone().expecting(chance)
            });
            chains.extend(falling(expecting));
        }
        chains.sort_by(MessageChain::best_first);
        chains
    }

    fn without(&mut self, senders: &HashSet<Address>) {
        let is_left = |chain: &MessageChain| chain.messages.iter().all(|m| !senders.contains(&m.sender));
        self.priority.retain(is_left);
        self.others.retain(|sender, _| !senders.contains(sender));
    }
}

/// The chance of each place in a tipset, in 2^-32; nothing if the block is most likely the first.
fn chances(quality: f64) -> Option<[u32; MAX_BLOCKS]> {
    // No number is no ticket, so the worst.
    let quality = if quality.is_nan() { 0.0 } else { quality };
    let unit = (1u64 << FRACTION) as f64;
    // Casts from f64 saturate.
    (quality <= SURELY_FIRST).then(|| block_probabilities(quality).map(|chance| (chance * unit) as u32))
}

/// Deals chains, best first, to as many full blocks as they make, and puts those of a sender together.
fn by_sender(chains: Vec<MessageChain>) -> BTreeMap<Address, Vec<(usize, MessageChain)>> {
    let mut senders: BTreeMap<Address, Vec<(usize, MessageChain)>> = BTreeMap::new();
    let (mut place, mut gas, mut count) = (0, 0u64, 0);
    for chain in chains {
        gas = gas.saturating_add(chain.gas);
        count += chain.messages.len();
        let is_full = gas.saturating_add(MIN_GAS) > BLOCK_GAS_LIMIT || count >= MESSAGE_LIMIT;
        if let Some(sender) = chain.messages.first().map(|m| m.sender) {
            senders.entry(sender).or_default().push((place, chain));
        }
        if is_full {
            (place, gas, count) = (place + 1, 0, 0);
        }
    }
    senders
}

/// A block on its way.
#[derive(Default)]
struct Block {
    messages: Vec<Arc<Verified>>,
    bls: usize,
    gas: u64,
    /// Which chain of a sender may come next; `None` once one of them was cut short.
    senders: HashMap<Address, Option<usize>>,
}

impl Block {
    /// Takes whole chains in their order, and the beginning of those that do not fit.
    fn fill(&mut self, chains: &[MessageChain], base_fee: &TokenAmount) {
        for chain in chains {
            if self.is_full() {
                break;
            }
            let Some(sender) = chain.messages.first().map(|m| m.sender) else { continue };
            let next = self.senders.get(&sender).copied().unwrap_or(Some(0));
            if next != Some(chain.index) {
                continue;
            }
            let taken = self.trimmed(chain, base_fee);
            let complete = taken.messages.len() == chain.messages.len();
            self.senders.insert(sender, complete.then_some(chain.index + 1));
            self.gas += taken.gas;
            self.bls += count_bls(&taken.messages);
            self.messages.extend(taken.messages);
        }
    }

    fn is_full(&self) -> bool {
        self.gas + MIN_GAS > BLOCK_GAS_LIMIT || self.messages.len() >= MESSAGE_LIMIT
    }

    /// The longest beginning that fits and is no loss, maybe nothing.
    fn trimmed(&self, chain: &MessageChain, base_fee: &TokenAmount) -> MessageChain {
        let mut chain = chain.clone();
        let mut bls = self.bls + count_bls(&chain.messages);
        loop {
            let all = self.messages.len() + chain.messages.len();
            let fits = all <= MESSAGE_LIMIT && bls <= LIST_LIMIT && all - bls <= LIST_LIMIT;
            if fits && self.gas + chain.gas <= BLOCK_GAS_LIMIT && !chain.is_loss() {
                return chain;
            }
            match chain.pop(base_fee) {
                Some(last) => bls -= usize::from(last.is_bls()),
                None => return chain,
            }
        }
    }
}

fn count_bls(messages: &[Arc<Verified>]) -> usize {
    messages.iter().filter(|m| m.is_bls()).count()
}

#[cfg(test)]
mod tests;

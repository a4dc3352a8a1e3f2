//! Runs of messages of one sender that are worth about the same, so that they go into a block together.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;
use num_traits::Signed;
use venus_core::consensus::base_fee::BLOCK_GAS_LIMIT;
use venus_core::types::MessageExt;

use super::Queue;
use crate::message::Verified;
use crate::state::Actor;
use crate::vm::inclusion_gas;

/// A message that would cost its miner counts so much against it.
const NEGATIVE_FACTOR: i64 = 3;

/// Messages with consecutive nonces.
#[derive(Clone, Debug)]
pub(super) struct MessageChain {
    pub(super) messages: Vec<Arc<Verified>>,
    pub(super) gas: u64,
    reward: BigInt,
    /// Its place among the chains of its sender; a later one cannot go without the earlier ones.
    pub(super) index: usize,
}

impl MessageChain {
    /// Orders by reward for gas, best first, then by reward, then by sender and nonce, so that the order
    /// never depends on how messages came in.
    pub(super) fn best_first(&self, other: &Self) -> Ordering {
        let identity = |chain: &Self| chain.messages.first().map(|m| (m.sender, m.nonce()));
        let by_performance = compare_performance(other, self);
        let by_reward = other.reward.cmp(&self.reward);
        by_performance.then(by_reward).then_with(|| identity(self).cmp(&identity(other)))
    }

    /// Whether a miner would lose by it.
    pub(super) fn is_loss(&self) -> bool {
        self.reward.is_negative()
    }

    /// The longest beginning that fits and is no loss; `None` if not even the first message does.
    pub(super) fn trimmed(
        &self,
        gas_left: u64,
        fits: impl Fn(&[Arc<Verified>]) -> bool,
        base_fee: &TokenAmount,
    ) -> Option<Self> {
        let mut chain = self.clone();
        while chain.gas > gas_left || chain.is_loss() || !fits(&chain.messages) {
            let last = chain.messages.pop()?;
            chain.gas -= last.signed.message.gas_limit;
            chain.reward -= reward(&last, base_fee);
        }
        (!chain.messages.is_empty()).then_some(chain)
    }

    fn of(message: Arc<Verified>, base_fee: &TokenAmount) -> Self {
        let (gas, reward) = (message.signed.message.gas_limit, reward(&message, base_fee));
        Self { messages: vec![message], gas, reward, index: 0 }
    }

    fn append(&mut self, other: Self) {
        self.messages.extend(other.messages);
        self.gas = self.gas.saturating_add(other.gas);
        self.reward += other.reward;
    }
}

/// Splits what a sender could send into chains of falling reward for gas.
///
/// The sequence ends at the first gap, at a message that no block takes, where the balance ends, and where one
/// block would be full.
pub(super) fn chains_of(queue: &Queue, actor: &Actor, base_fee: &TokenAmount) -> Vec<MessageChain> {
    let mut chains: VecDeque<MessageChain> = VecDeque::new();
    for message in sendable(queue, actor) {
        let mut next = MessageChain::of(message, base_fee);
        // A chain that pays better than the one it has to follow lifts it: they go together.
        while let Some(last) = chains.pop_back() {
            if compare_performance(&next, &last).is_lt() {
                chains.push_back(last);
                break;
            }
            let tail = std::mem::replace(&mut next, last);
            next.append(tail);
        }
        chains.push_back(next);
    }
    let numbered = chains.into_iter().enumerate();
    numbered.map(|(index, chain)| MessageChain { index, ..chain }).collect()
}

fn sendable(queue: &Queue, actor: &Actor) -> Vec<Arc<Verified>> {
    let (mut nonce, mut balance, mut gas) = (actor.nonce, actor.balance.clone(), 0u64);
    let mut messages = Vec::new();
    for message in queue.range(actor.nonce..).map(|(_, message)| message) {
        let content = &message.signed.message;
        gas = gas.saturating_add(content.gas_limit);
        balance -= content.required_funds();
        let fits = content.sequence == nonce
            && content.gas_limit >= inclusion_gas(message.chain_len)
            && gas <= BLOCK_GAS_LIMIT
            && !balance.is_negative();
        if !fits {
            break;
        }
        nonce += 1;
        messages.push(message.clone());
    }
    messages
}

/// What a miner earns by a message, attoFIL; below the base fee it pays, and that counts threefold.
fn reward(message: &Verified, base_fee: &TokenAmount) -> BigInt {
    let content = &message.signed.message;
    let premium = (&content.gas_fee_cap - base_fee).min(content.gas_premium.clone());
    let reward = premium.atto() * BigInt::from(content.gas_limit);
    if reward.is_negative() { reward * NEGATIVE_FACTOR } else { reward }
}

/// Compares reward per gas, exactly.
fn compare_performance(a: &MessageChain, b: &MessageChain) -> Ordering {
    (&a.reward * BigInt::from(b.gas)).cmp(&(&b.reward * BigInt::from(a.gas)))
}

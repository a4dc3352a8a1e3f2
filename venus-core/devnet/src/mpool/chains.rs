//! Runs of messages of one sender that are worth about the same, so that they go into a block together.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use fvm_shared::econ::TokenAmount;
use num_traits::{Signed, ToPrimitive};
use venus_core::consensus::base_fee::BLOCK_GAS_LIMIT;
use venus_core::types::MessageExt;

use super::Queue;
use crate::message::Verified;
use crate::state::Actor;
use crate::vm::inclusion_gas;

/// A message that would cost its miner counts so much against it.
const NEGATIVE_FACTOR: i128 = 3;
/// No sender owns more than 2^91 attoFIL, so no reward is higher; what a miner would pay may be.
const MOST: i128 = 1 << 92;
/// Rewards for gas have so many fractional bits.
pub(super) const FRACTION: u32 = 32;

/// Messages with consecutive nonces.
#[derive(Clone, Debug)]
pub(super) struct MessageChain {
    pub(super) messages: Vec<Arc<Verified>>,
    pub(super) gas: u64,
    /// What the miner earns, attoFIL.
    reward: i128,
    /// What it may expect to earn, in 2^-32 attoFIL: the reward by the chance to be the one who gets it.
    expected: i128,
    /// Expected and full reward for gas, by which chains are compared.
    worth: (i128, i128),
    /// Its place among the chains of its sender; a later one cannot go without the earlier ones.
    pub(super) index: usize,
}

impl MessageChain {
    /// Orders by worth, best first, then by reward, then by sender and nonce, so that the order never depends on how
    /// messages came in.
    pub(super) fn best_first(&self, other: &Self) -> Ordering {
        let identity = |chain: &Self| chain.messages.first().map(|m| (m.sender, m.nonce()));
        let key = |chain: &Self| Reverse((chain.worth, chain.reward));
        key(self).cmp(&key(other)).then_with(|| identity(self).cmp(&identity(other)))
    }

    /// Whether a miner would lose by it.
    pub(super) fn is_loss(&self) -> bool {
        self.reward < 0
    }

    /// The same with a chance, in 2^-32, that its miner is the one who gets the reward.
    pub(super) fn expecting(mut self, chance: u32) -> Self {
        self.expected = self.reward.clamp(-MOST, MOST).saturating_mul(chance.into());
        self.weigh();
        self
    }

    /// Takes the last message away.
    pub(super) fn pop(&mut self, base_fee: &TokenAmount) -> Option<Arc<Verified>> {
        let last = self.messages.pop()?;
        self.gas = self.gas.saturating_sub(last.signed.message.gas_limit);
        self.reward = self.reward.saturating_sub(reward(&last, base_fee));
        Some(last)
    }

    fn of(message: Arc<Verified>, base_fee: &TokenAmount) -> Self {
        let (gas, reward) = (message.signed.message.gas_limit, reward(&message, base_fee));
        let mut chain = Self { messages: vec![message], gas, reward, expected: 0, worth: (0, 0), index: 0 };
        chain.weigh();
        chain
    }

    fn append(&mut self, other: Self) {
        self.messages.extend(other.messages);
        self.gas = self.gas.saturating_add(other.gas);
        self.reward = self.reward.saturating_add(other.reward);
        self.expected = self.expected.saturating_add(other.expected);
        self.weigh();
    }

    fn weigh(&mut self) {
        let gas = i128::from(self.gas.max(1));
        let reward = self.reward.clamp(-MOST, MOST) << FRACTION;
        self.worth = (self.expected / gas, reward / gas);
    }
}

/// Splits what a sender could send into chains of falling reward for gas.
///
/// The sequence ends at the first gap, at a message that no block takes, where the balance ends, and where one
/// block would be full.
pub(super) fn chains_of(queue: &Queue, actor: &Actor, base_fee: &TokenAmount) -> Vec<MessageChain> {
    falling(sendable(queue, actor).into_iter().map(|message| MessageChain::of(message, base_fee)))
}

/// Joins neighbours until each is worth less than the one before: one that is worth more than what it has to follow
/// lifts that, so they go together.
pub(super) fn falling(chains: impl IntoIterator<Item = MessageChain>) -> Vec<MessageChain> {
    let mut joined: Vec<MessageChain> = Vec::new();
    for mut next in chains {
        while let Some(mut last) = joined.pop() {
            if next.worth < last.worth {
                joined.push(last);
                break;
            }
            last.append(next);
            next = last;
        }
        joined.push(next);
    }
    for (index, chain) in joined.iter_mut().enumerate() {
        chain.index = index;
    }
    joined
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
fn reward(message: &Verified, base_fee: &TokenAmount) -> i128 {
    let content = &message.signed.message;
    let premium = (&content.gas_fee_cap - base_fee).min(content.gas_premium.clone());
    let reward = premium.atto() * content.gas_limit;
    let most = if reward.is_negative() { -MOST } else { MOST };
    let reward = reward.to_i128().unwrap_or(most).clamp(-MOST, MOST);
    if reward < 0 { reward * NEGATIVE_FACTOR } else { reward }
}

//! Who gets into the mempool.

use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;
use venus_core::api::PoolReject;
use venus_core::types::MessageExt;

use super::Pool;
use super::config::replace_percent;
use crate::chain::Chain;
use crate::message::Verified;
use crate::vm::may_send;

/// A stranger's fee cap below this part of the base fee has no prospect.
const BASE_FEE_LOWER_BOUND: i64 = 100;
/// Bytes of all messages that wait.
const MAX_BYTES: usize = 256 << 20;

/// How much a pusher may ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How far a nonce may be ahead of the next one.
    pub(crate) nonce_gap: u64,
    /// How many messages one sender may have waiting.
    pub(crate) per_sender: usize,
    /// Whether a fee cap far below the base fee may wait for it to fall.
    pub(crate) patient: bool,
}

impl Limits {
    /// For whoever shares the process.
    pub(crate) const TRUSTED: Self = Self { nonce_gap: 4, per_sender: 1000, patient: true };
    /// For everybody else.
    pub(crate) const UNTRUSTED: Self = Self { nonce_gap: 0, per_sender: 100, patient: false };
}

/// Checks a message against the state after the head and against the others that wait.
pub(super) fn check_state(
    pool: &Pool,
    chain: &Chain,
    message: &Verified,
    limits: &Limits,
) -> Result<(), PoolReject> {
    let executed = chain.execute(chain.head()).map_err(|e| PoolReject::Invalid(e.to_string()))?;
    // An address without an actor has no funds; once it gets some, the same bytes may pass.
    let (_, actor) = executed.state.find(&message.sender).ok_or(PoolReject::InsufficientFunds)?;
    if !may_send(actor) {
        return Err(PoolReject::Signature(format!("{} is no account", message.sender)));
    }
    let bound = executed.next_base_fee.div_floor(BASE_FEE_LOWER_BOUND);
    if !limits.patient && message.signed.message.gas_fee_cap < bound {
        return Err(PoolReject::FeeCapTooLow);
    }
    check_nonce(pool, message, actor.nonce, limits)?;
    check_replacement(pool, message)?;
    check_room(pool, message, limits)?;
    check_funds(pool, message, &actor.balance)
}

/// Which of two messages with one sender and nonce to keep: the higher premium, then the smaller CID.
pub(super) fn is_preferred(a: &Verified, b: &Verified) -> bool {
    let premium = |m: &Verified| m.signed.message.gas_premium.clone();
    premium(a).cmp(&premium(b)).then_with(|| b.cid.to_bytes().cmp(&a.cid.to_bytes())).is_gt()
}

fn check_nonce(pool: &Pool, message: &Verified, on_chain: u64, limits: &Limits) -> Result<(), PoolReject> {
    if message.nonce() < on_chain {
        return Err(PoolReject::NonceTooLow { expected: on_chain });
    }
    let next = pool.next_nonce(&message.sender, on_chain);
    if message.nonce() > next.saturating_add(limits.nonce_gap) {
        return Err(PoolReject::NonceGap);
    }
    Ok(())
}

fn check_replacement(pool: &Pool, message: &Verified) -> Result<(), PoolReject> {
    let Some(old) = pool.at(&message.sender, message.nonce()) else { return Ok(()) };
    let old_premium = old.signed.message.gas_premium.atto();
    let by_factor: BigInt = (old_premium * replace_percent(&pool.config) + 99) / 100;
    // Small premiums, zero among them, rise by one at least, or two messages could replace each other for ever.
    let least = by_factor.max(old_premium + BigInt::from(1));
    if *message.signed.message.gas_premium.atto() < least {
        return Err(PoolReject::ReplacePremiumTooLow { min_premium: least.to_string() });
    }
    Ok(())
}

fn check_room(pool: &Pool, message: &Verified, limits: &Limits) -> Result<(), PoolReject> {
    let waiting = pool.queues.get(&message.sender).map_or(0, |queue| queue.len());
    let replaced = pool.at(&message.sender, message.nonce());
    let bytes = pool.bytes.saturating_add(message.size) - replaced.map_or(0, |old| old.size);
    if (replaced.is_none() && waiting >= limits.per_sender) || bytes > MAX_BYTES {
        return Err(PoolReject::TooManyPending);
    }
    Ok(())
}

/// The sender must own what this and its other waiting messages could cost together.
fn check_funds(pool: &Pool, message: &Verified, balance: &TokenAmount) -> Result<(), PoolReject> {
    let others = pool.queues.get(&message.sender).into_iter().flatten();
    let others = others.filter(|(nonce, _)| **nonce != message.nonce()).map(|(_, m)| m);
    let reserved: TokenAmount = others.map(|m| m.signed.message.required_funds()).sum();
    if *balance < reserved + message.signed.message.required_funds() {
        return Err(PoolReject::InsufficientFunds);
    }
    Ok(())
}

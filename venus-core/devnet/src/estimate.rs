//! Estimating gas.
//!
//! An estimate depends on the head and the message only: not on what waits in the pool, nor on time, nor on chance,
//! so the same message gets the same gas wherever the chain is the same.

use fvm_shared::address::Payload;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use num_bigint::BigInt;
use venus_core::api::{ChainError, GasSpec};
use venus_core::cbor::Encode;
use venus_core::consensus::base_fee::{BLOCK_GAS_LIMIT, BLOCK_GAS_TARGET};

use crate::chain::Chain;
use crate::vm::{Applied, dry_run};

/// The least premium that is proposed, attoFIL.
const MIN_PREMIUM: i64 = 100_000;
/// How many tipsets the premium is learned from.
const PREMIUM_TIPSETS: usize = 20;
/// What the base fee can grow to within 20 epochs: 1.125^20, in parts of 256.
const GROWTH_NUM: i64 = 2_699;
const GROWTH_DENOM: i64 = 256;
/// Bytes that a signature adds to a message of a sender whose signatures stay in the block.
const SIGNATURE_BYTES: usize = 69;

/// Fills those of gas limit, fee cap and premium that are zero.
pub(crate) fn estimate(chain: &Chain, message: &Message, spec: &GasSpec) -> Result<Message, ChainError> {
    check_spec(spec)?;
    let mut filled = message.clone();
    if filled.gas_premium.is_zero() {
        filled.gas_premium = scale(&premium(chain)?, spec.over_premium);
        // A fee cap that the caller chose bounds what we may propose.
        if !filled.gas_fee_cap.is_zero() {
            filled.gas_premium = filled.gas_premium.min(filled.gas_fee_cap.clone());
        }
    }
    if filled.gas_fee_cap.is_zero() {
        let base_fee = &chain.head().min_ticket_block().parent_base_fee;
        filled.gas_fee_cap = (base_fee * GROWTH_NUM).div_floor(GROWTH_DENOM) + &filled.gas_premium;
    }
    if filled.gas_limit == 0 {
        let used = gas_used(chain, &filled)?;
        filled.gas_limit = scale_gas(used, spec.over_estimation);
    }
    cap_fee(&mut filled, &spec.max_fee);
    Ok(filled)
}

fn check_spec(spec: &GasSpec) -> Result<(), ChainError> {
    let factors = [("over_estimation", spec.over_estimation), ("over_premium", spec.over_premium)];
    match factors.into_iter().find(|(_, factor)| !(1.0..=1000.0).contains(factor)) {
        Some((name, factor)) => Err(ChainError::Invalid(format!("{name} is {factor}, expected 1 to 1000"))),
        None if spec.max_fee.is_negative() => Err(ChainError::Invalid("max_fee is negative".into())),
        None => Ok(()),
    }
}

/// Runs the message on the state after the head.
fn gas_used(chain: &Chain, message: &Message) -> Result<u64, ChainError> {
    let executed = chain.execute(chain.head())?;
    let sender = executed.state.resolve(&message.from).ok_or(ChainError::ActorNotFound(message.from))?;
    let Applied { receipt, reason, .. } = dry_run(&executed.state, sender, message, chain_len(message));
    if receipt.exit_code.is_success() {
        return Ok(u64::try_from(receipt.gas_used).unwrap_or_default());
    }
    Err(ChainError::ExecutionFailed { exit_code: receipt.exit_code.value(), reason: reason.into() })
}

/// The bytes that the message can have at most in a block, whatever nonce and gas limit it gets.
fn chain_len(message: &Message) -> usize {
    let longest = Message { sequence: u64::MAX, gas_limit: BLOCK_GAS_LIMIT, ..message.clone() };
    let signature = match message.from.payload() {
        Payload::BLS(_) => 0,
        _ => SIGNATURE_BYTES,
    };
    longest.to_cbor().len() + signature
}

/// What recent messages paid, so that a message with this premium goes ahead of about half of the gas of a full
/// block (Lotus, `medianGasPremium`, without its noise).
fn premium(chain: &Chain) -> Result<TokenAmount, ChainError> {
    let (mut paid, mut blocks) = (Vec::new(), 0);
    let mut tipset = Some(chain.head().clone());
    for _ in 0..PREMIUM_TIPSETS {
        let Some(at) = tipset.filter(|t| t.height() > 0) else { break };
        blocks += at.blocks().len();
        let messages = chain.execute(&at)?;
        let messages = messages.messages.iter().map(|m| &m.signed.message);
        paid.extend(messages.map(|m| (m.gas_premium.clone(), m.gas_limit)));
        tipset = chain.parents(&at)?;
    }
    Ok(median(paid, blocks as i64).max(TokenAmount::from_atto(MIN_PREMIUM)))
}

fn median(mut paid: Vec<(TokenAmount, u64)>, blocks: i64) -> TokenAmount {
    paid.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
    let mut left = i128::from(BLOCK_GAS_TARGET) * i128::from(blocks);
    left = left / 2 + left / 40;
    let (mut last, mut before) = (TokenAmount::default(), TokenAmount::default());
    for (premium, gas) in paid {
        before = std::mem::replace(&mut last, premium);
        left -= i128::from(gas);
        if left < 0 {
            break;
        }
    }
    if before.is_zero() { last } else { (last + before).div_floor(2) }
}

/// Lowers the fee cap until the message cannot cost more than `max_fee`.
fn cap_fee(message: &mut Message, max_fee: &TokenAmount) {
    if max_fee.is_zero() || message.gas_limit == 0 {
        return;
    }
    let most = max_fee.div_floor(message.gas_limit);
    if message.gas_fee_cap > most {
        message.gas_premium = message.gas_premium.clone().min(most.clone());
        message.gas_fee_cap = most;
    }
}

fn scale(amount: &TokenAmount, factor: f64) -> TokenAmount {
    // Thousandths are fine enough for a factor, and exact for an amount of any size.
    let thousandths = (factor * 1000.0).round() as i64;
    TokenAmount::from_atto((amount.atto() * BigInt::from(thousandths)) / BigInt::from(1000))
}

fn scale_gas(gas: u64, factor: f64) -> u64 {
    let scaled = (gas as f64 * factor).ceil();
    // Casts from f64 saturate.
    (scaled as u64).clamp(gas, BLOCK_GAS_LIMIT.max(gas))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atto(n: i64) -> TokenAmount {
        TokenAmount::from_atto(n)
    }

    #[test]
    fn median_of_what_was_paid() {
        assert_eq!(median(vec![], 1), atto(0));
        let half = (BLOCK_GAS_TARGET / 2) as u64;
        assert_eq!(median(vec![(atto(7), 1)], 1), atto(7));
        assert_eq!(median(vec![(atto(200), half), (atto(100), half), (atto(1), half)], 1), atto(150));
    }

    #[test]
    fn factors() {
        assert_eq!(scale(&atto(100_000), 1.5), atto(150_000));
        assert_eq!(scale_gas(1000, 1.25), 1250);
        assert_eq!(scale_gas(BLOCK_GAS_LIMIT, 1000.0), BLOCK_GAS_LIMIT);
        let spec = |over_estimation| GasSpec { over_estimation, ..GasSpec::default() };
        assert!(check_spec(&spec(0.5)).is_err() && check_spec(&spec(f64::NAN)).is_err());
    }
}

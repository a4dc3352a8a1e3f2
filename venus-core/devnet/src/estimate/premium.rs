//! What others paid lately.

use std::collections::HashSet;
use std::sync::Arc;

use fvm_shared::econ::TokenAmount;
use venus_core::api::ChainError;
use venus_core::consensus::base_fee::BLOCK_GAS_TARGET;
use venus_core::types::Tipset;

use crate::chain::{Chain, StoredBlock};

/// The least premium that is proposed, attoFIL.
const MIN_PREMIUM: i64 = 100_000;
/// Tipsets that are looked at, at most.
const MOST_TIPSETS: u64 = 900;

/// The blocks of the tipsets before one, twice as many as a message may wait for.
pub(crate) fn recent_blocks(
    chain: &Chain,
    at: &Tipset,
    within: u64,
) -> Result<Vec<Arc<StoredBlock>>, ChainError> {
    let mut blocks = Vec::new();
    let mut before = chain.parents(at)?;
    for _ in 0..within.max(1).saturating_mul(2).min(MOST_TIPSETS) {
        let Some(tipset) = before else { break };
        blocks.extend(chain.blocks_of(&tipset));
        before = chain.parents(&tipset)?;
    }
    Ok(blocks)
}

/// A premium with which a message goes ahead of about half of what full blocks would hold (Lotus,
/// `GasEstimateGasPremium`). Who is in a hurry pays more where nobody else pays.
pub(crate) fn premium(blocks: &[Arc<StoredBlock>], within: u64) -> TokenAmount {
    let mut seen = HashSet::new();
    let messages = blocks.iter().flat_map(|block| &block.messages);
    let messages = messages.filter(|m| seen.insert((m.sender, m.nonce()))).map(|m| &m.signed.message);
    let paid = messages.map(|m| (m.gas_premium.clone(), m.gas_limit)).collect();
    let (median, least) = (median(paid, blocks.len()), TokenAmount::from_atto(MIN_PREMIUM));
    if median >= least {
        return median;
    }
    match within {
        0 | 1 => least * 2u64,
        2 => TokenAmount::from_atto(MIN_PREMIUM * 3 / 2),
        _ => least,
    }
}

fn median(mut paid: Vec<(TokenAmount, u64)>, blocks: usize) -> TokenAmount {
    paid.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
    let all = i128::from(BLOCK_GAS_TARGET) * blocks as i128;
    let mut left = all / 2 + all / 40;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_what_was_paid() {
        let atto = |n: i64| TokenAmount::from_atto(n);
        assert_eq!(median(vec![], 1), atto(0));
        let half = (BLOCK_GAS_TARGET / 2) as u64;
        assert_eq!(median(vec![(atto(7), 1)], 1), atto(7));
        assert_eq!(median(vec![(atto(200), half), (atto(100), half), (atto(1), half)], 1), atto(150));
    }

    #[test]
    fn who_is_in_a_hurry_pays_more() {
        let premiums = [0, 1, 2, 3, 10, u64::MAX].map(|within| premium(&[], within).atto().to_string());
        assert_eq!(premiums, ["200000", "200000", "150000", "100000", "100000", "100000"]);
    }
}

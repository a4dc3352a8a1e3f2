//! The base fee of the next tipset, by either rule of the network.
//!
//! Up to the FireHorse upgrade (network version 28) the fee follows how full the blocks are. From then on it
//! follows what senders pay beyond it (FIP-0115). In both, the epoch that counts is the tipset's own, and the
//! result is what its children name as `ParentBaseFee`.

use std::collections::HashSet;

use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use num_bigint::BigInt;
use num_integer::Integer;

/// Gas that one block can hold.
pub const BLOCK_GAS_LIMIT: u64 = 10_000_000_000;
/// Gas of a block at which the old rule leaves the fee alone.
pub const BLOCK_GAS_TARGET: i64 = 5_000_000_000;
/// The fee never falls below this, attoFIL.
pub const MINIMUM_BASE_FEE: i64 = 100;
/// The fee changes by at most one part in this many.
const MAX_CHANGE_DENOM: i64 = 8;
/// Unit of gas, counted from the highest premium, whose premium the new rule looks at: 80% of a block.
const PREMIUM_GAS_INDEX: u128 = 7_999_999_999;

/// The next base fee by utilisation: after Smoke, before FireHorse.
///
/// `gas_limits` are those of the tipset's messages, each distinct message once; `blocks` counts its blocks and
/// is taken as 1 if it is 0.
pub fn next_base_fee_utilization(
    base: &TokenAmount,
    gas_limits: impl IntoIterator<Item = u64>,
    blocks: usize,
) -> TokenAmount {
    next_by_gas(base, total(gas_limits) / blocks.max(1) as u128)
}

/// The next base fee by utilisation up to the Smoke upgrade, which assumed blocks packed to 80%.
///
/// During the 120 epochs after Breeze the fee was [`MINIMUM_BASE_FEE`] whatever the blocks held.
pub fn next_base_fee_before_smoke(
    base: &TokenAmount,
    gas_limits: impl IntoIterator<Item = u64>,
    blocks: usize,
) -> TokenAmount {
    next_by_gas(base, 5 * total(gas_limits) / (4 * blocks.max(1) as u128))
}

/// The next base fee by premium: FIP-0115, from FireHorse on.
///
/// `messages` are those of all blocks in tipset order, in each block BLS before secp256k1 and delegated. Of
/// several with the same sender and nonce the first counts.
pub fn next_base_fee_premium<'a>(
    base: &TokenAmount,
    messages: impl IntoIterator<Item = &'a Message>,
) -> TokenAmount {
    let mut seen = HashSet::new();
    let unique = messages.into_iter().filter(|m| seen.insert((m.from, m.sequence)));
    let premiums = unique.map(|m| (effective_premium(m, base), m.gas_limit)).collect();
    next_from_premium(base, &premium_at_target(premiums))
}

/// What a message pays per unit of gas beyond the base fee, attoFIL; never negative.
pub fn effective_premium(message: &Message, base: &TokenAmount) -> TokenAmount {
    let room = &message.gas_fee_cap - base;
    room.min(message.gas_premium.clone()).max(TokenAmount::from_atto(0))
}

fn total(gas_limits: impl IntoIterator<Item = u64>) -> u128 {
    gas_limits.into_iter().map(u128::from).sum()
}

fn next_by_gas(base: &TokenAmount, gas_per_block: u128) -> TokenAmount {
    let gas = i64::try_from(gas_per_block).unwrap_or(i64::MAX);
    let delta = gas.saturating_sub(BLOCK_GAS_TARGET).clamp(-BLOCK_GAS_TARGET, BLOCK_GAS_TARGET);
    // Two divisions, each rounding down, as the network does it.
    let change = (base.atto() * delta).div_floor(&BigInt::from(BLOCK_GAS_TARGET));
    at_least_minimum(base.atto() + change.div_floor(&BigInt::from(MAX_CHANGE_DENOM)))
}

/// The premium of the unit of gas at [`PREMIUM_GAS_INDEX`], or zero if there is less gas.
fn premium_at_target(mut premiums: Vec<(TokenAmount, u64)>) -> TokenAmount {
    premiums.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
    let mut gas = 0u128;
    let mut reached = premiums.into_iter().skip_while(|(_, limit)| {
        gas += u128::from(*limit);
        gas <= PREMIUM_GAS_INDEX
    });
    reached.next().map_or(TokenAmount::from_atto(0), |(premium, _)| premium)
}

fn next_from_premium(base: &TokenAmount, premium: &TokenAmount) -> TokenAmount {
    let max_change = base.atto().div_ceil(&BigInt::from(MAX_CHANGE_DENOM));
    let change = (premium.atto() - &max_change).min(max_change);
    at_least_minimum(base.atto() + change)
}

fn at_least_minimum(fee: BigInt) -> TokenAmount {
    TokenAmount::from_atto(fee.max(BigInt::from(MINIMUM_BASE_FEE)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fvm_ipld_encoding::RawBytes;
    use fvm_shared::address::Address;
    use proptest::prelude::*;

    fn atto(amount: i64) -> TokenAmount {
        TokenAmount::from_atto(amount)
    }

    fn message(from: u64, nonce: u64, premium: i64, gas_limit: u64) -> Message {
        Message {
            version: 0,
            from: Address::new_id(from),
            to: Address::new_id(1),
            sequence: nonce,
            value: atto(0),
            method_num: 0,
            params: RawBytes::default(),
            gas_limit,
            gas_fee_cap: atto(1_000_000),
            gas_premium: atto(premium),
        }
    }

    #[test]
    fn utilisation_before_and_after_smoke() {
        let target = BLOCK_GAS_TARGET as u64;
        let cases = [
            (vec![], 1, 87_500_000, 87_500_000),
            (vec![], 5, 87_500_000, 87_500_000),
            (vec![target], 1, 103_125_000, 100_000_000),
            (vec![target, target], 2, 103_125_000, 100_000_000),
            (vec![BLOCK_GAS_LIMIT; 2], 2, 112_500_000, 112_500_000),
            (vec![BLOCK_GAS_LIMIT, target], 2, 110_937_500, 106_250_000),
        ];
        for (limits, blocks, before, after) in cases {
            let base = atto(100_000_000);
            assert_eq!(next_base_fee_before_smoke(&base, limits.clone(), blocks), atto(before));
            assert_eq!(next_base_fee_utilization(&base, limits, blocks), atto(after));
        }
        assert_eq!(next_base_fee_utilization(&atto(100), [], 1), atto(100));
        assert_eq!(next_base_fee_utilization(&atto(800), [u64::MAX; 3], 0), atto(900));
    }

    #[test]
    fn effective_premiums_of_fip_0115() {
        let rows = [
            (8, 8, 8, 0),
            (8, 16, 7, 7),
            (8, 19, 10, 10),
            (123_456, 123_455, 123_455, 0),
            (123_456, 1_234_567, 1_111_112, 1_111_111),
        ];
        for (base, fee_cap, premium, expected) in rows {
            let m = Message { gas_fee_cap: atto(fee_cap), ..message(1, 0, premium, 1) };
            assert_eq!(effective_premium(&m, &atto(base)), atto(expected));
        }
    }

    #[test]
    fn percentiles_of_fip_0115() {
        let rows = [
            ([(123, 5_999_999_999), (100, 2_000_000_000)], 0),
            ([(123, 5_999_999_999), (0, 2_000_000_001)], 0),
            ([(123, 5_999_999_999), (100, 2_000_000_001)], 100),
            ([(100, 2_000_000_001), (123, 7_999_999_999)], 100),
            ([(123, 8_000_000_000), (100, 2_000_000_000)], 123),
            ([(100, 9_000_000_000), (123, 8_000_000_000)], 123),
        ];
        for (pairs, expected) in rows {
            let premiums = pairs.iter().map(|(premium, gas)| (atto(*premium), *gas)).collect();
            assert_eq!(premium_at_target(premiums), atto(expected), "{pairs:?}");
        }
        assert_eq!(premium_at_target(vec![]), atto(0));
    }

    #[test]
    fn next_fees_of_fip_0115() {
        let rows = [
            (100, 0, 100),
            (100, 13, 100),
            (100, 14, 101),
            (100, 26, 113),
            (801, 0, 700),
            (801, 20, 720),
            (801, 100, 800),
            (801, 200, 900),
            (801, 201, 901),
            (808, 0, 707),
            (808, 201, 908),
            (808, 202, 909),
            (808, 203, 909),
        ];
        for (base, premium, expected) in rows {
            assert_eq!(next_from_premium(&atto(base), &atto(premium)), atto(expected), "{base} {premium}");
        }
    }

    #[test]
    fn a_replaced_message_counts_once_and_first() {
        let first = message(1, 0, 10, 8_000_000_000);
        let dearer = message(1, 0, 1000, 8_000_000_000);
        let base = atto(800);
        assert_eq!(next_base_fee_premium(&base, [&first, &dearer]), atto(710));
        assert_eq!(next_base_fee_premium(&base, [&dearer, &first]), atto(900));
        let next_nonce = message(1, 1, 1000, 8_000_000_000);
        assert_eq!(next_base_fee_premium(&base, [&first, &next_nonce]), atto(900));
    }

    proptest! {
        #[test]
        fn the_fee_moves_by_an_eighth_at_most(
            base in 100i64..1 << 50,
            messages in prop::collection::vec((0u64..4, 0u64..4, 0i64..1 << 50, 0u64..=BLOCK_GAS_LIMIT), 0..12),
        ) {
            let messages: Vec<_> = messages.into_iter().map(|(f, n, p, g)| message(f, n, p, g)).collect();
            let limits = messages.iter().map(|m| m.gas_limit);
            let by_gas = next_base_fee_utilization(&atto(base), limits, 3);
            let by_premium = next_base_fee_premium(&atto(base), &messages);
            let step = (base + 7) / 8;
            for next in [by_gas, by_premium] {
                prop_assert!(next >= atto((base - step).max(MINIMUM_BASE_FEE)));
                prop_assert!(next <= atto(base + step));
            }
        }
    }
}

//! Who gets what of the gas that a message paid for.

use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;

/// Gas limits up to this multiple of the gas used cost nothing extra.
const OVERUSE_NUM: u128 = 11;
const OVERUSE_DENOM: u128 = 10;

/// How the `gas_limit · gas_fee_cap` that a message reserves is split up. Amounts are attoFIL.
///
/// All but the penalty sum up to what was reserved. The penalty is not the sender's: the miner who included an
/// underpriced message pays it out of the block reward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GasOutputs {
    /// Burned for the gas that was used.
    pub base_fee_burn: TokenAmount,
    /// Burned for gas that was reserved without need.
    pub over_estimation_burn: TokenAmount,
    /// Burned by the miner for including a message below the base fee.
    pub miner_penalty: TokenAmount,
    /// Paid to the miner.
    pub miner_tip: TokenAmount,
    /// Returned to the sender.
    pub refund: TokenAmount,
    /// Gas whose price is returned.
    pub gas_refund: u64,
    /// Gas whose price is burned as over-estimation.
    pub gas_burned: u64,
}

impl GasOutputs {
    /// Splits the gas of an executed message. `gas_used` above `gas_limit` counts as the limit, which is what
    /// the FVM charges a message that runs out of gas.
    pub fn compute(
        gas_used: u64,
        gas_limit: u64,
        base_fee: &TokenAmount,
        gas_fee_cap: &TokenAmount,
        gas_premium: &TokenAmount,
    ) -> Self {
        let gas_used = gas_used.min(gas_limit);
        let (gas_refund, gas_burned) = over_estimation(gas_used, gas_limit);
        // An underpriced message burns what it can; the miner owes the rest of the base fee.
        let base_fee_to_pay = base_fee.min(gas_fee_cap);
        let missing = base_fee - base_fee_to_pay;
        let tip = gas_premium.clone().min(gas_fee_cap - base_fee_to_pay);

        let base_fee_burn = times(base_fee_to_pay, gas_used);
        let over_estimation_burn = times(base_fee_to_pay, gas_burned);
        let miner_penalty = times(&missing, gas_used) + times(&missing, gas_burned);
        let miner_tip = times(&tip, gas_limit);
        let refund = times(gas_fee_cap, gas_limit) - &base_fee_burn - &over_estimation_burn - &miner_tip;
        Self { base_fee_burn, over_estimation_burn, miner_penalty, miner_tip, refund, gas_refund, gas_burned }
    }

    /// What the message cost its sender beyond the value it carried.
    pub fn total_cost(&self) -> TokenAmount {
        &self.base_fee_burn + &self.over_estimation_burn + &self.miner_tip
    }
}

/// Splits the unused gas into `(refunded, burned)`.
///
/// The burned share is `limit/used - 1.1`, capped at 1. A message that used nothing at all burns everything.
pub fn over_estimation(gas_used: u64, gas_limit: u64) -> (u64, u64) {
    let unused = gas_limit.saturating_sub(gas_used);
    if gas_used == 0 {
        return (0, gas_limit);
    }
    let (used, limit) = (u128::from(gas_used), u128::from(gas_limit));
    let over = limit.saturating_sub(OVERUSE_NUM * used / OVERUSE_DENOM).min(used);
    let burned = u128::from(unused) * over / used;
    // At most `unused`, because `over` is at most `used`.
    let burned = u64::try_from(burned).unwrap_or(unused);
    (unused - burned, burned)
}

fn times(price: &TokenAmount, gas: u64) -> TokenAmount {
    TokenAmount::from_atto(price.atto() * BigInt::from(gas))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn atto(amount: u64) -> TokenAmount {
        TokenAmount::from_atto(amount)
    }

    #[test]
    fn over_estimation_table() {
        let rows = [
            // used, limit, refunded, burned
            (100, 200, 10, 90),
            (100, 150, 30, 20),
            (1000, 1300, 240, 60),
            (500, 700, 140, 60),
            (200, 200, 0, 0),
            (20_000, 21_000, 1_000, 0),
            (0, 2_000, 0, 2_000),
            (500, 651, 121, 30),
            (500, 5_000, 0, 4_500),
            (7_499_000_000, 7_500_000_000, 1_000_000, 0),
            (7_500_000_000 / 2, 7_500_000_000, 375_000_000, 3_375_000_000),
            (1, 7_500_000_000, 0, 7_499_999_999),
        ];
        for (used, limit, refunded, burned) in rows {
            assert_eq!(over_estimation(used, limit), (refunded, burned), "{used} of {limit}");
        }
    }

    #[test]
    fn outputs_table() {
        // used, limit, fee cap, premium, burn, over-estimation burn, penalty, tip, refund; base fee 10
        let rows = [
            (100, 110, 11, 1, [1000, 0, 0, 110, 100]),
            (100, 130, 11, 1, [1000, 60, 0, 130, 240]),
            (100, 110, 10, 1, [1000, 0, 0, 0, 100]),
            (100, 110, 6, 1, [600, 0, 400, 0, 60]),
            (100, 200, 6, 1, [600, 540, 760, 0, 60]),
        ];
        for (used, limit, fee_cap, premium, expected) in rows {
            let o = GasOutputs::compute(used, limit, &atto(10), &atto(fee_cap), &atto(premium));
            let parts = [o.base_fee_burn, o.over_estimation_burn, o.miner_penalty, o.miner_tip, o.refund];
            assert_eq!(parts, expected.map(atto), "{used} of {limit} at {fee_cap}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            used: u64, limit: u64, base: u64, fee_cap: u64, premium_share in 0u64..=100,
        ) {
            let premium = fee_cap / 100 * premium_share;
            let o = GasOutputs::compute(used, limit, &atto(base), &atto(fee_cap), &atto(premium));
            let reserved = atto(fee_cap) * limit;
            prop_assert_eq!(o.total_cost() + &o.refund, reserved);
            prop_assert_eq!(u128::from(o.gas_refund) + u128::from(o.gas_burned), u128::from(limit - used.min(limit)));
            for part in [o.base_fee_burn, o.over_estimation_burn, o.miner_penalty, o.miner_tip, o.refund] {
                prop_assert!(!part.is_negative());
            }
        }
    }
}

//! How the pool is set up.

use num_traits::ToPrimitive;
use venus_core::api::ChainError;
use venus_core::types::MpoolConfig;

/// No configuration lets a replacement for less than 1.1 times the premium, in hundredths.
const LEAST_RATIO: u32 = 110;
/// Beyond this a replacement could never be paid, in hundredths.
const MOST_RATIO: u32 = 1_000_000;
/// Messages that can be allowed to wait.
const MOST_MESSAGES: i64 = 1_000_000;
/// Senders that can go before others.
const MOST_PRIORITY: usize = 1_000;

/// What Lotus and Venus begin with.
pub(crate) fn default_config() -> MpoolConfig {
    MpoolConfig {
        priority_addrs: Vec::new(),
        size_limit_high: 30_000,
        size_limit_low: 20_000,
        replace_by_fee_ratio: 1.25,
        prune_cooldown: 60_000_000_000,
        gas_limit_overestimation: 1.25,
    }
}

/// Refuses what no pool could work with; the first two reasons are in the words of Go nodes.
pub(crate) fn check_config(config: &MpoolConfig) -> Result<(), ChainError> {
    let sizes = 1 <= config.size_limit_low
        && config.size_limit_low <= config.size_limit_high
        && config.size_limit_high <= MOST_MESSAGES;
    let fault = if !(f64::from(LEAST_RATIO)..=f64::from(MOST_RATIO))
        .contains(&(config.replace_by_fee_ratio * 100.0).round())
    {
        Some("'ReplaceByFeeRatio' is less than required 1.10")
    } else if !(1.0..=1000.0).contains(&config.gas_limit_overestimation) {
        Some("'GasLimitOverestimation' cannot be less than 1")
    } else if !sizes {
        Some("'SizeLimitLow' must be at least 1 and at most 'SizeLimitHigh', which must be at most 1000000")
    } else if config.prune_cooldown < 0 {
        Some("'PruneCooldown' must not be negative")
    } else if config.priority_addrs.len() > MOST_PRIORITY {
        Some("'PriorityAddrs' must be at most 1000")
    } else {
        None
    };
    fault.map_or(Ok(()), |fault| Err(ChainError::Invalid(fault.to_owned())))
}

/// The premium of a replacement in hundredths of the replaced one's.
pub(super) fn replace_percent(config: &MpoolConfig) -> u32 {
    let percent = (config.replace_by_fee_ratio * 100.0).round();
    percent.to_u32().unwrap_or(LEAST_RATIO).max(LEAST_RATIO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_allowed_and_each_bound_holds() {
        let good = default_config();
        check_config(&good).unwrap();
        assert_eq!(replace_percent(&good), 125);
        for bad in [
            MpoolConfig { replace_by_fee_ratio: 1.09, ..good.clone() },
            MpoolConfig { replace_by_fee_ratio: f64::NAN, ..good.clone() },
            MpoolConfig { gas_limit_overestimation: 0.99, ..good.clone() },
            MpoolConfig { gas_limit_overestimation: f64::INFINITY, ..good.clone() },
            MpoolConfig { size_limit_low: 0, ..good.clone() },
            MpoolConfig { size_limit_high: 19_999, ..good.clone() },
            MpoolConfig { size_limit_high: i64::MAX, ..good.clone() },
            MpoolConfig { prune_cooldown: -1, ..good.clone() },
        ] {
            assert!(check_config(&bad).is_err(), "{bad:?}");
        }
    }
}

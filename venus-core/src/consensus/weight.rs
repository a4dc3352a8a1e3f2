//! Which of two chains is heavier.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::Signed;

use super::election::EXPECTED_LEADERS_PER_EPOCH;
use super::ticket;
use crate::error::{Classify, ErrorKind};

/// Numerator of the share that win counts have in the weight.
const WIN_RATIO_NUM: u64 = 1;
/// Denominator of the share that win counts have in the weight.
const WIN_RATIO_DEN: i64 = 2;
/// Fractional bits of a weight.
const PRECISION: u64 = 8;

/// A tipset without weight: its state holds no power, so nobody could have mined on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the network has no power, a tipset on this state has no weight")]
pub struct NoPower;

impl Classify for NoPower {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Corrupt
    }
}

/// The weight of a tipset, which the headers of its children name as `ParentWeight`.
///
/// `parent_weight` is what the tipset's own headers name, `total_power` the network's quality-adjusted power in
/// bytes in the tipset's parent state, `win_counts` those of its blocks.
///
/// # Errors
/// [`NoPower`] when `total_power` is not positive.
pub fn weight(
    parent_weight: &BigInt,
    total_power: &BigInt,
    win_counts: impl IntoIterator<Item = i64>,
) -> Result<BigInt, NoPower> {
    if !total_power.is_positive() {
        return Err(NoPower);
    }
    let log2 = total_power.bits() - 1;
    let wins: BigInt = win_counts.into_iter().map(BigInt::from).sum();
    let scaled = (BigInt::from(log2 * WIN_RATIO_NUM) << PRECISION) * wins;
    let from_wins = scaled.div_floor(&BigInt::from(EXPECTED_LEADERS_PER_EPOCH * WIN_RATIO_DEN));
    Ok(parent_weight + (BigInt::from(log2) << PRECISION) + from_wins)
}

/// Breaks the tie between two tipsets of equal weight (FIP-0023): `Greater` if `a` wins.
///
/// Both lists hold the VRF proofs of the tipset's tickets in canonical order. The first pair that differs
/// decides, the smaller ticket wins. `Equal` leaves the tie: the chain that was there first stays.
pub fn break_tie<'a>(
    a: impl IntoIterator<Item = &'a [u8]>,
    b: impl IntoIterator<Item = &'a [u8]>,
) -> Ordering {
    let order = a.into_iter().zip(b).map(|(a, b)| ticket::compare(b, a));
    order.into_iter().find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parent: i64, power: i64, wins: &[i64]) -> i64 {
        let w = weight(&BigInt::from(parent), &BigInt::from(power), wins.iter().copied()).unwrap();
        i64::try_from(w).unwrap()
    }

    #[test]
    fn weight_grows_with_power_and_wins() {
        // log2 of 120 KiB is 16: 16·256 for the tipset, 16·256/10 for every win.
        assert_eq!(of(0, 122_880, &[]), 4096);
        assert_eq!(of(0, 122_880, &[1]), 4096 + 409);
        assert_eq!(of(100, 122_880, &[2, 1, 3]), 100 + 4096 + 2457);
        assert_eq!(of(7, 1, &[15]), 7, "a single byte of power weighs nothing");
    }

    #[test]
    fn no_power_is_an_error() {
        for power in [0, -1] {
            assert_eq!(weight(&BigInt::ZERO, &BigInt::from(power), [1]), Err(NoPower));
        }
    }

    #[test]
    fn ties_go_to_the_smaller_first_ticket() {
        let (small, large) = (&[3][..], &[1][..]); // By digest: 232… and 238….
        assert_eq!(break_tie([small], [large]), Ordering::Greater);
        assert_eq!(break_tie([large, small], [small, large]), Ordering::Less);
        assert_eq!(break_tie([small, small], [small, large]), Ordering::Greater);
        assert_eq!(break_tie([small, large], [small]), Ordering::Equal);
    }
}

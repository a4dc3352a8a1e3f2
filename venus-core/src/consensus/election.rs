//! How often a miner wins an epoch: Poisson sortition in exact 256-bit fixed point.
//!
//! A miner with share `s` of the power wins a Poisson-distributed number of times with mean `5·s`. The VRF proof
//! picks the number by inverting the distribution, and every node must find the same one, so all arithmetic
//! is on integers scaled by 2^256 and rounded down ("Q.256" below).

use std::sync::LazyLock;

use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use num_traits::{One, Signed};

use crate::crypto::hash::blake2b_256;

/// Expected winners of an epoch over the whole network.
pub const EXPECTED_LEADERS_PER_EPOCH: i64 = 5;
/// Most wins of one miner in one epoch.
pub const MAX_WIN_COUNT: i64 = 3 * EXPECTED_LEADERS_PER_EPOCH;

/// Fractional bits of the fixed point.
const PRECISION: u64 = 256;
/// The coefficients are given with this many fractional bits fewer.
const COEFFICIENT_SHIFT: u64 = 128;

/// Numerator of the rational approximation of `e^-x`, highest power first; its constant term is 1.
const NUMERATOR: [i128; 7] = [
    -648_770_010_757_830_093_818_553_637_600,
    67_469_480_939_593_786_226_847_644_286_976,
    -3_197_587_544_499_098_424_029_388_939_001_856,
    89_244_641_121_992_890_118_377_641_805_348_864,
    -1_579_656_163_641_440_567_800_982_336_819_953_664,
    17_685_496_037_279_256_458_459_817_590_917_169_152,
    -115_682_590_513_835_356_866_803_355_398_940_131_328,
];

/// Denominator of the rational approximation of `e^-x`, highest power first; its constant term is 1.
const DENOMINATOR: [u128; 13] = [
    1_225_524_182_432_722_209_606_361,
    114_095_592_300_906_098_243_859_450,
    5_665_570_424_063_336_070_530_214_243,
    194_450_132_448_609_991_765_137_938_448,
    5_068_267_641_632_683_791_026_134_915_072,
    104_716_890_604_972_796_896_895_427_629_056,
    1_748_338_658_439_454_459_487_681_798_864_896,
    23_704_654_329_841_312_470_660_182_937_960_448,
    259_380_097_567_996_910_282_699_886_670_381_056,
    2_250_336_698_853_390_384_720_606_936_038_375_424,
    14_978_272_436_876_548_034_486_263_159_246_028_800,
    72_144_088_983_913_131_323_343_765_784_380_833_792,
    224_599_776_407_103_106_596_571_252_037_123_047_424,
];

static ONE: LazyLock<BigInt> = LazyLock::new(|| BigInt::one() << PRECISION);
static P: LazyLock<Vec<BigInt>> = LazyLock::new(|| scaled(NUMERATOR));
static Q: LazyLock<Vec<BigInt>> = LazyLock::new(|| scaled(DENOMINATOR));

/// How often the holder of `power` out of `total_power` wins with this VRF proof: 0 (no block) to
/// [`MAX_WIN_COUNT`].
///
/// Power is quality-adjusted, in bytes, from the lookback state. Without power there are no wins.
pub fn win_count(vrf_proof: &[u8], power: &BigInt, total_power: &BigInt) -> i64 {
    if !power.is_positive() || !total_power.is_positive() {
        return 0;
    }
    let drawn = BigInt::from(BigUint::from_bytes_be(&blake2b_256(vrf_proof)));
    invert_poisson(&drawn, &lambda(power, total_power))
}

/// The expected number of wins of `power` out of `total_power`, Q.256. Zero if there is no power at all.
pub fn lambda(power: &BigInt, total_power: &BigInt) -> BigInt {
    if !total_power.is_positive() {
        return BigInt::ZERO;
    }
    ((power * EXPECTED_LEADERS_PER_EPOCH) << PRECISION).div_floor(total_power)
}

/// `e^-x` for `x` in Q.256, accurate to 3.4e-30 below 1.725 and to 4.6e-15 below 5.
pub fn exp_neg(x: &BigInt) -> BigInt {
    // The denominator is at least 1 for the non-negative x that occur.
    (horner(&P, x) << PRECISION).div_floor(&horner(&Q, x).max(BigInt::one()))
}

/// The number of wins at which the upper tail of the Poisson distribution drops to `drawn` or below.
fn invert_poisson(drawn: &BigInt, lambda: &BigInt) -> i64 {
    let mut probability = exp_neg(lambda);
    let mut tail = &*ONE - &probability;
    let mut wins = 0;
    while *drawn < tail && wins < MAX_WIN_COUNT {
        wins += 1;
        // Two roundings, in this order, as the network does it.
        probability = (probability.div_floor(&BigInt::from(wins)) * lambda) >> PRECISION;
        tail -= &probability;
    }
    wins
}

/// Evaluates a polynomial. The right shift of a negative value rounds down, like Go's.
fn horner(coefficients: &[BigInt], x: &BigInt) -> BigInt {
    coefficients.iter().fold(BigInt::ZERO, |sum, coefficient| ((sum * x) >> PRECISION) + coefficient)
}

/// Coefficients in Q.256, with the constant term 1 at the end.
fn scaled<T: Into<BigInt>, const N: usize>(coefficients: [T; N]) -> Vec<BigInt> {
    let scale = |c: T| c.into() << COEFFICIENT_SHIFT;
    coefficients.into_iter().map(scale).chain([ONE.clone()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn big(text: &str) -> BigInt {
        text.parse().unwrap()
    }

    #[test]
    fn golden_exponentials() {
        let golden = [
            (
                "5789604461865809771178549250434395392663499233282028201972879200395656481996",
                "110144842406947605101723537490519148171371644817549860999783697404124497610281",
            ),
            (
                "578960446186580977117854925043439539266349923328202820197287920039565648199680",
                "780200960193843203865524721501305631184795994974723658032277935470179218480",
            ),
        ];
        for (x, expected) in golden {
            assert_eq!(exp_neg(&big(x)), big(expected));
        }
        assert_eq!(exp_neg(&BigInt::ZERO), *ONE);
    }

    #[test]
    fn golden_lambdas() {
        let total = BigInt::from(100);
        assert_eq!(lambda(&total, &total), BigInt::from(5) << 256);
        let one = big("5789604461865809771178549250434395392663499233282028201972879200395656481996");
        assert_eq!(lambda(&BigInt::from(1), &total), one);
    }

    #[test]
    fn golden_win_counts() {
        assert_eq!(win_count(&[1; 96], &BigInt::from(20), &BigInt::from(100)), 1);
        assert_eq!(win_count(&[12; 96], &BigInt::from(300), &BigInt::from(100)), MAX_WIN_COUNT);
    }

    #[test]
    fn no_power_no_wins() {
        for (power, total) in [(0, 100), (-1, 100), (1, 0), (1, -5), (0, 0)] {
            assert_eq!(win_count(b"proof", &BigInt::from(power), &BigInt::from(total)), 0);
        }
    }

    #[test]
    fn five_winners_are_expected() {
        let total = BigInt::from(1000);
        let wins: i64 = (0..2000u32).map(|i| win_count(&i.to_be_bytes(), &BigInt::from(200), &total)).sum();
        assert!((1880..2120).contains(&wins), "{wins} wins, expected about 2000");
    }

    proptest! {
        #[test]
        fn more_power_never_wins_less(proof: [u8; 8], power in 0u64..1_000, more in 0u64..1_000) {
            let total = BigInt::from(1_000);
            let less = win_count(&proof, &BigInt::from(power), &total);
            let wins = win_count(&proof, &BigInt::from(power + more), &total);
            prop_assert!(less <= wins && wins <= MAX_WIN_COUNT);
        }

        #[test]
        fn any_power_is_handled(proof: Vec<u8>, power: Vec<u8>, total: Vec<u8>) {
            let wins = win_count(
                &proof,
                &BigInt::from_signed_bytes_be(&power),
                &BigInt::from_signed_bytes_be(&total),
            );
            prop_assert!((0..=MAX_WIN_COUNT).contains(&wins));
        }
    }
}

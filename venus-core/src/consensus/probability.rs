//! The chance that a block of some ticket quality stands at some place of its tipset.
//!
//! Message selection weighs messages by it: a message in two blocks of a tipset is paid for only once, to the
//! block that comes first.

use super::election::{EXPECTED_LEADERS_PER_EPOCH, MAX_WIN_COUNT};

/// Places that are looked at.
pub const MAX_BLOCKS: usize = MAX_WIN_COUNT as usize;

/// At index `i`, the chance that an epoch has `i + 1` winners, given that it has one.
///
/// Winners are Poisson-distributed with mean 5. The sum falls short of 1 by what lies beyond 15 winners.
pub fn no_winners() -> [f64; MAX_BLOCKS] {
    let mean = EXPECTED_LEADERS_PER_EPOCH as f64;
    // P(n | n > 0) = mean^n / (n! · (e^mean - 1)), each from the one before.
    let mut chance = 1.0 / mean.exp_m1();
    let mut table = [0.0; MAX_BLOCKS];
    for (i, entry) in table.iter_mut().enumerate() {
        chance *= mean / (i + 1) as f64;
        *entry = chance;
    }
    table
}

/// At index `i`, the chance that exactly `i` other blocks of the tipset come before one of ticket quality
/// `quality`. Qualities outside 0 to 1 count as the nearer end.
pub fn block_probabilities(quality: f64) -> [f64; MAX_BLOCKS] {
    let better = (1.0 - quality).clamp(0.0, 1.0);
    let winners = no_winners();
    let mut table = [0.0; MAX_BLOCKS];
    for (place, entry) in table.iter_mut().enumerate() {
        let chances = winners.iter().enumerate();
        *entry = chances.map(|(others, chance)| chance * binomial(place, others, better)).sum();
    }
    table
}

/// The chance of `hits` successes in `trials`, each of chance `p`.
fn binomial(hits: usize, trials: usize, p: f64) -> f64 {
    let Some(misses) = trials.checked_sub(hits) else { return 0.0 };
    let coefficient = (1..=hits).fold(1.0, |c, d| c * (misses + d) as f64 / d as f64);
    // powi(0) is 1 also at the ends of the range, where one of the factors is 0.
    coefficient * p.powi(hits as i32) * (1.0 - p).powi(misses as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64) {
        for (a, e) in actual.iter().zip(expected) {
            assert!((a - e).abs() < tolerance, "{actual:?} is not {expected:?}");
        }
    }

    #[test]
    fn golden_winners() {
        let expected = [
            0.033918, 0.084796, 0.141326, 0.176658, 0.176658, 0.147215, 0.105153, 0.065721, 0.036512,
            0.018256, 0.008298, 0.003458, 0.001330, 0.000475, 0.000158,
        ];
        assert_close(&no_winners(), &expected, 1e-6);
        assert!((no_winners()[0] - 0.033_918_274_531_521_17).abs() < 1e-15);
        assert!((no_winners()[14] - 0.000_158_312_133_083_103_4).abs() < 1e-15);
    }

    #[test]
    fn golden_places() {
        let rows: [(f64, [f64; 6]); 8] = [
            (1.00, [0.9999, 0.0, 0.0, 0.0, 0.0, 0.0]),
            (0.95, [0.8182, 0.1632, 0.0172, 0.0012, 0.0001, 0.0]),
            (0.90, [0.6709, 0.2647, 0.0554, 0.0080, 0.0009, 0.0001]),
            (0.84, [0.5305, 0.3298, 0.1095, 0.0251, 0.0044, 0.0006]),
            (0.70, [0.3112, 0.3480, 0.2119, 0.0897, 0.0292, 0.0078]),
            (0.50, [0.1517, 0.2615, 0.2550, 0.1754, 0.0936, 0.0409]),
            (0.25, [0.0676, 0.1524, 0.2086, 0.2066, 0.1607, 0.1031]),
            (0.00, [0.0339, 0.0848, 0.1413, 0.1767, 0.1767, 0.1472]),
        ];
        for (quality, expected) in rows {
            assert_close(&block_probabilities(quality), &expected, 6e-5);
        }
        assert!((block_probabilities(1.0)[0] - 0.999_930_523_630_045_8).abs() < 1e-12);
    }

    #[test]
    fn odd_qualities_are_clamped() {
        assert_eq!(block_probabilities(7.0), block_probabilities(1.0));
        assert_eq!(block_probabilities(-0.5), block_probabilities(0.0));
    }

    proptest! {
        #[test]
        fn chances_sum_up(quality in 0.0f64..=1.0) {
            let table = block_probabilities(quality);
            let sum: f64 = table.iter().sum();
            prop_assert!((sum - no_winners().iter().sum::<f64>()).abs() < 1e-9);
            prop_assert!(table.iter().all(|p| (0.0..=1.0).contains(p)));
        }
    }
}

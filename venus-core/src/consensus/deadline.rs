//! When a miner must prove its sectors.
//!
//! Time is cut into proving periods, which begin at another offset for every miner, and periods into deadlines.
//! All lengths come from the [`DeadlineInfo`] of a node, because networks differ in them. Epochs may be negative:
//! on a young chain a period begins before the first block.

use fvm_shared::clock::ChainEpoch;

use crate::types::DeadlineInfo;

/// The lengths by which a network cuts time, in epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlinePolicy {
    /// Deadlines in a period.
    pub period_deadlines: u64,
    /// Epochs of a period.
    pub proving_period: ChainEpoch,
    /// Epochs of a deadline.
    pub challenge_window: ChainEpoch,
    /// Epochs from the challenge to the opening.
    pub challenge_lookback: ChainEpoch,
    /// Epochs from the fault cutoff to the opening.
    pub fault_declaration_cutoff: ChainEpoch,
    /// Epochs after the close during which a proof may be disputed.
    pub dispute_window: ChainEpoch,
}

impl DeadlinePolicy {
    /// The lengths of mainnet and most other networks.
    pub const MAINNET: Self = Self {
        period_deadlines: 48,
        proving_period: 2880,
        challenge_window: 60,
        challenge_lookback: 20,
        fault_declaration_cutoff: 70,
        dispute_window: 1800,
    };

    /// The deadline `index` of the period that begins at `period_start`, seen from `current_epoch`.
    pub fn deadline(&self, period_start: ChainEpoch, index: u64, current_epoch: ChainEpoch) -> DeadlineInfo {
        let steps = ChainEpoch::try_from(index).unwrap_or(ChainEpoch::MAX);
        let open = period_start.saturating_add(steps.saturating_mul(self.challenge_window));
        DeadlineInfo {
            current_epoch,
            period_start,
            index,
            open,
            close: open.saturating_add(self.challenge_window),
            challenge: open.saturating_sub(self.challenge_lookback),
            fault_cutoff: open.saturating_sub(self.fault_declaration_cutoff),
            w_post_period_deadlines: self.period_deadlines,
            w_post_proving_period: self.proving_period,
            w_post_challenge_window: self.challenge_window,
            w_post_challenge_lookback: self.challenge_lookback,
            fault_declaration_cutoff: self.fault_declaration_cutoff,
        }
    }

    /// The deadline that is open at `epoch` for a miner whose periods begin at `offset`, or any period start.
    pub fn deadline_at(&self, offset: ChainEpoch, epoch: ChainEpoch) -> DeadlineInfo {
        let into_period = epoch.wrapping_sub(offset).rem_euclid(self.proving_period.max(1));
        let index = into_period / self.challenge_window.max(1);
        self.deadline(epoch.saturating_sub(into_period), index.try_into().unwrap_or_default(), epoch)
    }

    /// Whether sectors may still be put into the deadline or taken out of it: neither it nor the one before is open.
    pub fn is_mutable(&self, deadline: &DeadlineInfo) -> bool {
        let next = deadline.next_not_elapsed();
        deadline.current_epoch < next.open.saturating_sub(self.challenge_window)
    }

    /// Whether partitions of the deadline may be compacted: it is mutable, and its last proofs are beyond dispute.
    pub fn is_compactable(&self, deadline: &DeadlineInfo) -> bool {
        let next = deadline.next_not_elapsed();
        let last_close = next.close.saturating_sub(self.proving_period);
        let in_dispute = deadline.current_epoch < last_close.saturating_add(self.dispute_window);
        self.is_mutable(deadline) && (next.is_open() || !in_dispute)
    }
}

impl DeadlineInfo {
    /// Whether proofs are taken now.
    pub fn is_open(&self) -> bool {
        self.open <= self.current_epoch && self.current_epoch < self.close
    }

    /// Whether the deadline is over.
    pub fn has_elapsed(&self) -> bool {
        self.current_epoch >= self.close
    }

    /// Whether the period has begun.
    pub fn period_started(&self) -> bool {
        self.current_epoch >= self.period_start
    }

    /// Whether it is too late to declare faults and recoveries for this time.
    pub fn fault_cutoff_passed(&self) -> bool {
        self.current_epoch >= self.fault_cutoff
    }

    /// Whether a proof can be computed and is not too late: the challenge is known, the deadline is not over.
    pub fn is_active(&self) -> bool {
        self.challenge <= self.current_epoch && self.current_epoch < self.close
    }

    /// The last epoch at which a proof is taken.
    pub fn last(&self) -> ChainEpoch {
        self.close.saturating_sub(1)
    }

    /// The last epoch of the period.
    pub fn period_end(&self) -> ChainEpoch {
        self.period_start.saturating_add(self.w_post_proving_period).saturating_sub(1)
    }

    /// The first epoch of the next period.
    pub fn next_period_start(&self) -> ChainEpoch {
        self.period_start.saturating_add(self.w_post_proving_period)
    }

    /// The next time of the same deadline that is not over: this one if it is not.
    pub fn next_not_elapsed(&self) -> Self {
        if !self.has_elapsed() {
            return *self;
        }
        let period = self.w_post_proving_period.max(1);
        // How many periods must pass until the close lies ahead.
        let periods = (self.current_epoch.saturating_sub(self.close) / period).saturating_add(1);
        self.shifted(periods.saturating_mul(period))
    }

    fn shifted(self, by: ChainEpoch) -> Self {
        Self {
            period_start: self.period_start.saturating_add(by),
            open: self.open.saturating_add(by),
            close: self.close.saturating_add(by),
            challenge: self.challenge.saturating_add(by),
            fault_cutoff: self.fault_cutoff.saturating_add(by),
            ..self
        }
    }

    /// The lengths of the network that this came from.
    ///
    /// A node does not tell the dispute window; everywhere it is two finalities.
    pub fn policy(&self) -> DeadlinePolicy {
        DeadlinePolicy {
            period_deadlines: self.w_post_period_deadlines,
            proving_period: self.w_post_proving_period,
            challenge_window: self.w_post_challenge_window,
            challenge_lookback: self.w_post_challenge_lookback,
            fault_declaration_cutoff: self.fault_declaration_cutoff,
            dispute_window: DeadlinePolicy::MAINNET.dispute_window,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const P: DeadlinePolicy = DeadlinePolicy::MAINNET;

    #[test]
    fn golden_from_a_node() {
        // StateMinerProvingDeadline of a network at epoch 93, with the period that began before genesis.
        let deadline = P.deadline_at(-2222, 93);
        assert_eq!(deadline, P.deadline(-2222, 38, 93));
        assert_eq!((deadline.open, deadline.close), (58, 118));
        assert_eq!((deadline.challenge, deadline.fault_cutoff), (38, -12));
        assert_eq!(deadline.policy(), P);
        assert!(deadline.is_open() && deadline.is_active() && deadline.fault_cutoff_passed());
        assert_eq!((deadline.last(), deadline.period_end(), deadline.next_period_start()), (117, 657, 658));
    }

    #[test]
    fn edges() {
        let at = |epoch| P.deadline(0, 1, epoch);
        for (epoch, open, elapsed, active, cutoff) in [
            (-11, false, false, false, false),
            (-10, false, false, false, true),
            (39, false, false, false, true),
            (40, false, false, true, true),
            (60, true, false, true, true),
            (119, true, false, true, true),
            (120, false, true, false, true),
        ] {
            let d = at(epoch);
            let flags = (d.is_open(), d.has_elapsed(), d.is_active(), d.fault_cutoff_passed());
            assert_eq!(flags, (open, elapsed, active, cutoff), "epoch {epoch}");
        }
        assert!(!at(-1).period_started() && at(0).period_started());
    }

    #[test]
    fn next_time() {
        let d = P.deadline(0, 1, 119);
        assert_eq!(d.next_not_elapsed(), d);
        assert_eq!(P.deadline(0, 1, 120).next_not_elapsed(), P.deadline(2880, 1, 120));
        assert_eq!(P.deadline(0, 1, 2999).next_not_elapsed(), P.deadline(2880, 1, 2999));
        assert_eq!(P.deadline(0, 1, 3000).next_not_elapsed(), P.deadline(5760, 1, 3000));
    }

    #[test]
    fn sectors_move_only_far_from_the_window() {
        // The deadline is open at 60..120, the one before it at 0..60.
        for (epoch, mutable) in [(-1, true), (0, false), (59, false), (60, false), (119, false), (120, true)]
        {
            assert_eq!(P.is_mutable(&P.deadline(0, 1, epoch)), mutable, "epoch {epoch}");
        }
    }

    #[test]
    fn compaction_waits_for_disputes() {
        for (epoch, compactable) in [(120, false), (1919, false), (1920, true), (2879, true), (2880, false)] {
            assert_eq!(P.is_compactable(&P.deadline(0, 1, epoch)), compactable, "epoch {epoch}");
        }
    }

    proptest! {
        #[test]
        fn the_deadline_of_an_epoch_is_open(offset in -10_000i64..10_000, epoch in -10_000i64..10_000_000) {
            let d = P.deadline_at(offset, epoch);
            prop_assert!(d.is_open() && d.index < 48);
            prop_assert_eq!((d.period_start - offset).rem_euclid(2880), 0);
            prop_assert!(d.period_start <= epoch && epoch <= d.period_end());
        }

        #[test]
        fn the_next_time_is_the_first_that_is_not_over(start in -5_000i64..5_000, index in 0u64..48, epoch in -5_000i64..50_000) {
            let d = P.deadline(start, index, epoch);
            let next = d.next_not_elapsed();
            prop_assert!(!next.has_elapsed());
            prop_assert_eq!(next, P.deadline(next.period_start, index, epoch));
            prop_assert!(!d.has_elapsed() || next.close - 2880 <= epoch);
        }

        #[test]
        fn any_numbers_are_handled(start: i64, index: u64, epoch: i64, window: i64, period: i64) {
            let policy = DeadlinePolicy { challenge_window: window, proving_period: period, ..P };
            let d = policy.deadline(start, index, epoch);
            let _ = (d.next_not_elapsed(), policy.is_mutable(&d), policy.is_compactable(&d), d.last());
            let _ = (policy.deadline_at(start, epoch), d.period_end(), d.next_period_start());
        }
    }
}

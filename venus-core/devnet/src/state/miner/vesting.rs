//! Funds that are released bit by bit.

use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use venus_core::cbor::{Encode, Writer};

/// Steps in which a block reward is released.
const STEPS: ChainEpoch = 180;

/// How an amount vests: in equal steps over a period. Releases are rounded up to multiples of half a step from the
/// miner's proving period, so that those of many rewards fall together and the table stays short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vesting {
    period: ChainEpoch,
    step: ChainEpoch,
    quantum: ChainEpoch,
    offset: ChainEpoch,
}

impl Vesting {
    /// Over `period` epochs, for a miner whose proving periods begin at `offset`.
    pub(crate) fn over(period: ChainEpoch, offset: ChainEpoch) -> Self {
        let step = (period / STEPS).max(1);
        Self { period: period.max(1), step, quantum: (step / 2).max(1), offset }
    }

    /// What of `amount`, locked at `now`, is released when.
    fn schedule(&self, amount: &TokenAmount, now: ChainEpoch) -> Vec<(ChainEpoch, TokenAmount)> {
        let (mut released, mut epoch, mut entries) = (TokenAmount::default(), now, Vec::new());
        while released < *amount {
            epoch = epoch.saturating_add(self.step);
            let at = self.round_up(epoch);
            let elapsed = at.saturating_sub(now);
            let target = if elapsed < self.period {
                (amount * elapsed).div_floor(self.period)
            } else {
                amount.clone()
            };
            entries.push((at, &target - &released));
            released = target;
        }
        entries
    }

    fn round_up(&self, epoch: ChainEpoch) -> ChainEpoch {
        let past = epoch.saturating_sub(self.offset).rem_euclid(self.quantum);
        if past == 0 { epoch } else { epoch.saturating_add(self.quantum - past) }
    }
}

/// When how much is released, in order of the epochs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VestingFunds(pub(crate) Vec<(ChainEpoch, TokenAmount)>);

impl VestingFunds {
    /// Locks an amount.
    pub(crate) fn lock(&mut self, amount: &TokenAmount, now: ChainEpoch, vesting: &Vesting) {
        let mut old = std::mem::take(&mut self.0).into_iter().peekable();
        for (epoch, amount) in vesting.schedule(amount, now) {
            while let Some(earlier) = old.next_if(|(at, _)| *at < epoch) {
                self.0.push(earlier);
            }
            let same = old.next_if(|(at, _)| *at == epoch).map(|(_, amount)| amount);
            self.0.push((epoch, amount + same.unwrap_or_default()));
        }
        self.0.extend(old);
    }

    /// What was released before `now`.
    pub(crate) fn vested(&self, now: ChainEpoch) -> TokenAmount {
        self.0.iter().take_while(|(epoch, _)| *epoch < now).map(|(_, amount)| amount).sum()
    }

    /// Takes out what was released before `now`.
    pub(crate) fn unlock_vested(&mut self, now: ChainEpoch) -> TokenAmount {
        let vested = self.vested(now);
        self.0.retain(|(epoch, _)| *epoch >= now);
        vested
    }

    /// Takes out up to `target` of what is not released yet, the earliest first.
    pub(crate) fn unlock_unvested(&mut self, now: ChainEpoch, target: &TokenAmount) -> TokenAmount {
        let mut missing = target.clone();
        for (_, amount) in self.0.iter_mut().filter(|(epoch, _)| *epoch >= now) {
            let part = amount.clone().min(missing.clone());
            *amount -= &part;
            missing -= part;
        }
        self.0.retain(|(_, amount)| !amount.is_zero());
        target - missing
    }
}

impl Encode for VestingFunds {
    fn encode(&self, w: &mut Writer) {
        w.array(self.0.len() as u64);
        for (epoch, amount) in &self.0 {
            w.array(2);
            w.int(*epoch);
            amount.encode(w);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn atto(n: i64) -> TokenAmount {
        TokenAmount::from_atto(n)
    }

    fn sum(funds: &VestingFunds) -> TokenAmount {
        funds.0.iter().map(|(_, amount)| amount).sum()
    }

    #[test]
    fn releases_are_even_and_quantised() {
        let vesting = Vesting::over(1800, 3);
        let mut funds = VestingFunds::default();
        funds.lock(&atto(180_000), 0, &vesting);
        // The first release is rounded up from 10 to 13, and holds what 13 of 1800 epochs earn.
        assert_eq!(funds.0[..2], [(13, atto(1300)), (23, atto(1000))]);
        assert_eq!((funds.0.len(), sum(&funds)), (180, atto(180_000)));
        assert_eq!(funds.0[179], (1803, atto(700)));
        assert_eq!(funds.vested(13), atto(0));
        assert_eq!((funds.vested(14), funds.unlock_vested(24)), (atto(1300), atto(2300)));
        assert_eq!(funds.0[0].0, 33);
    }

    #[test]
    fn small_periods_and_amounts_end() {
        let mut funds = VestingFunds::default();
        funds.lock(&atto(1), 5, &Vesting::over(0, 0));
        assert_eq!(funds.0, [(6, atto(1))]);
        funds.lock(&atto(1), 5, &Vesting::over(518_400, -7));
        assert_eq!(sum(&funds), atto(2));
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            locks in prop::collection::vec((0i64..5_000, 0i64..1_000_000), 0..20),
            period in 1i64..2_000, offset in -500i64..500, target in 0i64..2_000_000,
        ) {
            let vesting = Vesting::over(period, offset);
            let (mut funds, mut total, mut now) = (VestingFunds::default(), atto(0), 0);
            for (step, amount) in locks {
                now += step;
                total -= funds.unlock_vested(now);
                funds.lock(&atto(amount), now, &vesting);
                total += atto(amount);
                prop_assert_eq!(sum(&funds), total.clone());
                prop_assert!(funds.0.is_sorted_by(|a, b| a.0 < b.0));
            }
            let unlocked = funds.unlock_unvested(now, &atto(target));
            prop_assert!(unlocked <= atto(target) && sum(&funds) == &total - &unlocked);
            prop_assert!(unlocked == atto(target) || sum(&funds).is_zero());
        }
    }
}

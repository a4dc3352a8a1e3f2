//! Where the FIL is, and what storage costs.

use fvm_shared::ActorID;
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;

use super::StateView;
use crate::config::{REWARD_FIL, TOTAL_FIL};
use crate::state::{BURNT_FUNDS, EPOCHS_IN_DAY, REMAINDER};

/// Epochs of expected reward that deposits and pledges are made of.
const PROJECTION: i64 = 20 * EPOCHS_IN_DAY;
/// Prices assume a network of a PiB at least, as 2k networks do in their first weeks: power that a test grants or
/// takes away does not change them.
const PRICED_POWER: u64 = 1 << 50;
/// The baseline power at the start of a network, bytes (2.5 EiB).
pub(crate) const BASELINE_POWER: u64 = 2_888_888_880_000_000_000;
/// No pledge is above 1 FIL for 32 GiB, rounded down to whole attoFIL a byte.
const PLEDGE_CAP_PER_BYTE: u64 = 1_000_000_000_000_000_000 / (32 << 30);

/// Where all FIL is, attoFIL (`StateVMCirculatingSupplyInternal`).
///
/// Simplified: what the genesis and the admin gave out counts as vested, and nothing is disbursed of a reserve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Supply {
    pub(crate) vested: TokenAmount,
    pub(crate) mined: TokenAmount,
    pub(crate) burnt: TokenAmount,
    pub(crate) locked: TokenAmount,
    pub(crate) circulating: TokenAmount,
    pub(crate) reserve_disbursed: TokenAmount,
}

impl StateView<'_> {
    pub(crate) fn supply(&self) -> Supply {
        let given = TokenAmount::from_whole(TOTAL_FIL - REWARD_FIL);
        let vested = (given - self.balance(REMAINDER)).max(TokenAmount::default());
        let mined = self.tree.reward().map(|reward| reward.total.clone()).unwrap_or_default();
        let burnt = self.balance(BURNT_FUNDS);
        let locked = self.tree.power().map(|power| power.pledge.clone()).unwrap_or_default();
        let circulating = (&vested + &mined - &burnt - &locked).max(TokenAmount::default());
        Supply { vested, mined, burnt, locked, circulating, reserve_disbursed: TokenAmount::default() }
    }

    /// The deposit of a pre-commit: 20 days of expected reward of its power, attoFIL. Without the margin that nodes
    /// add to their answers.
    pub(crate) fn precommit_deposit(&self, qa_power: &BigInt) -> TokenAmount {
        let reward = self.tree.reward().map(|reward| reward.epoch_reward.clone()).unwrap_or_default();
        let expected = reward.atto() * BigInt::from(PROJECTION) * qa_power / self.priced_power();
        TokenAmount::from_atto(expected.max(BigInt::from(1)))
    }

    /// The initial pledge of a sector, attoFIL: 20 days of expected reward and its share of 30 % of the circulating
    /// supply, within the cap of 1 FIL for 32 GiB. Without the margin that nodes add to their answers.
    pub(crate) fn initial_pledge(&self, qa_power: &BigInt) -> TokenAmount {
        let storage = self.precommit_deposit(qa_power);
        let share = BigInt::from(BASELINE_POWER).max(self.priced_power());
        let consensus = self.supply().circulating.atto() * 3 * qa_power / (share * 10);
        let cap = BigInt::from(PLEDGE_CAP_PER_BYTE) * qa_power;
        (storage + TokenAmount::from_atto(consensus)).min(TokenAmount::from_atto(cap.max(BigInt::from(1))))
    }

    /// The power of the network by which storage is priced, bytes.
    pub(crate) fn priced_power(&self) -> BigInt {
        let power = self.tree.power().map(|power| power.this_epoch.quality_adjusted.clone());
        power.unwrap_or_default().max(BigInt::from(PRICED_POWER))
    }

    fn balance(&self, actor: ActorID) -> TokenAmount {
        self.tree.get(actor).map(|actor| actor.balance.clone()).unwrap_or_default()
    }
}

//! What of a miner's balance is whose.

use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;

use super::{MinerState, Vesting};

impl MinerState {
    /// What neither locks nor pledges nor deposits bind, debts not counted; negative if they bind more than there is.
    pub(crate) fn unlocked(&self, balance: &TokenAmount) -> TokenAmount {
        balance - &self.locked_funds - &self.precommit_deposits - &self.initial_pledge
    }

    /// What the owner could take out; negative if debts exceed it.
    pub(crate) fn available(&self, balance: &TokenAmount) -> TokenAmount {
        self.unlocked(balance) - &self.fee_debt
    }

    /// Locks an amount that is in the balance already, and releases what has vested. Answers by how much that
    /// changes what is locked.
    pub(crate) fn lock(&mut self, amount: &TokenAmount, now: ChainEpoch, vesting: &Vesting) -> TokenAmount {
        let released = self.unlock_vested(now);
        self.vesting.to_mut().lock(amount, now, vesting);
        self.locked_funds += amount;
        amount - released
    }

    /// Releases what has vested. Answers how much.
    pub(crate) fn unlock_vested(&mut self, now: ChainEpoch) -> TokenAmount {
        if self.vesting.0.first().is_none_or(|(epoch, _)| *epoch >= now) {
            return TokenAmount::default();
        }
        let released = self.vesting.to_mut().unlock_vested(now);
        self.locked_funds -= &released;
        released
    }

    /// Pays debts: from what is locked first, then from what is free. Answers how much to burn, and how much less is
    /// locked. What has vested must have been released before.
    pub(crate) fn repay(&mut self, balance: &TokenAmount, now: ChainEpoch) -> (TokenAmount, TokenAmount) {
        if self.fee_debt.is_zero() {
            return Default::default();
        }
        let from_locked = self.vesting.to_mut().unlock_unvested(now, &self.fee_debt);
        self.locked_funds -= &from_locked;
        // What was unlocked just now is free, so it is part of this.
        let pay = self.fee_debt.clone().min(self.unlocked(balance)).max(TokenAmount::default());
        self.fee_debt -= &pay;
        (pay, from_locked)
    }

    /// Whether the balance covers all that is bound.
    pub(crate) fn is_solvent(&self, balance: &TokenAmount) -> bool {
        let parts = [&self.locked_funds, &self.precommit_deposits, &self.initial_pledge, &self.fee_debt];
        !parts.into_iter().any(TokenAmount::is_negative) && !self.unlocked(balance).is_negative()
    }
}

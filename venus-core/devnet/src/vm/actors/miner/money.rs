//! Rewards, debts and withdrawals.

use fvm_shared::econ::TokenAmount;
use venus_core::actors::miner::WithdrawBalanceParams;
use venus_core::cbor::Encode;

use super::control::require_control;
use crate::state::{MinerState, POWER, REWARD, Vesting};
use crate::vm::abort::{Abort, Returned};
use crate::vm::actors::{params_tuple, power};
use crate::vm::runtime::{Runtime, nothing, read};

/// The part of a reward that vests: three quarters.
const LOCKED_NUM: u64 = 3;
const LOCKED_DENOM: u64 = 4;

params_tuple! {
    /// The reward of a block, which comes with the call, and what the miner pays for bad messages in it, attoFIL.
    pub(in crate::vm::actors) struct ApplyRewardsParams { reward: TokenAmount, penalty: TokenAmount }
}

/// Locks three quarters of a reward, and takes a penalty out of everything that is there.
pub(super) fn apply_rewards(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    rt.require_caller(&[REWARD])?;
    let params: ApplyRewardsParams = read(params)?;
    if params.reward.is_negative() || params.penalty.is_negative() {
        return Err(Abort::argument("reward and penalty cannot be negative"));
    }
    let locked = (&params.reward * LOCKED_NUM).div_floor(LOCKED_DENOM);
    let (epoch, balance) = (rt.epoch(), rt.balance());
    let period = rt.state().rules().vesting_period;
    let (burn, pledge) = rt.with_miner(|miner| {
        let more = miner.lock(&locked, epoch, &Vesting::over(period, miner.period_start));
        miner.fee_debt += &params.penalty;
        let (burn, less) = miner.repay(&balance, epoch);
        (burn, more - less)
    })?;
    settle(rt, &burn, &pledge)?;
    Ok(Vec::new())
}

/// Pays debts with what is there, as far as it goes.
pub(super) fn repay_debt(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    require_control(rt)?;
    repay_what_can_be(rt)?;
    Ok(Vec::new())
}

/// Releases what has vested, and pays debts as far as it goes. Answers how much was burned.
pub(super) fn repay_what_can_be(rt: &mut Runtime<'_, '_>) -> Result<TokenAmount, Abort> {
    let (epoch, balance) = (rt.epoch(), rt.balance());
    let (burn, released) = rt.with_miner(|miner| {
        let vested = miner.unlock_vested(epoch);
        let (burn, unlocked) = miner.repay(&balance, epoch);
        (burn, vested + unlocked)
    })?;
    settle(rt, &burn, &-released)?;
    Ok(burn)
}

/// Pays the beneficiary what is free, at most what was asked for, and answers how much that was.
pub(super) fn withdraw(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    let params: WithdrawBalanceParams = read(params)?;
    if params.amount_requested.is_negative() {
        return Err(Abort::argument("the amount cannot be negative"));
    }
    let info = &rt.miner()?.info;
    let (owner, beneficiary) = (info.owner, info.beneficiary);
    rt.require_caller(&[owner, beneficiary])?;
    let (epoch, balance) = (rt.epoch(), rt.balance());
    let released = rt.with_miner(|miner| miner.unlock_vested(epoch))?;
    let miner = rt.miner()?;
    let debt = miner.fee_debt.clone();
    if miner.unlocked(&balance) < debt {
        return Err(Abort::funds("what is free does not cover the debts"));
    }
    let mut amount = miner.available(&balance).min(params.amount_requested);
    if beneficiary != owner {
        amount = amount.min(miner.info.quota_left(epoch));
        if miner.info.quota_left(epoch).is_zero() {
            return Err(Abort::forbidden("the beneficiary has got its quota, or its term is over"));
        }
    }
    rt.with_miner(|miner| {
        miner.fee_debt = TokenAmount::default();
        if beneficiary != owner {
            use_quota(miner, &amount);
        }
    })?;
    rt.pay(beneficiary, &amount)?;
    settle(rt, &debt, &-released)?;
    Ok(amount.to_cbor())
}

fn use_quota(miner: &mut MinerState, amount: &TokenAmount) {
    miner.info.to_mut().term.used_quota += amount;
}

/// Burns, tells the power actor by how much pledge and locked funds change, and looks whether the balance covers all
/// that is bound.
pub(super) fn settle(
    rt: &mut Runtime<'_, '_>,
    burn: &TokenAmount,
    pledge: &TokenAmount,
) -> Result<(), Abort> {
    rt.burn(burn)?;
    if !pledge.is_zero() {
        let none = TokenAmount::default();
        rt.send_to(POWER, power::UPDATE_PLEDGE_TOTAL, pledge.to_cbor(), &none)?;
    }
    if rt.miner()?.is_solvent(&rt.balance()) {
        return Ok(());
    }
    Err(Abort::state("the balance does not cover what is bound"))
}

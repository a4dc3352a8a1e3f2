//! Paying for blocks.

use fvm_shared::MethodNum;
use fvm_shared::econ::TokenAmount;
use venus_core::actors::reward::{AWARD_BLOCK_REWARD, AwardBlockRewardParams};
use venus_core::cbor::{Encode, Writer};
use venus_core::consensus::election::EXPECTED_LEADERS_PER_EPOCH;
use venus_core::types::BigInt;

use super::miner::{APPLY_REWARDS, ApplyRewardsParams};
use super::{Method, encode_estimate, row};
use crate::state::{BASELINE_POWER, POWER, RewardState, SYSTEM};
use crate::vm::abort::{Abort, Returned};
use crate::vm::gas::{OTHER_METHOD, READ};
use crate::vm::runtime::{Runtime, nothing, read};

/// Answers the reward of the epoch and the baseline power.
const THIS_EPOCH_REWARD: MethodNum = 3;
/// Tells the power of the network at the end of an epoch.
pub(super) const UPDATE_NETWORK_KPI: MethodNum = 4;
/// A miner pays its penalties this many times.
const PENALTY_FACTOR: u64 = 3;

pub(super) const METHODS: &[Method] = &[
    row(&[AWARD_BLOCK_REWARD], OTHER_METHOD, award_block_reward),
    row(&[THIS_EPOCH_REWARD], READ, this_epoch_reward),
    row(&[UPDATE_NETWORK_KPI], OTHER_METHOD, update_network_kpi),
];

/// Pays a block's miner its share of the epoch's reward and the tips of its messages.
fn award_block_reward(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    rt.require_caller(&[SYSTEM])?;
    let params: AwardBlockRewardParams = read(params)?;
    check(rt, &params)?;
    let miner = rt.state().resolve(&params.miner);
    let miner = miner.ok_or_else(|| Abort::not_found("no actor has the address of the miner"))?;
    let for_block = (epoch_reward(rt) * params.win_count).div_floor(EXPECTED_LEADERS_PER_EPOCH);
    // The last rewards of a chain are what is left.
    let pay = (&for_block + &params.gas_reward).min(rt.balance());
    let minted = &pay - &params.gas_reward;
    rt.state_mut().update_reward(|reward| reward.total += &minted);
    let apply = ApplyRewardsParams { reward: pay.clone(), penalty: params.penalty * PENALTY_FACTOR };
    if rt.send_to(miner, APPLY_REWARDS, apply.to_cbor(), &pay).is_err() {
        rt.burn(&pay)?;
    }
    Ok(Vec::new())
}

fn check(rt: &Runtime<'_, '_>, params: &AwardBlockRewardParams) -> Result<(), Abort> {
    if params.penalty.is_negative() || params.gas_reward.is_negative() {
        return Err(Abort::argument("penalty and gas reward cannot be negative"));
    }
    if params.win_count <= 0 {
        return Err(Abort::argument("a block wins at least once"));
    }
    if rt.balance() < params.gas_reward {
        return Err(Abort::state("the gas reward is not in the balance"));
    }
    Ok(())
}

fn this_epoch_reward(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    let mut w = Writer::new();
    w.array(2);
    encode_estimate(epoch_reward(rt).atto(), &mut w);
    BigInt::from(BASELINE_POWER).encode(&mut w);
    Ok(w.into_vec())
}

/// Begins the next epoch. Rewards here are constant, whatever the power.
fn update_network_kpi(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    rt.require_caller(&[POWER])?;
    let _power: BigInt = read(params)?;
    rt.state_mut().update_reward(|RewardState { epoch, .. }| *epoch += 1);
    Ok(Vec::new())
}

fn epoch_reward(rt: &Runtime<'_, '_>) -> TokenAmount {
    rt.state().reward().map(|reward| reward.epoch_reward.clone()).unwrap_or_default()
}

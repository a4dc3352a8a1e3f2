//! Paying for blocks.

use fvm_shared::ActorID;
use fvm_shared::econ::TokenAmount;
use venus_core::consensus::election::EXPECTED_LEADERS_PER_EPOCH;

use crate::state::{ActorState, BURNT_FUNDS, REWARD, StateTree};

/// A miner pays its penalties this many times.
const PENALTY_FACTOR: u64 = 3;

/// Pays a block's miner its share of the epoch's reward and the tips of its messages, and burns its penalty.
///
/// Nothing vests here: the whole reward is the miner's at once. What it cannot pay becomes fee debt, which the
/// next reward pays off.
pub(super) fn award(
    state: &mut StateTree,
    miner: ActorID,
    win_count: i64,
    tips: &TokenAmount,
    penalty: &TokenAmount,
) {
    let Some(reward) = state.get(REWARD) else { return };
    let epoch_reward = match reward.state() {
        ActorState::Reward(reward) => reward.epoch_reward.clone(),
        _ => TokenAmount::default(),
    };
    // The last rewards of a chain are what is left.
    let for_block = (epoch_reward * win_count).div_floor(EXPECTED_LEADERS_PER_EPOCH);
    let pay = (for_block + tips).min(reward.balance.clone());
    if !state.transfer(REWARD, miner, &pay) {
        return;
    }
    burn_penalty(state, miner, &(penalty * PENALTY_FACTOR));
}

fn burn_penalty(state: &mut StateTree, miner: ActorID, penalty: &TokenAmount) {
    let Some((debt, balance)) =
        state.miner(miner).map(|m| &m.fee_debt + penalty).zip(state.get(miner).map(|a| a.balance.clone()))
    else {
        return;
    };
    if debt.is_zero() {
        return;
    }
    let pay = debt.clone().min(balance);
    if state.transfer(miner, BURNT_FUNDS, &pay) {
        state.update_miner(miner, |miner| miner.fee_debt = debt - pay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Actor, MinerState};

    fn fil(n: i64) -> TokenAmount {
        TokenAmount::from_whole(n)
    }

    fn tree(pot: i64) -> StateTree {
        let mut tree = StateTree::default();
        let reward = ActorState::Reward(crate::state::RewardState { epoch_reward: fil(10), ..Default::default() });
        tree.put(REWARD, Actor::new(reward).with_balance(fil(pot)));
        tree.put(BURNT_FUNDS, Actor::new(ActorState::Cron));
        let info = crate::state::Info::new(100, 101, 2048).unwrap();
        let miner = MinerState::new(1000, info, &tree.rules().deadlines, 0);
        tree.put(1000, Actor::new(ActorState::Miner(miner)));
        tree
    }

    #[test]
    fn pays_by_wins_and_burns_penalties() {
        let mut tree = tree(100);
        award(&mut tree, 1000, 2, &fil(3), &fil(0));
        assert_eq!(tree.get(1000).unwrap().balance, fil(7));
        award(&mut tree, 1000, 1, &fil(0), &fil(1));
        assert_eq!(tree.get(1000).unwrap().balance, fil(6));
        assert_eq!(tree.supply(), fil(100));
    }

    #[test]
    fn debt_is_what_could_not_be_paid() {
        let mut tree = tree(100);
        award(&mut tree, 1000, 1, &fil(0), &fil(2));
        assert_eq!(tree.get(1000).unwrap().balance, fil(0));
        assert_eq!(tree.miner(1000).unwrap().fee_debt, fil(4));
        award(&mut tree, 1000, 3, &fil(0), &fil(0));
        assert_eq!(tree.get(1000).unwrap().balance, fil(2));
        assert_eq!(tree.miner(1000).unwrap().fee_debt, fil(0));
        assert_eq!(tree.supply(), fil(100));
    }

    #[test]
    fn an_empty_pot_pays_what_it_has() {
        let mut tree = tree(1);
        award(&mut tree, 1000, 5, &fil(0), &fil(0));
        award(&mut tree, 1000, 5, &fil(0), &fil(0));
        assert_eq!(tree.get(1000).unwrap().balance, fil(1));
    }
}

use venus_core::actors::miner::*;
use venus_core::actors::reward::AwardBlockRewardParams;

use super::*;
use crate::state::{BURNT_FUNDS, REWARD};

fn withdraw(world: &mut World, from: u8, amount: TokenAmount) -> Applied {
    let params = WithdrawBalanceParams { amount_requested: amount };
    world.call(from, MINER, WITHDRAW_BALANCE, params.to_cbor(), atto(0))
}

/// A miner whose rewards, 50 FIL for an epoch of five wins, vest over 180 epochs.
fn world() -> World {
    World::with(DevnetConfig { epoch_reward: fil(50), vesting_period: 180, ..DevnetConfig::default() })
}

fn available(world: &World) -> TokenAmount {
    NativeVm.view(&world.state, world.state.next_epoch()).available_balance(MINER_ID).unwrap()
}

/// Pays a block out of nothing but the system's word, as blocks with penalties do.
fn award(world: &mut World, win_count: i64, penalty: TokenAmount) {
    let params = AwardBlockRewardParams { miner: MINER, penalty, gas_reward: atto(0), win_count };
    let message = Message {
        from: Address::new_id(0),
        to: Address::new_id(REWARD),
        method_num: 2,
        params: params.to_cbor().into(),
        ..MessageRequest::transfer(key(1), key(1), atto(0)).message
    };
    let done = crate::vm::message::run(&mut world.state, 0, &message, 0, u64::MAX, false);
    assert_eq!(done.receipt.exit_code, OK, "{}", done.reason);
    world.check();
}

#[test]
fn a_quarter_of_a_reward_is_free_and_the_rest_vests() {
    let mut world = world();
    let pledge = world.miner().initial_pledge.clone();
    world.mine(1, &[(MINER_ID, 2)], &[]);
    assert_eq!(world.balance(MINER_ID), fil(20) + &pledge);
    assert_eq!((world.miner().locked_funds.clone(), available(&world)), (fil(15), fil(5)));
    assert_eq!(world.state.reward().unwrap().total, fil(20));
    world.advance_to(91);
    let half = available(&world);
    assert!(half > fil(12) && half < fil(13), "{half}");
    world.advance_to(200);
    assert_eq!(available(&world), fil(20));
    assert_eq!(withdraw(&mut world, OWNER, fil(1000)).receipt.return_data, fil(20).to_cbor());
    assert_eq!((world.balance(MINER_ID), world.miner().locked_funds.clone()), (pledge, atto(0)));
    let table = world.call(5, MINER, 1_726_876_304, Vec::new(), atto(0)).receipt.return_data;
    assert_eq!(table, [0x81, 0x80]);
    let left: TokenAmount = world.returns(5, MINER, 4_026_106_874, Vec::new());
    assert_eq!(left, atto(0));
}

#[test]
fn several_miners_of_a_tipset_are_paid_by_their_wins() {
    let mut world = world();
    let before = world.balance(REWARD);
    world.mine(3, &[(MINER_ID, 1), (MINER_ID, 3)], &[]);
    assert_eq!(before - world.balance(REWARD), fil(40));
    // What does not reach a miner is burned.
    world.mine(4, &[(id(3), 1)], &[]);
    assert_eq!(world.balance(BURNT_FUNDS), fil(10));
}

#[test]
fn withdrawals_are_for_the_owner_and_of_what_is_free() {
    let mut world = world();
    world.mine(1, &[(MINER_ID, 1)], &[]);
    assert_eq!(withdraw(&mut world, WORKER, fil(1)).receipt.exit_code, FORBIDDEN);
    assert_eq!(withdraw(&mut world, OWNER, fil(-1)).receipt.exit_code, ARGUMENT);
    let before = world.balance(id(OWNER));
    let done = withdraw(&mut world, OWNER, fil(1));
    assert_eq!(done.receipt.return_data, fil(1).to_cbor());
    assert_eq!(world.balance(id(OWNER)), before + fil(1) - done.gas.unwrap().total_cost());
    assert_eq!(withdraw(&mut world, OWNER, fil(0)).receipt.return_data, fil(0).to_cbor());
    assert_eq!(world.code(OWNER, MINER, WITHDRAW_BALANCE, &1u64), SERIALIZATION);
}

#[test]
fn penalties_cost_thrice_and_take_what_is_locked_first() {
    let mut world = world();
    award(&mut world, 1, atto(0));
    let free = available(&world);
    award(&mut world, 1, fil(1));
    // Three of 7.5 + 7.5 that are locked went, nothing of what is free.
    assert_eq!(world.miner().locked_funds, fil(12));
    assert_eq!((available(&world), world.balance(BURNT_FUNDS)), (free.clone() + free, fil(3)));
}

#[test]
fn debt_keeps_from_withdrawing_until_it_is_repaid() {
    let mut world = world();
    award(&mut world, 1, fil(10));
    // All of the reward is gone, and 20 FIL are owed still.
    let owed = fil(20);
    assert_eq!((world.miner().fee_debt.clone(), world.balance(BURNT_FUNDS)), (owed.clone(), fil(10)));
    assert_eq!(withdraw(&mut world, OWNER, fil(1)).receipt.exit_code, FUNDS);
    let repay = |world: &mut World, from, value| {
        world.call(from, MINER, REPAY_DEBT, Vec::new(), value).receipt.exit_code
    };
    assert_eq!(repay(&mut world, 3, fil(1)), FORBIDDEN);
    assert_eq!(repay(&mut world, WORKER, fil(15)), OK);
    assert_eq!(world.miner().fee_debt, fil(5));
    assert_eq!(repay(&mut world, OWNER, fil(15)), OK);
    assert_eq!((world.miner().fee_debt.clone(), world.balance(BURNT_FUNDS) >= fil(30)), (atto(0), true));
    assert_eq!(withdraw(&mut world, OWNER, fil(100)).receipt.return_data, fil(10).to_cbor());
    assert_eq!(world.call(OWNER, MINER, REPAY_DEBT, vec![1], atto(0)).receipt.exit_code, ARGUMENT);
}

#[test]
fn a_withdrawal_pays_debts_first() {
    let mut world = world();
    award(&mut world, 1, fil(10));
    world.call(4, MINER, 0, Vec::new(), fil(50));
    assert_eq!(withdraw(&mut world, OWNER, fil(100)).receipt.return_data, fil(30).to_cbor());
    assert!(world.miner().fee_debt.is_zero());
}

#[test]
fn the_end_of_a_deadline_releases_and_repays() {
    let mut world = world();
    award(&mut world, 1, fil(10));
    world.call(4, MINER, 0, Vec::new(), fil(50));
    assert_eq!(world.miner().fee_debt, fil(20));
    world.advance_to(21);
    assert!(world.miner().fee_debt.is_zero(), "within one deadline");
}

#[test]
fn the_last_rewards_are_what_is_left() {
    let mut world = World::with(DevnetConfig { epoch_reward: fil(1_000_000_000), ..DevnetConfig::default() });
    world.mine(1, &[(MINER_ID, 5), (MINER_ID, 5)], &[]);
    assert_eq!(world.balance(REWARD), atto(0));
    world.mine(2, &[(MINER_ID, 5)], &[]);
    assert_eq!(world.state.reward().unwrap().total, fil(1_100_000_000));
}

use fvm_shared::address::Address;
use proptest::prelude::*;
use venus_core::api::MessageRequest;

use super::*;
use crate::vm::gas::inclusion_gas;
use crate::vm::{ApplyMode, NativeVm, Vm};

fn key(n: u8) -> Address {
    Address::new_bls(&[n; 48]).unwrap()
}

fn fil(n: i64) -> TokenAmount {
    TokenAmount::from_whole(n)
}

fn tree() -> StateTree {
    let mut tree = StateTree::default();
    let own = |id| ActorState::Account { address: Address::new_id(id) };
    tree.put(crate::state::INIT, Actor::new(ActorState::Init { next_id: 1000 }));
    tree.put(REWARD, Actor::new(ActorState::Cron));
    tree.put(BURNT_FUNDS, Actor::new(own(BURNT_FUNDS)));
    for n in [1, 2] {
        let actor = Actor::new(ActorState::Account { address: key(n) }).with_balance(fil(100));
        tree.put(99 + u64::from(n), actor);
    }
    tree
}

fn context() -> Context {
    Context { base_fee: TokenAmount::from_atto(100) }
}

fn transfer(to: Address, value: TokenAmount) -> Message {
    Message {
        gas_limit: 5_000_000,
        gas_fee_cap: TokenAmount::from_atto(1000),
        gas_premium: TokenAmount::from_atto(10),
        ..MessageRequest::transfer(key(1), to, value).message
    }
}

fn run(tree: &mut StateTree, message: &Message) -> Applied {
    let supply = tree.supply();
    let applied = apply(tree, &context(), message, 100, false);
    assert_eq!(tree.supply(), supply, "FIL is conserved");
    applied
}

fn balance(tree: &StateTree, address: &Address) -> TokenAmount {
    tree.find(address).map(|(_, actor)| actor.balance.clone()).unwrap_or_default()
}

#[test]
fn a_transfer_pays_value_burn_and_tip() {
    let mut tree = tree();
    let applied = run(&mut tree, &transfer(key(2), fil(7)));
    assert_eq!(applied.receipt.exit_code, ExitCode::OK);
    let used = applied.receipt.gas_used as u64;
    assert_eq!(used, inclusion_gas(100) + 500_000);
    let gas = GasOutputs::compute(
        used,
        5_000_000,
        &TokenAmount::from_atto(100),
        &TokenAmount::from_atto(1000),
        &TokenAmount::from_atto(10),
    );
    assert_eq!(balance(&tree, &key(2)), fil(107));
    assert_eq!(balance(&tree, &key(1)), fil(93) - gas.total_cost());
    assert_eq!(tree.get(BURNT_FUNDS).unwrap().balance, gas.base_fee_burn + gas.over_estimation_burn);
    assert_eq!(
        (tree.get(REWARD).unwrap().balance.clone(), applied.tip),
        (gas.miner_tip.clone(), gas.miner_tip)
    );
    assert_eq!(tree.find(&key(1)).unwrap().1.nonce, 1);
}

#[test]
fn recipients_that_are_keys_come_into_being() {
    let mut tree = tree();
    let secp = Address::new_secp256k1(&[4; 65]).unwrap();
    let eth = Address::new_delegated(10, &[7; 20]).unwrap();
    for (nonce, (to, id)) in [(key(9), 1000), (secp, 1001), (eth, 1002)].into_iter().enumerate() {
        let message = Message { sequence: nonce as u64, ..transfer(to, fil(1)) };
        let applied = run(&mut tree, &message);
        assert_eq!(applied.receipt.exit_code, ExitCode::OK, "{}", applied.reason);
        assert_eq!(applied.receipt.gas_used as u64, inclusion_gas(100) + 500_000 + 1_650_000);
        assert_eq!((tree.resolve(&to), balance(&tree, &to)), (Some(id), fil(1)));
    }
}

#[test]
fn failed_calls_cost_gas_and_nothing_else() {
    let account = Message { method_num: 3, ..transfer(key(2), fil(1)) };
    let constructor = Message { method_num: 1, ..transfer(key(2), fil(1)) };
    let actor = Address::new_actor(b"nobody");
    let tight = Message { gas_limit: inclusion_gas(100), ..transfer(key(2), fil(1)) };
    let cases = [
        (transfer(key(2), fil(100)), ExitCode::SYS_INSUFFICIENT_FUNDS),
        (transfer(key(9), fil(100)), ExitCode::SYS_INSUFFICIENT_FUNDS),
        (transfer(Address::new_id(77), fil(1)), ExitCode::SYS_INVALID_RECEIVER),
        (transfer(actor, fil(1)), ExitCode::SYS_INVALID_RECEIVER),
        (tight, ExitCode::SYS_OUT_OF_GAS),
        (Message { gas_limit: 50_000_000, ..account }, ExitCode::USR_UNHANDLED_MESSAGE),
        (Message { gas_limit: 50_000_000, ..constructor }, ExitCode::USR_FORBIDDEN),
    ];
    for (message, code) in cases {
        let mut tree = tree();
        let applied = run(&mut tree, &message);
        assert_eq!(applied.receipt.exit_code, code, "{}", applied.reason);
        assert!(applied.receipt.gas_used > 0 && applied.penalty.is_zero());
        assert_eq!((balance(&tree, &key(2)), tree.resolve(&key(9))), (fil(100), None));
        assert_eq!(tree.find(&key(1)).unwrap().1.nonce, 1, "a failed message uses its nonce");
        assert!(balance(&tree, &key(1)) < fil(100));
    }
}

#[test]
fn accounts_tell_their_key_and_take_notifications() {
    let mut tree = tree();
    let ask = Message { method_num: 2, ..transfer(key(2), fil(0)) };
    let applied = run(&mut tree, &ask);
    assert_eq!(applied.receipt.return_data, venus_core::cbor::Encode::to_cbor(&key(2)));
    let notify =
        Message { method_num: 1 << 24, sequence: 1, gas_limit: 50_000_000, ..transfer(key(2), fil(0)) };
    assert_eq!(run(&mut tree, &notify).receipt.exit_code, ExitCode::OK);
}

#[test]
fn what_no_block_should_hold_changes_nothing_and_the_miner_pays() {
    let poor = Message { gas_fee_cap: fil(1), ..transfer(key(2), fil(1)) };
    let cases = [
        (Message { from: key(7), ..transfer(key(2), fil(1)) }, ExitCode::SYS_SENDER_INVALID),
        (Message { from: Address::new_id(REWARD), ..transfer(key(2), fil(1)) }, ExitCode::SYS_SENDER_INVALID),
        (
            Message { from: Address::new_id(BURNT_FUNDS), ..transfer(key(2), fil(1)) },
            ExitCode::SYS_SENDER_INVALID,
        ),
        (Message { sequence: 1, ..transfer(key(2), fil(1)) }, ExitCode::SYS_SENDER_STATE_INVALID),
        (poor, ExitCode::SYS_SENDER_STATE_INVALID),
        (Message { gas_limit: 1000, ..transfer(key(2), fil(1)) }, ExitCode::SYS_OUT_OF_GAS),
    ];
    for (message, code) in cases {
        let mut tree = tree();
        let root = tree.root();
        let applied = run(&mut tree, &message);
        assert_eq!((applied.receipt.exit_code, applied.receipt.gas_used), (code, 0));
        assert!(applied.penalty.is_positive());
        assert_eq!(tree.root(), root);
    }
}

#[test]
fn an_ethereum_placeholder_becomes_an_account_by_its_first_message() {
    let mut tree = tree();
    let eth = Address::new_delegated(10, &[7; 20]).unwrap();
    run(&mut tree, &transfer(eth, fil(5)));
    let reply = Message { from: eth, ..transfer(key(1), fil(1)) };
    assert_eq!(run(&mut tree, &reply).receipt.exit_code, ExitCode::OK);
    let (_, actor) = tree.find(&eth).unwrap();
    assert!(matches!(actor.state(), ActorState::EthAccount { .. }));
    assert_eq!((actor.nonce, actor.delegated_address()), (1, Some(eth)));
}

#[test]
fn an_estimate_costs_nobody_anything() {
    let mut tree = tree();
    let message = Message { gas_limit: 0, gas_fee_cap: fil(0), sequence: 7, ..transfer(key(9), fil(1)) };
    let mode = ApplyMode::Estimate { chain_len: 100 };
    let before = tree.get(100).unwrap().balance.clone();
    let applied = NativeVm.apply_one(&mut tree, &context(), &message, mode);
    assert_eq!(applied.receipt.gas_used as u64, inclusion_gas(100) + 2_150_000);
    let sender = tree.get(100).unwrap();
    assert_eq!((&before - &sender.balance, sender.nonce), (fil(1), 0));
}

proptest! {
    #[test]
    fn fil_is_conserved_whatever_is_sent(
        sends in prop::collection::vec((0u8..6, 0u64..3, 0i64..200, 0u64..20_000_000, 0i64..2000, 0u64..4), 1..20),
    ) {
        let mut tree = tree();
        for (to, nonce, value, gas_limit, fee_cap, method_num) in sends {
            let message = Message {
                sequence: nonce,
                gas_limit,
                gas_fee_cap: TokenAmount::from_atto(fee_cap),
                gas_premium: TokenAmount::from_atto(fee_cap / 2),
                method_num,
                ..transfer(key(to), fil(value))
            };
            run(&mut tree, &message);
        }
    }
}

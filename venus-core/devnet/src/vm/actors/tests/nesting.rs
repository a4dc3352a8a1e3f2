use venus_core::actors::ActorKind;
use venus_core::actors::init::{EXEC, ExecParams, ExecReturn};
use venus_core::actors::multisig::{APPROVE, ConstructorParams, PROPOSE, ProposeParams, ProposeReturn};

use super::*;
use crate::state::{INIT, code};
use crate::vm::ApplyMode;
use crate::vm::machine::MAX_DEPTH;

fn wallet(world: &mut World, signers: Vec<Address>, value: TokenAmount) -> Address {
    let constructor =
        ConstructorParams { signers, num_approvals_threshold: 1, unlock_duration: 0, start_epoch: 0 };
    let params =
        ExecParams { code_cid: code(ActorKind::Multisig), constructor_params: constructor.to_cbor().into() };
    let made = world.call(1, Address::new_id(INIT), EXEC, params.to_cbor(), value);
    ExecReturn::from_cbor(&made.receipt.return_data).unwrap().id_address
}

fn propose(to: Address, method: u64, params: Vec<u8>) -> Vec<u8> {
    ProposeParams { to, value: atto(0), method, params: params.into() }.to_cbor()
}

/// A chain of wallets, each a signer of the next; the call that goes all the way through.
fn through(world: &mut World, wallets: u32) -> (Address, Vec<u8>) {
    let first = wallet(world, vec![key(1)], atto(0));
    let mut chain = vec![first];
    for _ in 1..wallets {
        let last = *chain.last().unwrap();
        chain.push(wallet(world, vec![last], atto(0)));
    }
    let mut params = propose(key(1), 0, Vec::new());
    for wallet in chain[1..].iter().rev() {
        params = propose(*wallet, PROPOSE, params);
    }
    (first, params)
}

/// How many of the proposals in a return value were applied and succeeded, and the code of the last.
fn depth(mut returned: Vec<u8>) -> (u32, ExitCode) {
    let mut depth = 0;
    loop {
        let Ok(done) = ProposeReturn::from_cbor(&returned) else { return (depth, OK) };
        if !done.code.is_success() {
            return (depth, done.code);
        }
        depth += 1;
        returned = done.return_data.bytes().to_vec();
    }
}

#[test]
fn calls_nest_up_to_a_depth() {
    let mut world = World::new();
    let (first, params) = through(&mut world, MAX_DEPTH);
    let done = world.call(1, first, PROPOSE, params, atto(0));
    assert_eq!(depth(done.receipt.return_data), (MAX_DEPTH, OK));
    let (first, params) = through(&mut world, MAX_DEPTH + 1);
    let done = world.call(1, first, PROPOSE, params, atto(0));
    assert_eq!(depth(done.receipt.return_data), (MAX_DEPTH, ExitCode::USR_ASSERTION_FAILED));
}

#[test]
fn a_call_that_fails_inside_is_undone_and_the_caller_goes_on() {
    let mut world = World::new();
    let a = wallet(&mut world, vec![key(1)], fil(10));
    // The inner call pays first and fails then: its constructor refuses.
    let bad = ExecParams { code_cid: code(ActorKind::Multisig), constructor_params: vec![0x80].into() };
    let params = ProposeParams {
        to: Address::new_id(INIT),
        value: fil(5),
        method: EXEC,
        params: bad.to_cbor().into(),
    };
    let next = world.state.next_id();
    let done: ProposeReturn = world.returns(1, a, PROPOSE, params.to_cbor());
    assert_eq!((done.applied, done.code), (true, SERIALIZATION));
    assert_eq!((world.balance(a.id().unwrap()), world.state.next_id()), (fil(10), next));
    assert_eq!(world.state.multisig(a.id().unwrap()).unwrap().next_txn, 1, "the proposal was made");
}

#[test]
fn gas_that_runs_out_inside_ends_everything() {
    let mut world = World::new();
    let (first, params) = through(&mut world, 5);
    let nonce = |world: &World| world.state.multisig(first.id().unwrap()).unwrap().next_txn;
    let whole = world.call(1, first, PROPOSE, params.clone(), atto(0)).receipt.gas_used as u64;
    let before = nonce(&world);
    for gas in [whole - 1, whole / 2, whole / 4] {
        let done = world.call_with_gas(1, first, PROPOSE, params.clone(), atto(0), gas);
        assert_eq!(done.receipt.exit_code, ExitCode::SYS_OUT_OF_GAS);
        assert_eq!((done.receipt.gas_used as u64, nonce(&world)), (gas, before));
    }
    let done = world.call_with_gas(1, first, PROPOSE, params, atto(0), whole);
    assert_eq!((done.receipt.exit_code, nonce(&world)), (OK, before + 1));
}

#[test]
fn traces_tell_of_calls_inside_and_change_nothing() {
    let mut world = World::new();
    let (first, params) = through(&mut world, 3);
    let root = world.state.root();
    let message = Message {
        method_num: PROPOSE,
        params: params.into(),
        ..MessageRequest::transfer(key(1), first, atto(0)).message
    };
    let context = Context { base_fee: atto(100) };
    let done = NativeVm.apply_one(&mut world.state.clone(), &context, &message, ApplyMode::Call);
    let mut trace = &done.trace.unwrap();
    let mut callers = vec![trace.msg.from];
    while let Some(inner) = trace.subcalls.first() {
        trace = inner;
        callers.push(trace.msg.from);
    }
    let ids: Vec<u64> = callers.iter().map(|a| a.id().unwrap()).collect();
    let wallet = first.id().unwrap();
    assert_eq!(ids, [id(1), wallet, wallet + 1, wallet + 2]);
    assert_eq!(trace.invoked_actor.as_ref().unwrap().id, id(1));
    assert_eq!(NativeVm.root(&world.state), root);
    assert!(done.gas.is_none() && APPROVE == 3);
}

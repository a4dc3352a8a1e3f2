use venus_core::actors::ActorKind;
use venus_core::actors::init::{EXEC, ExecParams, ExecReturn};
use venus_core::actors::multisig::*;
use venus_core::types::{METHOD_SEND, RawBytes};

use super::*;
use crate::state::{INIT, MultisigState, code};

const INIT_ADDRESS: Address = Address::new_id(INIT);

fn wallet(signers: &[u8], threshold: u64, unlock_duration: ChainEpoch) -> ConstructorParams {
    ConstructorParams {
        signers: signers.iter().map(|n| key(*n)).collect(),
        num_approvals_threshold: threshold,
        unlock_duration,
        start_epoch: 0,
    }
}

fn exec(kind: ActorKind, params: &impl Encode) -> Vec<u8> {
    ExecParams { code_cid: code(kind), constructor_params: params.to_cbor().into() }.to_cbor()
}

/// A world with a wallet of 100 FIL.
fn world(signers: &[u8], threshold: u64, unlock_duration: ChainEpoch) -> (World, Address) {
    let mut world = World::new();
    let params = exec(ActorKind::Multisig, &wallet(signers, threshold, unlock_duration));
    let made = world.call(1, INIT_ADDRESS, EXEC, params, fil(100));
    assert_eq!(made.receipt.exit_code, OK, "{}", made.reason);
    let made = ExecReturn::from_cbor(&made.receipt.return_data).unwrap();
    assert_eq!(world.state.resolve(&made.robust_address), made.id_address.id().ok());
    (world, made.robust_address)
}

fn state(world: &World, wallet: Address) -> &MultisigState {
    world.state.multisig(world.state.resolve(&wallet).unwrap()).unwrap()
}

fn proposal(to: Address, value: TokenAmount, method: u64, params: Vec<u8>) -> Vec<u8> {
    ProposeParams { to, value, method, params: params.into() }.to_cbor()
}

fn pay(to: u8, value: TokenAmount) -> Vec<u8> {
    proposal(key(to), value, METHOD_SEND, Vec::new())
}

fn txn(id: i64) -> TxnIdParams {
    TxnIdParams { id, proposal_hash: Vec::new() }
}

/// Has the wallet, of which one signer is enough, call itself, and answers the exit code of that call.
#[track_caller]
fn call_itself(world: &mut World, wallet: Address, method: u64, params: &impl Encode) -> ExitCode {
    let params = proposal(wallet, atto(0), method, params.to_cbor());
    let done: ProposeReturn = world.returns(1, wallet, PROPOSE, params);
    assert!(done.applied);
    done.code
}

#[test]
fn wallets_are_made_by_anybody_and_refused_when_they_make_no_sense() {
    let (world, wallet_address) = world(&[1, 2], 2, 0);
    let made = state(&world, wallet_address);
    assert_eq!((made.signers.clone(), made.threshold, made.next_txn), (vec![id(1), id(2)], 2, 0));
    let refused = [
        (wallet(&[], 1, 0), ARGUMENT),
        (wallet(&[1, 1], 1, 0), ARGUMENT),
        (wallet(&[1, 2], 3, 0), ARGUMENT),
        (wallet(&[1, 2], 0, 0), ARGUMENT),
        (wallet(&[1], 1, -1), ARGUMENT),
        (ConstructorParams { signers: vec![key(1); 257], ..wallet(&[], 1, 0) }, ARGUMENT),
    ];
    let mut world = World::new();
    let next = world.state.next_id();
    for (params, code) in refused {
        let made = world.call(1, INIT_ADDRESS, EXEC, exec(ActorKind::Multisig, &params), fil(1));
        assert_eq!(made.receipt.exit_code, code, "{}", made.reason);
    }
    for kind in [ActorKind::Miner, ActorKind::Account, ActorKind::Paych] {
        let made = world.call(1, INIT_ADDRESS, EXEC, exec(kind, &wallet(&[1], 1, 0)), fil(1));
        assert_eq!(made.receipt.exit_code, FORBIDDEN);
    }
    assert_eq!(world.state.next_id(), next, "nothing was made");
    assert_eq!(world.code(1, INIT_ADDRESS, EXEC, &7u64), SERIALIZATION);
}

#[test]
fn signers_that_have_no_account_get_one() {
    let (world, wallet_address) = world(&[1, 77], 1, 0);
    let id = world.state.resolve(&key(77)).unwrap();
    assert_eq!(state(&world, wallet_address).signers[1], id);
}

#[test]
fn the_last_approval_makes_the_call() {
    let (mut world, wallet) = world(&[1, 2, 3], 2, 0);
    let proposed: ProposeReturn = world.returns(1, wallet, PROPOSE, pay(4, fil(30)));
    assert_eq!((proposed.txn_id, proposed.applied), (0, false));
    let hash = state(&world, wallet).pending.0[&0].hash().to_vec();
    let with = |proposal_hash: &[u8]| TxnIdParams { id: 0, proposal_hash: proposal_hash.to_vec() };
    assert_eq!(world.code(1, wallet, APPROVE, &txn(0)), FORBIDDEN, "twice");
    assert_eq!(world.code(4, wallet, APPROVE, &txn(0)), FORBIDDEN, "no signer");
    assert_eq!(world.code(2, wallet, APPROVE, &txn(1)), NOT_FOUND);
    assert_eq!(world.code(2, wallet, APPROVE, &with(&[7; 32])), ARGUMENT);
    let before = world.balance(id(4));
    let approved: ApproveReturn = world.returns(2, wallet, APPROVE, with(&hash).to_cbor());
    assert!(approved.applied && approved.code.is_success());
    assert_eq!(world.balance(id(4)), before + fil(30));
    assert_eq!(world.code(3, wallet, APPROVE, &txn(0)), NOT_FOUND, "it is done");
    assert_eq!(state(&world, wallet).next_txn, 1);
}

#[test]
fn a_call_that_fails_ends_the_proposal() {
    let (mut world, wallet) = world(&[1], 1, 0);
    let done: ProposeReturn = world.returns(1, wallet, PROPOSE, proposal(key(2), fil(1), 99, Vec::new()));
    assert_eq!((done.applied, done.code), (true, UNHANDLED));
    assert!(state(&world, wallet).pending.0.is_empty());
    assert_eq!(world.balance(world.state.resolve(&wallet).unwrap()), fil(100), "the value stayed");
}

#[test]
fn only_the_proposer_cancels() {
    let (mut world, wallet) = world(&[1, 2], 2, 0);
    let _: ProposeReturn = world.returns(1, wallet, PROPOSE, pay(4, fil(30)));
    assert_eq!(world.code(2, wallet, CANCEL, &txn(0)), FORBIDDEN);
    assert_eq!(world.code(4, wallet, CANCEL, &txn(0)), FORBIDDEN);
    assert_eq!(world.code(1, wallet, CANCEL, &txn(5)), NOT_FOUND);
    let wrong = TxnIdParams { id: 0, proposal_hash: vec![1] };
    assert_eq!(world.code(1, wallet, CANCEL, &wrong), STATE);
    assert_eq!(world.code(1, wallet, CANCEL, &txn(0)), OK);
    assert_eq!(world.code(2, wallet, APPROVE, &txn(0)), NOT_FOUND);
}

#[test]
fn what_is_locked_is_released_evenly() {
    let (mut world, wallet) = world(&[1], 1, 100);
    assert_eq!(world.code(1, wallet, PROPOSE, &Raw(pay(4, fil(2)))), FUNDS, "1 of 100 FIL is free");
    let _: ProposeReturn = world.returns(1, wallet, PROPOSE, pay(4, fil(1)));
    // Calls without value pass even if less than what is locked is left.
    let _: ProposeReturn = world.returns(1, wallet, PROPOSE, pay(4, fil(0)));
    world.advance_to(49);
    assert_eq!(world.code(1, wallet, PROPOSE, &Raw(pay(4, fil(50)))), FUNDS);
    let _: ProposeReturn = world.returns(1, wallet, PROPOSE, pay(4, fil(49)));
    world.advance_to(99);
    assert_eq!(world.code(1, wallet, PROPOSE, &Raw(pay(4, fil(51)))), FUNDS, "there are 50");
    let _: ProposeReturn = world.returns(1, wallet, PROPOSE, pay(4, fil(50)));
    assert_eq!(world.code(1, wallet, PROPOSE, &Raw(pay(4, fil(-1)))), ARGUMENT);
}

/// Bytes that are CBOR already.
struct Raw(Vec<u8>);

impl Encode for Raw {
    fn encode(&self, w: &mut venus_core::cbor::Writer) {
        w.raw(&self.0);
    }
}

#[test]
fn a_wallet_changes_its_signers_itself_and_nobody_else_does() {
    let (mut world, wallet) = world(&[1, 2], 1, 0);
    let add = |n, increase| AddSignerParams { signer: key(n), increase };
    let remove = |n, decrease| RemoveSignerParams { signer: key(n), decrease };
    let swap = |from, to| SwapSignerParams { from: key(from), to: key(to) };
    assert_eq!(world.code(1, wallet, ADD_SIGNER, &add(3, false)), FORBIDDEN);
    assert_eq!(world.code(1, wallet, REMOVE_SIGNER, &remove(2, false)), FORBIDDEN);
    assert_eq!(world.code(1, wallet, SWAP_SIGNER, &swap(2, 3)), FORBIDDEN);
    let threshold = |new_threshold| ChangeNumApprovalsThresholdParams { new_threshold };
    assert_eq!(world.code(1, wallet, CHANGE_NUM_APPROVALS_THRESHOLD, &threshold(1)), FORBIDDEN);

    assert_eq!(call_itself(&mut world, wallet, ADD_SIGNER, &add(2, false)), FORBIDDEN);
    assert_eq!(call_itself(&mut world, wallet, ADD_SIGNER, &add(3, false)), OK);
    assert_eq!(state(&world, wallet).signers, [id(1), id(2), id(3)]);
    assert_eq!(call_itself(&mut world, wallet, SWAP_SIGNER, &swap(4, 5)), FORBIDDEN);
    assert_eq!(call_itself(&mut world, wallet, SWAP_SIGNER, &swap(2, 3)), ARGUMENT);
    assert_eq!(call_itself(&mut world, wallet, SWAP_SIGNER, &swap(2, 4)), OK);
    assert_eq!(state(&world, wallet).signers, [id(1), id(3), id(4)]);
    assert_eq!(call_itself(&mut world, wallet, REMOVE_SIGNER, &remove(5, false)), FORBIDDEN);
    assert_eq!(call_itself(&mut world, wallet, REMOVE_SIGNER, &remove(4, true)), ARGUMENT);
    assert_eq!(call_itself(&mut world, wallet, REMOVE_SIGNER, &remove(4, false)), OK);
    assert_eq!(call_itself(&mut world, wallet, REMOVE_SIGNER, &remove(3, false)), OK);
    assert_eq!(call_itself(&mut world, wallet, REMOVE_SIGNER, &remove(1, false)), FORBIDDEN, "the last");
    for (new, code) in [(0, ARGUMENT), (2, ARGUMENT), (1, OK)] {
        let params = threshold(new);
        assert_eq!(call_itself(&mut world, wallet, CHANGE_NUM_APPROVALS_THRESHOLD, &params), code);
    }
    assert_eq!(call_itself(&mut world, wallet, ADD_SIGNER, &add(2, true)), OK);
    assert_eq!(state(&world, wallet).threshold, 2);
}

#[test]
fn approvals_of_who_goes_are_forgotten() {
    let (mut world, wallet) = world(&[1, 2, 3], 2, 0);
    let _: ProposeReturn = world.returns(3, wallet, PROPOSE, pay(4, fil(1)));
    let remove = RemoveSignerParams { signer: key(3), decrease: false };
    let params = proposal(wallet, atto(0), REMOVE_SIGNER, remove.to_cbor());
    let _: ProposeReturn = world.returns(1, wallet, PROPOSE, params);
    let done: ApproveReturn = world.returns(2, wallet, APPROVE, txn(1).to_cbor());
    assert_eq!((done.applied, done.code), (true, OK));
    assert_eq!(world.code(1, wallet, APPROVE, &txn(0)), NOT_FOUND, "only he had approved");
}

#[test]
fn a_lower_threshold_makes_the_next_approval_a_call() {
    let (mut world, wallet) = world(&[1, 2, 3], 2, 0);
    let _: ProposeReturn = world.returns(1, wallet, PROPOSE, pay(4, fil(1)));
    let lower = ChangeNumApprovalsThresholdParams { new_threshold: 1 };
    let params = proposal(wallet, atto(0), CHANGE_NUM_APPROVALS_THRESHOLD, lower.to_cbor());
    let _: ProposeReturn = world.returns(1, wallet, PROPOSE, params);
    let _: ApproveReturn = world.returns(2, wallet, APPROVE, txn(1).to_cbor());
    let done: ApproveReturn = world.returns(1, wallet, APPROVE, txn(0).to_cbor());
    assert!(done.applied, "one approval is enough by now");
}

#[test]
fn a_balance_is_locked_once() {
    let (mut world, wallet) = world(&[1], 1, 0);
    let lock = |unlock_duration, amount| LockBalanceParams { start_epoch: 10, unlock_duration, amount };
    assert_eq!(world.code(1, wallet, LOCK_BALANCE, &lock(10, fil(50))), FORBIDDEN);
    assert_eq!(call_itself(&mut world, wallet, LOCK_BALANCE, &lock(0, fil(50))), ARGUMENT);
    assert_eq!(call_itself(&mut world, wallet, LOCK_BALANCE, &lock(10, fil(-1))), ARGUMENT);
    assert_eq!(call_itself(&mut world, wallet, LOCK_BALANCE, &lock(10, fil(50))), OK);
    assert_eq!(call_itself(&mut world, wallet, LOCK_BALANCE, &lock(10, fil(10))), FORBIDDEN);
    assert_eq!(world.code(1, wallet, PROPOSE, &Raw(pay(4, fil(51)))), FUNDS);
    let _: ProposeReturn = world.returns(1, wallet, PROPOSE, pay(4, fil(50)));
}

#[test]
fn exported_numbers_do_the_same_and_unknown_ones_are_notifications() {
    let (mut world, wallet) = world(&[1], 1, 0);
    let _: ProposeReturn = world.returns(1, wallet, 1_696_838_335, pay(4, fil(1)));
    assert_eq!(world.code(4, wallet, 3_726_118_371, &RawBytes::default()), OK);
    assert_eq!(world.code(4, wallet, 77, &RawBytes::default()), UNHANDLED);
    assert_eq!(world.code(4, wallet, CONSTRUCTOR, &self::wallet(&[4], 1, 0)), FORBIDDEN);
    assert_eq!(world.code(1, wallet, PROPOSE, &3u64), SERIALIZATION);
}

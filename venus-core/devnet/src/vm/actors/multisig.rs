//! Wallets of several keys.

mod signers;

use fvm_shared::ActorID;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use venus_core::actors::multisig::{
    APPROVE, ApproveReturn, CANCEL, CONSTRUCTOR, ConstructorParams, PROPOSE, ProposeParams, ProposeReturn,
    TxnIdParams,
};
use venus_core::cbor::Encode;
use venus_core::types::RawBytes;

use super::{Method, row};
use crate::state::{ActorState, INIT, MultisigState, Transaction};
use crate::vm::abort::{Abort, Returned};
use crate::vm::gas::OTHER_METHOD;
use crate::vm::runtime::{Runtime, read};

/// Most signers of a wallet.
const MAX_SIGNERS: usize = 256;

pub(super) const METHODS: &[Method] = &[
    row(&[CONSTRUCTOR], OTHER_METHOD, constructor),
    row(&[PROPOSE, 1_696_838_335], OTHER_METHOD, propose),
    row(&[APPROVE, 1_289_044_053], OTHER_METHOD, approve),
    row(&[CANCEL, 3_365_893_656], OTHER_METHOD, cancel),
    row(signers::ADD, OTHER_METHOD, signers::add),
    row(signers::REMOVE, OTHER_METHOD, signers::remove),
    row(signers::SWAP, OTHER_METHOD, signers::swap),
    row(signers::CHANGE_THRESHOLD, OTHER_METHOD, signers::change_threshold),
    row(signers::LOCK, OTHER_METHOD, signers::lock_balance),
];

fn constructor(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    rt.require_caller(&[INIT])?;
    let params: ConstructorParams = read(params)?;
    if params.signers.is_empty() || params.signers.len() > MAX_SIGNERS {
        return Err(Abort::argument(format!("a wallet has 1 to {MAX_SIGNERS} signers")));
    }
    let mut signers = Vec::new();
    for address in &params.signers {
        let id = rt.resolve_or_create(address)?;
        if signers.contains(&id) {
            return Err(Abort::argument(format!("{address} signs twice")));
        }
        signers.push(id);
    }
    if !(1..=signers.len() as u64).contains(&params.num_approvals_threshold) {
        return Err(Abort::argument("at least one and at most all signers must approve"));
    }
    if params.unlock_duration < 0 {
        return Err(Abort::argument("the unlock duration cannot be negative"));
    }
    let mut state =
        MultisigState { signers, threshold: params.num_approvals_threshold, ..MultisigState::default() };
    if params.unlock_duration > 0 {
        set_locked(&mut state, params.start_epoch, params.unlock_duration, rt.value().clone());
    }
    rt.set_state(ActorState::Multisig(state));
    Ok(Vec::new())
}

fn set_locked(state: &mut MultisigState, start: ChainEpoch, duration: ChainEpoch, amount: TokenAmount) {
    state.start_epoch = start;
    state.unlock_duration = duration;
    state.initial_balance = amount;
}

fn propose(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    let proposer = calling_signer(rt)?;
    let params: ProposeParams = read(params)?;
    if params.value.is_negative() {
        return Err(Abort::argument("the value cannot be negative"));
    }
    let ProposeParams { to, value, method, params } = params;
    let transaction = Transaction { to, value, method, params, approved: vec![proposer] };
    let txn_id = rt.with_multisig(|state| {
        let id = state.next_txn;
        state.next_txn += 1;
        state.pending.to_mut().0.insert(id, transaction);
        id
    })?;
    let done = execute_if_approved(rt, txn_id)?;
    Ok(ProposeReturn { txn_id, applied: done.applied, code: done.code, return_data: done.return_data }
        .to_cbor())
}

fn approve(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    let approver = calling_signer(rt)?;
    let params: TxnIdParams = read(params)?;
    let transaction = pending(rt, params.id)?;
    if !params.proposal_hash.is_empty() && params.proposal_hash != transaction.hash() {
        return Err(Abort::argument("the hash is not that of the proposal"));
    }
    // The threshold may have been lowered since the last approval.
    let done = execute_if_approved(rt, params.id)?;
    if done.applied {
        return Ok(done.to_cbor());
    }
    if transaction.approved.contains(&approver) {
        return Err(Abort::forbidden(format!("f0{approver} has approved already")));
    }
    rt.with_multisig(|state| {
        if let Some(transaction) = state.pending.to_mut().0.get_mut(&params.id) {
            transaction.approved.push(approver);
        }
    })?;
    Ok(execute_if_approved(rt, params.id)?.to_cbor())
}

fn cancel(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    let caller = calling_signer(rt)?;
    let params: TxnIdParams = read(params)?;
    let transaction = pending(rt, params.id)?;
    if transaction.approved.first() != Some(&caller) {
        return Err(Abort::forbidden("only the proposer can cancel"));
    }
    if !params.proposal_hash.is_empty() && params.proposal_hash != transaction.hash() {
        return Err(Abort::state("the hash is not that of the proposal"));
    }
    rt.with_multisig(|state| state.pending.to_mut().0.remove(&params.id))?;
    Ok(Vec::new())
}

fn calling_signer(rt: &Runtime<'_, '_>) -> Result<ActorID, Abort> {
    rt.require_signable()?;
    let caller = rt.caller();
    if rt.multisig()?.signers.contains(&caller) {
        return Ok(caller);
    }
    Err(Abort::forbidden(format!("f0{caller} is no signer")))
}

fn pending(rt: &Runtime<'_, '_>, id: i64) -> Result<Transaction, Abort> {
    let found = rt.multisig()?.pending.0.get(&id).cloned();
    found.ok_or_else(|| Abort::not_found(format!("no proposal {id} is pending")))
}

/// Makes the call if enough approve. That it fails does not fail the approval: the proposal is done.
fn execute_if_approved(rt: &mut Runtime<'_, '_>, id: i64) -> Result<ApproveReturn, Abort> {
    let transaction = pending(rt, id)?;
    if (transaction.approved.len() as u64) < rt.multisig()?.threshold {
        let return_data = RawBytes::default();
        return Ok(ApproveReturn { applied: false, code: ExitCode::OK, return_data });
    }
    check_available(rt, &transaction.value)?;
    let Transaction { to, value, method, params, .. } = transaction;
    let called = rt.send(&to, method, params.bytes().to_vec(), &value)?;
    // The call may have changed this very wallet, its proposals included.
    rt.with_multisig(|state| state.pending.to_mut().0.remove(&id))?;
    Ok(ApproveReturn { applied: true, code: called.code, return_data: called.returned.into() })
}

fn check_available(rt: &Runtime<'_, '_>, value: &TokenAmount) -> Result<(), Abort> {
    let left = rt.balance() - value;
    if left.is_negative() {
        return Err(Abort::funds("the balance does not cover the value"));
    }
    // Calls without value are no matter of what is locked.
    if value.is_positive() && left < rt.multisig()?.locked(rt.epoch()) {
        return Err(Abort::funds("the value is locked"));
    }
    Ok(())
}

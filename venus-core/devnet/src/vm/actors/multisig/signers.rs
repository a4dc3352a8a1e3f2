//! What a wallet changes in itself, by a call that its signers approved.

use fvm_shared::{ActorID, MethodNum};
use venus_core::actors::multisig::{
    ADD_SIGNER, AddSignerParams, CHANGE_NUM_APPROVALS_THRESHOLD, ChangeNumApprovalsThresholdParams,
    LOCK_BALANCE, LockBalanceParams, REMOVE_SIGNER, RemoveSignerParams, SWAP_SIGNER, SwapSignerParams,
};

use super::{MAX_SIGNERS, set_locked};
use crate::vm::abort::{Abort, Returned};
use crate::vm::runtime::{Runtime, read};

pub(super) const ADD: &[MethodNum] = &[ADD_SIGNER, 3_028_530_033];
pub(super) const REMOVE: &[MethodNum] = &[REMOVE_SIGNER, 21_182_899];
pub(super) const SWAP: &[MethodNum] = &[SWAP_SIGNER, 3_968_117_037];
pub(super) const CHANGE_THRESHOLD: &[MethodNum] = &[CHANGE_NUM_APPROVALS_THRESHOLD, 3_375_931_653];
pub(super) const LOCK: &[MethodNum] = &[LOCK_BALANCE, 1_999_470_977];

pub(super) fn add(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    require_self(rt)?;
    let params: AddSignerParams = read(params)?;
    let id = rt.resolve_or_create(&params.signer)?;
    let signers = &rt.multisig()?.signers;
    if signers.len() >= MAX_SIGNERS {
        return Err(Abort::forbidden(format!("a wallet has at most {MAX_SIGNERS} signers")));
    }
    if signers.contains(&id) {
        return Err(Abort::forbidden(format!("f0{id} is a signer already")));
    }
    rt.with_multisig(|state| {
        state.signers.push(id);
        state.threshold += u64::from(params.increase);
    })?;
    Ok(Vec::new())
}

pub(super) fn remove(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    require_self(rt)?;
    let params: RemoveSignerParams = read(params)?;
    let id = rt.resolve_or_create(&params.signer)?;
    let state = rt.multisig()?;
    require_signer(&state.signers, id)?;
    if state.signers.len() == 1 {
        return Err(Abort::forbidden("the only signer cannot go"));
    }
    let threshold = state.threshold.saturating_sub(u64::from(params.decrease));
    if threshold < 1 || threshold >= state.signers.len() as u64 {
        return Err(Abort::argument("too few or too many would have to approve"));
    }
    rt.with_multisig(|state| {
        state.threshold = threshold;
        state.signers.retain(|signer| *signer != id);
        state.purge_approvals(id);
    })?;
    Ok(Vec::new())
}

pub(super) fn swap(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    require_self(rt)?;
    let params: SwapSignerParams = read(params)?;
    let (from, to) = (rt.resolve_or_create(&params.from)?, rt.resolve_or_create(&params.to)?);
    let signers = &rt.multisig()?.signers;
    require_signer(signers, from)?;
    if signers.contains(&to) {
        return Err(Abort::argument(format!("f0{to} is a signer already")));
    }
    rt.with_multisig(|state| {
        state.signers.retain(|signer| *signer != from);
        state.signers.push(to);
        state.purge_approvals(from);
    })?;
    Ok(Vec::new())
}

pub(super) fn change_threshold(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    require_self(rt)?;
    let params: ChangeNumApprovalsThresholdParams = read(params)?;
    if !(1..=rt.multisig()?.signers.len() as u64).contains(&params.new_threshold) {
        return Err(Abort::argument("at least one and at most all signers must approve"));
    }
    rt.with_multisig(|state| state.threshold = params.new_threshold)?;
    Ok(Vec::new())
}

/// Locks once and for all: what is locked is never locked anew.
pub(super) fn lock_balance(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    require_self(rt)?;
    let params: LockBalanceParams = read(params)?;
    if params.unlock_duration <= 0 {
        return Err(Abort::argument("the unlock duration must be positive"));
    }
    if params.amount.is_negative() {
        return Err(Abort::argument("the amount cannot be negative"));
    }
    if rt.multisig()?.unlock_duration != 0 {
        return Err(Abort::forbidden("what is locked cannot be changed"));
    }
    rt.with_multisig(|state| set_locked(state, params.start_epoch, params.unlock_duration, params.amount))?;
    Ok(Vec::new())
}

fn require_self(rt: &Runtime<'_, '_>) -> Result<(), Abort> {
    rt.require_caller(&[rt.receiver()])
}

fn require_signer(signers: &[ActorID], id: ActorID) -> Result<(), Abort> {
    if signers.contains(&id) {
        return Ok(());
    }
    Err(Abort::forbidden(format!("f0{id} is no signer")))
}

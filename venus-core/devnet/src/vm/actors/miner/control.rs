//! Owner, worker, control addresses, and where to find the miner.

use fvm_shared::address::{Address, Payload};
use venus_core::actors::miner::{ChangeMultiaddrsParams, ChangePeerIdParams, ChangeWorkerAddressParams};

use super::creation::{control_address, control_addresses, worker_address};
use crate::state::{Info, WorkerChange};
use crate::vm::abort::{Abort, Returned};
use crate::vm::runtime::{Runtime, nothing, read};

/// Most control addresses of a miner.
pub(super) const MAX_CONTROL: usize = 10;
/// Longest peer ID, bytes.
const MAX_PEER_ID: usize = 128;
/// Bytes of all multiaddresses together.
const MAX_MULTIADDRS: usize = 1024;

/// Sets the control addresses at once, and proposes a worker that the owner may confirm after a finality.
pub(super) fn change_worker(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    let params: ChangeWorkerAddressParams = read(params)?;
    let control = control_addresses(rt, &params.new_control_addresses)?;
    let worker = worker_address(rt, &params.new_worker)?;
    rt.require_caller(&[rt.miner()?.info.owner])?;
    let effective_at = rt.epoch() + rt.state().rules().finality;
    change(rt, |info| {
        info.control = control;
        // A change that is pending stays as it is.
        if worker != info.worker && info.pending_worker.is_none() {
            info.pending_worker = Some(WorkerChange { worker, effective_at });
        }
    })
}

/// Makes the proposed worker the worker if its time has come; else changes nothing.
pub(super) fn confirm_worker(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    let info = &rt.miner()?.info;
    rt.require_caller(&[info.owner])?;
    match info.pending_worker {
        Some(due) if due.effective_at <= rt.epoch() => change(rt, |info| {
            info.worker = due.worker;
            info.pending_worker = None;
        }),
        _ => Ok(Vec::new()),
    }
}

pub(super) fn change_peer_id(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    let params: ChangePeerIdParams = read(params)?;
    check_peer_id(&params.new_id)?;
    require_control(rt)?;
    change(rt, |info| info.peer_id = params.new_id)
}

pub(super) fn change_multiaddrs(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    let params: ChangeMultiaddrsParams = read(params)?;
    check_multiaddrs(&params.new_multiaddrs)?;
    require_control(rt)?;
    change(rt, |info| info.multiaddrs = params.new_multiaddrs)
}

/// Proposes an owner or takes a proposal back, called by the owner; takes over, called by the one proposed.
pub(super) fn change_owner(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    let address: Address = read(params)?;
    if !matches!(address.payload(), Payload::ID(_)) {
        return Err(Abort::argument(format!("{address} is no ID address")));
    }
    let new = control_address(rt, &address)?;
    let info = &rt.miner()?.info;
    match info.pending_owner {
        Some(pending) if rt.caller() != info.owner => {
            rt.require_caller(&[pending])?;
            if new != pending {
                return Err(Abort::argument(format!("f0{pending} was proposed, not f0{new}")));
            }
            change(rt, |info| take_over(info, pending))
        }
        _ => {
            rt.require_caller(&[info.owner])?;
            change(rt, |info| info.pending_owner = Some(new).filter(|new| *new != info.owner))
        }
    }
}

fn take_over(info: &mut Info, owner: u64) {
    if info.beneficiary == info.owner {
        info.beneficiary = owner;
    }
    info.owner = owner;
    info.pending_owner = None;
    // What the former owner proposed is void.
    info.pending_beneficiary = None;
}

pub(super) fn change(rt: &mut Runtime<'_, '_>, change: impl FnOnce(&mut Info)) -> Returned {
    rt.with_miner(|miner| change(miner.info.to_mut()))?;
    Ok(Vec::new())
}

/// Fails unless the caller is owner, worker or a control address.
pub(super) fn require_control(rt: &Runtime<'_, '_>) -> Result<(), Abort> {
    if rt.miner()?.info.is_controlled_by(rt.caller()) {
        return Ok(());
    }
    Err(Abort::forbidden(format!("f0{} does not control the miner", rt.caller())))
}

pub(super) fn check_peer_id(id: &[u8]) -> Result<(), Abort> {
    if id.len() > MAX_PEER_ID {
        return Err(Abort::argument(format!("a peer ID has at most {MAX_PEER_ID} bytes")));
    }
    Ok(())
}

pub(super) fn check_multiaddrs(addresses: &[Vec<u8>]) -> Result<(), Abort> {
    if addresses.iter().any(Vec::is_empty) {
        return Err(Abort::argument("a multiaddress is empty"));
    }
    if addresses.iter().map(Vec::len).sum::<usize>() > MAX_MULTIADDRS {
        return Err(Abort::argument(format!("multiaddresses have at most {MAX_MULTIADDRS} bytes together")));
    }
    Ok(())
}

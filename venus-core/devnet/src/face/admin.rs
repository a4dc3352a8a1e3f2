//! `Devnet.*`: the control over the wire. All of them need the right `admin`; the README has a table of them.

use std::time::Duration;

use fvm_shared::address::Address;
use venus_core::json::Json;
use venus_core::rpc::{RpcError, codes};
use venus_core::types::MessageLookup;

use super::error::FaceError;
use super::methods::{Answer, Methods, method};
use super::{Face, Fault, FaultKind};
use crate::control::{
    AutoMine, ControlStatus, DevnetControl, MineReport, MineSpec, Producers, ReorgReport, ReorgSpec,
    RpcFaultKind, RpcFaultSpec, UntilSpec,
};
use crate::error::DevnetError;

pub(super) fn register(m: &mut Methods) {
    method!(m, Admin "Devnet.Status" () => status, .idempotent());
    method!(m, Admin "Devnet.Mine" (spec: MineSpec = "devnet.MineSpec") => mine);
    method!(m, Admin "Devnet.Advance" (epochs: u64 = "uint64") => advance);
    method!(m, Admin "Devnet.MineUntil" (spec: UntilSpec = "devnet.UntilSpec") => mine_until);
    method!(m, Admin "Devnet.NullRounds" (epochs: u64 = "uint64") => null_rounds);
    method!(m, Admin "Devnet.Fork" (spec: ReorgSpec = "devnet.ReorgSpec") => fork);
    method!(m, Admin "Devnet.AutoMine" (auto: AutoMine = "devnet.AutoMine") => auto_mine, .idempotent());
    method!(m, Admin "Devnet.Producers" (miners: Option<Vec<Json<Address>>> = "[]address.Address") => producers, .idempotent());
    method!(m, Admin "Devnet.FreezeHead" (frozen: bool = "bool") => freeze, .idempotent());
    method!(m, Admin "Devnet.InjectRpcFault" (spec: RpcFaultSpec = "devnet.RpcFaultSpec") => inject);
    method!(m, Admin "Devnet.ClearFaults" () => clear, .idempotent());
}

/// The methods are there only where there is a control.
fn control(face: &Face) -> Answer<&DevnetControl> {
    face.control.as_ref().ok_or_else(|| FaceError::said("this devnet has no control"))
}

impl From<DevnetError> for FaceError {
    fn from(error: DevnetError) -> Self {
        match error {
            DevnetError::Chain(error) => Self::Chain(error),
            other => Self::Said(RpcError::of(&other)),
        }
    }
}

async fn status(face: Face) -> Answer<ControlStatus> {
    Ok(control(&face)?.status())
}

async fn mine(face: Face, spec: MineSpec) -> Answer<MineReport> {
    Ok(control(&face)?.mine(&spec).await?)
}

async fn advance(face: Face, epochs: u64) -> Answer<MineReport> {
    Ok(control(&face)?.advance(epochs).await?)
}

async fn mine_until(face: Face, spec: UntilSpec) -> Answer<Json<MessageLookup>> {
    Ok(Json(control(&face)?.mine_until(&spec).await?))
}

async fn null_rounds(face: Face, epochs: u64) -> Answer<i64> {
    Ok(control(&face)?.null_rounds(epochs).await?)
}

async fn fork(face: Face, spec: ReorgSpec) -> Answer<ReorgReport> {
    Ok(control(&face)?.fork(&spec).await?)
}

async fn auto_mine(face: Face, auto: AutoMine) -> Answer<ControlStatus> {
    let control = control(&face)?;
    control.set_auto_mine(auto)?;
    Ok(control.status())
}

/// Null is all miners, and an empty list is none.
async fn producers(face: Face, miners: Option<Vec<Json<Address>>>) -> Answer<ControlStatus> {
    let control = control(&face)?;
    control.set_producers(match miners {
        None => Producers::All,
        Some(list) if list.is_empty() => Producers::Outside,
        Some(list) => Producers::Listed(list.into_iter().map(Json::into_inner).collect()),
    })?;
    Ok(control.status())
}

async fn freeze(face: Face, frozen: bool) -> Answer<ControlStatus> {
    let control = control(&face)?;
    control.set_frozen(frozen);
    Ok(control.status())
}

/// On this face only: others of the same devnet stay as they are.
async fn inject(face: Face, spec: RpcFaultSpec) -> Answer<bool> {
    let kind = match spec.kind {
        RpcFaultKind::Delay => FaultKind::Delay(Duration::from_millis(spec.ms)),
        RpcFaultKind::Error => FaultKind::Error { code: spec.code, message: spec.message },
        RpcFaultKind::Drop => FaultKind::Drop,
        RpcFaultKind::Disconnect => FaultKind::Disconnect,
        RpcFaultKind::SlowReader => FaultKind::SlowReader,
    };
    let injected = face.faults.inject(&spec.method, Fault { kind, count: spec.count });
    injected.map_err(|e| FaceError::Said(RpcError::new(codes::METHOD, e.to_string())))?;
    Ok(true)
}

async fn clear(face: Face) -> Answer<bool> {
    face.faults.clear();
    Ok(true)
}

//! `Devnet.*`: the control over the wire. All of them need the right `admin`; the README has a table of them.

use std::time::Duration;

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;
use venus_core::json::Json;
use venus_core::rpc::{RpcError, codes};
use venus_core::types::{BitField, MessageLookup};

use super::error::FaceError;
use super::methods::{Answer, Methods, method};
use super::{Face, Fault, FaultKind};
use crate::control::{
    AutoMine, ControlStatus, DevnetControl, MineReport, MineSpec, Producers, ReorgReport, ReorgSpec,
    RpcFaultKind, RpcFaultSpec, UntilSpec,
};
use crate::error::DevnetError;
use crate::vm::StateChange;

/// Most sectors of one request.
const MAX_SECTORS: usize = 10_000;
/// Longest text of a fault, bytes: many of them may wait.
const MAX_FAULT_TEXT: usize = 4096;

pub(super) fn register(m: &mut Methods) {
    method!(m, Admin "Devnet.Status" () => status, .idempotent());
    method!(m, Admin "Devnet.Mine" (spec: MineSpec = "devnet.MineSpec") => mine);
    method!(m, Admin "Devnet.Advance" (epochs: u64 = "uint64") => advance);
    method!(m, Admin "Devnet.MineUntil" (spec: UntilSpec = "devnet.UntilSpec") => mine_until);
    method!(m, Admin "Devnet.NullRounds" (epochs: u64 = "uint64") => null_rounds);
    method!(m, Admin "Devnet.Fork" (spec: ReorgSpec = "devnet.ReorgSpec") => fork);
    method!(m, Admin "Devnet.AutoMine" (auto: AutoMine = "devnet.AutoMine") => auto_mine, .idempotent());
    method!(m, Admin "Devnet.Producers" (miners: Option<Vec<Json<Address>>> = "[]address.Address") => producers, .idempotent());
    method!(m, Admin "Devnet.Fund" (address: Json<Address> = "address.Address", amount: Json<TokenAmount> = "big.Int") => fund);
    method!(m, Admin "Devnet.SetBalance" (address: Json<Address> = "address.Address", balance: Json<TokenAmount> = "big.Int") => set_balance, .idempotent());
    method!(m, Admin "Devnet.SetBaseFee" (base_fee: Json<TokenAmount> = "big.Int") => set_base_fee, .idempotent());
    method!(m, Admin "Devnet.GrantPower" (miner: Json<Address> = "address.Address", bytes: Json<BigInt> = "big.Int") => grant_power);
    method!(m, Admin "Devnet.FaultSectors" (miner: Json<Address> = "address.Address", sectors: Vec<u64> = "[]uint64") => fault_sectors, .idempotent());
    method!(m, Admin "Devnet.RecoverSectors" (miner: Json<Address> = "address.Address", sectors: Vec<u64> = "[]uint64") => recover_sectors, .idempotent());
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

async fn null_rounds(face: Face, epochs: u64) -> Answer<ChainEpoch> {
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

async fn fund(
    face: Face,
    Json(address): Json<Address>,
    Json(amount): Json<TokenAmount>,
) -> Answer<ChainEpoch> {
    change(face, StateChange::AddBalance { address, amount }).await
}

async fn set_balance(
    face: Face,
    Json(address): Json<Address>,
    Json(balance): Json<TokenAmount>,
) -> Answer<ChainEpoch> {
    change(face, StateChange::SetBalance { address, balance }).await
}

async fn set_base_fee(face: Face, Json(base_fee): Json<TokenAmount>) -> Answer<ChainEpoch> {
    change(face, StateChange::SetBaseFee { base_fee }).await
}

async fn grant_power(
    face: Face,
    Json(miner): Json<Address>,
    Json(bytes): Json<BigInt>,
) -> Answer<ChainEpoch> {
    change(face, StateChange::GrantPower { miner, raw: bytes.clone(), quality_adjusted: bytes }).await
}

async fn fault_sectors(face: Face, Json(miner): Json<Address>, sectors: Vec<u64>) -> Answer<ChainEpoch> {
    change(face, StateChange::FaultSectors { miner, sectors: numbers(sectors)? }).await
}

async fn recover_sectors(face: Face, Json(miner): Json<Address>, sectors: Vec<u64>) -> Answer<ChainEpoch> {
    change(face, StateChange::RecoverSectors { miner, sectors: numbers(sectors)? }).await
}

/// It waits for the disk.
async fn change(face: Face, change: StateChange) -> Answer<ChainEpoch> {
    let devnet = face.devnet.clone();
    let changed = tokio::task::spawn_blocking(move || devnet.change_state(change)).await;
    Ok(changed.map_err(|e| FaceError::said(e.to_string()))??)
}

fn numbers(sectors: Vec<u64>) -> Answer<BitField> {
    if sectors.is_empty() || sectors.len() > MAX_SECTORS {
        return Err(FaceError::said(format!("name between 1 and {MAX_SECTORS} sectors")));
    }
    BitField::try_from_bits(sectors).map_err(|e| FaceError::said(e.to_string()))
}

/// On this face only: others of the same devnet stay as they are.
async fn inject(face: Face, spec: RpcFaultSpec) -> Answer<bool> {
    if spec.method.starts_with("Devnet.") {
        return Err(FaceError::said("methods of the control never go wrong on purpose: name another"));
    }
    if spec.method.len().max(spec.message.len()) > MAX_FAULT_TEXT {
        return Err(FaceError::said(format!("method and message may have {MAX_FAULT_TEXT} bytes each")));
    }
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

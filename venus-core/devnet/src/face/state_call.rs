//! `StateCall`, `StateReplay` and `StateCompute`: executing for the answer's sake.

use std::time::Instant;

use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use num_bigint::BigInt;
use venus_core::api::{ChainError, ChainReader, SearchOptions, StateReader};
use venus_core::consensus::gas::GasOutputs;
use venus_core::json::Json;
use venus_core::types::{
    Address, Cid, ComputeStateOutput, ExecutionTrace, GasCost, InvocResult, IpldOp, MessageExt, MessageTrace,
    ReturnTrace, Tipset, TipsetKey,
};

use super::Face;
use super::error::FaceError;
use super::methods::{Answer, Methods, method};
use super::state::{pinned, state_at};
use crate::state::SYSTEM;
use crate::vm::Applied;

/// Gas limit of a message that nobody pays for, as nodes write it.
const FREE_GAS: u64 = (i64::MAX / 2) as u64;

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.StateCall" (msg: Json<Message> = "*types.Message", k: TipsetKey = "types.TipSetKey") => call, .idempotent());
    method!(m, Read "Filecoin.StateReplay" (k: TipsetKey = "types.TipSetKey", c: Json<Cid> = "cid.Cid") => replay, .idempotent());
    method!(m, Read "Filecoin.StateCompute" (h: ChainEpoch = "abi.ChainEpoch", m: Json<Vec<Message>> = "[]*types.Message", k: TipsetKey = "types.TipSetKey") => compute, .idempotent());
}

/// The message gets its sender's nonce and gas without bounds, whatever it says.
async fn call(face: Face, Json(message): Json<Message>, key: TipsetKey) -> Answer<InvocResult> {
    let at = state_at(&face, key).await?;
    let sender = at.view().tree.find(&message.from).map(|(_, actor)| actor.nonce);
    let sequence = sender.ok_or_else(|| {
        FaceError::said(format!("call raw get actor: resolve address {}: actor not found", face.text(&message.from)))
    })?;
    let message = Message { sequence, gas_limit: FREE_GAS, ..message };
    let begin = Instant::now();
    let applied = at.call(&message);
    Ok(result(&at.sizes(), message.cid(), message, applied, begin))
}

/// With the empty key the message is looked for on the chain; with another it has to be in that tipset.
async fn replay(face: Face, key: TipsetKey, Json(cid): Json<Cid>) -> Answer<InvocResult> {
    let tipset = match key.is_empty() {
        true => landed_in(&face, &cid).await?,
        false => face.devnet.tipset(&key).await?,
    };
    let begin = Instant::now();
    let traces = face.devnet.trace(&tipset)?;
    let found = traces.executed.into_iter().find(|(message, _)| message.cid() == cid || traces.signed_as(message, &cid));
    let (message, applied) = found.ok_or_else(|| FaceError::said("failed to replay msg: given message not found in tipset"))?;
    let mut replayed = result(&traces.sizes, cid, message, applied, begin);
    replayed.gas_cost.message = Some(cid);
    Ok(replayed)
}

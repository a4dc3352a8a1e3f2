//! `StateCall`, `StateReplay` and `StateCompute`: executing for the answer's sake.

use std::time::{Duration, Instant};

use fvm_shared::clock::ChainEpoch;
use fvm_shared::message::Message;
use num_bigint::BigInt;
use venus_core::api::{ChainError, ChainReader, SearchOptions, StateReader};
use venus_core::json::Json;
use venus_core::types::{
    Cid, ComputeStateOutput, ExecutionTrace, GasCost, InvocResult, MessageExt, MessageTrace, ReturnTrace,
    Tipset, TipsetKey,
};

use super::Face;
use super::error::FaceError;
use super::methods::{Answer, Methods, method};
use super::state::state_at;
use crate::reader::Traced;
use crate::vm::Applied;

/// Gas limit of a message that nobody pays for, as nodes write it.
const FREE_GAS: u64 = (i64::MAX / 2) as u64;
/// Most messages that `StateCompute` takes.
const MAX_MESSAGES: usize = 1000;

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.StateCall" (msg: Json<Message> = "types.Message", k: TipsetKey = "types.TipSetKey") => call, .idempotent());
    method!(m, Read "Filecoin.StateReplay" (k: TipsetKey = "types.TipSetKey", c: Json<Cid> = "cid.Cid") => replay, .idempotent());
    method!(m, Read "Filecoin.StateCompute" (h: ChainEpoch = "abi.ChainEpoch", m: Json<Vec<Message>> = "[]*types.Message", k: TipsetKey = "types.TipSetKey") => compute, .idempotent());
}

/// The message gets its sender's nonce and gas without bounds, whatever it says.
async fn call(face: Face, Json(message): Json<Message>, key: TipsetKey) -> Answer<InvocResult> {
    let at = state_at(&face, key).await?;
    let sender = at.view().tree.find(&message.from).map(|(_, actor)| actor.nonce);
    let sequence = sender.ok_or_else(|| {
        let text = face.text(&message.from);
        FaceError::said(format!("call raw get actor: resolve address {text}: actor not found"))
    })?;
    let message = Message { sequence, gas_limit: FREE_GAS, ..message };
    let begin = Instant::now();
    let applied = at.call(&message);
    Ok(result(message.cid(), message, applied, begin.elapsed()))
}

/// With the empty key the message is looked for on the chain; with another it has to be in that tipset.
async fn replay(face: Face, key: TipsetKey, Json(cid): Json<Cid>) -> Answer<InvocResult> {
    let (tipset, cid) = match key.is_empty() {
        true => landed(&face, &cid).await?,
        false => (face.devnet.tipset(&key).await?, cid),
    };
    let begin = Instant::now();
    let found = face.devnet.traces(&tipset)?.into_iter().find(|traced| traced.cid == cid);
    let Traced { message, applied, .. } =
        found.ok_or_else(|| FaceError::said("failed to replay msg: given message not found in tipset"))?;
    let mut replayed = result(cid, message, applied, begin.elapsed());
    replayed.gas_cost.message = Some(cid);
    Ok(replayed)
}

/// The tipset that has the message, and the CID by which it has it.
async fn landed(face: &Face, cid: &Cid) -> Answer<(std::sync::Arc<Tipset>, Cid)> {
    let found = face.devnet.search_message(cid, &SearchOptions::default()).await?;
    let found = found.ok_or(ChainError::MessageNotFound(*cid))?;
    let child = face.devnet.tipset(&found.tipset).await?;
    Ok((face.devnet.tipset(&child.parents()).await?, found.message))
}

/// The state after a tipset and then these messages, and what happened in the tipset. The messages are executed as
/// if blocks had them; what fails, fails silently, as in nodes.
async fn compute(
    face: Face,
    height: ChainEpoch,
    Json(messages): Json<Vec<Message>>,
    key: TipsetKey,
) -> Answer<ComputeStateOutput> {
    if messages.len() > MAX_MESSAGES {
        return Err(FaceError::said(format!("{} messages, expected at most {MAX_MESSAGES}", messages.len())));
    }
    let tipset = face.devnet.tipset(&key).await?;
    if height < tipset.height() {
        return Err(FaceError::said(format!(
            "height {height} lies below the tipset, which is at {}",
            tipset.height()
        )));
    }
    let traced = |Traced { cid, message, applied }| {
        let mut result = result(cid, message, applied, Duration::ZERO);
        result.gas_cost.message = Some(cid);
        result
    };
    let trace = face.devnet.traces(&tipset)?.into_iter().map(traced).collect();
    Ok(ComputeStateOutput { root: face.devnet.root_after(&tipset, &messages)?, trace })
}

fn result(msg_cid: Cid, msg: Message, applied: Applied, duration: Duration) -> InvocResult {
    let gas_cost = gas_cost(&applied);
    let code = applied.receipt.exit_code.value();
    let error = match code {
        0 => String::new(),
        code => format!("{} (RetCode={code})", applied.reason),
    };
    InvocResult {
        msg_cid,
        execution_trace: applied.trace.unwrap_or_else(|| refused(&msg, applied.receipt.exit_code)),
        msg,
        msg_rct: Some(applied.receipt),
        gas_cost,
        error,
        duration: i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX),
    }
}

/// Nothing, for a message that nobody pays for.
fn gas_cost(applied: &Applied) -> GasCost {
    let Some(gas) = &applied.gas else { return GasCost::default() };
    GasCost {
        message: None,
        gas_used: BigInt::from(applied.receipt.gas_used),
        total_cost: gas.total_cost(),
        base_fee_burn: gas.base_fee_burn.clone(),
        over_estimation_burn: gas.over_estimation_burn.clone(),
        miner_penalty: gas.miner_penalty.clone(),
        miner_tip: gas.miner_tip.clone(),
        refund: gas.refund.clone(),
    }
}

/// The trace of a message that was refused before it began.
fn refused(message: &Message, exit_code: fvm_shared::error::ExitCode) -> ExecutionTrace {
    ExecutionTrace {
        msg: MessageTrace {
            from: message.from,
            to: message.to,
            value: message.value.clone(),
            method: message.method_num,
            params: message.params.to_vec(),
            params_codec: 0,
            gas_limit: message.gas_limit,
            read_only: false,
        },
        msg_rct: ReturnTrace { exit_code, return_data: Vec::new(), return_codec: 0 },
        invoked_actor: None,
        gas_charges: Vec::new(),
        subcalls: Vec::new(),
        logs: Vec::new(),
        ipld_ops: Vec::new(),
    }
}

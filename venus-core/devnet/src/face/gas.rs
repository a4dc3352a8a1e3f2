//! `Gas*`.

use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use venus_core::api::ChainError;
use venus_core::json::Json;
use venus_core::types::{EstimateMessage, EstimateResult, MessageSendSpec, TipsetKey};

use super::Face;
use super::error::{FaceError, failed_in_venus, wire_error};
use super::methods::{Answer, Methods, method};

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.GasEstimateGasLimit" (msg: Json<Message> = "*types.Message", k: TipsetKey = "types.TipSetKey") => limit, .idempotent());
    method!(m, Read "Filecoin.GasEstimateGasPremium" (n: u64 = "uint64", a: Json<Address> = "address.Address", limit: i64 = "int64", k: TipsetKey = "types.TipSetKey") => premium, .idempotent());
    method!(m, Read "Filecoin.GasEstimateFeeCap" (msg: Json<Message> = "*types.Message", n: i64 = "int64", k: TipsetKey = "types.TipSetKey") => fee_cap, .idempotent());
    method!(m, Read "Filecoin.GasEstimateMessageGas" (msg: Json<Message> = "*types.Message", s: Json<Option<MessageSendSpec>> = "*types.MessageSendSpec", k: TipsetKey = "types.TipSetKey") => message, .idempotent());
    if m.venus() {
        method!(m, Read "Filecoin.GasBatchEstimateMessageGas" (msgs: Json<Vec<EstimateMessage>> = "[]*types.EstimateMessage", n: u64 = "uint64", k: TipsetKey = "types.TipSetKey") => batch, .idempotent());
    }
}

async fn limit(face: Face, Json(message): Json<Message>, key: TipsetKey) -> Answer<u64> {
    Ok(face.devnet.gas_limit(&message, &key).await?)
}

async fn premium(
    face: Face,
    blocks: u64,
    _: Json<Address>,
    _: i64,
    key: TipsetKey,
) -> Answer<Json<TokenAmount>> {
    Ok(Json(face.devnet.gas_premium(blocks, &key).await?))
}

async fn fee_cap(
    face: Face,
    Json(message): Json<Message>,
    epochs: i64,
    key: TipsetKey,
) -> Answer<Json<TokenAmount>> {
    Ok(Json(face.devnet.gas_fee_cap(&message, epochs, &key).await?))
}

async fn message(
    face: Face,
    Json(message): Json<Message>,
    spec: Json<Option<MessageSendSpec>>,
    key: TipsetKey,
) -> Answer<Json<Message>> {
    Ok(Json(face.devnet.gas_message(&message, spec.0.as_ref(), &key).await?))
}

/// A message that fails comes back as it was, without a nonce, and with the reason.
async fn batch(
    face: Face,
    Json(messages): Json<Vec<EstimateMessage>>,
    from_nonce: u64,
    key: TipsetKey,
) -> Answer<Json<Vec<EstimateResult>>> {
    let results = face.devnet.gas_batch(&messages, from_nonce, &key).await?;
    let results = messages.into_iter().zip(results).map(|(asked, result)| match result {
        Ok(message) => EstimateResult { msg: Some(message), err: String::new() },
        Err(error) => {
            EstimateResult { msg: Some(Message { sequence: 0, ..asked.msg }), err: reason(&face, error) }
        }
    });
    Ok(Json(results.collect()))
}

fn reason(face: &Face, error: ChainError) -> String {
    match error {
        ChainError::ExecutionFailed { .. } => format!("estimating gas limit: {}", failed_in_venus(&error)),
        other => wire_error(face.kind, &FaceError::Chain(other)).message,
    }
}

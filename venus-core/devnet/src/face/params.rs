//! `StateDecodeParams` and `StateEncodeParams`: parameters of actors between CBOR and the JSON that Go makes of them.

mod schema;
mod table;

use fvm_shared::MethodNum;
use fvm_shared::address::Address;
use serde_json::Value;
use venus_core::actors::{ActorKind, methods};
use venus_core::cbor::{Reader, Writer};
use venus_core::json::{self, Json};
use venus_core::types::{Cid, TipsetKey};

use self::schema::Shape;
use super::Face;
use super::error::FaceError;
use super::methods::{Answer, Methods, method};
use super::state::state_at;
use crate::state::kind_of;

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.StateDecodeParams" (a: Json<Address> = "address.Address", n: MethodNum = "abi.MethodNum", p: Json<Vec<u8>> = "[]uint8", k: TipsetKey = "types.TipSetKey") => decode, .idempotent());
    method!(m, Read "Filecoin.StateEncodeParams" (c: Json<Cid> = "cid.Cid", n: MethodNum = "abi.MethodNum", p: Value = "json.RawMessage") => encode, .idempotent());
}

async fn decode(
    face: Face,
    Json(address): Json<Address>,
    method: MethodNum,
    Json(params): Json<Vec<u8>>,
    key: TipsetKey,
) -> Answer<Value> {
    let at = state_at(&face, key).await?;
    let code = at.view().tree.find(&address).map(|(_, actor)| actor.code());
    let code = code.ok_or_else(|| FaceError::said("getting actor: actor not found"))?;
    let shape = shape_of(&code, method)?;
    json::with_network(face.prefix(), || to_json(shape, &params)).map_err(FaceError::said)
}

async fn encode(_: Face, Json(code): Json<Cid>, method: MethodNum, params: Value) -> Answer<Json<Vec<u8>>> {
    let mut w = Writer::new();
    shape_of(&code, method)?
        .write(&params, &mut w)
        .map_err(|e| FaceError::said(format!("json unmarshal: {e}")))?;
    Ok(Json(w.into_vec()))
}

/// The parameters as JSON; bytes behind them are an error.
fn to_json(shape: &Shape, params: &[u8]) -> Result<Value, String> {
    let mut r = Reader::new(params);
    let value = shape.read(&mut r)?;
    r.finish().map_err(|e| e.to_string())?;
    Ok(value)
}

fn shape_of(code: &Cid, method: MethodNum) -> Answer<&'static Shape> {
    let unknown =
        || FaceError::said(format!("getting params type: unknown method {method} for actor {code}"));
    let kind = kind_of(code).ok_or_else(unknown)?;
    let version = methods::actors_version(crate::genesis::NETWORK_VERSION);
    let name = methods::name(kind, version, method).ok_or_else(unknown)?;
    table::shape(kind, name).ok_or_else(|| undescribed(kind, name))
}

fn undescribed(kind: ActorKind, name: &str) -> FaceError {
    FaceError::said(format!(
        "getting params type: parameters of {kind}.{name} are not known; encode them yourself"
    ))
}

#[cfg(test)]
mod tests;

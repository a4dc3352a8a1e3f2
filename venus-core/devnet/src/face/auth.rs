//! `Auth*` and `Discover`, which Lotus has.

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use venus_core::api::Permissions;
use venus_core::json::Json;
use venus_core::rpc::{MethodSpec, Permission};

use super::Face;
use super::error::FaceError;
use super::methods::{Answer, Methods, method};
use super::token::{Tokens, names};

pub(super) fn register(m: &mut Methods) {
    if m.venus() {
        return;
    }
    method!(m, Read "Filecoin.AuthVerify" (t: String = "string") => verify, .idempotent());
    method!(m, Admin "Filecoin.AuthNew" (p: Json<Vec<String>> = "[]auth.Permission") => issue);
}

fn tokens(face: &Face) -> Answer<&Tokens> {
    face.tokens.as_ref().ok_or_else(|| FaceError::said("this node makes no tokens"))
}

async fn verify(face: Face, token: String) -> Answer<Vec<String>> {
    match tokens(&face)?.principal(&token).await {
        Ok(principal) => Ok(names(principal.permissions)),
        Err(_) => Err(FaceError::said("JWT Verification failed: jwt: HMAC verification failed")),
    }
}

/// The token is secret; whoever has the right to make one gets it as bytes.
async fn issue(face: Face, Json(allowed): Json<Vec<String>>) -> Answer<Json<Vec<u8>>> {
    let rights = allowed.iter().fold(Permissions::NONE, |rights, name| rights.with(name));
    Ok(Json(tokens(&face)?.issue(rights).expose_secret().as_bytes().to_vec()))
}

/// Names and parameters of all methods, as an OpenRPC document has them. To be called when all are there.
pub(super) fn register_discovery(m: &mut Methods) {
    if m.venus() {
        return;
    }
    let methods: Vec<Value> = m.table.iter().map(described).collect();
    let document = json!({
        "openrpc": "1.2.6",
        "info": { "title": "Devnet", "version": env!("CARGO_PKG_VERSION") },
        "methods": methods,
    });
    let spec = MethodSpec::new("Filecoin.Discover", Permission::Read, &[]).idempotent();
    m.add(spec, move |_, ()| std::future::ready(Ok(document.clone())));
}

fn described(spec: &MethodSpec) -> Value {
    let params: Vec<Value> = (1..)
        .zip(spec.params)
        .map(|(at, param): (usize, _)| json!({ "name": format!("p{at}"), "description": param.go_type, "required": true }))
        .collect();
    json!({ "name": spec.name, "params": params, "description": format!("needs the right {}", spec.permission.as_str()) })
}

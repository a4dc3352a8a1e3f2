//! What hub and wallet say to each other, in the bytes of Go, as far as it is not in [`venus_core::types::gateway`]: a
//! wallet reads requests more leniently than a hub writes them, to answer what is wrong with them.

use serde::{Deserialize, Serialize};
use venus_core::json::Json;
use venus_core::types::{Address, Signature};

pub(super) const LISTEN: &str = "Gateway.ListenWalletEvent";
pub(super) const RESPOND: &str = "Gateway.ResponseWalletEvent";
pub(super) const ADD_ADDRESS: &str = "Gateway.AddNewAddress";
pub(super) const REMOVE_ADDRESS: &str = "Gateway.RemoveAddress";
pub(super) const SUPPORT_ACCOUNT: &str = "Gateway.SupportNewAccount";
/// The API's name in [`NAMESPACE_HEADER`](venus_core::rpc::NAMESPACE_HEADER).
pub(super) const NAMESPACE: &str = "gateway.IGateway";

/// A request to sign. Our own hubs name the accounts on whose behalf they ask; Go's do not.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SignPayload {
    pub(super) signer: Json<Address>,
    #[serde(default)]
    pub(super) to_sign: Json<Vec<u8>>,
    #[serde(default)]
    pub(super) meta: Meta,
    #[serde(default)]
    pub(super) accounts: Option<Vec<String>>,
    #[serde(default)]
    pub(super) account: Option<String>,
}

/// The metadata with a type that need not be known.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Meta {
    pub(super) r#type: String,
    pub(super) extra: Json<Vec<u8>>,
}

/// The payload of an answer.
pub(super) fn addresses(list: &[Address]) -> Vec<u8> {
    let list: Vec<_> = list.iter().copied().map(Json).collect();
    serde_json::to_vec(&list).unwrap_or_default()
}

/// The payload of an answer.
pub(super) fn signature(signature: &Signature) -> Vec<u8> {
    serde_json::to_vec(signature).unwrap_or_default()
}

/// The parameters of a call about a channel.
pub(super) fn params(values: &impl Serialize) -> String {
    serde_json::to_string(values).unwrap_or_default()
}

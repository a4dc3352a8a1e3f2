//! `Wallet*`: keys that the node has, or that it was given access to.

use std::sync::Arc;

use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use venus_core::api::{ISigner, SignerError, SignerExt};
use venus_core::crypto;
use venus_core::json::Json;
use venus_core::types::{
    MaybeAddress, MsgMeta, MsgType, Protocol, Signature, SignedMessage, TipsetKey, address,
};

use super::Face;
use super::error::FaceError;
use super::methods::{Answer, Methods, method};
use super::state::{account_key, state_at};

pub(super) fn register(m: &mut Methods) {
    method!(m, Write "Filecoin.WalletDefaultAddress" () => default_address, .idempotent());
    method!(m, Write "Filecoin.WalletHas" (a: Json<Address> = "address.Address") => has, .idempotent());
    method!(m, Read "Filecoin.WalletBalance" (a: Json<Address> = "address.Address") => balance, .idempotent());
    if m.venus() {
        method!(m, Admin "Filecoin.WalletAddresses" () => list, .idempotent());
        method!(m, Sign "Filecoin.WalletSign" (a: Json<Address> = "address.Address", b: Json<Vec<u8>> = "[]uint8", meta: Json<MsgMeta> = "types.MsgMeta") => sign_with_meta);
        method!(m, Sign "Filecoin.WalletSignMessage" (a: Json<Address> = "address.Address", msg: Json<Message> = "*types.Message") => sign_message);
    } else {
        method!(m, Write "Filecoin.WalletList" () => list, .idempotent());
        method!(m, Read "Filecoin.WalletValidateAddress" (a: String = "string") => validate, .idempotent());
        method!(m, Read "Filecoin.WalletVerify" (a: Json<Address> = "address.Address", b: Json<Vec<u8>> = "[]uint8", s: Json<Signature> = "*crypto.Signature") => verify, .idempotent());
        method!(m, Sign "Filecoin.WalletSign" (a: Json<Address> = "address.Address", b: Json<Vec<u8>> = "[]uint8") => sign);
        method!(m, Sign "Filecoin.WalletSignMessage" (a: Json<Address> = "address.Address", msg: Json<Message> = "*types.Message") => sign_message);
    }
}

/// The node's keys.
pub(super) fn keys(face: &Face) -> Answer<&Arc<dyn ISigner>> {
    face.keys.as_ref().ok_or_else(|| FaceError::said("this node has no keys"))
}

/// The key behind an address that names a key of the node by its ID; any other as it is.
pub(super) async fn key_of(face: &Face, address: Address) -> Answer<Address> {
    if address.protocol() != Protocol::ID {
        return Ok(address);
    }
    let Json(key) = account_key(face.clone(), Json(address), TipsetKey::default()).await?;
    Ok(key)
}

/// What a signer says, in the words of a node where it has some.
pub(super) fn signer_error(error: &SignerError) -> FaceError {
    match error {
        SignerError::KeyNotFound(_) => FaceError::said("key not found"),
        other => FaceError::said(other.to_string()),
    }
}

async fn addresses(face: &Face) -> Answer<Vec<Address>> {
    match &face.keys {
        Some(keys) => keys.list().await.map_err(|e| signer_error(&e)),
        None => Ok(Vec::new()),
    }
}

/// The first key, or nobody.
async fn default_address(face: Face) -> Answer<Json<MaybeAddress>> {
    Ok(Json(addresses(&face).await?.first().copied().into()))
}

async fn list(face: Face) -> Answer<Json<Vec<Address>>> {
    addresses(&face).await.map(Json)
}

async fn has(face: Face, Json(address): Json<Address>) -> Answer<bool> {
    match &face.keys {
        Some(keys) => keys.has(&address).await.map_err(|e| signer_error(&e)),
        None => Ok(false),
    }
}

/// Before the messages of the head, as `StateGetActor` has it.
async fn balance(face: Face, Json(address): Json<Address>) -> Answer<Json<TokenAmount>> {
    let at = state_at(&face, TipsetKey::default()).await?;
    let balance = at.view().tree.find(&address).map(|(_, actor)| actor.balance.clone());
    Ok(Json(balance.unwrap_or_default()))
}

async fn validate(_: Face, text: String) -> Answer<Json<Address>> {
    let too_short = text.len() < 3;
    address::parse(&text).map(Json).map_err(|e| match too_short {
        true => FaceError::said("invalid address length"),
        false => FaceError::said(e.to_string()),
    })
}

/// A signature that does not verify is no error; one that cannot is.
async fn verify(
    _: Face,
    Json(signer): Json<Address>,
    bytes: Json<Vec<u8>>,
    signature: Json<Signature>,
) -> Answer<bool> {
    if signer.protocol() == Protocol::ID {
        return Err(FaceError::said("cannot verify a signature of an ID address"));
    }
    Ok(crypto::verify(&signature.0, &signer, &bytes.0).is_ok())
}

async fn sign(face: Face, Json(signer): Json<Address>, bytes: Json<Vec<u8>>) -> Answer<Json<Signature>> {
    sign_bytes(&face, signer, &bytes.0, &MsgMeta::of(MsgType::Unknown)).await
}

async fn sign_with_meta(
    face: Face,
    Json(signer): Json<Address>,
    bytes: Json<Vec<u8>>,
    meta: Json<MsgMeta>,
) -> Answer<Json<Signature>> {
    sign_bytes(&face, signer, &bytes.0, &meta.0).await
}

async fn sign_bytes(face: &Face, signer: Address, bytes: &[u8], meta: &MsgMeta) -> Answer<Json<Signature>> {
    let signer = key_of(face, signer).await?;
    keys(face)?.sign(&signer, bytes, meta).await.map(Json).map_err(|e| signer_error(&e))
}

async fn sign_message(
    face: Face,
    Json(signer): Json<Address>,
    Json(message): Json<Message>,
) -> Answer<SignedMessage> {
    if message.from != signer {
        return Err(FaceError::said("the message is from somebody else"));
    }
    keys(&face)?.sign_message(&message).await.map_err(|e| signer_error(&e))
}

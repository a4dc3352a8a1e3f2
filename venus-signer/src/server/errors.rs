//! What went wrong, in the words of Go's wallet: its clients have nothing but the text to go by.

use jsonrpsee::types::ErrorObjectOwned;
use venus_core::api::SignerError;
use venus_core::error::{Classify, ErrorKind};
use venus_core::rpc::{RpcError, codes};

use crate::error::{KeyError, WalletError};
use crate::key::KeyType;
use crate::payload::go_text;
use crate::vault::LockState;

/// An error of a method.
pub(super) fn said(kind: ErrorKind, text: impl Into<String>) -> ErrorObjectOwned {
    RpcError::new(codes::METHOD, text).with_kind(kind).into()
}

/// Anything that classifies, in its own words.
pub(super) fn of<E: Classify + std::fmt::Display>(error: &E) -> ErrorObjectOwned {
    RpcError::of(error).into()
}

/// What everything that needs keys says while they cannot be used.
pub(super) fn gate(state: LockState) -> Result<(), ErrorObjectOwned> {
    match state {
        LockState::Unlocked => Ok(()),
        LockState::NoPassword => Err(said(ErrorKind::Denied, "password not set")),
        LockState::Locked => Err(said(ErrorKind::Denied, "wallet locked")),
    }
}

pub(super) fn wallet(error: &WalletError) -> ErrorObjectOwned {
    let text = match error {
        WalletError::NotFound(_) => "record not found".to_owned(),
        other => other.to_string(),
    };
    RpcError { retry_after: error.retry_after(), ..RpcError::new(codes::METHOD, text) }
        .with_kind(error.kind())
        .into()
}

pub(super) fn signer(error: &SignerError, claimed: &str) -> ErrorObjectOwned {
    RpcError { retry_after: error.retry_after(), ..RpcError::new(codes::METHOD, go_text(error, claimed)) }
        .with_kind(error.kind())
        .into()
}

/// A key that is none. Go's wallet panics for most of these; we say what is wrong, and nothing of the key.
pub(super) fn key(kind: KeyType, error: &KeyError) -> ErrorObjectOwned {
    let text = match (kind, error) {
        (KeyType::Bls, KeyError::Zero) => "bls signature invalid private key".to_owned(),
        // Go takes what is longer, modulo the order of the group.
        (KeyType::Bls, KeyError::Length(length)) if *length < 32 => {
            "bls signature invalid private key".to_owned()
        }
        (_, error) => error.to_string(),
    };
    said(ErrorKind::Invalid, text)
}

//! Accounts.

use venus_core::actors::account::{AUTHENTICATE_MESSAGE, AuthenticateMessageParams, PUBKEY_ADDRESS};
use venus_core::cbor::{Encode, Writer};
use venus_core::crypto::verify;
use venus_core::types::{Payload, Signature};

use super::{Method, row};
use crate::state::{Actor, ActorState};
use crate::vm::abort::{Abort, Returned};
use crate::vm::gas::{READ, SIGNATURE};
use crate::vm::runtime::{Runtime, nothing, read};

pub(super) const METHODS: &[Method] = &[
    row(&[PUBKEY_ADDRESS], READ, pubkey_address),
    row(&[AUTHENTICATE_MESSAGE], READ + SIGNATURE, authenticate_message),
];

fn pubkey_address(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    nothing(params)?;
    match rt.state().get(rt.receiver()).map(Actor::state) {
        Some(ActorState::Account { address }) => Ok(address.to_cbor()),
        _ => Err(Abort::state("the receiver is no account")),
    }
}

/// Answers `true` for a signature of the account's key, and fails for any other.
fn authenticate_message(rt: &mut Runtime<'_, '_>, params: &[u8]) -> Returned {
    let params: AuthenticateMessageParams = read(params)?;
    let key = rt.state().account_key(rt.receiver());
    let key = key.ok_or_else(|| Abort::argument("the account has no key"))?;
    let signature = match key.payload() {
        Payload::BLS(_) => Signature::bls(params.signature),
        _ => Signature::secp256k1(params.signature),
    };
    verify(&signature, &key, &params.message).map_err(|e| Abort::argument(e.to_string()))?;
    let mut w = Writer::unallocated();
    w.bool(true);
    Ok(w.into_vec())
}

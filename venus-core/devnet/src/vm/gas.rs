//! What execution costs.
//!
//! The price of putting a message on chain is that of the FVM's price list. What methods cost is a table instead of
//! metered code: the same order of magnitude, and always the same.

use fvm_shared::{METHOD_SEND, MethodNum};

use crate::state::ActorState;

/// Price of any message: the base, and the storage of what surrounds it (FVM v4 price list).
const INCLUSION_BASE: u64 = 560_663;
/// Price of a byte of message.
const INCLUSION_PER_BYTE: u64 = 1_300;
/// A transfer to an actor that exists.
const SEND: u64 = 500_000;
/// What creating an account costs on top.
const CREATE_ACCOUNT: u64 = 1_650_000;
/// Any method that has no price of its own.
const OTHER_METHOD: u64 = 10_000_000;
/// Reading an account's key.
const PUBKEY_ADDRESS: u64 = 500_000;

/// Gas for putting a message of `chain_len` bytes into a block; no gas limit may be lower.
pub(crate) fn inclusion_gas(chain_len: usize) -> u64 {
    INCLUSION_PER_BYTE.saturating_mul(chain_len as u64).saturating_add(INCLUSION_BASE)
}

/// Gas of calling a method; `receiver` is `None` if the call creates it.
pub(super) fn method_gas(receiver: Option<&ActorState>, method: MethodNum) -> u64 {
    let creation = if receiver.is_none() { CREATE_ACCOUNT } else { 0 };
    let call = match (receiver, method) {
        (_, METHOD_SEND) => SEND,
        (Some(ActorState::Account { .. }), super::actors::PUBKEY_ADDRESS) => PUBKEY_ADDRESS,
        _ => OTHER_METHOD,
    };
    creation + call
}

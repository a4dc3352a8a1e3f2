//! Accounts.

use fvm_shared::MethodNum;

use crate::cbor::cbor_tuple;

/// Answers the key address of the account.
pub const PUBKEY_ADDRESS: MethodNum = 2;
/// Fails unless the account's key signed a message. Callable by other actors.
pub const AUTHENTICATE_MESSAGE: MethodNum = 2_643_134_072;

/// Parameters of [`AUTHENTICATE_MESSAGE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticateMessageParams {
    /// The signature without its type byte.
    pub signature: Vec<u8>,
    /// What was signed.
    pub message: Vec<u8>,
}

cbor_tuple!(AuthenticateMessageParams { signature: "Signature", message: "Message" });

//! What is asked for, and whether the answer is it.

use venus_core::api::SignerError;
use venus_core::crypto;
use venus_core::types::{Address, MsgMeta, MsgType, Protocol, Signature};

use crate::payload::{Payload, SigningNetwork};
use crate::request::{Caller, SignRequest};

/// The bytes that the key at `signer` has to sign for this request, computed from the typed payload.
///
/// # Errors
/// As [`Payload::read`]: a request that contradicts itself ends here, and no wallet sees it. Go wallets would sign
/// some of them.
pub(super) fn expected(
    signer: &Address,
    to_sign: &[u8],
    meta: &MsgMeta,
    network: &SigningNetwork,
) -> Result<Vec<u8>, SignerError> {
    if !matches!(signer.protocol(), Protocol::BLS | Protocol::Secp256k1 | Protocol::Delegated) {
        return Err(SignerError::KeyNotFound(*signer));
    }
    let caller = Caller::embedded();
    let request = SignRequest { signer: *signer, to_sign, meta, caller: &caller };
    match Payload::read(&request, network) {
        Ok(payload) => Ok(payload.signing_bytes()),
        // Bytes without structure are signed as they are, and only the wallet's owner can say whether they may be.
        Err(SignerError::Unsupported { msg_type: MsgType::Unknown | MsgType::F3, .. }) => {
            Ok(to_sign.to_vec())
        }
        Err(error) => Err(error),
    }
}

/// Hands a signature on if the key made it over these bytes.
///
/// # Errors
/// [`SignerError::BadSignature`].
pub(super) fn verified(
    signature: Signature,
    signer: &Address,
    bytes: &[u8],
) -> Result<Signature, SignerError> {
    match crypto::verify(&signature, signer, bytes) {
        Ok(()) => Ok(signature),
        Err(error) => Err(SignerError::BadSignature(error.to_string())),
    }
}

//! Hashes and signature verification. No private key is ever handled here.
//!
//! Three kinds of keys sign in Filecoin, and the address of the signer says which:
//!
//! | address | signature | what is hashed |
//! |---|---|---|
//! | `f1` | secp256k1, 65 bytes `R‖S‖V` | BLAKE2b-256 of the signed bytes |
//! | `f3` | BLS12-381, 96 bytes in G2 | the signed bytes, by hash-to-curve |
//! | `f410f` | delegated, 65 bytes `R‖S‖V` | Keccak-256 of an Ethereum transaction |
//!
//! [`verify`] checks a signature over plain bytes, [`verify_message`] one over a chain message, which differs
//! for delegated signers (FIP-0055, FIP-0091).

use fvm_shared::address::{Address, Payload};

use crate::error::{Classify, ErrorKind};
use crate::types::{MessageExt, Signature, SignatureType, SignedMessage};

pub(crate) mod blake2b_short;
pub mod bls;
pub mod delegated;
pub mod hash;
mod known;
mod rlp;
pub mod secp;
mod signed;

pub use known::KnownKey;
pub use signed::{UnreadablePayload, signed_bytes};

/// Why a signature or a key was refused. Retrying cannot help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// Well formed, but not made by this signer over these bytes.
    #[error("{what} signature does not verify")]
    BadSignature {
        /// The kind of signature.
        what: &'static str,
    },
    /// A key or signature of the wrong size.
    #[error("{what} has {found} bytes, expected {expected}")]
    BadLength {
        /// What was measured.
        what: &'static str,
        /// The only valid length in bytes.
        expected: usize,
        /// The length that was found.
        found: usize,
    },
    /// Bytes that are no valid curve point or scalar: not on the curve, outside the subgroup, the identity, or
    /// not canonically encoded.
    #[error("{what} is not a valid curve point or scalar")]
    BadPoint {
        /// What was decoded.
        what: &'static str,
    },
    /// The last byte of a recoverable signature is not 0, 1, 2 or 3.
    #[error("recovery id {found} is not in 0..=3")]
    BadRecoveryId {
        /// The byte that was found.
        found: u8,
    },
    /// An ID address names an actor, not a key.
    #[error("must resolve ID addresses before using them to verify a signature (got actor {id})")]
    IdAddress {
        /// The actor's ID.
        id: u64,
    },
    /// The kind of signature does not fit the signer's address.
    #[error("a {found:?} signature cannot belong to {signer}")]
    TypeMismatch {
        /// The kind of signature that was given.
        found: SignatureType,
        /// The address it should belong to.
        signer: Address,
    },
    /// An aggregate covers the same message twice, which the basic BLS scheme forbids.
    #[error("a message appears twice under one aggregate signature")]
    DuplicateMessage,
    /// A message that has no Ethereum form, so that no delegated key can have signed it.
    #[error("message cannot be expressed as an Ethereum transaction: {field}: {reason}")]
    NotEthereum {
        /// The field of the message.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Classify for CryptoError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// Checks `signature` by `signer` over `bytes`.
///
/// `bytes` are what the key hashes and signs: the CID of a message, the encoding of a block header, or for a
/// delegated key the RLP of a transaction.
///
/// # Errors
/// [`CryptoError::IdAddress`] for an `f0` signer, [`CryptoError::TypeMismatch`] when kind and address disagree,
/// otherwise what is wrong with the signature.
pub fn verify(signature: &Signature, signer: &Address, bytes: &[u8]) -> Result<(), CryptoError> {
    match (signature.sig_type, signer.payload()) {
        (_, Payload::ID(id)) => Err(CryptoError::IdAddress { id: *id }),
        (SignatureType::Bls, Payload::BLS(key)) => bls::verify(key, bytes, &signature.data),
        (SignatureType::Secp256k1, Payload::Secp256k1(_)) => secp::verify(signer, bytes, &signature.data),
        (SignatureType::Delegated, Payload::Delegated(d)) if d.namespace() == delegated::EAM_NAMESPACE => {
            delegated::verify(signer, bytes, &signature.data)
        }
        (found, _) => Err(CryptoError::TypeMismatch { found, signer: *signer }),
    }
}

/// Checks the signature of a chain message.
///
/// secp256k1 and BLS keys sign the 38 bytes of the CID of the unsigned message. Delegated keys sign an Ethereum
/// transaction that must stand for exactly this message on the chain `chain_id` (314 on mainnet).
///
/// `signer` is the key address of the sender: callers resolve an `f0` sender first.
///
/// # Errors
/// As [`verify`], and [`CryptoError::NotEthereum`] for a message that a delegated key cannot have signed.
pub fn verify_message(signed: &SignedMessage, signer: &Address, chain_id: u64) -> Result<(), CryptoError> {
    let SignedMessage { message, signature } = signed;
    if signature.sig_type == SignatureType::Delegated {
        let (bytes, data) = delegated::signed_form(message, &signature.data, chain_id)?;
        verify(&Signature::delegated(data), signer, &bytes)
    } else {
        verify(signature, signer, &message.cid().to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(sig_type: SignatureType, len: usize) -> Signature {
        Signature { sig_type, data: vec![1; len] }
    }

    #[test]
    fn id_addresses_must_be_resolved_first() {
        let e = verify(&signature(SignatureType::Bls, 96), &Address::new_id(1000), b"x").unwrap_err();
        assert_eq!(e, CryptoError::IdAddress { id: 1000 });
        assert!(
            e.to_string().starts_with("must resolve ID addresses before using them to verify a signature")
        );
        assert_eq!(e.kind(), ErrorKind::Invalid);
    }

    #[test]
    fn the_kind_must_fit_the_address() {
        let kinds = [SignatureType::Secp256k1, SignatureType::Bls, SignatureType::Delegated];
        let signers = [
            (Address::new_secp256k1(&[4; 65]).unwrap(), Some(SignatureType::Secp256k1)),
            (Address::new_bls(&[7; 48]).unwrap(), Some(SignatureType::Bls)),
            (Address::new_delegated(10, &[9; 20]).unwrap(), Some(SignatureType::Delegated)),
            (Address::new_delegated(11, &[9; 20]).unwrap(), None),
            (Address::new_actor(b"actor"), None),
        ];
        for (signer, fits) in signers {
            for kind in kinds {
                let e = verify(&signature(kind, 65), &signer, b"x").unwrap_err();
                let mismatch = matches!(e, CryptoError::TypeMismatch { .. });
                assert_eq!(mismatch, fits != Some(kind), "{kind:?} for {signer}: {e}");
            }
        }
    }
}

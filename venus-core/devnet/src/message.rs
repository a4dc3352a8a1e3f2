//! Messages whose signature was checked.

use cid::Cid;
use fvm_shared::address::Address;
use venus_core::cbor::Encode;
use venus_core::crypto::{CryptoError, verify_message};
use venus_core::types::{MessageExt, SignatureType, SignedMessage};

/// A signed message, known to verify. Nothing else gets into the pool, a block or the log, so no signature is
/// checked twice.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) signed: SignedMessage,
    /// CID on chain.
    pub(crate) cid: Cid,
    /// CID of the unsigned message.
    pub(crate) unsigned: Cid,
    /// Key address of the sender.
    pub(crate) sender: Address,
    /// Bytes of what a block holds of it, for which gas is charged.
    pub(crate) chain_len: usize,
    /// Bytes of the signed message.
    pub(crate) size: usize,
}

impl Verified {
    /// Checks the signature. `sender` is the key address behind `signed.message.from`.
    pub(crate) fn check(signed: SignedMessage, sender: Address, chain_id: u64) -> Result<Self, CryptoError> {
        verify_message(&signed, &sender, chain_id)?;
        Ok(Self::trust(signed, sender))
    }

    /// For messages that this devnet checked in an earlier life.
    pub(crate) fn trust(signed: SignedMessage, sender: Address) -> Self {
        let (unsigned, size) = (signed.message.cid(), signed.to_cbor().len());
        let (cid, chain_len) = match signed.signature.sig_type {
            SignatureType::Bls => (unsigned, signed.message.to_cbor().len()),
            SignatureType::Secp256k1 | SignatureType::Delegated => (signed.cid(), size),
        };
        Self { signed, cid, unsigned, sender, chain_len, size }
    }

    pub(crate) fn nonce(&self) -> u64 {
        self.signed.message.sequence
    }

    pub(crate) fn is_bls(&self) -> bool {
        self.signed.signature.sig_type == SignatureType::Bls
    }
}

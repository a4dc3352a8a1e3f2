//! Signing.

use async_trait::async_trait;
use auto_impl::auto_impl;
use fvm_shared::address::Address;
use fvm_shared::message::Message;

use crate::cbor::Encode;
use crate::error::{BoxError, Classify, ErrorKind};
use crate::types::{
    BlockHeader, DrawRandomParams, MessageExt, MsgMeta, MsgType, Signature, SignatureType, SignedMessage,
};

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The signer does not own the key.
    #[error("no key for {0}")]
    KeyNotFound(Address),
    /// The payload is not what the metadata says it is.
    #[error("payload is no {msg_type}: {reason}")]
    BadPayload {
        /// The claimed kind.
        msg_type: MsgType,
        /// What is wrong.
        reason: String,
    },
    /// The bytes to sign differ from those recomputed from the typed payload.
    #[error("bytes to sign differ from those of the {0}")]
    Mismatch(MsgType),
    /// The signer does not sign this kind, or not with this key.
    #[error("cannot sign {msg_type} with {signer}: {reason}")]
    Unsupported {
        /// The kind.
        msg_type: MsgType,
        /// The key's address.
        signer: Address,
        /// Why not.
        reason: &'static str,
    },
    /// Policy forbids it.
    #[error("denied by policy: {0}")]
    Denied(String),
    /// The wallet is locked. Unlock it, then repeat.
    #[error("wallet is locked")]
    Locked,
    /// The signer could not be reached.
    #[error("signer unreachable: {0}")]
    Transport(#[source] BoxError),
    /// No answer in time. Repeating is safe.
    #[error("signer did not answer in time")]
    Timeout,
    /// The signer answered a signature that does not verify.
    #[error("signer answered a wrong signature: {0}")]
    BadSignature(String),
    /// The signer's store failed.
    #[error("key store: {0}")]
    Store(#[source] BoxError),
}

impl Classify for SignerError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::KeyNotFound(_) => ErrorKind::NotFound,
            Self::BadPayload { .. } | Self::Mismatch(_) => ErrorKind::Invalid,
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            Self::Denied(_) | Self::Locked => ErrorKind::Denied,
            Self::Transport(_) | Self::Store(_) => ErrorKind::Transient,
            Self::Timeout => ErrorKind::Timeout,
            Self::BadSignature(_) => ErrorKind::Corrupt,
        }
    }
}

/// Something that owns keys.
///
/// # Contract
/// * A signature leaves only over bytes that the signer recomputed from the typed payload: `to_sign` and
///   `meta.extra` together. Where they contradict each other the answer is [`SignerError::Mismatch`].
/// * The address decides the algorithm, not the caller.
/// * Signing is idempotent for the caller: repeat after [`ErrorKind::Timeout`]. Two answers may differ in
///   bytes (random nonces), and both verify.
/// * Addresses are key addresses (`f1`, `f3`, `f4`), never IDs.
///
/// # Implementing
/// Run `testing::suites::signer`.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait ISigner: Send + Sync {
    /// Whether the signer can sign for `address`.
    async fn has(&self, address: &Address) -> Result<bool, SignerError>;

    /// All addresses that the signer can sign for.
    async fn list(&self) -> Result<Vec<Address>, SignerError>;

    /// Signs a typed payload.
    ///
    /// | `meta.msg_type` | `to_sign` | `meta.extra` |
    /// |---|---|---|
    /// | `message` | bytes of the unsigned message's CID, or the Ethereum transaction for `f4` | CBOR of the message |
    /// | `block` | CBOR of the header without signature | |
    /// | `drawrandomparam` | CBOR of [`DrawRandomParams`] | |
    /// | `dealproposal`, `clientdeal`, `signedvoucher`, `storageask`, `askresponse`, `networkresposne`, `providerdealstate` | CBOR of the object | |
    /// | `verifyaddress` | SHA-256 of both sides' random bytes | the gateway's random bytes |
    /// | `unknown`, `f3` | the bytes themselves; a strict signer refuses what it does not recognise | |
    ///
    /// # Errors
    /// See [`SignerError`]; nothing was signed then.
    async fn sign(&self, address: &Address, to_sign: &[u8], meta: &MsgMeta)
    -> Result<Signature, SignerError>;
}

/// What callers want to sign, without thinking of payloads.
#[async_trait]
pub trait SignerExt: ISigner {
    /// Signs a chain message with the key of its sender, a BLS or secp256k1 key. What delegated (`f4`) keys sign
    /// depends on the network's chain ID besides the message, so those need [`ISigner::sign`].
    ///
    /// # Errors
    /// As [`ISigner::sign`].
    async fn sign_message(&self, message: &Message) -> Result<SignedMessage, SignerError> {
        let to_sign = message.cid().to_bytes();
        let signature = self.sign(&message.from, &to_sign, &MsgMeta::chain_message(message)).await?;
        Ok(SignedMessage { message: message.clone(), signature })
    }

    /// Signs a block header with the worker's key. Reserve (miner, height) durably before.
    ///
    /// # Errors
    /// As [`ISigner::sign`].
    async fn sign_block(&self, worker: &Address, header: &BlockHeader) -> Result<Signature, SignerError> {
        self.sign(worker, &header.signing_bytes(), &MsgMeta::of(MsgType::Block)).await
    }

    /// Computes a VRF proof: the BLS signature of the draw's digest.
    ///
    /// # Errors
    /// As [`ISigner::sign`]; [`SignerError::BadSignature`] if the answer is no BLS signature.
    async fn draw_vrf(&self, worker: &Address, params: &DrawRandomParams) -> Result<Vec<u8>, SignerError> {
        let signature = self.sign(worker, &params.to_cbor(), &MsgMeta::of(MsgType::DrawRandomParam)).await?;
        match signature.sig_type {
            SignatureType::Bls => Ok(signature.data),
            _ => Err(SignerError::BadSignature("a VRF needs a BLS key".into())),
        }
    }
}

impl<T: ISigner + ?Sized> SignerExt for T {}

//! Errors. None of them quotes key material, not even what was wrong with it.

use venus_core::api::SignerError;
use venus_core::entropy::EntropyError;
use venus_core::error::{BoxError, Classify, ErrorKind};
use venus_core::types::Address;

/// Why something is no private key. Retrying cannot help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key has another length than 32 bytes.
    #[error("PrivateKey has {0} bytes, expected 32")]
    Length(usize),
    /// The scalar is zero.
    #[error("PrivateKey is zero")]
    Zero,
    /// The scalar is not below the order of the curve's group.
    #[error("PrivateKey is out of range for {0}")]
    OutOfRange(&'static str),
    /// A member of the exported form is missing or wrong.
    #[error("{field}: {reason}")]
    Field {
        /// The member's name.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The text is not the exported form at all.
    #[error("key info: {0}")]
    Malformed(&'static str),
    /// Words that are no mnemonic.
    #[error("mnemonic {0}")]
    Mnemonic(&'static str),
    /// A word, counted from 1, that is not in the English list.
    #[error("mnemonic: word {0} is not in the English list of BIP-39")]
    UnknownWord(usize),
    /// A derivation path that leads to no key.
    #[error("derivation path {0}")]
    Path(&'static str),
}

impl Classify for KeyError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// Why a wallet did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalletError {
    /// The wallet does not own the key.
    #[error("no key for {0}")]
    NotFound(Address),
    /// The key is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No random bytes to make a key of, or bytes that never give one.
    #[error("cannot generate a key: {0}")]
    Entropy(#[source] BoxError),
    /// The key store failed. Repeating may help.
    #[error("key store: {0}")]
    Store(#[source] BoxError),
}

impl Classify for WalletError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Key(e) => e.kind(),
            Self::Entropy(_) => ErrorKind::Internal,
            Self::Store(_) => ErrorKind::Transient,
        }
    }
}

impl From<EntropyError> for WalletError {
    fn from(error: EntropyError) -> Self {
        Self::Entropy(error.into())
    }
}

impl From<WalletError> for SignerError {
    fn from(error: WalletError) -> Self {
        match error {
            WalletError::NotFound(address) => Self::KeyNotFound(address),
            WalletError::Store(source) => Self::Store(source),
            // A stored key that is none: the store is what failed.
            other => Self::Store(other.into()),
        }
    }
}

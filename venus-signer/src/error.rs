//! Errors. None of them quotes key material, not even what was wrong with it.

use std::time::Duration;

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
    /// Someone else changed the stored keys meanwhile; nothing was done. Repeat.
    #[error("the stored keys were changed meanwhile; repeat")]
    Changed,
    /// What is stored for an address is no encrypted key, or that of another address.
    #[error("stored key of {address}: {reason}; restore it from a backup")]
    CorruptKey {
        /// Whose key it should be.
        address: Address,
        /// What is wrong with it.
        reason: String,
    },
    /// A stored key does not open with the password that opens others.
    #[error("the key of {0} does not open with the password of the wallet; restore it from a backup")]
    OtherPassword(Address),
    /// No password was set since the start. Set it, or unlock.
    #[error("password not set")]
    PasswordNotSet,
    /// The wallet is locked. Unlock it, then repeat.
    #[error("wallet locked")]
    Locked,
    /// There is nothing to unlock.
    #[error("wallet already unlocked")]
    AlreadyUnlocked,
    /// There is nothing to lock.
    #[error("wallet already locked")]
    AlreadyLocked,
    /// Another password.
    #[error("password mismatch")]
    PasswordMismatch,
    /// A password can be set once; then it can be changed.
    #[error("the password already exists")]
    PasswordExists,
    /// The stored keys are encrypted under another password.
    #[error("could not decrypt key with given password")]
    CouldNotDecrypt,
    /// Several wrong passwords came in a row; this one was not looked at.
    #[error("too many wrong passwords, try again in {} s", retry_after.as_millis().div_ceil(1000))]
    TooManyAttempts {
        /// How long no password is looked at.
        retry_after: Duration,
    },
    /// Parameters of scrypt that are not usable.
    #[error("{0}")]
    Scrypt(String),
    /// A document that is no backup of keys. Nothing of it was taken.
    #[error("backup: {0}")]
    Backup(String),
}

impl Classify for WalletError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Key(e) => e.kind(),
            Self::Entropy(_) => ErrorKind::Internal,
            Self::Store(_) | Self::Changed => ErrorKind::Transient,
            Self::CorruptKey { .. } | Self::OtherPassword(_) => ErrorKind::Corrupt,
            Self::PasswordNotSet | Self::Locked => ErrorKind::Denied,
            Self::PasswordMismatch | Self::CouldNotDecrypt => ErrorKind::Denied,
            Self::AlreadyUnlocked | Self::AlreadyLocked | Self::PasswordExists => ErrorKind::Conflict,
            Self::TooManyAttempts { .. } => ErrorKind::RateLimited,
            Self::Scrypt(_) | Self::Backup(_) => ErrorKind::Invalid,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyAttempts { retry_after } => Some(*retry_after),
            _ => None,
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
            WalletError::Locked | WalletError::PasswordNotSet => Self::Locked,
            // A stored key that is none: the store is what failed.
            other => Self::Store(other.into()),
        }
    }
}

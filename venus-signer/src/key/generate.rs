//! Fresh keys.

use blst::min_pk::SecretKey as BlsKey;
use venus_core::entropy::Entropy;
use zeroize::{Zeroize, Zeroizing};

use super::{KEY_LEN, KeyInfo, KeyType};
use crate::error::{KeyError, WalletError};

/// A draw misses the secp256k1 range once in 2^128: a source that misses this often is broken.
const MAX_DRAWS: usize = 8;

impl KeyInfo {
    /// A fresh key. Its quality is that of `entropy`.
    ///
    /// # Errors
    /// [`WalletError::Entropy`].
    pub fn generate(key_type: KeyType, entropy: &dyn Entropy) -> Result<Self, WalletError> {
        match key_type {
            KeyType::Bls => bls(entropy),
            KeyType::Secp256k1 | KeyType::Delegated => ecdsa(key_type, entropy),
        }
    }
}

/// The key derivation of the IETF BLS draft over 32 random bytes.
fn bls(entropy: &dyn Entropy) -> Result<KeyInfo, WalletError> {
    let mut material = Zeroizing::new([0; KEY_LEN]);
    entropy.fill(material.as_mut_slice())?;
    let key = BlsKey::key_gen(material.as_slice(), &[])
        .map_err(|_| WalletError::Entropy("key derivation refused the random bytes".into()))?;
    let mut scalar = Zeroizing::new(key.to_bytes());
    scalar.reverse();
    Ok(KeyInfo::new(KeyType::Bls, scalar.as_slice())?)
}

/// Rejection sampling: every scalar of the range is as likely as any other.
fn ecdsa(key_type: KeyType, entropy: &dyn Entropy) -> Result<KeyInfo, WalletError> {
    let mut scalar = Zeroizing::new([0; KEY_LEN]);
    for _ in 0..MAX_DRAWS {
        entropy.fill(scalar.as_mut_slice())?;
        match KeyInfo::new(key_type, scalar.as_slice()) {
            Err(KeyError::Zero | KeyError::OutOfRange(_)) => scalar.zeroize(),
            other => return Ok(other?),
        }
    }
    Err(WalletError::Entropy("the random bytes never form a key".into()))
}

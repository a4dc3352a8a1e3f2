//! Keys that are used more than once.

use blst::min_pk::PublicKey;

use super::{DST, Identity, PUBLIC_KEY_LEN, check, parse_key, parse_signature};
use crate::crypto::CryptoError;

/// A public key that was decompressed and checked for its subgroup, which takes about a tenth of a verification.
/// Whoever verifies many signatures of one signer keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedKey(pub(super) PublicKey);

impl CheckedKey {
    /// Decompresses and checks a key.
    ///
    /// # Errors
    /// [`CryptoError::BadPoint`] when the bytes are no valid key.
    pub fn parse(public_key: &[u8; PUBLIC_KEY_LEN]) -> Result<Self, CryptoError> {
        parse_key(public_key).map(Self)
    }

    /// Checks a signature of this key, as [`super::verify`] does.
    ///
    /// # Errors
    /// [`CryptoError::BadLength`] and [`CryptoError::BadPoint`] for a malformed signature,
    /// [`CryptoError::BadSignature`] when it does not verify.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let signature = parse_signature(signature, Identity::Refused)?;
        check(signature.verify(false, message, DST, &[], &self.0, false))
    }
}

#[cfg(test)]
mod tests {
    use blst::min_pk::SecretKey;

    use super::*;

    #[test]
    fn a_kept_key_verifies_what_its_bytes_do() {
        let secret = SecretKey::key_gen(&[3; 32], &[]).unwrap();
        let bytes = secret.sk_to_pk().compress();
        let key = CheckedKey::parse(&bytes).unwrap();
        for message in [b"one".as_slice(), b"two"] {
            let signature = secret.sign(message, DST, &[]).compress();
            assert_eq!(key.verify(message, &signature), Ok(()));
            assert_eq!(key.verify(b"other", &signature), super::super::verify(&bytes, b"other", &signature));
            assert!(
                key.verify(b"other", &signature).is_err() && key.verify(message, &signature[1..]).is_err()
            );
        }
        assert!(CheckedKey::parse(&[0; PUBLIC_KEY_LEN]).is_err());
    }
}

//! Keys that are used more than once.

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use k256::elliptic_curve::ops::{Invert, LinearCombination, Reduce};
use k256::elliptic_curve::point::AffineCoordinates;
use k256::{FieldBytes, ProjectivePoint, Scalar, U256};

use super::{BAD, BAD_KEY, PUBLIC_KEY_LEN, parse};
use crate::crypto::CryptoError;

/// A public key on which signatures are checked without recovering it anew, which takes half the time.
///
/// It accepts exactly the signatures that recover to it, the recovery id included: the network recovers, so a
/// signature with a wrong id is worthless however well it verifies otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedKey(ProjectivePoint);

impl CheckedKey {
    /// Checks an uncompressed key, `04‖X‖Y`.
    ///
    /// # Errors
    /// [`CryptoError::BadPoint`] when the bytes are no point of the curve.
    pub fn parse(public_key: &[u8; PUBLIC_KEY_LEN]) -> Result<Self, CryptoError> {
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| BAD_KEY)?;
        Ok(Self(key.as_affine().into()))
    }

    /// Checks a signature of this key over `digest`.
    ///
    /// # Errors
    /// [`CryptoError::BadLength`], [`CryptoError::BadRecoveryId`] or [`CryptoError::BadPoint`] for malformed
    /// signatures, [`CryptoError::BadSignature`] when it would not recover to this key.
    pub fn verify(&self, digest: &[u8; 32], signature: &[u8]) -> Result<(), CryptoError> {
        let (signature, id) = parse(signature)?;
        if self.nonce_matches(digest, &signature, id) { Ok(()) } else { Err(BAD) }
    }

    /// Whether `(z/s)·G + (r/s)·Q` is the point that `r` and the recovery id describe (SEC 1, 4.1.4 and 4.1.6).
    fn nonce_matches(&self, digest: &[u8; 32], signature: &Signature, id: RecoveryId) -> bool {
        let (r, s) = signature.split_scalars();
        let z = <Scalar as Reduce<U256>>::reduce_bytes(&FieldBytes::from(*digest));
        let inverse = *s.invert_vartime();
        let point =
            ProjectivePoint::lincomb(&ProjectivePoint::GENERATOR, &(z * inverse), &self.0, &(*r * inverse))
                .to_affine();
        let x = point.x();
        let reduced = <Scalar as Reduce<U256>>::reduce_bytes(&x);
        // The point at infinity has x = 0, which is no r.
        reduced == *r
            && bool::from(point.y_is_odd()) == id.is_y_odd()
            && (FieldBytes::from(reduced) != x) == id.is_x_reduced()
    }
}

#[cfg(test)]
mod tests {
    use k256::ecdsa::SigningKey;
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::secp::recover;

    fn key(secret: u64) -> SigningKey {
        let mut scalar = [0; 32];
        scalar[24..].copy_from_slice(&secret.to_be_bytes());
        SigningKey::from_slice(&scalar).unwrap()
    }

    fn checked(key: &SigningKey) -> CheckedKey {
        let point = key.verifying_key().to_encoded_point(false);
        CheckedKey::parse(point.as_bytes().try_into().unwrap()).unwrap()
    }

    fn sign(key: &SigningKey, digest: &[u8; 32]) -> Vec<u8> {
        let (signature, id) = key.sign_prehash_recoverable(digest).unwrap();
        let mut data = signature.to_bytes().to_vec();
        data.push(id.to_byte());
        data
    }

    fn high_s(signature: &[u8]) -> Vec<u8> {
        let low = Signature::from_slice(&signature[..64]).unwrap();
        let high = Signature::from_scalars(low.r().to_bytes(), (-*low.s()).to_bytes()).unwrap();
        [&high.to_bytes()[..], &[signature[64] ^ 1]].concat()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn it_takes_what_recovers_to_it_and_nothing_else(
            secret in 1u64..,
            digest: [u8; 32],
            at in 0usize..65,
            bit in 0u8..8,
        ) {
            let secret = key(secret);
            let public = secret.verifying_key().to_encoded_point(false);
            let known = checked(&secret);
            let good = sign(&secret, &digest);
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            for signature in [&good, &high_s(&good), &bad, &high_s(&good)[..64].to_vec()] {
                let recovers = recover(&digest, signature).is_ok_and(|key| key == public.as_bytes());
                prop_assert_eq!(known.verify(&digest, signature).is_ok(), recovers);
            }
            prop_assert!(known.verify(&digest, &good).is_ok());
        }
    }

    #[test]
    fn recovery_ids_and_other_keys_are_told_apart() {
        let (secret, digest) = (key(7), [9; 32]);
        let good = sign(&secret, &digest);
        for id in 0..=255 {
            let mut signature = good.clone();
            signature[64] = id;
            assert_eq!(checked(&secret).verify(&digest, &signature).is_ok(), id == good[64], "{id}");
        }
        assert_eq!(checked(&key(8)).verify(&digest, &good), Err(BAD));
        assert_eq!(checked(&secret).verify(&[8; 32], &good), Err(BAD));
        assert_eq!(CheckedKey::parse(&[4; 65]), Err(BAD_KEY));
    }
}

//! secp256k1 signatures, verified by recovering the key.
//!
//! A signature is 65 bytes `R‖S‖V` with `V` in 0..=3; the Ethereum form with 27 or 28 is refused. Both halves of
//! the range are accepted for `S`: the network verifies by recovery, where neither Go's library nor the FVM asks
//! for the lower half, and a rule stricter than the network's would refuse blocks that the chain contains.
//! Whoever signs should still produce low `S` only.

mod key;

use fvm_shared::address::Address;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};

use super::CryptoError;
use super::hash::blake2b_256;

pub use key::CheckedKey;

/// Length of a recoverable signature in bytes.
pub const SIGNATURE_LEN: usize = 65;
/// Length of an uncompressed public key in bytes.
pub const PUBLIC_KEY_LEN: usize = 65;

/// Checks a signature of an `f1` signer over the BLAKE2b-256 hash of `bytes`.
///
/// # Errors
/// As [`recover`], and [`CryptoError::BadSignature`] when another key signed.
pub fn verify(signer: &Address, bytes: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
    let key = recover(&blake2b_256(bytes), signature)?;
    if address_of(&key)? == *signer { Ok(()) } else { Err(BAD) }
}

/// The uncompressed public key (`04‖X‖Y`) that made `signature` over `digest`.
///
/// # Errors
/// [`CryptoError::BadLength`], [`CryptoError::BadRecoveryId`] or [`CryptoError::BadPoint`] for malformed
/// signatures, [`CryptoError::BadSignature`] when no key can have made it.
pub fn recover(digest: &[u8; 32], signature: &[u8]) -> Result<[u8; PUBLIC_KEY_LEN], CryptoError> {
    let (mut signature, mut id) = parse(signature)?;
    // The library recovers low S only. (R, S, V) and (R, n-S, V^1) are the same signature.
    if let Some(low) = signature.normalize_s() {
        signature = low;
        id = RecoveryId::new(!id.is_y_odd(), id.is_x_reduced());
    }
    let key = VerifyingKey::recover_from_prehash(digest, &signature, id).map_err(|_| BAD)?;
    // An uncompressed point always has 65 bytes.
    key.to_encoded_point(false).as_bytes().try_into().map_err(|_| BAD)
}

/// The `f1` address of an uncompressed public key.
///
/// # Errors
/// [`CryptoError::BadPoint`] when the bytes are no point of the curve.
pub fn address_of(public_key: &[u8; PUBLIC_KEY_LEN]) -> Result<Address, CryptoError> {
    VerifyingKey::from_sec1_bytes(public_key).map_err(|_| BAD_KEY)?;
    Address::new_secp256k1(public_key).map_err(|_| BAD_KEY)
}

const BAD: CryptoError = CryptoError::BadSignature { what: "secp256k1" };
const BAD_SCALAR: CryptoError = CryptoError::BadPoint { what: "secp256k1 signature" };
const BAD_KEY: CryptoError = CryptoError::BadPoint { what: "secp256k1 public key" };

fn parse(signature: &[u8]) -> Result<(Signature, RecoveryId), CryptoError> {
    let (scalars, id) = split(signature)?;
    let signature = Signature::from_slice(scalars).map_err(|_| BAD_SCALAR)?;
    let id = RecoveryId::from_byte(id).ok_or(CryptoError::BadRecoveryId { found: id })?;
    Ok((signature, id))
}

fn split(signature: &[u8]) -> Result<(&[u8], u8), CryptoError> {
    match signature.split_last() {
        Some((id, scalars)) if signature.len() == SIGNATURE_LEN => Ok((scalars, *id)),
        _ => Err(CryptoError::BadLength {
            what: "secp256k1 signature",
            expected: SIGNATURE_LEN,
            found: signature.len(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;
    use k256::ecdsa::SigningKey;
    use proptest::prelude::*;

    const SIGNER: &str = "f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq";
    const SIGNATURE: &[u8] = b"4c49bacbd5a1e9734595d77a7ae8909ae35859e182344c0f1c081d8fdc6749302d50ae81d0d80c9c4be9cf3071bf7b0c465a19aea1023b21239b8bbdffd0ca8d01";

    fn golden_signer() -> Address {
        fvm_shared::address::Network::Mainnet.parse_address(SIGNER).unwrap()
    }

    fn high_s(signature: &[u8]) -> Vec<u8> {
        let low = Signature::from_slice(&signature[..64]).unwrap();
        let high = Signature::from_scalars(low.r().to_bytes(), (-*low.s()).to_bytes()).unwrap();
        let mut bytes = high.to_bytes().to_vec();
        bytes.push(signature[64] ^ 1);
        bytes
    }

    #[test]
    fn golden_signature_verifies() {
        let signature = HEXLOWER.decode(SIGNATURE).unwrap();
        assert_eq!(verify(&golden_signer(), b"hello filecoin", &signature), Ok(()));
        assert!(verify(&golden_signer(), b"hello filecoiN", &signature).is_err());
    }

    #[test]
    fn high_s_is_accepted_as_on_chain() {
        let high = high_s(&HEXLOWER.decode(SIGNATURE).unwrap());
        assert_eq!(verify(&golden_signer(), b"hello filecoin", &high), Ok(()));
    }

    #[test]
    fn only_four_recovery_ids_exist() {
        let mut signature = HEXLOWER.decode(SIGNATURE).unwrap();
        for id in 0..=255u8 {
            signature[64] = id;
            let outcome = verify(&golden_signer(), b"hello filecoin", &signature);
            assert_eq!(outcome.is_ok(), id == 1, "{id}");
            if id > 3 {
                assert_eq!(outcome, Err(CryptoError::BadRecoveryId { found: id }));
            }
        }
    }

    #[test]
    fn malformed_signatures_are_refused() {
        let signature = HEXLOWER.decode(SIGNATURE).unwrap();
        for len in [0, 64, 66] {
            let mut bytes = signature.clone();
            bytes.resize(len, 0);
            let e = recover(&[1; 32], &bytes).unwrap_err();
            assert_eq!(e, CryptoError::BadLength { what: "secp256k1 signature", expected: 65, found: len });
        }
        let mut zero_r = signature.clone();
        zero_r[..32].fill(0);
        assert_eq!(recover(&[1; 32], &zero_r), Err(BAD_SCALAR));
        let mut overflow = signature;
        overflow[32..64].fill(0xff);
        assert_eq!(recover(&[1; 32], &overflow), Err(BAD_SCALAR));
        assert_eq!(address_of(&[4; 65]), Err(BAD_KEY));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn what_a_key_signs_recovers_to_it(secret in 1u64.., bytes: Vec<u8>) {
            let mut scalar = [0; 32];
            scalar[24..].copy_from_slice(&secret.to_be_bytes());
            let key = SigningKey::from_slice(&scalar).unwrap();
            let (signature, id) = key.sign_prehash_recoverable(&blake2b_256(&bytes)).unwrap();
            let mut data = signature.to_bytes().to_vec();
            data.push(id.to_byte());
            let public = key.verifying_key().to_encoded_point(false);
            let signer = address_of(public.as_bytes().try_into().unwrap()).unwrap();
            prop_assert_eq!(verify(&signer, &bytes, &data), Ok(()));
            prop_assert_eq!(verify(&signer, &bytes, &high_s(&data)), Ok(()));
        }
    }
}

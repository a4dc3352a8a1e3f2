//! A signer's key, kept.

use fvm_shared::address::{Address, Payload};

use super::hash::{blake2b_256, keccak_256};
use super::{CryptoError, bls, delegated, secp, verify};
use crate::types::{Signature, SignatureType};

/// The key behind an address, proven by a signature or by the address itself. It accepts exactly what [`verify`]
/// accepts for that address, for less: nothing is recovered, and no key is validated again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownKey {
    signer: Address,
    key: Key,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Bls(bls::CheckedKey),
    Secp256k1(secp::CheckedKey),
    Delegated(secp::CheckedKey),
}

impl KnownKey {
    /// The key of `signer`, if `signature` is its over `bytes`. An `f3` address is its key; of the others it has to
    /// be recovered.
    ///
    /// # Errors
    /// As [`verify`].
    pub fn prove(signature: &Signature, signer: &Address, bytes: &[u8]) -> Result<Self, CryptoError> {
        let data = &signature.data;
        let key = match (signature.sig_type, signer.payload()) {
            (SignatureType::Bls, Payload::BLS(key)) => {
                let key = bls::CheckedKey::parse(key)?;
                key.verify(bytes, data)?;
                Key::Bls(key)
            }
            (SignatureType::Secp256k1, Payload::Secp256k1(_)) => {
                Key::Secp256k1(recover(signer, &blake2b_256(bytes), data, secp::address_of)?)
            }
            (SignatureType::Delegated, Payload::Delegated(_)) => {
                Key::Delegated(recover(signer, &keccak_256(bytes), data, delegated::address_of)?)
            }
            (found, _) => {
                verify(signature, signer, bytes)?;
                return Err(CryptoError::TypeMismatch { found, signer: *signer });
            }
        };
        Ok(Self { signer: *signer, key })
    }

    /// The key that an `f3` address is; `None` for the others, which are hashes of theirs.
    ///
    /// # Errors
    /// [`CryptoError::BadPoint`] for an address that no key has.
    pub fn of_address(signer: &Address) -> Result<Option<Self>, CryptoError> {
        let Payload::BLS(key) = signer.payload() else { return Ok(None) };
        Ok(Some(Self { signer: *signer, key: Key::Bls(bls::CheckedKey::parse(key)?) }))
    }

    /// Whose it is.
    pub fn signer(&self) -> &Address {
        &self.signer
    }

    /// The key, if it is a BLS key: those can be verified many at once ([`bls::verify_each`]).
    pub fn bls(&self) -> Option<&bls::CheckedKey> {
        match &self.key {
            Key::Bls(key) => Some(key),
            Key::Secp256k1(_) | Key::Delegated(_) => None,
        }
    }

    /// Checks a signature over `bytes`, as [`verify`] does.
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify(&self, signature: &Signature, bytes: &[u8]) -> Result<(), CryptoError> {
        match (&self.key, signature.sig_type) {
            (Key::Bls(key), SignatureType::Bls) => key.verify(bytes, &signature.data),
            (Key::Secp256k1(key), SignatureType::Secp256k1) => {
                key.verify(&blake2b_256(bytes), &signature.data)
            }
            (Key::Delegated(key), SignatureType::Delegated) => {
                key.verify(&keccak_256(bytes), &signature.data)
            }
            (_, found) => Err(CryptoError::TypeMismatch { found, signer: self.signer }),
        }
    }
}

fn recover(
    signer: &Address,
    digest: &[u8; 32],
    signature: &[u8],
    address_of: fn(&[u8; secp::PUBLIC_KEY_LEN]) -> Result<Address, CryptoError>,
) -> Result<secp::CheckedKey, CryptoError> {
    let key = secp::recover(digest, signature)?;
    match address_of(&key)? == *signer {
        true => secp::CheckedKey::parse(&key),
        false => Err(CryptoError::BadSignature { what: "recovered" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k256::ecdsa::SigningKey;

    fn recoverable(secret: &SigningKey, digest: &[u8; 32]) -> [u8; 65] {
        let (signature, id) = secret.sign_prehash_recoverable(digest).unwrap();
        [&signature.to_bytes()[..], &[id.to_byte()]].concat().try_into().unwrap()
    }

    type Sign = Box<dyn Fn(&[u8]) -> Signature>;

    fn signers() -> Vec<(Address, Sign)> {
        let bls_key = blst::min_pk::SecretKey::key_gen(&[5; 32], &[]).unwrap();
        let secret = SigningKey::from_slice(&[6; 32]).unwrap();
        let point = secret.verifying_key().to_encoded_point(false);
        let public: [u8; 65] = point.as_bytes().try_into().unwrap();
        let other = secret.clone();
        vec![
            (
                bls::address_of(&bls_key.sk_to_pk().compress()).unwrap(),
                Box::new(move |m| Signature::bls(bls_key.sign(m, bls::DST, &[]).compress())),
            ),
            (
                secp::address_of(&public).unwrap(),
                Box::new(move |m| Signature::secp256k1(recoverable(&secret, &blake2b_256(m)))),
            ),
            (
                delegated::address_of(&public).unwrap(),
                Box::new(move |m| Signature::delegated(recoverable(&other, &keccak_256(m)))),
            ),
        ]
    }

    #[test]
    fn a_kept_key_takes_what_its_address_takes() {
        for (signer, sign) in signers() {
            let known = KnownKey::prove(&sign(b"first"), &signer, b"first").unwrap();
            assert_eq!(known.signer(), &signer);
            assert_eq!(known.verify(&sign(b"second"), b"second"), Ok(()));
            assert!(known.verify(&sign(b"second"), b"third").is_err());
            for (_, other) in signers() {
                let signature = other(b"second");
                assert_eq!(
                    known.verify(&signature, b"second").is_ok(),
                    verify(&signature, &signer, b"second").is_ok(),
                    "{:?} for {signer}",
                    signature.sig_type
                );
            }
        }
    }

    #[test]
    fn nothing_is_kept_of_what_does_not_verify() {
        for (signer, sign) in signers() {
            assert!(KnownKey::prove(&sign(b"first"), &signer, b"second").is_err());
            assert!(KnownKey::prove(&sign(b"first"), &Address::new_id(7), b"first").is_err());
        }
    }
}

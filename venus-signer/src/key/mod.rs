//! Private keys: what they are, what they sign with, which address they have.

mod generate;
mod kind;

use std::fmt;
use std::sync::Arc;

use blst::min_pk::SecretKey as BlsKey;
use k256::ecdsa::SigningKey as EcdsaKey;
use secrecy::{ExposeSecret, SecretBox};
use subtle::ConstantTimeEq;
use venus_core::crypto::{bls, delegated, hash, secp};
use venus_core::types::{Address, Signature};
use zeroize::Zeroizing;

use crate::error::KeyError;
pub use kind::KeyType;
pub(crate) use kind::UNKNOWN as UNKNOWN_TYPE;

/// Length of a private key of any kind, bytes.
pub(crate) const KEY_LEN: usize = 32;

/// A private key and its kind. It is a valid scalar, is wiped when its last clone is dropped, and no format shows it.
///
/// The bytes are those of exported Filecoin keys: ECDSA scalars big-endian, **BLS scalars little-endian**.
///
/// A key is parsed once, when it is made: signing costs what the curve library costs. Clones share the one copy in
/// memory.
#[derive(Clone)]
pub struct KeyInfo {
    parts: Arc<Parts>,
}

struct Parts {
    key_type: KeyType,
    address: Address,
    secret: SecretBox<[u8; KEY_LEN]>,
    parsed: Parsed,
}

/// What the curve library signs with. Both kinds wipe themselves when dropped.
enum Parsed {
    Ecdsa(EcdsaKey),
    Bls(BlsKey),
}

impl KeyInfo {
    /// A key of these 32 bytes.
    ///
    /// # Errors
    /// [`KeyError`] for another length, zero, or a scalar that is not below the group's order. Such a BLS scalar is
    /// refused, not reduced: the reduced one is another key than the one written down.
    pub fn new(key_type: KeyType, bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != KEY_LEN {
            return Err(KeyError::Length(bytes.len()));
        }
        if bytes.ct_eq(&[0; KEY_LEN]).into() {
            return Err(KeyError::Zero);
        }
        let secret = SecretBox::init_with_mut(|secret: &mut [u8; KEY_LEN]| secret.copy_from_slice(bytes));
        let out_of_range = || KeyError::OutOfRange(key_type.as_str());
        let parsed = Parsed::new(key_type, secret.expose_secret()).ok_or_else(out_of_range)?;
        let address = parsed.address(key_type).ok_or_else(out_of_range)?;
        Ok(Self { parts: Arc::new(Parts { key_type, address, secret, parsed }) })
    }

    /// The kind of key.
    pub fn key_type(&self) -> KeyType {
        self.parts.key_type
    }

    /// The address that the key signs for. It was computed when the key was read, so this costs nothing.
    ///
    /// # Errors
    /// None: a key without an address cannot be made.
    pub fn address(&self) -> Result<Address, KeyError> {
        Ok(self.parts.address)
    }

    /// Signs bytes by the key's algorithm. Not public: only bytes of a [`crate::Payload`] come here.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Result<Signature, KeyError> {
        match (&self.parts.parsed, self.key_type()) {
            (Parsed::Bls(key), _) => Ok(Signature::bls(key.sign(bytes, bls::DST, &[]).compress())),
            (Parsed::Ecdsa(key), KeyType::Delegated) => {
                self.recoverable(key, &hash::keccak_256(bytes)).map(Signature::delegated)
            }
            (Parsed::Ecdsa(key), _) => {
                self.recoverable(key, &hash::blake2b_256(bytes)).map(Signature::secp256k1)
            }
        }
    }

    /// The raw bytes, for exports.
    pub(crate) fn expose(&self) -> &[u8; KEY_LEN] {
        self.parts.secret.expose_secret()
    }

    /// `R‖S‖V` with the nonce of RFC 6979 and the lower `S`: the same request always gives the same signature, and
    /// a weak random generator cannot leak the key. `V` is 0 or 1: for 2 and 3, `R` would have to exceed the group's
    /// order, which one point in 2^128 does.
    fn recoverable(&self, key: &EcdsaKey, digest: &[u8; 32]) -> Result<Vec<u8>, KeyError> {
        let signed = key.sign_prehash_recoverable(digest);
        let (signature, id) = signed.map_err(|_| KeyError::OutOfRange(self.key_type().as_str()))?;
        let mut data = Vec::with_capacity(secp::SIGNATURE_LEN);
        data.extend_from_slice(&signature.to_bytes());
        data.push(id.to_byte());
        Ok(data)
    }
}

impl Parsed {
    /// `None` for a scalar outside of the group. Both libraries compare in constant time.
    fn new(key_type: KeyType, secret: &[u8; KEY_LEN]) -> Option<Self> {
        match key_type {
            KeyType::Secp256k1 | KeyType::Delegated => EcdsaKey::from_slice(secret).ok().map(Self::Ecdsa),
            KeyType::Bls => {
                let mut big_endian = Zeroizing::new(*secret);
                big_endian.reverse();
                BlsKey::from_bytes(big_endian.as_slice()).ok().map(Self::Bls)
            }
        }
    }

    fn address(&self, key_type: KeyType) -> Option<Address> {
        match self {
            Self::Bls(key) => bls::address_of(&key.sk_to_pk().compress()).ok(),
            Self::Ecdsa(key) => {
                let point = key.verifying_key().to_encoded_point(false);
                let public = point.as_bytes().try_into().ok()?;
                match key_type {
                    KeyType::Delegated => delegated::address_of(public).ok(),
                    _ => secp::address_of(public).ok(),
                }
            }
        }
    }
}

impl fmt::Debug for KeyInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyInfo").field("key_type", &self.key_type()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! Private keys: what they are, what they sign with, which address they have.

use std::fmt;

use blst::min_pk::SecretKey as BlsKey;
use k256::ecdsa::SigningKey as SecpKey;
use secrecy::{ExposeSecret, SecretBox};
use venus_core::crypto::{bls, hash, secp};
use venus_core::entropy::Entropy;
use venus_core::types::{Address, Signature, SignatureType};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{KeyError, WalletError};

/// Length of a private key of either kind, bytes.
pub(crate) const KEY_LEN: usize = 32;
/// A draw misses the secp256k1 range once in 2^128: a source that misses this often is broken.
const MAX_DRAWS: usize = 8;

/// The algorithm of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// ECDSA over secp256k1; addresses `f1…`.
    Secp256k1,
    /// BLS12-381; addresses `f3…`. Workers of miners need one.
    Bls,
}

impl KeyType {
    /// The name in exported keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secp256k1 => "secp256k1",
            Self::Bls => "bls",
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// [`KeyError::Field`] for everything else.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let kinds = [Self::Secp256k1, Self::Bls];
        let unknown = KeyError::Field { field: "Type", reason: "expected secp256k1 or bls" };
        kinds.into_iter().find(|kind| text == kind.as_str()).ok_or(unknown)
    }

    /// The kind of signatures that such a key makes.
    pub fn signature_type(self) -> SignatureType {
        match self {
            Self::Secp256k1 => SignatureType::Secp256k1,
            Self::Bls => SignatureType::Bls,
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A private key and its kind. It is a valid scalar, is wiped when dropped, and no format shows it.
///
/// The bytes are those of exported Filecoin keys: secp256k1 scalars big-endian, **BLS scalars little-endian**.
pub struct KeyInfo {
    key_type: KeyType,
    secret: SecretBox<[u8; KEY_LEN]>,
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
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(KeyError::Zero);
        }
        let secret = SecretBox::init_with_mut(|secret: &mut [u8; KEY_LEN]| secret.copy_from_slice(bytes));
        let key = Self { key_type, secret };
        key.address()?;
        Ok(key)
    }

    /// A fresh key. Its quality is that of `entropy`.
    ///
    /// # Errors
    /// [`WalletError::Entropy`].
    pub fn generate(key_type: KeyType, entropy: &dyn Entropy) -> Result<Self, WalletError> {
        match key_type {
            KeyType::Bls => generate_bls(entropy),
            KeyType::Secp256k1 => generate_secp(entropy),
        }
    }

    /// The kind of key.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The address that the key signs for.
    ///
    /// # Errors
    /// [`KeyError::OutOfRange`] never comes out of a `KeyInfo` that exists; it is how [`KeyInfo::new`] checks.
    pub fn address(&self) -> Result<Address, KeyError> {
        match self.key_type {
            KeyType::Bls => bls::address_of(&self.bls()?.sk_to_pk().compress()),
            KeyType::Secp256k1 => {
                let point = self.secp()?.verifying_key().to_encoded_point(false);
                let public = point.as_bytes().try_into().map_err(|_| self.out_of_range())?;
                secp::address_of(public)
            }
        }
        .map_err(|_| self.out_of_range())
    }

    /// Signs bytes by the key's algorithm. Not public: only bytes of a [`crate::Payload`] come here.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Result<Signature, KeyError> {
        match self.key_type {
            KeyType::Bls => Ok(Signature::bls(self.bls()?.sign(bytes, bls::DST, &[]).compress())),
            KeyType::Secp256k1 => self.sign_secp(&hash::blake2b_256(bytes)).map(Signature::secp256k1),
        }
    }

    /// The raw bytes, for exports.
    pub(crate) fn expose(&self) -> &[u8; KEY_LEN] {
        self.secret.expose_secret()
    }

    /// `R‖S‖V` with the nonce of RFC 6979 and the lower `S`: the same request always gives the same signature, and
    /// a weak random generator cannot leak the key.
    fn sign_secp(&self, digest: &[u8; 32]) -> Result<Vec<u8>, KeyError> {
        let (signature, id) =
            self.secp()?.sign_prehash_recoverable(digest).map_err(|_| self.out_of_range())?;
        let mut data = signature.to_bytes().to_vec();
        data.push(id.to_byte());
        Ok(data)
    }

    fn bls(&self) -> Result<BlsKey, KeyError> {
        let mut big_endian = Zeroizing::new(*self.expose());
        big_endian.reverse();
        BlsKey::from_bytes(big_endian.as_slice()).map_err(|_| self.out_of_range())
    }

    fn secp(&self) -> Result<SecpKey, KeyError> {
        SecpKey::from_slice(self.expose()).map_err(|_| self.out_of_range())
    }

    fn out_of_range(&self) -> KeyError {
        KeyError::OutOfRange(self.key_type.as_str())
    }
}

impl Clone for KeyInfo {
    fn clone(&self) -> Self {
        let secret = SecretBox::init_with_mut(|to: &mut [u8; KEY_LEN]| to.copy_from_slice(self.expose()));
        Self { key_type: self.key_type, secret }
    }
}

impl fmt::Debug for KeyInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyInfo").field("key_type", &self.key_type).finish_non_exhaustive()
    }
}

/// The key derivation of the IETF BLS draft over 32 random bytes.
fn generate_bls(entropy: &dyn Entropy) -> Result<KeyInfo, WalletError> {
    let mut material = Zeroizing::new([0; KEY_LEN]);
    entropy.fill(material.as_mut_slice())?;
    let key = BlsKey::key_gen(material.as_slice(), &[])
        .map_err(|_| WalletError::Entropy("key derivation refused the random bytes".into()))?;
    let mut scalar = Zeroizing::new(key.to_bytes());
    scalar.reverse();
    Ok(KeyInfo::new(KeyType::Bls, scalar.as_slice())?)
}

/// Rejection sampling: every scalar of the range is as likely as any other.
fn generate_secp(entropy: &dyn Entropy) -> Result<KeyInfo, WalletError> {
    let mut scalar = Zeroizing::new([0; KEY_LEN]);
    for _ in 0..MAX_DRAWS {
        entropy.fill(scalar.as_mut_slice())?;
        if let Ok(key) = KeyInfo::new(KeyType::Secp256k1, scalar.as_slice()) {
            return Ok(key);
        }
        scalar.zeroize();
    }
    Err(WalletError::Entropy("the random bytes never form a key".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;
    use venus_core::entropy::{EntropyError, SeededEntropy};

    /// The orders of the groups, big-endian.
    const BLS_ORDER: &str = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
    const SECP_ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

    fn hex(text: &str) -> Vec<u8> {
        HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    fn key(key_type: KeyType, text: &str) -> KeyInfo {
        KeyInfo::new(key_type, &hex(text)).unwrap()
    }

    #[test]
    fn golden_secp256k1() {
        let key = key(KeyType::Secp256k1, "2a2a2a2a2a2a2a2a5fbf0ed0f8364c01ff27540ecd6669ff4cc548cbe60ef5ab");
        assert_eq!(key.address().unwrap().to_string(), "f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq");
        let signature = key.sign(b"hello filecoin").unwrap();
        assert_eq!(
            HEXLOWER.encode(&signature.data),
            "4c49bacbd5a1e9734595d77a7ae8909ae35859e182344c0f1c081d8fdc6749302d50ae81d0d80c9c4be9cf3071bf7b0c465a19aea1023b21239b8bbdffd0ca8d01"
        );
        assert_eq!(signature.sig_type, SignatureType::Secp256k1);
    }

    #[test]
    fn golden_bls() {
        let key = key(KeyType::Bls, "33ff38fa8c1c53c3ef1b2f811cee9ce4f7ec2ce90b16ceeb9675dc6aa3d04817");
        assert_eq!(
            key.address().unwrap().to_string(),
            "f3tho7tbdrw3xuy6ybz6p5tfc7nsqqa2ozhsrnmhwynrb3keeaeywe3felidbpgvy2wcxktmxcezlpz7pbu5pq"
        );
        let signature = HEXLOWER.encode(&key.sign(b"hello filecoin").unwrap().data);
        assert!(signature.starts_with("828e485c") && signature.ends_with("be07cf7"), "{signature}");
    }

    #[test]
    fn the_range_is_exact() {
        let cases = [(KeyType::Bls, BLS_ORDER, true), (KeyType::Secp256k1, SECP_ORDER, false)];
        for (key_type, order, little_endian) in cases {
            let ordered = |mut big_endian: Vec<u8>| {
                if little_endian {
                    big_endian.reverse();
                }
                big_endian
            };
            let order = hex(order);
            let mut largest = order.clone();
            largest[31] -= 1;
            let refused = KeyError::OutOfRange(key_type.as_str());
            assert_eq!(KeyInfo::new(key_type, &ordered(order)).unwrap_err(), refused);
            assert_eq!(KeyInfo::new(key_type, &[0xff; 32]).unwrap_err(), refused);
            assert!(KeyInfo::new(key_type, &ordered(largest)).is_ok());
            let mut one = vec![0; 32];
            one[31] = 1;
            assert!(KeyInfo::new(key_type, &ordered(one)).is_ok());
            assert_eq!(KeyInfo::new(key_type, &[0; 32]).unwrap_err(), KeyError::Zero);
            for len in [0, 31, 33] {
                assert_eq!(KeyInfo::new(key_type, &vec![1; len]).unwrap_err(), KeyError::Length(len));
            }
        }
    }

    #[test]
    fn generated_keys_follow_the_entropy() {
        let address = |key_type, seed| {
            let key = KeyInfo::generate(key_type, &SeededEntropy::new(seed, "keys")).unwrap();
            assert_eq!(key.key_type(), key_type);
            key.address().unwrap()
        };
        for key_type in [KeyType::Bls, KeyType::Secp256k1] {
            assert_eq!(address(key_type, 1), address(key_type, 1));
            assert_ne!(address(key_type, 1), address(key_type, 2));
        }
    }

    /// A source that gives one byte for ever.
    struct Stuck(u8);

    impl Entropy for Stuck {
        fn fill(&self, buf: &mut [u8]) -> Result<(), EntropyError> {
            buf.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn a_broken_source_gives_no_key() {
        for byte in [0, 0xff] {
            let e = KeyInfo::generate(KeyType::Secp256k1, &Stuck(byte)).unwrap_err();
            assert!(matches!(e, WalletError::Entropy(_)), "{e}");
        }
    }
}

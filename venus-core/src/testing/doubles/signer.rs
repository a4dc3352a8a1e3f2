//! A wallet of throw-away keys.

use std::fmt;
use std::sync::Mutex;

use async_trait::async_trait;
use blst::min_pk::SecretKey;
use fvm_shared::address::Address;
use fvm_shared::message::Message;
use k256::ecdsa::SigningKey;

use super::lock;
use crate::api::{ISigner, SignerError};
use crate::cbor::{CborError, Decode};
use crate::crypto::hash::blake2b_256;
use crate::crypto::{bls, secp};
use crate::entropy::{Entropy, SeededEntropy};
use crate::types::{BlockHeader, DrawRandomParams, MessageExt, MsgMeta, MsgType, Signature, SignatureType};

/// Signs for real with keys made from a seed, by the rules of [`ISigner`].
///
/// **For tests only.** Everybody who knows the seed knows the keys, they are not wiped from memory, and this is
/// the only place in the crate where private keys exist; wallets live in `venus-signer`.
pub struct TestSigner {
    entropy: SeededEntropy,
    keys: Mutex<Vec<(Address, Key)>>,
}

#[derive(Clone)]
enum Key {
    Bls(SecretKey),
    Secp(SigningKey),
}

#[allow(clippy::expect_used, reason = "32 seeded bytes make a key, and the odds of a zero scalar are 2^-256")]
impl TestSigner {
    /// A signer without keys. The same seed makes the same keys in the same order.
    pub fn new(seed: u64) -> Self {
        Self { entropy: SeededEntropy::new(seed, "test signer"), keys: Mutex::default() }
    }

    /// Makes a BLS key and answers its `f3` address.
    pub fn new_bls(&self) -> Address {
        let key = SecretKey::key_gen(&self.random(), &[]).expect("BLS key");
        let address = bls::address_of(&key.sk_to_pk().compress()).expect("BLS address");
        lock(&self.keys).push((address, Key::Bls(key)));
        address
    }

    /// Makes a secp256k1 key and answers its `f1` address.
    pub fn new_secp(&self) -> Address {
        let key = SigningKey::from_slice(&self.random()).expect("secp256k1 key");
        let point = key.verifying_key().to_encoded_point(false);
        let public = point.as_bytes().try_into().expect("an uncompressed point has 65 bytes");
        let address = secp::address_of(public).expect("secp256k1 address");
        lock(&self.keys).push((address, Key::Secp(key)));
        address
    }

    fn random(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes).expect("seeded entropy");
        bytes
    }
}

impl Key {
    fn sign(&self, bytes: &[u8]) -> Result<Signature, SignerError> {
        match self {
            Self::Bls(key) => Ok(Signature::bls(key.sign(bytes, bls::DST, &[]).compress())),
            Self::Secp(key) => {
                let signed = key.sign_prehash_recoverable(&blake2b_256(bytes));
                let (signature, id) = signed.map_err(|e| SignerError::Store(e.into()))?;
                let mut data = signature.to_bytes().to_vec();
                data.push(id.to_byte());
                Ok(Signature::secp256k1(data))
            }
        }
    }

    fn kind(&self) -> SignatureType {
        match self {
            Self::Bls(_) => SignatureType::Bls,
            Self::Secp(_) => SignatureType::Secp256k1,
        }
    }
}

#[async_trait]
impl ISigner for TestSigner {
    async fn has(&self, address: &Address) -> Result<bool, SignerError> {
        Ok(lock(&self.keys).iter().any(|(a, _)| a == address))
    }

    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        Ok(lock(&self.keys).iter().map(|(address, _)| *address).collect())
    }

    async fn sign(
        &self,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, SignerError> {
        let key = lock(&self.keys).iter().find(|(a, _)| a == address).map(|(_, key)| key.clone());
        let key = key.ok_or(SignerError::KeyNotFound(*address))?;
        key.sign(&bytes_of(to_sign, meta, address, key.kind())?)
    }
}

/// The bytes of the typed payload.
fn bytes_of(
    to_sign: &[u8],
    meta: &MsgMeta,
    signer: &Address,
    kind: SignatureType,
) -> Result<Vec<u8>, SignerError> {
    let msg_type = meta.msg_type;
    let bad = |e: CborError| SignerError::BadPayload { msg_type, reason: e.to_string() };
    let unsupported = |reason| Err(SignerError::Unsupported { msg_type, signer: *signer, reason });
    let bytes = match msg_type {
        MsgType::ChainMessage => Message::from_cbor(&meta.extra).map_err(bad)?.cid().to_bytes(),
        MsgType::Block | MsgType::DrawRandomParam if kind != SignatureType::Bls => {
            return unsupported("workers have BLS keys");
        }
        MsgType::Block => BlockHeader::from_cbor(to_sign).map_err(bad)?.signing_bytes(),
        // What is signed is a digest of the payload, so the two cannot be compared.
        MsgType::DrawRandomParam => {
            return Ok(DrawRandomParams::from_cbor(to_sign).map_err(bad)?.digest().to_vec());
        }
        _ => return unsupported("only messages, blocks and VRF draws are signed"),
    };
    if bytes != to_sign {
        return Err(SignerError::Mismatch(msg_type));
    }
    Ok(bytes)
}

impl fmt::Debug for TestSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<_> = lock(&self.keys).iter().map(|(address, _)| *address).collect();
        f.debug_struct("TestSigner").field("addresses", &addresses).finish_non_exhaustive()
    }
}

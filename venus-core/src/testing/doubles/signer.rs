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
use crate::crypto::hash::{blake2b_256, keccak_256};
use crate::crypto::{CryptoError, bls, delegated, secp};
use crate::entropy::{Entropy, SeededEntropy};
use crate::types::{
    BlockHeader, DrawRandomParams, MessageExt, MsgMeta, MsgType, Signature, SignatureType, SignedMessage,
};

/// The chain ID of development networks, to which delegated signatures are bound.
const CHAIN_ID: u64 = 31_415_926;

/// Signs for real with keys made from a seed, by the rules of [`ISigner`]. Delegated keys sign for the chain ID
/// 31415926 of development networks.
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
    Delegated(SigningKey),
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
        let (key, public) = self.ecdsa();
        let address = secp::address_of(&public).expect("secp256k1 address");
        lock(&self.keys).push((address, Key::Secp(key)));
        address
    }

    /// Makes a delegated key and answers its `f410f` address.
    pub fn new_delegated(&self) -> Address {
        let (key, public) = self.ecdsa();
        let address = delegated::address_of(&public).expect("delegated address");
        lock(&self.keys).push((address, Key::Delegated(key)));
        address
    }

    /// Signs a message of a delegated sender as an Ethereum transaction.
    ///
    /// # Errors
    /// As [`ISigner::sign`]; [`SignerError::BadPayload`] for a message without an Ethereum form.
    pub async fn sign_delegated(&self, message: &Message) -> Result<SignedMessage, SignerError> {
        let to_sign = ethereum(message)?;
        let signature = self.sign(&message.from, &to_sign, &MsgMeta::chain_message(message)).await?;
        Ok(SignedMessage { message: message.clone(), signature })
    }

    /// Signs the digest of a gateway's challenge, as a wallet does once it has read the challenge. Whether it may be
    /// answered is for the caller to find out.
    ///
    /// # Errors
    /// [`SignerError::KeyNotFound`].
    pub fn sign_challenge(&self, address: &Address, digest: &[u8]) -> Result<Signature, SignerError> {
        let key = lock(&self.keys).iter().find(|(a, _)| a == address).map(|(_, key)| key.clone());
        key.ok_or(SignerError::KeyNotFound(*address))?.sign(digest)
    }

    fn ecdsa(&self) -> (SigningKey, [u8; secp::PUBLIC_KEY_LEN]) {
        let key = SigningKey::from_slice(&self.random()).expect("secp256k1 key");
        let point = key.verifying_key().to_encoded_point(false);
        let public = point.as_bytes().try_into().expect("an uncompressed point has 65 bytes");
        (key, public)
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
            Self::Secp(key) => recoverable(key, &blake2b_256(bytes)).map(Signature::secp256k1),
            Self::Delegated(key) => recoverable(key, &keccak_256(bytes)).map(Signature::delegated),
        }
    }

    fn kind(&self) -> SignatureType {
        match self {
            Self::Bls(_) => SignatureType::Bls,
            Self::Secp(_) => SignatureType::Secp256k1,
            Self::Delegated(_) => SignatureType::Delegated,
        }
    }
}

fn recoverable(key: &SigningKey, digest: &[u8; 32]) -> Result<[u8; secp::SIGNATURE_LEN], SignerError> {
    let store = |e: k256::ecdsa::Error| SignerError::Store(e.into());
    let (signature, id) = key.sign_prehash_recoverable(digest).map_err(store)?;
    let mut data = [id.to_byte(); secp::SIGNATURE_LEN];
    data.iter_mut().zip(signature.to_bytes()).for_each(|(to, from)| *to = from);
    Ok(data)
}

fn ethereum(message: &Message) -> Result<Vec<u8>, SignerError> {
    let bad =
        |e: CryptoError| SignerError::BadPayload { msg_type: MsgType::ChainMessage, reason: e.to_string() };
    delegated::signing_bytes(message, CHAIN_ID).map_err(bad)
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
        MsgType::ChainMessage if kind == SignatureType::Delegated => {
            ethereum(&Message::from_cbor(&meta.extra).map_err(bad)?)?
        }
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

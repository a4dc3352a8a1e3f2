//! Signing and verifying, against the bare libraries.

use blst::BLST_ERROR;
use blst::min_pk::{PublicKey, SecretKey, Signature as BlsSignature};
use k256::ecdsa::{SigningKey, VerifyingKey};
use tokio::runtime::{Builder, Runtime};
use venus_core::api::ISigner;
use venus_core::crypto::{bls, hash, verify};
use venus_core::types::{Address, Message, MessageExt, MsgMeta, RawBytes, TokenAmount};
use venus_signer::{KeyInfo, KeyType, LocalWallet};

use crate::measure::{BenchError, Effort, Measure, Names, compare, over, same};

const SECP: Names = Names { measure: "secp256k1_sign_verify", baseline: "k256" };
const BLS: Names = Names { measure: "bls_sign_verify", baseline: "blst" };

/// A key below both groups' orders whichever way it is read.
const SECRET: [u8; 32] = [
    0x2a, 0x2a, 0x2a, 0x2a, 0x2a, 0x2a, 0x2a, 0x2a, 0x5f, 0xbf, 0x0e, 0xd0, 0xf8, 0x36, 0x4c, 0x01, 0xff,
    0x27, 0x54, 0x0e, 0xcd, 0x66, 0x69, 0xff, 0x4c, 0xc5, 0x48, 0xcb, 0xe6, 0x0e, 0xf5, 0x2b,
];

/// The libraries' own keys for [`SECRET`].
pub(super) enum Bare {
    Secp(Box<SigningKey>),
    Bls(Box<SecretKey>, Box<PublicKey>),
}

impl Bare {
    pub(super) fn new(names: Names, key_type: KeyType) -> Result<Self, BenchError> {
        if key_type == KeyType::Secp256k1 {
            return SigningKey::from_slice(&SECRET)
                .map(|key| Self::Secp(Box::new(key)))
                .map_err(|e| names.failed(e));
        }
        let mut scalar = SECRET;
        scalar.reverse();
        let key = SecretKey::from_bytes(&scalar).map_err(|e| names.failed(format_args!("{e:?}")))?;
        let public = key.sk_to_pk();
        Ok(Self::Bls(Box::new(key), Box::new(public)))
    }

    /// The signature of a message's CID, as Filecoin writes it.
    pub(super) fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Secp(key) => key.sign_prehash_recoverable(&hash::blake2b_256(bytes)).map_or_else(
                |_| Vec::new(),
                |(signature, id)| [&*signature.to_bytes(), &[id.to_byte()]].concat(),
            ),
            Self::Bls(key, _) => key.sign(bytes, bls::DST, &[]).compress().to_vec(),
        }
    }

    fn verify(&self, bytes: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Secp(key) => recovered(bytes, signature).as_ref() == Some(key.verifying_key()),
            Self::Bls(_, public) => BlsSignature::sig_validate(signature, true).is_ok_and(|signature| {
                signature.verify(false, bytes, bls::DST, &[], public, true) == BLST_ERROR::BLST_SUCCESS
            }),
        }
    }
}

fn recovered(bytes: &[u8], signature: &[u8]) -> Option<VerifyingKey> {
    let (id, signature) = signature.split_last()?;
    let signature = k256::ecdsa::Signature::from_slice(signature).ok()?;
    let id = k256::ecdsa::RecoveryId::from_byte(*id)?;
    VerifyingKey::recover_from_prehash(&hash::blake2b_256(bytes), &signature, id).ok()
}

/// A request to sign a message, as a pool's messager makes it.
pub(super) struct Request {
    pub(super) to_sign: Vec<u8>,
    pub(super) meta: MsgMeta,
}

pub(super) fn requests(from: Address, count: u64) -> Vec<Request> {
    (0..count)
        .map(|n| {
            let message = Message {
                version: 0,
                to: Address::new_id(1000 + n % 7),
                from,
                sequence: n,
                value: TokenAmount::from_nano(n * 1_000_003),
                method_num: 5 + n % 3,
                params: RawBytes::new(vec![7; (n % 4 * 48) as usize]),
                gas_limit: 30_000_000 + n,
                gas_fee_cap: TokenAmount::from_nano(2),
                gas_premium: TokenAmount::from_atto(100_000 + n),
            };
            Request { to_sign: message.cid().to_bytes(), meta: MsgMeta::chain_message(&message) }
        })
        .collect()
}

pub(super) fn key(names: Names, key_type: KeyType) -> Result<KeyInfo, BenchError> {
    KeyInfo::new(key_type, &SECRET).map_err(|error| names.input(error))
}

/// A runtime of one thread: what is compared is work, not its distribution.
fn runtime() -> Result<Runtime, BenchError> {
    Ok(Builder::new_current_thread().build()?)
}

pub(super) fn measure(effort: &Effort) -> Result<Vec<Measure>, BenchError> {
    [(SECP, KeyType::Secp256k1), (BLS, KeyType::Bls)]
        .map(|(names, kind)| one(effort, names, kind))
        .into_iter()
        .collect()
}

fn one(effort: &Effort, names: Names, key_type: KeyType) -> Result<Measure, BenchError> {
    let runtime = runtime()?;
    let wallet = LocalWallet::in_memory();
    let import = wallet.import(key(names, key_type)?);
    let address = runtime.block_on(import).map_err(|error| names.input(error))?;
    let bare = Bare::new(names, key_type)?;
    let requests = requests(address, 8);
    let ours = |request: &Request| {
        let sign = wallet.sign(&address, &request.to_sign, &request.meta);
        runtime.block_on(sign).ok().filter(|signature| verify(signature, &address, &request.to_sign).is_ok())
    };
    let theirs = |request: &Request| {
        let signature = bare.sign(&request.to_sign);
        bare.verify(&request.to_sign, &signature).then_some(signature)
    };
    for request in &requests {
        same(names, &ours(request).map(|signature| signature.data), &theirs(request))?;
        same(names, &ours(request).is_some(), &true)?;
    }
    Ok(compare(names, effort, requests.len(), over(&requests, ours), over(&requests, theirs)))
}

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Signatures of other implementations, reproduced.

use std::path::Path;

use data_encoding::{BASE64, HEXLOWER};
use serde::Deserialize;
use venus_core::api::{ISigner, SignerError, SignerExt};
use venus_core::cbor::{Decode, Encode};
use venus_core::crypto;
use venus_core::json::Json;
use venus_core::types::{
    BlockHeader, DrawRandomParams, Message, MessageExt, MsgMeta, MsgType, Signature, address,
};
use venus_signer::{KeyInfo, KeyType, LocalWallet};

fn load<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MessageVector {
    unsigned: Json<Message>,
    cid: String,
    private_key: String,
    signature: Signature,
}

#[tokio::test]
async fn message_signing_vectors_are_reproduced() {
    let vectors: Vec<MessageVector> = load("message_signing.json");
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let wallet = LocalWallet::in_memory();
        let key = KeyInfo::new(KeyType::Bls, &BASE64.decode(vector.private_key.as_bytes()).unwrap()).unwrap();
        let signer = wallet.import(key).await.unwrap();
        let message = vector.unsigned.0;
        assert_eq!((signer, message.cid().to_string()), (message.from, vector.cid));
        assert_eq!(wallet.sign_message(&message).await.unwrap().signature, vector.signature);
    }
}

#[derive(Deserialize)]
struct Key {
    #[serde(rename = "type")]
    key_type: String,
    #[serde(rename = "privateKeyHex")]
    private_key: String,
    address: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recording {
    name: String,
    key: Key,
    to_sign: String,
    meta: MsgMeta,
    signed_bytes: Option<String>,
    signature: Option<String>,
}

/// What this wallet has to do with a request that was answered by the recorded one.
#[derive(Debug, PartialEq)]
enum Expected {
    Signed,
    Unsupported,
    Mismatch,
    Bad,
    NoKey,
}

fn expected(recording: &Recording) -> Expected {
    let worker = recording.key.key_type == "bls";
    match recording.meta.msg_type {
        _ if recording.key.key_type == "delegated" => Expected::NoKey,
        MsgType::ChainMessage if recording.signature.is_none() => Expected::Bad,
        // The recorded wallet signs whatever it is given beside a message. That is the hole this one closes.
        MsgType::ChainMessage if recording.name.contains("not the CID") => Expected::Mismatch,
        MsgType::ChainMessage => Expected::Signed,
        // The recorded wallet lets any key sign blocks and draws.
        _ if !worker => Expected::Unsupported,
        _ if recording.signature.is_none() => Expected::Bad,
        _ => Expected::Signed,
    }
}

async fn wallet_of(key: &Key) -> LocalWallet {
    let wallet = LocalWallet::in_memory();
    let key_type = match key.key_type.as_str() {
        "bls" => KeyType::Bls,
        "secp256k1" => KeyType::Secp256k1,
        _ => return wallet,
    };
    let bytes = HEXLOWER.decode(key.private_key.as_bytes()).unwrap();
    let signer = wallet.import(KeyInfo::new(key_type, &bytes).unwrap()).await.unwrap();
    assert_eq!(signer, address::parse(&key.address).unwrap());
    wallet
}

#[tokio::test]
async fn recorded_requests_are_answered_alike_or_refused_for_a_reason() {
    let recordings: Vec<Recording> = load("wallet_signatures.json");
    let mut counts = [0; 5];
    for recording in &recordings {
        let wallet = wallet_of(&recording.key).await;
        let signer = address::parse(&recording.key.address).unwrap();
        let to_sign = HEXLOWER.decode(recording.to_sign.as_bytes()).unwrap();
        let answer = wallet.sign(&signer, &to_sign, &recording.meta).await;
        let outcome = match &answer {
            Ok(_) => Expected::Signed,
            Err(SignerError::Unsupported { .. }) => Expected::Unsupported,
            Err(SignerError::Mismatch(_)) => Expected::Mismatch,
            Err(SignerError::BadPayload { .. }) => Expected::Bad,
            Err(SignerError::KeyNotFound(_)) => Expected::NoKey,
            Err(e) => panic!("{}: {e}", recording.name),
        };
        assert_eq!(outcome, expected(recording), "{} with {}", recording.name, recording.key.key_type);
        counts[outcome as usize] += 1;
        let Ok(signature) = answer else { continue };
        let signed = HEXLOWER.decode(recording.signed_bytes.as_ref().unwrap().as_bytes()).unwrap();
        crypto::verify(&signature, &signer, &signed).unwrap();
        if recording.key.key_type == "bls" {
            assert_eq!(Some(HEXLOWER.encode(&signature.data)), recording.signature, "{}", recording.name);
        }
    }
    // Signed: 2 messages by each of two keys, 4 headers and 2 draws by the BLS key.
    assert_eq!(
        counts,
        [10, 7, 2, 9, 17],
        "signed, unsupported, mismatch, bad, no key, of {}",
        recordings.len()
    );
}

/// The draw and its signature by the public BLS test key.
const DRAW: &str = "a46552626173655820abababababababababababababababababababababababababababababababab64506572730265526f756e641903e867456e74726f7079444300e807";
const DRAW_SIGNATURE: &str = "98fa3bc8211da2ec3c6e00f042b50304f29f0d15c6c670416b09fedb98862d6ff6940f1825c055c99ea1d770ad611c861493e52deedffc47f4ecce8e099f8010dd71bf322463f64f42161dc2cd668160303349c4e10bd02340da785f2176e5f1";
const BLS_KEY: &str = "33ff38fa8c1c53c3ef1b2f811cee9ce4f7ec2ce90b16ceeb9675dc6aa3d04817";

#[tokio::test]
async fn golden_draw() {
    let wallet = LocalWallet::in_memory();
    let key = KeyInfo::new(KeyType::Bls, &HEXLOWER.decode(BLS_KEY.as_bytes()).unwrap()).unwrap();
    let worker = wallet.import(key).await.unwrap();
    let cbor = HEXLOWER.decode(DRAW.as_bytes()).unwrap();
    let params = DrawRandomParams::from_cbor(&cbor).unwrap();
    assert_eq!(params.to_cbor(), cbor);
    let proof = wallet.draw_vrf(&worker, &params).await.unwrap();
    assert_eq!(HEXLOWER.encode(&proof), DRAW_SIGNATURE);
}

#[tokio::test]
async fn a_header_is_signed_without_its_signature() {
    let recordings: Vec<Recording> = load("wallet_signatures.json");
    let blocks = recordings.iter().filter(|r| r.key.key_type == "bls" && r.name.starts_with("block 0"));
    let mut signatures = Vec::new();
    for recording in blocks {
        let wallet = wallet_of(&recording.key).await;
        let worker = address::parse(&recording.key.address).unwrap();
        let header = BlockHeader::from_cbor(&HEXLOWER.decode(recording.to_sign.as_bytes()).unwrap()).unwrap();
        signatures.push(wallet.sign_block(&worker, &header).await.unwrap());
    }
    assert_eq!(signatures.len(), 2);
    assert_eq!(signatures[0], signatures[1]);
}

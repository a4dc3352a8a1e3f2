#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Signatures of other implementations, reproduced.

mod recordings;

use data_encoding::{BASE64, HEXLOWER};
use recordings::{hex, load};
use serde::Deserialize;
use venus_core::api::{ISigner, SignerExt};
use venus_core::cbor::{Decode, Encode};
use venus_core::crypto;
use venus_core::error::{Classify, ErrorKind};
use venus_core::json::Json;
use venus_core::types::{
    AskResponse, BlockHeader, DrawRandomParams, Message, MessageExt, MsgMeta, MsgType, Signature,
    SignedStorageAsk, StorageAsk,
};
use venus_signer::{Caller, KeyInfo, KeyType, LocalWallet, go_text};

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
    let mut signatures = Vec::new();
    for name in ["block 0, unsigned header", "block 0, signed header as toSign"] {
        let recording = recordings::recording(name, "bls");
        let header = BlockHeader::from_cbor(&recording.to_sign()).unwrap();
        signatures.push(recording.wallet().await.sign_block(&recording.signer(), &header).await.unwrap());
    }
    assert_eq!(signatures[0], signatures[1]);
}

/// An ask of the storage market and the list that ask responses are signed as.
const ASK: &str = "a8654d696e65724300e80765507269636545001dcd6500655365714e6f07664578706972791a001e84806954696d657374616d701a000f42406c4d6178506965636553697a651b00000008000000006c4d696e506965636553697a651910006d56657269666965645072696365450002faf080";
const ASK_LIST: &str = "8845001dcd6500450002faf0801910001b00000008000000004300e8071a000f42401a001e848007";

#[tokio::test]
async fn golden_ask() {
    let recording = recordings::recording("storage ask", "bls");
    let ask = StorageAsk::from_cbor(&hex(ASK)).unwrap();
    assert_eq!((ask.to_cbor(), ask.to_tuple()), (hex(ASK), hex(ASK_LIST)));
    let (wallet, signer) = (recording.wallet().await, recording.signer());
    let signature = wallet.sign(&signer, &hex(ASK), &MsgMeta::of(MsgType::StorageAsk)).await.unwrap();
    crypto::verify(&signature, &signer, &hex(ASK)).unwrap();
    let response = AskResponse { ask: SignedStorageAsk { ask, signature: Some(signature) } };
    let meta = MsgMeta::of(MsgType::AskResponse);
    let signature = wallet.sign(&signer, &response.to_cbor(), &meta).await.unwrap();
    crypto::verify(&signature, &signer, &hex(ASK_LIST)).unwrap();
}

#[tokio::test]
async fn golden_challenge() {
    let recording = recordings::recording("unknown 0", "bls");
    let (wallet, signer) = (recording.wallet().await, recording.signer());
    let digest = hex("f818afd37a6dc3bc92fb44731011277006db4efa6e9023cd7468c02335d22a4d");
    let meta = MsgMeta { msg_type: MsgType::VerifyAddress, extra: vec![1; 32] };
    let session = Caller { session_random: Some([2; 32]), ..Caller::gateway("hub", Vec::new()) };
    let signature = wallet.sign_as(&session, &signer, &digest, &meta).await.unwrap();
    crypto::verify(&signature, &signer, &digest).unwrap();

    let other = Caller { session_random: Some([3; 32]), ..session.clone() };
    let error = wallet.sign_as(&other, &signer, &digest, &meta).await.unwrap_err();
    let text = go_text(&error, "verifyaddress");
    assert!(
        text.starts_with("get sign bytes: parseObj failed:sign data not match, actual [248 24 175 "),
        "{text}"
    );
    assert!(text.contains(" 42 77], expected ["), "{text}");
    // Outside a session of a gateway nobody gets a challenge signed, whatever the permissions.
    let error = wallet.sign(&signer, &digest, &meta).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

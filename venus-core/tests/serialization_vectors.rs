//! Filecoin's own vectors: messages, signatures and headers.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{hex_of, json, list, parsed, str_of, typed};
use serde_json::Value;
use venus_core::cbor::{Decode, Encode};
use venus_core::crypto;
use venus_core::json::{Json, with_network};
use venus_core::types::{BlockHeader, Cid, Message, MessageExt, Network, Signature, SignedMessage};

/// The JSON of a message as the vectors have it, which know no `CID` member.
fn without_cid(message: &Message) -> Value {
    let mut value = with_network(Network::Testnet, || serde_json::to_value(Json(message.clone()))).unwrap();
    let cid = value.as_object_mut().unwrap().remove("CID").expect("messages name their CID");
    assert_eq!(cid["/"], message.cid().to_string());
    value
}

#[test]
fn vectors_21_unsigned_messages() {
    let vectors = json("unsigned_messages.json");
    let mut checked = 0;
    for vector in list(&vectors) {
        let Json(message) = typed::<Json<Message>>(&vector["message"]);
        let cbor = hex_of(vector, "hex_cbor");
        assert_eq!(message.to_cbor(), cbor);
        assert_eq!(Message::from_cbor(&cbor).unwrap(), message);
        assert_eq!(without_cid(&message), vector["message"]);
        checked += 1;
    }
    assert_eq!(checked, 21);
}

#[test]
fn vectors_2_message_signings() {
    let vectors = json("message_signing.json");
    let mut checked = 0;
    for vector in list(&vectors) {
        let Json(message) = typed::<Json<Message>>(&vector["Unsigned"]);
        assert_eq!(message.cid(), parsed::<Cid>(vector, "Cid"));
        assert_eq!(message.cid().to_bytes(), hex_of(vector, "CidHexBytes"));
        assert_eq!(without_cid(&message), vector["Unsigned"]);
        let signature: Signature = typed(&vector["Signature"]);
        let mut signed = SignedMessage { message, signature };
        crypto::verify_message(&signed, &signed.message.from, 314).unwrap();
        signed.message.sequence += 1;
        assert!(crypto::verify_message(&signed, &signed.message.from, 314).is_err());
        checked += 1;
    }
    assert_eq!(checked, 2);
}

#[test]
fn vectors_5_block_headers() {
    let vectors = json("block_headers.json");
    let mut checked = 0;
    for vector in list(&vectors) {
        let header: BlockHeader = typed(&vector["block"]);
        let cbor = hex_of(vector, "cbor_hex");
        assert_eq!(header.to_cbor(), cbor);
        assert_eq!(BlockHeader::from_cbor(&cbor).unwrap(), header);
        assert_eq!(header.cid().to_string(), str_of(vector, "cid"));
        let written = with_network(Network::Testnet, || serde_json::to_value(&header)).unwrap();
        assert_eq!(written, vector["block"]);
        checked += 1;
    }
    assert_eq!(checked, 5);
}

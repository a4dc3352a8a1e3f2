#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! What the signatures of a Go wallet cover, kind by kind and key by key.

mod common;

use common::{hex_of, json, list, str_of, typed};
use fvm_shared::address::{Address, Network};
use proptest::prelude::*;
use venus_core::crypto::{KnownKey, signed_bytes, verify};
use venus_core::types::{MsgMeta, MsgType, Signature, SignatureType};

#[test]
fn recorded_signatures_verify_over_the_computed_bytes() {
    let recorded = json("wallet_signatures.json");
    let mut known: Vec<(Address, KnownKey)> = Vec::new();
    for case in list(&recorded) {
        let name = str_of(case, "name");
        let signer = Network::Mainnet.parse_address(str_of(case, "signer")).unwrap();
        let (to_sign, meta): (_, MsgMeta) = (hex_of(case, "toSign"), typed(&case["meta"]));
        let sig_type = match case["signatureType"].as_u64().unwrap() {
            1 => SignatureType::Secp256k1,
            2 => SignatureType::Bls,
            _ => SignatureType::Delegated,
        };
        let signature = Signature { sig_type, data: hex_of(case, "signature") };
        let bytes = signed_bytes(&to_sign, &meta).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(*bytes, hex_of(case, "signedBytes"), "{name}");
        verify(&signature, &signer, &bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        match known.iter().find(|(address, _)| *address == signer) {
            Some((_, key)) => key.verify(&signature, &bytes).unwrap_or_else(|e| panic!("{name}: {e}")),
            None => known.push((signer, KnownKey::prove(&signature, &signer, &bytes).unwrap())),
        }
    }
    assert_eq!((list(&recorded).len(), known.len()), (78, 3), "every kind by three keys");
}

#[test]
fn bytes_that_are_not_what_they_are_said_to_be_cover_nothing() {
    for msg_type in [MsgType::DrawRandomParam, MsgType::Block, MsgType::SignedVoucher, MsgType::AskResponse] {
        let error = signed_bytes(b"garbage", &MsgMeta::of(msg_type)).unwrap_err();
        assert!(error.to_string().starts_with(&format!("the bytes to sign are no {msg_type}: ")), "{error}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(to_sign: Vec<u8>, extra: Vec<u8>, kind in 0..MsgType::ALL.len()) {
        let meta = MsgMeta { msg_type: MsgType::ALL[kind], extra };
        let _ = signed_bytes(&to_sign, &meta);
    }
}

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Every kind of payload by every kind of key, as venus-wallet v1.20.0 answered it, under a policy that allows all.

mod recordings;

use data_encoding::HEXLOWER;
use recordings::{Recording, recordings};
use venus_core::api::{ISigner, SignerError};
use venus_core::crypto;
use venus_signer::{LocalWallet, go_text};

/// Answers that differ on purpose, and why.
fn deviation(recording: &Recording) -> Option<&'static str> {
    let delegated = recording.key.key_type == "delegated";
    match recording.name.as_str() {
        "message, toSign is not the CID of Extra" => {
            Some("11.1: the bytes to sign are those of the message, or nothing is signed")
        }
        "message, CID" if delegated => Some("11.1: an f4 sender signs its Ethereum transaction"),
        "message, plain send of 0, CID" if delegated => {
            Some("11.1: an f4 sender cannot sign a plain transfer")
        }
        "deal proposal with a bytes label" => Some("11.9: labels of deals are text or bytes"),
        _ => None,
    }
}

/// Refusals whose text differs, and why.
fn other_text(recording: &Recording) -> Option<&'static str> {
    match recording.name.as_str() {
        "ask response, null ask" => Some("Go's wallet crashed on a nil pointer"),
        "verify address, wrong bytes" => Some("without a gateway session there is no digest to expect"),
        _ => None,
    }
}

fn assert_signed(recording: &Recording, signature: &venus_core::types::Signature) {
    let name = &recording.name;
    let signed = recording.signed_bytes().unwrap();
    crypto::verify(signature, &recording.signer(), &signed).unwrap_or_else(|e| panic!("{name}: {e}"));
    if recording.key.key_type == "bls" {
        assert_eq!(Some(HEXLOWER.encode(&signature.data)), recording.signature, "{name}");
    }
}

fn assert_refused(recording: &Recording, error: &SignerError) {
    let (ours, theirs) = (go_text(error, recording.claimed()), &recording.error.as_ref().unwrap().message);
    let name = &recording.name;
    match other_text(recording) {
        None => assert_eq!(&ours, theirs, "{name}"),
        Some(why) => {
            assert_ne!(&ours, theirs, "{name} is listed: {why}");
            assert!(ours.starts_with("get sign bytes: parseObj failed:"), "{name}: {ours}");
        }
    }
}

/// What differs from Go, the other way round from what Go did.
fn assert_differs(recording: &Recording, answer: &Result<venus_core::types::Signature, SignerError>) {
    let name = &recording.name;
    match answer {
        Ok(signature) => {
            assert!(recording.error.is_some(), "{name}");
            crypto::verify(signature, &recording.signer(), &recording.to_sign()).unwrap();
        }
        Err(error) => {
            assert!(recording.signature.is_some(), "{name}");
            let expected = matches!(error, SignerError::Mismatch(_) | SignerError::BadPayload { .. });
            assert!(expected, "{name}: {error}");
        }
    }
}

#[tokio::test]
async fn all_recorded_requests_are_answered_alike_but_for_the_listed() {
    let (mut signed, mut refused, mut differ, mut texts) = (0, 0, Vec::new(), 0);
    let recordings = recordings();
    for recording in &recordings {
        let wallet: LocalWallet = recording.wallet().await;
        let answer = wallet.sign(&recording.signer(), &recording.to_sign(), &recording.meta()).await;
        if let Some(why) = deviation(recording) {
            assert_differs(recording, &answer);
            differ.push(format!("{} with {}: {why}", recording.name, recording.key.key_type));
            continue;
        }
        match (answer, &recording.error) {
            (Ok(signature), None) => {
                assert_signed(recording, &signature);
                signed += 1;
            }
            (Err(error), Some(_)) => {
                assert_refused(recording, &error);
                texts += usize::from(other_text(recording).is_some());
                refused += 1;
            }
            (answer, _) => panic!("{} with {}: {answer:?}", recording.name, recording.key.key_type),
        }
    }
    println!("{signed}/{refused}/{}", differ.len());
    differ.iter().for_each(|line| println!("  {line}"));
    assert_eq!((recordings.len(), signed, refused, differ.len()), (111, 73, 30, 8));
    assert_eq!(texts, 6, "null asks and challenges by three keys");
}

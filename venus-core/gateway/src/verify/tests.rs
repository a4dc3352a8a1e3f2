use venus_core::api::{ISigner, MessageRequest, SignerExt};
use venus_core::cbor::Encode;
use venus_core::testing::doubles::TestSigner;
use venus_core::types::{DrawRandomParams, Message, MessageExt, MsgType, TokenAmount};

use super::*;

fn message(from: Address, nonce: u64) -> Message {
    let mut message = MessageRequest::transfer(from, from, TokenAmount::default()).message;
    message.sequence = nonce;
    message
}

async fn signed(wallet: &TestSigner, from: Address, nonce: u64) -> (Vec<u8>, MsgMeta, Signature) {
    let message = message(from, nonce);
    let signature = wallet.sign_message(&message).await.unwrap().signature;
    (message.cid().to_bytes(), MsgMeta::chain_message(&message), signature)
}

#[tokio::test]
async fn kept_keys_take_good_signatures_and_no_others() {
    let (wallet, verifying) = (TestSigner::new(1), Verifying::default());
    for signer in [wallet.new_secp(), wallet.new_bls()] {
        for nonce in 0..3 {
            let (to_sign, meta, signature) = signed(&wallet, signer, nonce).await;
            let verify = |to_sign, signature| verifying.verify(&signer, to_sign, &meta, signature);
            assert_eq!(verify(&to_sign, &signature).await, Ok(()));
            let other = message(signer, nonce + 100).cid().to_bytes();
            assert!(verify(&other, &signature).await.is_err(), "other bytes");
            let mut bad = signature.clone();
            bad.data[20] ^= 1;
            assert!(verify(&to_sign, &bad).await.is_err(), "a changed signature");
            let empty = Signature { data: Vec::new(), ..bad };
            assert!(verify(&to_sign, &empty).await.is_err(), "an empty signature");
        }
        verifying.forget(&signer);
        let (to_sign, meta, signature) = signed(&wallet, signer, 9).await;
        assert_eq!(verifying.verify(&signer, &to_sign, &meta, &signature).await, Ok(()), "known anew");
    }
}

#[tokio::test]
async fn a_key_does_not_sign_for_another_of_its_kind() {
    let (wallet, verifying) = (TestSigner::new(2), Verifying::default());
    for (signer, other) in [
        (wallet.new_secp(), wallet.new_secp()),
        (wallet.new_bls(), wallet.new_bls()),
        (wallet.new_bls(), wallet.new_secp()),
    ] {
        let (to_sign, meta, signature) = signed(&wallet, other, 1).await;
        for _ in 0..2 {
            assert!(verifying.verify(&signer, &to_sign, &meta, &signature).await.is_err());
            assert_eq!(verifying.verify(&other, &to_sign, &meta, &signature).await, Ok(()));
        }
    }
}

#[tokio::test]
async fn draws_are_signed_by_their_digest() {
    let (wallet, verifying) = (TestSigner::new(3), Verifying::default());
    let signer = wallet.new_bls();
    let draw = DrawRandomParams { rbase: vec![7; 32], pers: 1, round: 9, entropy: vec![1, 2] };
    let (to_sign, meta) = (draw.to_cbor(), MsgMeta::of(MsgType::DrawRandomParam));
    let signature = wallet.sign(&signer, &to_sign, &meta).await.unwrap();
    assert_eq!(verifying.verify(&signer, &to_sign, &meta, &signature).await, Ok(()));
    let error = verifying.verify(&signer, b"garbage", &meta, &signature).await.unwrap_err();
    assert!(error.starts_with("the bytes to sign are no drawrandomparam"), "{error}");
}

/// Under load they are checked together, and each hears of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_signature_among_many_is_the_only_one_refused() {
    let (wallet, verifying) = (TestSigner::new(4), Verifying::default());
    let signers = [wallet.new_bls(), wallet.new_bls(), wallet.new_bls()];
    let mut checks = tokio::task::JoinSet::new();
    for nonce in 0..60 {
        let signer = signers[nonce as usize % 3];
        let (to_sign, meta, mut signature) = signed(&wallet, signer, nonce).await;
        if nonce % 20 == 7 {
            signature = signed(&wallet, signer, nonce + 1000).await.2;
        }
        let verifying = verifying.clone();
        checks.spawn(
            async move { (nonce, verifying.verify(&signer, &to_sign, &meta, &signature).await.is_ok()) },
        );
    }
    let mut refused: Vec<u64> = Vec::new();
    while let Some(checked) = checks.join_next().await {
        let (nonce, good) = checked.unwrap();
        refused.extend((!good).then_some(nonce));
    }
    refused.sort_unstable();
    assert_eq!(refused, [7, 27, 47]);
    assert_eq!(lock_workers(&verifying), 0, "workers go when nothing waits");
}

fn lock_workers(verifying: &Verifying) -> usize {
    // The last worker gives up its place after its last verdict.
    let begun = std::time::Instant::now();
    while verifying.batches.busy() > 0 && begun.elapsed().as_secs() < 60 {
        std::thread::yield_now();
    }
    verifying.batches.busy()
}

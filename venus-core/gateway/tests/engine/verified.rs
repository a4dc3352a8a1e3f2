//! What leaves the hub is what was asked for.

use std::sync::Arc;

use futures::future::BoxFuture;
use proptest::prelude::*;
use venus_core::api::UnsealState;
use venus_core::crypto;
use venus_core::testing::doubles::TestSigner;
use venus_core::types::gateway::{RequestEvent, UnsealPayload, WalletSignRequest};
use venus_core::types::{PostProof, Signature, SignatureType};
use venus_gateway::HubError;

use crate::home::{Behaviour, Party, Pool, Reply, always, honest, key, miner, proof, prove, soon};

/// How a signature is made wrong.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    OtherBytes,
    OtherKey,
    Flipped(usize),
    Cut(usize),
    OtherKind,
    Null,
    Empty,
    Garbage,
}

fn forge(wallet: &TestSigner, other: &TestSigner, event: &RequestEvent, wrong: Wrong) -> Reply {
    let request: WalletSignRequest = serde_json::from_slice(&event.payload).unwrap();
    let good = wallet.sign_challenge(&request.signer, &request.to_sign).unwrap();
    let forged = match wrong {
        Wrong::OtherBytes => {
            let bytes = [&request.to_sign[..], b"!"].concat();
            wallet.sign_challenge(&request.signer, &bytes).unwrap()
        }
        Wrong::OtherKey => {
            let address = other.new_secp();
            other.sign_challenge(&address, &request.to_sign).unwrap()
        }
        Wrong::Flipped(bit) => {
            let mut data = good.data.clone();
            let bit = bit % (data.len() * 8);
            data[bit / 8] ^= 1 << (bit % 8);
            Signature { data, ..good }
        }
        Wrong::Cut(to) => Signature { data: good.data[..to % good.data.len()].to_vec(), ..good },
        Wrong::OtherKind => Signature { sig_type: SignatureType::Delegated, ..good },
        Wrong::Null => return Reply::Answer(b"null".to_vec()),
        Wrong::Empty => return Reply::Answer(Vec::new()),
        Wrong::Garbage => return Reply::Answer(b"{not json".to_vec()),
    };
    Reply::json(&forged)
}

fn forging(wallet: &Arc<TestSigner>, wrong: Wrong) -> impl Behaviour + use<> {
    let (wallet, other) = (wallet.clone(), Arc::new(TestSigner::new(77)));
    move |event: RequestEvent| -> BoxFuture<'static, Reply> {
        let reply = forge(&wallet, &other, &event, wrong);
        Box::pin(async move { reply })
    }
}

fn wrong() -> impl Strategy<Value = Wrong> {
    prop_oneof![
        Just(Wrong::OtherBytes),
        Just(Wrong::OtherKey),
        any::<usize>().prop_map(Wrong::Flipped),
        any::<usize>().prop_map(Wrong::Cut),
        Just(Wrong::OtherKind),
        Just(Wrong::Null),
        Just(Wrong::Empty),
        Just(Wrong::Garbage),
    ]
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn i2_a_signature_leaves_only_if_it_verifies(
        wrongs in prop::collection::vec(prop::option::of(wrong()), 1..4),
        bytes in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let honest_ones = wrongs.iter().filter(|wrong| wrong.is_none()).count();
        let (result, signer) = run(async {
            let (pool, (wallet, address)) = (Pool::plain(), key(5));
            let mut parties: Vec<Party> = Vec::new();
            for (connection, wrong) in (1..).zip(&wrongs) {
                parties.push(match wrong {
                    Some(wrong) => pool.wallet("alice", connection, &wallet, forging(&wallet, *wrong)).await,
                    None => pool.wallet("alice", connection, &wallet, honest(&wallet)).await,
                });
            }
            (pool.sign(&address, &bytes).await, address)
        });
        match result {
            Ok(signature) => prop_assert!(crypto::verify(&signature, &signer, &bytes).is_ok()),
            Err(error) => prop_assert_eq!(honest_ones, 0, "an honest wallet was there: {}", error),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn t10_a_wrong_signature_goes_nowhere_and_the_next_wallet_is_asked() {
    let (wallet, address) = key(5);
    let pool = Pool::plain();
    let forger = pool.wallet("alice", 1, &wallet, forging(&wallet, Wrong::OtherBytes)).await;
    let error = pool.sign(&address, b"bytes").await.unwrap_err();
    assert!(matches!(error, HubError::BadSignature { signer, .. } if signer == address), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with("the wallet's signature does not verify for f1"), "{text}");

    let honest = pool.wallet("bob", 2, &wallet, honest(&wallet)).await;
    for _ in 0..4 {
        let signature = pool.sign(&address, b"bytes").await.unwrap();
        crypto::verify(&signature, &address, b"bytes").unwrap();
    }
    assert_eq!(honest.asked(), 4);
    assert!(forger.asked() < 4, "who forged rests");
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_none_are_told_in_gos_words() {
    for (payload, text) in [
        (b"".as_slice(), "unexpected end of JSON input"),
        (b"{not json", "invalid character 'n' looking for beginning of object key string"),
    ] {
        let pool = Pool::plain();
        let _party = pool.prover(1, always(Reply::Answer(payload.to_vec()))).await;
        let _other = pool.sealer(2, always(Reply::Answer(payload.to_vec()))).await;
        assert_eq!(prove(&pool.hub, 2, None).await.unwrap_err().to_string(), text);
        assert_eq!(soon(pool.hub.unseal_piece(&piece())).await.unwrap_err().to_string(), text);
    }
}

#[tokio::test(start_paused = true)]
async fn null_is_the_zero_value() {
    let pool = Pool::plain();
    let _party = pool.prover(1, always(Reply::Answer(b"null".to_vec()))).await;
    let _other = pool.sealer(2, always(Reply::Answer(b"null".to_vec()))).await;
    assert_eq!(prove(&pool.hub, 2, None).await.unwrap(), []);
    assert_eq!(soon(pool.hub.unseal_piece(&piece())).await.unwrap(), UnsealState::Accepted);
}

#[tokio::test(start_paused = true)]
async fn states_have_the_names_of_go() {
    for (name, state) in [
        ("", UnsealState::Accepted),
        ("set_up", UnsealState::Accepted),
        ("uploading", UnsealState::Uploading),
        ("finished", UnsealState::Finished),
    ] {
        let pool = Pool::plain();
        let _party = pool.sealer(1, always(Reply::json(&name))).await;
        assert_eq!(soon(pool.hub.unseal_piece(&piece())).await.unwrap(), state, "{name}");
    }
    let pool = Pool::plain();
    let _party = pool.sealer(1, always(Reply::json(&"gone fishing"))).await;
    let error = soon(pool.hub.unseal_piece(&piece())).await.unwrap_err().to_string();
    assert_eq!(error, "the sealer answered no state but \"gone fishing\"");
}

#[tokio::test(start_paused = true)]
async fn proofs_have_the_shape_of_what_was_asked() {
    let of = |proofs: Vec<(i64, &[u8])>| {
        let proofs = proofs.into_iter();
        let proof = |(post_proof, bytes): (i64, &[u8])| PostProof { post_proof, proof_bytes: bytes.to_vec() };
        Reply::json(&proofs.map(proof).collect::<Vec<_>>())
    };
    for bad in [of(vec![]), of(vec![(3, b"a"), (3, b"b")]), of(vec![(4, b"a")]), of(vec![(3, b"")])] {
        let pool = Pool::plain();
        let _party = pool.prover(1, always(bad.clone())).await;
        let error = prove(&pool.hub, 2, None).await.unwrap_err();
        assert!(
            matches!(&error, HubError::Decode(text) if text.starts_with("the prover answered")),
            "{error:?}"
        );
        let _good = pool.prover(2, always(proof(b"good"))).await;
        for _ in 0..3 {
            assert_eq!(
                prove(&pool.hub, 2, None).await.unwrap()[0].proof_bytes,
                b"good",
                "the next prover is asked"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_answer_panics_the_hub(payload: Vec<u8>, json in r#"[\[\]{}:,"a-zA-Z0-9 ]{0,40}"#, error: String) {
        run(async {
            for reply in [Reply::Answer(payload), Reply::Answer(json.into_bytes()), Reply::Error(error)] {
                let (pool, (wallet, address)) = (Pool::plain(), key(5));
                let _parties = (
                    pool.wallet("alice", 1, &wallet, always(reply.clone())).await,
                    pool.prover(2, always(reply.clone())).await,
                    pool.sealer(3, always(reply)).await,
                );
                assert!(pool.sign(&address, b"bytes").await.is_err());
                let _ = prove(&pool.hub, 2, None).await;
                let _ = soon(pool.hub.unseal_piece(&piece())).await;
                assert_eq!(pool.waiting(), 0);
            }
        });
    }
}

fn piece() -> UnsealPayload {
    UnsealPayload {
        piece_cid: "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq".parse().unwrap(),
        miner: miner(1000),
        sid: 3,
        offset: 127,
        size: 1016,
        dest: "http://127.0.0.1:8080/piece".to_owned(),
    }
}

//! A hub in one process, behind the traits that everybody knows.

use std::sync::Arc;

use futures::future::BoxFuture;
use venus_core::api::{
    ISigner, PieceUnsealer, ProofComputer, ProverError, SignerError, SignerExt, UnsealError, UnsealRequest,
    WinningPostRequest,
};
use venus_core::clock::SystemClock;
use venus_core::crypto;
use venus_core::testing::doubles::{ScriptedProver, ScriptedUnsealer, TestSigner};
use venus_core::testing::suites::{self, PieceUnsealerFixture, SignerFixture, step};
use venus_core::types::gateway::{ComputeProofRequest, RequestEvent, UnsealPayload};
use venus_core::types::{Message, MessageExt, MsgType};

use crate::home::{Pool, Reply, always, honest, key, miner, proof_request, soon};

#[tokio::test]
async fn a_hub_is_a_signer() {
    let wallet = TestSigner::new(11);
    let owned = vec![wallet.new_secp(), wallet.new_bls()];
    let (pool, wallet) = (Pool::plain(), Arc::new(wallet));
    let _party = pool.wallet("alice", 1, &wallet, honest(&wallet)).await;
    soon(suites::signer(&pool.hub.signer(), &SignerFixture::new(owned.clone()))).await;
    let none = pool.hub.signer().only(["carol"]);
    assert_eq!(none.list().await.unwrap(), []);
    assert!(!none.has(&owned[0]).await.unwrap());
}

/// Two wallets behind a hub, a wallet beside it: the caller cannot tell.
#[tokio::test]
async fn seed_s10_one_trait_for_all_signers() {
    let wallet = TestSigner::new(12);
    let address = wallet.new_secp();
    let (pool, wallet) = (Pool::plain(), Arc::new(wallet));
    let _parties = (
        pool.wallet("alice", 1, &wallet, honest(&wallet)).await,
        pool.wallet("bob", 2, &wallet, honest(&wallet)).await,
    );
    let signers: [Arc<dyn ISigner>; 3] =
        [wallet.clone(), Arc::new(pool.hub.signer()), Arc::new(pool.hub.signer().only(["bob"]))];
    for signer in signers {
        assert!(soon(signer.has(&address)).await.unwrap());
        let message = venus_core::api::MessageRequest::transfer(address, address, Default::default()).message;
        let signed = soon(signer.sign_message(&message)).await.unwrap();
        crypto::verify(&signed.signature, &address, &Message::cid(&message).to_bytes()).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn errors_keep_their_meaning() {
    type Is = fn(&SignerError) -> bool;
    let cases: [(Reply, Is); 9] = [
        (Reply::error("wallet locked"), |e| matches!(e, SignerError::Locked)),
        (Reply::error("record not found"), |e| matches!(e, SignerError::KeyNotFound(_))),
        (Reply::error("denied by policy: no"), |e| matches!(e, SignerError::Denied(_))),
        (Reply::error("get sign bytes: parseObj failed:sign data not match"), |e| {
            matches!(e, SignerError::Mismatch(MsgType::ChainMessage))
        }),
        (Reply::error("get sign bytes: unsupported msgtype:x"), |e| {
            matches!(e, SignerError::Unsupported { .. })
        }),
        (Reply::error("boom"), |e| matches!(e, SignerError::Store(_))),
        (Reply::Never, |e| matches!(e, SignerError::Timeout)),
        (Reply::Answer(b"null".to_vec()), |e| matches!(e, SignerError::BadSignature(_))),
        (Reply::Die, |e| matches!(e, SignerError::Transport(_))),
    ];
    for (reply, is) in cases {
        let (pool, (wallet, address)) = (Pool::plain(), key(3));
        let _party = pool.wallet("alice", 1, &wallet, always(reply.clone())).await;
        let message = venus_core::api::MessageRequest::transfer(address, address, Default::default()).message;
        let error = soon(pool.hub.signer().sign_message(&message)).await.unwrap_err();
        assert!(is(&error), "{reply:?}: {error:?}");
    }
}

fn prover_request(sectors: u64) -> WinningPostRequest {
    let asked = proof_request(sectors);
    WinningPostRequest {
        miner: miner(1000),
        sectors: asked.sector_infos,
        randomness: [7; 32],
        epoch: asked.height,
        network_version: asked.nw_version,
    }
}

#[tokio::test]
async fn a_hub_is_a_prover() {
    let pool = Pool::plain();
    let prover = Arc::new(ScriptedProver::new());
    let how = {
        let prover = prover.clone();
        move |event: RequestEvent| -> BoxFuture<'static, Reply> {
            let prover = prover.clone();
            Box::pin(async move {
                let asked: ComputeProofRequest = serde_json::from_slice(&event.payload).unwrap();
                let request = WinningPostRequest {
                    miner: miner(1000),
                    sectors: asked.sector_infos,
                    randomness: asked.rand.try_into().unwrap(),
                    epoch: asked.height,
                    network_version: asked.nw_version,
                };
                let proofs = prover.compute_winning_post(&request, std::time::Duration::MAX).await;
                proofs.map_or_else(|e| Reply::Error(e.to_string()), |proofs| Reply::json(&proofs))
            })
        }
    };
    let _party = pool.prover(1, how).await;
    soon(suites::prover(&pool.hub, &prover_request(2))).await;
    assert_eq!(prover.requests()[0], prover_request(2), "nothing is lost on the way");
    let nobody = WinningPostRequest { miner: miner(9), ..prover_request(1) };
    let error = soon(pool.hub.compute_winning_post(&nobody, std::time::Duration::from_secs(1))).await;
    assert!(matches!(error, Err(ProverError::NoProver(m)) if m == miner(9)));
}

#[tokio::test]
async fn a_hub_is_an_unsealer() {
    let pool = Pool::plain();
    let sealer = Arc::new(ScriptedUnsealer::new([miner(1000)]));
    let how = {
        let sealer = sealer.clone();
        move |event: RequestEvent| -> BoxFuture<'static, Reply> {
            let sealer = sealer.clone();
            Box::pin(async move {
                let asked: UnsealPayload = serde_json::from_slice(&event.payload).unwrap();
                let request = UnsealRequest {
                    miner: asked.miner,
                    piece: asked.piece_cid,
                    sector: asked.sid,
                    offset: asked.offset,
                    size: asked.size,
                    destination: asked.dest,
                };
                let state = sealer.unseal(&request).await;
                state.map_or_else(|e| Reply::Error(e.to_string()), |state| Reply::json(&state.as_str()))
            })
        }
    };
    let _party = pool.sealer(1, how).await;
    let request = UnsealRequest {
        miner: miner(1000),
        piece: "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq".parse().unwrap(),
        sector: 3,
        offset: 127,
        size: 1016,
        destination: "http://127.0.0.1:8080/piece".to_owned(),
    };
    let fixture =
        PieceUnsealerFixture { request: request.clone(), stranger: miner(9), progress: step(|| async {}) };
    soon(suites::piece_unsealer(&pool.hub, &fixture)).await;
    assert_eq!(sealer.works(), 1);
    let patience = Default::default();
    soon(pool.hub.unseal_and_wait(&request, &SystemClock, &patience)).await.unwrap();

    let pool = Pool::plain();
    let _party = pool.sealer(1, always(Reply::error("sector not found"))).await;
    let error = soon(pool.hub.unseal(&request)).await.unwrap_err();
    assert!(matches!(error, UnsealError::SectorNotFound { sector: 3, .. }), "{error:?}");
}

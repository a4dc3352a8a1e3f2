//! Proofs and pieces, from those who call to provers and sealers that dialled in.

use std::sync::Arc;
use std::time::Duration;

use venus_auth::Actor;
use venus_core::api::{ProofComputer, ProverError, UnsealRequest, WinningPostRequest};
use venus_core::testing::doubles::{ScriptedProver, ScriptedUnsealer};
use venus_core::testing::suites::{self, PieceUnsealerFixture};
use venus_core::types::{Address, Cid, ExtendedSectorInfo};
use venus_gateway::client::{GatewayProver, GatewayUnsealer};
use venus_gateway::sealer::{ChannelState, Handlers, ProviderHandle, ProviderOptions};

use super::pool::{MINER, Pool, soon, until};

fn commitment(kind: &[u8]) -> Cid {
    Cid::try_from([kind, &[7; 32]].concat()).unwrap()
}

fn request() -> WinningPostRequest {
    let sealed_cid = commitment(&[1, 0x82, 0xe2, 3, 0x81, 0xe8, 2, 32]);
    WinningPostRequest {
        miner: MINER,
        sectors: vec![ExtendedSectorInfo { seal_proof: 5, sector_number: 7, sector_key: None, sealed_cid }],
        randomness: [3; 32],
        epoch: 100,
        network_version: 28,
    }
}

fn piece() -> UnsealRequest {
    UnsealRequest {
        miner: MINER,
        piece: commitment(&[1, 0x81, 0xe2, 3, 0x92, 0x20, 32]),
        sector: 3,
        offset: 0,
        size: 127,
        destination: "market://store/piece".into(),
    }
}

fn options() -> ProviderOptions {
    let mut options = ProviderOptions::default();
    options.pause_min = Duration::from_millis(10);
    options.pause_max = Duration::from_millis(50);
    options
}

#[tokio::test(flavor = "multi_thread")]
async fn provers_and_sealers_pass_the_suites_through_a_gateway() {
    let pool = Pool::start().await;
    let (one, two) = (pool.node("eu-1").await, pool.node("us-1").await);
    let alice = pool.token("alice", "read", &[]).await;
    let prover = Arc::new(ScriptedProver::new());
    let handlers = Handlers::both(prover.clone(), Arc::new(ScriptedUnsealer::new([MINER])));
    let hubs = [one.api(&alice), two.api(&alice)];
    let provider = ProviderHandle::start(handlers, [MINER], &hubs, options()).unwrap();
    soon("registered", provider.wait_ready()).await;
    assert_eq!(one.hub.miners(), [MINER]);

    let callers = pool.callers(&[&one, &two]).await;
    let proofs = GatewayProver::from(callers.clone());
    suites::prover(&proofs, &request()).await;
    assert_eq!(prover.requests()[0], request(), "the request arrives as it is");
    prover.fail_next(ProverError::Sector { sector: 7, reason: "sealed file is gone".into() });
    let error = soon("a refusal", proofs.compute_winning_post(&request(), Duration::from_secs(30))).await;
    assert!(matches!(error, Err(ProverError::Sector { sector: 7, .. })), "{error:?}");
    let fixture = PieceUnsealerFixture {
        request: piece(),
        stranger: Address::new_id(2000),
        progress: suites::step(async || {}),
    };
    suites::piece_unsealer(&GatewayUnsealer::from(callers), &fixture).await;

    one.kill().await;
    soon("proving goes on", proofs.compute_winning_post(&request(), Duration::from_secs(30))).await.unwrap();
    provider.shutdown().await;
    until("nobody is there", async || two.hub.miners().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_proves_for_the_miner_of_another() {
    let pool = Pool::start().await;
    let node = pool.node("eu-1").await;
    let bob = pool.token("bob", "read", &[]).await;
    let handlers = Handlers::proofs(Arc::new(ScriptedProver::new()));
    let provider = ProviderHandle::start(handlers, [MINER], [node.api(&bob)], options()).unwrap();
    until("the reason is told", async || {
        let channel = provider.status().remove(0).channels.remove(0);
        channel.state != ChannelState::Ready && channel.last_error.is_some_and(|e| e.contains("f01000"))
    })
    .await;
    assert!(node.hub.miners().is_empty());
    let prover = GatewayProver::from(pool.callers(&[&node]).await);
    let nobody = soon("a refusal", prover.compute_winning_post(&request(), Duration::from_secs(30))).await;
    assert!(matches!(nobody, Err(ProverError::NoProver(MINER))), "{nobody:?}");
    // Bound to bob, the next attempt is taken; taken away again, the channel ends.
    pool.auth.bind_miner(&Actor::system(), "bob", MINER, true).await.unwrap();
    soon("registered", provider.wait_ready()).await;
    pool.auth.bind_miner(&Actor::system(), "alice", MINER, true).await.unwrap();
    until("offered no more", async || node.hub.miners().is_empty()).await;
}

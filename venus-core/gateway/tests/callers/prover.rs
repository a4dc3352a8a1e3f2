//! Proving and unsealing through gateways.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use venus_core::api::{
    PieceUnsealer, ProofComputer, ProverError, UnsealError, UnsealRequest, WinningPostRequest,
};
use venus_core::error::{Classify, ErrorKind};
use venus_core::testing::doubles::TestSigner;
use venus_core::testing::suites::{self, PieceUnsealerFixture};
use venus_core::types::{Address, Cid, ExtendedSectorInfo};
use venus_gateway::client::{GatewayProver, GatewayUnsealer, Gateways};

use super::script::{Gateway, PATIENCE, TOKEN, soon};

/// The CID of a commitment, from what says of which kind.
fn commitment(kind: &[u8]) -> Cid {
    Cid::try_from([kind, &[7; 32]].concat()).unwrap()
}

pub fn request() -> WinningPostRequest {
    let sealed_cid = commitment(&[1, 0x82, 0xe2, 3, 0x81, 0xe8, 2, 32]);
    let sector = ExtendedSectorInfo { seal_proof: 5, sector_number: 7, sector_key: None, sealed_cid };
    WinningPostRequest {
        miner: Address::new_id(1000),
        sectors: vec![sector],
        randomness: [3; 32],
        epoch: 100,
        network_version: 28,
    }
}

pub fn piece() -> UnsealRequest {
    UnsealRequest {
        miner: Address::new_id(1000),
        piece: commitment(&[1, 0x81, 0xe2, 3, 0x92, 0x20, 32]),
        sector: 3,
        offset: 0,
        size: 127,
        destination: "http://127.0.0.1/piece".into(),
    }
}

fn gateways(gateways: &[&Gateway]) -> Gateways {
    let builder =
        gateways.iter().fold(Gateways::builder(), |builder, gateway| builder.gateway(gateway.api()));
    builder.deadline(PATIENCE).build().unwrap()
}

#[tokio::test]
async fn it_is_a_prover() {
    let (without, with) = (Gateway::wallets(&Arc::new(TestSigner::new(1))).await, Gateway::miners().await);
    let prover = GatewayProver::from(gateways(&[&without, &with]));
    suites::prover(&prover, &request()).await;
    assert!(without.script.proven.load(Ordering::SeqCst) <= 1, "who proved is asked first");
}

#[tokio::test]
async fn proving_goes_on_when_a_gateway_dies() {
    let (one, two) = (Gateway::miners().await, Gateway::miners().await);
    let prover = GatewayProver::from(gateways(&[&one, &two]));
    let prove = async || soon("proving", prover.compute_winning_post(&request(), PATIENCE)).await;
    for gateway in [&one, &two, &one] {
        gateway.kill();
        prove().await.unwrap();
        gateway.revive();
        let connected = async {
            while prover.gateways().state().iter().any(|gateway| !gateway.connected) {
                tokio::task::yield_now().await;
            }
        };
        soon("connecting again", connected).await;
    }
}

#[tokio::test]
async fn what_provers_say_comes_through() {
    let gateway = Gateway::miners().await;
    let prover = GatewayProver::from(gateways(&[&gateway]));
    let scripted = gateway.script.prover.as_ref().unwrap();
    scripted.fail_next(ProverError::Sector { sector: 7, reason: "sealed file is gone".into() });
    let error = soon("proving", prover.compute_winning_post(&request(), PATIENCE)).await.unwrap_err();
    assert!(matches!(error, ProverError::Sector { sector: 7, .. }), "{error:?}");
    assert_eq!(scripted.requests(), [request()], "the request arrives as it is");
    let nobody = Gateway::wallets(&Arc::new(TestSigner::new(1))).await;
    let prover = GatewayProver::from(gateways(&[&nobody]));
    let error = soon("proving", prover.compute_winning_post(&request(), PATIENCE)).await.unwrap_err();
    assert!(matches!(error, ProverError::NoProver(miner) if miner == request().miner), "{error:?}");
}

#[tokio::test]
async fn it_is_an_unsealer() {
    let (without, with) = (Gateway::wallets(&Arc::new(TestSigner::new(1))).await, Gateway::miners().await);
    let unsealer = GatewayUnsealer::from(gateways(&[&without, &with]));
    let fixture = PieceUnsealerFixture {
        request: piece(),
        stranger: Address::new_id(2000),
        progress: suites::step(async || {}),
    };
    suites::piece_unsealer(&unsealer, &fixture).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_gateways_that_never_come() {
    let nowhere = format!("{TOKEN}:/ip4/127.0.0.1/tcp/1");
    let gateways = Gateways::builder().gateway(nowhere).build().unwrap();
    let prover = GatewayProver::from(gateways.clone());
    let error = prover.compute_winning_post(&request(), Duration::from_secs(3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    let error = GatewayUnsealer::from(gateways.clone()).unseal(&piece()).await.unwrap_err();
    assert!(matches!(error, UnsealError::Transport(_)), "{error:?}");
    gateways.shutdown().await;
    let error = prover.compute_winning_post(&request(), Duration::from_secs(3)).await.unwrap_err();
    assert!(error.kind().is_retryable(), "{error:?}");
}

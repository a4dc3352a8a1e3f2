//! Provers and sealers at hubs that do as they are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};
use venus_core::api::{ProverError, UnsealState};
use venus_core::entropy::{Entropy, SeededEntropy};
use venus_core::testing::doubles::{ScriptedProver, ScriptedUnsealer, VALID_PROOF};
use venus_core::types::gateway::{ComputeProofRequest, UnsealPayload};
use venus_core::types::{Address, PostProof};
use venus_gateway::Kind;
use venus_gateway::sealer::{
    ChannelState, EndpointError, Handlers, ProofHandler, ProviderHandle, ProviderOptions,
};

use super::prover::{piece, request};
use super::script::{Gateway, Opened, TOKEN, soon};

const MINER: Address = Address::new_id(1000);

/// Computes when it is let, and can fall over.
struct Slow {
    let_go: Semaphore,
    running: AtomicU32,
    most: AtomicU32,
}

impl Slow {
    fn new() -> Arc<Self> {
        Arc::new(Self { let_go: Semaphore::new(0), running: AtomicU32::new(0), most: AtomicU32::new(0) })
    }
}

#[async_trait]
impl ProofHandler for Slow {
    async fn compute(
        &self,
        _: &Address,
        request: ComputeProofRequest,
        _: Duration,
    ) -> Result<Vec<PostProof>, ProverError> {
        assert_ne!(request.height, 13, "a bug that this height finds");
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        self.let_go.acquire().await.unwrap().forget();
        self.running.fetch_sub(1, Ordering::SeqCst);
        Ok(vec![PostProof { post_proof: 0, proof_bytes: VALID_PROOF.to_vec() }])
    }
}

fn quick() -> ProviderOptions {
    let mut options = ProviderOptions::default();
    options.pause_min = Duration::from_millis(1);
    options.pause_max = Duration::from_millis(4);
    options
}

fn proof_request(height: i64) -> Vec<u8> {
    let request = request();
    serde_json::to_vec(&ComputeProofRequest {
        sector_infos: request.sectors,
        rand: request.randomness.to_vec(),
        height,
        nw_version: request.network_version,
    })
    .unwrap()
}

fn piece_request(miner: Address) -> Vec<u8> {
    let piece = piece();
    serde_json::to_vec(&UnsealPayload {
        piece_cid: piece.piece,
        miner,
        sid: piece.sector,
        offset: piece.offset,
        size: piece.size,
        dest: piece.destination,
    })
    .unwrap()
}

async fn opened(hub: &mut mpsc::UnboundedReceiver<Opened>) -> Opened {
    soon("a channel", hub.recv()).await.unwrap()
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    soon(what, waiting).await;
}

#[tokio::test]
async fn registers_for_each_miner_and_answers() {
    let (hub, mut channels) = Gateway::hub().await;
    let sealer = Arc::new(ScriptedUnsealer::new([MINER]));
    let handlers = Handlers::both(Arc::new(ScriptedProver::new()), sealer);
    let provider = ProviderHandle::start(handlers, [MINER], [hub.api()], quick()).unwrap();
    let (mut proof, mut market) = (opened(&mut channels).await, opened(&mut channels).await);
    if proof.method == "market" {
        (proof, market) = (market, proof);
    }
    assert_eq!((proof.method, proof.miner, market.method, market.miner), ("proof", MINER, "market", MINER));
    assert!(!provider.is_ready());
    proof.confirm(1);
    market.confirm(2);
    soon("ready", provider.wait_ready()).await;
    let status = provider.status().remove(0);
    assert!(status.url.starts_with("ws://127.0.0.1") && !format!("{status:?}").contains(TOKEN));

    proof.ask("p", "ComputeProof", proof_request(100));
    let proofs: Vec<PostProof> = serde_json::from_slice(&hub.answer("p").await.payload).unwrap();
    assert_eq!(proofs[0].proof_bytes, VALID_PROOF);
    for state in [UnsealState::Accepted, UnsealState::Unsealing] {
        market.ask("u", "SectorsUnsealPiece", piece_request(MINER));
        let answer: String = serde_json::from_slice(&hub.answer("u").await.payload).unwrap();
        assert_eq!(answer, state.as_str());
    }
    until("counting", || provider.status()[0].channels.iter().map(|c| c.answered).sum::<u64>() == 3).await;
    provider.shutdown().await;
    for channel in [proof, market] {
        soon("cancelled", channel.cancelled.notified()).await;
    }
    assert!(!provider.is_ready());
}

#[tokio::test]
async fn every_question_is_answered() {
    let (hub, mut channels) = Gateway::hub().await;
    let handlers = Handlers::both(Slow::new(), Arc::new(ScriptedUnsealer::new([MINER])));
    let _provider = ProviderHandle::start(handlers, [MINER], [hub.api()], quick()).unwrap();
    let (a, b) = (opened(&mut channels).await, opened(&mut channels).await);
    let (proof, market) = if a.method == "proof" { (a, b) } else { (b, a) };
    let no_sectors = json!({"SectorInfos": null, "Rand": "AwMD", "Height": 1, "NWVersion": 28});
    for (channel, method, payload, expected) in [
        (&proof, "ComputeProof", proof_request(13), "internal error of the provider"),
        (&proof, "ComputeProof", b"{".to_vec(), "EOF while parsing"),
        (&proof, "ComputeProof", Vec::new(), "EOF while parsing"),
        (&proof, "SectorsUnsealPiece", piece_request(MINER), "unsupported method SectorsUnsealPiece"),
        (&proof, "Nonsense", Vec::new(), "unsupported method Nonsense"),
        (&market, "ComputeProof", proof_request(1), "unsupported method ComputeProof"),
        (&market, "SectorsUnsealPiece", piece_request(Address::new_id(7)), "for another miner"),
        (&market, "SectorsUnsealPiece", no_sectors.to_string().into_bytes(), "missing"),
    ] {
        channel.ask("q", method, payload);
        let answer = hub.answer("q").await;
        assert!(answer.payload.is_empty() && answer.error.contains(expected), "{}: {expected}", answer.error);
    }
}

/// Whatever a hub sends: there is an answer, and the next question is answered, too.
#[tokio::test]
async fn no_payload_is_without_an_answer() {
    let (hub, mut channels) = Gateway::hub().await;
    let handlers = Handlers::both(Arc::new(ScriptedProver::new()), Arc::new(ScriptedUnsealer::new([MINER])));
    let _provider = ProviderHandle::start(handlers, [MINER], [hub.api()], quick()).unwrap();
    let (a, b) = (opened(&mut channels).await, opened(&mut channels).await);
    let (proof, market) = if a.method == "proof" { (a, b) } else { (b, a) };
    let entropy = SeededEntropy::new(11, "payloads");
    for round in 0..200 {
        let mut random = [0; 4];
        entropy.fill(&mut random).unwrap();
        for (channel, method, valid) in [
            (&proof, "ComputeProof", proof_request(1)),
            (&market, "SectorsUnsealPiece", piece_request(MINER)),
        ] {
            // Valid JSON with one byte that is not, cut off, or nothing but noise.
            let mut payload = valid;
            let at = usize::from(u16::from_be_bytes([random[0], random[1]])) % payload.len();
            match round % 3 {
                0 => payload[at] = random[2],
                1 => payload.truncate(at),
                _ => payload = random.repeat(1 + at % 16),
            }
            channel.ask("q", method, payload);
            let answer = hub.answer("q").await;
            assert_ne!(answer.payload.is_empty(), answer.error.is_empty(), "{answer:?}");
            assert!(answer.error.len() <= 2000);
        }
    }
}

#[tokio::test]
async fn provers_get_only_what_they_can_prove() {
    let (hub, mut channels) = Gateway::hub().await;
    let handlers = Handlers::proofs(Arc::new(ScriptedProver::new()));
    let _provider = ProviderHandle::start(handlers, [MINER], [hub.api()], quick()).unwrap();
    let channel = opened(&mut channels).await;
    let with = |name: &str, value: Value| {
        let mut request: Value = serde_json::from_slice(&proof_request(1)).unwrap();
        request[name] = value;
        request.to_string().into_bytes()
    };
    for (payload, expected) in [
        (with("SectorInfos", Value::Null), "must provide sectors for winning post"),
        (with("Rand", json!("AwMD")), "randomness must have 32 bytes"),
    ] {
        channel.ask("q", "ComputeProof", payload);
        assert_eq!(hub.answer("q").await.error, expected);
    }
}

#[tokio::test]
async fn one_proof_at_a_time_and_a_bounded_queue() {
    let (one, mut channels) = Gateway::hub().await;
    let (two, mut others) = Gateway::hub().await;
    let prover = Slow::new();
    let mut options = quick();
    options.proofs_waiting = 2;
    let handlers = Handlers::proofs(prover.clone());
    let provider = ProviderHandle::start(handlers, [MINER], [one.api(), two.api()], options).unwrap();
    let (first, second) = (opened(&mut channels).await, opened(&mut others).await);
    first.ask("1", "ComputeProof", proof_request(1));
    until("the first runs", || prover.running.load(Ordering::SeqCst) == 1).await;
    first.ask("2", "ComputeProof", proof_request(2));
    second.ask("3", "ComputeProof", proof_request(3));
    until("two wait", || provider.work()[0].waiting == 2).await;
    assert_eq!(provider.work()[0].running, 1);
    second.ask("4", "ComputeProof", proof_request(4));
    assert!(two.answer("4").await.error.starts_with("overloaded: "));
    prover.let_go.add_permits(3);
    for (hub, id) in [(&one, "1"), (&one, "2"), (&two, "3")] {
        assert_eq!(hub.answer(id).await.error, "");
    }
    assert_eq!(prover.most.load(Ordering::SeqCst), 1, "whichever hub asks");
    until("nothing is left", || provider.work()[0].running == 0).await;
}

#[tokio::test]
async fn a_late_proof_is_an_error() {
    let (hub, mut channels) = Gateway::hub().await;
    let mut options = quick();
    options.proof_deadline = Duration::from_millis(20);
    let _provider =
        ProviderHandle::start(Handlers::proofs(Slow::new()), [MINER], [hub.api()], options).unwrap();
    let channel = opened(&mut channels).await;
    for id in ["running", "waiting"] {
        channel.ask(id, "ComputeProof", proof_request(1));
    }
    for id in ["running", "waiting"] {
        assert_eq!(hub.answer(id).await.error, "no answer to ComputeProof within 20ms");
    }
}

#[tokio::test]
async fn registers_again_after_every_end() {
    let (hub, mut channels) = Gateway::hub().await;
    hub.told().refuse.push_back("verify miner:f01000 failed".into());
    let handlers = Handlers::proofs(Arc::new(ScriptedProver::new()));
    let provider = ProviderHandle::start(handlers, [MINER], [hub.api()], quick()).unwrap();
    // Refused, then taken.
    let first = opened(&mut channels).await;
    assert!(hub.told().refuse.is_empty());
    first.confirm(1);
    soon("ready", provider.wait_ready()).await;
    // The hub closes the channel.
    drop(first);
    let second = opened(&mut channels).await;
    second.confirm(2);
    soon("ready", provider.wait_ready()).await;
    // The connection is lost: what was asked has nobody to answer to.
    hub.kill();
    soon("gone", second.cancelled.notified()).await;
    until("told", || provider.status()[0].last_error.is_some()).await;
    assert_eq!(provider.status()[0].channels[0].state, ChannelState::Waiting);
    hub.revive();
    let third = opened(&mut channels).await;
    third.confirm(3);
    soon("ready", provider.wait_ready()).await;
    let status = provider.status().remove(0);
    assert_eq!(status.channels[0].channel, Some(uuid::Uuid::from_u128(3)));
    assert!(status.last_error.is_none() && status.channels[0].last_error.is_none());
}

#[tokio::test]
async fn miners_come_and_go() {
    let (hub, mut channels) = Gateway::hub().await;
    let prover = Slow::new();
    let provider = ProviderHandle::start(Handlers::proofs(prover.clone()), [], [hub.api()], quick()).unwrap();
    assert!(provider.add_miner(MINER) && !provider.add_miner(MINER));
    let first = opened(&mut channels).await;
    first.confirm(1);
    soon("ready", provider.wait_ready()).await;
    let other = Address::new_id(2000);
    assert!(provider.add_miner(other));
    let second = opened(&mut channels).await;
    assert_eq!((second.miner, provider.miners()), (other, vec![MINER, other]));
    second.confirm(2);
    soon("ready", provider.wait_ready()).await;
    first.ask("1", "ComputeProof", proof_request(1));
    until("it runs", || prover.running.load(Ordering::SeqCst) == 1).await;
    assert!(provider.remove_miner(&MINER) && !provider.remove_miner(&MINER));
    soon("cancelled", first.cancelled.notified()).await;
    assert!(provider.is_ready(), "the other one stands");
    // Back at once: a new registration, not the old one.
    provider.remove_miner(&other);
    provider.add_miner(other);
    let third = opened(&mut channels).await;
    assert!(!provider.is_ready());
    third.confirm(3);
    soon("ready", provider.wait_ready()).await;
    assert_eq!(provider.status()[0].channels[0].kind, Kind::Proof);
}

#[tokio::test(start_paused = true)]
async fn hubs_that_are_away_are_tried_after_growing_pauses() {
    let nowhere = [format!("{TOKEN}:/ip4/127.0.0.1/tcp/1"), format!("{TOKEN}:/ip4/127.0.0.1/tcp/2")];
    let handlers = Handlers::proofs(Arc::new(ScriptedProver::new()));
    let provider = ProviderHandle::start(handlers, [MINER], &nowhere, ProviderOptions::default()).unwrap();
    let trouble = async {
        while provider.status().iter().any(|hub| hub.last_error.is_none()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon("told", trouble).await;
    assert!(!provider.is_ready());
    provider.shutdown().await;
    let handlers = || Handlers::proofs(Arc::new(ScriptedProver::new()));
    let none: [&str; 0] = [];
    let refused = ProviderHandle::start(handlers(), [], none, ProviderOptions::default());
    assert!(matches!(refused, Err(EndpointError::None)));
    let far = ["a.b.c:/ip4/192.0.2.1/tcp/1"];
    let refused = ProviderHandle::start(handlers(), [], far, ProviderOptions::default());
    assert!(matches!(refused, Err(EndpointError::ClearText(_))));
}

//! A wallet that dies while it is asked, and another that has the same key.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use venus_core::rpc::client::RpcClient;

use super::Scale;
use super::load::connect;
use super::relay::Relay;
use super::sign::{Crowd, Stage};
use super::wallet::{Key, OnSign, StubWallet};
use crate::measure::{BenchError, Measure, Names, measure_of};
use crate::report::Target;

const NAMES: Names = Names { measure: "failover", baseline: "50 ms" };
const BOUND: f64 = 50.0;

/// From the moment that the connection of the wallet that was asked breaks to the signature of the other one.
pub(super) async fn measure(scale: &Scale) -> Result<Vec<Measure>, BenchError> {
    let stage = Stage::start(NAMES, Crowd::NONE).await?;
    let (mut rounds, mut longest) = (Vec::new(), 0.0_f64);
    for _ in 0..scale.rounds.clamp(1, 50) {
        let time = one(&stage).await?;
        longest = longest.max(time);
        rounds.push((time, BOUND));
    }
    stage.end().await?;
    let measure = measure_of(NAMES, &rounds).unit("ms").with("longest_ms", longest);
    Ok(vec![measure.target(Target::AtMost("longest_ms", BOUND))])
}

/// A wallet behind a network that breaks when the wallet is the first of both that is asked.
struct Mortal {
    relay: Arc<Relay>,
    _client: RpcClient,
    _wallet: StubWallet,
}

async fn one(stage: &Stage) -> Result<f64, BenchError> {
    let (first, died) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(None)));
    let mut wallets = Vec::new();
    for _ in 0..2 {
        wallets.push(mortal(stage, &first, &died).await?);
    }
    // The first call is the one that counts: a trial would have met the wallet that dies.
    let caller = stage.untried(NAMES).await?;
    caller.call(0).await?;
    let died = died.lock().unwrap_or_else(PoisonError::into_inner).take();
    let died: Instant = died.ok_or_else(|| NAMES.input("no wallet died"))?;
    let time = died.elapsed().as_secs_f64() * 1e3;
    wallets.iter().for_each(|wallet| wallet.relay.cut());
    Ok(time)
}

async fn mortal(
    stage: &Stage,
    first: &Arc<AtomicBool>,
    died: &Arc<Mutex<Option<Instant>>>,
) -> Result<Mortal, BenchError> {
    let relay = Arc::new(Relay::start(stage.ready.address, Duration::ZERO).await?);
    let token = stage.ready.accounts.wallets.first().ok_or_else(|| NAMES.input("no token of a wallet"))?;
    let client = connect(NAMES, &format!("ws://{}/rpc/v1", relay.address), token).await?;
    let (cut, first, died) = (relay.clone(), first.clone(), died.clone());
    let on_sign: OnSign = Arc::new(move || {
        if !first.swap(false, Ordering::SeqCst) {
            return Box::pin(std::future::ready(()));
        }
        *died.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        cut.cut();
        // The dead do not answer.
        Box::pin(std::future::pending())
    });
    let wallet = StubWallet::register(NAMES, &client, Key::new(NAMES, 0)?, Some(on_sign)).await?;
    Ok(Mortal { relay, _client: client, _wallet: wallet })
}

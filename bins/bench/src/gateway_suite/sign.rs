//! Signatures through a hub, against calls that a server answers by itself.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use venus_core::json::Json;
use venus_core::types::Address;

use super::Scale;
use super::child::Child;
use super::crowd;
use super::hub::{self, BARE, BARE_METHOD};
use super::load::{Caller, Slice, connect};
use super::process;
use super::role::Role;
use super::wallet::Key;
use crate::measure::{BenchError, Measure, Names, measure_of};
use crate::report::Target;

const BASELINE: &str = "a call with the same parameters and answer, which the hub's process answers itself";
const ONE: Names = Names { measure: "wallet_sign_1", baseline: BASELINE };
const MANY: Names = Names { measure: "wallet_sign_128", baseline: BASELINE };
const CPU: Names = Names { measure: "wallet_sign_cpu", baseline: "the processor time of the bare call" };
pub(super) const NAMES: &[&str] = &[ONE.measure, MANY.measure, CPU.measure];
const PATH: &str = "/rpc/v2";
const METHOD: &str = "Gateway.WalletSign";
const IN_FLIGHT: usize = 128;
/// Bytes to sign and bytes that say what they are, as of a message with parameters.
const TO_SIGN: [u8; 38] = [1; 38];
const EXTRA: [u8; 300] = [2; 300];

/// A hub that verifies nothing, and wallets of one key each at it.
pub(super) struct Stage {
    pub(super) hub: Child,
    pub(super) ready: hub::Ready,
    crowds: Vec<Child>,
}

/// How many wallets there are, and how they come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd {
    pub(super) processes: usize,
    pub(super) sockets: usize,
    pub(super) channels: usize,
}

impl Crowd {
    pub(super) const NONE: Self = Self { processes: 0, sockets: 0, channels: 0 };
    pub(super) const ONE: Self = Self { processes: 1, sockets: 1, channels: 1 };
}

/// Accounts of wallets in a crowd.
const ACCOUNTS: usize = 64;

impl Stage {
    pub(super) async fn start(names: Names, crowd: Crowd) -> Result<Self, BenchError> {
        let config = hub::Config { verifies: false, accounts: hub::From::Own(ACCOUNTS) };
        let (hub, ready): (_, hub::Ready) = Child::start(names, &Role::Hub(config)).await?;
        let mut stage = Self { hub, ready, crowds: Vec::new() };
        for process in 0..crowd.processes {
            let config = crowd::Config {
                url: stage.ready.url("/rpc/v1"),
                tokens: stage.ready.accounts.wallets.clone(),
                sockets: crowd.sockets,
                channels: crowd.channels,
                first: (process * crowd.sockets * crowd.channels) as u64,
            };
            let (child, _): (_, usize) = Child::start(names, &Role::Crowd(config)).await?;
            stage.crowds.push(child);
        }
        Ok(stage)
    }

    /// Calls `WalletSign` for the first key, or the bare method with the same parameters.
    pub(super) async fn caller(&self, names: Names, bare: bool) -> Result<Caller, BenchError> {
        let (path, method) = if bare { (BARE, BARE_METHOD) } else { (PATH, METHOD) };
        let caller = self.connected(names, path, method).await?;
        // It works, and what is kept after the first time is kept.
        caller.call(0).await?;
        Ok(caller)
    }

    /// Calls `WalletSign`, and has not done it yet.
    pub(super) async fn untried(&self, names: Names) -> Result<Caller, BenchError> {
        self.connected(names, PATH, METHOD).await
    }

    async fn connected(&self, names: Names, path: &str, method: &'static str) -> Result<Caller, BenchError> {
        let client = connect(names, &self.ready.url(path), &self.ready.accounts.admin).await?;
        let calls = Arc::from([params(Key::new(names, 0)?.address, &TO_SIGN, &EXTRA)?]);
        Ok(Caller { names, client, method, calls })
    }

    /// What hub, wallets and callers worked so far.
    fn cpu(&self, names: Names) -> Result<[Duration; 3], BenchError> {
        let wallets = self.crowds.iter().map(Child::cpu).sum::<Result<_, _>>()?;
        Ok([self.hub.cpu()?, wallets, process::cpu(names, std::process::id())?])
    }

    pub(super) async fn end(self) -> Result<(), BenchError> {
        for crowd in self.crowds {
            crowd.end().await?;
        }
        self.hub.end().await
    }
}

/// The parameters of `WalletSign` on behalf of all accounts.
pub(super) fn params(signer: Address, to_sign: &[u8], extra: &[u8]) -> Result<String, BenchError> {
    let meta = json!({ "Type": "message", "Extra": Json(extra.to_vec()) });
    Ok(serde_json::to_string(&json!([Json(signer), null, Json(to_sign.to_vec()), meta]))?)
}

/// Calls of one way over all rounds, and the processor time that they took.
#[derive(Debug, Default)]
struct Way {
    all: Slice,
    hub: Duration,
    wallet: Duration,
    caller: Duration,
}

impl Way {
    /// One more round; the time of each call in it.
    async fn round(
        &mut self,
        stage: &Stage,
        caller: &Caller,
        in_flight: usize,
        slice: Duration,
    ) -> Result<f64, BenchError> {
        let before = stage.cpu(caller.names)?;
        let seen = caller.run(in_flight, slice).await?;
        let ([hub, wallet, this], [hub_then, wallet_then, then]) = (stage.cpu(caller.names)?, before);
        self.hub += hub - hub_then;
        self.wallet += wallet - wallet_then;
        self.caller += this - then;
        let each = seen.each();
        self.all.add(seen);
        Ok(each)
    }

    /// Of each call, microseconds.
    fn each(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / self.all.latencies.len() as f64
    }
}

/// One caller and many, and what the hub itself works for each signature.
pub(super) async fn measure(scale: &Scale) -> Result<Vec<Measure>, BenchError> {
    let stage = Stage::start(MANY, Crowd::ONE).await?;
    let (one, ..) = compare(&stage, ONE, 1, scale).await?;
    let (many, ours, theirs) = compare(&stage, MANY, IN_FLIGHT, scale).await?;
    stage.end().await?;
    let cpu = measure_of(CPU, &[(ours.each(ours.hub), theirs.each(theirs.hub))])
        .unit("us")
        .with("wallet_us", ours.each(ours.wallet))
        .with("caller_us", ours.each(ours.caller))
        .with("bare_caller_us", theirs.each(theirs.caller))
        .target(Target::AtMost("ours", 35.0));
    Ok(vec![
        one.target(Target::AtLeast("per_second", 6e3)).target(Target::AtLeast("ratio", 0.4)),
        many.target(Target::AtLeast("per_second", 3e4)).target(Target::AtLeast("ratio", 0.4)),
        cpu,
    ])
}

async fn compare(
    stage: &Stage,
    names: Names,
    in_flight: usize,
    scale: &Scale,
) -> Result<(Measure, Way, Way), BenchError> {
    let (signing, bare) = (stage.caller(names, false).await?, stage.caller(names, true).await?);
    let (mut ours, mut theirs, mut rounds) = (Way::default(), Way::default(), Vec::new());
    for _ in 0..scale.rounds {
        let sign = ours.round(stage, &signing, in_flight, scale.slice).await?;
        rounds.push((sign, theirs.round(stage, &bare, in_flight, scale.slice).await?));
    }
    let measure = measure_of(names, &rounds)
        .with("per_second", ours.all.per_second())
        .with("p50_us", ours.all.percentile(0.5))
        .with("p99_us", ours.all.percentile(0.99))
        .with("bare_per_second", theirs.all.per_second())
        .with("bare_p50_us", theirs.all.percentile(0.5));
    Ok((measure, ours, theirs))
}

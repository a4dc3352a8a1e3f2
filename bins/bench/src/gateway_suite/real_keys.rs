//! Real keys and verified signatures, against signing and verifying alone.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use venus_core::api::ISigner;
use venus_core::crypto::verify;
use venus_core::entropy::OsEntropy;
use venus_core::types::{Address, Message, MessageExt, MsgMeta, RawBytes, Signature, TokenAmount};
use venus_signer::LocalWallet;

use super::Scale;
use super::child::Child;
use super::hub;
use super::keys::{self, Kind};
use super::load::{Caller, connect};
use super::role::Role;
use super::sign::params;
use crate::measure::{BenchError, Measure, Names, measure_of, same};
use crate::report::Target;

const BASELINE: &str = "a wallet's signature and its verification, on all cores, without any process between";
const SECP: Names = Names { measure: "real_keys_secp", baseline: BASELINE };
const BLS: Names = Names { measure: "real_keys_bls", baseline: BASELINE };
const IN_FLIGHT: usize = 128;

pub(super) async fn secp(scale: &Scale) -> Result<Vec<Measure>, BenchError> {
    one(SECP, Kind::Secp, scale).await
}

pub(super) async fn bls(scale: &Scale) -> Result<Vec<Measure>, BenchError> {
    one(BLS, Kind::Bls, scale).await
}

async fn one(names: Names, kind: Kind, scale: &Scale) -> Result<Vec<Measure>, BenchError> {
    let config = hub::Config { verifies: true, accounts: hub::From::Own(1) };
    let (hub, ready): (_, hub::Ready) = Child::start(names, &Role::Hub(config)).await?;
    let token = ready.accounts.wallets.first().cloned().unwrap_or_default();
    let role = Role::Keys(keys::Config { url: ready.url("/rpc/v1"), token, kind, keys: 1 });
    let (wallet, registered): (_, keys::Ready) = Child::start(names, &role).await?;
    let caller = caller(names, &ready, registered.first.0).await?;
    let alone = Arc::new(Alone::new(names, kind).await?);
    let (mut rounds, mut all) = (Vec::new(), super::load::Slice::default());
    let cpu = hub.cpu()?;
    for _ in 0..scale.rounds {
        let ours = caller.run(IN_FLIGHT, scale.slice).await?;
        rounds.push((ours.each(), alone.run(scale.slice).await?));
        all.add(ours);
    }
    let cpu = (hub.cpu()? - cpu).as_secs_f64() * 1e6 / all.latencies.len() as f64;
    wallet.end().await?;
    hub.end().await?;
    let measure = measure_of(names, &rounds)
        .with("per_second", all.per_second())
        .with("p50_us", all.percentile(0.5))
        .with("p99_us", all.percentile(0.99))
        .with("hub_cpu_us", cpu);
    Ok(vec![measure.target(Target::AtLeast("ratio", 0.7))])
}

/// A caller with many messages, whose first signature is what it should be.
async fn caller(names: Names, ready: &hub::Ready, signer: Address) -> Result<Caller, BenchError> {
    let client = connect(names, &ready.url("/rpc/v2"), &ready.accounts.admin).await?;
    let requests = requests(signer);
    let calls = requests.iter().map(|(to_sign, meta)| params(signer, to_sign, &meta.extra));
    let calls = calls.collect::<Result<Arc<[String]>, _>>()?;
    let caller = Caller { names, client, method: "Gateway.WalletSign", calls };
    if let Some((to_sign, _)) = requests.first() {
        let signature: Signature = serde_json::from_str(&caller.call(0).await?)?;
        same(names, &verify(&signature, &signer, to_sign).is_ok(), &true)?;
    }
    Ok(caller)
}

/// Messages as of a pool's messager.
fn requests(from: Address) -> Vec<(Vec<u8>, MsgMeta)> {
    let message = |sequence| Message {
        version: 0,
        to: Address::new_id(1000 + sequence % 7),
        from,
        sequence,
        value: TokenAmount::from_nano(sequence * 1_000_003),
        method_num: 5 + sequence % 3,
        params: RawBytes::new(vec![7; 220]),
        gas_limit: 30_000_000 + sequence,
        gas_fee_cap: TokenAmount::from_nano(2),
        gas_premium: TokenAmount::from_atto(100_000 + sequence),
    };
    let request = |message: Message| (message.cid().to_bytes(), MsgMeta::chain_message(&message));
    (0..256).map(|sequence| request(message(sequence))).collect()
}

/// The same work in this process, nobody between the wallet and the verification.
struct Alone {
    names: Names,
    wallet: LocalWallet,
    address: Address,
    requests: Vec<(Vec<u8>, MsgMeta)>,
}

impl Alone {
    async fn new(names: Names, kind: Kind) -> Result<Self, BenchError> {
        let wallet = LocalWallet::in_memory();
        let address = wallet.generate(kind.key_type(), &OsEntropy).await;
        let address = address.map_err(|error| names.input(error))?;
        Ok(Self { names, wallet, address, requests: requests(address) })
    }

    /// As much as all cores do in `slice`; the time for each, nanoseconds.
    async fn run(self: &Arc<Self>, slice: Duration) -> Result<f64, BenchError> {
        let start = Instant::now();
        let cores = available_parallelism()?.get();
        let workers = (0..cores).map(|number| tokio::spawn(self.clone().repeat(number, start + slice)));
        let done = try_join_all(workers).await.map_err(|error| self.names.input(error))?;
        let done: usize = done.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().sum();
        Ok(start.elapsed().as_nanos() as f64 / done as f64)
    }

    async fn repeat(self: Arc<Self>, number: usize, until: Instant) -> Result<usize, BenchError> {
        let mut done = 0;
        for (to_sign, meta) in self.requests.iter().cycle().skip(number) {
            let signature = self.wallet.sign(&self.address, to_sign, meta).await;
            let signature = signature.map_err(|error| self.names.input(error))?;
            verify(&signature, &self.address, to_sign).map_err(|error| self.names.input(error))?;
            done += 1;
            if Instant::now() >= until {
                break;
            }
        }
        Ok(done)
    }
}

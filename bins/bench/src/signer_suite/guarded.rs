//! Signatures with checks, slashing protection and records, against bare ones: chain messages, 64 in flight.

use std::hint::black_box;
use std::sync::Arc;

use futures::future::join_all;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use venus_core::api::ISigner;
use venus_core::error::BoxError;
use venus_core::types::Address;
use venus_signer::audit::{AuditConfig, SqliteAudit};
use venus_signer::policy::{Policy, PolicyConfig, PolicyError, Preset, RuleConfig};
use venus_signer::slashing::SqliteSlashing;
use venus_signer::{KeyType, LocalWallet, Vault};

use super::bare::{Bare, Request, key, requests};
use crate::measure::{BenchError, Effort, Measure, Names, compare, same};

const LIBRARY: &str = "the library's signature alone";
const SECP_LIBRARY: Names = Names { measure: "secp256k1_guarded_64_over_library", baseline: LIBRARY };
const BLS_LIBRARY: Names = Names { measure: "bls_guarded_64_over_library", baseline: LIBRARY };
const UNGUARDED: &str = "the same wallet without policy, protection and records";
const SECP: Names = Names { measure: "secp256k1_guarded_64_in_flight", baseline: UNGUARDED };
const BLS: Names = Names { measure: "bls_guarded_64_in_flight", baseline: UNGUARDED };

/// Callers at a time.
const IN_FLIGHT: usize = 64;
/// Signatures of a caller in a pass, one after the other.
const EACH: usize = 8;

/// A wallet with everything that guards its keys, in a folder that ends with it.
pub(super) struct Guarded {
    pub(super) wallet: LocalWallet,
    pub(super) audit: SqliteAudit,
    pub(super) address: Address,
    _folder: TempDir,
}

impl Guarded {
    pub(super) async fn open(names: Names, key_type: KeyType) -> Result<Self, BenchError> {
        let folder = tempfile::tempdir()?;
        let failed = |error: BoxError| names.input(error);
        let audit = SqliteAudit::open(&folder.path().join("keystore.sqlit"), AuditConfig::default()).await;
        let audit = audit.map_err(|error| names.input(error))?;
        let slashing = SqliteSlashing::open(&folder.path().join("slashing.sqlite"), "bench").await;
        let slashing = slashing.map_err(failed)?;
        let policy = policy().map_err(|error| names.input(error))?;
        let guarded = LocalWallet::builder(Vault::in_memory()).check(policy).slashing(slashing);
        let wallet = guarded.audit(audit.clone()).build();
        let address = wallet.import(key(names, key_type)?).await.map_err(|error| names.input(error))?;
        Ok(Self { wallet, audit, address, _folder: folder })
    }
}

/// A pass is long, so it is measured less often.
const ROUNDS_PER_PASS: u32 = 8;

/// As an operator writes it: who may send how much where, and how often.
fn policy() -> Result<Policy, PolicyError> {
    let others = RuleConfig::deny("owner").methods(["ChangeOwnerAddress", "ChangeWorkerAddress"]);
    let pool = RuleConfig::allow("pool")
        .to((1000..1007).map(|miner| format!("f0{miner}")))
        .methods([5, 6, 7])
        .max_value("1 FIL")
        .max_fee("1 FIL")
        .rate(1 << 32, "1h");
    Policy::new(&PolicyConfig::preset(Preset::Mining).rule(others).rule(pool))
}

pub(super) fn measure(effort: &Effort) -> Result<Vec<Measure>, BenchError> {
    let effort = &Effort { rounds: effort.rounds.div_ceil(ROUNDS_PER_PASS), slice: effort.slice };
    [
        (SECP, KeyType::Secp256k1),
        (SECP_LIBRARY, KeyType::Secp256k1),
        (BLS, KeyType::Bls),
        (BLS_LIBRARY, KeyType::Bls),
    ]
    .map(|(names, kind)| one(effort, names, kind))
    .into_iter()
    .collect()
}

/// The same key and the same reading of requests, and nothing between them and the signature.
async fn unguarded(names: Names, key_type: KeyType) -> Result<LocalWallet, BenchError> {
    let wallet = LocalWallet::in_memory();
    wallet.import(key(names, key_type)?).await.map_err(|error| names.input(error))?;
    Ok(wallet)
}

fn one(effort: &Effort, names: Names, key_type: KeyType) -> Result<Measure, BenchError> {
    let runtime = Runtime::new()?;
    let guarded = runtime.block_on(Guarded::open(names, key_type))?;
    let bare = Bare::new(names, key_type)?;
    let requests = Arc::new(requests(guarded.address, IN_FLIGHT as u64));
    for request in requests.iter() {
        let sign = guarded.wallet.sign(&guarded.address, &request.to_sign, &request.meta);
        let ours = runtime.block_on(sign).map_err(|error| names.input(error))?;
        same(names, &ours.data, &bare.sign(&request.to_sign))?;
    }
    let guard = Arc::new(Way::Wallet(guarded.wallet.clone(), guarded.address));
    let bare = Arc::new(match names.baseline {
        LIBRARY => Way::Bare(bare),
        _ => Way::Wallet(runtime.block_on(unguarded(names, key_type))?, guarded.address),
    });
    let ours = || runtime.block_on(in_flight(&requests, &guard));
    let theirs = || runtime.block_on(in_flight(&requests, &bare));
    let measure = compare(names, effort, IN_FLIGHT * EACH, ours, theirs);
    runtime.block_on(guarded.audit.shutdown());
    Ok(measure)
}

enum Way {
    Wallet(LocalWallet, Address),
    Bare(Bare),
}

impl Way {
    async fn sign(&self, request: &Request) {
        match self {
            Self::Wallet(wallet, address) => {
                drop(black_box(wallet.sign(address, &request.to_sign, &request.meta).await));
            }
            Self::Bare(bare) => drop(black_box(bare.sign(&request.to_sign))),
        }
    }
}

/// So many callers at the same time, each of which sends its request again and again.
async fn in_flight(requests: &Arc<Vec<Request>>, way: &Arc<Way>) {
    let callers = (0..IN_FLIGHT).map(|caller| {
        let (way, requests) = (way.clone(), requests.clone());
        tokio::spawn(async move {
            let Some(request) = requests.get(caller) else { return };
            for _ in 0..EACH {
                way.sign(request).await;
            }
        })
    });
    join_all(callers).await;
}

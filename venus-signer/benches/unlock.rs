#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Unlocking a hundred keys beside one key derivation of the same cost, and the hot path of a signature.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use secrecy::SecretString;
use tokio::runtime::Runtime;
use venus_core::entropy::SeededEntropy;
use venus_core::types::Address;
use venus_signer::{KeyInfo, KeyType, MemoryKeyStore, Vault, VaultOptions};

const KEYS: u64 = 100;

fn password() -> SecretString {
    "benchmark".into()
}

/// A store with keys under the default parameters. One derivation each, so this takes minutes on a small machine.
fn store(runtime: &Runtime) -> (Arc<MemoryKeyStore>, Vec<Address>) {
    let store = Arc::new(MemoryKeyStore::new());
    let vault = Vault::open(store.clone(), VaultOptions::default());
    let addresses = runtime.block_on(async {
        vault.set_password(&password()).await.unwrap();
        let mut addresses = Vec::new();
        for n in 0..KEYS {
            let key = KeyInfo::generate(KeyType::Bls, &SeededEntropy::new(n, "unlock")).unwrap();
            addresses.push(vault.put(key).await.unwrap());
        }
        addresses
    });
    (store, addresses)
}

fn derive() {
    let params = scrypt::Params::new(18, 8, 1, 32).unwrap();
    let mut derived = [0; 32];
    scrypt::scrypt(black_box(&[1; 32]), &[2; 32], &params, &mut derived).unwrap();
    black_box(derived);
}

fn unlock(runtime: &Runtime, store: &Arc<MemoryKeyStore>) {
    let vault = Vault::open(store.clone(), VaultOptions::default());
    runtime.block_on(vault.unlock(&password())).unwrap();
}

/// The shortest of five: what else the machine does only ever adds.
fn shortest(run: impl Fn()) -> Duration {
    (0..5)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .min()
        .unwrap()
}

fn bench(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let (store, addresses) = store(&runtime);
    let (one, hundred) = (shortest(derive), shortest(|| unlock(&runtime, &store)));
    println!(
        "unlock of {KEYS} keys {hundred:?}, one scrypt {one:?}, ratio {:.2}",
        hundred.as_secs_f64() / one.as_secs_f64()
    );

    let mut group = criterion.benchmark_group("unlock");
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    group.bench_function("one scrypt", |b| b.iter(derive));
    group.bench_function("100 keys", |b| b.iter(|| unlock(&runtime, &store)));
    group.finish();

    let vault = Vault::open(store, VaultOptions::default());
    runtime.block_on(vault.unlock(&password())).unwrap();
    runtime.block_on(vault.signing_key(&addresses[7])).unwrap();
    criterion.bench_function("signing key, opened before", |b| {
        b.iter(|| runtime.block_on(vault.signing_key(black_box(&addresses[7]))).unwrap());
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);

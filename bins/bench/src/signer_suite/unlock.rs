//! Unlocking a wallet of a hundred keys, against one key derivation.

use std::hint::black_box;
use std::sync::Arc;

use secrecy::SecretString;
use tokio::runtime::Runtime;
use venus_core::entropy::SeededEntropy;
use venus_signer::{KeyInfo, KeyType, MemoryKeyStore, ScryptParams, Vault, VaultOptions, WalletError};

use crate::measure::{BenchError, Effort, Measure, Names, compare, same};

const NAMES: Names = Names { measure: "unlock_100_keys", baseline: "scrypt" };
const KEYS: u64 = 100;
/// A sixteenth of a wallet's usual cost, because making the keys costs one derivation each.
const LOG_N: u8 = 14;
/// Each way takes tens of milliseconds.
const ROUNDS_PER_PASS: u32 = 16;

fn options() -> Result<VaultOptions, BenchError> {
    let scrypt = ScryptParams::new(1 << LOG_N, 1).map_err(|error| NAMES.failed(error))?;
    Ok(VaultOptions { scrypt, ..VaultOptions::default() })
}

async fn fill(vault: &Vault, password: &SecretString, keys: u64) -> Result<(), WalletError> {
    vault.set_password(password).await?;
    for n in 0..keys {
        vault.put(KeyInfo::generate(KeyType::Bls, &SeededEntropy::new(n, "unlock"))?).await?;
    }
    Ok(())
}

fn derive(params: &scrypt::Params) -> bool {
    let mut derived = [0; 32];
    let done = scrypt::scrypt(black_box(&[1; 32]), &[2; 32], params, &mut derived).is_ok();
    black_box(derived);
    done
}

pub(super) fn measure(effort: &Effort) -> Result<Measure, BenchError> {
    let keys = if effort.rounds == 1 { 2 } else { KEYS };
    let effort = &Effort { rounds: effort.rounds.div_ceil(ROUNDS_PER_PASS), slice: effort.slice };
    let params = scrypt::Params::new(LOG_N, 8, 1, 32).map_err(|error| NAMES.failed(error))?;
    let (runtime, password) = (Runtime::new()?, SecretString::from("benchmark"));
    let (store, options) = (Arc::new(MemoryKeyStore::new()), options()?);
    let first = Vault::open(store.clone(), options.clone());
    runtime.block_on(fill(&first, &password, keys)).map_err(|error| NAMES.input(error))?;
    let unlock = || {
        let vault = Vault::open(store.clone(), options.clone());
        runtime.block_on(vault.unlock(&password)).is_ok()
    };
    same(NAMES, &unlock(), &derive(&params))?;
    let ours = || {
        black_box(unlock());
    };
    let theirs = || {
        black_box(derive(&params));
    };
    Ok(compare(NAMES, effort, 1, ours, theirs))
}

//! What the tests of the vault share.
#![allow(dead_code)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::Notify;
use venus_core::clock::ManualClock;
use venus_core::entropy::SeededEntropy;
use venus_core::types::Address;
use venus_signer::{
    KeyInfo, KeyStore, KeyType, MemoryKeyStore, ScryptParams, SealedKey, Vault, VaultOptions, WalletError,
};

pub(crate) fn password(text: &str) -> SecretString {
    SecretString::from(text)
}

pub(crate) fn key(n: u64) -> KeyInfo {
    let key_type = KeyType::ALL[n as usize % KeyType::ALL.len()];
    KeyInfo::generate(key_type, &SeededEntropy::new(n, "vault keys")).unwrap()
}

pub(crate) fn options() -> VaultOptions {
    VaultOptions { scrypt: ScryptParams::new(2, 1).unwrap(), ..VaultOptions::default() }
}

pub(crate) fn timed(auto_lock: Option<Duration>) -> (ManualClock, VaultOptions) {
    let clock = ManualClock::new(Duration::from_secs(1_700_000_000));
    (clock.clone(), VaultOptions { clock: Arc::new(clock), auto_lock, ..options() })
}

/// A restarted wallet: the same store, nothing in memory.
pub(crate) fn restart(store: &Arc<Watched>) -> Vault {
    Vault::open(store.clone(), options())
}

/// A vault with `n` keys under `password`, and its store.
pub(crate) async fn filled(n: u64, word: &str) -> (Arc<Watched>, Vault, Vec<Address>) {
    let store = Arc::new(Watched::default());
    let vault = restart(&store);
    vault.set_password(&password(word)).await.unwrap();
    let mut addresses = Vec::new();
    for n in 0..n {
        addresses.push(vault.put(key(n)).await.unwrap());
    }
    (store, vault, addresses)
}

/// A store in memory that counts writes and fails on demand.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    inner: MemoryKeyStore,
    pub(crate) writes: AtomicUsize,
    /// Writes fail and do nothing.
    pub(crate) full: AtomicBool,
    /// The next swap is done, and its answer is lost.
    pub(crate) lose_answer: AtomicBool,
    /// The next swap is done, its answer is lost, and reads fail from then on.
    pub(crate) blind_after_swap: AtomicBool,
    /// Reads fail.
    pub(crate) blind: AtomicBool,
    /// The next swap never ends, before or after its effect.
    hang: Mutex<Option<bool>>,
    /// It hangs now.
    pub(crate) hanging: Notify,
}

impl Watched {
    pub(crate) fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    pub(crate) fn hang(&self, after: bool) {
        *self.hang.lock().unwrap() = Some(after);
    }

    async fn hangs(&self, after: bool) {
        if self.hang.lock().unwrap().take_if(|when| *when == after).is_some() {
            self.hanging.notify_one();
            std::future::pending::<()>().await;
        }
    }

    fn write(&self) -> Result<(), WalletError> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        if self.full.load(Ordering::SeqCst) { Err(WalletError::Store("disk is full".into())) } else { Ok(()) }
    }

    fn read(&self) -> Result<(), WalletError> {
        if self.blind.load(Ordering::SeqCst) {
            Err(WalletError::Store("disk I/O error".into()))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl KeyStore for Watched {
    async fn put_all(&self, keys: &[SealedKey]) -> Result<usize, WalletError> {
        self.write()?;
        self.inner.put_all(keys).await
    }

    async fn get(&self, address: &Address) -> Result<Option<SealedKey>, WalletError> {
        self.read()?;
        self.inner.get(address).await
    }

    async fn has(&self, address: &Address) -> Result<bool, WalletError> {
        self.inner.has(address).await
    }

    async fn list(&self) -> Result<Vec<Address>, WalletError> {
        self.inner.list().await
    }

    async fn remove(&self, address: &Address) -> Result<bool, WalletError> {
        self.write()?;
        self.inner.remove(address).await
    }

    async fn swap(&self, old: &[SealedKey], new: &[SealedKey]) -> Result<(), WalletError> {
        self.write()?;
        self.hangs(false).await;
        self.inner.swap(old, new).await?;
        self.hangs(true).await;
        let blind = self.blind_after_swap.swap(false, Ordering::SeqCst);
        self.blind.fetch_or(blind, Ordering::SeqCst);
        if self.lose_answer.swap(false, Ordering::SeqCst) || blind {
            return Err(WalletError::Store("connection lost".into()));
        }
        Ok(())
    }
}

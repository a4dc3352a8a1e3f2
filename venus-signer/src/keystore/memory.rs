//! Keys in memory.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use venus_core::types::Address;

use super::{KeyStore, SealedKey};
use crate::error::WalletError;

/// Encrypted keys in memory. Lookups take time in proportion to the number of keys.
#[derive(Debug, Default)]
pub struct MemoryKeyStore {
    keys: Mutex<Vec<SealedKey>>,
}

impl MemoryKeyStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn keys(&self) -> MutexGuard<'_, Vec<SealedKey>> {
        // No code panics between two writes, so a poisoned list is whole.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl KeyStore for MemoryKeyStore {
    async fn put_all(&self, new: &[SealedKey]) -> Result<usize, WalletError> {
        let mut keys = self.keys();
        let before = keys.len();
        for key in new {
            if !keys.iter().any(|known| known.address() == key.address()) {
                keys.push(key.clone());
            }
        }
        Ok(keys.len() - before)
    }

    async fn get(&self, address: &Address) -> Result<Option<SealedKey>, WalletError> {
        Ok(self.keys().iter().find(|key| key.address() == address).cloned())
    }

    async fn has(&self, address: &Address) -> Result<bool, WalletError> {
        Ok(self.keys().iter().any(|key| key.address() == address))
    }

    async fn list(&self) -> Result<Vec<Address>, WalletError> {
        Ok(self.keys().iter().map(|key| *key.address()).collect())
    }

    async fn remove(&self, address: &Address) -> Result<bool, WalletError> {
        let mut keys = self.keys();
        let before = keys.len();
        keys.retain(|key| key.address() != address);
        Ok(keys.len() < before)
    }

    async fn swap(&self, old: &[SealedKey], new: &[SealedKey]) -> Result<(), WalletError> {
        let mut keys = self.keys();
        let same_addresses = new.iter().map(SealedKey::address).eq(old.iter().map(SealedKey::address));
        if *keys != old || !same_addresses {
            return Err(WalletError::Changed);
        }
        *keys = new.to_vec();
        Ok(())
    }
}

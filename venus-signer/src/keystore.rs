//! Where keys live.

use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use async_trait::async_trait;
use venus_core::types::Address;

use crate::error::WalletError;
use crate::key::KeyInfo;

/// Keeps keys under their addresses.
///
/// # Contract
/// * `put` is idempotent: an address determines its key, so there is nothing to overwrite. A durable store has the key on disk when it returns.
/// * Neither `Debug` nor an error shows key material.
#[async_trait]
pub trait KeyStore: fmt::Debug + Send + Sync {
    /// Keeps a key, and tells its address.
    ///
    /// # Errors
    /// [`WalletError::Store`]; whether the key is kept is then unknown, and repeating is safe.
    async fn put(&self, key: KeyInfo) -> Result<Address, WalletError>;

    /// The key of an address, if the store has it.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    async fn get(&self, address: &Address) -> Result<Option<KeyInfo>, WalletError>;

    /// Whether the store has the key of an address.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    async fn has(&self, address: &Address) -> Result<bool, WalletError>;

    /// All addresses, ordered by their bytes.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    async fn list(&self) -> Result<Vec<Address>, WalletError>;

    /// Forgets a key; false if there was none.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    async fn remove(&self, address: &Address) -> Result<bool, WalletError>;
}

/// Keys in memory, wiped when the store is dropped.
#[derive(Default)]
pub struct MemoryKeyStore {
    keys: RwLock<HashMap<Address, KeyInfo>>,
}

impl MemoryKeyStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Address, KeyInfo>> {
        // No code panics between two writes of the map, so a poisoned one is whole.
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl KeyStore for MemoryKeyStore {
    async fn put(&self, key: KeyInfo) -> Result<Address, WalletError> {
        let address = key.address()?;
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(address, key);
        Ok(address)
    }

    async fn get(&self, address: &Address) -> Result<Option<KeyInfo>, WalletError> {
        Ok(self.read().get(address).cloned())
    }

    async fn has(&self, address: &Address) -> Result<bool, WalletError> {
        Ok(self.read().contains_key(address))
    }

    async fn list(&self) -> Result<Vec<Address>, WalletError> {
        let mut addresses: Vec<Address> = self.read().keys().copied().collect();
        addresses.sort_by_key(|address| address.to_bytes());
        Ok(addresses)
    }

    async fn remove(&self, address: &Address) -> Result<bool, WalletError> {
        Ok(self.keys.write().unwrap_or_else(PoisonError::into_inner).remove(address).is_some())
    }
}

impl fmt::Debug for MemoryKeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryKeyStore").field("keys", &self.read().len()).finish()
    }
}

//! Where keys live, encrypted.

mod memory;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;

use async_trait::async_trait;
use venus_core::types::Address;

pub use self::memory::MemoryKeyStore;
pub use self::row::SealedKey;
pub(crate) use self::row::{address_text, read_address};
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteKeyStore;
use crate::error::WalletError;

/// Keeps encrypted keys under their addresses. No store ever sees a key that it could use.
///
/// # Contract
/// * An address determines its key, so there is nothing to overwrite: putting an address that is there changes nothing.
/// * What a durable store has confirmed is on disk. After an error nothing is lost that was confirmed before.
/// * Addresses are listed in the order in which they came.
/// * [`KeyStore::put_all`] and [`KeyStore::swap`] do all or nothing, whenever the process ends.
#[async_trait]
pub trait KeyStore: fmt::Debug + Send + Sync {
    /// Keeps a key; false if there was one of its address.
    ///
    /// # Errors
    /// [`WalletError::Store`]; whether the key is kept is then unknown, and repeating is safe.
    async fn put(&self, key: &SealedKey) -> Result<bool, WalletError> {
        Ok(self.put_all(std::slice::from_ref(key)).await? == 1)
    }

    /// Keeps all keys that are not there yet, and tells how many.
    ///
    /// # Errors
    /// As [`KeyStore::put`]: either all are kept or none.
    async fn put_all(&self, keys: &[SealedKey]) -> Result<usize, WalletError>;

    /// The key of an address, if the store has it.
    ///
    /// # Errors
    /// [`WalletError::Store`]; [`WalletError::CorruptKey`] if what is stored for it is no encrypted key.
    async fn get(&self, address: &Address) -> Result<Option<SealedKey>, WalletError>;

    /// Whether the store has a key of an address.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    async fn has(&self, address: &Address) -> Result<bool, WalletError>;

    /// All addresses, oldest first.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    async fn list(&self) -> Result<Vec<Address>, WalletError>;

    /// Forgets a key; false if there was none.
    ///
    /// # Errors
    /// [`WalletError::Store`]; repeating is safe.
    async fn remove(&self, address: &Address) -> Result<bool, WalletError>;

    /// Replaces all keys by the same keys under another password: `old` is what the caller read, `new` stands in the same
    /// order.
    ///
    /// # Errors
    /// [`WalletError::Changed`] if the store holds other keys than `old`, or holds them otherwise; nothing is changed
    /// then. [`WalletError::Store`]: either all are replaced or none.
    async fn swap(&self, old: &[SealedKey], new: &[SealedKey]) -> Result<(), WalletError>;
}

//! What the owner of a wallet does with it, besides signing.

use async_trait::async_trait;
use auto_impl::auto_impl;
use secrecy::SecretString;
use venus_core::api::ISigner;
use venus_core::types::Address;

use crate::error::WalletError;
use crate::key::{KeyInfo, KeyType};
use crate::vault::LockState;

/// Manages the keys of a signer and the lock before them.
///
/// # Contract
/// * A key crosses this trait as a [`KeyInfo`], which shows its bytes to nobody who does not ask for them by name
///   ([`KeyInfo::to_json`]), and is wiped when dropped.
/// * `import` and `remove` are idempotent: an address determines its key.
/// * A wrong password is [`WalletError`] and never a hint at what is right about it; several in a row have to wait.
/// * While the wallet is locked only `lock_state`, `unlock` and what [`ISigner`] says about `has` and `list` work.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait SignerAdmin: ISigner {
    /// Makes a key of fresh random bytes.
    ///
    /// # Errors
    /// [`WalletError`] when locked, without random bytes, or if it cannot be stored. Repeating makes another key.
    async fn new_key(&self, key_type: KeyType) -> Result<Address, WalletError>;

    /// Keeps a key that was made elsewhere.
    ///
    /// # Errors
    /// [`WalletError`] when locked, or if it cannot be stored.
    async fn import_key(&self, key: KeyInfo) -> Result<Address, WalletError>;

    /// Hands a key out to whoever knows the password.
    ///
    /// # Errors
    /// [`WalletError`] when locked, for a wrong password, and for an address without a key.
    async fn export_key(&self, address: &Address, password: &SecretString) -> Result<KeyInfo, WalletError>;

    /// Forgets a key; false if there was none. There is no way back but a backup.
    ///
    /// # Errors
    /// [`WalletError`] when locked, or if the store fails.
    async fn remove_key(&self, address: &Address) -> Result<bool, WalletError>;

    /// Whether keys can be used.
    async fn lock_state(&self) -> LockState;

    /// Sets the first password, or with `old` changes it and encrypts all keys anew, all or none.
    ///
    /// # Errors
    /// [`WalletError`] for a wrong `old` password, or when there is one already and `old` is not given.
    async fn set_password(&self, old: Option<&SecretString>, new: &SecretString) -> Result<(), WalletError>;

    /// Makes the keys usable.
    ///
    /// # Errors
    /// [`WalletError`] for a wrong password.
    async fn unlock(&self, password: &SecretString) -> Result<(), WalletError>;

    /// Wipes keys and password from memory.
    ///
    /// # Errors
    /// [`WalletError`] for a wrong password.
    async fn lock(&self, password: &SecretString) -> Result<(), WalletError>;
}

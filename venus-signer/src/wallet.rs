//! The signer over a key store.

use std::sync::Arc;

use async_trait::async_trait;
use venus_core::api::{ISigner, SignerError};
use venus_core::entropy::Entropy;
use venus_core::types::{Address, MsgMeta, Signature};

use crate::error::WalletError;
use crate::key::{KeyInfo, KeyType};
use crate::keystore::{KeyStore, MemoryKeyStore};
use crate::payload::Payload;

/// Signs with the keys of a store, and only what it understands (see [`Payload`]). Clones share the keys.
///
/// Signatures are deterministic: BLS by nature, secp256k1 by RFC 6979.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use venus_core::entropy::OsEntropy;
/// use venus_core::prelude::ISigner;
/// use venus_signer::{KeyType, LocalWallet};
///
/// let wallet = LocalWallet::in_memory();
/// let address = wallet.generate(KeyType::Secp256k1, &OsEntropy).await?;
/// assert!(wallet.has(&address).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct LocalWallet {
    store: Arc<dyn KeyStore>,
}

impl LocalWallet {
    /// A wallet over a key store.
    pub fn new(store: Arc<dyn KeyStore>) -> Self {
        Self { store }
    }

    /// A wallet whose keys are gone when its last clone is.
    pub fn in_memory() -> Self {
        Self::new(Arc::new(MemoryKeyStore::new()))
    }

    /// Makes a key and keeps it.
    ///
    /// # Errors
    /// [`WalletError::Entropy`] without usable random bytes, [`WalletError::Store`].
    pub async fn generate(&self, key_type: KeyType, entropy: &dyn Entropy) -> Result<Address, WalletError> {
        self.store.put(KeyInfo::generate(key_type, entropy)?).await
    }

    /// Keeps a key that was made elsewhere. The same key again is success.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn import(&self, key: KeyInfo) -> Result<Address, WalletError> {
        self.store.put(key).await
    }

    /// Hands a key out.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::Store`].
    pub async fn export(&self, address: &Address) -> Result<KeyInfo, WalletError> {
        self.store.get(address).await?.ok_or(WalletError::NotFound(*address))
    }

    /// Forgets a key; false if there was none.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn remove(&self, address: &Address) -> Result<bool, WalletError> {
        self.store.remove(address).await
    }
}

#[async_trait]
impl ISigner for LocalWallet {
    async fn has(&self, address: &Address) -> Result<bool, SignerError> {
        Ok(self.store.has(address).await?)
    }

    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        Ok(self.store.list().await?)
    }

    async fn sign(
        &self,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, SignerError> {
        let key = self.export(address).await?;
        let payload = Payload::read(address, to_sign, meta)?;
        Ok(key.sign(&payload.signing_bytes()).map_err(WalletError::from)?)
    }
}

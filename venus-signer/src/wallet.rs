//! The signer over a vault of keys.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use secrecy::SecretString;
use venus_core::api::{ISigner, SignerError};
use venus_core::entropy::{Entropy, OsEntropy};
use venus_core::types::{Address, MsgMeta, Signature};

use crate::admin::SignerAdmin;
use crate::audit::AuditLog;
use crate::check::Check;
use crate::error::WalletError;
use crate::key::{KeyInfo, KeyType};
use crate::payload::SigningNetwork;
use crate::pipeline::{Pipeline, measure};
use crate::request::{Caller, SignRequest};
use crate::slashing::SlashingProtection;
use crate::vault::{LockState, Vault};

/// Signs with the keys of a vault, and only what it understands (see [`Payload`](crate::Payload)). Clones share the keys.
///
/// A request goes through these steps; each may end it, and nothing is signed then:
/// 1. the vault is unlocked,
/// 2. the payload is read, and the bytes to sign are computed from it,
/// 3. all checks agree (strategies, policy, an external filter),
/// 4. slashing protection reserves what may be signed once only, durably,
/// 5. the key signs,
/// 6. the request is on record, whatever became of it.
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
    inner: Arc<Pipeline>,
}

/// Puts a [`LocalWallet`] together.
#[derive(Debug)]
pub struct WalletBuilder(Pipeline);

impl WalletBuilder {
    /// The network that messages of `f4` senders and F3 votes are signed for; mainnet otherwise.
    #[must_use]
    pub fn network(mut self, network: SigningNetwork) -> Self {
        self.0.network = network;
        self
    }

    /// Where new keys come from; the operating system otherwise.
    #[must_use]
    pub fn entropy(mut self, entropy: impl Entropy + 'static) -> Self {
        self.0.entropy = Arc::new(entropy);
        self
    }

    /// Adds a check. They are asked in the order of adding.
    #[must_use]
    pub fn check(mut self, check: impl Check + 'static) -> Self {
        self.0.checks.push(Arc::new(check));
        self
    }

    /// Protects miners from being slashed for what the wallet signs.
    #[must_use]
    pub fn slashing(mut self, protection: impl SlashingProtection + 'static) -> Self {
        self.0.slashing = Some(Arc::new(protection));
        self
    }

    /// Keeps records of all requests.
    #[must_use]
    pub fn audit(mut self, log: impl AuditLog + 'static) -> Self {
        self.0.audit = Some(Arc::new(log));
        self
    }

    /// The wallet.
    pub fn build(self) -> LocalWallet {
        LocalWallet { inner: Arc::new(self.0) }
    }
}

impl LocalWallet {
    /// A wallet over a vault, without checks, records or slashing protection until they are added.
    pub fn builder(vault: Vault) -> WalletBuilder {
        WalletBuilder(Pipeline {
            vault,
            network: SigningNetwork::default(),
            entropy: Arc::new(OsEntropy),
            checks: Vec::new(),
            slashing: None,
            audit: None,
        })
    }

    /// A wallet whose keys are gone when its last clone is. It signs whatever it understands.
    pub fn in_memory() -> Self {
        Self::builder(Vault::in_memory()).build()
    }

    /// The keys.
    pub fn vault(&self) -> &Vault {
        &self.inner.vault
    }

    /// Makes a key and keeps it.
    ///
    /// # Errors
    /// [`WalletError::Entropy`] without usable random bytes, [`WalletError::Store`].
    pub async fn generate(&self, key_type: KeyType, entropy: &dyn Entropy) -> Result<Address, WalletError> {
        self.inner.vault.put(KeyInfo::generate(key_type, entropy)?).await
    }

    /// Keeps a key that was made elsewhere. The same key again is success.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn import(&self, key: KeyInfo) -> Result<Address, WalletError> {
        self.inner.vault.put(key).await
    }

    /// Hands a key out.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::Store`].
    pub async fn export(&self, address: &Address) -> Result<KeyInfo, WalletError> {
        self.inner.vault.export(address, None).await
    }

    /// Forgets a key; false if there was none.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn remove(&self, address: &Address) -> Result<bool, WalletError> {
        self.inner.vault.remove(address).await
    }

    /// Signs on behalf of `caller`.
    ///
    /// # Errors
    /// As [`ISigner::sign`].
    pub async fn sign_as(
        &self,
        caller: &Caller,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, SignerError> {
        let start = Instant::now();
        let request = SignRequest { signer: *address, to_sign, meta, caller };
        let result = self.inner.sign(&request).await;
        measure(&request, start, &result);
        result
    }
}

#[async_trait]
impl SignerAdmin for LocalWallet {
    async fn new_key(&self, key_type: KeyType) -> Result<Address, WalletError> {
        self.generate(key_type, self.inner.entropy.as_ref()).await
    }

    async fn import_key(&self, key: KeyInfo) -> Result<Address, WalletError> {
        self.import(key).await
    }

    async fn export_key(&self, address: &Address, password: &SecretString) -> Result<KeyInfo, WalletError> {
        self.inner.vault.export(address, Some(password)).await
    }

    async fn remove_key(&self, address: &Address) -> Result<bool, WalletError> {
        self.remove(address).await
    }

    async fn lock_state(&self) -> LockState {
        self.inner.vault.state()
    }

    async fn set_password(&self, old: Option<&SecretString>, new: &SecretString) -> Result<(), WalletError> {
        match old {
            Some(old) => self.inner.vault.change_password(old, new).await,
            None => self.inner.vault.set_password(new).await,
        }
    }

    async fn unlock(&self, password: &SecretString) -> Result<(), WalletError> {
        self.inner.vault.unlock(password).await
    }

    async fn lock(&self, password: &SecretString) -> Result<(), WalletError> {
        self.inner.vault.lock(password).await
    }
}

#[async_trait]
impl ISigner for LocalWallet {
    async fn has(&self, address: &Address) -> Result<bool, SignerError> {
        Ok(self.inner.vault.has(address).await?)
    }

    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        Ok(self.inner.vault.list().await?)
    }

    async fn sign(
        &self,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, SignerError> {
        self.sign_as(&Caller::embedded(), address, to_sign, meta).await
    }
}

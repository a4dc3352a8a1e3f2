//! The signer over a vault of keys.

use std::sync::Arc;

use async_trait::async_trait;
use venus_core::api::{ISigner, SignerError};
use venus_core::entropy::Entropy;
use venus_core::types::{Address, MsgMeta, Signature};

use crate::audit::{AuditEvent, AuditLog, Verdict};
use crate::check::{Check, Refusal};
use crate::error::WalletError;
use crate::key::{KeyInfo, KeyType};
use crate::payload::{Payload, SigningNetwork};
use crate::request::{Caller, Review, SignRequest};
use crate::slashing::{SlashingError, SlashingProtection};
use crate::vault::{LockState, Vault};

/// Signs with the keys of a vault, and only what it understands (see [`Payload`]). Clones share the keys.
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
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    vault: Vault,
    network: SigningNetwork,
    checks: Vec<Arc<dyn Check>>,
    slashing: Option<Arc<dyn SlashingProtection>>,
    audit: Option<Arc<dyn AuditLog>>,
}

/// Puts a [`LocalWallet`] together.
#[derive(Debug)]
pub struct WalletBuilder(Inner);

impl WalletBuilder {
    /// The network that messages of `f4` senders and F3 votes are signed for; mainnet otherwise.
    #[must_use]
    pub fn network(mut self, network: SigningNetwork) -> Self {
        self.0.network = network;
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
        let network = SigningNetwork::default();
        WalletBuilder(Inner { vault, network, checks: Vec::new(), slashing: None, audit: None })
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
        let request = SignRequest { signer: *address, to_sign, meta, caller };
        let payload = match self.inner.read(&request) {
            Ok(payload) => payload,
            Err(error) => return self.inner.failed(&request, None, error).await,
        };
        match self.inner.decide(&Review { request: &request, payload: &payload }).await {
            Ok(signature) => {
                self.inner.keep(&request, Some(&payload), Verdict::Signed(&signature)).await?;
                Ok(signature)
            }
            Err(Ended::Denied { by, reason }) => {
                self.inner.keep(&request, Some(&payload), Verdict::Denied { by, reason: &reason }).await?;
                Err(SignerError::Denied(reason))
            }
            Err(Ended::Failed(error)) => self.inner.failed(&request, Some(&payload), error).await,
        }
    }

    /// Whether the checks would let a request pass, without signing, reserving or recording anything but the counts
    /// of rate limits.
    ///
    /// # Errors
    /// As [`ISigner::sign`].
    pub async fn dry_run(
        &self,
        caller: &Caller,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Payload, SignerError> {
        let request = SignRequest { signer: *address, to_sign, meta, caller };
        let payload = self.inner.read(&request)?;
        match self.inner.checked(&Review { request: &request, payload: &payload }).await {
            Ok(()) => Ok(payload),
            Err(Ended::Denied { reason, .. }) => Err(SignerError::Denied(reason)),
            Err(Ended::Failed(error)) => Err(error),
        }
    }
}

/// Why a readable request got no signature.
enum Ended {
    Denied { by: &'static str, reason: String },
    Failed(SignerError),
}

impl From<WalletError> for Ended {
    fn from(error: WalletError) -> Self {
        Self::Failed(error.into())
    }
}

impl Inner {
    fn read(&self, request: &SignRequest<'_>) -> Result<Payload, SignerError> {
        match self.vault.state() {
            LockState::Unlocked => Payload::read(request, &self.network),
            LockState::NoPassword | LockState::Locked => Err(SignerError::Locked),
        }
    }

    async fn decide(&self, review: &Review<'_>) -> Result<Signature, Ended> {
        // A key that is not ours is told before any rule: rules are about our keys.
        let key = self.vault.signing_key(&review.request.signer).await?;
        self.checked(review).await?;
        if let Some(slashing) = &self.slashing {
            slashing.reserve(review).await.map_err(|error| match error {
                SlashingError::Conflict(reason) => Ended::Denied { by: "slashing", reason },
                SlashingError::Store(source) => Ended::Failed(SignerError::Store(source)),
            })?;
        }
        Ok(key.sign(&review.payload.signing_bytes()).map_err(WalletError::from)?)
    }

    async fn checked(&self, review: &Review<'_>) -> Result<(), Ended> {
        for check in &self.checks {
            check.check(review).await.map_err(|refusal| match refusal {
                Refusal::Denied(reason) => Ended::Denied { by: check.name(), reason },
                Refusal::Failed(source) => Ended::Failed(SignerError::Store(source)),
            })?;
        }
        Ok(())
    }

    async fn failed(
        &self,
        request: &SignRequest<'_>,
        payload: Option<&Payload>,
        error: SignerError,
    ) -> Result<Signature, SignerError> {
        let reason = error.to_string();
        self.keep(request, payload, Verdict::Failed { reason: &reason }).await?;
        Err(error)
    }

    async fn keep(
        &self,
        request: &SignRequest<'_>,
        payload: Option<&Payload>,
        verdict: Verdict<'_>,
    ) -> Result<(), SignerError> {
        match &self.audit {
            None => Ok(()),
            Some(log) => {
                let event = AuditEvent { request, payload, verdict };
                log.record(&event).await.map_err(|error| SignerError::Store(error.into()))
            }
        }
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

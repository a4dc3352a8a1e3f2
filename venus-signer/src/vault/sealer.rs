//! Encryption off the async threads, within a budget of memory.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use venus_core::entropy::Entropy;
use venus_core::types::Address;
use zeroize::Zeroizing;

use crate::cipher::{CipherError, Kdf, MAX_MEMORY, PasswordHash, ScryptParams, Sealed};
use crate::error::WalletError;
use crate::key::KeyInfo;
use crate::keystore::SealedKey;

/// Units of the budget.
const UNIT: u64 = 1 << 20;
/// Memory of all derivations at a time, in units: as much as the most expensive key may ask for alone, which is four
/// of the default. More calls wait; a waiting one holds a few hundred bytes and no memory of scrypt.
const BUDGET: u32 = (MAX_MEMORY / UNIT) as u32;

/// Seals and opens. One for each vault, so the bound holds for all of its callers together.
pub(super) struct Sealer {
    params: ScryptParams,
    entropy: Arc<dyn Entropy>,
    memory: Arc<Semaphore>,
    derivations: AtomicU64,
}

impl Sealer {
    pub(super) fn new(params: ScryptParams, entropy: Arc<dyn Entropy>) -> Self {
        let memory = Arc::new(Semaphore::new(BUDGET as usize));
        Self { params, entropy, memory, derivations: AtomicU64::new(0) }
    }

    /// Passwords turned into keys so far: what unlocking and first uses cost.
    pub(super) fn derivations(&self) -> u64 {
        self.derivations.load(Ordering::Relaxed)
    }

    pub(super) async fn seal(
        &self,
        password: &Arc<PasswordHash>,
        key: &Arc<KeyInfo>,
    ) -> Result<SealedKey, WalletError> {
        let address = key.address()?;
        let key_type = key.key_type();
        let key = Arc::clone(key);
        let sealed = self.seal_with(password, move |seal| seal(key.expose())).await?;
        Ok(SealedKey::of(address, key_type, &sealed))
    }

    /// Seals nothing of value: what can later tell whether a password is this one.
    pub(super) async fn token(&self, password: &Arc<PasswordHash>) -> Result<Sealed, WalletError> {
        self.seal_with(password, |seal| seal(&[])).await
    }

    async fn seal_with(
        &self,
        password: &Arc<PasswordHash>,
        run: impl FnOnce(&SealOne<'_>) -> Result<Sealed, WalletError> + Send + 'static,
    ) -> Result<Sealed, WalletError> {
        let (params, entropy, password) = (self.params, Arc::clone(&self.entropy), Arc::clone(password));
        self.derive(&Kdf::Scrypt(params), move || {
            run(&|secret| Ok(Sealed::seal(&password, params, &*entropy, secret)?))
        })
        .await
    }

    /// Whether the password opens it.
    pub(super) async fn fits(
        &self,
        password: &Arc<PasswordHash>,
        sealed: Sealed,
    ) -> Result<bool, WalletError> {
        Ok(self.open_sealed(password, sealed).await?.is_ok())
    }

    /// The key inside.
    ///
    /// # Errors
    /// [`WalletError::OtherPassword`], or [`WalletError::CorruptKey`] if it is not the key of its address.
    pub(super) async fn open(
        &self,
        password: &Arc<PasswordHash>,
        row: &SealedKey,
    ) -> Result<KeyInfo, WalletError> {
        let address = *row.address();
        let secret = self.open_sealed(password, row.sealed()?).await?;
        let secret = secret.map_err(|error| match error {
            CipherError::Mac => WalletError::OtherPassword(address),
            CipherError::Malformed(reason) => corrupt(address, reason),
        })?;
        let key = KeyInfo::new(row.key_type(), &secret).map_err(|e| corrupt(address, &e.to_string()))?;
        // The counter block stands outside the MAC, and the address beside it: only the key itself can tell.
        if key.address()? == address { Ok(key) } else { Err(corrupt(address, "it is another key")) }
    }

    async fn open_sealed(
        &self,
        password: &Arc<PasswordHash>,
        sealed: Sealed,
    ) -> Result<Result<Zeroizing<Vec<u8>>, CipherError>, WalletError> {
        let password = Arc::clone(password);
        self.derive(&sealed.kdf().clone(), move || Ok(sealed.open(&password))).await
    }

    async fn derive<T: Send + 'static>(
        &self,
        kdf: &Kdf,
        run: impl FnOnce() -> Result<T, WalletError> + Send + 'static,
    ) -> Result<T, WalletError> {
        let permit = self.reserve(kdf).await?;
        self.derivations.fetch_add(1, Ordering::Relaxed);
        let work = tokio::task::spawn_blocking(move || {
            // Held until the work ends, even when nobody waits for it any more.
            let _permit = permit;
            run()
        });
        work.await.map_err(|e| WalletError::Store(e.into()))?
    }

    async fn reserve(&self, kdf: &Kdf) -> Result<OwnedSemaphorePermit, WalletError> {
        let units = u32::try_from(kdf.memory().div_ceil(UNIT)).unwrap_or(BUDGET);
        // What needs little memory still needs a core.
        let units = units.clamp(1, BUDGET);
        let permit = Arc::clone(&self.memory).acquire_many_owned(units).await;
        permit.map_err(|e| WalletError::Store(e.into()))
    }
}

type SealOne<'a> = dyn Fn(&[u8]) -> Result<Sealed, WalletError> + 'a;

fn corrupt(address: Address, reason: &str) -> WalletError {
    WalletError::CorruptKey { address, reason: reason.to_owned() }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("params", &self.params).finish_non_exhaustive()
    }
}

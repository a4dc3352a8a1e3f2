//! The keys behind a lock.

mod attempts;
mod backup;
mod change;
mod options;
mod password;
mod plan;
mod proof;
mod sealer;
mod session;

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::broadcast;
use venus_core::entropy::OsEntropy;
use venus_core::types::Address;

use self::attempts::Attempts;
pub use self::backup::Restored;
pub use self::options::VaultOptions;
pub use self::password::{PasswordSource, PasswordSourceError};
use self::plan::Call;
pub use self::plan::LockState;
use self::sealer::Sealer;
use self::session::{Session, Ticket};
use crate::cipher::{PasswordHash, ScryptParams, Sealed};
use crate::error::WalletError;
use crate::key::KeyInfo;
use crate::keystore::{KeyStore, MemoryKeyStore, SealedKey};

/// First uses of keys that go on at a time, at most one for each key.
const STRIPES: usize = 16;
/// Events that a receiver may lag behind.
const EVENTS: usize = 256;

/// What changed in a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VaultEvent {
    /// A key was made or imported.
    Added(Address),
    /// A key was removed.
    Removed(Address),
    /// The keys can be used.
    Unlocked,
    /// The keys cannot be used any more.
    Locked,
}

/// Keys behind a lock. Clones are the same vault.
///
/// The store holds keys encrypted; a key is decrypted at its first use and kept until the vault is locked, by
/// [`Vault::lock`] or after idle time. Locking wipes the password's hash and all keys from memory. Unlocking tries the
/// password on one stored key only, so it takes as long with a thousand keys as with one.
///
/// Wrong passwords are answered alike, whatever is wrong; after the third in a row each makes the next wait, from a
/// second up to a minute.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use venus_core::entropy::OsEntropy;
/// use venus_signer::{KeyInfo, KeyType, MemoryKeyStore, ScryptParams, Vault, VaultOptions};
///
/// // Weak parameters, for this example to be fast. Leave them out.
/// let options = VaultOptions { scrypt: ScryptParams::new(2, 1)?, ..VaultOptions::default() };
/// let vault = Vault::open(Arc::new(MemoryKeyStore::new()), options);
/// vault.set_password(&"correct horse".into()).await?;
/// let address = vault.put(KeyInfo::generate(KeyType::Bls, &OsEntropy)?).await?;
///
/// vault.lock(&"correct horse".into()).await?;
/// assert!(vault.signing_key(&address).await.is_err());
/// vault.unlock(&"correct horse".into()).await?;
/// assert!(vault.signing_key(&address).await.is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn KeyStore>,
    sealer: Sealer,
    session: Session,
    options: VaultOptions,
    never_locked: bool,
    /// Calls with a password, one at a time: guesses cannot overtake their waits, and memory for them is bounded.
    passwords: tokio::sync::Mutex<Attempts>,
    /// Held for writing while the password changes, for reading by whoever stores a key under it.
    keyring: tokio::sync::RwLock<()>,
    /// Opens with the password while the store is empty, for then nothing else does.
    token: Mutex<Option<Sealed>>,
    /// A key that many ask for at once is decrypted once. Keys share these by their hash.
    opening: [tokio::sync::Mutex<()>; STRIPES],
    events: broadcast::Sender<VaultEvent>,
}

impl Vault {
    /// Keys in memory, gone with the last clone. There is no password, and it is never locked.
    pub fn in_memory() -> Self {
        // What encrypts these keys lies in the same memory, so the parameters cost nothing.
        let options = VaultOptions { scrypt: ScryptParams::weakest(), ..VaultOptions::default() };
        let vault = Self::with(Arc::new(MemoryKeyStore::new()), options, true);
        vault.inner.session.open(Arc::new(PasswordHash::random(&OsEntropy)));
        vault
    }

    /// A vault over a store, without a password yet: [`Vault::set_password`] or [`Vault::unlock`] comes next, either
    /// will do. As long as the store is empty, any password fits.
    pub fn open(store: Arc<dyn KeyStore>, options: VaultOptions) -> Self {
        Self::with(store, options, false)
    }

    fn with(store: Arc<dyn KeyStore>, options: VaultOptions, never_locked: bool) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                sealer: Sealer::new(options.scrypt, Arc::clone(&options.entropy)),
                session: Session::new(),
                options,
                never_locked,
                passwords: tokio::sync::Mutex::default(),
                keyring: tokio::sync::RwLock::default(),
                token: Mutex::default(),
                opening: Default::default(),
                events: broadcast::channel(EVENTS).0,
            }),
        }
    }

    /// Whether keys can be used.
    pub fn state(&self) -> LockState {
        self.inner.lock_idle();
        self.inner.session.state()
    }

    /// What changes from now on. A receiver that lags misses events and should read [`Vault::list`] again.
    pub fn events(&self) -> broadcast::Receiver<VaultEvent> {
        self.inner.events.subscribe()
    }

    /// When the vault will lock itself if nothing is used until then, as time since the Unix epoch; for a timer that
    /// calls [`Vault::state`] then. Without such a timer the vault locks itself at the next call.
    pub fn auto_lock_at(&self) -> Option<Duration> {
        if self.inner.never_locked {
            return None;
        }
        self.inner.session.ends_at(self.inner.options.auto_lock?)
    }

    /// How often a password was turned into a key since the start: what unlocking, first uses and new keys cost.
    pub fn derivations(&self) -> u64 {
        self.inner.sealer.derivations()
    }

    /// The key to sign with. Decrypted once, then kept until the vault is locked; then the call takes no lock for
    /// longer than a lookup and allocates nothing.
    ///
    /// # Errors
    /// [`WalletError::NotFound`]; [`WalletError::Locked`] or [`WalletError::PasswordNotSet`] when it cannot be used;
    /// [`WalletError::OtherPassword`] or [`WalletError::CorruptKey`] if this one key is damaged; [`WalletError::Store`].
    pub async fn signing_key(&self, address: &Address) -> Result<Arc<KeyInfo>, WalletError> {
        self.inner.lock_idle();
        let key = match self.inner.session.key(address)? {
            Some(key) => key,
            // Boxed, for it happens once: what every signature awaits stays small.
            None => Box::pin(self.inner.first_use(address)).await?,
        };
        self.inner.touch();
        Ok(key)
    }

    /// Whether the key is there; works while locked.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn has(&self, address: &Address) -> Result<bool, WalletError> {
        self.inner.store.has(address).await
    }

    /// All addresses in order of their making; works while locked.
    ///
    /// # Errors
    /// [`WalletError::Store`].
    pub async fn list(&self) -> Result<Vec<Address>, WalletError> {
        self.inner.store.list().await
    }

    /// Keeps a key, encrypted. The same key again is success and no event.
    ///
    /// # Errors
    /// As [`Vault::signing_key`].
    pub async fn put(&self, key: KeyInfo) -> Result<Address, WalletError> {
        let inner = &*self.inner;
        inner.usable()?;
        let address = key.address()?;
        let _keyring = inner.keyring.read().await;
        let ticket = inner.usable()?;
        if inner.store.has(&address).await? {
            return Ok(address);
        }
        let key = Arc::new(key);
        let row = inner.sealer.seal(&ticket.password, &key).await?;
        if inner.store.put(&row).await? {
            inner.tell(VaultEvent::Added(address));
        }
        // Locked meanwhile: the key is stored all the same, and is decrypted when it is needed.
        let _ = inner.session.keep(&ticket, address, &key);
        Ok(address)
    }

    /// Hands a key out. Over a network always with a password; without one it is for who has the vault in his own
    /// process.
    ///
    /// # Errors
    /// As [`Vault::signing_key`]; [`WalletError::PasswordMismatch`], [`WalletError::TooManyAttempts`].
    pub async fn export(
        &self,
        address: &Address,
        password: Option<&SecretString>,
    ) -> Result<KeyInfo, WalletError> {
        if let Some(password) = password {
            self.verify_password(password).await?;
        }
        Ok(KeyInfo::clone(&*self.signing_key(address).await?))
    }

    /// Forgets a key; false if there was none.
    ///
    /// # Errors
    /// As [`Vault::signing_key`].
    pub async fn remove(&self, address: &Address) -> Result<bool, WalletError> {
        let inner = &*self.inner;
        inner.usable()?;
        let _keyring = inner.keyring.read().await;
        let ticket = inner.usable()?;
        let removed = inner.store.remove(address).await?;
        inner.session.forget(address);
        if removed {
            inner.tell(VaultEvent::Removed(*address));
            inner.keep_token(&ticket.password).await?;
        }
        Ok(removed)
    }

    /// Sets the password of a vault that has none since its start, and unlocks it. Keys that are stored already have to
    /// open with it.
    ///
    /// # Errors
    /// [`WalletError::PasswordExists`], [`WalletError::CouldNotDecrypt`], [`WalletError::TooManyAttempts`],
    /// [`WalletError::Store`].
    pub async fn set_password(&self, password: &SecretString) -> Result<(), WalletError> {
        self.inner.call(Call::SetPassword, password).await
    }

    /// Unlocks; as [`Vault::set_password`] if there is no password yet.
    ///
    /// # Errors
    /// [`WalletError::AlreadyUnlocked`]; [`WalletError::CouldNotDecrypt`], or [`WalletError::PasswordMismatch`] without
    /// keys; [`WalletError::TooManyAttempts`], [`WalletError::Store`].
    pub async fn unlock(&self, password: &SecretString) -> Result<(), WalletError> {
        self.inner.call(Call::Unlock, password).await
    }

    /// Locks, and wipes password and keys from memory.
    ///
    /// # Errors
    /// [`WalletError::PasswordNotSet`], [`WalletError::AlreadyLocked`], [`WalletError::PasswordMismatch`],
    /// [`WalletError::TooManyAttempts`].
    pub async fn lock(&self, password: &SecretString) -> Result<(), WalletError> {
        self.inner.call(Call::Lock, password).await
    }

    /// Locks without being asked for a password: at a signal, or when the machine goes to sleep. False if there was
    /// nothing to lock.
    pub fn lock_now(&self) -> bool {
        let locked = !self.inner.never_locked && self.inner.session.lock();
        if locked {
            self.inner.tell(VaultEvent::Locked);
        }
        locked
    }

    /// Checks a password without changing anything.
    ///
    /// # Errors
    /// [`WalletError::PasswordNotSet`], [`WalletError::Locked`], [`WalletError::PasswordMismatch`],
    /// [`WalletError::TooManyAttempts`].
    pub async fn verify_password(&self, password: &SecretString) -> Result<(), WalletError> {
        self.inner.call(Call::VerifyPassword, password).await
    }
}

impl Inner {
    fn tell(&self, event: VaultEvent) {
        // Nobody may be listening.
        let _ = self.events.send(event);
    }

    fn lock_idle(&self) {
        if let Some(idle) = self.options.auto_lock
            && !self.never_locked
            && self.session.lock_idle(self.options.clock.now(), idle)
        {
            tracing::info!("locked after idle time");
            self.tell(VaultEvent::Locked);
        }
    }

    fn touch(&self) {
        if self.options.auto_lock.is_some() {
            self.session.touch(self.options.clock.now());
        }
    }

    /// The gate of everything that needs keys.
    fn usable(&self) -> Result<Ticket, WalletError> {
        self.lock_idle();
        self.touch();
        self.session.ticket()
    }

    async fn first_use(&self, address: &Address) -> Result<Arc<KeyInfo>, WalletError> {
        let mut hasher = DefaultHasher::new();
        address.hash(&mut hasher);
        let stripe = hasher.finish() as usize % STRIPES;
        let _one = match self.opening.get(stripe) {
            Some(stripe) => Some(stripe.lock().await),
            None => None,
        };
        match self.read_key(address).await {
            // The password may have been changed between two steps: look again when that is over.
            Err(WalletError::OtherPassword(_)) => {
                let _keyring = self.keyring.read().await;
                self.read_key(address).await
            }
            other => other,
        }
    }

    async fn read_key(&self, address: &Address) -> Result<Arc<KeyInfo>, WalletError> {
        if let Some(key) = self.session.key(address)? {
            return Ok(key);
        }
        let ticket = self.session.ticket()?;
        let row = self.store.get(address).await?.ok_or(WalletError::NotFound(*address))?;
        let key = Arc::new(self.sealer.open(&ticket.password, &row).await?);
        self.session.keep(&ticket, *address, &key)?;
        Ok(key)
    }

    /// All stored keys, oldest first.
    async fn rows(&self) -> Result<Vec<SealedKey>, WalletError> {
        let mut rows = Vec::new();
        for address in self.store.list().await? {
            rows.extend(self.store.get(&address).await?);
        }
        Ok(rows)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("state", &self.inner.session.state()).finish_non_exhaustive()
    }
}

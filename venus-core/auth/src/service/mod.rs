//! Who may change what, and what follows from a change.
//!
//! Everything that a request can do goes through here with an [`Actor`]: what it may is decided first, then the store
//! changes, then a record says who did it, then an [`Effect`] ends whatever rested on what is gone.

mod actor;
mod bans;
mod bootstrap;
mod directory;
#[cfg(feature = "server")]
mod gauges;
mod limits;
mod miners;
#[cfg(feature = "guard")]
mod recent;
mod shared;
mod signers;
mod tokens;
mod users;
mod verify;

use std::sync::Arc;

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;
use venus_core::clock::Clock;
use venus_core::entropy::{Entropy, EntropyError, OsEntropy};

pub use actor::Actor;
pub use bootstrap::LOCAL_TOKEN;
#[cfg(feature = "server")]
pub(crate) use gauges::label;
pub use signers::SignerOutcome;
pub use tokens::{NewToken, TokenView};
pub use users::NewUser;
pub use verify::Verified;

use crate::audit::{AuditQuery, AuditRecord};
#[cfg(doc)]
use crate::effect::Effect;
use crate::effects::Effects;
use crate::error::AuthError;
use crate::store::AuthStore;

/// Who may use a signer that an account proved, besides that account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignerSharing {
    /// Nobody.
    Deny,
    /// Accounts that the owner or an administrator consented to.
    #[default]
    Grant,
    /// Whoever proves the key, as with sophon-auth. Anybody who gets the owner's wallet to sign a challenge shares it.
    Allow,
}

/// What stands in the store for tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenStorage {
    /// Their hashes: a stolen database opens nothing. Lists show eight characters of the hash.
    #[default]
    Hashed,
    /// The tokens themselves with their secrets, as sophon-auth keeps them. Lists show whole tokens.
    Clear,
}

/// How a service decides.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// Who may share a signer.
    pub sharing: SignerSharing,
    /// What stands in the store.
    pub tokens: TokenStorage,
}

/// The accounts of a pool. Cheap to clone; all clones are one service.
#[derive(Clone, Debug)]
pub struct AuthService {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn AuthStore>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    rules: Rules,
    effects: Effects,
    others: shared::Others,
    #[cfg(feature = "guard")]
    recent: recent::Recent,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthService").field("store", &self.store).field("rules", &self.rules).finish()
    }
}

impl AuthService {
    /// A service over `store`.
    pub fn new(store: Arc<dyn AuthStore>, clock: Arc<dyn Clock>, rules: Rules) -> Self {
        Self::with_entropy(store, clock, rules, Arc::new(OsEntropy))
    }

    /// A service that takes ids and secrets from `entropy`, for tests and replays.
    pub fn with_entropy(
        store: Arc<dyn AuthStore>,
        clock: Arc<dyn Clock>,
        rules: Rules,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let inner = Inner {
            store,
            clock,
            entropy,
            rules,
            effects: Effects::default(),
            others: shared::Others::default(),
            #[cfg(feature = "guard")]
            recent: recent::Recent::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What ends, as it ends.
    pub fn effects(&self) -> &Effects {
        &self.inner.effects
    }

    /// How it decides.
    pub fn rules(&self) -> Rules {
        self.inner.rules
    }

    /// Records of changes, latest first.
    ///
    /// # Errors
    /// [`AuthError::Denied`] unless the actor is an administrator.
    pub async fn audit(&self, actor: &Actor, query: &AuditQuery) -> Result<Vec<AuditRecord>, AuthError> {
        actor.admin()?;
        Ok(self.store().records(query).await?)
    }

    fn store(&self) -> &dyn AuthStore {
        &*self.inner.store
    }

    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + self.inner.clock.now()
    }

    /// A random id.
    fn new_id(&self) -> Result<Uuid, EntropyError> {
        let mut bytes = [0; 16];
        self.inner.entropy.fill(&mut bytes)?;
        Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// An id that sorts by time.
    fn new_record_id(&self) -> Result<Uuid, EntropyError> {
        let mut bytes = [0; 10];
        self.inner.entropy.fill(&mut bytes)?;
        let millis = u64::try_from(self.inner.clock.now().as_millis()).unwrap_or(u64::MAX);
        Ok(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
    }

    async fn record(&self, actor: &Actor, change: Change<'_>) -> Result<(), AuthError> {
        let record = AuditRecord {
            id: self.new_record_id()?,
            at: self.now(),
            actor: actor.name.clone(),
            remote: actor.remote,
            action: change.action.to_owned(),
            subject: change.subject,
            before: change.before,
            after: change.after,
        };
        Ok(self.store().record(&record).await?)
    }
}

/// What a record says of a change.
struct Change<'a> {
    action: &'a str,
    subject: String,
    before: String,
    after: String,
}

impl<'a> Change<'a> {
    fn of(action: &'a str, subject: impl Into<String>) -> Self {
        Self { action, subject: subject.into(), before: String::new(), after: String::new() }
    }

    fn before(mut self, value: &impl Serialize) -> Self {
        self.before = serde_json::to_string(value).unwrap_or_default();
        self
    }

    fn after(mut self, value: &impl Serialize) -> Self {
        self.after = serde_json::to_string(value).unwrap_or_default();
        self
    }
}

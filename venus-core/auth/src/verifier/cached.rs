//! Answers of the account service, for a while.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tokio::time::Instant;
use venus_core::api::{Authenticator, IdentityError, PRINCIPAL_MAX_AGE, Principal};
use venus_core::clock::{Clock, SystemClock};

use super::copy;
use crate::effect::Effect;
use crate::jwt::MAX_TOKEN;
use crate::memo::{Known, Memo};
use crate::watch::{Liveness, OnEffect};

/// How often a question is asked whose answer was overtaken by a revocation.
const TRIES: usize = 3;

/// How long answers are trusted, and how many are kept.
#[derive(Clone, Debug)]
pub struct CacheConfig {
    /// While nobody tells what ends.
    pub max_age: Duration,
    /// While a [`Watch`](crate::watch::Watch) tells it.
    pub watched_max_age: Duration,
    /// Of refusals: a token that begins to count is refused for so long.
    pub refused_max_age: Duration,
    /// Tokens that count.
    pub tokens: u64,
    /// Tokens that do not. Guesses take no room from the others.
    pub refusals: u64,
    /// By which tokens end.
    pub clock: Arc<dyn Clock>,
}

impl Default for CacheConfig {
    /// [`PRINCIPAL_MAX_AGE`], 30 s, 5 s; ten thousand of each.
    fn default() -> Self {
        Self {
            max_age: PRINCIPAL_MAX_AGE,
            watched_max_age: Duration::from_secs(30),
            refused_max_age: Duration::from_secs(5),
            tokens: 10_000,
            refusals: 10_000,
            clock: Arc::new(SystemClock),
        }
    }
}

/// SHA-256 of a token: what is cached must open nothing.
type Key = [u8; 32];

/// An [`Authenticator`] with a memory. Clones share it.
///
/// Tell it what ends (it is an [`OnEffect`]) before anybody else hears of it: who closes a socket may be asked about its
/// caller again.
#[derive(Clone)]
pub struct Cached {
    inner: Arc<dyn Authenticator>,
    accepted: Arc<Memo<Key, Principal, IdentityError>>,
    refused: Cache<Key, Refused>,
    liveness: Liveness,
    config: Arc<CacheConfig>,
}

#[derive(Clone)]
struct Refused {
    asked: Instant,
    disabled: Option<String>,
}

impl fmt::Debug for Cached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").field("liveness", &self.liveness).finish_non_exhaustive()
    }
}

impl Cached {
    /// Remembers what `inner` answers. `liveness` is that of the watch which tells what ends, or
    /// [`Liveness::default`] without one.
    pub fn new(inner: Arc<dyn Authenticator>, liveness: Liveness, config: CacheConfig) -> Self {
        let refused =
            Cache::builder().max_capacity(config.refusals).time_to_live(config.refused_max_age).build();
        Self { inner, accepted: Memo::new(config.tokens), refused, liveness, config: Arc::new(config) }
    }

    /// Who has a token, if that was asked lately.
    pub fn known(&self, token: &str) -> Option<Principal> {
        self.recent(&key(token))?.ok()
    }

    fn recent(&self, key: &Key) -> Option<Result<Principal, IdentityError>> {
        if let Some(known) = self.accepted.get(key).filter(|known| self.is_fresh(known)) {
            return Some(self.unexpired(known.value));
        }
        let refused = self.refused.get(key)?;
        (refused.asked.elapsed() < self.config.refused_max_age)
            .then(|| Err(refused.disabled.map_or(IdentityError::Unauthenticated, IdentityError::Disabled)))
    }

    fn is_fresh(&self, known: &Known<Principal>) -> bool {
        let most = match self.liveness.is_alive() {
            true => self.config.watched_max_age,
            false => self.config.max_age,
        };
        known.age() < most
    }

    /// No answer outlives the token.
    fn unexpired(&self, caller: Principal) -> Result<Principal, IdentityError> {
        let now = OffsetDateTime::UNIX_EPOCH + self.config.clock.now();
        match caller.expires_at {
            Some(at) if at <= now => Err(IdentityError::Unauthenticated),
            _ => Ok(caller),
        }
    }

    async fn ask(&self, key: Key, token: &str) -> Result<Principal, IdentityError> {
        let began = Instant::now();
        for attempt in 1..=TRIES {
            let (inner, owned) = (self.inner.clone(), token.to_owned());
            let question = || async move { inner.authenticate(&owned).await };
            let known = match self.accepted.ask(key, question).await {
                Ok(known) => known,
                Err(error) => return Err(self.refuse(key, &error)),
            };
            // What ended since the question may be why it would be answered otherwise now; but where something ends all
            // the time, an answer is still good for as long as any is.
            let overtaken = known.epoch != self.accepted.epoch();
            if known.age() < self.config.max_age && (!overtaken || attempt == TRIES) {
                return self.unexpired(known.value);
            }
        }
        Err(IdentityError::Timeout(began.elapsed()))
    }

    fn refuse(&self, key: Key, error: &IdentityError) -> IdentityError {
        let disabled = match error {
            IdentityError::Unauthenticated => None,
            IdentityError::Disabled(account) => Some(account.clone()),
            // Nobody could tell: that is no answer.
            other => return copy(other),
        };
        self.refused.insert(key, Refused { asked: Instant::now(), disabled });
        copy(error)
    }
}

#[async_trait]
impl Authenticator for Cached {
    async fn authenticate(&self, token: &str) -> Result<Principal, IdentityError> {
        if token.is_empty() || token.len() > MAX_TOKEN {
            return Err(IdentityError::Unauthenticated);
        }
        let key = key(token);
        match self.recent(&key) {
            Some(known) => {
                metrics::counter!("venus_auth_cache_total", "outcome" => "known").increment(1);
                known
            }
            None => {
                metrics::counter!("venus_auth_cache_total", "outcome" => "asked").increment(1);
                self.ask(key, token).await
            }
        }
    }
}

impl OnEffect for Cached {
    fn ended(&self, effect: &Effect) {
        match effect {
            Effect::Token { hash, .. } => match key_named(hash) {
                Some(key) => self.accepted.forget(&key),
                // Nobody knows which.
                None => self.accepted.clear(),
            },
            Effect::Account(name) => {
                self.accepted.forget_if(|caller| caller.account.as_deref() == Some(name.as_str()));
            }
            Effect::Reset => {
                self.accepted.clear();
                self.refused.invalidate_all();
            }
            // Principals say nothing about these.
            Effect::Miner { .. } | Effect::Signer { .. } | Effect::Address(_) | Effect::Ip(_) => {}
        }
    }

    fn lost(&self) {
        self.accepted.clear();
    }
}

fn key(token: &str) -> Key {
    Sha256::digest(token.as_bytes()).into()
}

/// The key of a token that is known by its fingerprint.
fn key_named(hash: &str) -> Option<Key> {
    HEXLOWER.decode(hash.as_bytes()).ok()?.try_into().ok()
}

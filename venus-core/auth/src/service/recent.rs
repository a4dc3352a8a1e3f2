//! Whom tokens speak for, remembered for a moment: every call of every component asks.

use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use venus_core::api::PRINCIPAL_MAX_AGE;

use super::{AuthService, Verified};
use crate::effect::Effect;
use crate::error::AuthError;
use crate::memo::Memo;
use crate::model::Ban;
use crate::store::StoreError;

/// Tokens and machines that are remembered.
const MOST: u64 = 10_000;

type Key = [u8; 32];

/// What was looked up lately. Tokens that do not count are looked up each time.
pub(super) struct Recent {
    tokens: Arc<Memo<Key, Verified, AuthError>>,
    /// Whether requests from there are refused.
    ips: Arc<Memo<IpAddr, bool, AuthError>>,
}

impl Default for Recent {
    fn default() -> Self {
        Self { tokens: Memo::new(MOST), ips: Memo::new(MOST) }
    }
}

impl Recent {
    /// Before anybody is told: who hears of it may ask at once.
    pub(super) fn forget(&self, effect: &Effect) {
        match effect {
            Effect::Token { id, .. } => self.tokens.forget_if(|verified| verified.id == *id),
            Effect::Account(name) => self.tokens.forget_if(|verified| verified.name == *name),
            Effect::Ip(ip) => self.ips.forget(ip),
            Effect::Reset => {
                self.tokens.clear();
                self.ips.clear();
            }
            Effect::Miner { .. } | Effect::Signer { .. } | Effect::Address(_) => {}
        }
    }
}

impl AuthService {
    /// What a token says, if it was looked up a moment ago and still counts.
    pub(crate) fn known(&self, token: &str) -> Option<Verified> {
        let known = self.inner.recent.tokens.get(&Sha256::digest(token.as_bytes()).into())?;
        let expired = known.value.expires_at.is_some_and(|at| at <= self.now());
        (known.age() < PRINCIPAL_MAX_AGE && !expired).then_some(known.value)
    }

    /// As [`AuthService::look_up`], or from memory.
    pub(super) async fn check_recent(&self, token: &str) -> Result<Verified, AuthError> {
        if let Some(verified) = self.known(token) {
            return Ok(verified);
        }
        let (service, owned) = (self.clone(), token.to_owned());
        let key = Sha256::digest(token.as_bytes()).into();
        let asked = self.inner.recent.tokens.ask(key, || async move { service.look_up(&owned).await }).await;
        asked.map(|known| known.value).map_err(|error| copy(&error))
    }

    /// Forgets that something was kept out.
    pub(super) fn let_in(&self, ban: &Ban) {
        if let Ban::Ip(ip) = ban {
            self.inner.recent.ips.forget(ip);
        }
    }

    /// Whether requests from there are refused.
    pub(super) async fn is_kept_out(&self, ip: IpAddr) -> Result<bool, AuthError> {
        if let Some(known) = self.inner.recent.ips.get(&ip).filter(|known| known.age() < PRINCIPAL_MAX_AGE) {
            return Ok(known.value);
        }
        let service = self.clone();
        let ask = || async move { Ok(service.store().banned(&[Ban::Ip(ip)]).await?.is_some()) };
        self.inner.recent.ips.ask(ip, ask).await.map(|known| known.value).map_err(|error| copy(&error))
    }
}

/// The same error for another who asked the same.
fn copy(error: &AuthError) -> AuthError {
    match error {
        AuthError::Unauthenticated(text) => AuthError::Unauthenticated(text.clone()),
        AuthError::Denied(text) => AuthError::Denied(text.clone()),
        AuthError::NotFound(text) => AuthError::NotFound(text.clone()),
        AuthError::Conflict(text) => AuthError::Conflict(text.clone()),
        AuthError::Invalid(text) => AuthError::Invalid(text.clone()),
        AuthError::Limited { text, retry_after } => {
            AuthError::Limited { text: text.clone(), retry_after: *retry_after }
        }
        AuthError::Store(StoreError::Corrupt(text)) => AuthError::Store(StoreError::Corrupt(text.clone())),
        AuthError::Store(StoreError::Backend(source)) => {
            AuthError::Store(StoreError::Backend(source.to_string().into()))
        }
        AuthError::Entropy(error) => AuthError::Store(StoreError::Backend(error.to_string().into())),
    }
}

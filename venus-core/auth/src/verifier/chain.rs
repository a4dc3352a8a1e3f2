//! One verifier after the other.

use async_trait::async_trait;
use venus_core::api::{Authenticator, IdentityError, Principal};

use super::{Cached, Local};

/// Asks for tokens of this component first, then the account service. Without either nobody is let in.
#[derive(Clone, Debug)]
pub struct Chain {
    service: String,
    local: Option<Local>,
    remote: Option<Cached>,
}

impl Chain {
    /// A chain for a component called `service`, as `gateway`. Tokens that are meant for other components are refused.
    pub fn new(service: impl Into<String>) -> Self {
        Self { service: service.into(), local: None, remote: None }
    }

    /// Accepts the component's own tokens.
    #[must_use]
    pub fn local(self, local: Local) -> Self {
        Self { local: Some(local), ..self }
    }

    /// Accepts those of the account service.
    #[must_use]
    pub fn remote(self, remote: Cached) -> Self {
        Self { remote: Some(remote), ..self }
    }

    /// Who has a token, if that is known without asking anybody.
    pub fn at_hand(&self, token: &str) -> Option<Principal> {
        let local = self.local.as_ref().and_then(|local| local.check(token));
        let known = local.or_else(|| self.remote.as_ref()?.known(token));
        known.filter(|caller| caller.is_meant_for(&self.service))
    }
}

#[async_trait]
impl Authenticator for Chain {
    async fn authenticate(&self, token: &str) -> Result<Principal, IdentityError> {
        let local = self.local.as_ref().and_then(|local| local.check(token));
        let caller = match (local, &self.remote) {
            (Some(caller), _) => caller,
            (None, Some(remote)) => remote.authenticate(token).await?,
            (None, None) => return Err(IdentityError::Unauthenticated),
        };
        match caller.is_meant_for(&self.service) {
            true => Ok(caller),
            false => Err(IdentityError::Unauthenticated),
        }
    }
}

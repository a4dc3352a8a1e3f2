//! Tokens that a component makes for itself.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use time::OffsetDateTime;
use venus_core::api::{Authenticator, IdentityError, Principal};
use venus_core::clock::Clock;
use venus_core::entropy::{Entropy, EntropyError};

use crate::jwt::{self, Claims};

/// Accepts the tokens that were signed with its own secret, as the local tokens of Go's components: no account service
/// is asked, and none can revoke them. Their principals therefore have no token's name. A new secret ends them all.
#[derive(Clone)]
pub struct Local {
    secret: Arc<SecretSlice<u8>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Local")
    }
}

impl Local {
    /// Accepts what was signed with `secret`. Tokens that end do so by `clock`.
    pub fn new(secret: SecretSlice<u8>, clock: Arc<dyn Clock>) -> Self {
        Self { secret: Arc::new(secret), clock }
    }

    /// Accepts nothing that was made before.
    ///
    /// # Errors
    /// [`EntropyError`].
    pub fn random(entropy: &dyn Entropy, clock: Arc<dyn Clock>) -> Result<Self, EntropyError> {
        let mut secret = vec![0; 32];
        entropy.fill(&mut secret)?;
        Ok(Self::new(SecretSlice::from(secret), clock))
    }

    /// A token for `claims`, with the bytes of Go's.
    pub fn token(&self, claims: &Claims) -> SecretString {
        SecretString::from(jwt::encode(claims, self.secret.expose_secret()))
    }

    /// Who has a token; `None` if it is not of here.
    pub fn check(&self, token: &str) -> Option<Principal> {
        let claims = jwt::verify(token, self.secret.expose_secret()).ok()?;
        let expires_at = match claims.exp {
            Some(at) => Some(OffsetDateTime::from_unix_timestamp(at).ok()?),
            None => None,
        };
        if expires_at.is_some_and(|at| at <= OffsetDateTime::UNIX_EPOCH + self.clock.now()) {
            return None;
        }
        let permissions = claims.permissions();
        let account = (!claims.name.is_empty()).then_some(claims.name);
        let (scopes, audience) = (claims.scp, claims.aud);
        Some(Principal { expires_at, scopes, audience, ..Principal::new(account, permissions) })
    }
}

#[async_trait]
impl Authenticator for Local {
    async fn authenticate(&self, token: &str) -> Result<Principal, IdentityError> {
        self.check(token).ok_or(IdentityError::Unauthenticated)
    }
}

//! Who calls.

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION, request::Parts};

use crate::api::{Authenticator, IdentityError};
use crate::rpc::{service::Identity, table::Permissions};

/// Why a caller is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// No token, or one that does not verify: 401.
    #[error("not authenticated")]
    Unauthenticated,
    /// Nobody can tell at the moment: 503.
    #[error("authentication unavailable")]
    Unavailable,
    /// Too many attempts: 429.
    #[error("too many attempts")]
    TooMany,
}

/// Finds out who calls. No method runs for a caller about whom it was not asked. Asked once for a request over HTTP,
/// and once when a WebSocket opens; once more if rights were revoked meanwhile.
#[async_trait]
pub trait Authenticate: Send + Sync + 'static {
    /// Who has this token. `token` is what came as `Authorization: Bearer` or as `?token=`; without it the
    /// implementation decides whether strangers are let in, and as whom. `request` has the peer's address as an
    /// extension, `ConnectInfo<SocketAddr>`, if the server was told.
    ///
    /// # Errors
    /// [`AuthError`]; the caller gets 401, 429 or 503 and no body.
    async fn authenticate(&self, token: Option<&str>, request: &Parts) -> Result<Identity, AuthError>;
}

/// Lets everybody in with the same rights, whatever the token. For loopback, tests and servers behind another gate.
#[derive(Clone, Copy, Debug)]
pub struct Everybody(pub Permissions);

#[async_trait]
impl Authenticate for Everybody {
    async fn authenticate(&self, _: Option<&str>, _: &Parts) -> Result<Identity, AuthError> {
        Ok(Identity::new("", self.0))
    }
}

/// Asks an [`Authenticator`] for the token. Strangers, who have none, get `strangers` or are turned away.
#[derive(Clone, Copy, Debug)]
pub struct ByToken<A> {
    authenticator: A,
    strangers: Option<Permissions>,
}

impl<A> ByToken<A> {
    /// Turns strangers away.
    pub fn new(authenticator: A) -> Self {
        Self { authenticator, strangers: None }
    }

    /// Lets strangers in with these rights.
    #[must_use]
    pub fn strangers(self, permissions: Permissions) -> Self {
        Self { strangers: Some(permissions), ..self }
    }
}

#[async_trait]
impl<A: Authenticator + 'static> Authenticate for ByToken<A> {
    async fn authenticate(&self, token: Option<&str>, _: &Parts) -> Result<Identity, AuthError> {
        let Some(token) = token else {
            let permissions = self.strangers.ok_or(AuthError::Unauthenticated)?;
            return Ok(Identity::new("", permissions));
        };
        match self.authenticator.authenticate(token).await {
            Ok(caller) => Ok(caller.into()),
            Err(IdentityError::Unauthenticated | IdentityError::Disabled(_)) => {
                Err(AuthError::Unauthenticated)
            }
            Err(IdentityError::RateLimited { .. }) => Err(AuthError::TooMany),
            Err(_) => Err(AuthError::Unavailable),
        }
    }
}

/// The token of a request, if it has one; in the query only if `query` says so.
///
/// # Errors
/// [`AuthError::Unauthenticated`] if the header is there but is no bearer token.
pub fn token_of(request: &Parts, query: bool) -> Result<Option<String>, AuthError> {
    if let Some(header) = request.headers.get(AUTHORIZATION) {
        let text = header.to_str().map_err(|_| AuthError::Unauthenticated)?;
        let token = text.strip_prefix("Bearer ").ok_or(AuthError::Unauthenticated)?;
        return Ok(Some(token.to_owned()));
    }
    if !query {
        return Ok(None);
    }
    let query = request.uri.query().unwrap_or_default();
    let token = query.split('&').find_map(|pair| pair.strip_prefix("token="));
    Ok(token.filter(|token| !token.is_empty()).map(str::to_owned))
}

/// The headers that methods may see.
///
/// Values are copied: those of the request share the buffer that it was read into, 16 KiB with the token in it, which
/// would stay in memory for as long as the session.
pub(super) fn without_token(headers: &HeaderMap) -> HeaderMap {
    let visible = headers.iter().filter(|(name, _)| *name != AUTHORIZATION);
    visible
        .filter_map(|(name, value)| {
            let mut copy = HeaderValue::from_bytes(value.as_bytes()).ok()?;
            copy.set_sensitive(value.is_sensitive());
            Some((name.clone(), copy))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(uri: &str, header: Option<&str>) -> Parts {
        let mut request = http::Request::builder().uri(uri);
        if let Some(value) = header {
            request = request.header("Authorization", value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn tokens_come_as_header_or_query() {
        let token = |uri, header| token_of(&parts(uri, header), true);
        assert_eq!(token("/rpc/v0", Some("Bearer a.b.c")), Ok(Some("a.b.c".into())));
        assert_eq!(token("/rpc/v0?x=1&token=a.b.c", None), Ok(Some("a.b.c".into())));
        assert_eq!(token("/rpc/v0?token=q", Some("Bearer h")), Ok(Some("h".into())));
        assert_eq!(token("/rpc/v0?token=", None), Ok(None));
        assert_eq!(token("/rpc/v0", None), Ok(None));
        assert_eq!(token("/rpc/v0", Some("Basic x")), Err(AuthError::Unauthenticated));
        assert_eq!(token_of(&parts("/rpc/v0?token=a.b.c", None), false), Ok(None));
        assert_eq!(token_of(&parts("/rpc/v0", Some("Bearer a.b.c")), false), Ok(Some("a.b.c".into())));
    }

    #[tokio::test]
    async fn an_authenticator_decides() {
        use crate::clock::ManualClock;
        use crate::testing::doubles::{Flaky, MemoryAccounts};
        use std::{sync::Arc, time::Duration};

        let accounts = MemoryAccounts::new(Arc::new(ManualClock::new(Duration::ZERO)));
        accounts.add("alice");
        let token = accounts.issue(Some("alice"), Permissions::up_to("sign"), None).unwrap();
        let accounts = Flaky::new(Arc::new(accounts), 0);
        let (gate, parts) = (ByToken::new(accounts.clone()), parts("/rpc/v0", None));
        let identity = gate.authenticate(Some(&token), &parts).await.unwrap();
        assert_eq!((identity.name.as_str(), identity.permissions), ("alice", Permissions::up_to("sign")));
        for stranger in [None, Some("guess")] {
            assert_eq!(gate.authenticate(stranger, &parts).await.unwrap_err(), AuthError::Unauthenticated);
        }
        accounts.fail_next(1);
        assert_eq!(gate.authenticate(Some(&token), &parts).await.unwrap_err(), AuthError::Unavailable);
        accounts.inner().set_enabled("alice", false).unwrap();
        assert_eq!(gate.authenticate(Some(&token), &parts).await.unwrap_err(), AuthError::Unauthenticated);
        let open = gate.strangers(Permissions::READ);
        assert_eq!(open.authenticate(None, &parts).await.unwrap().permissions, Permissions::READ);
        assert_eq!(open.authenticate(Some("guess"), &parts).await.unwrap_err(), AuthError::Unauthenticated);
    }
}

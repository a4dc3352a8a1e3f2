//! Whom a token speaks for.

use std::net::IpAddr;

use time::OffsetDateTime;
use uuid::Uuid;
use venus_core::api::Permissions;

use super::{Actor, AuthService};
use crate::error::AuthError;
use crate::jwt;
use crate::model::{Ban, TokenRow, UserState};

/// What a token that counts says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its id.
    pub id: Uuid,
    /// The account it speaks for.
    pub name: String,
    /// Its permission by name.
    pub perm: String,
    /// Its free text.
    pub extra: String,
    /// From when it is refused.
    pub expires_at: Option<OffsetDateTime>,
    /// For which services it is meant; empty for all.
    pub audience: Vec<String>,
    /// What it is narrowed to; empty for all that its permission allows.
    pub scopes: Vec<String>,
}

impl Verified {
    /// What it may do.
    pub fn permissions(&self) -> Permissions {
        Permissions::up_to(&self.perm)
    }

    /// Its bearer as one who asks this service.
    pub fn actor(&self, remote: Option<IpAddr>) -> Actor {
        Actor { name: self.name.clone(), permissions: self.permissions(), remote }
    }
}

impl AuthService {
    /// What a token says, asked by somebody with at least the right to read.
    ///
    /// # Errors
    /// As [`AuthService::check`], with the words of sophon-auth; [`AuthError::Denied`].
    pub async fn verify(&self, actor: &Actor, token: &str) -> Result<Verified, AuthError> {
        actor.read()?;
        self.check(token, None).await
    }

    /// What a token says, if it counts: it was made here, is not revoked or expired, its account exists and is not
    /// disabled, and nothing of it is banned.
    ///
    /// # Errors
    /// [`AuthError::Unauthenticated`] if it does not count, [`AuthError::Store`] if nobody can tell.
    pub async fn check(&self, token: &str, from: Option<IpAddr>) -> Result<Verified, AuthError> {
        jwt::peek(token).map_err(|e| AuthError::Unauthenticated(e.to_string()))?;
        #[cfg(feature = "guard")]
        let verified = self.check_recent(token).await?;
        #[cfg(not(feature = "guard"))]
        let verified = self.look_up(token).await?;
        if let Some(ip) = from
            && self.is_kept_out(ip).await?
        {
            return Err(banned(&verified.name));
        }
        Ok(verified)
    }

    #[cfg(not(feature = "guard"))]
    async fn is_kept_out(&self, ip: IpAddr) -> Result<bool, AuthError> {
        Ok(self.store().banned(&[Ban::Ip(ip)]).await?.is_some())
    }

    /// What a token says, asked of the store.
    pub(super) async fn look_up(&self, token: &str) -> Result<Verified, AuthError> {
        let row = self.find(token).await?;
        self.count(row.ok_or_else(unknown)?).await
    }

    /// What a token says that is in the store, if it counts.
    async fn count(&self, row: TokenRow) -> Result<Verified, AuthError> {
        if row.deleted {
            return Err(unknown());
        }
        if row.expires_at.is_some_and(|at| at <= self.now()) {
            return Err(AuthError::Unauthenticated("token is expired".into()));
        }
        let user = self.store().user(&row.name).await?.filter(|user| !user.deleted).ok_or_else(|| {
            AuthError::Unauthenticated(format!("user {} of the token does not exist", row.name))
        })?;
        if user.state == UserState::Disabled {
            return Err(AuthError::Unauthenticated(format!("user {} is disabled", row.name)));
        }
        let any = [Ban::Account(row.name.clone()), Ban::Token(row.id)];
        if self.store().banned(&any).await?.is_some() {
            return Err(banned(&row.name));
        }
        let TokenRow { id, name, perm, extra, expires_at, audience, scopes, .. } = row;
        Ok(Verified { id, name, perm, extra, expires_at, audience, scopes })
    }

    /// Which of these tokens, by their [`fingerprint`](jwt::fingerprint), do not count (any more). Asked by those who
    /// hold something open and may have missed why to close it.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub async fn lapsed(&self, fingerprints: &[String]) -> Result<Vec<String>, AuthError> {
        let mut lapsed = Vec::new();
        for hash in fingerprints {
            let named = self.store().tokens_named(hash).await?;
            let counts = match named.into_iter().find(|row| row.key.fingerprint() == *hash) {
                Some(row) => self.count(row).await,
                None => Err(unknown()),
            };
            match counts {
                Ok(_) => {}
                Err(AuthError::Unauthenticated(_)) => lapsed.push(hash.clone()),
                Err(error) => return Err(error),
            }
        }
        Ok(lapsed)
    }
}

fn unknown() -> AuthError {
    AuthError::Unauthenticated("get token: Key not found".into())
}

fn banned(name: &str) -> AuthError {
    AuthError::Unauthenticated(format!("user {name} is banned"))
}

/// The account that an error of [`AuthService::check`] says is disabled.
pub(super) fn disabled(error: &AuthError) -> Option<&str> {
    let AuthError::Unauthenticated(text) = error else { return None };
    text.strip_prefix("user ")?.strip_suffix(" is disabled")
}

//! Whom a token speaks for.

use std::net::IpAddr;
use std::time::Instant;

use time::OffsetDateTime;
use uuid::Uuid;
use venus_core::api::Permissions;

use super::recent::{Asked, Seen};
use super::{Actor, AuthService};
use crate::error::AuthError;
use crate::jwt;
use crate::model::{Ban, UserState};

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
        let recall = self.inner.rules.recall;
        if recall.is_zero() {
            return self.look_up(token, from).await;
        }
        let asked = Asked { token: jwt::fingerprint(token), from };
        // Before the store is read: what ends meanwhile must not be forgotten.
        let seen = Seen { at: Instant::now(), effects: self.effects().last() };
        if let Some(verified) = self.inner.recent.get(&asked, seen, recall)
            && verified.expires_at.is_none_or(|at| at > self.now())
        {
            return Ok(verified);
        }
        let verified = self.look_up(token, from).await?;
        self.inner.recent.put(asked, seen, verified.clone());
        Ok(verified)
    }

    async fn look_up(&self, token: &str, from: Option<IpAddr>) -> Result<Verified, AuthError> {
        jwt::peek(token).map_err(|e| AuthError::Unauthenticated(e.to_string()))?;
        let row = self.find(token).await?.filter(|row| !row.deleted);
        let row = row.ok_or_else(|| AuthError::Unauthenticated("get token: Key not found".into()))?;
        if row.expires_at.is_some_and(|at| at <= self.now()) {
            return Err(AuthError::Unauthenticated("token is expired".into()));
        }
        let user = self.store().user(&row.name).await?.filter(|user| !user.deleted).ok_or_else(|| {
            AuthError::Unauthenticated(format!("user {} of the token does not exist", row.name))
        })?;
        if user.state == UserState::Disabled {
            return Err(AuthError::Unauthenticated(format!("user {} is disabled", row.name)));
        }
        let mut any = vec![Ban::Account(row.name.clone()), Ban::Token(row.id)];
        any.extend(from.map(Ban::Ip));
        if self.store().banned(&any).await?.is_some() {
            return Err(AuthError::Unauthenticated(format!("user {} is banned", row.name)));
        }
        Ok(Verified {
            id: row.id,
            name: row.name,
            perm: row.perm,
            extra: row.extra,
            expires_at: row.expires_at,
            audience: row.audience,
            scopes: row.scopes,
        })
    }
}

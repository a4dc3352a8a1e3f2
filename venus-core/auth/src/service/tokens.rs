//! Tokens.

use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Actor, AuthService, Change, TokenStorage};
use crate::effect::Effect;
use crate::error::AuthError;
use crate::jwt::{self, Claims};
use crate::model::{Page, TokenKey, TokenRow};
use crate::store::Changed;

/// Longest token that is kept in clear, bytes: the column of sophon-auth's table. Its own are never longer.
const MAX_CLEAR: usize = 512;
/// Longest free text in a token, bytes: the column of sophon-auth's table.
const MAX_EXTRA: usize = 255;

/// A token to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewToken {
    /// The account, which must exist.
    pub name: String,
    /// `read`, `write`, `sign` or `admin`. Anything else allows nothing.
    pub perm: String,
    /// Free text.
    pub extra: String,
    /// From when it is refused.
    pub expires_at: Option<OffsetDateTime>,
    /// For which services it is meant; empty for all.
    pub audience: Vec<String>,
    /// What it is narrowed to; empty for all that the permission allows.
    pub scopes: Vec<String>,
}

/// A token as it is shown: whole where the store keeps it so, else eight characters of its hash.
#[derive(Clone, Debug)]
pub struct TokenView {
    /// The token or what stands for it.
    pub text: SecretString,
    /// All else.
    pub row: TokenRow,
}

impl AuthService {
    /// Makes a token. It is shown this once only, unless tokens are stored in clear.
    ///
    /// # Errors
    /// [`AuthError::NotFound`] without such a user, [`AuthError::Invalid`].
    pub async fn create_token(&self, actor: &Actor, new: NewToken) -> Result<SecretString, AuthError> {
        actor.admin()?;
        if !self.is_live(&new.name).await? {
            let name = &new.name;
            let text = format!("token must be based on an existing user {name} to generate");
            return Err(AuthError::NotFound(text));
        }
        if new.extra.len() > MAX_EXTRA {
            return Err(AuthError::Invalid(format!("extra has more than {MAX_EXTRA} bytes")));
        }
        self.issue(actor, new).await
    }

    pub(super) async fn issue(&self, actor: &Actor, new: NewToken) -> Result<SecretString, AuthError> {
        let mut secret = [0; 32];
        self.inner.entropy.fill(&mut secret)?;
        let (id, now) = (self.new_id()?, self.now());
        // A token that only says what Go's say has Go's bytes.
        let plain = new.expires_at.is_none() && new.audience.is_empty() && new.scopes.is_empty();
        let claims = Claims {
            iat: (!plain).then(|| now.unix_timestamp()),
            exp: new.expires_at.map(OffsetDateTime::unix_timestamp),
            jti: (!plain).then_some(id),
            aud: new.audience.clone(),
            scp: new.scopes.clone(),
            ..Claims::new(&new.name, &new.perm, &new.extra)
        };
        let token = jwt::encode(&claims, &secret);
        let key = self.key_of(&token);
        let secret = if key.is_hashed() { String::new() } else { HEXLOWER.encode(&secret) };
        let row = TokenRow {
            key,
            id,
            name: new.name,
            perm: new.perm,
            extra: new.extra,
            secret,
            expires_at: new.expires_at,
            audience: new.audience,
            scopes: new.scopes,
            created_at: now,
            deleted: false,
        };
        self.store().add_token(&row).await?;
        self.record(actor, Change::of("token.create", id.to_string()).after(&(&row.name, &row.perm))).await?;
        Ok(SecretString::from(token))
    }

    /// The token itself, shown as the store keeps it.
    ///
    /// # Errors
    /// [`AuthError::NotFound`].
    pub async fn token(&self, actor: &Actor, token: &str) -> Result<TokenView, AuthError> {
        actor.admin()?;
        let row = self.find(token).await?.filter(|row| !row.deleted);
        row.map(view).ok_or_else(AuthError::key_not_found)
    }

    /// The tokens of a user.
    ///
    /// # Errors
    /// [`AuthError::Denied`] unless the actor is the user or an administrator.
    pub async fn tokens_of(&self, actor: &Actor, name: &str) -> Result<Vec<TokenView>, AuthError> {
        actor.admin_or(name)?;
        Ok(self.store().tokens_of(name).await?.into_iter().map(view).collect())
    }

    /// All tokens by creation.
    ///
    /// # Errors
    /// [`AuthError::Denied`].
    pub async fn tokens(&self, actor: &Actor, page: Page) -> Result<Vec<TokenView>, AuthError> {
        actor.admin()?;
        Ok(self.store().tokens(page).await?.into_iter().map(view).collect())
    }

    /// Revokes a token: given whole, or, by an administrator, by its id or the eight characters that lists show.
    ///
    /// # Errors
    /// [`AuthError::NotFound`], also if it was revoked before; [`AuthError::Conflict`] if the characters are those of
    /// several.
    pub async fn revoke_token(&self, actor: &Actor, token: &str) -> Result<(), AuthError> {
        actor.admin_or_bearer(token)?;
        let (changed, row) = self.flip(actor, token, true).await?;
        let refusal = match changed {
            Changed::Done => {
                let Some(row) = row else { return Ok(()) };
                self.ended(Effect::Token { id: row.id, hash: row.key.fingerprint() }).await;
                return self.record(actor, Change::of("token.revoke", row.id.to_string())).await;
            }
            Changed::Already => AuthError::NotFound("not exist".into()),
            Changed::Absent => AuthError::key_not_found(),
        };
        Err(refusal.after(format_args!("remove token {}", jwt::display(token))))
    }

    /// Brings a revoked token back; named as for [`AuthService::revoke_token`].
    ///
    /// # Errors
    /// [`AuthError::NotFound`], [`AuthError::Conflict`] if it is not revoked.
    pub async fn recover_token(&self, actor: &Actor, token: &str) -> Result<(), AuthError> {
        actor.admin_or_bearer(token)?;
        let (changed, row) = self.flip(actor, token, false).await?;
        let refusal = match changed {
            Changed::Done => {
                let id = row.map(|row| row.id).unwrap_or_default();
                return self.record(actor, Change::of("token.recover", id.to_string())).await;
            }
            Changed::Already => AuthError::Conflict("token is not deleted".into()),
            Changed::Absent => AuthError::key_not_found(),
        };
        Err(refusal.after(format_args!("recover token {}", jwt::display(token))))
    }

    async fn flip(
        &self,
        actor: &Actor,
        token: &str,
        revoke: bool,
    ) -> Result<(Changed, Option<TokenRow>), AuthError> {
        let found = match self.find(token).await? {
            None if actor.may_administer() => self.named(token).await?,
            found => found,
        };
        let Some(row) = found else { return Ok((Changed::Absent, None)) };
        let changed = match revoke {
            true => self.store().delete_token(&row.key, self.now()).await?,
            false => self.store().recover_token(&row.key, self.now()).await?,
        };
        Ok((changed, Some(row)))
    }

    /// The row of a token, revoked or not. Databases that were clear once are looked at both ways.
    pub(super) async fn find(&self, token: &str) -> Result<Option<TokenRow>, AuthError> {
        if token.len() > jwt::MAX_TOKEN {
            return Ok(None);
        }
        match self.store().token(&TokenKey::hashed(token)).await? {
            Some(row) => Ok(Some(row)),
            // What looks like a hashed key is none: a stolen hash must open nothing.
            None if TokenKey::clear(token).is_hashed() => Ok(None),
            None => Ok(self.store().token(&TokenKey::clear(token)).await?),
        }
    }

    async fn named(&self, name: &str) -> Result<Option<TokenRow>, AuthError> {
        let mut rows = self.store().tokens_named(name).await?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            n => Err(AuthError::Conflict(format!(
                "{n} tokens begin with {name}: give more characters, or the id"
            ))),
        }
    }

    fn key_of(&self, token: &str) -> TokenKey {
        match self.inner.rules.tokens {
            TokenStorage::Clear if token.len() <= MAX_CLEAR => TokenKey::clear(token),
            TokenStorage::Clear | TokenStorage::Hashed => TokenKey::hashed(token),
        }
    }
}

fn view(row: TokenRow) -> TokenView {
    let text = match row.key.is_hashed() {
        true => row.key.display(),
        false => row.key.as_column().to_owned(),
    };
    TokenView { text: SecretString::from(text), row }
}

impl TokenView {
    /// The text, for whoever may see it.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// Its id.
    pub fn id(&self) -> Uuid {
        self.row.id
    }
}

//! Tokens and limits.

use std::fmt;

use ::http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::http::Question;
use super::{AuthClient, ClientError, read};
use crate::model::{LimitRow, Page};
use crate::service::{NewToken, Verified};
use crate::wire::{LimitJson, TokenJson, VerifiedJson, write_time};

/// A token as the service shows it.
#[derive(Clone)]
pub struct TokenInfo {
    /// Whole where the service keeps tokens, else eight characters of its hash.
    pub text: SecretString,
    /// Its id, unless the service is sophon-auth.
    pub id: Option<Uuid>,
    /// The account.
    pub name: String,
    /// Its permission by name.
    pub perm: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// From when it is refused.
    pub expires_at: Option<OffsetDateTime>,
    /// For which services it is meant; empty for all.
    pub audience: Vec<String>,
    /// What it is narrowed to; empty for all.
    pub scopes: Vec<String>,
}

impl fmt::Debug for TokenInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenInfo").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Asked<'a> {
    token: &'a str,
}

#[derive(Serialize)]
struct Named<'a> {
    token: &'a str,
}

#[derive(Serialize)]
struct Wanted<'a> {
    name: &'a str,
    perm: &'a str,
    extra: &'a str,
    #[serde(rename = "expiresAt", skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    audience: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    scopes: &'a [String],
}

#[derive(Deserialize)]
struct Made {
    token: SecretString,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LimitName<'a> {
    name: &'a str,
    id: &'a str,
}

impl AuthClient {
    /// What a token says, if it counts.
    ///
    /// # Errors
    /// [`ClientError::Refused`] of the kind unauthenticated if it does not; a retryable kind if nobody can tell.
    pub async fn verify(&self, token: &str) -> Result<Verified, ClientError> {
        let question = Question::post("/verify", &Asked { token }).harmless();
        let json: VerifiedJson = self.transport.ask(question).await?;
        Ok(Verified {
            id: json.id.unwrap_or_default(),
            name: json.name,
            perm: json.perm,
            extra: json.ext,
            expires_at: json.expires.as_deref().map(read::time).transpose()?,
            audience: json.audience,
            scopes: json.scopes,
        })
    }

    /// Makes a token.
    ///
    /// # Errors
    /// [`ClientError::Refused`] of the kind not found without such a user.
    pub async fn generate_token(&self, new: &NewToken) -> Result<SecretString, ClientError> {
        let NewToken { name, perm, extra, expires_at, audience, scopes } = new;
        let body = Wanted { name, perm, extra, expires: expires_at.map(write_time), audience, scopes };
        let made: Made = self.transport.ask(Question::post("/genToken", &body)).await?;
        Ok(made.token)
    }

    /// A token by itself.
    ///
    /// # Errors
    /// [`ClientError::Refused`] of the kind not found.
    pub async fn token(&self, token: &SecretString) -> Result<TokenInfo, ClientError> {
        let query = [("name", ""), ("token", token.expose_secret())];
        let found = read::all(self.transport.ask(Question::get("/token", &query)).await?, info)?;
        let none = || ClientError::Corrupt("/token: no token".into());
        found.into_iter().next().ok_or_else(none)
    }

    /// The tokens of a user.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn tokens_of(&self, name: &str) -> Result<Vec<TokenInfo>, ClientError> {
        let query = [("name", name), ("token", "")];
        read::all(self.transport.ask(Question::get("/token", &query)).await?, info)
    }

    /// All tokens.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn tokens(&self, page: Page) -> Result<Vec<TokenInfo>, ClientError> {
        let (skip, limit) = super::users::numbers(page);
        let query = [("limit", limit.as_str()), ("skip", &skip)];
        read::all(self.transport.ask(Question::get("/tokens", &query)).await?, info)
    }

    /// Revokes a token: given whole, or by its id or the eight characters that lists show.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn remove_token(&self, token: &str) -> Result<(), ClientError> {
        self.transport.tell(Question::change(Method::DELETE, "/token", &Named { token })).await
    }

    /// Brings a revoked token back; named as for [`AuthClient::remove_token`].
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn recover_token(&self, token: &str) -> Result<(), ClientError> {
        self.transport.tell(Question::post("/recoverToken", &Named { token })).await
    }

    /// The limits of a user, or the one of `id`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn limits_of(&self, name: &str, id: Option<&str>) -> Result<Vec<LimitRow>, ClientError> {
        let all = [("id", id.unwrap_or_default()), ("name", name)];
        let query = if id.is_some() { &all[..] } else { &all[1..] };
        read::all(self.transport.ask(Question::get("/user/ratelimit", query)).await?, read::limit)
    }

    /// Adds or replaces a limit, and answers its id.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn put_limit(&self, limit: &LimitRow) -> Result<String, ClientError> {
        let body = LimitJson::from(limit.clone());
        self.transport.ask(Question::post("/user/ratelimit/upsert", &body)).await
    }

    /// Removes a limit.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn remove_limit(&self, name: &str, id: &str) -> Result<(), ClientError> {
        self.transport.tell(Question::post("/user/ratelimit/del", &LimitName { name, id })).await
    }
}

fn info(json: TokenJson) -> Result<TokenInfo, ClientError> {
    Ok(TokenInfo {
        text: SecretString::from(json.token),
        id: json.id,
        name: json.name,
        perm: json.perm,
        created_at: read::time(&json.created)?,
        expires_at: json.expires.as_deref().map(read::time).transpose()?,
        audience: json.audience,
        scopes: json.scopes,
    })
}

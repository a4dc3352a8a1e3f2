//! The first token.

use secrecy::SecretString;
use venus_core::api::Permission;

use super::{Actor, AuthService, Change, NewToken, NewUser, TokenStorage};
use crate::effect::Effect;
use crate::error::AuthError;
use crate::model::TokenRow;
use crate::store::Changed;

/// The account whose token administers the service from its own machine. Nobody else can take the name.
pub const LOCAL_TOKEN: &str = "defaultLocalToken";

impl AuthService {
    /// A token for the administrator of this machine, to be kept in a file that only they can read.
    ///
    /// The one that is in `known` if it still counts; in a clear store that of an earlier start, as sophon-auth does;
    /// else a new one, and those of earlier starts are revoked.
    ///
    /// # Errors
    /// [`AuthError::Store`], [`AuthError::Entropy`].
    pub async fn local_token(&self, known: Option<&str>) -> Result<SecretString, AuthError> {
        if let Some(known) = known
            && self
                .check(known, None)
                .await
                .is_ok_and(|v| v.name == LOCAL_TOKEN && v.permissions().allow(Permission::Admin))
        {
            return Ok(SecretString::from(known.to_owned()));
        }
        let system = Actor::system();
        if !self.is_live(LOCAL_TOKEN).await? {
            let new = NewUser { name: LOCAL_TOKEN.into(), ..NewUser::default() };
            if self.create_user(&system, new).await.is_err() {
                self.recover_user(&system, LOCAL_TOKEN).await?;
            }
        }
        let earlier = self.store().tokens_of(LOCAL_TOKEN).await?;
        if self.inner.rules.tokens == TokenStorage::Clear
            && let Some(row) = earlier.iter().find(|row| row.perm == "admin" && !row.key.is_hashed())
        {
            return Ok(SecretString::from(row.key.as_column().to_owned()));
        }
        self.retire(&earlier).await?;
        let new = NewToken { name: LOCAL_TOKEN.into(), perm: "admin".into(), ..NewToken::default() };
        self.issue(&system, new).await
    }

    async fn retire(&self, tokens: &[TokenRow]) -> Result<(), AuthError> {
        for row in tokens {
            if self.store().delete_token(&row.key, self.now()).await? == Changed::Done {
                self.ended(Effect::Token { id: row.id, hash: row.key.fingerprint() }).await;
                self.record(&Actor::system(), Change::of("token.revoke", row.id.to_string())).await?;
            }
        }
        Ok(())
    }
}

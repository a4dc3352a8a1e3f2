//! Keeping somebody out.

use venus_core::types::Address;

use super::{Actor, AuthService, Change};
use crate::effect::Effect;
use crate::error::AuthError;
use crate::model::Ban;
use crate::store::Changed;
use crate::text;

impl AuthService {
    /// Keeps an account, a token, an address or a machine out, whatever else is true.
    ///
    /// # Errors
    /// [`AuthError::Denied`].
    pub async fn ban(&self, actor: &Actor, ban: &Ban, reason: &str) -> Result<(), AuthError> {
        actor.admin()?;
        self.store().ban(ban, reason, self.now()).await?;
        let ended = self.effect(ban).await?;
        self.ended(ended).await;
        self.record(actor, Change::of("ban", subject(ban)).after(&reason)).await
    }

    /// Lets it in again.
    ///
    /// # Errors
    /// [`AuthError::NotFound`] if it was not kept out.
    pub async fn unban(&self, actor: &Actor, ban: &Ban) -> Result<(), AuthError> {
        actor.admin()?;
        let lifted = self.store().unban(ban).await?;
        #[cfg(feature = "guard")]
        self.let_in(ban);
        match lifted {
            Changed::Done => self.record(actor, Change::of("unban", subject(ban))).await,
            _ => Err(AuthError::NotFound(format!("{} is not banned", subject(ban)))),
        }
    }

    /// All that is kept out, with reasons.
    ///
    /// # Errors
    /// [`AuthError::Denied`].
    pub async fn bans(&self, actor: &Actor) -> Result<Vec<(Ban, String)>, AuthError> {
        actor.admin()?;
        Ok(self.store().bans().await?)
    }

    /// Whether an account is kept out, or an address that it has.
    pub(super) async fn is_barred(&self, account: &str, address: &Address) -> Result<bool, AuthError> {
        let any = [Ban::Account(account.to_owned()), Ban::Address(*address)];
        Ok(self.store().banned(&any).await?.is_some())
    }

    async fn effect(&self, ban: &Ban) -> Result<Effect, AuthError> {
        Ok(match ban {
            Ban::Account(name) => Effect::Account(name.clone()),
            Ban::Token(id) => {
                // Whoever holds something open knows its token by the hash alone.
                let named = self.store().tokens_named(&id.to_string()).await?;
                let row = named.into_iter().find(|row| row.id == *id);
                let hash = row.map(|row| row.key.fingerprint()).unwrap_or_default();
                Effect::Token { id: *id, hash }
            }
            Ban::Address(address) => Effect::Address(*address),
            Ban::Ip(ip) => Effect::Ip(*ip),
        })
    }
}

/// As records and commands name it: `account:alice`, `token:<id>`, `address:f0…`, `ip:…`.
fn subject(ban: &Ban) -> String {
    match ban {
        Ban::Account(name) => format!("account:{name}"),
        Ban::Token(id) => format!("token:{id}"),
        Ban::Address(address) => format!("address:{}", text::address(address)),
        Ban::Ip(ip) => format!("ip:{ip}"),
    }
}

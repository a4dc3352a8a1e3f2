//! Which account has which miner.

use fvm_shared::address::{Address, Protocol};

use super::{Actor, AuthService, Change};
use crate::effect::Effect;
use crate::error::AuthError;
use crate::model::MinerRow;
use crate::store::Changed;
use crate::text;

impl AuthService {
    /// Binds a miner to a user, away from another who had it. `true` if nobody had it ever.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] unless it is an ID address, [`AuthError::NotFound`] without such a user.
    pub async fn bind_miner(
        &self,
        actor: &Actor,
        user: &str,
        miner: Address,
        open_mining: bool,
    ) -> Result<bool, AuthError> {
        actor.admin()?;
        check_id(&miner)?;
        if !self.is_live(user).await? {
            let text = format!("can't bind miner:{} to not exist user:{user}", text::address(&miner));
            return Err(AuthError::NotFound(text));
        }
        let now = self.now();
        let row = MinerRow { miner, user: user.to_owned(), open_mining, created_at: now, updated_at: now };
        let bound = self.store().bind_miner(&row).await?;
        if let Some(account) = bound.taken_from.clone().filter(|former| former != user) {
            self.ended(Effect::Miner { account, miner }).await;
        }
        let record = Change::of("miner.bind", text::address(&miner)).before(&bound.taken_from);
        self.record(actor, record.after(&(user, open_mining))).await?;
        Ok(bound.is_new)
    }

    /// Unbinds a miner. `false` if nobody had it ever.
    ///
    /// # Errors
    /// [`AuthError::NotFound`] if it was unbound before, [`AuthError::Denied`] unless the actor has it or is an
    /// administrator.
    pub async fn unbind_miner(&self, actor: &Actor, miner: Option<Address>) -> Result<bool, AuthError> {
        let bound = match &miner {
            Some(miner) => self.store().miner(miner).await?,
            None => None,
        };
        let shown = miner.as_ref().map_or_else(|| "<empty>".to_owned(), text::address);
        let owners: Vec<String> = bound.iter().map(|row| row.user.clone()).collect();
        actor.admin_or_owner(&shown, &owners)?;
        let Some(miner) = miner else { return Ok(false) };
        // Whoever is no administrator may have lost it to another by now.
        let of = (!actor.may_administer()).then_some(actor.name.as_str());
        let (changed, account) = self.store().unbind_miner(&miner, of, self.now()).await?;
        match changed {
            Changed::Done => {}
            Changed::Already => return Err(AuthError::NotFound("not exist".into())),
            Changed::Absent => return Ok(false),
        }
        if let Some(account) = account.clone() {
            self.ended(Effect::Miner { account, miner }).await;
        }
        self.record(actor, Change::of("miner.unbind", shown).before(&account)).await?;
        Ok(true)
    }

    /// The miners of a user.
    ///
    /// # Errors
    /// [`AuthError::Denied`] unless the actor is the user or an administrator.
    pub async fn miners_of(&self, actor: &Actor, user: &str) -> Result<Vec<MinerRow>, AuthError> {
        actor.admin_or(user)?;
        Ok(self.store().miners_of(user).await?)
    }

    /// Whether anybody has the miner.
    ///
    /// # Errors
    /// [`AuthError::Denied`].
    pub async fn has_miner(&self, actor: &Actor, miner: &Address) -> Result<bool, AuthError> {
        actor.admin()?;
        Ok(self.store().miner(miner).await?.is_some())
    }

    /// Whether the user has the miner.
    ///
    /// # Errors
    /// [`AuthError::Denied`] unless the actor is the user or an administrator.
    pub async fn user_has_miner(
        &self,
        actor: &Actor,
        user: &str,
        miner: &Address,
    ) -> Result<bool, AuthError> {
        actor.admin_or(user)?;
        Ok(self.store().miner(miner).await?.is_some_and(|row| row.user == user))
    }

    /// The user who has the miner.
    ///
    /// # Errors
    /// [`AuthError::NotFound`], also if the user or the miner is kept out: whoever asks lets it mine.
    pub async fn user_of_miner(
        &self,
        actor: &Actor,
        miner: &Address,
    ) -> Result<crate::model::User, AuthError> {
        actor.admin()?;
        let row = self.store().miner(miner).await?.ok_or_else(AuthError::key_not_found)?;
        if self.is_barred(&row.user, miner).await? {
            return Err(AuthError::key_not_found());
        }
        self.live_user(&row.user).await
    }
}

fn check_id(miner: &Address) -> Result<(), AuthError> {
    match miner.protocol() {
        Protocol::ID => Ok(()),
        other => Err(AuthError::Invalid(format!("invalid protocol type: {}", other as u8))),
    }
}

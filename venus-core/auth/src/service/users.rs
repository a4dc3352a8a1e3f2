//! Accounts.

use super::{Actor, AuthService, Change};
use crate::effect::Effect;
use crate::error::AuthError;
use crate::model::{Page, User, UserState};
use crate::store::{Changed, UserChange};

/// Longest name, bytes: the column of sophon-auth's table.
const MAX_NAME: usize = 50;
/// Longest comment, bytes.
const MAX_COMMENT: usize = 255;

/// A user to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewUser {
    /// Its name, for good.
    pub name: String,
    /// Free text.
    pub comment: String,
    /// Whether it may use the pool.
    pub state: UserState,
}

impl AuthService {
    /// Makes a user.
    ///
    /// # Errors
    /// [`AuthError::Conflict`] if the name is taken. A deleted user keeps its name: whoever could take it would inherit
    /// what others still file under it. [`AuthError::Invalid`] for a name that no database of sophon-auth can hold.
    pub async fn create_user(&self, actor: &Actor, new: NewUser) -> Result<User, AuthError> {
        actor.admin()?;
        check_text("name", &new.name, MAX_NAME)?;
        check_text("comment", &new.comment, MAX_COMMENT)?;
        let (id, now) = (self.new_id()?, self.now());
        let NewUser { name, comment, state } = new;
        let user = User { id, name, comment, state, created_at: now, updated_at: now, deleted: false };
        match self.store().create_user(&user).await? {
            Changed::Done => {
                self.record(actor, Change::of("user.create", &user.name).after(&user.state.number())).await?;
                Ok(user)
            }
            _ => Err(AuthError::Conflict("user already exists".into())),
        }
    }

    /// Changes comment and state; what is `None` stays.
    ///
    /// # Errors
    /// [`AuthError::NotFound`].
    pub async fn update_user(&self, actor: &Actor, name: &str, change: UserChange) -> Result<(), AuthError> {
        actor.admin()?;
        check_text("comment", change.comment.as_deref().unwrap_or_default(), MAX_COMMENT)?;
        let before = self.live_user(name).await?;
        if self.store().update_user(name, &change, self.now()).await? != Changed::Done {
            return Err(AuthError::key_not_found());
        }
        if change.state == Some(UserState::Disabled) && before.state != UserState::Disabled {
            self.ended(Effect::Account(name.to_owned())).await;
        }
        let after = change.state.unwrap_or(before.state);
        let record = Change::of("user.update", name).before(&before.state.number()).after(&after.number());
        self.record(actor, record).await
    }

    /// A user.
    ///
    /// # Errors
    /// [`AuthError::NotFound`], [`AuthError::Denied`] unless the actor is it or an administrator.
    pub async fn user(&self, actor: &Actor, name: &str) -> Result<User, AuthError> {
        actor.admin_or(name)?;
        self.live_user(name).await
    }

    /// Users by name.
    ///
    /// # Errors
    /// [`AuthError::Denied`].
    pub async fn users(
        &self,
        actor: &Actor,
        page: Page,
        state: Option<UserState>,
    ) -> Result<Vec<User>, AuthError> {
        actor.admin()?;
        Ok(self.store().users(page, state).await?)
    }

    /// Whether there is such a user.
    ///
    /// # Errors
    /// [`AuthError::Denied`].
    pub async fn has_user(&self, actor: &Actor, name: &str) -> Result<bool, AuthError> {
        actor.admin()?;
        self.is_live(name).await
    }

    /// Checks that all of these users exist.
    ///
    /// # Errors
    /// [`AuthError::NotFound`] names the first that does not.
    pub async fn verify_users(&self, actor: &Actor, names: &[String]) -> Result<(), AuthError> {
        actor.admin()?;
        for name in names {
            self.live_user(name).await.map_err(|error| error.after(format_args!("verify {name}")))?;
        }
        Ok(())
    }

    /// Deletes a user: its tokens are revoked, its miners and signers unbound.
    ///
    /// # Errors
    /// [`AuthError::NotFound`], also if it was deleted before.
    pub async fn delete_user(&self, actor: &Actor, name: &str) -> Result<(), AuthError> {
        actor.admin()?;
        let (changed, cascade) = self.store().delete_user(name, self.now()).await?;
        match changed {
            Changed::Done => {}
            Changed::Already => return Err(AuthError::NotFound("user not exist".into())),
            Changed::Absent => return Err(AuthError::key_not_found()),
        }
        // One effect ends all that rests on the account: its tokens, miners and signers too.
        self.ended(Effect::Account(name.to_owned())).await;
        let went = (cascade.tokens.len(), cascade.miners.len(), cascade.signers.len());
        self.record(actor, Change::of("user.delete", name).before(&went)).await
    }

    /// Brings a deleted user back with its miners and signers. Its tokens stay revoked; they can be recovered.
    ///
    /// # Errors
    /// [`AuthError::Conflict`] if it is not deleted, [`AuthError::NotFound`].
    pub async fn recover_user(&self, actor: &Actor, name: &str) -> Result<(), AuthError> {
        actor.admin()?;
        match self.store().recover_user(name, self.now()).await? {
            Changed::Done => self.record(actor, Change::of("user.recover", name)).await,
            Changed::Already => Err(AuthError::Conflict("user is not deleted".into())),
            Changed::Absent => Err(AuthError::key_not_found()),
        }
    }

    /// Whether there is such a user; a store that failed is no answer.
    pub(super) async fn is_live(&self, name: &str) -> Result<bool, AuthError> {
        Ok(self.store().user(name).await?.is_some_and(|user| !user.deleted))
    }

    pub(super) async fn live_user(&self, name: &str) -> Result<User, AuthError> {
        let user = self.store().user(name).await?.filter(|user| !user.deleted);
        user.ok_or_else(AuthError::key_not_found)
    }
}

impl UserState {
    /// The number of the API: 0 undefined, 1 enabled, 2 disabled.
    pub fn number(self) -> i32 {
        match self {
            Self::Undefined => 0,
            Self::Enabled => 1,
            Self::Disabled => 2,
            Self::Other(number) => number,
        }
    }

    /// The state of a number.
    pub fn of_number(number: i32) -> Self {
        match number {
            0 => Self::Undefined,
            1 => Self::Enabled,
            2 => Self::Disabled,
            other => Self::Other(other),
        }
    }
}

fn check_text(field: &str, text: &str, max: usize) -> Result<(), AuthError> {
    if text.len() > max {
        return Err(AuthError::Invalid(format!("{field} has {} bytes, at most {max} fit", text.len())));
    }
    match text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        Some(c) => Err(AuthError::Invalid(format!("{field} has the control character {c:?}"))),
        None => Ok(()),
    }
}

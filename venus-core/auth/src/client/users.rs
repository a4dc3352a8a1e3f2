//! Accounts.

use ::http::Method;
use serde::Serialize;

use super::http::Question;
use super::{AuthClient, ClientError, read};
use crate::model::{MinerRow, Page, User, UserState};
use crate::service::NewUser;
use crate::store::UserChange;
use crate::wire::UserJson;

/// A user with its miners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserWithMiners {
    /// The user.
    pub user: User,
    /// Its miners; `None` if they could not be asked for, which the log explains.
    pub miners: Option<Vec<MinerRow>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Named<'a> {
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Names<'a> {
    names: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UserBody<'a> {
    name: &'a str,
    comment: Option<&'a str>,
    state: i32,
}

impl AuthClient {
    /// Whether all of these users exist.
    ///
    /// # Errors
    /// [`ClientError::Refused`] names the first that does not.
    pub async fn verify_users(&self, names: &[String]) -> Result<(), ClientError> {
        self.transport.tell(Question::post("/user/verify", &Names { names }).harmless()).await
    }

    /// Whether there is such a user.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn has_user(&self, name: &str) -> Result<bool, ClientError> {
        self.transport.ask(Question::get("/user/has", &[("name", name)])).await
    }

    /// A user.
    ///
    /// # Errors
    /// [`ClientError::Refused`] of the kind not found.
    pub async fn user(&self, name: &str) -> Result<User, ClientError> {
        let json: UserJson = self.transport.ask(Question::get("/user", &[("name", name)])).await?;
        read::user(json)
    }

    /// Users by name.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn users(&self, page: Page, state: Option<UserState>) -> Result<Vec<User>, ClientError> {
        let state = state.map_or(0, UserState::number).to_string();
        let (skip, limit) = numbers(page);
        let query = [("limit", limit.as_str()), ("skip", &skip), ("state", &state)];
        read::all(self.transport.ask(Question::get("/user/list", &query)).await?, read::user)
    }

    /// Users by name, each with its miners, which takes a question more for each.
    ///
    /// # Errors
    /// [`ClientError`] if the users cannot be asked for. Miners that cannot are left out and logged.
    pub async fn users_with_miners(
        &self,
        page: Page,
        state: Option<UserState>,
    ) -> Result<Vec<UserWithMiners>, ClientError> {
        let mut all = Vec::new();
        for user in self.users(page, state).await? {
            let miners = self.miners_of(&user.name).await;
            if let Err(error) = &miners {
                tracing::warn!(user = user.name, %error, "no miners of this user");
            }
            all.push(UserWithMiners { user, miners: miners.ok() });
        }
        Ok(all)
    }

    /// Makes a user.
    ///
    /// # Errors
    /// [`ClientError::Refused`] of the kind conflict if the name is taken.
    pub async fn create_user(&self, new: &NewUser) -> Result<User, ClientError> {
        let comment = Some(new.comment.as_str()).filter(|comment| !comment.is_empty());
        let body = UserBody { name: &new.name, comment, state: new.state.number() };
        let json: UserJson = self.transport.ask(Question::change(Method::PUT, "/user/new", &body)).await?;
        read::user(json)
    }

    /// Changes a user; what is `None` stays.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn update_user(&self, name: &str, change: &UserChange) -> Result<(), ClientError> {
        let state = change.state.map_or(0, UserState::number);
        let body = UserBody { name, comment: change.comment.as_deref(), state };
        self.transport.tell(Question::post("/user/update", &body)).await
    }

    /// Deletes a user with all that it has.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn delete_user(&self, name: &str) -> Result<(), ClientError> {
        self.transport.tell(Question::post("/user/del", &Named { name })).await
    }

    /// Brings a deleted user back; its tokens stay revoked.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn recover_user(&self, name: &str) -> Result<(), ClientError> {
        self.transport.tell(Question::post("/user/recover", &Named { name })).await
    }
}

/// A page as texts. Go's numbers end at 2^63.
pub(super) fn numbers(page: Page) -> (String, String) {
    (i64::try_from(page.skip).unwrap_or(i64::MAX).to_string(), page.limit.to_string())
}

//! Routes of users.

use super::Ask;
use super::answer::{Answer, Refusal};
use super::bind::{Bind, BindError};
use crate::model::{Page, UserState};
use crate::service::NewUser;
use crate::store::UserChange;
use crate::wire::UserJson;

/// The most rows of a page, which is also what 0 and negative numbers mean.
const MOST: u32 = 1000;

/// The wanted page; the first if nothing says which, where sophon-auth fails.
pub(super) fn page(bind: &Bind<'_>) -> Result<Page, BindError> {
    let skip = bind.maybe_int("Skip")?.unwrap_or_default();
    let limit = bind.maybe_int("Limit")?.unwrap_or_default();
    let limit = u32::try_from(limit).ok().filter(|limit| (1..=MOST).contains(limit)).unwrap_or(MOST);
    Ok(Page { skip: u64::try_from(skip).unwrap_or_default(), limit })
}

pub(super) async fn new(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("CreateUserRequest", &ask.input)?;
    let new = NewUser {
        name: bind.required("Name")?,
        comment: bind.text("Comment")?,
        state: UserState::of_number(bind.state()?),
    };
    Answer::of(&UserJson::from(ask.service().create_user(&ask.actor, new).await?))
}

pub(super) async fn update(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("UpdateUserRequest", &ask.input)?;
    let change = UserChange {
        comment: bind.maybe_text("Comment")?,
        // 0 is what Go's clients send for a state that shall stay.
        state: Some(bind.state()?).filter(|state| *state != 0).map(UserState::of_number),
    };
    ask.service().update_user(&ask.actor, &bind.text("Name")?, change).await?;
    Ok(Answer::Empty)
}

pub(super) async fn list(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("ListUsersRequest", &ask.input)?;
    let state = Some(bind.state()?).filter(|state| *state != 0).map(UserState::of_number);
    let users = ask.service().users(&ask.actor, page(&bind)?, state).await?;
    Answer::of(&users.into_iter().map(UserJson::from).collect::<Vec<_>>())
}

pub(super) async fn get(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let name = Bind::new("GetUserRequest", &ask.input)?.required("Name")?;
    Answer::of(&UserJson::from(ask.service().user(&ask.actor, &name).await?))
}

pub(super) async fn verify(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("VerifyUsersReq", &ask.input)?;
    let names = bind.texts("Names")?.ok_or_else(|| bind.missing("Names"))?;
    ask.service().verify_users(&ask.actor, &names).await?;
    Ok(Answer::Empty)
}

pub(super) async fn has(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let name = Bind::new("HasUserRequest", &ask.input)?.required("Name")?;
    Answer::of(&ask.service().has_user(&ask.actor, &name).await?)
}

pub(super) async fn delete(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let name = Bind::new("DeleteUserRequest", &ask.input)?.required("Name")?;
    ask.service().delete_user(&ask.actor, &name).await?;
    Ok(Answer::Empty)
}

pub(super) async fn recover(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let name = Bind::new("RecoverUserRequest", &ask.input)?.required("Name")?;
    ask.service().recover_user(&ask.actor, &name).await?;
    Ok(Answer::Empty)
}

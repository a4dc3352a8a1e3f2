//! Routes of limits.

use std::time::Duration;

use super::Ask;
use super::answer::{Answer, Refusal};
use super::bind::{Bind, BindError};
use crate::model::LimitRow;
use crate::wire::LimitJson;

pub(super) async fn put(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("UpsertUserRateLimitReq", &ask.input)?;
    let nanos = bind.inner_int("ReqLimit", "ResetDur", "time.Duration")?;
    let limit = LimitRow {
        id: bind.text("Id")?,
        service: bind.text("Service")?,
        api: bind.text("API")?,
        capacity: bind.inner_int("ReqLimit", "Cap", "int64")?,
        period: Duration::from_nanos(
            u64::try_from(nanos).map_err(|_| BindError(format!("ResetDur: {nanos} is negative")))?,
        ),
        name: bind.required("Name")?,
    };
    Answer::of(&ask.service().put_limit(&ask.actor, limit).await?)
}

pub(super) async fn remove(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("DelUserRateLimitReq", &ask.input)?;
    let id = bind.text("Id")?;
    ask.service().remove_limit(&ask.actor, &bind.text("Name")?, &id).await?;
    Answer::of(&id)
}

pub(super) async fn get(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("GetUserRateLimitsReq", &ask.input)?;
    let (name, id) = (bind.required("Name")?, bind.text("Id")?);
    let all = ask.service().limits(&ask.actor, &name, None).await?;
    if all.is_empty() {
        // As sophon-auth says it of a user who has none at all.
        return Answer::of(&());
    }
    let wanted = all.into_iter().filter(|row| id.is_empty() || row.id == id);
    Answer::of(&wanted.map(LimitJson::from).collect::<Vec<_>>())
}

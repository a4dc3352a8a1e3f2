//! Routes of miners.

use super::Ask;
use super::answer::{Answer, Refusal};
use super::bind::{Bind, no_address};
use crate::error::AuthError;
use crate::wire::{MinerJson, UserJson};

pub(super) async fn user(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let miner = Bind::new("GetUserByMinerRequest", &ask.input)?.address("Miner")?;
    ask.actor.admin()?;
    let miner = miner.ok_or_else(AuthError::key_not_found)?;
    Answer::of(&UserJson::from(ask.service().user_of_miner(&ask.actor, &miner).await?))
}

pub(super) async fn bind(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("UpsertMinerReq", &ask.input)?;
    let miner = bind.address("Miner")?;
    let user = bind.required("User")?;
    let open = bind.flag("OpenMining")?.ok_or_else(|| bind.missing("OpenMining"))?;
    ask.actor.admin()?;
    let miner = miner.ok_or_else(no_address)?;
    Answer::of(&ask.service().bind_miner(&ask.actor, &user, miner, open).await?)
}

pub(super) async fn exist(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("MinerExistInUserRequest", &ask.input)?;
    let (user, miner) = (bind.text("User")?, bind.address("Miner")?);
    match miner {
        Some(miner) => Answer::of(&ask.service().user_has_miner(&ask.actor, &user, &miner).await?),
        None => {
            ask.actor.admin_or(&user)?;
            Answer::of(&false)
        }
    }
}

pub(super) async fn list(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let user = Bind::new("ListMinerReq", &ask.input)?.required("User")?;
    let rows = ask.service().miners_of(&ask.actor, &user).await?;
    let mut shown: Vec<MinerJson> = rows.into_iter().map(MinerJson::from).collect();
    shown.sort_by(|one, other| one.miner.cmp(&other.miner));
    Answer::of(&shown)
}

pub(super) async fn unbind(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let miner = Bind::new("DelMinerReq", &ask.input)?.address("Miner")?;
    Answer::of(&ask.service().unbind_miner(&ask.actor, miner).await?)
}

pub(super) async fn has(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let miner = Bind::new("HasMinerRequest", &ask.input)?.address("Miner")?;
    ask.actor.admin()?;
    match miner {
        Some(miner) => Answer::of(&ask.service().has_miner(&ask.actor, &miner).await?),
        None => Answer::of(&false),
    }
}

//! Routes that sophon-auth does not have.

use std::time::Duration;

use http::StatusCode;
use tokio::time::timeout;
use uuid::Uuid;
use venus_core::api::Permission;
use venus_core::error::ErrorKind;

use super::Ask;
use super::answer::{Answer, Refusal};
use super::bind::{Bind, BindError};
use crate::audit::AuditQuery;
use crate::effect::{Effect, Revocation};
use crate::service::Actor;
use crate::wire::{AuditJson, BanJson, RevocationJson, RevocationsJson, SCOPE_VERIFY, TokensJson};

/// Tokens that one question names.
const MOST_TOKENS: usize = 1000;

/// What ended after number `after` of life `life`, waiting a while for something, `wait` milliseconds at most. Without `after`: from where to
/// follow. A life that is over is answered with one reset.
pub(super) async fn revocations(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    follower(ask)?;
    // Who cannot speak for all must not be believed.
    ask.service().hears_others()?;
    let bind = Bind::new("RevocationsReq", &ask.input)?;
    let (after, life) = (bind.maybe_int("After")?, bind.text("Life")?);
    let effects = ask.service().effects();
    let Some(after) = after else { return told(ask, effects.last(), Vec::new()) };
    let after = u64::try_from(after).map_err(|_| BindError(format!("after: {after} is negative")))?;
    if !life.is_empty() && Uuid::parse_str(&life).ok() != Some(ask.shared.life) {
        let seq = effects.last();
        return told(ask, seq, vec![Revocation { seq, effect: Effect::Reset }]);
    }
    let wait = bind.maybe_int("Wait")?.and_then(|millis| u64::try_from(millis).ok());
    let wait = ask.shared.config.poll.min(wait.map_or(Duration::MAX, Duration::from_millis));
    let Ok(_turn) = ask.shared.polls.try_acquire() else {
        let text = "too many follow the revocations: ask again later, or follow them through one process";
        return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, ErrorKind::RateLimited, text));
    };
    let ended = timeout(wait, effects.after(after)).await.unwrap_or_default();
    told(ask, ended.last().map_or(after, |revocation| revocation.seq), ended)
}

/// Checks that the caller guards a service.
fn follower(ask: &Ask<'_>) -> Result<(), Refusal> {
    let follows = ask.actor.permissions.allow(Permission::Read)
        && ask.caller.scopes.iter().any(|scope| scope == SCOPE_VERIFY);
    if !follows {
        ask.actor.admin()?;
    }
    Ok(())
}

/// Which of these tokens, by their SHA-256, do not count.
pub(super) async fn lapsed(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    follower(ask)?;
    ask.service().hears_others()?;
    let hashes = Bind::new("LapsedReq", &ask.input)?.texts("Tokens")?.unwrap_or_default();
    if hashes.len() > MOST_TOKENS {
        return Err(BindError(format!("tokens: {} at once, at most {MOST_TOKENS}", hashes.len())).into());
    }
    Answer::of(&TokensJson { tokens: ask.service().lapsed(&hashes).await? })
}

/// The machines that are kept out.
pub(super) async fn banned_ips(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    follower(ask)?;
    Answer::of(&crate::watch::ips(ask.service().bans(&Actor::system()).await?))
}

fn told(ask: &Ask<'_>, last: u64, ended: Vec<Revocation>) -> Result<Answer, Refusal> {
    let items = ended.into_iter().map(RevocationJson::from).collect();
    Answer::of(&RevocationsJson { life: ask.shared.life, last, items })
}

pub(super) async fn audit(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("AuditReq", &ask.input)?;
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let before = given(bind.text("Before")?);
    let query = AuditQuery {
        actor: given(bind.text("Actor")?),
        subject: given(bind.text("Subject")?),
        action: given(bind.text("Action")?),
        before: match before {
            Some(text) => Some(
                Uuid::parse_str(&text)
                    .map_err(|_| BindError(format!("before: {text:?} is no record's id")))?,
            ),
            None => None,
        },
        limit: u32::try_from(bind.maybe_int("Limit")?.unwrap_or_default()).unwrap_or_default(),
    };
    let records = ask.service().audit(&ask.actor, &query).await?;
    Answer::of(&records.into_iter().map(AuditJson::from).collect::<Vec<_>>())
}

fn subject(bind: &Bind<'_>) -> Result<crate::model::Ban, BindError> {
    let text = bind.required("Subject")?;
    text.parse().map_err(|error: crate::model::BanError| BindError(error.to_string()))
}

pub(super) async fn ban(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("BanReq", &ask.input)?;
    ask.service().ban(&ask.actor, &subject(&bind)?, &bind.text("Reason")?).await?;
    Ok(Answer::Empty)
}

pub(super) async fn unban(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("UnbanReq", &ask.input)?;
    ask.service().unban(&ask.actor, &subject(&bind)?).await?;
    Ok(Answer::Empty)
}

pub(super) async fn bans(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bans = ask.service().bans(&ask.actor).await?;
    let shown = bans.into_iter().map(|(ban, reason)| BanJson { subject: ban.to_string(), reason });
    Answer::of(&shown.collect::<Vec<_>>())
}

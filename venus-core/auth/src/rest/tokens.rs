//! Routes of tokens.

use http::StatusCode;
use serde::Serialize;
use venus_core::error::ErrorKind;

use super::Ask;
use super::answer::{Answer, Refusal};
use super::bind::{Bind, BindError};
use super::users::page;
use crate::error::AuthError;
use crate::service::{NewToken, TokenView, Verified, label};
use crate::wire::{TokenJson, VerifiedJson, read_time, write_time};

/// The scope with which a narrowed token counts, at all its level, also at programs of Go.
const LEGACY: &str = "legacy";

pub(super) async fn verify(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let token = Bind::new("VerifyRequest", &ask.input)?.required("Token")?;
    let verified = ask.service().verify(&ask.actor, &token).await;
    let permission = verified.as_ref().map_or("none", |verified| label(&verified.perm));
    let outcome = if verified.is_ok() { "accepted" } else { "refused" };
    metrics::counter!("venus_auth_verifications_total", "permission" => permission, "outcome" => outcome)
        .increment(1);
    let verified = verified?;
    if !ask.more && is_narrowed(&verified) {
        // Who does not ask what it is narrowed to would let it do everything that its level may (T7).
        let text = "token is narrowed, and whoever asks does not know to what";
        return Err(AuthError::Unauthenticated(text.into()).into());
    }
    let mut json = VerifiedJson {
        name: verified.name,
        perm: verified.perm,
        ext: verified.extra,
        ..VerifiedJson::default()
    };
    if ask.more {
        json.id = Some(verified.id);
        json.expires = verified.expires_at.map(write_time);
        json.audience = verified.audience;
        json.scopes = verified.scopes;
    }
    Answer::of(&json)
}

/// Whether a program that knows neither scopes nor audiences would take the token for more than it is.
fn is_narrowed(verified: &Verified) -> bool {
    let Verified { scopes, audience, .. } = verified;
    let narrow = scopes.iter().any(|scope| !scope.starts_with("support:")) || !audience.is_empty();
    narrow && !scopes.iter().any(|scope| scope == LEGACY)
}

pub(super) async fn generate(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    #[derive(Serialize)]
    struct Made<'a> {
        token: &'a str,
    }
    let bind = Bind::new("GenTokenRequest", &ask.input)?;
    let new = NewToken {
        name: bind.required("Name")?,
        perm: bind.text("Perm")?,
        extra: bind.text("Extra")?,
        expires_at: match bind.text("ExpiresAt")?.as_str() {
            "" => None,
            text => Some(read_time(text).ok_or_else(|| wrong_time(text))?),
        },
        audience: bind.texts("Audience")?.unwrap_or_default(),
        scopes: bind.texts("Scopes")?.unwrap_or_default(),
    };
    if !ask.caller.scopes.is_empty() || !ask.caller.audience.is_empty() {
        // It would make itself a wider one.
        return Err(Refusal::forbidden("a narrowed token makes no tokens"));
    }
    let token = ask.service().create_token(&ask.actor, new).await?;
    Answer::of(&Made { token: secrecy::ExposeSecret::expose_secret(&token) })
}

fn wrong_time(text: &str) -> BindError {
    BindError(format!("expiresAt: {text:?} is no time: write 2027-01-31T00:00:00Z"))
}

pub(super) async fn get(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let bind = Bind::new("GetTokenRequest", &ask.input)?;
    let (token, name) = (bind.text("Token")?, bind.text("Name")?);
    let views = match (token.as_str(), name.as_str()) {
        ("", "") => {
            let text = "`name` and `token` both empty";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, ErrorKind::Invalid, text));
        }
        ("", name) => ask.service().tokens_of(&ask.actor, name).await?,
        (token, _) => vec![ask.service().token(&ask.actor, token).await?],
    };
    shown(ask, views)
}

pub(super) async fn list(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let page = page(&Bind::new("GetTokensRequest", &ask.input)?)?;
    shown(ask, ask.service().tokens(&ask.actor, page).await?)
}

fn shown(ask: &Ask<'_>, views: Vec<TokenView>) -> Result<Answer, Refusal> {
    let show = |view: TokenView| {
        let mut json = TokenJson {
            token: view.expose().to_owned(),
            name: view.row.name,
            perm: view.row.perm,
            created: write_time(view.row.created_at),
            ..TokenJson::default()
        };
        if ask.more {
            json.id = Some(view.row.id);
            json.expires = view.row.expires_at.map(write_time);
            json.audience = view.row.audience;
            json.scopes = view.row.scopes;
        }
        json
    };
    Answer::of(&views.into_iter().map(show).collect::<Vec<_>>())
}

pub(super) async fn remove(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let token = Bind::new("RemoveTokenRequest", &ask.input)?.required("Token")?;
    ask.service().revoke_token(&ask.actor, &token).await?;
    Ok(Answer::Empty)
}

pub(super) async fn recover(ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let token = Bind::new("RecoverTokenRequest", &ask.input)?.required("Token")?;
    ask.service().recover_token(&ask.actor, &token).await?;
    Ok(Answer::Empty)
}

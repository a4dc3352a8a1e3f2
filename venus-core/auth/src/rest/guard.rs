//! Who asks. Nothing is served before this is known.

use std::net::IpAddr;

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use url::form_urlencoded;
use venus_core::error::{Classify, ErrorKind};

use super::Shared;
use super::answer::Refusal;
use super::route::Route;
use crate::error::AuthError;
use crate::service::Verified;
use crate::wire::MORE;

/// What tokens call this service in their audience, and the scope of all that it does.
const SERVICE: &str = "auth";

pub(super) fn wants_more(headers: &HeaderMap) -> bool {
    headers.get(MORE).is_some_and(|value| value == "1")
}

/// The caller by its token. A caller is told only that the token does not count, not why: a guesser would learn.
pub(super) async fn caller(
    shared: &Shared,
    parts: &Parts,
    remote: Option<IpAddr>,
) -> Result<Verified, Refusal> {
    let Some(token) = token(shared, parts)? else {
        return Err(Refusal::stranger("no token: send Authorization: Bearer <token>"));
    };
    if let Some(ip) = remote
        && shared.config.guesses.are_too_many(ip)
        && shared.service.known(&token).is_none()
    {
        metrics::counter!("venus_auth_callers_total", "outcome" => "refused").increment(1);
        let text = "too many tokens that are no good came from there: wait";
        return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, ErrorKind::RateLimited, text));
    }
    match shared.service.check(&token, remote).await {
        Ok(verified) => {
            metrics::counter!("venus_auth_callers_total", "outcome" => "accepted").increment(1);
            Ok(verified)
        }
        Err(AuthError::Limited { text, retry_after }) => Err(AuthError::Limited { text, retry_after }.into()),
        Err(error) if matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::Denied) => {
            metrics::counter!("venus_auth_callers_total", "outcome" => "refused").increment(1);
            remote.into_iter().for_each(|ip| shared.config.guesses.count(ip));
            tracing::info!(reason = %error, ?remote, "a caller's token does not count");
            Err(Refusal::stranger("token not accepted"))
        }
        Err(error) => Err(error.into()),
    }
}

fn token(shared: &Shared, parts: &Parts) -> Result<Option<String>, Refusal> {
    let given = parts.headers.get(header::AUTHORIZATION).map(|value| value.to_str());
    match given {
        Some(Ok(text)) if !text.is_empty() => {
            let token = text.strip_prefix("Bearer ").map(str::trim);
            let wrong = || Refusal::stranger(format!("{AUTHORIZATION}: must begin with Bearer"));
            token.map(|token| Some(token.to_owned())).ok_or_else(wrong)
        }
        Some(Err(_)) => Err(Refusal::stranger("token not accepted")),
        _ if shared.config.query_tokens => {
            let query = parts.uri.query().unwrap_or_default();
            let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "token");
            Ok(found.map(|(_, token)| token.into_owned()).filter(|token| !token.is_empty()))
        }
        _ => Ok(None),
    }
}

/// Whether a token that is meant for some services, or for some of what they do, is meant for this.
pub(super) fn narrow(caller: &Verified, route: &Route) -> Result<(), Refusal> {
    if !caller.audience.is_empty() && !caller.audience.iter().any(|service| service == SERVICE) {
        return Err(Refusal::forbidden(format!("the token is not meant for {SERVICE}")));
    }
    let scope = route.scope();
    let within = |given: &String| given == SERVICE || given == scope;
    if caller.scopes.is_empty() || caller.scopes.iter().any(within) {
        return Ok(());
    }
    Err(Refusal::forbidden(format!("the token is narrowed and lacks the scope {scope}")))
}

//! Who may pass.

use http::header::{AUTHORIZATION, HeaderValue};
use http::request::Parts;
use http::{StatusCode, Uri};
use venus_core::rpc::Identity;
use venus_core::rpc::server::{AuthError, token_of};

use super::{HostKey, Inner};

/// Scopes that grant something elsewhere, and narrow nothing.
const SUPPORT: &str = "support:";

/// Why somebody is turned away: a status and, for those who are known, a text.
pub(super) type Refusal = (StatusCode, String);

/// Finds out who asks, before anything else is said.
pub(super) async fn identify(proxy: &Inner, parts: &mut Parts) -> Result<Identity, Refusal> {
    let refusal = |error| match error {
        AuthError::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
        AuthError::TooMany => (StatusCode::TOO_MANY_REQUESTS, String::new()),
        _ => (StatusCode::UNAUTHORIZED, String::new()),
    };
    let token = token_of(parts, proxy.options.query_tokens).map_err(refusal)?;
    let who = proxy.gate.authenticate(token.as_deref(), parts).await.map_err(refusal)?;
    if let Some(token) = token {
        as_header(parts, &token);
    }
    Ok(who)
}

/// Whether this token may go to this component.
pub(super) fn allow(who: &Identity, key: HostKey) -> Result<(), Refusal> {
    let forbidden = |text: String| Err((StatusCode::FORBIDDEN, text));
    if who.token.is_empty() {
        // Components would refuse what only this program made, and could keep it.
        return forbidden(
            "the gateway's own token is for the gateway alone: use one that venus-auth issued".into(),
        );
    }
    let mut narrow = who.scopes.iter().filter(|scope| !scope.starts_with(SUPPORT)).peekable();
    let needed = format!("proxy:{key}");
    // Go's components know no scopes: what is narrowed must not become wide behind them.
    if narrow.peek().is_some() && !narrow.any(|scope| *scope == needed) {
        return forbidden(format!("the token is narrowed, and its scopes lack {needed}"));
    }
    Ok(())
}

/// A token of the query goes on as a header: components and whoever stands before them log paths.
fn as_header(parts: &mut Parts, token: &str) {
    if parts.headers.contains_key(AUTHORIZATION) {
        return;
    }
    let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {token}")) else { return };
    value.set_sensitive(true);
    parts.headers.insert(AUTHORIZATION, value);
    let kept: Vec<&str> =
        parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.starts_with("token=")).collect();
    let text = match kept.join("&") {
        query if query.is_empty() => parts.uri.path().to_owned(),
        query => format!("{}?{query}", parts.uri.path()),
    };
    if let Ok(uri) = text.parse::<Uri>() {
        parts.uri = uri;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_leave_the_path() {
        let moved = |uri: &str| {
            let mut parts = http::Request::builder().uri(uri).body(()).unwrap().into_parts().0;
            as_header(&mut parts, "a.b.c");
            assert_eq!(parts.headers[AUTHORIZATION], "Bearer a.b.c");
            parts.uri.to_string()
        };
        assert_eq!(moved("/rpc/v1?token=a.b.c"), "/rpc/v1");
        assert_eq!(moved("/rpc/v1?x=1&token=a.b.c&y"), "/rpc/v1?x=1&y");
    }
}

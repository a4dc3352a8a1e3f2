//! Who calls, and with which strategy token.

use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use jsonrpsee::Extensions;
use secrecy::SecretString;
use venus_core::api::Permissions;

use crate::request::Caller;
use crate::strategy::split_token;

/// The header that carries a strategy token by itself.
pub const STRATEGY_HEADER: HeaderName = HeaderName::from_static("strategytoken");

/// Takes the strategy token out of `Authorization: Bearer <JWT>___<token>` (or `?token=`) and puts it into
/// [`STRATEGY_HEADER`], so that what authenticates callers meets a plain JWT and [`caller_of`] finds the token. To be
/// applied to every request before the RPC server sees it. A token in the header is left alone if there is no other.
pub fn move_strategy_token(request: &mut Parts) {
    let query = request.uri.query().unwrap_or_default();
    let in_query = query.split('&').find_map(|pair| pair.strip_prefix("token="));
    let bearer = match request.headers.get(AUTHORIZATION) {
        Some(header) => header.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")),
        None => in_query,
    };
    let Some((jwt, token)) = bearer.filter(|bearer| bearer.contains("___")).map(split_token) else { return };
    let jwt = sensitive(&format!("Bearer {jwt}"));
    if let Some(value) = token.and_then(|token| sensitive(&token.expose())) {
        request.headers.insert(STRATEGY_HEADER, value);
    }
    if let Some(value) = jwt {
        request.headers.insert(AUTHORIZATION, value);
    }
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Who makes a call, with the strategy token that it presented. A call without an identity has no rights.
pub fn caller_of(extensions: &Extensions) -> Caller {
    match extensions.get::<Arc<venus_core::rpc::Caller>>() {
        Some(caller) => Caller {
            strategy_token: token_in(&caller.headers),
            ..Caller::rpc(&caller.identity.name, caller.identity.permissions)
        },
        None => Caller::rpc("", Permissions::NONE),
    }
}

fn token_in(headers: &HeaderMap) -> Option<SecretString> {
    Some(headers.get(STRATEGY_HEADER)?.to_str().ok()?.into())
}

//! Who calls, and with which strategy token.

use std::sync::Arc;

use http::header::{HeaderMap, HeaderName};
use jsonrpsee::Extensions;
use secrecy::SecretString;
use venus_core::api::Permissions;

use crate::request::Caller;

/// The header that carries a strategy token by itself. Where it came behind the JWT ([`split_token`]), the server puts it
/// here before it asks who calls.
///
/// [`split_token`]: crate::strategy::split_token
pub const STRATEGY_HEADER: HeaderName = HeaderName::from_static("strategytoken");

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

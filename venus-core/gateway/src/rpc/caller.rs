//! Who calls, as the hub knows it.

use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::Extensions;
use venus_core::rpc::Caller;

use crate::error::HubError;
use crate::provider::Provider;

/// How long the answer may take, in milliseconds. Over WebSocket it counts for all calls of the session. It can only
/// shorten what [`HubOptions`](crate::HubOptions) allows.
pub const DEADLINE_HEADER: &str = "x-venus-deadline-ms";

/// The caller; every call that comes through our session has one.
pub(super) fn caller(extensions: &Extensions) -> Result<&Caller, HubError> {
    let caller = extensions.get::<Arc<Caller>>().map(Arc::as_ref);
    caller.ok_or_else(|| HubError::Denied("nobody knows who calls".into()))
}

/// The caller as one who offers something.
pub(super) fn provider(extensions: &Extensions) -> Result<Provider, HubError> {
    let Caller { identity, remote, connection, .. } = caller(extensions)?;
    Ok(Provider {
        account: identity.name.clone(),
        permissions: identity.permissions,
        scopes: identity.scopes.clone(),
        token: identity.token.clone(),
        remote: *remote,
        connection: *connection,
    })
}

/// The deadline that the caller set, within `most`. What is no number, or 0, is none.
pub(super) fn deadline(extensions: &Extensions, most: Duration) -> Option<Duration> {
    let header = caller(extensions).ok()?.headers.get(DEADLINE_HEADER)?;
    let millis = header.to_str().ok()?.trim().parse().ok().filter(|millis| *millis > 0)?;
    Some(Duration::from_millis(millis).min(most))
}

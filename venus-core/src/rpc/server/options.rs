//! What a server may be told.

use std::sync::Arc;

use super::{KeepAlive, Limits};
use crate::clock::{Clock, SystemClock};

/// What a server may be told besides its service and who may call.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The bounds of sessions, requests and calls.
    pub limits: Limits,
    /// How sessions stay alive.
    pub keep_alive: KeepAlive,
    /// By which tokens end.
    pub clock: Arc<dyn Clock>,
    /// Whether tokens are taken from the query, `?token=`, as Go does. Whoever logs requests on the way keeps them.
    pub query_tokens: bool,
}

impl Default for ServerOptions {
    /// The machine's clock, and tokens from queries, for Go's clients.
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            keep_alive: KeepAlive::default(),
            clock: Arc::new(SystemClock),
            query_tokens: true,
        }
    }
}

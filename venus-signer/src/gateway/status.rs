//! What can be told of a registration.

use std::time::Duration;

use uuid::Uuid;
use venus_core::types::Address;
use venus_core::types::gateway::RegisterRefusal;

/// How far a registration got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HubState {
    /// The wallet is locked, and so it registers nowhere.
    Locked,
    /// The hub is being dialled.
    Connecting,
    /// The channel is open, and the hub has not yet confirmed the keys.
    Registering,
    /// The hub can use the keys.
    Ready,
    /// The last attempt failed; the next one follows after a pause.
    Waiting,
    /// The provider was shut down.
    Stopped,
}

impl HubState {
    /// The name in output and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Connecting => "connecting",
            Self::Registering => "registering",
            Self::Ready => "ready",
            Self::Waiting => "waiting",
            Self::Stopped => "stopped",
        }
    }
}

/// The registration at one hub.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HubStatus {
    /// The hub's name.
    pub hub: String,
    /// Where it is, without the token.
    pub url: String,
    /// How far the registration got.
    pub state: HubState,
    /// The time of the last change of the state, since the Unix epoch.
    pub since: Duration,
    /// The channel, once the hub confirmed it.
    pub channel: Option<Uuid>,
    /// The keys that were announced there.
    pub addresses: Vec<Address>,
    /// The wallet's own account, if it is known, and those that it supports.
    pub accounts: Vec<String>,
    /// Addresses and accounts that the hub did not take, and why, in its words. Only hubs of ours tell.
    pub refused: Vec<RegisterRefusal>,
    /// What went wrong last, until a registration works.
    pub last_error: Option<String>,
}

impl HubStatus {
    /// Whether the hub can use the keys.
    pub fn is_ready(&self) -> bool {
        self.state == HubState::Ready
    }
}

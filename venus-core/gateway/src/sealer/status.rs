//! What can be told of a provider.

use std::time::Duration;

use uuid::Uuid;
use venus_core::types::Address;

use crate::provider::Kind;

/// How a provider stands at one hub.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubStatus {
    /// Where it is, without the token.
    pub url: String,
    /// Whether there is a connection.
    pub connected: bool,
    /// Why there was none the last time, until there is one.
    pub last_error: Option<String>,
    /// One for each miner and kind of work.
    pub channels: Vec<ChannelStatus>,
}

impl HubStatus {
    /// Whether the hub can ask for all miners.
    pub fn is_ready(&self) -> bool {
        self.connected && self.channels.iter().all(|channel| channel.state == ChannelState::Ready)
    }
}

/// How far a registration got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelState {
    /// There is no connection to the hub, or the next attempt follows after a pause.
    Waiting,
    /// The hub has not yet confirmed it.
    Registering,
    /// The hub can ask.
    Ready,
}

/// The registration for one miner at one hub.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelStatus {
    /// The miner.
    pub miner: Address,
    /// [`Kind::Proof`] or [`Kind::Market`].
    pub kind: Kind,
    /// How far it got.
    pub state: ChannelState,
    /// The time of the last change of the state, since the Unix epoch.
    pub since: Duration,
    /// The channel, while the hub can ask.
    pub channel: Option<Uuid>,
    /// Questions that were answered with a result.
    pub answered: u64,
    /// Questions that were answered with an error.
    pub failed: u64,
    /// Why it is not registered, until it is.
    pub last_error: Option<String>,
}

/// What is done for a miner at this moment, for all hubs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MinerWork {
    /// The miner.
    pub miner: Address,
    /// [`Kind::Proof`] or [`Kind::Market`].
    pub kind: Kind,
    /// Being worked on.
    pub running: usize,
    /// Waiting for those.
    pub waiting: usize,
}

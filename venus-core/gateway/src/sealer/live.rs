//! What the loops of a hub and the handle share.

use std::collections::BTreeMap;

use tokio::sync::watch;
use uuid::Uuid;
use venus_core::types::Address;

use super::handler::Handlers;
use super::options::ProviderOptions;
use super::status::{ChannelState, ChannelStatus, HubStatus};
use super::work::Work;
use crate::endpoint::Endpoint;
use crate::provider::Kind;

/// What all hubs share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) handlers: Handlers,
    pub(super) options: ProviderOptions,
    /// The miners, each with a number that it got when it was added: one that was removed and added again is another.
    pub(super) miners: watch::Sender<BTreeMap<Address, u64>>,
    pub(super) work: Work,
}

/// A hub, seen from outside of its loop.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) endpoint: Endpoint,
    status: watch::Sender<HubStatus>,
}

/// Longest text that is kept of a failure, in characters.
const MAX_REASON: usize = 500;

impl Live {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        let status = HubStatus {
            url: endpoint.name().to_owned(),
            connected: false,
            last_error: None,
            channels: Vec::new(),
        };
        Self { endpoint, status: watch::Sender::new(status) }
    }

    pub(super) fn status(&self) -> watch::Receiver<HubStatus> {
        self.status.subscribe()
    }

    pub(super) fn add(&self, miner: Address, shared: &Shared) {
        let since = shared.options.clock.now();
        let fresh = |kind| ChannelStatus {
            miner,
            kind,
            state: ChannelState::Waiting,
            since,
            channel: None,
            answered: 0,
            failed: 0,
            last_error: None,
        };
        self.status.send_modify(|status| status.channels.extend(shared.handlers.kinds().map(fresh)));
    }

    pub(super) fn remove(&self, miner: &Address) {
        self.status.send_modify(|status| status.channels.retain(|channel| channel.miner != *miner));
    }

    pub(super) fn connected(&self) {
        self.status.send_modify(|status| {
            status.connected = true;
            status.last_error = None;
        });
    }

    /// There is no connection, and so no channel.
    pub(super) fn lost(&self, reason: Option<&str>, shared: &Shared) {
        let now = shared.options.clock.now();
        self.status.send_modify(|status| {
            status.connected = false;
            if let Some(reason) = reason {
                tracing::warn!(hub = %status.url, reason, "gateway connection");
                status.last_error = Some(bounded(reason));
            }
            for channel in &mut status.channels {
                if channel.state != ChannelState::Waiting {
                    (channel.state, channel.since, channel.channel) = (ChannelState::Waiting, now, None);
                }
            }
        });
    }

    pub(super) fn registering(&self, of: Channel<'_>) {
        self.change(of, ChannelState::Registering, |status| status.channel = None);
    }

    pub(super) fn ready(&self, of: Channel<'_>, channel: Uuid) {
        self.change(of, ChannelState::Ready, |status| {
            status.channel = Some(channel);
            status.last_error = None;
        });
    }

    pub(super) fn refused(&self, of: Channel<'_>, reason: &str) {
        let hub = self.endpoint.name();
        tracing::warn!(hub, miner = %of.miner, kind = ?of.kind, reason, "gateway registration");
        self.change(of, ChannelState::Waiting, |status| {
            status.channel = None;
            status.last_error = Some(bounded(reason));
        });
    }

    pub(super) fn count(&self, of: Channel<'_>, answered: bool) {
        self.modify(of, |status| match answered {
            true => status.answered += 1,
            false => status.failed += 1,
        });
    }

    fn change(&self, of: Channel<'_>, state: ChannelState, more: impl FnOnce(&mut ChannelStatus)) {
        let now = of.shared.options.clock.now();
        self.modify(of, |status| {
            if status.state != state {
                (status.state, status.since) = (state, now);
            }
            more(status);
        });
    }

    fn modify(&self, of: Channel<'_>, change: impl FnOnce(&mut ChannelStatus)) {
        self.status.send_modify(|status| {
            let mut channels = status.channels.iter_mut();
            if let Some(found) = channels.find(|c| c.miner == of.miner && c.kind == of.kind) {
                change(found);
            }
        });
    }
}

/// Which channel of a hub.
#[derive(Clone, Copy)]
pub(super) struct Channel<'a> {
    pub(super) shared: &'a Shared,
    pub(super) miner: Address,
    pub(super) kind: Kind,
}

pub(super) fn bounded(text: &str) -> String {
    text.chars().take(MAX_REASON).collect()
}

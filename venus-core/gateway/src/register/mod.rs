//! How a provider comes to be offered, and how that ends.
//!
//! A channel enters the registry *before* anything is looked up about it: whatever is taken away from then on ends it,
//! so that no answer that was true a moment ago outlives what it says. It is offered in one step once everything is
//! proven, and leaves in one step, whoever ends it.

mod bind;
mod challenge;
mod end;
mod failures;
mod gauges;
mod handshake;
mod policy;
mod recheck;
mod report;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use venus_core::api::IdentityError;
use venus_core::types::Address;

use crate::channel::{Channel, SignBytes};
use crate::error::HubError;
use crate::hub::Hub;
use crate::list;
use crate::provider::{Events, Kind, Provider};

pub use end::Ended;
pub use failures::Failure;
pub(crate) use failures::Failures;
pub(crate) use gauges::{Cause, changed};
pub(crate) use policy::{check_name, not_granted};
pub(crate) use recheck::Recheck;
pub(crate) use report::{Refusals, bounded};

/// What a provider wants to be.
pub(crate) struct Asked {
    pub(crate) kind: Kind,
    pub(crate) miner: Option<Address>,
    pub(crate) ext: Vec<String>,
    pub(crate) sign_bytes: SignBytes,
}

impl Asked {
    pub(crate) fn miner(kind: Kind, miner: Address) -> Self {
        Self { kind, miner: Some(miner), ext: Vec::new(), sign_bytes: SignBytes::default() }
    }
}

impl Hub {
    /// A channel that may answer, and is offered to nobody yet.
    pub(crate) fn open(&self, who: Provider, asked: Asked) -> Result<(Arc<Channel>, Events), HubError> {
        let options = self.options();
        let (queue, events) = mpsc::channel(options.limits.queue.max(1));
        let channel = Channel::new(options.id()?, asked.kind, who, asked.miner, options.clock.now(), queue)
            .of_wallet(&asked.ext, asked.sign_bytes);
        let channel = Arc::new(channel);
        {
            let mut state = self.inner.registry.write();
            // Under the lock, because a shutdown ends what is in the registry and what is not may not come.
            if self.inner.stop.is_cancelled() {
                return Err(HubError::Stopped);
            }
            state.admit(channel.clone(), &options.limits)?;
        }
        Ok((channel.clone(), Events::new(self.clone(), channel, events)))
    }

    /// Offers a prover or sealer, in one step.
    pub(crate) fn offer_miner(&self, channel: &Arc<Channel>, miner: Address) -> Result<(), HubError> {
        let mut state = self.inner.registry.write();
        if !state.offer_miner(channel, miner) {
            return Err(self.gone());
        }
        gauges::publish(&state.counts());
        Ok(())
    }

    /// What came of an attempt to open a channel, noted for those who ask why. A wallet that was accepted is not yet
    /// registered.
    pub(crate) fn noted(
        &self,
        who: &Provider,
        kind: Kind,
        opened: Result<Events, HubError>,
    ) -> Result<Events, HubError> {
        match &opened {
            Ok(_) if kind == Kind::Wallet => {}
            Ok(_) => {
                gauges::registered(kind, "complete");
                self.inner.failures.healed(who, kind);
            }
            // It went, or was sent away, which is no failure of the registration.
            Err(HubError::Closed | HubError::Stopped) => gauges::registered(kind, "left"),
            Err(error) => {
                gauges::registered(kind, "refused");
                self.inner.failures.note(who, kind, self.now(), &error.to_string());
            }
        }
        opened
    }

    /// The time of lists.
    pub(crate) fn now(&self) -> OffsetDateTime {
        list::time(self.options().clock.now())
    }

    /// Ends a channel. Ending it twice is fine. Whether this was the end.
    pub(crate) fn close(&self, channel: &Channel, cause: Cause) -> bool {
        channel.ended.cancel();
        let mut state = self.inner.registry.write();
        let was_there = state.leave(channel);
        if was_there {
            gauges::left(channel.kind, cause);
            gauges::publish(&state.counts());
        }
        was_there
    }

    /// Ends a channel after what is queued.
    pub(crate) fn give_up(&self, channel: &Channel) {
        channel.keep_last_words();
        self.close(channel, Cause::Failed);
    }

    /// The end of the time that a registration may take.
    pub(crate) fn handshake_end(&self) -> Instant {
        // A century is as good as for ever, and does not overflow.
        Instant::now() + self.options().handshake.min(Duration::from_secs(100 * 365 * 24 * 3600))
    }

    /// What `work` comes to, unless the channel ends first or the time is over.
    pub(crate) async fn in_time<T>(
        &self,
        channel: &Channel,
        end: Instant,
        late: HubError,
        work: impl Future<Output = Result<T, HubError>>,
    ) -> Result<T, HubError> {
        tokio::select! {
            biased;
            () = channel.ended.cancelled() => Err(self.gone()),
            done = timeout_at(end, work) => done.unwrap_or(Err(late)),
        }
    }

    /// The provider was too slow.
    pub(crate) fn slow_provider(&self, method: &'static str) -> HubError {
        HubError::Timeout { method, after: self.options().handshake }
    }

    /// The directory was too slow.
    pub(crate) fn slow_directory(&self, method: &'static str) -> HubError {
        let source = IdentityError::Timeout(self.options().handshake);
        HubError::Identity { context: method.to_owned(), source }
    }

    fn gone(&self) -> HubError {
        if self.inner.stop.is_cancelled() {
            return HubError::Stopped;
        }
        HubError::Closed
    }
}

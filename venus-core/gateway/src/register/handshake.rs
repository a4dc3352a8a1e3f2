//! A wallet's registration after its policy was accepted: list, challenges, offer, binding, `InitConnect`.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use futures::StreamExt;
use tokio::time::Instant;
use venus_core::json::Json;
use venus_core::types::Address;
use venus_core::types::gateway::ConnectedCompleted;

use super::gauges;
use super::report::Refusals;
use crate::channel::Channel;
use crate::error::HubError;
use crate::hub::Hub;

/// The most bytes that the text of one address takes in a list, with some room for spaces.
const ADDRESS_TEXT: usize = 128;

impl Hub {
    /// Runs in the background until the wallet is registered, or its channel has ended.
    pub(crate) fn shake_hands(
        &self,
        channel: Arc<Channel>,
        supports: BTreeSet<String>,
        refusals: Refusals,
        end: Instant,
    ) {
        let hub = self.clone();
        self.inner.tasks.spawn(async move {
            let work = hub.register_wallet(&channel, supports, refusals);
            let done = hub.in_time(&channel, end, hub.slow_provider("the registration"), work).await;
            hub.shaken(&channel, done);
        });
    }

    fn shaken(&self, channel: &Channel, done: Result<Refusals, HubError>) {
        let (who, kind) = (&channel.provider, channel.kind);
        match done {
            Ok(refusals) => match refusals.summary() {
                None => {
                    gauges::registered(kind, "complete");
                    self.inner.failures.healed(who, kind);
                }
                Some(reason) => {
                    gauges::registered(kind, "partial");
                    self.inner.failures.note(who, kind, self.now(), &reason);
                }
            },
            // It went, or was sent away, which is no failure of the registration.
            Err(_) if channel.ended.is_cancelled() => gauges::registered(kind, "left"),
            Err(error) => {
                gauges::registered(kind, "failed");
                self.inner.failures.note(who, kind, self.now(), &error.to_string());
                self.give_up(channel);
            }
        }
    }

    async fn register_wallet(
        &self,
        channel: &Arc<Channel>,
        supports: BTreeSet<String>,
        mut refusals: Refusals,
    ) -> Result<Refusals, HubError> {
        let announced = self.list_of(channel).await?;
        let proven = self.proven(channel, &announced, &mut refusals).await?;
        {
            let mut state = self.inner.registry.write();
            if !state.offer_wallet(channel, proven.iter().copied(), supports.iter().cloned()) {
                return Err(HubError::Closed);
            }
            gauges::publish(&state.counts());
        }
        self.bind(channel, supports, &proven, &mut refusals).await;
        self.report(channel, &refusals);
        self.tell(channel, "InitConnect", &ConnectedCompleted { channel_id: channel.id })?;
        Ok(refusals)
    }

    /// What the wallet says that it has, each address once.
    async fn list_of(&self, channel: &Channel) -> Result<Vec<Address>, HubError> {
        let failed = |reason: String| HubError::Unproven(format!("WalletList failed: {reason}"));
        // Half of all, so that it is known what the wallet did not do.
        let within = self.options().handshake / 2;
        let answer = self.ask_wallet(channel, "WalletList", Vec::new(), within).await.map_err(failed)?;
        let most = self.options().limits.addresses;
        if answer.len() > most.saturating_mul(ADDRESS_TEXT).saturating_add(1024) {
            return Err(HubError::TooMany("addresses of one wallet"));
        }
        let list: Option<Vec<Json<Address>>> =
            serde_json::from_slice(&answer).map_err(|error| failed(error.to_string()))?;
        let mut seen = HashSet::new();
        let mut list: Vec<Address> = list.unwrap_or_default().into_iter().map(Json::into_inner).collect();
        list.retain(|address| seen.insert(*address));
        match list.len() > most {
            true => Err(HubError::TooMany("addresses of one wallet")),
            false => Ok(list),
        }
    }

    /// Those that proved themselves, in their order. One that does not is left out and reported, and refuses all under
    /// [`strict`](crate::HubOptions::strict).
    async fn proven(
        &self,
        channel: &Arc<Channel>,
        announced: &[Address],
        refusals: &mut Refusals,
    ) -> Result<Vec<Address>, HubError> {
        let mut good = HashSet::new();
        let mut proofs = std::pin::pin!(self.prove(channel, announced));
        while let Some((n, result)) = proofs.next().await {
            let Some(address) = announced.get(n) else { continue };
            match result {
                Ok(()) => _ = good.insert(*address),
                Err(error) => {
                    refusals.address(address, &error.to_string());
                    if self.options().strict {
                        self.report(channel, refusals);
                        return Err(error);
                    }
                }
            }
        }
        // Go's wallets know no other challenge than Go's, and can tell nobody.
        if good.is_empty() && !announced.is_empty() && channel.ext.is_empty() && !self.is_legacy(channel) {
            refusals.hint(
                "a wallet of Go answers no challenge that names the gateway; \
                 if it is one, list its account under legacy",
            );
        }
        Ok(announced.iter().filter(|address| good.contains(address)).copied().collect())
    }
}

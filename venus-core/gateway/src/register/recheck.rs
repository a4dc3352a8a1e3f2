//! Looking up again what is registered, after changes may have been missed.

use std::collections::BTreeSet;
use std::sync::Once;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::sync::watch;
use tokio::time::sleep;
use venus_core::api::IdentityError;
use venus_core::types::Address;

use super::Ended;
use crate::hub::Hub;

/// Lookups at once.
const AT_ONCE: usize = 16;
/// The first pause before what could not be looked up is tried again, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(5)];

/// How often it was asked for. One task works for all of it, so that a stream of changes that keeps breaking costs one
/// look-up at a time.
#[derive(Debug)]
pub(crate) struct Recheck {
    asked: watch::Sender<u64>,
    started: Once,
}

impl Default for Recheck {
    fn default() -> Self {
        Self { asked: watch::Sender::new(0), started: Once::new() }
    }
}

/// Something that may have been taken away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Held {
    Account(String),
    Miner(String, Address),
}

impl Hub {
    /// Has everything that is registered looked up again in the background.
    pub(super) fn look_up_again(&self) {
        let asked = self.inner.recheck.asked.subscribe();
        self.inner.recheck.started.call_once(|| {
            let hub = self.clone();
            self.inner.tasks.spawn(async move {
                let stop = hub.inner.stop.clone();
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = hub.keep_looking(asked) => {}
                }
            });
        });
        self.inner.recheck.asked.send_modify(|asked| *asked += 1);
    }

    async fn keep_looking(&self, mut asked: watch::Receiver<u64>) {
        // The sender lives in the hub, which this holds.
        while asked.changed().await.is_ok() {
            let mut left = self.held();
            let [mut pause, longest] = PAUSES;
            loop {
                left = self.look_up(left).await;
                if left.is_empty() || asked.has_changed().unwrap_or(true) {
                    break;
                }
                tracing::warn!(left = left.len(), "cannot find out who may still register; trying again");
                sleep(pause).await;
                pause = (pause * 2).min(longest);
            }
        }
    }

    /// What the registered channels rest on.
    fn held(&self) -> BTreeSet<Held> {
        let state = self.inner.registry.read();
        let mut held = BTreeSet::new();
        for channel in state.channels() {
            let account = &channel.provider.account;
            held.insert(Held::Account(account.clone()));
            held.extend(channel.miner.map(|miner| Held::Miner(account.clone(), miner)));
        }
        let supported = state.accounts().flat_map(|(_, account)| &account.supports);
        held.extend(supported.cloned().map(Held::Account));
        held
    }

    /// Ends what is gone. What nobody could tell is returned.
    async fn look_up(&self, held: BTreeSet<Held>) -> BTreeSet<Held> {
        let lookups = held.into_iter().map(|held| async move {
            let there = self.is_there(&held).await;
            (held, there)
        });
        let mut lookups = stream::iter(lookups).buffer_unordered(AT_ONCE);
        let mut unknown = BTreeSet::new();
        while let Some((held, there)) = lookups.next().await {
            match (there, held) {
                (Ok(true), _) => {}
                (Ok(false), Held::Account(account)) => _ = self.end(&Ended::Account(account)),
                (Ok(false), Held::Miner(account, miner)) => _ = self.end(&Ended::Miner(account, miner)),
                (Err(_), held) => _ = unknown.insert(held),
            }
        }
        unknown
    }

    async fn is_there(&self, held: &Held) -> Result<bool, IdentityError> {
        let found = match held {
            Held::Account(name) => self.inner.directory.account(name).await.map(|found| found.enabled),
            Held::Miner(account, miner) => {
                let owner = self.inner.directory.account_of_miner(miner).await;
                owner.map(|owner| owner.as_ref() == Some(account))
            }
        };
        match found {
            Err(IdentityError::AccountNotFound(_) | IdentityError::Disabled(_)) => Ok(false),
            found => found,
        }
    }
}

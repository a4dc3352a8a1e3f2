//! What the loop of a hub and the handle share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;
use venus_core::clock::Clock;
use venus_core::rpc::client::RpcClient;
use venus_core::types::gateway::{RegisterRefusal, RegisterReport};
use venus_core::types::{Address, address};

use super::config::{HubConfig, Target};
use super::status::{HubState, HubStatus};

/// A hub, seen from outside of its loop.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) config: HubConfig,
    pub(super) target: Target,
    clock: Arc<dyn Clock>,
    status: watch::Sender<HubStatus>,
    /// What is announced with every registration.
    support: Mutex<Vec<String>>,
    /// The connection, while the hub can use the keys.
    connection: Mutex<Option<RpcClient>>,
}

impl Live {
    pub(super) fn new(config: HubConfig, target: Target, clock: Arc<dyn Clock>) -> Self {
        let status = HubStatus {
            hub: config.name.clone(),
            url: target.url.split('?').next().unwrap_or_default().to_owned(),
            state: HubState::Connecting,
            since: clock.now(),
            channel: None,
            addresses: Vec::new(),
            accounts: Vec::new(),
            refused: Vec::new(),
            last_error: None,
        };
        let support = Mutex::new(config.support_accounts.clone());
        let live = Self {
            config,
            target,
            clock,
            status: watch::Sender::new(status),
            support,
            connection: Mutex::default(),
        };
        live.status.send_modify(|status| status.accounts = live.accounts());
        live
    }

    pub(super) fn status(&self) -> watch::Receiver<HubStatus> {
        self.status.subscribe()
    }

    pub(super) fn support(&self) -> Vec<String> {
        lock(&self.support).clone()
    }

    /// The wallet's account and those that it supports.
    pub(super) fn accounts(&self) -> Vec<String> {
        let mut accounts: Vec<String> = self.target.account.clone().into_iter().collect();
        for account in self.support() {
            if !accounts.contains(&account) {
                accounts.push(account);
            }
        }
        accounts
    }

    /// False if it is among them already.
    pub(super) fn support_account(&self, account: &str) -> bool {
        let mut support = lock(&self.support);
        let fresh = !support.iter().any(|known| known == account);
        if fresh {
            support.push(account.to_owned());
        }
        drop(support);
        self.status.send_modify(|status| status.accounts = self.accounts());
        fresh
    }

    /// The connection and the channel, while the hub can use the keys.
    pub(super) fn connection(&self) -> Option<(RpcClient, Uuid)> {
        let channel = self.status.borrow().channel?;
        lock(&self.connection).clone().map(|client| (client, channel))
    }

    pub(super) fn enter(&self, state: HubState) {
        *lock(&self.connection) = None;
        self.change(state, |status| status.channel = None);
    }

    pub(super) fn failed(&self, error: &str) {
        tracing::warn!(hub = %self.config.name, error, "gateway registration");
        let error: String = error.chars().take(500).collect();
        *lock(&self.connection) = None;
        self.change(HubState::Waiting, |status| {
            status.channel = None;
            status.last_error = Some(error);
        });
    }

    pub(super) fn ready(&self, client: &RpcClient, channel: Uuid) {
        tracing::info!(hub = %self.config.name, "registered at gateway");
        *lock(&self.connection) = Some(client.clone());
        self.change(HubState::Ready, |status| {
            status.channel = Some(channel);
            status.last_error = None;
        });
    }

    pub(super) fn announced(&self, addresses: Vec<Address>) {
        self.status.send_modify(|status| status.addresses = addresses);
    }

    /// What the hub did not take, of a whole registration or, later, of what was added to it.
    pub(super) fn reported(&self, payload: &[u8], was_ready: bool) {
        let hub = &self.config.name;
        let Ok(report) = serde_json::from_slice::<RegisterReport>(payload) else {
            return tracing::debug!(%hub, "malformed report");
        };
        let refused: Vec<_> = report.refused.into_iter().take(MAX_REFUSED).map(bounded).collect();
        for RegisterRefusal { subject, reason } in &refused {
            tracing::warn!(%hub, subject, reason, "not taken by the gateway");
        }
        self.status.send_modify(|status| {
            status
                .refused
                .retain(|known| was_ready && refused.iter().all(|new| new.subject != known.subject));
            status.refused.extend(refused);
            status.refused.truncate(MAX_REFUSED);
        });
    }

    pub(super) fn announced_one(&self, address: Address, there: bool) {
        self.status.send_modify(|status| {
            // It was taken, or is offered no more.
            status.refused.retain(|known| address::parse(&known.subject) != Ok(address));
            status.addresses.retain(|known| *known != address);
            if there {
                status.addresses.push(address);
            }
        });
    }

    /// The keys that were announced.
    pub(super) fn addresses(&self) -> Vec<Address> {
        self.status.borrow().addresses.clone()
    }

    fn change(&self, state: HubState, more: impl FnOnce(&mut HubStatus)) {
        let now = self.clock.now();
        self.status.send_modify(|status| {
            if status.state != state {
                status.since = now;
            }
            status.state = state;
            if state != HubState::Ready && state != HubState::Registering {
                status.addresses.clear();
            }
            if state == HubState::Registering {
                status.refused.clear();
            }
            more(status);
        });
    }
}

/// As many refusals as are kept; a wallet may have thousands of keys, all wrong for one reason.
const MAX_REFUSED: usize = 256;

/// As much of a foreign text as is kept.
fn bounded(refusal: RegisterRefusal) -> RegisterRefusal {
    let shorten = |text: String| text.chars().take(300).collect();
    RegisterRefusal { subject: shorten(refusal.subject), reason: shorten(refusal.reason) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

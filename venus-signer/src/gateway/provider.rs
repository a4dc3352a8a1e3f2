//! All hubs together.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::join_all;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use venus_core::error::{Classify, ErrorKind};
use venus_core::json::Json;
use venus_core::rpc::CallError;
use venus_core::types::Address;

use super::config::{GatewayOptions, HubConfig, HubConfigError};
use super::hub::Hub;
use super::live::Live;
use super::session::tell;
use super::status::HubStatus;
use super::wallet::WalletHandler;
use super::wire::{ADD_ADDRESS, REMOVE_ADDRESS, SUPPORT_ACCOUNT, params};

/// Registers a wallet at hubs.
#[derive(Clone, Copy, Debug)]
pub struct GatewayProvider;

impl GatewayProvider {
    /// Starts to register at all hubs, and returns at once: a hub that is down is tried again until it is there. A
    /// wallet that is locked registers as soon as it is unlocked.
    ///
    /// Needs a Tokio runtime. Everything ends with [`GatewayHandle::shutdown`], or when the handle is dropped.
    ///
    /// # Errors
    /// [`HubConfigError`]; nothing was started then.
    pub fn start(
        wallet: impl WalletHandler,
        hubs: Vec<HubConfig>,
        options: GatewayOptions,
    ) -> Result<GatewayHandle, HubConfigError> {
        let wallet: Arc<dyn WalletHandler> = Arc::new(wallet);
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let lives = lives(hubs, &options)?;
        for live in &lives {
            let (live, wallet, options) = (live.clone(), wallet.clone(), options.clone());
            tasks.spawn(Hub { live, wallet, options, stop: stop.clone() }.run());
        }
        let guard = stop.clone().drop_guard();
        let inner = Inner { lives, stop, tasks: Mutex::new(Some(tasks)), _guard: guard };
        Ok(GatewayHandle { inner: Arc::new(inner) })
    }
}

fn lives(hubs: Vec<HubConfig>, options: &GatewayOptions) -> Result<Vec<Arc<Live>>, HubConfigError> {
    let (mut names, mut ids) = (HashSet::new(), HashSet::new());
    let mut lives = Vec::with_capacity(hubs.len());
    for hub in hubs {
        if [&hub.name, &hub.id].iter().any(|text| text.is_empty() || text.len() > 256) {
            return Err(HubConfigError::Name(hub.name.chars().take(64).collect()));
        }
        if !names.insert(hub.name.clone()) || !ids.insert(hub.id.clone()) {
            return Err(HubConfigError::Twice(hub.name));
        }
        let target = hub.target(options.limits)?;
        lives.push(Arc::new(Live::new(hub, target, options.clock.clone())));
    }
    Ok(lives)
}

/// Why a hub did not do what it was told. Others have been told all the same.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The hub refused, or could not be reached. Its own words are in the source.
    #[error("hub {hub}: {source}")]
    Hub {
        /// The hub's name.
        hub: String,
        /// What it said.
        #[source]
        source: CallError,
    },
    /// The account is supported at all hubs already.
    #[error("account {0} has exit")]
    AlreadySupported(String),
}

impl Classify for GatewayError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Hub { source, .. } => source.kind(),
            Self::AlreadySupported(_) => ErrorKind::Conflict,
        }
    }
}

/// The registrations of a wallet. Clones are the same; the last one that is dropped ends them.
#[derive(Clone)]
pub struct GatewayHandle {
    inner: Arc<Inner>,
}

struct Inner {
    lives: Vec<Arc<Live>>,
    stop: CancellationToken,
    tasks: Mutex<Option<JoinSet<()>>>,
    _guard: DropGuard,
}

impl fmt::Debug for GatewayHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GatewayHandle").field(&self.status()).finish()
    }
}

impl GatewayHandle {
    /// How the registrations stand, in the order of the configuration.
    pub fn status(&self) -> Vec<HubStatus> {
        self.inner.lives.iter().map(|live| live.status().borrow().clone()).collect()
    }

    /// Whether all hubs can use the keys. Without hubs they can.
    pub fn is_ready(&self) -> bool {
        self.inner.lives.iter().all(|live| live.status().borrow().is_ready())
    }

    /// Returns once every hub can use the keys, or has been able to since this was called.
    pub async fn wait_ready(&self) {
        let ready = async |live: &Arc<Live>| {
            let _ = live.status().wait_for(HubStatus::is_ready).await;
        };
        join_all(self.inner.lives.iter().map(ready)).await;
    }

    /// Announces addresses at all hubs that are ready, again if they were announced before. New keys of the wallet are
    /// announced without being told.
    ///
    /// # Errors
    /// The first [`GatewayError`]; the other hubs have been told.
    pub async fn add_address(&self, addresses: &[Address]) -> Result<(), GatewayError> {
        self.tell_all(ADD_ADDRESS, addresses).await
    }

    /// Withdraws addresses from all hubs that are ready, until they are announced again. Removed keys are withdrawn
    /// without being told.
    ///
    /// # Errors
    /// The first [`GatewayError`]; the other hubs have been told.
    pub async fn remove_address(&self, addresses: &[Address]) -> Result<(), GatewayError> {
        self.tell_all(REMOVE_ADDRESS, addresses).await
    }

    /// Serves another account, at hubs that are ready from now on, at the others with their next registration. It is
    /// for the caller to write it into the configuration.
    ///
    /// # Errors
    /// [`GatewayError::AlreadySupported`]; else the first [`GatewayError`], and the account is supported nevertheless.
    pub async fn support_account(&self, account: &str) -> Result<(), GatewayError> {
        let fresh = self.inner.lives.iter().filter(|live| live.support_account(account));
        let fresh: Vec<_> = fresh.collect();
        if fresh.is_empty() && !self.inner.lives.is_empty() {
            return Err(GatewayError::AlreadySupported(account.to_owned()));
        }
        let tell = async |live: &Arc<Live>| {
            let Some((client, channel)) = live.connection() else { return Ok(()) };
            let call = client.call_raw(SUPPORT_ACCOUNT, Some(&params(&(Json(channel), account)))).await;
            call.map(|_| ()).map_err(|source| refused(live, source))
        };
        join_all(fresh.into_iter().map(tell)).await.into_iter().collect()
    }

    /// Ends all registrations and returns when nothing of them runs any more.
    pub async fn shutdown(&self) {
        self.inner.stop.cancel();
        let tasks = self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut tasks) = tasks {
            while tasks.join_next().await.is_some() {}
        }
    }

    async fn tell_all(&self, method: &'static str, addresses: &[Address]) -> Result<(), GatewayError> {
        let told = async |live: &Arc<Live>| {
            let Some((client, channel)) = live.connection() else { return Ok(()) };
            tell(live, &client, channel, method, addresses).await.map_err(|source| refused(live, source))
        };
        join_all(self.inner.lives.iter().map(told)).await.into_iter().collect()
    }
}

fn refused(live: &Live, source: CallError) -> GatewayError {
    GatewayError::Hub { hub: live.config.name.clone(), source }
}

//! The gateways of the configuration.

use std::path::{Path, PathBuf};
use std::sync::Mutex as StdMutex;
use std::sync::PoisonError;

use async_trait::async_trait;
use tokio::sync::Mutex;
use venus_bins_common::listen::in_clear;
use venus_core::error::{BoxError, ErrorKind};
use venus_core::rpc::ApiInfo;
use venus_core::types::Address;
use venus_signer::LocalWallet;
use venus_signer::gateway::{GatewayHandle, GatewayOptions, GatewayProvider, HubConfig, HubStatus};
use venus_signer::server::{Hubs, Said};

use crate::config::edit;
use crate::config::{Config, RegisterHub};

/// Longest name of an account.
const MAX_ACCOUNT: usize = 256;

/// The registrations, and the file that lists the accounts.
#[derive(Debug)]
pub(super) struct Gateways {
    repo: PathBuf,
    handle: GatewayHandle,
    accounts: StdMutex<Vec<String>>,
    /// Changes of the file happen one after the other.
    turn: Mutex<()>,
}

impl Gateways {
    pub(super) fn start(
        wallet: &LocalWallet,
        repo: &Path,
        section: &RegisterHub,
        config: &Config,
    ) -> Result<Self, BoxError> {
        let hubs = section.registerapi.iter().map(|api| hub(api, section, config.compat.gohubs)).collect();
        let handle = GatewayProvider::start(wallet.clone(), hubs, GatewayOptions::default())?;
        let accounts = StdMutex::new(section.supportaccounts.clone());
        Ok(Self { repo: repo.to_owned(), handle, accounts, turn: Mutex::default() })
    }

    pub(super) async fn shutdown(&self) {
        self.handle.shutdown().await;
    }

    fn supports(&self, account: &str) -> bool {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.iter().any(|known| known == account)
    }
}

/// A hub is named after its address, which is what challenges have to name too.
fn hub(api: &str, section: &RegisterHub, legacy: bool) -> HubConfig {
    use secrecy::ExposeSecret;
    // `token:multiaddr`: the token is nothing for logs.
    let name = match api.split_once(':') {
        Some((_, address)) if !api.starts_with('/') && !address.starts_with("//") => address,
        _ => api,
    };
    warn_of_clear_text(api, name);
    let mut hub = HubConfig::new(name, api).support_accounts(&section.supportaccounts);
    if !section.token.expose_secret().is_empty() {
        hub = hub.token(section.token.clone());
    }
    if legacy { hub.legacy() } else { hub }
}

/// Not refused: a wallet of Go dials so, and its hub may have no TLS.
fn warn_of_clear_text(api: &str, name: &str) {
    let url = api.parse::<ApiInfo>().and_then(|info| info.endpoint_url(1));
    if url.is_ok_and(|url| in_clear(&url)) {
        tracing::warn!(hub = name, "the token travels in clear: dial the gateway by wss if it has TLS");
    }
}

#[async_trait]
impl Hubs for Gateways {
    async fn support_account(&self, account: &str) -> Result<(), Said> {
        if account.is_empty() || account.len() > MAX_ACCOUNT || account.chars().any(char::is_control) {
            return Err(Said::new(ErrorKind::Invalid, "account: must have 1 to 256 printable characters"));
        }
        let _turn = self.turn.lock().await;
        if self.supports(account) {
            return Err(Said::new(ErrorKind::Conflict, format!("account {account} has exit")));
        }
        // First the file: an account that a hub knows and a restart forgets is worse than the reverse.
        edit::add_support_account(&self.repo, account)
            .map_err(|error| Said::new(ErrorKind::Internal, format!("config.toml: {error}")))?;
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).push(account.to_owned());
        self.handle
            .support_account(account)
            .await
            .map_err(|error| Said::new(ErrorKind::Transient, error.to_string()))
    }

    async fn add_addresses(&self, addresses: &[Address]) -> Result<(), Said> {
        self.handle
            .add_address(addresses)
            .await
            .map_err(|error| Said::new(ErrorKind::Transient, error.to_string()))
    }

    fn connected(&self) -> Vec<(String, bool)> {
        let state = |hub: HubStatus| (hub.hub.clone(), hub.is_ready());
        self.handle.status().into_iter().map(state).collect()
    }
}

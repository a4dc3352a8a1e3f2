//! The process of a real wallet: `venus-signer` with keys of its own at one hub.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use venus_core::entropy::OsEntropy;
use venus_core::json::Json;
use venus_core::types::Address;
use venus_signer::gateway::{GatewayHandle, GatewayOptions, GatewayProvider, HubConfig};
use venus_signer::{KeyType, LocalWallet};

use super::hub::NAME;
use super::role::{CHILD, ready};
use crate::measure::BenchError;

/// Time for all keys to be registered.
const REGISTERED: Duration = Duration::from_secs(120);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Config {
    /// Of the hub, with its path.
    pub(super) url: String,
    pub(super) token: String,
    pub(super) kind: Kind,
    pub(super) keys: usize,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Kind {
    Secp,
    Bls,
}

impl Kind {
    pub(super) fn key_type(self) -> KeyType {
        match self {
            Self::Secp => KeyType::Secp256k1,
            Self::Bls => KeyType::Bls,
        }
    }
}

/// A wallet whose keys the hub can use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    /// One of the keys.
    pub(super) first: Json<Address>,
    /// From the beginning of the dialling to the hub's confirmation, milliseconds.
    pub(super) registered: f64,
}

/// Registers and says so.
pub(super) async fn run(config: Config) -> Result<GatewayHandle, BenchError> {
    let wallet = LocalWallet::in_memory();
    let mut addresses: Vec<Address> = Vec::with_capacity(config.keys);
    for _ in 0..config.keys {
        let address = wallet.generate(config.kind.key_type(), &OsEntropy).await;
        addresses.push(address.map_err(|error| CHILD.input(error))?);
    }
    let first = addresses.first().ok_or_else(|| CHILD.input("a wallet without keys"))?;
    let hub = HubConfig::new(NAME, &config.url).token(SecretString::from(config.token));
    let start = Instant::now();
    let handle = GatewayProvider::start(wallet, vec![hub], GatewayOptions::default());
    let handle = handle.map_err(|error| CHILD.input(error))?;
    if timeout(REGISTERED, handle.wait_ready()).await.is_err() {
        let why = handle.status().into_iter().find_map(|hub| hub.last_error);
        return Err(CHILD.input(why.unwrap_or_else(|| "the keys were not registered in time".to_owned())));
    }
    ready(&Ready { first: Json(*first), registered: start.elapsed().as_secs_f64() * 1e3 })?;
    Ok(handle)
}

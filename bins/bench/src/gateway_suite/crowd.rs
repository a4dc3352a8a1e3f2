//! The process of many wallets that mostly wait.

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use venus_core::rpc::client::RpcClient;

use super::load::connect;
use super::role::{CHILD, ready};
use super::wallet::{Key, StubWallet};
use crate::measure::BenchError;

/// Registrations at a time.
const AT_A_TIME: usize = 128;

/// Which wallets, and where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Config {
    /// Of the hub, with its path.
    pub(super) url: String,
    /// Those of the wallets, by turns.
    pub(super) tokens: Vec<String>,
    pub(super) sockets: usize,
    /// Wallets on each of them, with one key each.
    pub(super) channels: usize,
    /// The number of the first key.
    pub(super) first: u64,
}

/// All wallets, until they are dropped.
pub(super) type Crowd = Vec<(RpcClient, Vec<StubWallet>)>;

/// Registers all of them and says so.
pub(super) async fn run(config: Config) -> Result<Crowd, BenchError> {
    let mut crowd = Vec::with_capacity(config.sockets);
    let numbers: Vec<usize> = (0..config.sockets).collect();
    for some in numbers.chunks(AT_A_TIME) {
        crowd.extend(try_join_all(some.iter().map(|number| socket(&config, *number))).await?);
    }
    ready(&crowd.len())?;
    Ok(crowd)
}

async fn socket(config: &Config, number: usize) -> Result<(RpcClient, Vec<StubWallet>), BenchError> {
    let token = config.tokens.get(number % config.tokens.len().max(1));
    let token = token.ok_or_else(|| CHILD.input("no token for a wallet"))?;
    let client = connect(CHILD, &config.url, token).await?;
    let mut wallets = Vec::with_capacity(config.channels);
    for channel in 0..config.channels {
        let number = config.first + (number * config.channels + channel) as u64;
        wallets.push(StubWallet::register(CHILD, &client, Key::new(CHILD, number)?, None).await?);
    }
    Ok((client, wallets))
}

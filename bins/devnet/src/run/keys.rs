//! The keys of a genesis. They come from the seed, so that the same seed gives the same chain: whoever knows it knows
//! them all.
//!
//! They live in wallets without a policy and without slashing protection: a devnet signs a second block of an epoch
//! when it is asked for a reorganisation, and every key can be exported anyway.

use std::path::Path;

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use venus_core::entropy::SeededEntropy;
use venus_core::types::{Address, Network, TokenAmount, address};
use venus_devnet::{DevnetConfig, GenesisAccount, GenesisInfo, GenesisMiner};
use venus_signer::{KeyType, LocalWallet, SigningNetwork, Vault};

use super::plan::Plan;
use crate::error::CliError;
use crate::files;

/// How addresses are written: as those of a test network.
const PREFIX: Network = Network::Testnet;

/// What an account of the genesis is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Whatever the user wants.
    Account,
    /// Owns a miner.
    Owner,
    /// Signs the blocks of a miner.
    Worker,
}

/// An account of the genesis, as it is printed and kept.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AccountInfo {
    pub(crate) address: String,
    pub(crate) id: String,
    pub(crate) role: Role,
    pub(crate) key_type: String,
    /// Hex of the exported key, as wallets import it.
    pub(crate) private_key: String,
    /// Balance in the genesis, decimal attoFIL.
    pub(crate) balance: String,
}

/// A miner of the genesis, as it is printed and kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MinerInfo {
    pub(crate) address: String,
    pub(crate) owner: String,
    pub(crate) worker: String,
    /// Sectors that were sealed beforehand.
    pub(crate) sectors: u64,
    pub(crate) sector_size: u64,
    /// Whether producers outside mine for it.
    pub(crate) external: bool,
}

/// All keys of a genesis.
pub(crate) struct Keys {
    /// Every key.
    pub(crate) wallet: LocalWallet,
    entries: Vec<(Address, Role)>,
    miners: Vec<GenesisMiner>,
}

impl Keys {
    /// Makes the keys of a plan anew.
    ///
    /// # Errors
    /// [`CliError::Wallet`].
    pub(crate) async fn new(plan: &Plan) -> Result<Self, CliError> {
        let wallet = wallet();
        let (mut entries, mut miners) = (Vec::new(), Vec::new());
        let accounts = entropy(plan.seed, "accounts");
        for index in 0..plan.accounts {
            let kind = if index % 2 == 0 { KeyType::Secp256k1 } else { KeyType::Bls };
            entries.push((wallet.generate(kind, &accounts).await?, Role::Account));
        }
        for index in 0..plan.miners {
            // Each from a source of its own, so that more accounts or miners leave the first ones as they are.
            let source = entropy(plan.seed, &format!("miner {index}"));
            let owner = wallet.generate(KeyType::Secp256k1, &source).await?;
            let worker = wallet.generate(KeyType::Bls, &source).await?;
            entries.extend([(owner, Role::Owner), (worker, Role::Worker)]);
            miners.push(GenesisMiner { owner, worker, ..GenesisMiner::default() });
        }
        Ok(Self { wallet, entries, miners })
    }

    /// The configuration of the chain.
    pub(crate) fn config(&self, plan: &Plan, balance: &TokenAmount) -> DevnetConfig {
        let account =
            |(address, _): &(Address, Role)| GenesisAccount { address: *address, balance: balance.clone() };
        DevnetConfig {
            seed: plan.seed,
            genesis_timestamp: plan.genesis_time,
            block_delay_secs: plan.epoch,
            accounts: self.entries.iter().map(account).collect(),
            miners: self.miners.clone(),
            ..DevnetConfig::default()
        }
    }

    /// A wallet with all keys but those of these workers: what the node itself may sign with.
    ///
    /// # Errors
    /// [`CliError::Wallet`].
    pub(crate) async fn without(&self, workers: &[Address]) -> Result<LocalWallet, CliError> {
        let node = wallet();
        for (address, _) in self.entries.iter().filter(|(address, _)| !workers.contains(address)) {
            node.import(self.wallet.export(address).await?).await?;
        }
        Ok(node)
    }

    /// The worker of a miner of the genesis, by its place.
    pub(crate) fn worker(&self, index: usize) -> Option<Address> {
        self.miners.get(index).map(|miner| miner.worker)
    }

    /// All accounts of the chain.
    ///
    /// # Errors
    /// [`CliError::Wallet`].
    pub(crate) async fn accounts(&self, genesis: &GenesisInfo) -> Result<Vec<AccountInfo>, CliError> {
        let mut accounts = Vec::new();
        for (entry, (id, _, balance)) in self.entries.iter().zip(&genesis.accounts) {
            let key = self.wallet.export(&entry.0).await?;
            accounts.push(AccountInfo {
                address: text(&entry.0),
                id: text(id),
                role: entry.1,
                key_type: key.key_type().as_str().into(),
                private_key: key.to_hex().expose_secret().into(),
                balance: balance.atto().to_string(),
            });
        }
        Ok(accounts)
    }

    /// All miners of the chain.
    pub(crate) fn miners(&self, genesis: &GenesisInfo, external: &[Address]) -> Vec<MinerInfo> {
        let miners = self.miners.iter().zip(&genesis.miners);
        let info = |(miner, address): (&GenesisMiner, &Address)| MinerInfo {
            address: text(address),
            owner: text(&miner.owner),
            worker: text(&miner.worker),
            sectors: miner.sectors,
            sector_size: miner.sector_size,
            external: external.contains(address),
        };
        miners.map(info).collect()
    }
}

/// Writes each key into a file that wallets import.
///
/// # Errors
/// [`CliError::File`].
pub(crate) fn write_keys(dir: &Path, accounts: &[AccountInfo]) -> Result<(), CliError> {
    let keys = dir.join(files::KEYS);
    files::create_dir(&keys)?;
    for account in accounts {
        let path = keys.join(format!("{}.key", account.address));
        // Syncing hundreds of files takes its time, and they never change.
        if !path.exists() {
            files::write(&path, account.private_key.as_bytes())?;
        }
    }
    Ok(())
}

/// An address as a test network writes it.
pub(crate) fn text(a: &Address) -> String {
    address::format(a, PREFIX)
}

fn wallet() -> LocalWallet {
    let network = SigningNetwork { chain_id: 31_415_926, ..SigningNetwork::default() };
    LocalWallet::builder(Vault::in_memory()).network(network).build()
}

fn entropy(seed: u64, what: &str) -> SeededEntropy {
    SeededEntropy::new(seed, &format!("venus-devnet {what}"))
}

impl std::fmt::Debug for AccountInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountInfo").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::args::{ChainArgs, ClockArg};
    use super::*;

    async fn keys(accounts: u64, miners: u64) -> Keys {
        let tmp = tempfile::tempdir().unwrap();
        let args = ChainArgs {
            seed: Some(3),
            accounts: Some(accounts),
            miners: Some(miners),
            ..ChainArgs::default()
        };
        Keys::new(&Plan::open(tmp.path(), &args, ClockArg::Manual).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn the_seed_decides_and_more_leave_the_first_as_they_are() {
        let (few, many) = (keys(2, 1).await, keys(4, 3).await);
        assert_eq!(few.entries[..2], many.entries[..2]);
        assert_eq!(few.miners[0], many.miners[0]);
        let kinds: Vec<Role> = few.entries.iter().map(|(_, role)| *role).collect();
        assert_eq!(kinds, [Role::Account, Role::Account, Role::Owner, Role::Worker]);
    }

    #[tokio::test]
    async fn workers_outside_are_not_in_the_wallet_of_the_node() {
        use venus_core::api::ISigner;
        let keys = keys(1, 2).await;
        let workers = [keys.worker(0).unwrap(), keys.worker(1).unwrap()];
        let node = keys.without(&workers[..1]).await.unwrap();
        assert!(!node.has(&workers[0]).await.unwrap() && node.has(&workers[1]).await.unwrap());
        assert!(keys.wallet.has(&workers[0]).await.unwrap());
    }
}

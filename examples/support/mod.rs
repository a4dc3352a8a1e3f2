//! A chain in this process for examples that are about something else: one miner, one rich account, and a clock
//! that moves when it is told to.

use std::sync::Arc;
use std::time::Duration;

use venus_core::clock::ManualClock;
use venus_core::entropy::OsEntropy;
use venus_core::prelude::*;
use venus_devnet::{Devnet, DevnetConfig, GenesisAccount, GenesisMiner};
use venus_miner::{FixedProver, Miner, MinerConfig, MinerDeps};
use venus_signer::{KeyType, LocalWallet};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A devnet and who mines on it.
pub(crate) struct Chain {
    /// The node.
    pub(crate) node: Devnet,
    miner: Miner,
    clock: ManualClock,
}

impl Chain {
    /// A chain on which `rich` has a thousand FIL. The key of its miner's worker is made in the wallet.
    pub(crate) async fn new(wallet: &LocalWallet, rich: Address) -> Result<Self> {
        let worker = wallet.generate(KeyType::Bls, &OsEntropy).await?;
        let config = DevnetConfig {
            accounts: vec![GenesisAccount { address: rich, balance: TokenAmount::from_whole(1000) }],
            miners: vec![GenesisMiner { worker, owner: rich, ..GenesisMiner::default() }],
            ..DevnetConfig::default()
        };
        let clock = ManualClock::new(Duration::from_secs(config.genesis_timestamp));
        let node = Devnet::open(config, Arc::new(clock.clone()), None)?;
        let deps = MinerDeps {
            chain: Arc::new(node.clone()),
            producer: Arc::new(node.clone()),
            signer: Arc::new(wallet.clone()),
            prover: Arc::new(FixedProver::new(&node.genesis_info().network)?),
            clock: Arc::new(clock.clone()),
        };
        let miner = Miner::open(MinerConfig::new(":memory:", node.miners()), deps).await?;
        Ok(Self { node, miner, clock })
    }

    /// Lets the time of the next epoch come and the miner try its luck, until there is a block.
    pub(crate) async fn mine(&self) -> Result<()> {
        let head = self.node.head().await?;
        let network = &self.node.genesis_info().network;
        for epoch in head.height() + 1.. {
            self.clock.advance_to(Duration::from_secs(network.timestamp_of(epoch)));
            self.miner.mine_round(epoch, head.key()).await?;
            if self.node.head().await?.key() != head.key() {
                break;
            }
        }
        Ok(())
    }
}

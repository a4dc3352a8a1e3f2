#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Pushes a message and waits until it has landed, on a chain in this process with one miner.

use std::sync::Arc;
use std::time::Duration;

use venus_core::api::MessageRequest;
use venus_core::clock::ManualClock;
use venus_core::entropy::OsEntropy;
use venus_core::prelude::*;
use venus_devnet::{Devnet, DevnetConfig, GenesisAccount, GenesisMiner};
use venus_messager::{Messager, MessagerConfig, MessagerDeps};
use venus_miner::{FixedProver, Miner, MinerConfig, MinerDeps};
use venus_signer::{KeyType, LocalWallet};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let wallet = LocalWallet::in_memory();
    let from = wallet.generate(KeyType::Secp256k1, &OsEntropy).await?;
    let to = wallet.generate(KeyType::Bls, &OsEntropy).await?;
    let chain = Chain::new(&wallet, from).await?;
    let messager = Messager::open(MessagerConfig::default(), chain.messager_deps(&wallet)).await?;

    messager.start()?;
    let request = MessageRequest::transfer(from, to, TokenAmount::from_whole(3));
    messager.push_with_id("rent-of-may", request).await?;
    chain.mine(5).await?;
    let landed = messager.wait("rent-of-may", 1, Duration::from_secs(20)).await?;
    println!("{:?}: {}", landed.state, serde_json::to_string_pretty(&landed.lookup.unwrap())?);
    messager.shutdown().await;
    Ok(())
}

/// A chain on which `rich` has a thousand FIL, and its only miner.
struct Chain {
    node: Arc<Devnet>,
    miner: Miner,
    clock: ManualClock,
}

impl Chain {
    async fn new(wallet: &LocalWallet, rich: Address) -> Result<Self> {
        let worker = wallet.generate(KeyType::Bls, &OsEntropy).await?;
        let config = DevnetConfig {
            accounts: vec![GenesisAccount { address: rich, balance: TokenAmount::from_whole(1000) }],
            miners: vec![GenesisMiner { worker, owner: rich, ..GenesisMiner::default() }],
            ..DevnetConfig::default()
        };
        let clock = ManualClock::new(Duration::from_secs(config.genesis_timestamp));
        let node = Arc::new(Devnet::open(config, Arc::new(clock.clone()), None)?);
        let deps = MinerDeps {
            chain: node.clone(),
            producer: node.clone(),
            signer: Arc::new(wallet.clone()),
            prover: Arc::new(FixedProver::new(&node.genesis_info().network)?),
            clock: Arc::new(clock.clone()),
        };
        let miner = Miner::open(MinerConfig::new(":memory:", node.miners()), deps).await?;
        Ok(Self { node, miner, clock })
    }

    fn messager_deps(&self, wallet: &LocalWallet) -> MessagerDeps {
        MessagerDeps {
            chain: self.node.clone(),
            state: self.node.clone(),
            heads: self.node.clone(),
            pool: self.node.clone(),
            gas: self.node.clone(),
            signer: Arc::new(wallet.clone()),
        }
    }

    async fn mine(&self, epochs: i64) -> Result<()> {
        for epoch in 1..=epochs {
            let time = self.node.genesis_info().network.timestamp_of(epoch);
            self.clock.advance_to(Duration::from_secs(time));
            let head = self.node.head().await?;
            self.miner.mine_round(epoch, head.key()).await?;
        }
        Ok(())
    }
}

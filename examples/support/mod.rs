//! A chain in this process for examples that are about something else: one miner, one rich account, and a clock
//! that moves when it is told to.

use std::sync::Arc;
use std::time::Duration;

use venus_core::clock::ManualClock;
use venus_core::entropy::OsEntropy;
use venus_core::prelude::*;
use venus_core::types::TipsetKey;
use venus_devnet::{Devnet, DevnetConfig, EpochSpec, GenesisAccount, GenesisMiner};
use venus_signer::{KeyType, LocalWallet};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A devnet, and the keys and the clock that it is driven with.
pub(crate) struct Chain {
    /// The node.
    pub(crate) node: Devnet,
    wallet: LocalWallet,
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
        Ok(Self { node, wallet: wallet.clone(), clock })
    }

    /// Lets the time of the next epoch come and the miner try its luck, until there is a block.
    pub(crate) async fn mine(&self) -> Result<()> {
        let network = &self.node.genesis_info().network;
        for epoch in self.node.head().await?.height() + 1.. {
            self.clock.advance_to(Duration::from_secs(network.timestamp_of(epoch)));
            let (base, miners) = (TipsetKey::default(), self.node.miners());
            let spec = EpochSpec { epoch, base, miners, messages: true };
            if !self.node.mine(&spec, &self.wallet).await?.is_empty() {
                break;
            }
        }
        Ok(())
    }
}

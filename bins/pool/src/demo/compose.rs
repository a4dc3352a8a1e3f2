//! The components of a pool, joined through core's traits.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use venus_core::api::{IMessager, MessagerError};
use venus_core::clock::ManualClock;
use venus_core::types::{Address, ChainEpoch, Tipset, TokenAmount};
use venus_devnet::{Devnet, DevnetConfig, GenesisAccount, GenesisMiner};
use venus_messager::store::SqliteStore;
use venus_messager::{Messager, MessagerConfig, MessagerDeps, Sources};
use venus_miner::{FixedProver, Miner, MinerConfig, MinerDeps, MinerError, SqliteReservations};
use venus_signer::LocalWallet;

use super::check::{self, Parts};
use super::error::DemoError;
use super::plan::{Cast, MinerKeys, Transfer};
use super::state::{CHAIN, MESSAGER, MINER, Spec};

/// Genesis of every demo, Unix seconds: fixed, because blocks carry it.
const GENESIS: u64 = 1_700_000_000;
/// What each sender has at the beginning; enough for any number of messages.
const SENDER_FIL: i64 = 100_000;
/// Sectors of each of the pool's miners.
const SECTORS: u64 = 8;
/// No call of a component in the same process may fail because the machine is slow: the chain would depend on it.
const PATIENCE: Duration = Duration::from_secs(600);

/// A pool and its chain.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) clock: ManualClock,
    pub(crate) devnet: Devnet,
    pub(crate) messager: Messager,
    pub(crate) miner: Miner,
    /// The miner that makes the fork, and its keys.
    pub(crate) rival: Option<(Address, LocalWallet)>,
}

impl Pool {
    /// Opens everything that is stored in `dir`, checks that it belongs together, and joins it.
    ///
    /// # Errors
    /// [`DemoError::Damaged`] before anything runs; if a component does not start.
    pub(crate) async fn open(
        spec: &Spec,
        cast: &Cast,
        plan: &[Transfer],
        dir: &Path,
    ) -> Result<Self, DemoError> {
        check::presence(dir, false)?;
        let clock = ManualClock::new(Duration::from_secs(GENESIS));
        let devnet = Devnet::open(config(spec, cast), Arc::new(clock.clone()), Some(&dir.join(CHAIN)))?;
        let mut miners = devnet.miners();
        // The rival stands last in the genesis.
        let rival = cast.rival.as_ref().and_then(|rival| Some((miners.pop()?, rival.wallet.clone())));
        // The first block comes after all of them.
        check::presence(dir, devnet.stats().blocks > 0)?;
        check::databases(dir).await?;
        let messages = Arc::new(SqliteStore::open(&dir.join(MESSAGER)).await.map_err(MessagerError::from)?);
        let blocks = Arc::new(SqliteReservations::open(&dir.join(MINER)).await.map_err(MinerError::from)?);
        let parts = Parts { dir, devnet: &devnet, messages: &*messages, blocks: &*blocks, miners: &miners };
        parts.agree(cast, plan).await?;
        let messager = messager(&devnet, &cast.wallet, dir, messages).await?;
        let miner = miner(&devnet, &cast.wallet, &clock, miners, dir, blocks).await?;
        Ok(Self { clock, devnet, messager, miner, rival })
    }

    /// Lets go of all files.
    pub(crate) async fn close(self) {
        self.messager.shutdown().await;
        self.miner.close().await;
    }

    /// Moves the clock to the beginning of an epoch.
    pub(crate) fn set_clock(&self, epoch: ChainEpoch) {
        let seconds = self.devnet.genesis_info().network.timestamp_of(epoch);
        self.clock.advance_to(Duration::from_secs(seconds));
    }

    /// The last epoch that was mined or tried.
    pub(crate) async fn reached(&self, head: &Tipset) -> Result<ChainEpoch, DemoError> {
        let last = self.miner.last_round().await?.map_or(0, |round| round.epoch);
        Ok(last.max(head.height()))
    }

    /// How many of the transfers the messager knows.
    pub(crate) async fn accepted(&self, plan: &[Transfer]) -> Result<u64, DemoError> {
        let mut accepted = 0;
        for transfer in plan {
            match self.messager.get(&transfer.id).await {
                Ok(_) => accepted += 1,
                Err(MessagerError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(accepted)
    }
}

fn config(spec: &Spec, cast: &Cast) -> DevnetConfig {
    let balance = TokenAmount::from_whole(SENDER_FIL);
    let account = |address: &Address| GenesisAccount { address: *address, balance: balance.clone() };
    let mut miners: Vec<_> = cast.miners.iter().map(|keys| genesis_miner(keys, SECTORS)).collect();
    // A quarter of the power: the rival wins often enough to overtake, whatever the size of the pool.
    let rival_sectors = SECTORS * spec.miners.div_ceil(3);
    miners.extend(cast.rival.iter().map(|rival| genesis_miner(&rival.keys, rival_sectors)));
    DevnetConfig {
        seed: spec.seed,
        genesis_timestamp: GENESIS,
        accounts: cast.senders.iter().map(account).collect(),
        miners,
        ..DevnetConfig::default()
    }
}

fn genesis_miner(keys: &MinerKeys, sectors: u64) -> GenesisMiner {
    GenesisMiner { worker: keys.worker, owner: keys.owner, sectors, ..GenesisMiner::default() }
}

async fn messager(
    devnet: &Devnet,
    wallet: &LocalWallet,
    dir: &Path,
    store: Arc<SqliteStore>,
) -> Result<Messager, DemoError> {
    let config = MessagerConfig {
        node_timeout: PATIENCE,
        sign_timeout: PATIENCE,
        ..MessagerConfig::new(dir.join(MESSAGER))
    };
    let node = Arc::new(devnet.clone());
    let deps = MessagerDeps {
        chain: node.clone(),
        state: node.clone(),
        heads: node.clone(),
        pool: node.clone(),
        gas: node,
        signer: Arc::new(wallet.clone()),
    };
    Ok(Messager::with_store(config, deps, Sources::default(), store).await?)
}

async fn miner(
    devnet: &Devnet,
    wallet: &LocalWallet,
    clock: &ManualClock,
    miners: Vec<Address>,
    dir: &Path,
    store: Arc<SqliteReservations>,
) -> Result<Miner, DemoError> {
    let config = MinerConfig {
        proof_timeout: Some(PATIENCE),
        call_timeout: PATIENCE,
        ..MinerConfig::new(dir.join(MINER), miners)
    };
    let node = Arc::new(devnet.clone());
    let deps = MinerDeps {
        chain: node.clone(),
        producer: node,
        signer: Arc::new(wallet.clone()),
        prover: Arc::new(FixedProver::new(&devnet.genesis_info().network)?),
        clock: Arc::new(clock.clone()),
    };
    Ok(Miner::with_store(config, store, deps).await?)
}

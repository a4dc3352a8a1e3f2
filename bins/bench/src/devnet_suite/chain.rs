//! A chain with one miner, and the signatures of its epochs alone.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use blst::min_pk::SecretKey;
use tokio::runtime::{Builder, Runtime};
use venus_core::api::{GasEstimator, GasSpec, MessageRequest, SignerExt};
use venus_core::clock::ManualClock;
use venus_core::crypto::bls;
use venus_core::testing::doubles::TestSigner;
use venus_core::types::{Address, BlockMsg, SignedMessage, TipsetKey, TokenAmount};
use venus_devnet::{Devnet, DevnetConfig, EpochSpec, GenesisAccount, GenesisMiner};

use crate::measure::{BenchError, Names};

/// Seconds of clock time that no run uses up.
const FAR: u64 = 1 << 32;
/// What an epoch signs: two draws and a header of this size.
const SIGNED_BYTES: [usize; 3] = [32, 32, 700];

/// A chain whose time has come for every epoch.
pub(super) struct Chain {
    runtime: Runtime,
    pub(super) devnet: Devnet,
    signer: TestSigner,
    /// A secp256k1 account with funds.
    pub(super) sender: Address,
    names: Names,
    config: DevnetConfig,
    epoch: i64,
}

impl Chain {
    pub(super) fn new(names: Names, dir: Option<&Path>) -> Result<Self, BenchError> {
        let signer = TestSigner::new(1);
        let (sender, worker) = (signer.new_secp(), signer.new_bls());
        let config = DevnetConfig {
            accounts: vec![GenesisAccount { address: sender, balance: TokenAmount::from_whole(1_000_000) }],
            miners: vec![GenesisMiner { worker, owner: worker, ..GenesisMiner::default() }],
            ..DevnetConfig::default()
        };
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let devnet = open(&config, dir).map_err(|e| names.input(e))?;
        Ok(Self { runtime, devnet, signer, sender, names, config, epoch: 0 })
    }

    /// The same chain again, as after a restart.
    pub(super) fn reopened(self, dir: &Path) -> Result<Self, BenchError> {
        let Self { runtime, devnet, signer, sender, names, config, epoch } = self;
        drop(devnet);
        let devnet = open(&config, Some(dir)).map_err(|e| names.input(e))?;
        Ok(Self { runtime, devnet, signer, sender, names, config, epoch })
    }

    /// Mines the next epoch that the miner wins, which nearly each is.
    pub(super) fn mine(&mut self) -> Result<BlockMsg, BenchError> {
        loop {
            self.epoch += 1;
            let spec = EpochSpec {
                epoch: self.epoch,
                base: TipsetKey::default(),
                miners: self.devnet.miners(),
                messages: true,
            };
            let mined = self.block_on(self.devnet.mine(&spec, &self.signer));
            if let Some(block) = mined.map_err(|e| self.names.input(e))?.pop() {
                return Ok(block);
            }
        }
    }

    /// Signed transfers from `nonce` on.
    pub(super) fn transfers(&self, nonce: u64, count: u64) -> Result<Vec<SignedMessage>, BenchError> {
        let transfer = async |nonce| {
            let one = TokenAmount::from_atto(1);
            let mut message = MessageRequest::transfer(self.sender, self.sender, one).message;
            message.sequence = nonce;
            let message = self.devnet.estimate(&message, &GasSpec::default()).await;
            let message = message.map_err(|e| self.names.input(e))?;
            self.signer.sign_message(&message).await.map_err(|e| self.names.input(e))
        };
        (nonce..nonce + count).map(|nonce| self.block_on(transfer(nonce))).collect()
    }

    pub(super) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

fn open(config: &DevnetConfig, dir: Option<&Path>) -> Result<Devnet, venus_devnet::DevnetError> {
    let clock = ManualClock::new(Duration::from_secs(config.genesis_timestamp + FAR));
    Devnet::open(config.clone(), Arc::new(clock), dir)
}

/// The BLS signatures of one empty epoch with one miner, made and verified, and nothing else.
pub(super) struct BlsWork {
    key: SecretKey,
    public: [u8; bls::PUBLIC_KEY_LEN],
    names: Names,
}

impl BlsWork {
    pub(super) fn new(names: Names) -> Result<Self, BenchError> {
        let key = SecretKey::key_gen(&[7; 32], &[]).map_err(|e| names.failed(format!("{e:?}")))?;
        let public = key.sk_to_pk().compress();
        Ok(Self { key, public, names })
    }

    pub(super) fn epoch(&self) -> Result<(), BenchError> {
        for len in SIGNED_BYTES {
            let bytes = vec![len as u8; len];
            let signature = black_box(self.key.sign(&bytes, bls::DST, &[]).compress());
            bls::verify(&self.public, &bytes, &signature).map_err(|e| self.names.failed(e))?;
        }
        Ok(())
    }
}

/// Nanoseconds that something takes.
pub(super) fn timed<T>(work: impl FnOnce() -> Result<T, BenchError>) -> Result<(T, f64), BenchError> {
    let start = Instant::now();
    let result = work()?;
    // No two clock reads are so close that nothing passes, but a ratio must not become infinite.
    Ok((result, start.elapsed().as_nanos().max(1) as f64))
}

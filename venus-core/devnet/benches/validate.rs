#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Assembling and taking in one block, empty and with messages.

use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tokio::runtime::{Builder, Runtime};
use venus_core::api::{
    BlockProducer, ChainReader, GasEstimator, GasSpec, MessagePool, MessageRequest, SignerExt,
};
use venus_core::clock::ManualClock;
use venus_core::testing::doubles::TestSigner;
use venus_core::types::{BlockMsg, SignedMessage, TipsetKey, TokenAmount};
use venus_devnet::{Devnet, DevnetConfig, EpochSpec, GenesisAccount, GenesisMiner};

const MESSAGES: u64 = 100;

/// A chain, and the messages and block that come next on any other of the same configuration.
struct Fixture {
    runtime: Runtime,
    config: DevnetConfig,
    messages: Vec<SignedMessage>,
    block: BlockMsg,
}

impl Fixture {
    fn new(bls: bool, messages: u64) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let signer = TestSigner::new(1);
        let (from, worker) = (if bls { signer.new_bls() } else { signer.new_secp() }, signer.new_bls());
        let config = DevnetConfig {
            accounts: vec![GenesisAccount { address: from, balance: TokenAmount::from_whole(1000) }],
            miners: vec![GenesisMiner { worker, owner: worker, ..GenesisMiner::default() }],
            ..DevnetConfig::default()
        };
        let devnet = open(&config);
        let (messages, block) = runtime.block_on(async {
            let mut signed = Vec::new();
            for nonce in 0..messages {
                let mut message = MessageRequest::transfer(from, worker, TokenAmount::from_atto(1)).message;
                message.sequence = nonce;
                let message = devnet.estimate(&message, &GasSpec::default()).await.unwrap();
                signed.push(signer.sign_message(&message).await.unwrap());
                devnet.push(signed.last().unwrap()).await.unwrap();
            }
            for epoch in 1.. {
                let miners = devnet.miners();
                let spec = EpochSpec { epoch, base: TipsetKey::default(), miners, messages: true };
                if let Some(block) = devnet.mine(&spec, &signer).await.unwrap().pop() {
                    return (signed, block);
                }
            }
            unreachable!()
        });
        Self { runtime, config, messages, block }
    }

    /// Another chain that knows the messages and not the block.
    fn before(&self) -> Devnet {
        let devnet = open(&self.config);
        for message in &self.messages {
            self.runtime.block_on(devnet.push(message)).unwrap();
        }
        devnet
    }
}

fn open(config: &DevnetConfig) -> Devnet {
    let clock = ManualClock::new(Duration::from_secs(config.genesis_timestamp + 1_000_000));
    Devnet::open(config.clone(), Arc::new(clock), None).unwrap()
}

fn submit(c: &mut Criterion) {
    for (name, bls, messages) in [
        ("empty", false, 0),
        ("100 BLS messages", true, MESSAGES),
        ("100 secp256k1 messages", false, MESSAGES),
    ] {
        let fixture = Fixture::new(bls, messages);
        let mut group = c.benchmark_group("submit_block");
        group.sample_size(10);
        group.bench_function(name, |b| {
            let submit = |devnet: Devnet| {
                fixture.runtime.block_on(devnet.submit_block(&fixture.block)).unwrap();
                devnet
            };
            b.iter_batched(|| fixture.before(), submit, BatchSize::PerIteration);
        });
        group.finish();
    }
}

fn base_info(c: &mut Criterion) {
    let fixture = Fixture::new(false, 0);
    let devnet = fixture.before();
    let miner = devnet.miners()[0];
    let head = fixture.runtime.block_on(devnet.head()).unwrap();
    c.bench_function("base_info", |b| {
        b.iter(|| fixture.runtime.block_on(devnet.base_info(&miner, 1, head.key())).unwrap());
    });
}

criterion_group!(benches, submit, base_info);
criterion_main!(benches);

//! The contracts of the traits.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use support::World;
use venus_core::api::ChainReader;
use venus_core::testing::doubles::ScriptedProver;
use venus_core::testing::suites::{
    self, BlockProducerFixture, ChainReaderFixture, GasEstimatorFixture, HeadFeedFixture, MessagePoolFixture,
    StateReaderFixture, step,
};
use venus_core::types::{Address, ChainEpoch};
use venus_devnet::ForkSpec;

/// A chain with messages of both kinds and null rounds.
async fn world() -> (World, Vec<venus_core::types::Cid>, Option<ChainEpoch>) {
    let world = World::new(11, 3);
    let (cids, null) = world.history(3).await;
    (world, cids, Some(null))
}

#[tokio::test]
async fn chain_reader() {
    let (world, cids, null_round) = world().await;
    for message in cids {
        suites::chain_reader(&world.devnet, &ChainReaderFixture { message, null_round }).await;
    }
}

#[tokio::test]
async fn state_reader() {
    let (world, cids, _) = world().await;
    let genesis = world.devnet.genesis().await.unwrap().key().clone();
    let late = world.send(world.bls, world.secp, 1).await;
    world.extend().await;
    let fixture = StateReaderFixture {
        account: world.bls,
        message: cids[0],
        not_executed: Some(late[0].cid()),
        genesis: genesis.clone(),
    };
    suites::state_reader(&world.devnet, &fixture).await;
    let fixture = StateReaderFixture { account: world.secp, message: cids[4], not_executed: None, genesis };
    suites::state_reader(&world.devnet, &fixture).await;
}

#[tokio::test]
async fn head_feed() {
    let world = &World::new(12, 4);
    let rival = world.devnet.miners()[3];
    let reorg = async || {
        let spec = ForkSpec { depth: 2, producer: rival };
        world.devnet.fork(spec, &*world.signer, &world.clock).await.unwrap();
    };
    let extend = async || world.extend_without(&rival).await;
    // The first two tipsets are what the reorg replaces.
    let fixture = HeadFeedFixture { chain: &world.devnet, extend: step(extend), reorg: step(reorg) };
    suites::head_feed(&world.devnet, &fixture).await;
}

#[tokio::test]
async fn message_pool() {
    for secp in [false, true] {
        let world = &World::new(13, 2);
        let (from, to) = if secp { (world.secp, world.bls) } else { (world.bls, world.secp) };
        let mine = async || {
            world.extend().await;
            world.extend().await;
        };
        let fixture = MessagePoolFixture { signer: &*world.signer, from, to, mine: step(mine) };
        suites::message_pool(&world.devnet, &fixture).await;
    }
}

#[tokio::test]
async fn gas_estimator() {
    let world = World::new(14, 2);
    let stranger = world.signer.new_secp();
    for (from, to) in [(world.bls, world.secp), (world.secp, stranger)] {
        suites::gas_estimator(&world.devnet, &GasEstimatorFixture { from, to }).await;
    }
}

#[tokio::test]
async fn block_producer() {
    let world = World::new(15, 3);
    world.send(world.bls, world.secp, 5).await;
    world.send(world.secp, world.bls, 5).await;
    world.extend().await;
    world.send(world.secp, world.bls, 5).await;
    let fixture = BlockProducerFixture {
        chain: &world.devnet,
        miner: world.devnet.miners()[1],
        signer: &*world.signer,
        prover: &ScriptedProver::new(),
        stranger: Address::new_id(100),
        epoch_begins: Box::new(|epoch| world.at(epoch)),
    };
    suites::block_producer(&world.devnet, &fixture).await;
}

//! The contracts of the traits, kept in every way to the node.

use venus_core::api::ChainReader;
use venus_core::node::FullNode;
use venus_core::testing::doubles::ScriptedProver;
use venus_core::testing::suites::{
    self, BlockProducerFixture, ChainReaderFixture, GasEstimatorFixture, HeadFeedFixture, MessagePoolFixture,
    StateReaderFixture, step,
};
use venus_core::types::Address;
use venus_devnet::ForkSpec;
use venus_devnet::face::FaceKind;

use crate::net::{ADAPTERS, FACES, Net, Way};
use crate::support::World;

/// Reading, gas, sending and mining, one after the other on the same chain.
async fn all(net: &Net, node: &dyn FullNode) {
    reading(net, node).await;
    let world = &net.world;
    suites::gas_estimator(node, &GasEstimatorFixture { from: world.secp, to: world.bls }).await;
    sending(world, node).await;
    mining(world, node).await;
    world.devnet.check_supply().unwrap();
}

async fn reading(net: &Net, node: &dyn FullNode) {
    let world = &net.world;
    let (sent, null_round) = world.history(2).await;
    // One of each kind.
    for message in sent.iter().step_by(2) {
        let fixture = ChainReaderFixture { message: *message, null_round: Some(null_round) };
        suites::chain_reader(node, &fixture).await;
    }
    let genesis = world.devnet.genesis().await.unwrap().key().clone();
    let late = world.send(world.bls, world.secp, 1).await;
    world.extend().await;
    let not_executed = Some(late[0].cid());
    let fixture = StateReaderFixture { account: world.bls, message: sent[0], not_executed, genesis };
    suites::state_reader(node, &fixture).await;
}

async fn sending(world: &World, node: &dyn FullNode) {
    let mine = async || {
        world.extend().await;
        world.extend().await;
    };
    let fixture =
        MessagePoolFixture { signer: &*world.signer, from: world.secp, to: world.bls, mine: step(mine) };
    suites::message_pool(node, &fixture).await;
}

async fn mining(world: &World, node: &dyn FullNode) {
    world.send(world.bls, world.secp, 3).await;
    world.send(world.secp, world.bls, 3).await;
    let fixture = BlockProducerFixture {
        chain: &world.devnet,
        miner: world.devnet.miners()[1],
        signer: &*world.signer,
        prover: &ScriptedProver::new(),
        stranger: Address::new_id(100),
        epoch_begins: Box::new(|epoch| world.at(epoch)),
    };
    suites::block_producer(node, &fixture).await;
    assert_eq!(world.devnet.stats().pending, 0, "the block holds what was pending");
}

/// The head, while sockets are cut before and after it moves.
async fn following(net: &Net, node: &dyn FullNode) {
    let world = &net.world;
    let rival = world.devnet.miners()[3];
    let extend = async || {
        net.link.cut();
        mine_without(world, &rival).await;
    };
    let reorg = async || {
        let spec = ForkSpec { depth: 2, producer: rival };
        world.devnet.fork(spec, &*world.signer, &world.clock).await.unwrap();
        net.link.cut();
    };
    // The first two tipsets are what the reorg replaces.
    let fixture = HeadFeedFixture { chain: &world.devnet, extend: step(extend), reorg: step(reorg) };
    suites::head_feed(node, &fixture).await;
}

/// Puts one block on the head, so that nothing is reverted; none of `rival`, who can make a branch later.
pub(crate) async fn mine_without(world: &World, rival: &Address) {
    use venus_core::api::BlockProducer;
    let base = world.head().await;
    for epoch in base.height() + 1.. {
        let blocks = world.blocks(epoch, &base).await;
        if let Some(block) = blocks.iter().find(|b| b.header.miner != *rival) {
            world.devnet.submit_block(block).await.unwrap();
            break;
        }
    }
}

async fn row(face: FaceKind, way: Way) {
    let net = Net::with_keys(World::new(31, 3), face).await;
    all(&net, &*net.node(way).await).await;
    let net = Net::with_keys(World::new(32, 4), face).await;
    following(&net, &*net.node(way).await).await;
}

#[tokio::test]
async fn in_process() {
    row(FaceKind::Lotus, Way::Process).await;
}

#[tokio::test]
async fn lotus_face() {
    for way in ADAPTERS {
        row(FaceKind::Lotus, way).await;
    }
}

#[tokio::test]
async fn venus_face() {
    for way in ADAPTERS {
        row(FaceKind::Venus, way).await;
    }
}

#[tokio::test]
async fn forest_face() {
    for way in ADAPTERS {
        row(FaceKind::Forest, way).await;
    }
}

/// Without keys Venus leaves a block unsigned; Lotus and Forest refuse, so the adapter makes the header.
#[tokio::test]
async fn blocks_of_nodes_without_keys() {
    for face in FACES {
        for way in ADAPTERS {
            let net = Net::without_keys(World::new(33, 3), face).await;
            net.world.history(2).await;
            mining(&net.world, &*net.node(way).await).await;
        }
    }
}

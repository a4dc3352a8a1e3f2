//! What happens to a running chain: faults that are reported, blocks from outside at odd moments, senders that lose
//! their balance.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use support::{DELAY, GENESIS, World, fil};
use venus_core::actors::miner::{REPORT_CONSENSUS_FAULT, ReportConsensusFaultParams};
use venus_core::api::{
    BlockProducer, BlockReject, ChainError, ChainReader, GasEstimator, GasSpec, MessagePool, MessageRequest,
    NullRound, SignerExt, StateReader,
};
use venus_core::cbor::Encode;
use venus_core::clock::Clock;
use venus_core::types::{Address, BlockHeader, BlockMsg, Message, Tipset, TipsetKey, TokenAmount};
use venus_devnet::{
    Devnet, DevnetClock, DevnetControl, EpochSpec, FakeProver, MineSpec, ReorgSpec, StateChange, UntilSpec,
};

fn driven(seed: u64, miners: usize) -> (World, DevnetControl) {
    let mut world = World::new(seed, miners);
    let clock = DevnetClock::manual(Duration::from_secs(GENESIS));
    world.devnet = Devnet::open(world.config.clone(), Arc::new(clock.clone()), None).unwrap();
    let control = DevnetControl::new(world.devnet.clone(), clock, world.signer.clone(), Arc::new(FakeProver));
    (world, control)
}

fn count(count: u64) -> MineSpec {
    MineSpec { count, ..MineSpec::default() }
}

fn block_of(tipset: &Tipset, miner: Address) -> Option<&BlockHeader> {
    tipset.blocks().iter().find(|block| block.miner == miner)
}

/// Two blocks of one miner and one epoch, as a reorganisation leaves them.
async fn double_fork(world: &World, control: &DevnetControl) -> (BlockHeader, BlockHeader) {
    let old = world.head().await;
    control.fork(&ReorgSpec::default()).await.unwrap();
    let head = world.head().await;
    let new = world.devnet.tipset_at(old.height(), head.key(), NullRound::Before).await.unwrap();
    assert_eq!(new.height(), old.height());
    let first = &old.blocks()[0];
    (first.clone(), block_of(&new, first.miner).expect("the same miners won").clone())
}

#[tokio::test]
async fn a_reported_fault_keeps_its_miner_from_mining_for_a_finality() {
    let (world, control) = driven(81, 3);
    control.mine(&count(4)).await.unwrap();
    let (one, other) = double_fork(&world, &control).await;
    let (miner, reporter) = (one.miner, world.secp);
    let params = ReportConsensusFaultParams {
        header1: one.to_cbor(),
        header2: other.to_cbor(),
        header_extra: Vec::new(),
    };
    let plain = MessageRequest::transfer(reporter, miner, TokenAmount::default()).message;
    let message = Message {
        sequence: world.nonce(&reporter).await,
        method_num: REPORT_CONSENSUS_FAULT,
        params: params.to_cbor().into(),
        ..plain
    };
    let message = world.devnet.estimate(&message, &GasSpec::default()).await.unwrap();
    let signed = world.signer.sign_message(&message).await.unwrap();
    let before = world.devnet.balance(&reporter).await.unwrap();
    let cid = world.devnet.push(&signed).await.unwrap();
    let found = control.mine_until(&UntilSpec { message: cid, confidence: 0, epochs: 20 }).await.unwrap();
    assert!(found.receipt.exit_code.is_success(), "{:?}", found.receipt);
    assert!(
        world.devnet.balance(&reporter).await.unwrap() > before,
        "a quarter of a reward outweighs the gas"
    );
    let reported = world.devnet.tipset_at(found.height - 1, &found.tipset, NullRound::Before).await.unwrap();
    let until = reported.height() + world.config.finality;
    // The same again is refused for as long.
    while world.head().await.height() <= until {
        control.advance(1).await.unwrap();
        let head = world.head().await;
        if head.height() > found.height {
            assert!(block_of(&head, miner).is_none() || head.height() > until + 1, "epoch {}", head.height());
        }
        world.devnet.check_supply().unwrap();
    }
    let mut came_back = false;
    for _ in 0..20 {
        control.mine(&count(1)).await.unwrap();
        came_back |= block_of(&*world.head().await, miner).is_some();
    }
    assert!(came_back);
    world.devnet.check_supply().unwrap();
}

async fn submit(world: &World, block: &BlockMsg) -> Result<(), ChainError> {
    world.devnet.submit_block(block).await
}

#[tokio::test]
async fn blocks_from_outside_come_early_late_and_twice() {
    let (world, control) = driven(82, 3);
    control.mine(&count(2)).await.unwrap();
    let base = world.head().await;
    // Its time has not come; the clock of the world is not that of the devnet.
    let early = loop_blocks(&world, &base).await.pop().unwrap();
    let result = submit(&world, &early).await;
    assert!(
        matches!(&result, Err(ChainError::Block(BlockReject::Rule { rule: "Timestamp", .. }))),
        "{result:?}"
    );
    let due = Duration::from_secs(GENESIS + early.header.height as u64 * DELAY);
    control.clock().advance_to(due);
    submit(&world, &early).await.unwrap();
    let head = world.head().await;
    submit(&world, &early).await.unwrap();
    assert_eq!(world.head().await, head);
    // Late, beside a tipset that others have built on.
    let late = loop_blocks(&world, &head).await;
    control.mine(&MineSpec { miners: Some(vec![late[0].header.miner]), ..count(6) }).await.unwrap();
    let head = world.head().await;
    let known = world.devnet.stats().blocks;
    for block in &late {
        // The miner that mined meanwhile has made this very block, or one on the same parents.
        let _ = submit(&world, block).await;
    }
    assert_eq!(world.head().await, head, "what is late moves nothing");
    assert!(world.devnet.stats().blocks >= known);
    control.mine(&count(3)).await.unwrap();
    assert!(control.clock().now() >= due);
    world.devnet.check_supply().unwrap();
}

/// The blocks of the first epoch after a base that anybody wins.
async fn loop_blocks(world: &World, base: &Tipset) -> Vec<BlockMsg> {
    for epoch in base.height() + 1.. {
        let blocks = world.blocks(epoch, base).await;
        if !blocks.is_empty() {
            return blocks;
        }
    }
    unreachable!()
}

/// Mines a tipset that takes no messages.
async fn mine_empty(world: &World, control: &DevnetControl) {
    for epoch in world.head().await.height() + 1.. {
        control.clock().advance_to(Duration::from_secs(GENESIS + epoch as u64 * DELAY));
        let (base, miners) = (TipsetKey::default(), world.devnet.miners());
        let spec = EpochSpec { epoch, base, miners, messages: false };
        if !world.devnet.mine(&spec, &*world.signer).await.unwrap().is_empty() {
            return;
        }
    }
}

#[tokio::test]
async fn a_sender_whose_balance_is_gone_waits_and_keeps_nobody_waiting() {
    let (world, control) = driven(83, 2);
    control.mine(&count(1)).await.unwrap();
    world.send(world.secp, world.bls, 3).await;
    let balance = |balance| StateChange::SetBalance { address: world.secp, balance };
    world.devnet.change_state(balance(fil(0))).unwrap();
    mine_empty(&world, &control).await;
    world.send(world.bls, world.secp, 2).await;
    control.mine(&count(2)).await.unwrap();
    assert_eq!((world.nonce(&world.bls).await, world.nonce(&world.secp).await), (2, 0));
    assert_eq!(world.devnet.pending().await.unwrap().len(), 3);
    world.devnet.change_state(balance(fil(1))).unwrap();
    control.mine(&count(2)).await.unwrap();
    assert_eq!((world.nonce(&world.secp).await, world.devnet.stats().pending), (3, 0));
    world.devnet.check_supply().unwrap();
}

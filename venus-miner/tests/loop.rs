#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! The loop: time, null rounds, better bases, the end.

mod common;

use std::time::Duration;

use common::{ALL_POWER, World};
use venus_core::api::ChainReader;
use venus_core::types::ChainEpoch;
use venus_miner::{Miner, MinerConfig};

const PROPAGATION: Duration = Duration::from_secs(1);

/// A miner in memory for the miners of `range`.
async fn pool(world: &World, range: std::ops::Range<usize>) -> Miner {
    let config = MinerConfig {
        propagation_delay: PROPAGATION,
        equivocation_delay: Duration::from_secs(1),
        ..MinerConfig::new(":memory:", world.miners[range].to_vec())
    };
    Miner::open(config, world.deps().await).await.unwrap()
}

/// Lets the loop work until `done`; the clock stands still.
async fn until(mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..100_000 {
        if done().await {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never came to that");
}

/// Lets the loop do all it can without time passing.
async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

async fn time_of(world: &World, epoch: ChainEpoch) -> Duration {
    Duration::from_secs(world.chain.network().await.unwrap().timestamp_of(epoch))
}

#[tokio::test]
async fn every_epoch_gets_its_block_and_none_before_its_time() {
    let world = World::new(2, 2).await;
    let miner = pool(&world, 0..2).await;
    let handle = miner.start();
    for epoch in 1..5 {
        world.clock.advance_to(time_of(&world, epoch).await - Duration::from_millis(1));
        settle().await;
        assert_eq!(world.head().height(), epoch - 1);
        world.set_epoch(epoch).await;
        until(async || world.head().height() == epoch && world.head().blocks().len() == 2).await;
    }
    assert_eq!(world.signer.headers(), 8);
    handle.shutdown().await;
    let height = world.head().height();
    world.set_epoch(20).await;
    settle().await;
    assert_eq!(world.head().height(), height, "nothing is mined after the end");
}

#[tokio::test]
async fn epochs_without_winners_are_null_rounds_and_a_late_chain_is_caught_up_with() {
    // A sixteenth of the power wins about every fourth epoch.
    let world = World::with_power(1, 0, ALL_POWER / 16).await;
    let miner = pool(&world, 0..1).await;
    let handle = miner.start();
    let last = 60;
    world.clock.advance_to(time_of(&world, last).await);
    until(async || miner.last_round().await.unwrap().is_some_and(|r| r.epoch == last && r.done)).await;
    handle.shutdown().await;
    let stats = miner.stats().await.unwrap();
    assert_eq!(stats.rounds, last as u64);
    assert_eq!(stats.rounds_won, stats.blocks_mined);
    assert!((5..30).contains(&stats.blocks_mined), "{stats:?}");
    let mut heights = Vec::new();
    let mut at = world.head();
    while at.height() > 0 {
        heights.push(at.height());
        at = world.chain.tipset(&at.parents()).await.unwrap();
    }
    assert_eq!(heights.len() as u64, stats.blocks_mined, "every block is in the chain");
    assert!(heights.windows(2).any(|pair| pair[0] - pair[1] > 1), "there are null rounds");
}

#[tokio::test]
async fn a_better_base_is_taken_before_blocks_are_made() {
    let world = World::new(3, 0).await;
    let ours = pool(&world, 0..1).await;
    let others = pool(&world, 1..3).await;
    world.set_epoch(1).await;
    let genesis = world.head();
    ours.mine_round(1, genesis.key()).await.unwrap();
    let small = world.head();
    assert_eq!(small.blocks().len(), 1);

    let handle = ours.start();
    world.clock.advance_to(time_of(&world, 1).await + PROPAGATION);
    until(async || ours.unfinished_round().await.unwrap() == Some((2, small.key().clone()))).await;
    settle().await;
    // The siblings arrive while the proof is computed.
    others.mine_round(1, genesis.key()).await.unwrap();
    let full = world.head();
    assert_eq!((full.height(), full.blocks().len()), (1, 3));
    world.set_epoch(2).await;
    until(async || world.head().height() == 2).await;
    assert_eq!(world.head().parents(), *full.key());
    assert_eq!(ours.last_round().await.unwrap().unwrap().base, *full.key());
    handle.shutdown().await;
    assert_eq!(world.signer.headers(), 4);
}

#[tokio::test]
async fn another_branch_is_a_better_base_too() {
    let world = World::new(3, 0).await;
    let miner = pool(&world, 2..3).await;
    let genesis = world.head();
    let old = world.chain.mine(&[]).unwrap();
    let handle = miner.start();
    world.clock.advance_to(time_of(&world, 1).await + PROPAGATION);
    until(async || miner.unfinished_round().await.unwrap() == Some((2, old.key().clone()))).await;
    settle().await;
    let new = world.chain.extend(genesis.key(), 1, &[vec![], vec![]]).unwrap();
    world.chain.set_head(new.key()).unwrap();
    world.set_epoch(2).await;
    until(async || world.head().height() == 2).await;
    assert_eq!(world.head().parents(), *new.key());
    handle.shutdown().await;
}

#[tokio::test]
async fn a_round_that_was_cut_off_is_completed_by_the_next_start() {
    let world = World::new(1, 0).await;
    let miner = pool(&world, 0..1).await;
    let handle = miner.start();
    // The block is signed, and waits for its time.
    world.clock.advance_to(time_of(&world, 1).await - Duration::from_millis(1));
    until(async || world.signer.headers() == 1).await;
    handle.shutdown().await;
    assert!(miner.unfinished_round().await.unwrap().is_some());
    world.set_epoch(1).await;
    let handle = miner.start();
    until(async || world.head().height() == 1).await;
    handle.shutdown().await;
    assert_eq!(world.signer.headers(), 1);
}

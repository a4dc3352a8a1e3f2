//! What a restart brings back.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::fs;
use std::sync::Arc;

use support::World;
use tempfile::TempDir;
use venus_core::api::{BlockProducer, ChainReader, MessagePool};
use venus_devnet::{Devnet, DevnetConfig, DevnetError, ForkSpec};

#[tokio::test]
async fn a_restart_brings_back_the_chain_and_its_figures() {
    let dir = TempDir::new().unwrap();
    let world = World::open(51, 4, Some(dir.path()));
    let rival = world.devnet.miners()[3];
    let sent = world.send(world.bls, world.secp, 3).await;
    world.send(world.secp, world.bls, 3).await;
    let genesis = world.head().await;
    for block in world.blocks(1, &genesis).await.iter().filter(|b| b.header.miner != rival) {
        world.devnet.submit_block(block).await.unwrap();
    }
    let spec = ForkSpec { depth: 1, producer: rival };
    world.devnet.fork(spec, &*world.signer, &world.clock).await.unwrap();
    world.extend().await;
    world.extend().await;
    let (head, stats) = (world.head().await, world.devnet.stats());
    assert_eq!(stats.reorgs, 1);
    let network = world.devnet.network().await.unwrap();

    let world = world.reopen(dir.path());
    assert_eq!(world.head().await, head);
    assert_eq!(world.devnet.stats(), stats);
    assert_eq!(world.devnet.network().await.unwrap(), network);
    world.devnet.check_supply().unwrap();
    for signed in &sent {
        assert_eq!(world.devnet.push(signed).await.unwrap(), signed.cid(), "what landed is known");
    }
    assert_eq!(world.devnet.stats().pending, 0);
    world.extend().await;
    let head = world.head().await;
    assert_eq!(world.reopen(dir.path()).head().await, head);
}

#[tokio::test]
async fn a_log_torn_at_any_byte_of_its_last_record_loses_that_block_only() {
    let dir = TempDir::new().unwrap();
    let world = World::open(52, 2, Some(dir.path()));
    world.extend().await;
    let log = dir.path().join("blocks.log");
    world.send(world.bls, world.secp, 1).await;
    let base = world.head().await;
    let mut epoch = base.height() + 1;
    let last = loop {
        match world.blocks(epoch, &base).await.pop() {
            Some(block) => break block,
            None => epoch += 1,
        }
    };
    let before = fs::metadata(&log).unwrap().len() as usize;
    world.devnet.submit_block(&last).await.unwrap();
    let (config, clock) = (world.config.clone(), Arc::new(world.clock.clone()));
    drop(world);
    let whole = fs::read(&log).unwrap();
    for len in before..whole.len() {
        fs::write(&log, &whole[..len]).unwrap();
        let devnet = Devnet::open(config.clone(), clock.clone(), Some(dir.path())).unwrap();
        assert_eq!(devnet.head().await.unwrap(), base, "torn at {len}");
        assert_eq!(fs::metadata(&log).unwrap().len() as usize, before);
    }
    fs::write(&log, &whole).unwrap();
    let devnet = Devnet::open(config, clock, Some(dir.path())).unwrap();
    assert!(devnet.head().await.unwrap().cids().contains(&last.cid()));
}

#[tokio::test]
async fn a_round_is_redone_alike_after_a_crash_in_its_middle() {
    let dir = TempDir::new().unwrap();
    let world = World::open(53, 3, Some(dir.path()));
    let mut sent = world.send(world.bls, world.secp, 4).await;
    sent.extend(world.send(world.secp, world.bls, 4).await);
    let base = world.head().await;
    let blocks = world.blocks_of(3).await;
    let epoch = blocks[0].header.height;
    world.devnet.submit_block(&blocks[0]).await.unwrap();

    let world = world.reopen(dir.path());
    for signed in &sent {
        world.devnet.push(signed).await.unwrap();
    }
    assert_eq!(world.blocks(epoch, &base).await, blocks, "the same lists, the same blocks");
    for block in &blocks {
        world.devnet.submit_block(block).await.unwrap();
    }
    assert_eq!(world.head().await.blocks().len(), 3);
}

#[tokio::test]
async fn a_directory_belongs_to_one_configuration_and_one_process() {
    let dir = TempDir::new().unwrap();
    let world = World::open(54, 2, Some(dir.path()));
    let clock = Arc::new(world.clock.clone());
    let open = |config: DevnetConfig| Devnet::open(config, clock.clone(), Some(dir.path()));
    assert!(matches!(open(world.config.clone()), Err(DevnetError::InUse(_))));
    let config = world.config.clone();
    drop(world);
    let other = DevnetConfig { seed: 55, ..config.clone() };
    assert!(matches!(open(other), Err(DevnetError::WrongGenesis { .. })));
    open(config).unwrap();
}

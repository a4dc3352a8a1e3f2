//! What submitting looks at before the rules, and blocks whose messages come as CIDs only.

use std::sync::Arc;

use venus_core::api::{BlockProducer, BlockReject, ChainReader, MessagePool};
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::{BlockMsg, Tipset};
use venus_devnet::{Devnet, DevnetConfig};

use crate::case::{Case, nowhere};
use crate::support::World;

#[tokio::test]
async fn unknown_parents() {
    let case = Case::new().await;
    for parents in [vec![nowhere()], [&case.block.header.parents[..], &[nowhere()]].concat()] {
        let mut block = case.block.clone();
        block.header.parents = parents;
        let reject = case.reject_of(&block).await;
        assert_eq!((reject.kind(), &reject), (ErrorKind::NotFound, &BlockReject::UnknownParents));
    }
    case.goes_on().await;
}

#[tokio::test]
async fn missing_messages_are_named() {
    let case = Case::new().await;
    let mut block = case.block.clone();
    block.secp_messages.push(nowhere());
    assert_eq!(case.reject_of(&block).await, BlockReject::MissingMessage(nowhere()));
    let mut block = case.block.clone();
    block.bls_messages.insert(0, nowhere());
    let reject = case.reject_of(&block).await;
    assert_eq!(reject.to_string(), format!("failed to load message {}", nowhere()));
    case.goes_on().await;
}

/// A node that never saw the messages takes the block once it does, from the pool; and the messages of a block that
/// is on the chain are found there.
#[tokio::test]
async fn bodies_are_looked_up_in_the_pool_and_in_the_chain() {
    let case = Case::new().await;
    let clock = Arc::new(case.world.clock.clone());
    let config = DevnetConfig { states_in_memory: 32, ..case.world.config.clone() };
    let other = Devnet::open(config, clock, None).unwrap();
    let genesis = other.genesis_info().tipset.clone();
    assert_eq!(genesis, case.world.devnet.genesis_info().tipset);
    let blocks = blocks_of(&case.world, &case.base).await;
    for block in blocks.iter().filter(|b| !b.bls_messages.is_empty()) {
        let reject = other.submit_block(block).await.unwrap_err();
        assert_eq!(reject.kind(), ErrorKind::NotFound, "{reject}");
    }
    for message in &case.landed {
        other.push(message).await.unwrap();
    }
    for block in &blocks {
        other.submit_block(block).await.unwrap();
        other.submit_block(block).await.unwrap();
    }
    assert_eq!(other.stats().pending, 0, "what landed waits no more");
    assert!(other.submit_block(&case.block).await.is_err());
    for message in case.world.devnet.pending().await.unwrap() {
        other.push(&message).await.unwrap();
    }
    other.submit_block(&case.block).await.unwrap();
    case.goes_on().await;
}

/// The blocks of the tipset above the genesis, as they were submitted.
async fn blocks_of(world: &World, tipset: &Tipset) -> Vec<BlockMsg> {
    let mut blocks = Vec::new();
    for header in tipset.blocks() {
        let messages = world.devnet.block_messages(&header.cid()).await.unwrap();
        let cids: Vec<_> = messages.cids().collect();
        let (bls, secp) = cids.split_at(messages.bls.len());
        blocks.push(BlockMsg {
            header: header.clone(),
            bls_messages: bls.to_vec(),
            secp_messages: secp.to_vec(),
        });
    }
    blocks
}

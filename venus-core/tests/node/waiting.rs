//! Waiting for messages through reorgs and disconnects.

use std::sync::Arc;
use std::task::Poll;

use futures::poll;
use venus_core::api::*;
use venus_core::error::{Classify, ErrorKind};
use venus_core::node::wait_message;
use venus_core::types::*;

use crate::support::{Address as At, Face, Style, World, config, lotus};

async fn replacement(world: &World, of: &SignedMessage) -> SignedMessage {
    let message = Message { gas_premium: &of.message.gas_premium * 2, ..of.message.clone() };
    let message = Message { gas_fee_cap: &message.gas_fee_cap * 2, ..message };
    world.signer.sign_message(&message).await.unwrap()
}

#[tokio::test]
async fn a_landing_counts_when_it_is_deep_enough() {
    let face = Face::new(World::new(), Style::Lotus);
    let (world, at) = (&face.world, At::of(&face));
    world.history().await;
    let node = Arc::new(lotus(&at).await);
    let message = world.transfer(world.bls, world.secp, 2).await;
    let waiting = tokio::spawn({
        let (node, cid) = (node.clone(), message.cid());
        async move { wait_message(&*node, &cid, 2, &SearchOptions::default()).await }
    });
    while face.calls("ChainNotify") == 0 {
        tokio::task::yield_now().await;
    }
    world.chain.mine(std::slice::from_ref(&message)).unwrap();
    world.chain.mine(&[]).unwrap(); // The receipt.
    at.disconnect();
    world.chain.reorg(2, &[vec![], vec![]]).unwrap(); // It is gone again.
    for _ in 0..3 {
        world.chain.mine(&[]).unwrap();
    }
    world.chain.mine(std::slice::from_ref(&message)).unwrap();
    let receipt = world.chain.mine(&[]).unwrap();
    world.chain.mine(&[]).unwrap();
    world.chain.mine(&[]).unwrap();
    let found = waiting.await.unwrap().unwrap();
    assert_eq!((found.message, found.tipset.clone()), (message.cid(), receipt.key().clone()));
    let known = wait_message(&*node, &message.cid(), 2, &SearchOptions::default()).await.unwrap();
    assert_eq!(known, found, "what is deep enough already is found at once");
}

#[tokio::test]
async fn a_landing_that_is_not_deep_enough_is_waited_for() {
    let world = World::new();
    let message = world.history().await;
    let landed =
        world.chain.search_message(&message.cid(), &SearchOptions::default()).await.unwrap().unwrap();
    let deep = world.chain.head_now().height() - landed.height;
    let (cid, options) = (message.cid(), SearchOptions::default());
    let mut waiting = std::pin::pin!(wait_message(&world.chain, &cid, deep + 1, &options));
    assert!(poll!(waiting.as_mut()).is_pending());
    world.chain.mine(&[]).unwrap();
    match poll!(waiting.as_mut()) {
        Poll::Ready(found) => assert_eq!(found.unwrap(), landed),
        Poll::Pending => panic!("deep enough"),
    }
}

#[tokio::test]
async fn another_message_with_the_nonce() {
    let face = Face::new(World::new(), Style::Venus);
    let world = &face.world;
    world.history().await;
    let node = Arc::new(lotus(&At::of(&face)).await);
    let message = world.transfer(world.bls, world.secp, 2).await;
    // A block on a branch that nobody follows has it, so the node knows it.
    let head = world.chain.head_now();
    world.chain.extend(head.key(), head.height() + 1, &[vec![message.clone()]]).unwrap();
    let other = replacement(world, &message).await;
    world.chain.mine(std::slice::from_ref(&other)).unwrap();
    world.chain.mine(&[]).unwrap();
    let counts = SearchOptions::default();
    let found = wait_message(&*node, &message.cid(), 0, &counts).await.unwrap();
    assert_eq!(found.message, other.cid(), "the lookup names what landed");
    let strict = SearchOptions { allow_replaced: false, ..counts };
    let conflict = wait_message(&*node, &message.cid(), 0, &strict).await.unwrap_err();
    assert_eq!(conflict.kind(), ErrorKind::Conflict, "{conflict}");
}

#[tokio::test]
async fn waiting_ends_with_the_node() {
    let face = Face::new(World::new(), Style::Lotus);
    face.world.history().await;
    let node = Arc::new(venus_core::node::LotusNode::connect_with(At::of(&face), config()).await.unwrap());
    let waiting = tokio::spawn({
        let node = node.clone();
        async move { wait_message(&*node, &blake2b_cid(b"never"), 0, &SearchOptions::default()).await }
    });
    while face.calls("ChainNotify") == 0 {
        tokio::task::yield_now().await;
    }
    node.shutdown().await;
    let end = waiting.await.unwrap().unwrap_err();
    assert_eq!(end.kind(), ErrorKind::Transient);
}

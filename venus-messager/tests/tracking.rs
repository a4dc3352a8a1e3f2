#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! From the mempool to the chain, and back when the chain changes its mind.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::*;
use venus_core::api::*;
use venus_core::clock::ManualClock;
use venus_core::entropy::SeededEntropy;
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::{ExitCode, Message, SignedMessage, TokenAmount};
use venus_messager::store::SqliteStore;
use venus_messager::{Messager, MessagerConfig, MessagerDeps, Sources};

#[tokio::test]
async fn landing_names_the_tipset_that_executed_the_message() {
    let world = World::new();
    let messager = world.open().await;
    messager.push_with_id("m", world.transfer(0, 1)).await.unwrap();
    let cid = messager.get("m").await.unwrap().attempts[0].cid;
    world.chain.inner().exit_with(cid, ExitCode::new(33));
    world.mine().await;
    messager.catch_up().await.unwrap();
    assert_eq!(messager.get("m").await.unwrap().state, MessageState::Filled, "no receipt yet");
    world.chain.inner().null_rounds(2);
    let child = world.chain.inner().mine(&[]).unwrap();
    let report = messager.catch_up().await.unwrap();
    assert_eq!((report.applied, report.landed, report.height), (1, 1, 4));
    let record = messager.get("m").await.unwrap();
    let lookup = record.lookup.unwrap();
    assert_eq!((lookup.message, lookup.height), (cid, 4));
    assert_eq!(lookup.tipset, key_of(&child));
    assert_eq!(lookup.receipt.exit_code.value(), 33, "a failed execution is a landing");
    assert_eq!((record.state, record.confidence), (MessageState::Landed, 0));
    world.chain.inner().mine(&[]).unwrap();
    messager.catch_up().await.unwrap();
    assert_eq!(messager.get("m").await.unwrap().confidence, 1);
    assert_eq!(messager.catch_up().await.unwrap().applied, 0, "nothing new, nothing done");
}

#[tokio::test]
async fn a_reorg_takes_landings_back_and_offers_them_again() {
    let world = World::new();
    let messager = world.open().await;
    for (i, sender) in [0, 1, 2].into_iter().enumerate() {
        messager.push_with_id(&format!("m{i}"), world.transfer(sender, 1)).await.unwrap();
    }
    world.mine_and_execute().await;
    assert_eq!(messager.catch_up().await.unwrap().landed, 3);
    // Only the second lands on the other branch.
    let Attempt { message, signature, .. } = messager.get("m1").await.unwrap().attempts.remove(0);
    let kept = SignedMessage { message, signature };
    world.chain.inner().reorg(2, &[vec![], vec![kept]]).unwrap();
    let report = messager.catch_up().await.unwrap();
    assert_eq!((report.reverted, report.applied, report.undone), (2, 3, 3));
    for (id, state) in
        [("m0", MessageState::Filled), ("m1", MessageState::Landed), ("m2", MessageState::Filled)]
    {
        let record = messager.get(id).await.unwrap();
        assert_eq!((record.state, record.attempts.len()), (state, 1), "{id}");
        assert_eq!(record.lookup.is_some(), state == MessageState::Landed);
    }
    assert_eq!(world.pending().await.len(), 2);
    world.mine_and_execute().await;
    assert_eq!(messager.catch_up().await.unwrap().landed, 2);
}

#[tokio::test]
async fn a_reorg_while_away_is_followed_by_key() {
    let world = World::new();
    let messager = world.open().await;
    messager.push_with_id("m", world.transfer(0, 1)).await.unwrap();
    world.mine_and_execute().await;
    messager.catch_up().await.unwrap();
    messager.shutdown().await;
    world.chain.inner().reorg(2, &[vec![], vec![]]).unwrap();
    let messager = world.open().await;
    assert_eq!(messager.get("m").await.unwrap().state, MessageState::Landed, "as it was left");
    let report = messager.catch_up().await.unwrap();
    assert_eq!((report.reverted, report.undone), (2, 1));
    assert_eq!(messager.get("m").await.unwrap().state, MessageState::Filled);
    assert_eq!(world.pending().await.len(), 1);
}

#[tokio::test]
async fn siblings_of_one_height_do_not_land_a_message_twice() {
    let world = World::new();
    let messager = world.open().await;
    messager.push_with_id("m", world.transfer(0, 1)).await.unwrap();
    let pending = world.pending().await;
    world.chain.inner().mine_blocks(&[pending.clone(), pending.clone()]).unwrap();
    // And once more one height later, where its nonce is used up.
    world.chain.inner().mine_blocks(&[pending.clone(), vec![]]).unwrap();
    world.chain.inner().mine(&[]).unwrap();
    assert_eq!(messager.catch_up().await.unwrap().landed, 1);
    let lookup = messager.get("m").await.unwrap().lookup.unwrap();
    assert_eq!((lookup.height, lookup.receipt.exit_code), (2, ExitCode::OK));
}

#[tokio::test]
async fn any_attempt_lands_the_message() {
    let world = World::new();
    let messager = world.open().await;
    messager.push_with_id("m", world.transfer(0, 1)).await.unwrap();
    let original = world.pending().await;
    messager.replace("m", ReplaceFees::default()).await.unwrap();
    world.chain.inner().mine(&original).unwrap();
    world.chain.inner().mine(&[]).unwrap();
    assert_eq!(messager.catch_up().await.unwrap().landed, 1);
    let record = messager.get("m").await.unwrap();
    assert_eq!(record.lookup.unwrap().message, record.attempts[0].cid, "the first of two");
}

#[tokio::test]
async fn the_same_call_under_fees_of_others_lands_the_message() {
    let world = World::new();
    let messager = world.open().await;
    messager.push_with_id("m", world.transfer(0, 1)).await.unwrap();
    let ours = messager.get("m").await.unwrap().attempts[0].message.clone();
    let dearer = Message { gas_premium: TokenAmount::from_atto(99_999), ..ours };
    let signed = world.keys.sign_message(&dearer).await.unwrap();
    world.chain.inner().mine(std::slice::from_ref(&signed)).unwrap();
    world.chain.inner().mine(&[]).unwrap();
    messager.catch_up().await.unwrap();
    let record = messager.get("m").await.unwrap();
    assert_eq!(record.state, MessageState::Landed);
    assert_eq!(record.lookup.unwrap().message, signed.cid());
}

#[tokio::test]
async fn another_call_with_our_nonce_is_a_conflict_and_gets_no_second_nonce() {
    let world = World::new();
    let messager = world.open().await;
    messager.push_with_id("m", world.transfer(0, 1)).await.unwrap();
    let foreign = world.outside(0, 0, 77).await;
    world.chain.inner().mine(std::slice::from_ref(&foreign)).unwrap();
    world.chain.inner().mine(&[]).unwrap();
    messager.catch_up().await.unwrap();
    let record = messager.get("m").await.unwrap();
    assert_eq!((record.state, record.attempts.len(), record.lookup), (MessageState::Filled, 1, None));
    let error = record.error.unwrap();
    assert!(error.contains("nonce 0") && error.contains(&foreign.cid().to_string()), "{error}");
    assert_eq!(messager.replace("m", ReplaceFees::default()).await.unwrap_err().kind(), ErrorKind::Conflict);
    for _ in 0..2 {
        let report = messager.catch_up().await.unwrap();
        assert_eq!((report.filled, report.offered), (0, 0), "nothing is left to do for it");
    }
    // The chain forgets the foreign one: the nonce is ours again.
    world.chain.inner().reorg(2, &[]).unwrap();
    let report = messager.catch_up().await.unwrap();
    assert_eq!(report.reverted, 2);
    assert_eq!(messager.get("m").await.unwrap().error, None);
    world.mine_and_execute().await;
    messager.catch_up().await.unwrap();
    assert_eq!(messager.get("m").await.unwrap().state, MessageState::Landed);
}

#[tokio::test]
async fn a_lost_way_is_made_up_for_by_searching() {
    let world = World::new();
    let forgetful =
        || MessagerDeps { heads: Arc::new(Forgetful(world.chain.inner().clone())), ..world.deps() };
    let messager = Messager::open(MessagerConfig::new(&world.database), forgetful()).await.unwrap();
    for i in 0..3 {
        messager.push_with_id(&format!("m{i}"), world.transfer(i, 1)).await.unwrap();
    }
    world.mine_and_execute().await;
    assert_eq!(messager.catch_up().await.unwrap().landed, 3);
    world.chain.inner().reorg(2, &[]).unwrap();
    let report = messager.catch_up().await.unwrap();
    assert_eq!((report.undone, report.landed), (3, 0));
    let foreign = world.outside(0, 0, 77).await;
    let mut pending = world.pending().await;
    pending.retain(|m| m.message.from != world.senders[0]);
    pending.push(foreign);
    world.chain.inner().mine(&pending).unwrap();
    world.chain.inner().mine(&[]).unwrap();
    assert_eq!(messager.catch_up().await.unwrap().landed, 2);
    let taken = messager.get("m0").await.unwrap();
    assert_eq!((taken.state, taken.attempts.len()), (MessageState::Filled, 1));
    assert!(taken.error.is_some(), "{taken:?}");
}

#[tokio::test]
async fn waiting_is_woken_by_landing_and_depth() {
    let world = World::new();
    let messager = world.open().await;
    messager.push_with_id("m", world.transfer(0, 1)).await.unwrap();
    let wait = |confidence| {
        let messager = messager.clone();
        tokio::spawn(async move { messager.wait("m", confidence, PATIENCE).await })
    };
    let (shallow, deep) = (wait(0), wait(3));
    world.mine_and_execute().await;
    messager.catch_up().await.unwrap();
    assert_eq!(shallow.await.unwrap().unwrap().state, MessageState::Landed);
    assert!(!deep.is_finished());
    for _ in 0..3 {
        world.chain.inner().mine(&[]).unwrap();
        messager.catch_up().await.unwrap();
    }
    assert!(deep.await.unwrap().unwrap().confidence >= 3);
    let late = messager.wait("m", 4, Duration::ZERO).await.unwrap_err();
    assert!(matches!(late, MessagerError::Timeout { .. }), "{late}");
    messager.wait("m", 3, Duration::ZERO).await.expect("what is reached is answered at once");
}

#[tokio::test]
async fn waiting_ends_when_the_messager_does() {
    let world = World::new();
    let messager = world.open().await;
    messager.push_with_id("m", world.transfer(0, 1)).await.unwrap();
    let waiter = tokio::spawn({
        let messager = messager.clone();
        async move { messager.wait("m", 0, PATIENCE).await }
    });
    tokio::task::yield_now().await;
    messager.shutdown().await;
    assert!(matches!(waiter.await.unwrap(), Err(MessagerError::Closed)));
    for closed in [
        messager.push_with_id("n", world.transfer(0, 1)).await.unwrap_err(),
        messager.get("m").await.unwrap_err(),
        messager.catch_up().await.unwrap_err(),
        messager.start().unwrap_err(),
    ] {
        assert!(matches!(closed, MessagerError::Closed), "{closed}");
    }
}

#[tokio::test]
async fn the_background_task_follows_the_head_and_survives_disconnects() {
    let world = World::new();
    let clock = ManualClock::new(Duration::from_secs(1_000));
    let sources = Sources { clock: Arc::new(clock.clone()), entropy: Arc::new(SeededEntropy::new(1, "ids")) };
    let config = MessagerConfig::new(&world.database);
    let messager = Messager::open_with(config, world.deps(), sources).await.unwrap();
    messager.start().unwrap();
    messager.start().unwrap();
    let id = messager.push(world.transfer(0, 1)).await.unwrap();
    world.mine_and_execute().await;
    messager.wait(&id, 0, PATIENCE).await.unwrap();
    world.chain.inner().disconnect();
    clock.advance(Duration::from_secs(31));
    messager.push_with_id("b", world.transfer(1, 1)).await.unwrap();
    world.mine_and_execute().await;
    // The retry tick goes by the clock; a feed that broke is asked again after a second of it.
    let ticking = tokio::spawn(async move {
        loop {
            clock.advance(Duration::from_secs(31));
            tokio::task::yield_now().await;
        }
    });
    messager.wait("b", 0, PATIENCE).await.unwrap();
    ticking.abort();
    messager.shutdown().await;
}

#[tokio::test]
async fn a_messager_without_handles_ends_its_task() {
    let world = World::new();
    let messager = world.open().await;
    messager.start().unwrap();
    messager.push_with_id("m", world.transfer(0, 1)).await.unwrap();
    drop(messager);
    world.mine_and_execute().await;
    let messager = world.open().await;
    messager.catch_up().await.unwrap();
    assert_eq!(messager.get("m").await.unwrap().state, MessageState::Landed);
}

#[tokio::test]
async fn a_store_of_ones_own_is_as_good() {
    let world = World::new();
    let store = Arc::new(SqliteStore::open(&world.database).await.unwrap());
    let config = MessagerConfig::default();
    let messager = Messager::with_store(config, world.deps(), Sources::default(), store).await.unwrap();
    messager.push_with_id("m", world.transfer(2, 1)).await.unwrap();
    world.mine_and_execute().await;
    assert_eq!(messager.catch_up().await.unwrap().landed, 1);
}

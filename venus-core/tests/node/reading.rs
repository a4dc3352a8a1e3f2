//! Chain and state through each adapter.

use std::sync::Arc;
use std::time::Duration;

use venus_core::api::*;
use venus_core::error::{Classify, ErrorKind};
use venus_core::node::NodeKind;
use venus_core::testing::suites::{self, ChainReaderFixture, StateReaderFixture};
use venus_core::types::*;

use crate::support::face::STYLES;
use crate::support::{Address as At, Face, Style, World, config, forest, lotus, venus};

/// The chain and the state of a face through all three adapters.
async fn suites_pass(face: &Face) {
    let world = &face.world;
    let message = world.history().await.cid();
    let fixture = ChainReaderFixture { message, null_round: Some(2) };
    let genesis = world.chain.genesis().await.unwrap().key().clone();
    let at = At::of(face);
    let (lotus, venus, forest) = (lotus(&at).await, venus(&at).await, forest(&at).await);
    let chains: [&dyn ChainReader; 3] = [&lotus, &venus, &forest];
    for chain in chains {
        suites::chain_reader(chain, &fixture).await;
    }
    let waiting = world.transfer(world.bls, world.secp, 2).await;
    world.chain.mine(std::slice::from_ref(&waiting)).unwrap();
    let not_executed = Some(waiting.cid());
    let fixture = StateReaderFixture { account: world.bls, message, not_executed, genesis };
    let states: [&dyn StateReader; 3] = [&lotus, &venus, &forest];
    for state in states {
        suites::state_reader(state, &fixture).await;
    }
}

#[tokio::test]
async fn chain_and_state_of_each_kind_of_node_through_each_adapter() {
    for style in STYLES {
        suites_pass(&Face::new(World::new(), style)).await;
    }
}

#[tokio::test]
async fn missing_methods_are_replaced() {
    for missing in [
        &["ChainGetTipSetAfterHeight"][..],
        &["ChainGetPath"],
        &["StateSearchMsg"],
        &["ChainGetTipSetAfterHeight", "ChainGetPath", "StateSearchMsg"],
    ] {
        for style in [Style::Lotus, Style::Venus] {
            suites_pass(&Face::new(World::new(), style).without(missing)).await;
        }
    }
}

#[tokio::test]
async fn a_missing_method_is_asked_for_once_a_connection() {
    let face = Face::new(World::new(), Style::Lotus).without(&["StateSearchMsg"]);
    let message = face.world.history().await.cid();
    let at = At::of(&face);
    let node = lotus(&at).await;
    for _ in 0..3 {
        let found = node.search_message(&message, &SearchOptions::default()).await.unwrap();
        assert_eq!(found.unwrap().message, message);
    }
    assert_eq!(node.missing_methods(), ["Filecoin.StateSearchMsg"]);
    at.replace(&Face::new(face.world.clone(), Style::Lotus));
    while node.search_message(&message, &SearchOptions::default()).await.is_err() {}
    assert!(node.missing_methods().is_empty(), "the next node has it");
}

#[tokio::test]
async fn what_a_node_is_decides_nothing_but_its_name() {
    for (style, kind) in
        [(Style::Lotus, NodeKind::Lotus), (Style::Venus, NodeKind::Venus), (Style::Forest, NodeKind::Forest)]
    {
        let node = lotus(&At::of(&Face::new(World::new(), style))).await;
        assert_eq!(node.kind(), kind);
        assert_eq!(node.version().version, "1.0.0");
        assert!(node.is_connected() && format!("{node:?}").contains("pipe:"));
    }
}

#[tokio::test]
async fn what_has_a_name_is_asked_for_once() {
    let face = Face::new(World::new(), Style::Lotus);
    let message = face.world.history().await.cid();
    let node = Arc::new(lotus(&At::of(&face)).await);
    let head = face.world.chain.head().await.unwrap();
    let (key, block) = (head.parents(), head.cids()[0]);
    let gate = face.gate(&["ChainGetTipSet", "ChainGetParentReceipts"]);
    let asking: Vec<_> = (0..20)
        .map(|_| {
            let (node, key) = (node.clone(), key.clone());
            tokio::spawn(async move { node.tipset(&key).await.map(|t| t.height()) })
        })
        .collect();
    while face.calls("ChainGetTipSet") == 0 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(100);
    for answer in asking {
        assert_eq!(answer.await.unwrap().unwrap(), 3);
    }
    for _ in 0..3 {
        node.tipset(&key).await.unwrap();
        node.block(&key.cids()[0]).await.unwrap();
        node.block_messages(&block).await.unwrap();
        node.parent_receipts(&block).await.unwrap();
        node.message(&message).await.unwrap();
        node.network().await.unwrap();
        node.genesis().await.unwrap();
    }
    for (method, calls) in [
        ("ChainGetTipSet", 1),
        ("ChainGetBlock", 0), // It came with its tipset.
        ("ChainGetBlockMessages", 1),
        ("ChainGetParentReceipts", 1),
        ("ChainGetMessage", 1),
        ("StateGetNetworkParams", 1),
        ("ChainGetGenesis", 1),
    ] {
        assert_eq!(face.calls(method), calls, "{method}");
    }
}

#[tokio::test]
async fn reads_survive_a_lost_connection() {
    let face = Face::new(World::new(), Style::Venus);
    face.world.history().await;
    let at = At::of(&face);
    let node = Arc::new(venus(&at).await);
    let gate = face.gate(&["ChainHead"]);
    let asking = tokio::spawn({
        let node = node.clone();
        async move { node.head().await }
    });
    while face.calls("ChainHead") == 0 {
        tokio::task::yield_now().await;
    }
    at.disconnect();
    gate.add_permits(10);
    assert_eq!(asking.await.unwrap().unwrap(), face.world.chain.head_now());
    assert!(face.calls("ChainHead") >= 2, "asked again on the next connection");
}

#[tokio::test(start_paused = true)]
async fn slow_answers_are_given_up() {
    let face = Face::new(World::new(), Style::Lotus);
    let mut config = config();
    config.client = config.client.with_deadline("Filecoin.ChainHead", Duration::from_secs(3));
    let node = venus_core::node::LotusNode::connect_with(At::of(&face), config).await.unwrap();
    let _never = face.gate(&["ChainHead"]);
    match node.head().await {
        Err(ChainError::Timeout { method: "Filecoin.ChainHead", after }) => {
            assert!(after <= Duration::from_secs(3));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn garbage_is_no_answer() {
    let face = Face::new(World::new(), Style::Lotus);
    let node = lotus(&At::of(&face)).await;
    face.state.garbage.store(1, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(node.head().await.unwrap_err().kind(), ErrorKind::Corrupt);
    node.head().await.unwrap();
}

#[tokio::test]
async fn a_node_of_another_network_is_refused() {
    let face = Face::new(World::new(), Style::Lotus);
    let (at, wrong) = (At::of(&face), config().on_network("mainnet"));
    let refused = venus_core::node::LotusNode::connect_with(at.clone(), wrong).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(refused.to_string().contains("localnet-scripted"), "{refused}");

    let node = lotus(&at).await;
    node.head().await.unwrap();
    at.replace(&Face::new(World::new(), Style::Lotus).named("othernet"));
    let lost = loop {
        match node.head().await {
            // The old connection may answer until it is closed.
            Ok(_) => tokio::task::yield_now().await,
            Err(e) => break e,
        }
    };
    assert_eq!(lost.kind(), ErrorKind::Transient);
    let refused = node.actor(&face.world.bls, &TipsetKey::default()).await.unwrap_err();
    assert!(format!("{refused:?}").contains("othernet"), "{refused:?}");
    at.replace(&face);
    while node.head().await.is_err() {
        tokio::task::yield_now().await;
    }
}

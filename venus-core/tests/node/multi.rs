//! Several nodes as one.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use proptest::prelude::*;
use venus_core::api::*;
use venus_core::error::{Classify, ErrorKind};
use venus_core::node::{FullNode, LotusNode, MultiConfig, MultiNode, NodeConfig, VenusNode};
use venus_core::testing::suites::{self, ChainReaderFixture, StateReaderFixture};
use venus_core::types::*;

use crate::heads::{Consumer, Trouble, cause, trouble};
use crate::support::face::STYLES;
use crate::support::{Address as At, Face, Style, World, config};
use crate::{blocks, heads, miners, pool};

fn one_of_several() -> NodeConfig {
    NodeConfig { poll: Some(Duration::from_millis(2)), ..config().among_several() }
}

fn multi_config() -> MultiConfig {
    MultiConfig { probe: Duration::from_millis(5), ..MultiConfig::default() }
}

async fn node(at: &At, style: Style) -> Arc<dyn FullNode> {
    match style {
        Style::Venus => Arc::new(VenusNode::connect_with(at.clone(), one_of_several()).await.unwrap()),
        _ => Arc::new(LotusNode::connect_with(at.clone(), one_of_several()).await.unwrap()),
    }
}

/// Nodes of all kinds.
struct Several {
    faces: Vec<Face>,
    at: Vec<At>,
    multi: MultiNode,
}

impl Several {
    async fn of(faces: Vec<Face>) -> Self {
        let at: Vec<_> = faces.iter().map(At::of).collect();
        let mut nodes = Vec::new();
        for (at, face) in at.iter().zip(&faces) {
            nodes.push(node(at, face.style).await);
        }
        let multi = MultiNode::start(nodes, multi_config()).await.unwrap();
        Self { faces, at, multi }
    }

    /// One of each kind on the same world.
    async fn on(world: &World) -> Self {
        Self::of(STYLES.iter().map(|style| Face::new(world.clone(), *style)).collect()).await
    }

    fn calls(&self, method: &str) -> Vec<u64> {
        self.faces.iter().map(|face| face.calls(method)).collect()
    }
}

#[tokio::test]
async fn several_nodes_pass_all_suites() {
    let world = World::new();
    miners::set_miners(&world);
    miners::set_market(&world);
    let several = Several::on(&world).await;
    let multi = &several.multi;
    let message = world.history().await.cid();
    let genesis = world.chain.genesis().await.unwrap().key().clone();
    suites::chain_reader(multi, &ChainReaderFixture { message, null_round: Some(2) }).await;
    let fixture = StateReaderFixture { account: world.bls, message, not_executed: None, genesis };
    suites::state_reader(multi, &fixture).await;
    miners::miner_suites(multi, multi).await;
    miners::market_suite(multi).await;
    let mut turn = 0..;
    let turn = std::sync::Mutex::new(&mut turn);
    let at = &several.at;
    heads::suite_passes(&several.faces[0], multi, || {
        let next: usize = turn.lock().unwrap().next().unwrap();
        at[next % 3].disconnect();
    })
    .await;
    assert_eq!(multi.network().await.unwrap().name, "localnet-scripted");
    assert!(format!("{multi:?}").contains("localnet-scripted"));
}

#[tokio::test]
async fn several_nodes_pass_the_suites_that_write() {
    let world = World::new();
    let several = Several::on(&world).await;
    pool::suites_pass(&several.faces[0], &several.multi, &several.multi, world.secp).await;
    let world = World::new();
    let several = Several::on(&world).await;
    blocks::suite_passes(&several.faces[0], &several.multi).await;
}

#[tokio::test]
async fn nodes_that_are_away_are_not_waited_for() {
    let world = World::new();
    let message = world.history().await.cid();
    let several = Several::on(&world).await;
    let multi = &several.multi;
    let mut consumer = Consumer::start(multi, &world).await;
    for away in 0..3 {
        several.at[away].set_away(true);
        let fixture = ChainReaderFixture { message, null_round: Some(2) };
        if away == 0 {
            suites::chain_reader(multi, &fixture).await;
        }
        world.chain.mine(&[]).unwrap();
        if away < 2 {
            consumer.catch_up().await;
        }
    }
    let lost = multi.head().await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Transient, "{lost:?}");
    let push = multi.push(&world.transfer(world.bls, world.secp, 2).await).await.unwrap_err();
    assert_eq!(push.kind(), ErrorKind::Transient);
    several.at[1].set_away(false);
    consumer.catch_up().await;
    while multi.healthy() != [false, true, false] {
        tokio::task::yield_now().await;
    }
    multi.shutdown().await;
    assert!(multi.heads(Resume::Head).next().await.is_none(), "a shutdown ends streams");
}

#[tokio::test]
async fn an_answer_that_is_an_error_is_an_answer() {
    let world = World::new();
    world.history().await;
    let several = Several::on(&world).await;
    let before = several.calls("StateAccountKey").iter().sum::<u64>();
    let invalid = several.multi.account_key(&Address::new_id(2000), &TipsetKey::default()).await.unwrap_err();
    assert_eq!(invalid.kind(), ErrorKind::Invalid);
    assert_eq!(several.calls("StateAccountKey").iter().sum::<u64>(), before + 1, "nobody else is asked");
}

#[tokio::test]
async fn a_node_of_another_network_is_not_used() {
    let world = World::new();
    world.history().await;
    let other = World::new();
    for _ in 0..20 {
        other.chain.mine(&[]).unwrap(); // Heavier by far.
    }
    let foreign = Face::new(other, Style::Lotus).named("othernet");
    let several = Several::of(vec![Face::new(world.clone(), Style::Lotus), foreign]).await;
    let mut consumer = Consumer::start(&several.multi, &world).await;
    while several.multi.healthy() != [true, false] {
        tokio::task::yield_now().await;
    }
    world.chain.mine(&[]).unwrap();
    consumer.catch_up().await;
    assert_eq!(several.multi.head().await.unwrap(), world.chain.head_now());
    several.at[0].set_away(true);
    assert_eq!(several.multi.head().await.unwrap_err().kind(), ErrorKind::Transient);

    let nodes = vec![node(&At::of(&Face::new(World::new(), Style::Venus)), Style::Venus).await];
    let mainnet = MultiConfig { network: Some("mainnet".into()), ..multi_config() };
    assert_eq!(MultiNode::start(nodes, mainnet).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(MultiNode::start(Vec::new(), multi_config()).await.unwrap_err().kind(), ErrorKind::Invalid);
}

/// Threat T19: whatever head a node reports, everybody would follow it.
#[tokio::test]
async fn t19_one_node_cannot_capture_the_head() {
    let world = World::new();
    world.history().await;
    let alone = World::new();
    for _ in 0..20 {
        alone.chain.mine(&[]).unwrap(); // The same network, heavier by far, and known to nobody else.
    }
    let faces = [&world, &world, &alone].map(|world| Face::new(world.clone(), Style::Lotus));
    let several = Several::of(faces.into()).await;
    let mut consumer = Consumer::start(&several.multi, &world).await;
    for _ in 0..5 {
        world.chain.mine(&[]).unwrap();
        alone.chain.mine(&[]).unwrap();
        consumer.catch_up().await;
        assert_eq!(several.multi.head().await.unwrap(), world.chain.head_now());
    }
    assert_eq!(several.multi.healthy(), [true; 3], "it answers, and is not believed");
    // Those who tell the truth go: then there is nobody to doubt the third with.
    several.at[0].set_away(true);
    several.at[1].set_away(true);
    assert_eq!(several.multi.head().await.unwrap(), alone.chain.head_now());
}

#[tokio::test]
async fn a_message_goes_to_all_nodes_and_none_delays_it() {
    let (one, other) = (World::new(), World::new());
    let several =
        Several::of(vec![Face::new(one.clone(), Style::Lotus), Face::new(other.clone(), Style::Venus)]).await;
    let gate = several.faces[0].gate(&["MpoolPush"]);
    let message = one.transfer(one.bls, one.secp, 0).await;
    assert_eq!(several.multi.push(&message).await.unwrap(), message.cid());
    assert!(other.pool.pending().await.unwrap().contains(&message));
    assert!(one.pool.pending().await.unwrap().is_empty(), "the slow one still thinks about it");
    gate.add_permits(100);
    while one.pool.pending().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut poor = one.transfer(one.bls, one.secp, 1).await;
    poor.message.value = TokenAmount::from_whole(1);
    let refused = several.multi.push(&poor).await.unwrap_err();
    assert!(matches!(refused, ChainError::Pool(PoolReject::Signature(_))), "{refused:?}");
}

#[tokio::test]
async fn a_block_is_the_work_of_one_node() {
    let world = World::new();
    blocks::waiting(&world).await;
    let several = Several::on(&world).await;
    let multi = &several.multi;
    let base = world.chain.head_now();
    multi.select_messages(base.key(), &[0.5]).await.unwrap();
    let template = blocks::template(&world, &base).await;
    let mut block = multi.create_block(&template).await.unwrap();
    block.header.block_sig = Some(world.signer.sign_block(&world.bls, &block.header).await.unwrap());
    multi.submit_block(&block).await.unwrap();
    let asked = |method| several.calls(method).iter().map(|calls| *calls > 0).collect::<Vec<_>>();
    let selected: Vec<_> =
        asked("MpoolSelect").iter().zip(asked("MpoolSelects")).map(|(a, b)| *a || b).collect();
    assert_eq!(selected.iter().filter(|asked| **asked).count(), 1);
    assert_eq!(asked("MinerCreateBlock"), selected, "the node that selected makes the block");
    while asked("SyncSubmitBlock") != [true, true, true] {
        tokio::task::yield_now().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    /// The second node is late, the first comes and goes.
    #[test]
    fn consumers_of_several_nodes_end_at_the_head(
        troubles in prop::collection::vec((trouble(), prop::bool::ANY, prop::bool::weighted(0.2)), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (first, late) = (World::new(), World::new());
            let several =
                Several::of(vec![Face::new(first.clone(), Style::Lotus), Face::new(late.clone(), Style::Venus)]).await;
            let mut consumer = Consumer::start(&several.multi, &first).await;
            let mut behind: Vec<Trouble> = Vec::new();
            for (trouble, catches_up, away) in &troubles {
                several.at[0].set_away(*away);
                cause(trouble, &several.faces[0], &several.at[0]).await;
                behind.push(trouble.clone());
                if *catches_up {
                    for trouble in behind.drain(..) {
                        cause(&trouble, &several.faces[1], &several.at[1]).await;
                    }
                }
                tokio::task::yield_now().await;
            }
            several.at[0].set_away(false);
            for trouble in behind.drain(..) {
                cause(&trouble, &several.faces[1], &several.at[1]).await;
            }
            assert_eq!(first.chain.head_now(), late.chain.head_now(), "the worlds are alike in the end");
            consumer.catch_up().await;
        });
    }
}

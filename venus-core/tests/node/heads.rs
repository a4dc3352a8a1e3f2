//! Head streams: the suite over each adapter, and consumers in a world that falls apart.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use proptest::prelude::*;
use venus_core::api::*;
use venus_core::error::{Classify, ErrorKind};
use venus_core::node::{LotusNode, NodeConfig, VenusNode};
use venus_core::testing::suites::{self, HeadFeedFixture, step};
use venus_core::types::*;

use crate::support::face::STYLES;
use crate::support::{Address as At, Face, Style, World, config, forest, lotus, venus};

/// A configuration for nodes that do not tell of their head.
pub fn polling() -> NodeConfig {
    NodeConfig { poll: Some(Duration::from_millis(2)), ..config() }
}

pub async fn suite_passes(face: &Face, feed: &dyn HeadFeed, trouble: impl Fn() + Send + Sync) {
    let (chain, trouble) = (&face.world.chain, &trouble);
    let fixture = HeadFeedFixture {
        chain,
        extend: step(async || {
            trouble();
            drop(chain.mine(&[]).unwrap());
        }),
        reorg: step(async || {
            trouble();
            drop(chain.reorg(2, &[]).unwrap());
        }),
    };
    suites::head_feed(feed, &fixture).await;
}

pub async fn world() -> World {
    let world = World::new();
    world.history().await;
    world
}

#[tokio::test]
async fn heads_of_each_kind_of_node_through_each_adapter() {
    for style in STYLES {
        let face = Face::new(world().await, style);
        let at = At::of(&face);
        let (lotus, venus, forest) = (lotus(&at).await, venus(&at).await, forest(&at).await);
        let feeds: [&dyn HeadFeed; 3] = [&lotus, &venus, &forest];
        for feed in feeds {
            suite_passes(&face, feed, || {}).await;
        }
        assert_eq!(face.calls("ChainNotify"), 3, "one channel a node, however many consumers");
    }
}

#[tokio::test]
async fn heads_across_reconnects_and_channels_that_end() {
    for style in STYLES {
        let face = Face::new(world().await, style);
        let at = At::of(&face);
        suite_passes(&face, &lotus(&at).await, || at.disconnect()).await;
        suite_passes(&face, &venus(&at).await, || face.state.hang_up.notify_waiters()).await;
        suite_passes(&face, &venus(&at).await, || at.replace(&face)).await;
    }
}

#[tokio::test]
async fn heads_of_nodes_that_do_not_tell() {
    let face = Face::new(world().await, Style::Lotus).without(&["ChainNotify"]);
    let at = At::of(&face);
    let node = LotusNode::connect_with(at.clone(), polling()).await.unwrap();
    suite_passes(&face, &node, || {}).await;
    assert_eq!(node.missing_methods(), ["Filecoin.ChainNotify"]);
    suite_passes(&face, &node, || at.disconnect()).await;
    let telling = Face::new(face.world.clone(), Style::Lotus);
    at.replace(&telling);
    suite_passes(&face, &node, || {}).await;
    while telling.calls("ChainNotify") == 0 {
        tokio::time::timeout(Duration::from_secs(60), tokio::task::yield_now()).await.unwrap();
    }
}

#[tokio::test]
async fn values_that_are_none_are_asked_for() {
    let face = Face::new(world().await, Style::Venus);
    let node = venus(&At::of(&face)).await;
    let spoil = || face.state.garbage.store(1, std::sync::atomic::Ordering::SeqCst);
    let mut consumer = Consumer::start(&node, &face.world).await;
    for _ in 0..3 {
        spoil();
        face.world.chain.mine(&[]).unwrap();
        consumer.catch_up().await;
    }
}

#[tokio::test]
async fn a_gap_instead_of_a_way_that_is_too_long() {
    let face = Face::new(world().await, Style::Lotus);
    let start = face.world.chain.head_now();
    let config = NodeConfig { max_gap: 20, ..config() };
    let node = LotusNode::connect_with(At::of(&face), config).await.unwrap();
    for _ in 0..18 {
        face.world.chain.mine(&[]).unwrap();
    }
    let mut near = node.heads(Resume::From(start.key().clone()));
    match near.next().await {
        Some(Ok(HeadEvent::Change(change))) => assert_eq!((change.revert.len(), change.apply.len()), (0, 18)),
        other => panic!("{other:?}"),
    }
    assert_eq!(face.calls("ChainGetPath"), 1, "a long way is one question");
    for _ in 0..18 {
        face.world.chain.mine(&[]).unwrap();
    }
    let mut far = node.heads(Resume::From(start.key().clone()));
    match far.next().await {
        Some(Ok(HeadEvent::Gap { last_seen, now })) => {
            assert_eq!((last_seen, now), (start.key().clone(), face.world.chain.head_now()));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn streams_end_with_the_node_and_keep_it_otherwise() {
    let face = Face::new(world().await, Style::Lotus);
    let at = At::of(&face);
    let node = lotus(&at).await;
    let mut consumer = Consumer::start(&node, &face.world).await;
    let other = node.clone();
    drop(node);
    face.world.chain.mine(&[]).unwrap();
    consumer.catch_up().await;
    other.shutdown().await;
    assert!(consumer.events.next().await.is_none(), "a shutdown ends streams");
    assert!(other.heads(Resume::Head).next().await.is_none());
    assert_eq!(other.head().await.unwrap_err().kind(), ErrorKind::Transient);
    while at.server().sessions() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_node_without_users_goes() {
    let face = Face::new(world().await, Style::Lotus);
    let at = At::of(&face);
    let node = lotus(&at).await;
    drop(Consumer::start(&node, &face.world).await);
    drop(node);
    while at.server().sessions() > 0 {
        tokio::task::yield_now().await;
    }
}

/// Follows a stream and checks that events fit together.
pub struct Consumer {
    world: World,
    pub events: HeadStream,
    pub at: Arc<Tipset>,
}

impl Consumer {
    pub async fn start(feed: &dyn HeadFeed, world: &World) -> Self {
        let mut events = feed.heads(Resume::Head);
        match events.next().await {
            Some(Ok(HeadEvent::Current(at))) => Self { world: world.clone(), events, at },
            other => panic!("{other:?}"),
        }
    }

    /// Follows until the head that the world has.
    pub async fn catch_up(&mut self) {
        while *self.at != *self.world.chain.head_now() {
            let event = tokio::time::timeout(Duration::from_secs(60), self.events.next()).await;
            match event.expect("an event").expect("the stream goes on").unwrap() {
                HeadEvent::Change(change) => self.apply(change).await,
                other => panic!("{other:?}"),
            }
        }
    }

    async fn apply(&mut self, change: HeadChange) {
        assert!(!change.is_empty(), "only the first change may be empty");
        let mut key = self.at.key().clone();
        for tipset in &change.revert {
            assert_eq!(*tipset.key(), key, "reverts begin at what was seen last");
            key = tipset.parents();
        }
        let left: Vec<_> = change.revert.iter().map(|t| t.key()).collect();
        for tipset in &change.apply {
            assert_eq!(tipset.parents(), key, "applies follow without a gap");
            assert!(!left.contains(&tipset.key()), "nothing is reverted and applied at once");
            key = tipset.key().clone();
        }
        self.at = self.world.chain.tipset(&key).await.unwrap();
    }
}

#[derive(Clone, Debug)]
pub enum Trouble {
    Extend { blocks: usize, nulls: i64 },
    Fork { depth: usize },
    Back { depth: usize },
    Disconnect,
    HangUp,
    Replace,
    CatchUp,
}

pub fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        4 => (1usize..4, 0i64..4).prop_map(|(blocks, nulls)| Trouble::Extend { blocks, nulls }),
        2 => (1usize..6).prop_map(|depth| Trouble::Fork { depth }),
        1 => (1usize..4).prop_map(|depth| Trouble::Back { depth }),
        2 => Just(Trouble::Disconnect),
        1 => Just(Trouble::HangUp),
        1 => Just(Trouble::Replace),
        3 => Just(Trouble::CatchUp),
    ]
}

pub async fn cause(trouble: &Trouble, face: &Face, at: &At) {
    let chain = &face.world.chain;
    match trouble {
        Trouble::Extend { blocks, nulls } => {
            chain.null_rounds(*nulls);
            chain.mine_blocks(&vec![Vec::new(); *blocks]).unwrap();
        }
        Trouble::Fork { depth } => {
            // The genesis stays.
            let _ = chain.reorg(*depth, &[]);
        }
        Trouble::Back { depth } => {
            let mut to = chain.head_now();
            for _ in 0..*depth {
                if to.height() > 0 {
                    to = chain.tipset(&to.parents()).await.unwrap();
                }
            }
            chain.set_head(to.key()).unwrap();
        }
        Trouble::Disconnect => at.disconnect(),
        Trouble::HangUp => face.state.hang_up.notify_waiters(),
        Trouble::Replace => at.replace(face),
        Trouble::CatchUp => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn consumers_always_end_at_the_head(
        troubles in prop::collection::vec(trouble(), 1..24),
        tells in prop::bool::weighted(0.8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut face = Face::new(world().await, Style::Venus);
            if !tells {
                face = face.without(&["ChainNotify"]);
            }
            let at = At::of(&face);
            let node = VenusNode::connect_with(at.clone(), polling()).await.unwrap();
            let mut always = Consumer::start(&node, &face.world).await;
            let mut lazy = Consumer::start(&node, &face.world).await;
            for trouble in &troubles {
                cause(trouble, &face, &at).await;
                if matches!(trouble, Trouble::CatchUp) {
                    always.catch_up().await;
                }
                tokio::task::yield_now().await;
            }
            always.catch_up().await;
            lazy.catch_up().await;
        });
    }
}

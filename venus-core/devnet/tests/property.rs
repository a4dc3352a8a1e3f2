//! Random forks, null rounds and disconnects.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{FutureExt, StreamExt};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use support::World;
use support::traffic::Traffic;
use venus_core::api::{
    BlockReject, ChainError, ChainReader, HeadChange, HeadEvent, HeadFeed, HeadStream, Resume,
};
use venus_core::types::{Address, BlockHeader, Tipset, TipsetKey};
use venus_devnet::{DevnetError, EpochSpec};

const MINERS: usize = 4;
const CONSUMERS: usize = 3;

#[derive(Clone, Debug)]
enum Op {
    /// Messages are pushed.
    Send,
    /// Some miners mine on the head, after so many null rounds.
    Mine { miners: u8, nulls: i64 },
    /// Some miners mine epochs beside the last tipsets.
    Branch { depth: u8, miners: u8, epochs: u8 },
    /// A consumer takes what there is.
    Read(usize),
    /// A consumer's stream breaks; it comes back behind what it saw last.
    Reconnect(usize),
    /// A consumer starts over at the head.
    StartOver(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let some = 1..1u8 << MINERS;
    prop_oneof![
        1 => Just(Op::Send),
        4 => (some.clone(), 0i64..3).prop_map(|(miners, nulls)| Op::Mine { miners, nulls }),
        3 => (1..4u8, some, 1..7u8)
            .prop_map(|(depth, miners, epochs)| Op::Branch { depth, miners, epochs }),
        3 => (0..CONSUMERS).prop_map(Op::Read),
        1 => (0..CONSUMERS).prop_map(Op::Reconnect),
        1 => (0..CONSUMERS).prop_map(Op::StartOver),
    ]
}

/// Follows the head as any user of the feed does, and checks what it is told.
struct Consumer {
    stream: HeadStream,
    /// The chain as this consumer knows it, from where it began.
    chain: Vec<Arc<Tipset>>,
}

impl Consumer {
    fn new(world: &World) -> Self {
        Self { stream: world.devnet.heads(Resume::Head), chain: Vec::new() }
    }

    fn reconnect(&mut self, world: &World) {
        let Some(last) = self.chain.last() else { return };
        self.stream = world.devnet.heads(Resume::From(last.key().clone()));
    }

    fn read(&mut self) {
        while let Some(Some(event)) = self.stream.next().now_or_never() {
            match event.unwrap() {
                HeadEvent::Current(head) => {
                    assert!(self.chain.is_empty(), "only a feed without a past begins with the head");
                    self.chain.push(head);
                }
                HeadEvent::Change(change) => self.follow(change),
                other => panic!("nothing is ever lost here: {other:?}"),
            }
        }
    }

    fn follow(&mut self, change: HeadChange) {
        for tipset in change.revert {
            match self.chain.pop() {
                Some(last) => assert_eq!(last, tipset, "what is reverted was applied last"),
                // It left the chain below where this consumer began.
                None => assert!(tipset.height() >= 0),
            }
        }
        for tipset in change.apply {
            assert!(!self.chain.contains(&tipset), "nothing is applied twice");
            if let Some(last) = self.chain.last() {
                assert_eq!(*last.key(), tipset.parents(), "no gap");
            }
            self.chain.push(tipset);
        }
    }
}

fn chosen(world: &World, bits: u8) -> Vec<Address> {
    let numbered = world.devnet.miners().into_iter().enumerate();
    numbered.filter(|(i, _)| bits & (1 << i) != 0).map(|(_, miner)| miner).collect()
}

/// Mines on a base. A miner that would contradict itself is refused, and that is all. Answers the blocks.
async fn mine(world: &World, epoch: i64, base: &TipsetKey, miners: &[Address]) -> Vec<BlockHeader> {
    world.at(epoch);
    let mut blocks = Vec::new();
    for miner in miners {
        let spec = EpochSpec { epoch, base: base.clone(), miners: vec![*miner], messages: true };
        match world.devnet.mine(&spec, &*world.signer).await {
            Ok(mined) => blocks.extend(mined.into_iter().map(|block| block.header)),
            Err(DevnetError::Chain(ChainError::Block(BlockReject::SlashFilter { .. }))) => {}
            Err(e) => panic!("{e}"),
        }
        world.devnet.check_supply().unwrap();
    }
    blocks
}

/// A branch of its own, heavier or not.
async fn branch(world: &World, depth: u8, miners: &[Address], epochs: u8) {
    let mut base = world.head().await;
    for _ in 0..depth {
        if base.height() > 0 {
            base = world.devnet.tipset(&base.parents()).await.unwrap();
        }
    }
    let first = base.height() + 1;
    for epoch in first..first + i64::from(epochs) {
        if let Ok(tipset) = Tipset::new(mine(world, epoch, base.key(), miners).await) {
            base = Arc::new(tipset);
        }
    }
}

/// Answers how many reorgs there were.
async fn run(ops: Vec<Op>) -> u64 {
    let world = World::new(81, MINERS);
    let mut traffic = Traffic::new(&world, 81);
    let mut consumers: Vec<Consumer> = (0..CONSUMERS).map(|_| Consumer::new(&world)).collect();
    for op in ops {
        match op {
            Op::Send => traffic.send(&world).await,
            Op::Mine { miners, nulls } => {
                let head = world.head().await;
                mine(&world, head.height() + 1 + nulls, head.key(), &chosen(&world, miners)).await;
            }
            Op::Branch { depth, miners, epochs } => {
                branch(&world, depth, &chosen(&world, miners), epochs).await;
            }
            Op::Read(i) => consumers[i].read(),
            Op::Reconnect(i) => consumers[i].reconnect(&world),
            Op::StartOver(i) => consumers[i] = Consumer::new(&world),
        }
    }
    let head = world.head().await;
    for consumer in &mut consumers {
        consumer.read();
        assert_eq!(*consumer.chain.last().unwrap(), head, "a consumer ends at the node's head");
    }
    world.devnet.stats().reorgs
}

#[test]
fn consumers_end_at_the_head_and_fil_is_conserved() {
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    let reorgs = AtomicU64::new(0);
    let result = TestRunner::new(config).run(&proptest::collection::vec(op(), 4..24), |ops| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        reorgs.fetch_add(runtime.block_on(run(ops)), Ordering::Relaxed);
        Ok(())
    });
    result.unwrap();
    assert!(reorgs.into_inner() > 0, "no branch became the chain, so little was tested");
}

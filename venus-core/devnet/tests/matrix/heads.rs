//! Whatever happens to the chain and to the sockets, whoever follows the head ends where the node is.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use proptest::prelude::*;
use venus_core::api::{BlockProducer, HeadEvent, HeadFeed, HeadStream, Resume};
use venus_core::node::{Forest, Lotus, Venus};
use venus_core::types::{BlockMsg, ChainEpoch, Tipset, TipsetKey};
use venus_devnet::face::FaceKind;

use crate::net::{FACES, Net};
use crate::support::World;

const PATIENCE: Duration = Duration::from_secs(60);
const MINERS: usize = 4;

/// What happens.
#[derive(Clone, Debug)]
enum Act {
    /// Null rounds, then a tipset of the miners of a mask on the tipset so many below the head.
    Mine { nulls: ChainEpoch, below: usize, miners: u8 },
    /// A message waits.
    Send,
    /// All sockets break.
    Cut,
    /// The face is served by another server.
    Restart,
    /// The consumers see everything so far.
    Look,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..3 as ChainEpoch, prop_oneof![3 => Just(0), 1 => 1..4usize], 1..16u8)
            .prop_map(|(nulls, below, miners)| Act::Mine { nulls, below, miners }),
        1 => Just(Act::Send),
        2 => Just(Act::Cut),
        1 => Just(Act::Restart),
        1 => Just(Act::Look),
    ]
}

/// One who follows the head, and knows where it should be.
struct Consumer {
    events: HeadStream,
    /// From the tipset where it began.
    chain: Vec<TipsetKey>,
    applied: HashMap<TipsetKey, i32>,
}

impl Consumer {
    async fn start(feed: &dyn HeadFeed) -> Self {
        let mut consumer = Self { events: feed.heads(Resume::Head), chain: vec![], applied: HashMap::new() };
        match consumer.next().await {
            HeadEvent::Current(head) => consumer.chain.push(head.key().clone()),
            other => panic!("the first event is {other:?}"),
        }
        consumer
    }

    async fn next(&mut self) -> HeadEvent {
        let event = tokio::time::timeout(PATIENCE, self.events.next()).await;
        event.expect("an event in time").expect("the stream goes on").expect("no error")
    }

    /// Follows to a head.
    async fn reach(&mut self, head: &Tipset) {
        while self.chain.last() != Some(head.key()) {
            match self.next().await {
                HeadEvent::Change(change) => {
                    for tipset in &change.revert {
                        assert_eq!(
                            self.chain.pop().as_ref(),
                            Some(tipset.key()),
                            "reverts what it stands on"
                        );
                        *self.applied.entry(tipset.key().clone()).or_default() -= 1;
                        // What lies before the beginning was not applied here.
                        if self.chain.is_empty() {
                            self.chain.push(tipset.parents());
                        }
                    }
                    for tipset in &change.apply {
                        assert_eq!(self.chain.last(), Some(&tipset.parents()), "applies a child");
                        self.chain.push(tipset.key().clone());
                        let times = self.applied.entry(tipset.key().clone()).or_default();
                        *times += 1;
                        assert!(*times <= 1, "{} was applied twice", tipset.key());
                    }
                }
                other => panic!("{other:?} where the way is known"),
            }
        }
    }
}

/// Mines on a tipset below the head, as miners would that saw no other. Nobody makes a second block of an epoch.
async fn mine(world: &World, nulls: ChainEpoch, below: usize, miners: u8) {
    let mut base = world.head().await;
    for _ in 0..below {
        // Null rounds make a chain shorter than its height says.
        if base.height() == 0 {
            break;
        }
        base = venus_core::api::ChainReader::tipset(&world.devnet, &base.parents()).await.unwrap();
    }
    let all = world.devnet.miners();
    for epoch in base.height() + 1 + nulls.. {
        let blocks: Vec<BlockMsg> = world.blocks(epoch, &base).await;
        let chosen = |block: &&BlockMsg| {
            let at = all.iter().position(|miner| *miner == block.header.miner).unwrap();
            miners & (1 << at) != 0
        };
        // A miner who has a block in this epoch, or on these parents, is refused: that would be a fault.
        let mut taken = 0;
        for block in blocks.iter().filter(chosen) {
            taken += usize::from(world.devnet.submit_block(block).await.is_ok());
            world.devnet.check_supply().unwrap();
        }
        if taken > 0 || epoch > base.height() + 20 {
            break;
        }
    }
}

async fn run(face: FaceKind, acts: Vec<Act>) {
    let mut net = Net::with_keys(World::new(61, MINERS), face).await;
    mine(&net.world, 0, 0, 15).await;
    let lotus = net.adapter::<Lotus>("ws").await;
    let venus = net.adapter::<Venus>("ws").await;
    let forest = net.adapter::<Forest>("http").await;
    let feeds: [&dyn HeadFeed; 4] = [&lotus, &venus, &forest, &net.world.devnet.clone()];
    let mut consumers = Vec::new();
    for feed in feeds {
        consumers.push(Consumer::start(feed).await);
    }
    for act in acts.into_iter().chain([Act::Look]) {
        match act {
            Act::Mine { nulls, below, miners } => mine(&net.world, nulls, below, miners).await,
            Act::Send => {
                net.world.send(net.world.secp, net.world.bls, 1).await;
            }
            Act::Cut => net.link.cut(),
            Act::Restart => net.restart().await,
            Act::Look => {
                let head = net.world.head().await;
                for consumer in &mut consumers {
                    consumer.reach(&head).await;
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn end_at_the_head(face in 0..FACES.len(), acts in prop::collection::vec(act(), 4..14)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(FACES[face], acts));
    }
}

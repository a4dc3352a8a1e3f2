//! The choice of messages for blocks.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::{HashMap, HashSet};

use futures::{FutureExt, StreamExt};
use proptest::prelude::*;
use support::{World, fil};
use venus_core::api::{BlockProducer, ChainReader, MessagePool, SignerExt};
use venus_core::types::{
    Address, Message, MessageExt, MpoolChange, MpoolConfig, SignedMessage, TipsetKey, TokenAmount,
};
use venus_devnet::ForkSpec;

async fn signed(world: &World, message: &Message) -> SignedMessage {
    world.signer.sign_message(message).await.unwrap()
}

async fn selected(world: &World, lists: usize) -> Vec<Vec<SignedMessage>> {
    world.devnet.select_messages(&TipsetKey::default(), &vec![0.5; lists]).await.unwrap()
}

#[tokio::test]
async fn a_block_holds_ten_billion_gas_and_the_rest_stays_for_the_next() {
    let world = World::new(66, 1);
    let template = world.transfer(world.bls, world.secp, 0).await.message;
    for sequence in 0..7 {
        let message = Message { sequence, gas_limit: 1_500_000_000, ..template.clone() };
        world.devnet.push(&signed(&world, &message).await).await.unwrap();
    }
    world.send(world.secp, world.bls, 1).await;
    let lists = selected(&world, 3).await;
    assert!(lists[0].iter().map(|m| m.message.gas_limit).sum::<u64>() <= 10_000_000_000);
    assert_eq!(lists[0].iter().filter(|m| m.message.from == world.bls).count(), 6);
    assert!(lists[1..].iter().all(Vec::is_empty), "nobody is left for the others");
    world.extend().await;
    assert_eq!(selected(&world, 1).await[0].len(), 1);
}

#[tokio::test]
async fn better_payers_go_first_and_losses_stay() {
    let world = World::new(67, 1);
    let message = async |from, to, premium: i64, fee_cap: i64| {
        let message = world.transfer(from, to, 0).await.message;
        let (gas_premium, gas_fee_cap) = (TokenAmount::from_atto(premium), TokenAmount::from_atto(fee_cap));
        signed(&world, &Message { gas_premium, gas_fee_cap, ..message }).await
    };
    let cheap = message(world.bls, world.secp, 1000, 1_000_000_000).await;
    let dear = message(world.secp, world.bls, 2000, 1_000_000_000).await;
    world.devnet.push(&cheap).await.unwrap();
    world.devnet.push(&dear).await.unwrap();
    assert_eq!(selected(&world, 1).await, [vec![dear, cheap]]);
    let world = World::new(67, 1);
    let loss = message(world.bls, world.secp, 1000, 2_000_000).await;
    world.devnet.push(&loss).await.unwrap();
    assert_eq!(selected(&world, 1).await, [vec![]], "a fee cap below the base fee waits for a lower one");
}

#[tokio::test]
async fn any_tipset_can_be_the_base() {
    let world = World::new(67, 1);
    let first = world.send(world.bls, world.secp, 2).await;
    let before = world.head().await;
    let landed = world.extend().await;
    let second = world.send(world.bls, world.secp, 1).await;
    let at = async |key: &TipsetKey| world.devnet.select(key, 0.5).await.unwrap();
    assert_eq!(at(&TipsetKey::default()).await, second);
    assert_eq!(at(landed.key()).await, second);
    assert_eq!(at(before.key()).await, [first, second].concat());
}

#[tokio::test]
async fn senders_of_priority_go_first() {
    let world = World::new(67, 1);
    let cheap = world.send(world.bls, world.secp, 1).await;
    let template = world.transfer(world.secp, world.bls, 0).await.message;
    let dear = signed(&world, &Message { gas_premium: TokenAmount::from_atto(900_000), ..template }).await;
    world.devnet.push(&dear).await.unwrap();
    let by_pay = [dear.clone(), cheap[0].clone()];
    assert_eq!(selected(&world, 1).await, [by_pay]);
    for name in [world.bls, Address::new_id(100)] {
        let config = MpoolConfig { priority_addrs: vec![name], ..world.devnet.pool_config() };
        world.devnet.set_pool_config(config).unwrap();
        let by_priority = [cheap[0].clone(), dear.clone()];
        assert_eq!(selected(&world, 1).await, [by_priority]);
    }
}

#[tokio::test]
async fn competing_blocks_land_what_they_chose() {
    let world = World::new(77, 4);
    world.send(world.bls, world.secp, 3).await;
    world.send(world.secp, world.bls, 3).await;
    let head = world.extend().await;
    let landed = world.devnet.tipset_messages(head.key()).await.unwrap();
    assert_eq!(landed.len(), 6, "what one block left out another one has");
    assert_eq!(world.devnet.stats().pending, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Whatever the order in which senders' messages come in, the same ones are chosen in the same order.
    #[test]
    fn the_choice_does_not_depend_on_the_order_of_arrival(
        premiums in prop::collection::vec(prop::collection::vec(1i64..5, 1..6), 4),
        order in prop::collection::vec(any::<prop::sample::Index>(), 40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut results = HashSet::new();
            for shuffled in [false, true] {
                let world = World::new(70, 1);
                let senders: Vec<Address> = vec![world.bls, world.secp];
                let mut queues = Vec::new();
                for (i, premiums) in premiums.iter().take(2).enumerate() {
                    let (from, to) = (senders[i], senders[1 - i]);
                    let mut queue = Vec::new();
                    for (nonce, premium) in premiums.iter().enumerate() {
                        let message = world.transfer(from, to, nonce as u64).await.message;
                        let gas_premium = TokenAmount::from_atto(premium * 1000);
                        queue.push(signed(&world, &Message { gas_premium, ..message }).await);
                    }
                    queues.push(queue);
                }
                let mut all: Vec<SignedMessage> = queues.concat();
                let mut next = order.iter();
                while !all.is_empty() {
                    let at = if shuffled { next.next().unwrap().index(all.len()) } else { 0 };
                    world.devnet.push(&all.remove(at)).await.unwrap();
                }
                results.insert(format!("{:?}", selected(&world, 2).await));
            }
            assert_eq!(results.len(), 1);
        });
    }

    /// Whatever happens to chain and pool: what waits is what listeners were told, no accepted message gets lost, and
    /// what is chosen can be sent.
    #[test]
    fn the_pool_keeps_its_books(steps in prop::collection::vec(step(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut books = Books::new(World::new(78, 4));
            for step in steps {
                books.take(step).await;
                books.check().await;
            }
        });
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push { secp: bool, ahead: u64, premium: i64, stranger: bool },
    Mine,
    Fork { depth: u64 },
    Remove { secp: bool, ahead: u64 },
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (any::<bool>(), 0u64..4, 1i64..9, any::<bool>())
            .prop_map(|(secp, ahead, premium, stranger)| Step::Push { secp, ahead, premium, stranger }),
        4 => Just(Step::Mine),
        2 => (1u64..4).prop_map(|depth| Step::Fork { depth }),
        1 => (any::<bool>(), 0u64..3).prop_map(|(secp, ahead)| Step::Remove { secp, ahead }),
        1 => Just(Step::Clear),
    ]
}

/// A world, and what its pool should know.
struct Books {
    world: World,
    updates: venus_devnet::PoolUpdates,
    /// What waits, as listeners were told.
    told: HashMap<(Vec<u8>, u64), SignedMessage>,
    /// What was accepted and not taken back.
    owed: HashSet<(Address, u64)>,
    /// Miners that can make a branch, each of them once.
    rivals: Vec<Address>,
    /// No epoch up to this one is mined any more: no miner may make a second block of one.
    mined: i64,
}

impl Books {
    fn new(world: World) -> Self {
        let updates = world.devnet.pool_updates();
        let rivals = world.devnet.miners()[1..].to_vec();
        Self { world, updates, told: HashMap::new(), owed: HashSet::new(), rivals, mined: 0 }
    }

    async fn take(&mut self, step: Step) {
        let world = &self.world;
        let sides = |secp| if secp { (world.secp, world.bls) } else { (world.bls, world.secp) };
        match step {
            Step::Push { secp, ahead, premium, stranger } => {
                let (from, to) = sides(secp);
                let nonce = world.nonce(&from).await + ahead;
                let message = world.transfer(from, to, nonce).await.message;
                let gas_premium = TokenAmount::from_atto(premium * 1000);
                let message = signed(world, &Message { gas_premium, ..message }).await;
                let pushed = match stranger {
                    true => world.devnet.push_untrusted(&message).await,
                    false => world.devnet.push(&message).await,
                };
                if pushed.is_ok() {
                    self.owed.insert((from, nonce));
                }
            }
            Step::Mine => self.mine().await,
            Step::Fork { depth } => {
                if depth <= world.head().await.height().unsigned_abs()
                    && let Some(producer) = self.rivals.pop()
                {
                    let spec = ForkSpec { depth, producer };
                    // Null rounds may make the chain shorter than its height.
                    let _ = world.devnet.fork(spec, &*world.signer, &world.clock).await;
                }
            }
            Step::Remove { secp, ahead } => {
                let from = sides(secp).0;
                let nonce = world.nonce(&from).await + ahead;
                if world.devnet.remove_pending(&from, nonce) {
                    self.owed.remove(&(from, nonce));
                }
            }
            Step::Clear => {
                for message in world.devnet.pending().await.unwrap() {
                    self.owed.remove(&(message.message.from, message.message.sequence));
                }
                world.devnet.clear_pool();
            }
        }
    }

    /// One block of a miner that never makes branches.
    async fn mine(&mut self) {
        let base = self.world.head().await;
        let miner = self.world.devnet.miners()[0];
        for epoch in self.mined.max(base.height()) + 1.. {
            self.mined = epoch;
            let blocks = self.world.blocks(epoch, &base).await;
            if let Some(block) = blocks.iter().find(|b| b.header.miner == miner) {
                self.world.devnet.submit_block(block).await.unwrap();
                return self.world.devnet.check_supply().unwrap();
            }
        }
    }

    async fn check(&mut self) {
        while let Some(Some(update)) = self.updates.next().now_or_never() {
            let message = &update.message.message;
            let key = (message.from.to_bytes(), message.sequence);
            match update.change {
                MpoolChange::Add => assert_eq!(self.told.insert(key, update.message.clone()), None),
                MpoolChange::Remove => assert_eq!(self.told.remove(&key), Some(update.message.clone())),
            }
        }
        let pending = self.world.devnet.pending().await.unwrap();
        assert_eq!(pending.len(), self.told.len());
        assert!(pending.iter().all(|m| self.told.values().any(|told| told == m)));
        assert_eq!(self.world.devnet.stats().pending, pending.len());
        assert_eq!(self.world.devnet.pending_at(&TipsetKey::default()).await.unwrap(), pending);
        for sender in [self.world.bls, self.world.secp] {
            self.check_sender(&sender, &pending).await;
        }
    }

    async fn check_sender(&self, sender: &Address, pending: &[SignedMessage]) {
        let on_chain = self.world.nonce(sender).await;
        let own: Vec<u64> =
            pending.iter().filter(|m| m.message.from == *sender).map(|m| m.message.sequence).collect();
        assert!(own.windows(2).all(|pair| pair[0] < pair[1]) && own.iter().all(|nonce| *nonce >= on_chain));
        let mut owed = self.owed.iter().filter(|(from, _)| from == sender);
        assert!(owed.all(|(_, nonce)| *nonce < on_chain || own.contains(nonce)), "a message got lost");
        let free = (on_chain..).find(|nonce| !own.contains(nonce)).unwrap();
        assert_eq!(self.world.devnet.next_nonce(sender).await.unwrap(), free);
        let chosen = selected(&self.world, 1).await.remove(0);
        let chosen: Vec<&Message> = chosen.iter().map(|m| &m.message).filter(|m| m.from == *sender).collect();
        let nonces: Vec<u64> = chosen.iter().map(|m| m.sequence).collect();
        assert_eq!(nonces, (on_chain..free).collect::<Vec<_>>(), "there is room for all that can be sent");
        let cost: TokenAmount = chosen.iter().map(|m| m.required_funds()).sum();
        assert!(cost <= fil(1000));
    }
}

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Any order of pushes, blocks, reorgs, failures and sudden deaths: each message lands once, no nonce is lost, none
//! is used twice.

mod common;

use std::collections::{BTreeMap, HashMap};

use common::*;
use futures::FutureExt;
use proptest::prelude::*;
use venus_core::api::*;
use venus_core::types::{Address, Cid, ExitCode, MessageExt};
use venus_messager::Messager;

#[derive(Clone, Debug)]
enum Op {
    Push {
        sender: usize,
        atto: u64,
    },
    /// Pushes and dies, or gives up, after some polls.
    DieInPush {
        sender: usize,
        atto: u64,
        polls: usize,
    },
    DieInCatchUp {
        polls: usize,
    },
    DieInReplace {
        message: usize,
        polls: usize,
    },
    CatchUp,
    Replace {
        message: usize,
    },
    Cancel {
        message: usize,
    },
    /// Mines the first so many of what waits of each sender, in one block or in two that overlap.
    Mine {
        most: usize,
        twice: bool,
    },
    NullRounds(i64),
    Reorg {
        depth: usize,
        keep: bool,
    },
    Restart,
    /// The node forgets what waits.
    LosePool,
    FailNode(usize),
    FailPool(usize),
    FailSigner(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let sender = 0..3usize;
    prop_oneof![
        4 => (sender.clone(), 1..9u64).prop_map(|(sender, atto)| Op::Push { sender, atto }),
        3 => (sender, 1..9u64, 0..60usize)
            .prop_map(|(sender, atto, polls)| Op::DieInPush { sender, atto, polls }),
        2 => (0..90usize).prop_map(|polls| Op::DieInCatchUp { polls }),
        1 => (any::<usize>(), 0..40usize).prop_map(|(message, polls)| Op::DieInReplace { message, polls }),
        3 => Just(Op::CatchUp),
        1 => any::<usize>().prop_map(|message| Op::Replace { message }),
        1 => any::<usize>().prop_map(|message| Op::Cancel { message }),
        4 => (0..6usize, any::<bool>()).prop_map(|(most, twice)| Op::Mine { most, twice }),
        1 => (1..3i64).prop_map(Op::NullRounds),
        2 => (1..4usize, any::<bool>()).prop_map(|(depth, keep)| Op::Reorg { depth, keep }),
        1 => Just(Op::Restart),
        1 => Just(Op::LosePool),
        1 => (1..12usize).prop_map(Op::FailNode),
        1 => (1..6usize).prop_map(Op::FailPool),
        1 => (1..4usize).prop_map(Op::FailSigner),
    ]
}

struct Run {
    world: World,
    messager: Messager,
    /// What the caller wants sent: each name until its push was answered.
    wanted: Vec<(String, MessageRequest)>,
}

impl Run {
    async fn new() -> Self {
        let world = World::new();
        Self { messager: world.open().await, world, wanted: Vec::new() }
    }

    fn want(&mut self, sender: usize, atto: u64) -> (String, MessageRequest) {
        let wanted = (format!("m{}", self.wanted.len()), self.world.transfer(sender, atto));
        self.wanted.push(wanted.clone());
        wanted
    }

    fn name(&self, message: usize) -> Option<String> {
        (!self.wanted.is_empty()).then(|| self.wanted[message % self.wanted.len()].0.clone())
    }

    /// What waits, at most `most` of each sender and without gaps.
    async fn minable(&self, most: usize) -> Vec<venus_core::types::SignedMessage> {
        let mut taken: HashMap<Address, (usize, u64)> = HashMap::new();
        let mut minable = Vec::new();
        for signed in self.world.pending().await {
            let from = signed.message.from;
            let at = venus_core::types::TipsetKey::default();
            let next = self.world.chain.inner().actor(&from, &at).await.unwrap().unwrap().nonce;
            let (count, nonce) = taken.entry(from).or_insert((0, next));
            if *count < most && *nonce == signed.message.sequence {
                (*count, *nonce) = (*count + 1, *nonce + 1);
                minable.push(signed);
            }
        }
        minable
    }

    async fn restart(&mut self) {
        self.messager = self.world.open().await;
    }

    async fn apply(&mut self, op: Op) {
        let messager = self.messager.clone();
        // Failures of single calls are what is tested: the caller goes on.
        match op {
            Op::Push { sender, atto } => {
                let (id, request) = self.want(sender, atto);
                let _ = messager.push_with_id(&id, request).await;
            }
            Op::DieInPush { sender, atto, polls } => {
                let (id, request) = self.want(sender, atto);
                killed_after(polls, messager.push_with_id(&id, request).boxed()).await;
                // Every other time only the caller goes away, and the messager lives on.
                if polls % 2 == 0 {
                    self.restart().await;
                }
            }
            Op::DieInCatchUp { polls } => {
                killed_after(polls, messager.catch_up().boxed()).await;
                if polls % 2 == 0 {
                    self.restart().await;
                }
            }
            Op::DieInReplace { message, polls } => {
                let Some(id) = self.name(message) else { return };
                killed_after(polls, messager.replace(&id, ReplaceFees::default()).boxed()).await;
                self.restart().await;
            }
            Op::CatchUp => {
                if messager.catch_up().await.is_ok() {
                    self.agree().await;
                }
            }
            Op::Replace { message } => {
                let Some(id) = self.name(message) else { return };
                let _ = messager.replace(&id, ReplaceFees::default()).await;
            }
            Op::Cancel { message } => {
                let Some(id) = self.name(message) else { return };
                let _ = messager.cancel(&id).await;
            }
            Op::Mine { most, twice } => {
                let block = self.minable(most).await;
                let blocks = if twice { vec![block.clone(), block] } else { vec![block] };
                self.world.chain.inner().mine_blocks(&blocks).unwrap();
            }
            Op::NullRounds(count) => self.world.chain.inner().null_rounds(count),
            Op::Reorg { depth, keep } => self.reorg(depth, keep).await,
            Op::Restart => self.restart().await,
            Op::LosePool => {
                self.world.lose_pool();
                self.restart().await;
            }
            Op::FailNode(calls) => self.world.chain.fail_next(calls),
            Op::FailPool(calls) => self.world.pool.fail_next(calls),
            Op::FailSigner(calls) => self.world.signer.fail_next(calls),
        }
    }

    /// Replaces the end of the chain by an empty one, or by one with the same messages two epochs later.
    async fn reorg(&self, depth: usize, keep: bool) {
        let chain = self.world.chain.inner();
        let depth = depth.min(usize::try_from(chain.head_now().height()).unwrap());
        if chain.reorg(depth, &[]).is_ok() && keep {
            let block = self.minable(usize::MAX).await;
            chain.mine(&block).unwrap();
        }
    }

    /// Everything works again: the caller repeats its pushes, blocks take all that waits.
    async fn heal(&mut self) {
        self.world.chain.fail_next(0);
        self.world.pool.fail_next(0);
        self.world.signer.fail_next(0);
        self.restart().await;
        for (id, request) in &self.wanted {
            self.messager.push_with_id(id, request.clone()).await.unwrap();
        }
        for _ in 0..6 {
            self.messager.catch_up().await.unwrap();
            let block = self.minable(usize::MAX).await;
            self.world.chain.inner().mine(&block).unwrap();
        }
        self.world.chain.inner().mine(&[]).unwrap();
        self.messager.catch_up().await.unwrap();
    }

    /// After catching up, what is landed is on the chain of now, where the record says, and nothing else is.
    async fn agree(&self) {
        let executed = self.world.executed().await;
        let applied = executed.iter().filter(|e| e.receipt.exit_code == ExitCode::OK);
        let applied: HashMap<_, _> = applied.map(|e| (e.cid, e)).collect();
        for (id, _) in &self.wanted {
            let Ok(record) = self.messager.get(id).await else { continue };
            let on_chain = record.attempts.iter().find_map(|a| applied.get(&a.cid));
            assert_eq!(on_chain.is_some(), record.state == MessageState::Landed, "{id}: {record:?}");
            let found = on_chain.map(|e| (e.cid, e.tipset.clone(), e.receipt.clone()));
            assert_eq!(record.lookup.map(|l| (l.message, l.tipset, l.receipt)), found, "{id}");
        }
    }

    async fn check(&self) {
        self.agree().await;
        let mut on_chain: HashMap<Address, BTreeMap<u64, Cid>> = HashMap::new();
        for Executed { message, receipt, .. } in self.world.executed().await {
            if receipt.exit_code == ExitCode::OK {
                let nonces = on_chain.entry(message.from).or_default();
                let first = nonces.insert(message.sequence, message.cid());
                assert_eq!(first, None, "nonce {} of {} was executed twice", message.sequence, message.from);
            }
        }
        let mut landed = 0;
        for (id, request) in &self.wanted {
            let record = self.messager.get(id).await.unwrap();
            let nonces: std::collections::BTreeSet<u64> =
                record.attempts.iter().map(|a| a.message.sequence).collect();
            if record.state == MessageState::Cancelled {
                assert!(nonces.is_empty(), "{id} was cancelled with a signature");
                continue;
            }
            assert_eq!(record.state, MessageState::Landed, "{id}: {:?}", record.error);
            assert_eq!(nonces.len(), 1, "{id} has one nonce");
            let nonce = nonces.into_iter().next().unwrap();
            let executed = on_chain[&request.message.from][&nonce];
            assert!(record.attempts.iter().any(|a| a.message.cid() == executed), "{id} is what landed");
            landed += 1;
        }
        let total: usize = on_chain.values().map(BTreeMap::len).sum();
        assert_eq!(total, landed, "nothing else is on chain");
        for (sender, nonces) in on_chain {
            let expected: Vec<u64> = (0..nonces.len() as u64).collect();
            assert_eq!(nonces.into_keys().collect::<Vec<_>>(), expected, "no gap for {sender}");
        }
    }
}

/// Fewer cases than the default, each being a small life; more by `VENUS_RANDOM_CASES`.
fn config() -> ProptestConfig {
    let cases = std::env::var("VENUS_RANDOM_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(48).max(1);
    ProptestConfig { cases, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn each_message_lands_once_whatever_happens(ops in prop::collection::vec(op(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut run = Run::new().await;
            for op in ops {
                run.apply(op).await;
            }
            run.heal().await;
            run.check().await;
        });
    }
}

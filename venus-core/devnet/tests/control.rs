//! The control: mining on demand and by the clock, reorganisations, null rounds, a head that stands still.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::future::pending;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use support::{DELAY, GENESIS, World};
use tokio::time::timeout;
use venus_core::api::{BlockProducer, ChainReader, HeadFeed, MessagePool, Resume, StateReader};
use venus_core::clock::{Clock, ManualClock};
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::{Address, BitField, ChainEpoch, TipsetKey};
use venus_devnet::{
    AutoMine, Devnet, DevnetClock, DevnetControl, DevnetError, FakeProver, MineSpec, Producers, ReorgSpec,
    StateChange, UntilSpec,
};

/// What no test should ever need.
const FOREVER: Duration = Duration::from_secs(120);

fn at(epoch: u64) -> Duration {
    Duration::from_secs(GENESIS + epoch * DELAY)
}

/// A world whose devnet is driven by a control.
struct Driven {
    world: World,
    control: DevnetControl,
}

fn open(seed: u64, miners: usize, dir: Option<&Path>, clock: DevnetClock) -> Driven {
    let mut world = World::new(seed, miners);
    world.devnet = Devnet::open(world.config.clone(), Arc::new(clock.clone()), dir).unwrap();
    let control = DevnetControl::new(world.devnet.clone(), clock, world.signer.clone(), Arc::new(FakeProver));
    Driven { world, control }
}

fn manual(seed: u64, miners: usize) -> Driven {
    open(seed, miners, None, DevnetClock::manual(at(0)))
}

fn count(count: u64) -> MineSpec {
    MineSpec { count, ..MineSpec::default() }
}

async fn blocks_of(driven: &Driven) -> Vec<Address> {
    let head = driven.world.head().await;
    head.blocks().iter().map(|block| block.miner).collect()
}

#[tokio::test]
async fn mining_on_demand_moves_the_clock_and_takes_messages() {
    let driven = manual(61, 3);
    let sent = driven.world.send(driven.world.bls, driven.world.secp, 3).await;
    let report = driven.control.mine(&count(5)).await.unwrap();
    assert_eq!(report.tipsets, 5);
    assert!(report.blocks > 5, "three miners make tipsets of several blocks: {report:?}");
    assert_eq!(report.tipsets + report.nulls, report.head.height as u64);
    assert_eq!(driven.control.clock().now(), at(report.head.height as u64));
    assert_eq!(report.head.cids, driven.world.head().await.cids());
    assert_eq!(driven.world.nonce(&driven.world.bls).await, sent.len() as u64);
    driven.world.devnet.check_supply().unwrap();
}

#[tokio::test]
async fn advancing_counts_epochs_and_mining_counts_tipsets() {
    let driven = manual(62, 1);
    let report = driven.control.advance(40).await.unwrap();
    assert_eq!(report.tipsets + report.nulls, 40);
    assert_eq!(report.blocks, report.tipsets);
    let spec = MineSpec { nulls: 7, count: 2, ..MineSpec::default() };
    let before = driven.world.head().await.height();
    let report = driven.control.mine(&spec).await.unwrap();
    assert_eq!(report.tipsets, 2);
    assert!(report.nulls >= 14 && report.head.height >= before + 16, "{report:?}");
    assert_eq!(driven.control.null_rounds(5).await.unwrap(), report.head.height + 5);
    let after = driven.control.mine(&count(1)).await.unwrap();
    assert!(after.head.height > report.head.height + 5);
}

#[tokio::test]
async fn the_same_commands_make_the_same_chain() {
    let mut heads = Vec::new();
    for _ in 0..2 {
        let driven = manual(63, 3);
        driven.world.send(driven.world.bls, driven.world.secp, 2).await;
        driven.control.mine(&count(4)).await.unwrap();
        driven.control.null_rounds(3).await.unwrap();
        driven.control.fork(&ReorgSpec { depth: 2, ..ReorgSpec::default() }).await.unwrap();
        heads.push(driven.control.advance(3).await.unwrap().head);
    }
    assert_eq!(heads[0], heads[1]);
}

#[tokio::test]
async fn who_mines_is_chosen() {
    let driven = manual(64, 4);
    let miners = driven.world.devnet.miners();
    let spec = MineSpec { miners: Some(vec![miners[2]]), ..MineSpec::default() };
    driven.control.mine(&spec).await.unwrap();
    assert_eq!(blocks_of(&driven).await, [miners[2]]);
    driven.control.set_producers(Producers::Listed(vec![miners[1]])).unwrap();
    driven.control.mine(&count(1)).await.unwrap();
    assert_eq!(blocks_of(&driven).await, [miners[1]]);
    let status = driven.control.status();
    assert_eq!(status.miners, [miners[1]]);
    assert_eq!(status.outside_miners, [miners[0], miners[2], miners[3]]);
    driven.control.set_producers(Producers::Outside).unwrap();
    assert!(matches!(driven.control.mine(&count(1)).await, Err(DevnetError::Control(_))));
    let stranger = Producers::Listed(vec![Address::new_id(7)]);
    assert_eq!(driven.control.set_producers(stranger).unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_chain_goes_on_after_more_empty_epochs_than_it_can_have() {
    let driven = manual(81, 1);
    driven.control.mine(&count(1)).await.unwrap();
    let height = driven.world.head().await.height();
    driven.control.set_producers(Producers::Outside).unwrap();
    let report = driven.control.advance(8_500).await.unwrap();
    assert_eq!((report.blocks, report.head.height), (0, height));
    driven.control.set_producers(Producers::All).unwrap();
    let report = driven.control.mine(&count(1)).await.unwrap();
    assert!(report.head.height > height, "{report:?}");
}

#[tokio::test]
async fn who_is_no_miner_cannot_mine() {
    let driven = manual(82, 1);
    for stranger in [Address::new_id(999), Address::new_id(100), driven.world.bls] {
        let spec = MineSpec { miners: Some(vec![stranger]), ..MineSpec::default() };
        assert!(matches!(driven.control.mine(&spec).await, Err(DevnetError::Control(_))), "{stranger}");
    }
    assert_eq!(driven.control.clock().now(), at(0), "nothing was tried");
    let miner = driven.world.devnet.miners()[0];
    let twice = MineSpec { miners: Some(vec![miner, miner]), ..MineSpec::default() };
    assert_eq!(driven.control.mine(&twice).await.unwrap().blocks, 1);
}

#[tokio::test]
async fn no_confidence_is_reached_before_its_time() {
    let driven = manual(83, 1);
    let sent = driven.world.send(driven.world.bls, driven.world.secp, 1).await;
    for confidence in [1 << 63, u64::MAX] {
        let spec = UntilSpec { message: sent[0].cid(), confidence, epochs: 30 };
        assert!(matches!(driven.control.mine_until(&spec).await, Err(DevnetError::Control(_))));
    }
}

#[tokio::test]
async fn nonsense_is_refused() {
    let driven = manual(65, 1);
    for bad in [0, MineSpec::MAX + 1] {
        assert!(driven.control.mine(&count(bad)).await.is_err());
        assert!(driven.control.advance(bad).await.is_err());
        assert!(driven.control.fork(&ReorgSpec { depth: bad, ..ReorgSpec::default() }).await.is_err());
    }
    assert!(driven.control.null_rounds(8192).await.is_err());
    assert!(driven.control.null_rounds(u64::MAX).await.is_err());
    assert!(driven.control.set_auto_mine(AutoMine::Every { ms: 0 }).is_err());
    assert!(driven.control.fork(&ReorgSpec::default()).await.is_err(), "there is only the genesis");
    assert_eq!(driven.world.head().await.height(), 0);
}

#[tokio::test]
async fn a_reorganisation_by_the_same_miners() {
    let driven = manual(66, 3);
    let world = &driven.world;
    driven.control.mine(&count(3)).await.unwrap();
    let sent = world.send(world.bls, world.secp, 3).await;
    driven.control.mine(&count(2)).await.unwrap();
    assert_eq!(world.nonce(&world.bls).await, 3);
    let old = world.head().await;
    let mut heads = world.devnet.heads(Resume::From(old.key().clone()));
    heads.next().await.unwrap().unwrap();
    let report = driven.control.fork(&ReorgSpec { depth: 2, ..ReorgSpec::default() }).await.unwrap();
    assert_eq!(report.old_head.cids, old.cids());
    assert_eq!((report.head.cids.as_slice(), report.dropped), (world.head().await.cids(), 0));
    let change = world.devnet.path(old.key(), world.head().await.key()).await.unwrap();
    assert_eq!(change.revert.len(), 2);
    assert_eq!(world.devnet.stats().reorgs, 1);
    assert_eq!((world.nonce(&world.bls).await, world.devnet.pending().await.unwrap()), (0, sent.clone()));
    world.devnet.check_supply().unwrap();
    // They land again, and are thrown away at the next fork.
    driven.control.mine(&count(1)).await.unwrap();
    let spec = ReorgSpec { depth: 1, tipsets: 4, drop_messages: true };
    let report = driven.control.fork(&spec).await.unwrap();
    assert_eq!(report.dropped, 3);
    assert!(report.head.height - report.ancestor.height >= 4);
    assert_eq!((world.devnet.stats().pending, world.devnet.stats().reorgs), (0, 2));
    assert_eq!(world.devnet.push(&sent[0]).await.unwrap(), sent[0].cid());
    driven.control.mine(&count(2)).await.unwrap();
    assert_eq!(world.nonce(&world.bls).await, 1);
    world.devnet.check_supply().unwrap();
}

#[tokio::test]
async fn a_restart_keeps_the_branch_and_its_clock() {
    let dir = tempfile::tempdir().unwrap();
    let driven = open(67, 2, Some(dir.path()), DevnetClock::manual(at(0)));
    driven.control.mine(&count(5)).await.unwrap();
    driven.control.fork(&ReorgSpec { depth: 3, ..ReorgSpec::default() }).await.unwrap();
    let head = driven.control.mine(&count(2)).await.unwrap().head;
    drop(driven);
    let driven = open(67, 2, Some(dir.path()), DevnetClock::manual(at(0)));
    let status = driven.control.status();
    assert_eq!((status.head, status.reorgs), (head.clone(), 1));
    assert_eq!(status.now, head.timestamp);
    assert!(driven.control.mine(&count(1)).await.unwrap().head.height > head.height);
}

#[tokio::test]
async fn mining_until_a_message_is_deep_enough() {
    let driven = manual(68, 2);
    let sent = driven.world.send(driven.world.secp, driven.world.bls, 1).await;
    let spec = UntilSpec { message: sent[0].cid(), confidence: 3, epochs: 30 };
    let found = driven.control.mine_until(&spec).await.unwrap();
    assert!(found.receipt.exit_code.is_success());
    assert!(driven.world.head().await.height() - found.height >= 3);
    let never =
        UntilSpec { message: TipsetKey::from(driven.world.head().await.cids().to_vec()).cid(), ..spec };
    let error = driven.control.mine_until(&never).await.unwrap_err();
    assert!(error.to_string().contains("within 30 epochs"), "{error}");
}

#[tokio::test]
async fn a_frozen_head_stands_still() {
    let driven = manual(69, 2);
    driven.control.mine(&count(1)).await.unwrap();
    let head = driven.world.head().await;
    driven.control.set_frozen(true);
    assert!(driven.control.status().frozen);
    assert!(driven.control.mine(&count(1)).await.is_err());
    assert!(driven.control.fork(&ReorgSpec::default()).await.is_err());
    driven.control.set_frozen(false);
    driven.control.mine(&count(1)).await.unwrap();
    assert!(driven.world.head().await.height() > head.height());
}

/// Runs the control beside `then`, and stops it.
async fn running(driven: &Driven, then: impl Future<Output = ()>) {
    let run = driven.control.run(pending());
    let done = async {
        tokio::select! {
            () = run => panic!("ended by itself"),
            () = then => {}
        }
    };
    timeout(FOREVER, done).await.expect("came to its end");
}

/// Waits until the head is at a height or above.
async fn head_at(driven: &Driven, height: ChainEpoch) {
    let mut heads = driven.world.devnet.heads(Resume::Head);
    while driven.world.head().await.height() < height {
        heads.next().await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn by_the_clock_each_epoch_is_mined_in_its_time() {
    let source = ManualClock::new(at(0));
    let driven = open(70, 5, None, DevnetClock::following(Arc::new(source.clone())));
    driven.control.set_auto_mine(AutoMine::Clock).unwrap();
    running(&driven, async {
        for epoch in 1..=5 {
            assert!(driven.world.head().await.height() < epoch);
            source.advance_to(at(epoch as u64));
            head_at(&driven, epoch).await;
        }
        assert_eq!(driven.world.head().await.height(), 5, "nothing before its time");
    })
    .await;
}

#[tokio::test]
async fn blocks_from_outside_that_come_first_get_company() {
    let source = ManualClock::new(at(0));
    let driven = open(74, 6, None, DevnetClock::following(Arc::new(source.clone())));
    let miners = driven.world.devnet.miners();
    driven.control.set_producers(Producers::Listed(miners[1..].to_vec())).unwrap();
    // An epoch that both the miner outside and one of the others win.
    let mut base = driven.world.head().await;
    let epoch = loop {
        let epoch = base.height() + 1;
        source.advance_to(at(epoch as u64));
        let blocks = driven.world.blocks(epoch, &base).await;
        let outside = blocks.iter().find(|block| block.header.miner == miners[0]);
        if let Some(block) = outside.filter(|_| blocks.len() > 1) {
            driven.world.devnet.submit_block(block).await.unwrap();
            break epoch;
        }
        driven.control.advance(1).await.unwrap();
        base = driven.world.head().await;
    };
    assert_eq!(blocks_of(&driven).await, [miners[0]]);
    driven.control.set_auto_mine(AutoMine::Clock).unwrap();
    running(&driven, async {
        let mut heads = driven.world.devnet.heads(Resume::Head);
        while blocks_of(&driven).await.len() < 2 {
            heads.next().await.unwrap().unwrap();
        }
    })
    .await;
    let head = driven.world.head().await;
    assert_eq!((head.height(), head.parents().cids()), (epoch, base.cids()));
}

#[tokio::test]
async fn a_chain_that_is_behind_catches_up_without_pause() {
    let driven = open(71, 3, None, DevnetClock::following(Arc::new(ManualClock::new(at(60)))));
    assert_eq!(driven.control.behind(), 59);
    driven.control.set_auto_mine(AutoMine::Clock).unwrap();
    running(&driven, async {
        while driven.control.behind() > 0 {
            head_at(&driven, driven.world.head().await.height() + 1).await;
        }
    })
    .await;
    assert!(driven.world.head().await.height() >= 59);
    assert!(driven.world.devnet.stats().blocks > 60, "no epoch was skipped on purpose");
}

#[tokio::test(start_paused = true)]
async fn automatic_mining_is_switched_while_it_runs() {
    let driven = manual(72, 3);
    running(&driven, async {
        driven.control.set_auto_mine(AutoMine::Every { ms: 50 }).unwrap();
        head_at(&driven, 10).await;
        driven.control.set_auto_mine(AutoMine::Off).unwrap();
        // One epoch may be in the making.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let head = driven.world.head().await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(driven.world.head().await, head);
        driven.control.set_frozen(true);
        driven.control.set_auto_mine(AutoMine::Every { ms: 50 }).unwrap();
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(driven.world.head().await, head, "frozen");
        driven.control.set_frozen(false);
        head_at(&driven, head.height() + 5).await;
    })
    .await;
}

#[tokio::test]
async fn a_miner_without_keys_does_not_keep_others_from_mining() {
    let mut driven = manual(73, 3);
    let mut config = driven.world.config.clone();
    config.miners[1].worker = venus_core::testing::doubles::TestSigner::new(9).new_bls();
    let clock = DevnetClock::manual(at(0));
    driven.world.devnet = Devnet::open(config, Arc::new(clock.clone()), None).unwrap();
    let signer = driven.world.signer.clone();
    driven.control = DevnetControl::new(driven.world.devnet.clone(), clock, signer, Arc::new(FakeProver));
    let miner = driven.world.devnet.miners()[1];
    let before = driven.world.devnet.balance(&miner).await.unwrap();
    let report = driven.control.mine(&count(5)).await.unwrap();
    assert_eq!(report.tipsets, 5);
    assert_eq!(driven.world.devnet.balance(&miner).await.unwrap(), before, "it earned nothing");
    driven.control.fork(&ReorgSpec { depth: 2, ..ReorgSpec::default() }).await.unwrap();
    let spec = MineSpec { miners: Some(vec![miner]), ..MineSpec::default() };
    assert_eq!(driven.control.mine(&spec).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn miners_that_cannot_win_do_not_use_up_the_chain() {
    let driven = manual(75, 2);
    driven.control.mine(&count(2)).await.unwrap();
    let now = driven.control.clock().now();
    let spec = MineSpec { miners: Some(vec![Address::new_id(9999)]), ..MineSpec::default() };
    let error = driven.control.mine(&spec).await.unwrap_err().to_string();
    assert!(error.contains("is no miner"), "{error}");
    assert_eq!(driven.control.clock().now(), now, "nothing was tried");
    // Nobody mines, for longer than a block can follow its parents.
    driven.control.set_producers(Producers::Outside).unwrap();
    driven.control.advance(9000).await.unwrap();
    driven.control.set_producers(Producers::All).unwrap();
    let head = driven.world.head().await.height();
    assert!(driven.control.mine(&count(2)).await.unwrap().head.height > head);
    driven.control.null_rounds(8191).await.unwrap();
    assert!(driven.control.null_rounds(1).await.is_err());
    assert!(driven.control.mine(&count(1)).await.unwrap().head.height > head);
}

#[tokio::test]
async fn the_last_power_cannot_be_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let driven = open(76, 2, Some(dir.path()), DevnetClock::manual(at(0)));
    driven.control.mine(&count(2)).await.unwrap();
    let miners = driven.world.devnet.miners();
    let sectors = || BitField::try_from_bits(0..8).unwrap();
    let fault = |miner| StateChange::FaultSectors { miner, sectors: sectors() };
    driven.world.devnet.change_state(fault(miners[0])).unwrap();
    let error = driven.world.devnet.change_state(fault(miners[1])).unwrap_err().to_string();
    assert!(error.contains("stand still"), "{error}");
    // Power without sectors is of no use.
    let all = StateChange::GrantPower {
        miner: miners[0],
        raw: (1 << 20).into(),
        quality_adjusted: (1 << 20).into(),
    };
    driven.world.devnet.change_state(all).unwrap();
    driven.world.devnet.change_state(fault(miners[1])).unwrap_err();
    let head = driven.control.mine(&count(20)).await.unwrap().head;
    let recover = StateChange::RecoverSectors { miner: miners[0], sectors: sectors() };
    driven.world.devnet.change_state(recover).unwrap();
    driven.world.devnet.change_state(fault(miners[1])).unwrap();
    assert!(driven.control.mine(&count(20)).await.unwrap().head.height > head.height);
    let head = driven.world.head().await;
    drop(driven);
    let driven = open(76, 2, Some(dir.path()), DevnetClock::manual(at(0)));
    assert_eq!(driven.world.head().await, head);
}

#[tokio::test(start_paused = true)]
async fn no_head_has_two_blocks_of_a_miner() {
    let source = ManualClock::new(at(0));
    let driven = open(77, 3, None, DevnetClock::following(Arc::new(source)));
    driven.control.mine(&count(6)).await.unwrap();
    // The branch begins beside the head, and then waits for an epoch that has not come.
    let spec = ReorgSpec::default();
    let fork = driven.control.fork(&spec);
    timeout(Duration::from_secs(5), fork).await.expect_err("the time of the next block does not come");
    assert!(driven.world.devnet.stats().blocks > driven.control.status().head.height as u64);
    let mut miners = blocks_of(&driven).await;
    let all = miners.len();
    miners.sort();
    miners.dedup();
    assert_eq!(miners.len(), all);
    driven.world.devnet.check_supply().unwrap();
}

#[tokio::test]
async fn a_chain_of_outside_miners_that_stood_still_is_carried_on() {
    let source = ManualClock::new(at(4_096));
    let driven = open(78, 2, None, DevnetClock::following(Arc::new(source.clone())));
    driven.control.set_producers(Producers::Outside).unwrap();
    driven.control.set_auto_mine(AutoMine::Clock).unwrap();
    running(&driven, async {
        // Blocks of miners outside could still follow the head, so it is left to them.
        tokio::task::yield_now().await;
        assert_eq!(driven.world.head().await.height(), 0);
        source.advance_to(at(4_120));
        head_at(&driven, 4_120 - 4_097).await;
    })
    .await;
    assert!(driven.world.head().await.height() < 40, "no more than it takes");
}

/// A machine's clock that somebody sets.
#[derive(Clone, Debug)]
struct Machine {
    set_to: Arc<Mutex<(Duration, tokio::time::Instant)>>,
}

impl Machine {
    fn new(now: Duration) -> Self {
        Self { set_to: Arc::new(Mutex::new((now, tokio::time::Instant::now()))) }
    }

    fn set(&self, now: Duration) {
        *self.set_to.lock().unwrap() = (now, tokio::time::Instant::now());
    }
}

#[async_trait::async_trait]
impl Clock for Machine {
    fn now(&self) -> Duration {
        let (now, since) = *self.set_to.lock().unwrap();
        now + since.elapsed()
    }

    async fn sleep_until(&self, deadline: Duration) {
        while let Some(left) = deadline.checked_sub(self.now()).filter(|left| !left.is_zero()) {
            tokio::time::sleep(left).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_whose_clock_is_set_back_goes_on() {
    let machine = Machine::new(at(60));
    let driven = open(79, 3, None, DevnetClock::following(Arc::new(machine.clone())));
    driven.control.set_auto_mine(AutoMine::Clock).unwrap();
    running(&driven, async {
        head_at(&driven, 62).await;
        machine.set(at(0));
        let head = driven.world.head().await.height();
        // Far less than the time by which the clock was set back.
        timeout(Duration::from_secs(20 * DELAY), head_at(&driven, head + 5)).await.expect("it goes on");
    })
    .await;
}

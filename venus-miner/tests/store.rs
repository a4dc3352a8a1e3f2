#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! One suite for all reservation stores, and the rules against the chain's own predicates.

mod common;

use std::sync::Arc;

use common::{World, key};
use proptest::prelude::*;
use venus_core::consensus::fault::{ConsensusFault, FaultBlock, consensus_fault};
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::{Address, BlockMsg, ChainEpoch, Cid, Signature, TipsetKey, blake2b_cid};
use venus_miner::{
    Claim, MemoryReservations, Reservation, ReservationState, ReservationStore, SqliteReservations,
    StoreError, Submission,
};

fn cid(name: &str) -> Cid {
    blake2b_cid(name.as_bytes())
}

/// A valid block of the scripted chain, to be bent as tests need it.
async fn model() -> BlockMsg {
    let world = World::new(1, 0).await;
    let header = world.chain.mine(&[]).unwrap().blocks()[0].clone();
    BlockMsg { header, bls_messages: vec![cid("message")], secp_messages: vec![] }
}

struct Maker {
    model: BlockMsg,
}

impl Maker {
    /// A claim of a block of `miner` at `height` on `parents`, which stand at `base_height` on `base_parents`.
    /// `salt` makes it another block.
    fn claim(
        &self,
        miner: u64,
        height: ChainEpoch,
        parents: &[Cid],
        base: (ChainEpoch, &[Cid]),
        salt: u64,
    ) -> Claim {
        let mut block = self.model.clone();
        block.header.miner = Address::new_id(miner);
        block.header.height = height;
        block.header.parents = parents.to_vec();
        block.header.fork_signaling = salt;
        block.header.block_sig = None;
        let worker = Address::new_bls(&[9; 48]).unwrap();
        Claim { block, worker, base_height: base.0, base_parents: TipsetKey::from(base.1.to_vec()) }
    }
}

fn signed(reservation: &Reservation) -> BlockMsg {
    let mut block = reservation.unsigned.clone();
    block.header.block_sig = Some(Signature::bls(vec![1; 96]));
    block
}

fn fault(result: Result<Reservation, StoreError>) -> (ConsensusFault, Cid) {
    match result {
        Err(StoreError::Fault(fault)) => (fault.kind, fault.witness),
        other => panic!("expected a fault, found {other:?}"),
    }
}

async fn suite(store: &dyn ReservationStore) {
    rounds(store).await;
    one_block_for_height_and_parents(store).await;
    steps(store).await;
    grinding(store).await;
}

async fn rounds(store: &dyn ReservationStore) {
    assert_eq!(store.last_round().await.unwrap(), None);
    assert_eq!(store.finish_round(1, 0, 0).await.unwrap_err().kind(), ErrorKind::Invalid);
    store.begin_round(5, &key("a")).await.unwrap();
    store.begin_round(5, &key("b")).await.unwrap();
    let last = store.last_round().await.unwrap().unwrap();
    assert_eq!((last.epoch, last.base, last.done), (5, key("b"), false));
    store.finish_round(5, 3, 2).await.unwrap();
    store.finish_round(5, 3, 2).await.unwrap();
    assert!(store.last_round().await.unwrap().unwrap().done);
    store.begin_round(6, &key("b")).await.unwrap();
    let stale = store.begin_round(5, &key("b")).await.unwrap_err();
    assert!(matches!(stale, StoreError::StaleRound { epoch: 5, last: 6 }), "{stale}");
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.rounds, stats.rounds_won, stats.blocks_mined), (1, 3, 0));
}

async fn one_block_for_height_and_parents(store: &dyn ReservationStore) {
    let make = Maker { model: model().await };
    let (p, q, r) = (cid("p"), cid("q"), cid("r"));
    let claim = make.claim(1, 10, &[p, q], (9, &[r]), 0);
    let first = store.reserve(&claim).await.unwrap();
    assert_eq!((first.state, &first.unsigned), (ReservationState::Reserved, &claim.block));
    assert_eq!(store.reserve(&claim).await.unwrap(), first, "idempotent");

    let other = store.reserve(&make.claim(1, 10, &[r], (9, &[p]), 0)).await;
    assert_eq!(fault(other), (ConsensusFault::DoubleFork, first.cid()));
    let other = store.reserve(&make.claim(1, 10, &[p, q], (9, &[r]), 1)).await;
    assert_eq!(fault(other), (ConsensusFault::DoubleFork, first.cid()));
    let later = store.reserve(&make.claim(1, 11, &[q, p], (9, &[r]), 0)).await;
    assert_eq!(fault(later), (ConsensusFault::TimeOffset, first.cid()), "parents are a set");
    assert!(store.reserve(&make.claim(1, 11, &[p], (9, &[r]), 0)).await.is_ok(), "another set");
    assert!(store.reserve(&make.claim(2, 11, &[q, p], (9, &[r]), 0)).await.is_ok(), "another miner");

    let miner = Address::new_id(1);
    assert_eq!(store.at_height(&miner, 10).await.unwrap(), Some(first.clone()));
    assert_eq!(store.on_parents(&miner, &[q, p]).await.unwrap(), Some(first));
    assert_eq!(store.at_height(&miner, 12).await.unwrap(), None);
    assert_eq!(store.on_parents(&miner, &[q]).await.unwrap(), None);
}

async fn steps(store: &dyn ReservationStore) {
    let make = Maker { model: model().await };
    let miner = Address::new_id(3);
    let reserved = store.reserve(&make.claim(3, 10, &[cid("p")], (9, &[cid("o")]), 0)).await.unwrap();
    let accepted = Submission::Accepted;
    let early = store.record_submission(&miner, 10, &accepted).await.unwrap_err();
    assert!(matches!(early, StoreError::State { found: "reserved", .. }), "{early}");
    let nothing = store.record_submission(&miner, 11, &accepted).await.unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::Conflict);

    let block = signed(&reserved);
    let mut other = block.clone();
    other.header.timestamp += 1;
    assert_eq!(store.record_signature(&other).await.unwrap_err().kind(), ErrorKind::Invalid);
    for _ in 0..2 {
        let stored = store.record_signature(&block).await.unwrap();
        assert_eq!((stored.state, stored.signed.as_ref()), (ReservationState::Signed, Some(&block)));
        assert_eq!(stored.cid(), block.cid());
    }
    let mut resigned = block.clone();
    resigned.header.block_sig = Some(Signature::bls(vec![2; 96]));
    assert_eq!(store.record_signature(&resigned).await.unwrap_err().kind(), ErrorKind::Conflict);

    store.record_submission(&miner, 10, &accepted).await.unwrap();
    store.record_submission(&miner, 10, &accepted).await.unwrap();
    let refused = Submission::Refused("bad".into());
    store.record_submission(&miner, 10, &refused).await.unwrap();
    let stored = store.record_signature(&block).await.unwrap();
    assert_eq!(
        stored.state,
        ReservationState::Submitted,
        "neither a late repeat nor a refusal takes it back"
    );

    let second = store.reserve(&make.claim(3, 20, &[cid("x")], (19, &[cid("o")]), 0)).await.unwrap();
    store.record_signature(&signed(&second)).await.unwrap();
    store.record_submission(&miner, 20, &refused).await.unwrap();
    let stored = store.at_height(&miner, 20).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.reason.as_deref()), (ReservationState::Refused, Some("bad")));
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.blocks_mined, stats.blocks_refused), (1, 1));
    store.record_submission(&miner, 20, &accepted).await.unwrap();
    let stored = store.at_height(&miner, 20).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.reason), (ReservationState::Submitted, None));
}

async fn grinding(store: &dyn ReservationStore) {
    let make = Maker { model: model().await };
    let (o, p, w) = (cid("o"), cid("p"), cid("w"));
    let own = store.reserve(&make.claim(4, 10, &[p], (9, &[o]), 0)).await.unwrap();
    let own_block = signed(&own);
    store.record_signature(&own_block).await.unwrap();
    let own_cid = own_block.cid();

    let without = store.reserve(&make.claim(4, 11, &[w], (10, &[p]), 0)).await;
    assert_eq!(fault(without), (ConsensusFault::ParentGrinding, own_cid));
    // The own block had other parents than the base has: it could not be in it (the exact rule).
    assert!(store.reserve(&make.claim(4, 11, &[w], (10, &[p, o]), 0)).await.is_ok());
    assert!(store.reserve(&make.claim(4, 12, &[w, own_cid], (10, &[p]), 0)).await.is_ok(), "it is a parent");

    // An unsigned block is not out. It is given up, and can never be signed from then on.
    let unsigned = store.reserve(&make.claim(5, 10, &[p], (9, &[o]), 0)).await.unwrap();
    store.reserve(&make.claim(5, 11, &[w], (10, &[p]), 0)).await.unwrap();
    let stored = store.at_height(&Address::new_id(5), 10).await.unwrap().unwrap();
    assert_eq!(stored.state, ReservationState::Abandoned);
    assert!(stored.reason.is_some());
    let late = store.record_signature(&signed(&unsigned)).await.unwrap_err();
    assert!(matches!(late, StoreError::State { found: "abandoned", .. }), "{late}");

    // The same in reverse: a late block at the height of a base that was built on without it.
    store.reserve(&make.claim(6, 11, &[w], (10, &[p]), 0)).await.unwrap();
    let late = store.reserve(&make.claim(6, 10, &[p], (9, &[o]), 0)).await;
    assert_eq!(fault(late).0, ConsensusFault::ParentGrinding);
}

#[tokio::test]
async fn memory() {
    suite(&MemoryReservations::new()).await;
}

#[tokio::test]
async fn sqlite() {
    let dir = tempfile::tempdir().unwrap();
    suite(&SqliteReservations::open(&dir.path().join("miner.db")).await.unwrap()).await;
}

#[tokio::test]
async fn sqlite_keeps_all_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("miner.db");
    let make = Maker { model: model().await };
    let claim = make.claim(1, 10, &[cid("p")], (9, &[cid("o")]), 0);
    let store = SqliteReservations::open(&path).await.unwrap();
    store.begin_round(10, &key("p")).await.unwrap();
    let first = store.reserve(&claim).await.unwrap();
    let signed = store.record_signature(&signed(&first)).await.unwrap();
    store.close().await;

    let store = SqliteReservations::open(&path).await.unwrap();
    assert_eq!(store.reserve(&claim).await.unwrap(), signed);
    let last = store.last_round().await.unwrap().unwrap();
    assert_eq!((last.epoch, last.base, last.done), (10, key("p"), false));
}

#[tokio::test]
async fn many_can_open_a_fresh_database_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("miner.db");
    let opening = (0..6).map(|_| {
        let path = path.clone();
        tokio::spawn(async move { SqliteReservations::open(&path).await.map(|_| ()) })
    });
    for opened in opening.collect::<Vec<_>>() {
        opened.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_path_that_cannot_be_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let path = file.join("miner.db");
    let error = SqliteReservations::open(&path).await.unwrap_err();
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    assert_eq!(error.kind(), ErrorKind::Invalid);

    let garbage = dir.path().join("garbage.db");
    std::fs::write(&garbage, vec![7; 4096]).unwrap();
    assert!(matches!(SqliteReservations::open(&garbage).await, Err(StoreError::Open { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_claims_at_once_one_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("miner.db");
    let make = Maker { model: model().await };
    let mut claims = Vec::new();
    for salt in 0..8 {
        let store = Arc::new(SqliteReservations::open(&path).await.unwrap());
        // Half of them want the height, half the parents.
        let claim = match salt % 2 {
            0 => make.claim(1, 10, &[cid("p")], (9, &[cid("o")]), salt),
            _ => make.claim(1, 10 + salt as ChainEpoch, &[cid("p")], (9, &[cid("o")]), salt),
        };
        claims.push(tokio::spawn(async move { store.reserve(&claim).await }));
    }
    let mut kept = 0;
    for claim in claims {
        match claim.await.unwrap() {
            Ok(_) => kept += 1,
            Err(StoreError::Fault(_)) => {}
            Err(e) => panic!("{e}"),
        }
    }
    assert_eq!(kept, 1);
}

/// A block of a small world: heights 1 to 4, each with three blocks whose parents are any of the height below.
#[derive(Clone, Debug)]
struct Wanted {
    height: ChainEpoch,
    /// Which of the three foreign blocks of the height below are parents; 0 takes the first.
    parents: u8,
    /// Whether the own block of the height below is a parent, if there is one.
    with_own: bool,
    publish: bool,
}

fn wanted() -> impl Strategy<Value = Vec<Wanted>> {
    let one = (2..5i64, 0..8u8, any::<bool>(), any::<bool>())
        .prop_map(|(height, parents, with_own, publish)| Wanted { height, parents, with_own, publish });
    proptest::collection::vec(one, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is published one after the other, no two blocks are a fault by the chain's own predicates.
    #[test]
    fn what_is_published_never_proves_a_fault(wanted in wanted()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let make = Maker { model: model().await };
            let store = MemoryReservations::new();
            let mut published: Vec<BlockMsg> = Vec::new();
            // Foreign blocks: all of one height stand on the same parents, the foreign ones below.
            let foreign = |height: ChainEpoch| (0..3).map(move |i| cid(&format!("{height}/{i}")));
            let foreign_parents = |height: ChainEpoch| foreign(height - 1).collect::<Vec<_>>();
            for (salt, want) in (0..).zip(wanted) {
                let below = want.height - 1;
                let pick = if want.parents == 0 { 1 } else { want.parents };
                let mut parents: Vec<Cid> =
                    foreign(below).enumerate().filter(|(i, _)| pick & (1 << i) != 0).map(|(_, c)| c).collect();
                let beside = |b: &&BlockMsg| b.header.height == below && b.header.parents == foreign_parents(below);
                if want.with_own && let Some(own) = published.iter().find(beside) {
                    parents.push(own.cid());
                }
                let claim = make.claim(1, want.height, &parents, (below, &foreign_parents(below)), salt);
                let Ok(reserved) = store.reserve(&claim).await else { continue };
                if want.publish && reserved.state == ReservationState::Reserved {
                    let stored = store.record_signature(&signed(&reserved)).await.unwrap();
                    published.push(stored.signed.unwrap());
                }
            }
            for a in &published {
                for b in &published {
                    let (fa, fb) = (FaultBlock::from(&a.header), FaultBlock::from(&b.header));
                    for height in 1..5 {
                        let parents = foreign_parents(height);
                        for witness in foreign(height) {
                            let miner = Address::new_id(99);
                            let witness = FaultBlock { miner, height, parents: &parents, cid: witness };
                            assert_eq!(consensus_fault(&fa, &fb, Some(&witness)), None, "{a:?} {b:?}");
                        }
                    }
                }
            }
        });
    }
}

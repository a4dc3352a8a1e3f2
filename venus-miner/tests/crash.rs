#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! A round that is cut off at every call it makes, before it and after it, and then mined again.

mod common;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use common::World;
use tokio::sync::Notify;
use venus_core::api::{
    BlockProducer, ChainError, ISigner, ProofComputer, ProverError, SignerError, WinningPostRequest,
};
use venus_core::types::{
    Address, BlockMsg, BlockTemplate, ChainEpoch, Cid, MiningBaseInfo, MsgMeta, PostProof, Signature,
    SignedMessage, TipsetKey,
};
use venus_miner::{
    Claim, MemoryReservations, Miner, MinerDeps, MinerStats, Outcome, Reservation, ReservationStore, Round,
    RoundReport, SqliteReservations, StoreError, Submission,
};

/// How a round is cut off.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cut {
    /// The call answers an error.
    Error,
    /// The call panics.
    Panic,
    /// The call never returns, and the round is dropped, as by kill.
    Kill,
}

#[derive(Debug)]
struct Trip {
    left: AtomicUsize,
    cut: Cut,
    killed: Notify,
}

/// What the wire makes up.
#[derive(Debug, thiserror::Error)]
#[error("cut here")]
struct CutHere;

impl Trip {
    fn new(at: usize, cut: Cut) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(at), cut, killed: Notify::new() })
    }

    fn was_hit(&self) -> bool {
        self.left.load(Ordering::SeqCst) == usize::MAX
    }

    async fn point(&self) -> Result<(), CutHere> {
        let step = |left: usize| (left != usize::MAX).then(|| left.wrapping_sub(1));
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step) != Ok(0) {
            return Ok(());
        }
        match self.cut {
            Cut::Error => Err(CutHere),
            Cut::Panic => panic!("cut here"),
            Cut::Kill => {
                self.killed.notify_one();
                std::future::pending().await
            }
        }
    }
}

macro_rules! cut_into {
    ($error:ty: $variant:path) => {
        impl From<CutHere> for $error {
            fn from(cut: CutHere) -> Self {
                $variant(cut.into())
            }
        }
    };
}
cut_into!(StoreError: StoreError::Database);
cut_into!(SignerError: SignerError::Transport);
cut_into!(ChainError: ChainError::Transport);
cut_into!(ProverError: ProverError::Transport);

/// Something behind a trip wire.
struct Wired<T: ?Sized> {
    trip: Arc<Trip>,
    inner: Arc<T>,
}

impl<T: ?Sized> fmt::Debug for Wired<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wired")
    }
}

macro_rules! wire {
    ($api:ident { $(fn $method:ident($($arg:ident: $ty:ty),*) -> $result:ty;)+ }) => {
        #[async_trait]
        impl $api for Wired<dyn $api> {
            $(async fn $method(&self, $($arg: $ty),*) -> $result {
                self.trip.point().await?;
                let answer = self.inner.$method($($arg),*).await?;
                self.trip.point().await?;
                Ok(answer)
            })+
        }
    };
}

wire!(ReservationStore {
    fn begin_round(epoch: ChainEpoch, base: &TipsetKey) -> Result<(), StoreError>;
    fn finish_round(epoch: ChainEpoch, won: u64, mined: u64) -> Result<(), StoreError>;
    fn last_round() -> Result<Option<Round>, StoreError>;
    fn reserve(claim: &Claim) -> Result<Reservation, StoreError>;
    fn at_height(miner: &Address, height: ChainEpoch) -> Result<Option<Reservation>, StoreError>;
    fn on_parents(miner: &Address, parents: &[Cid]) -> Result<Option<Reservation>, StoreError>;
    fn record_signature(signed: &BlockMsg) -> Result<Reservation, StoreError>;
    fn record_submission(miner: &Address, height: ChainEpoch, end: &Submission) -> Result<(), StoreError>;
    fn stats() -> Result<MinerStats, StoreError>;
});
wire!(ISigner {
    fn has(address: &Address) -> Result<bool, SignerError>;
    fn list() -> Result<Vec<Address>, SignerError>;
    fn sign(address: &Address, to_sign: &[u8], meta: &MsgMeta) -> Result<Signature, SignerError>;
});
wire!(BlockProducer {
    fn base_info(miner: &Address, epoch: ChainEpoch, base: &TipsetKey) -> Result<Option<MiningBaseInfo>, ChainError>;
    fn select_messages(base: &TipsetKey, qualities: &[f64]) -> Result<Vec<Vec<SignedMessage>>, ChainError>;
    fn create_block(template: &BlockTemplate) -> Result<BlockMsg, ChainError>;
    fn submit_block(block: &BlockMsg) -> Result<(), ChainError>;
});
wire!(ProofComputer {
    fn compute_winning_post(request: &WinningPostRequest, limit: Duration) -> Result<Vec<PostProof>, ProverError>;
});

/// Where reservations survive.
#[derive(Clone)]
enum Disk {
    Memory(Arc<MemoryReservations>),
    File(PathBuf),
}

impl Disk {
    async fn open(&self) -> Arc<dyn ReservationStore> {
        match self {
            Self::Memory(store) => store.clone(),
            Self::File(path) => Arc::new(SqliteReservations::open(path).await.unwrap()),
        }
    }
}

const MINERS: u64 = 3;

async fn wired(world: &World, disk: &Disk, trip: &Arc<Trip>) -> Miner {
    let deps = world.deps().await;
    let store: Arc<dyn ReservationStore> = Arc::new(Wired { trip: trip.clone(), inner: disk.open().await });
    let deps = MinerDeps {
        producer: Arc::new(Wired { trip: trip.clone(), inner: deps.producer }),
        signer: Arc::new(Wired { trip: trip.clone(), inner: deps.signer }),
        prover: Arc::new(Wired { trip: trip.clone(), inner: deps.prover }),
        ..deps
    };
    world.with_store(store, deps).await
}

/// Mines epoch 1 into the wire. `None` if it did not get to its end.
async fn cut_round(world: &World, disk: &Disk, trip: &Arc<Trip>) -> Option<RoundReport> {
    let miner = wired(world, disk, trip).await;
    let base = world.head().key().clone();
    let mut round = tokio::spawn(async move { miner.mine_round(1, &base).await });
    tokio::select! {
        ended = &mut round => ended.ok().and_then(Result::ok),
        () = trip.killed.notified() => {
            round.abort();
            let _ = round.await;
            None
        }
    }
}

async fn redo(world: &World, disk: &Disk, base: &TipsetKey) -> RoundReport {
    let miner = world.with_store(disk.open().await, world.deps().await).await;
    if let Some(unfinished) = miner.unfinished_round().await.unwrap() {
        assert_eq!(unfinished, (1, base.clone()));
    }
    let report = miner.mine_round(1, base).await.unwrap();
    assert_eq!(miner.unfinished_round().await.unwrap(), None);
    let stats = miner.stats().await.unwrap();
    assert_eq!((stats.rounds_won, stats.blocks_mined), (MINERS, MINERS), "{report:?}");
    report
}

/// The blocks of a round that nothing disturbs.
async fn undisturbed() -> Vec<Cid> {
    let world = World::new(MINERS, 2).await;
    world.set_epoch(1).await;
    let base = world.head().key().clone();
    redo(&world, &Disk::Memory(Arc::default()), &base).await;
    world.head_blocks()
}

/// Cuts the round at its every point, and answers how many there are.
async fn cut_everywhere(cut: Cut, disk: impl Fn(usize) -> Disk) -> usize {
    let reference = undisturbed().await;
    for at in 0.. {
        let (world, disk) = (World::new(MINERS, 2).await, disk(at));
        world.set_epoch(1).await;
        let base = world.head().key().clone();
        let trip = Trip::new(at, cut);
        let first = cut_round(&world, &disk, &trip).await;
        if !trip.was_hit() {
            assert_eq!(first.unwrap().mined(), MINERS);
            return at;
        }
        let report = redo(&world, &disk, &base).await;
        let mined = |r: &&venus_miner::MinerReport| matches!(r.outcome, Outcome::Mined { height: 1, .. });
        assert_eq!(report.miners.iter().filter(mined).count() as u64, MINERS, "cut at {at}: {report:?}");
        assert_eq!(world.head().blocks().len() as u64, MINERS, "cut at {at}");
        assert_eq!(world.signer.headers() as u64, MINERS, "cut at {at}");
        if cut == Cut::Kill {
            assert_eq!(world.head_blocks(), reference, "cut at {at}: the blocks are not the same");
        }
    }
    unreachable!("a round has an end")
}

/// 12 calls for each miner and 3 for all, each cut before and after it.
const POINTS: usize = 2 * (12 * MINERS as usize + 3);

#[tokio::test]
async fn killed_anywhere_the_round_gives_the_same_blocks() {
    let points = cut_everywhere(Cut::Kill, |_| Disk::Memory(Arc::default())).await;
    assert_eq!(points, POINTS);
}

#[tokio::test]
async fn killed_anywhere_with_a_database_the_round_gives_the_same_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let points = cut_everywhere(Cut::Kill, |at| Disk::File(dir.path().join(format!("{at}.db")))).await;
    assert_eq!(points, POINTS);
}

#[tokio::test]
async fn an_error_anywhere_makes_no_second_header() {
    assert_eq!(cut_everywhere(Cut::Error, |_| Disk::Memory(Arc::default())).await, POINTS);
}

#[tokio::test]
async fn a_panic_anywhere_makes_no_second_header() {
    assert_eq!(cut_everywhere(Cut::Panic, |_| Disk::Memory(Arc::default())).await, POINTS);
}

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Rounds: what comes out, and that one miner's misfortune is its own.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use common::{World, sorted};
use venus_core::api::{
    BlockProducer, BlockReject, ChainError, ISigner, ProofComputer, ProverError, SignerError,
    WinningPostRequest,
};
use venus_core::cbor::Decode;
use venus_core::consensus::fault::ConsensusFault;
use venus_core::consensus::{ticket, vrf};
use venus_core::crypto;
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::{
    Address, BlockHeader, BlockMsg, BlockTemplate, ChainEpoch, MiningBaseInfo, MsgMeta, MsgType, PostProof,
    Signature, SignedMessage, TipsetKey,
};
use venus_miner::{
    Failure, Miner, MinerConfig, MinerDeps, MinerError, Outcome, ReservationState, ReservationStore,
    RoundReport, SqliteReservations, Stage,
};

type Hook<I, O> = Box<dyn Fn(I) -> Result<O, ChainError> + Send + Sync>;

/// A producer whose answers a test bends.
struct Meddler {
    inner: Arc<dyn BlockProducer>,
    base_info: Hook<(Address, MiningBaseInfo), Option<MiningBaseInfo>>,
    select: Hook<Vec<Vec<SignedMessage>>, Vec<Vec<SignedMessage>>>,
    create: Hook<(BlockTemplate, BlockMsg), BlockMsg>,
    submit: Hook<BlockMsg, ()>,
}

impl Meddler {
    fn new(world: &World) -> Self {
        Self {
            inner: world.producer.clone(),
            base_info: Box::new(|(_, info)| Ok(Some(info))),
            select: Box::new(Ok),
            create: Box::new(|(_, block)| Ok(block)),
            submit: Box::new(|_| Ok(())),
        }
    }
}

#[async_trait]
impl BlockProducer for Meddler {
    async fn base_info(
        &self,
        miner: &Address,
        epoch: ChainEpoch,
        base: &TipsetKey,
    ) -> Result<Option<MiningBaseInfo>, ChainError> {
        match self.inner.base_info(miner, epoch, base).await? {
            Some(info) => (self.base_info)((*miner, info)),
            None => Ok(None),
        }
    }

    async fn select_messages(
        &self,
        base: &TipsetKey,
        qualities: &[f64],
    ) -> Result<Vec<Vec<SignedMessage>>, ChainError> {
        (self.select)(self.inner.select_messages(base, qualities).await?)
    }

    async fn create_block(&self, template: &BlockTemplate) -> Result<BlockMsg, ChainError> {
        (self.create)((template.clone(), self.inner.create_block(template).await?))
    }

    async fn submit_block(&self, block: &BlockMsg) -> Result<(), ChainError> {
        (self.submit)(block.clone())?;
        self.inner.submit_block(block).await
    }
}

/// What a bent signer does for one worker.
#[derive(Clone, Copy)]
enum Mischief {
    Unreachable,
    Silent,
    OtherKey(Address),
}

struct BentSigner {
    inner: Arc<dyn ISigner>,
    victim: Address,
    kind: MsgType,
    mischief: Mischief,
}

#[async_trait]
impl ISigner for BentSigner {
    async fn has(&self, address: &Address) -> Result<bool, SignerError> {
        self.inner.has(address).await
    }

    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        self.inner.list().await
    }

    async fn sign(
        &self,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, SignerError> {
        if *address != self.victim || meta.msg_type != self.kind {
            return self.inner.sign(address, to_sign, meta).await;
        }
        match self.mischief {
            Mischief::Unreachable => Err(SignerError::Transport("gone".into())),
            Mischief::Silent => std::future::pending().await,
            Mischief::OtherKey(other) => self.inner.sign(&other, to_sign, meta).await,
        }
    }
}

/// Proves for all but one miner, and for that one never answers, panics, or answers nothing.
struct BentProver {
    inner: Arc<dyn ProofComputer>,
    victim: Address,
    how: &'static str,
}

#[async_trait]
impl ProofComputer for BentProver {
    async fn compute_winning_post(
        &self,
        request: &WinningPostRequest,
        deadline: Duration,
    ) -> Result<Vec<PostProof>, ProverError> {
        match self.how {
            _ if request.miner != self.victim => self.inner.compute_winning_post(request, deadline).await,
            "silent" => std::future::pending().await,
            "empty" => Ok(Vec::new()),
            _ => panic!("prover"),
        }
    }
}

async fn open(world: &World, change: impl FnOnce(&mut MinerDeps)) -> Miner {
    let mut deps = world.deps().await;
    change(&mut deps);
    Miner::open(world.config(":memory:"), deps).await.unwrap()
}

/// Mines epoch 1 while the clock runs, so that deadlines pass.
async fn first_round(world: &World, miner: &Miner) -> RoundReport {
    world.set_epoch(1).await;
    let base = world.head();
    let mining = miner.mine_round(1, base.key());
    let ticking = async {
        loop {
            tokio::task::yield_now().await;
            world.clock.advance(Duration::from_millis(1));
        }
    };
    tokio::select! {
        report = mining => report.unwrap(),
        () = ticking => unreachable!("the clock never stops"),
    }
}

fn failure(report: &RoundReport, miner: usize) -> (bool, &Failure) {
    match &report.miners[miner].outcome {
        Outcome::Failed { won, failure } => (*won, failure),
        other => panic!("{other:?}"),
    }
}

/// The others' blocks are made whatever happens to the first miner.
fn others_mined(world: &World, report: &RoundReport) {
    assert_eq!(report.miners.len(), 3);
    for other in &report.miners[1..] {
        assert!(matches!(other.outcome, Outcome::Mined { height: 1, .. }), "{report:?}");
    }
    assert_eq!(world.head_blocks(), sorted(&report.blocks().collect::<Vec<_>>()));
    assert!(world.signer.headers() <= 3);
}

#[tokio::test]
async fn all_winners_make_a_block_of_one_tipset() {
    let world = World::new(3, 4).await;
    let miner = open(&world, |_| {}).await;
    let base = world.head();
    let report = first_round(&world, &miner).await;
    assert_eq!((report.epoch, report.won(), report.mined()), (1, 3, 3));
    assert_eq!(report.selection_error, None);
    others_mined(&world, &report);
    let head = world.head();
    let mut messages = 0;
    for header in head.blocks() {
        let worker = world.workers[world.miners.iter().position(|m| *m == header.miner).unwrap()];
        let rbase = &header.beacon_entries.last().unwrap().data;
        let ticket = vrf::ticket_input(1, &header.miner, Some(base.min_ticket()));
        vrf::verify_vrf(&worker, &ticket.digest(rbase), &header.ticket.as_ref().unwrap().vrf_proof).unwrap();
        let election = vrf::election_input(1, &header.miner);
        let proof = header.election_proof.as_ref().unwrap();
        vrf::verify_vrf(&worker, &election.digest(rbase), &proof.vrf_proof).unwrap();
        crypto::verify(header.block_sig.as_ref().unwrap(), &worker, &header.signing_bytes()).unwrap();
        assert_eq!(
            (header.fork_signaling, header.win_post_proof[0].proof_bytes.as_slice()),
            (1, &b"valid proof"[..])
        );
    }
    for report in &report.miners {
        let Outcome::Mined { messages: in_block, win_count, .. } = &report.outcome else { panic!() };
        assert!(*win_count >= 1);
        messages += in_block;
    }
    assert_eq!(messages, 8, "each message in one block");
    let stats = miner.stats().await.unwrap();
    assert_eq!((stats.rounds, stats.rounds_won, stats.blocks_mined), (1, 3, 3));
    assert_eq!(miner.unfinished_round().await.unwrap(), None);
    assert_eq!(miner.last_round().await.unwrap().unwrap().epoch, 1);
}

#[tokio::test]
async fn the_same_world_gives_the_same_chain_and_a_repeat_changes_nothing() {
    let mut heads = Vec::new();
    for _ in 0..2 {
        let world = World::new(3, 2).await;
        let miner = open(&world, |_| {}).await;
        let first = first_round(&world, &miner).await;
        let repeat = miner.mine_round(1, &first.base).await.unwrap();
        assert_eq!(repeat, first);
        assert_eq!(miner.stats().await.unwrap().blocks_mined, 3);
        heads.push(world.head().key().clone());
    }
    assert_eq!(heads[0], heads[1]);
}

#[tokio::test]
async fn messages_go_to_the_better_ticket_first() {
    let world = World::new(3, 1).await;
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    struct Watcher(Arc<dyn BlockProducer>, Arc<std::sync::Mutex<Vec<f64>>>);
    #[async_trait]
    impl BlockProducer for Watcher {
        async fn base_info(
            &self,
            miner: &Address,
            epoch: ChainEpoch,
            base: &TipsetKey,
        ) -> Result<Option<MiningBaseInfo>, ChainError> {
            self.0.base_info(miner, epoch, base).await
        }
        async fn select_messages(
            &self,
            base: &TipsetKey,
            qualities: &[f64],
        ) -> Result<Vec<Vec<SignedMessage>>, ChainError> {
            self.1.lock().unwrap().extend_from_slice(qualities);
            self.0.select_messages(base, qualities).await
        }
        async fn create_block(&self, template: &BlockTemplate) -> Result<BlockMsg, ChainError> {
            self.0.create_block(template).await
        }
        async fn submit_block(&self, block: &BlockMsg) -> Result<(), ChainError> {
            self.0.submit_block(block).await
        }
    }
    let watcher = Arc::new(Watcher(world.producer.clone(), seen.clone()));
    let miner = open(&world, |deps| deps.producer = watcher).await;
    first_round(&world, &miner).await;
    let seen = seen.lock().unwrap().clone();
    let head = world.head();
    let qualities = head.blocks().iter().map(|b| ticket::quality(&b.ticket.as_ref().unwrap().vrf_proof));
    assert_eq!(seen, qualities.collect::<Vec<_>>(), "one call, in the order of the tipset");
}

#[tokio::test]
async fn a_signer_that_fails_stops_its_own_miner_only() {
    let cases = [
        (MsgType::DrawRandomParam, Mischief::Unreachable, Stage::Election, ErrorKind::Transient, false),
        (MsgType::DrawRandomParam, Mischief::Silent, Stage::Election, ErrorKind::Timeout, false),
        (MsgType::Block, Mischief::Unreachable, Stage::Sign, ErrorKind::Transient, true),
        (MsgType::Block, Mischief::Silent, Stage::Sign, ErrorKind::Timeout, true),
    ];
    for (kind, mischief, stage, error, won) in cases {
        let world = World::new(3, 1).await;
        let (inner, victim) = (world.signer.clone(), world.workers[0]);
        let miner =
            open(&world, |deps| deps.signer = Arc::new(BentSigner { inner, victim, kind, mischief })).await;
        let report = first_round(&world, &miner).await;
        let (was_won, failure) = failure(&report, 0);
        assert_eq!((was_won, failure.stage, failure.kind), (won, stage, error), "{failure}");
        others_mined(&world, &report);
    }
}

#[tokio::test]
async fn signatures_of_another_key_never_get_out() {
    for (kind, stage) in [(MsgType::DrawRandomParam, Stage::Election), (MsgType::Block, Stage::Sign)] {
        let world = World::new(3, 1).await;
        let mischief = Mischief::OtherKey(world.workers[1]);
        let (inner, victim) = (world.signer.clone(), world.workers[0]);
        let miner =
            open(&world, |deps| deps.signer = Arc::new(BentSigner { inner, victim, kind, mischief })).await;
        let report = first_round(&world, &miner).await;
        let (_, failure) = failure(&report, 0);
        assert_eq!((failure.stage, failure.kind), (stage, ErrorKind::Corrupt), "{failure}");
        others_mined(&world, &report);
    }
}

#[tokio::test]
async fn a_prover_that_fails_stops_its_own_miner_only() {
    let cases = [
        ("silent", Stage::Proof, ErrorKind::Timeout, true),
        ("empty", Stage::Proof, ErrorKind::Corrupt, true),
        ("panics", Stage::Task, ErrorKind::Internal, false),
    ];
    for (how, stage, kind, won) in cases {
        let world = World::new(3, 1).await;
        let victim = world.miners[0];
        let miner = open(&world, |deps| {
            deps.prover = Arc::new(BentProver { inner: deps.prover.clone(), victim, how });
        })
        .await;
        let report = first_round(&world, &miner).await;
        let (was_won, failure) = failure(&report, 0);
        assert_eq!((was_won, failure.stage, failure.kind), (won, stage, kind), "{failure}");
        others_mined(&world, &report);
    }
}

#[tokio::test]
async fn who_may_not_take_part_does_not() {
    for case in 0..3 {
        let world = World::new(3, 1).await;
        let victim = world.miners[0];
        let mut meddler = Meddler::new(&world);
        meddler.base_info = Box::new(move |(miner, mut info)| {
            if miner == victim {
                match case {
                    0 => return Ok(None),
                    1 => info.eligible_for_mining = false,
                    _ => info.sectors.clear(),
                }
            }
            Ok(Some(info))
        });
        let miner = open(&world, |deps| deps.producer = Arc::new(meddler)).await;
        let report = first_round(&world, &miner).await;
        assert!(matches!(report.miners[0].outcome, Outcome::NotEligible(_)), "{report:?}");
        others_mined(&world, &report);
    }
}

#[tokio::test]
async fn no_power_is_a_lost_election() {
    let world = World::new(3, 1).await;
    let victim = world.miners[0];
    let mut meddler = Meddler::new(&world);
    meddler.base_info = Box::new(move |(miner, mut info)| {
        if miner == victim {
            info.miner_power = 0.into();
        }
        Ok(Some(info))
    });
    let miner = open(&world, |deps| deps.producer = Arc::new(meddler)).await;
    let report = first_round(&world, &miner).await;
    assert_eq!(report.miners[0].outcome, Outcome::Lost);
    assert_eq!((report.won(), report.mined()), (2, 2));
    others_mined(&world, &report);
}

#[tokio::test]
async fn without_selection_blocks_are_empty_but_made() {
    let world = World::new(3, 2).await;
    let mut meddler = Meddler::new(&world);
    meddler.select = Box::new(|_| Err(ChainError::Transport("mempool is gone".into())));
    let miner = open(&world, |deps| deps.producer = Arc::new(meddler)).await;
    let report = first_round(&world, &miner).await;
    assert!(report.selection_error.as_ref().unwrap().contains("mempool is gone"));
    assert_eq!(report.mined(), 3);
    assert!(report.miners.iter().all(|r| matches!(r.outcome, Outcome::Mined { messages: 0, .. })));
}

#[tokio::test]
async fn a_message_that_no_block_takes_costs_the_messages_only() {
    let world = World::new(1, 2).await;
    let mut meddler = Meddler::new(&world);
    meddler.create = Box::new(|(template, block)| match template.messages.is_empty() {
        true => Ok(block),
        false => Err(ChainError::Invalid("bad nonce".into())),
    });
    let miner = open(&world, |deps| deps.producer = Arc::new(meddler)).await;
    let report = first_round(&world, &miner).await;
    assert!(matches!(report.miners[0].outcome, Outcome::Mined { messages: 0, .. }), "{report:?}");
}

#[tokio::test]
async fn a_block_that_was_not_asked_for_is_not_signed() {
    type Bend = fn(&mut BlockMsg);
    let bends: [(&str, Bend); 8] = [
        ("Miner", |b| b.header.miner = Address::new_id(1)),
        ("Parents", |b| b.header.parents.clear()),
        ("Height", |b| b.header.height += 1),
        ("Timestamp", |b| b.header.timestamp += 1),
        ("Ticket", |b| b.header.ticket = None),
        ("ElectionProof", |b| b.header.election_proof.as_mut().unwrap().win_count += 1),
        ("WinPoStProof", |b| b.header.win_post_proof.clear()),
        ("Messages", |b| b.secp_messages.clear()),
    ];
    for (field, bend) in bends {
        let world = World::new(1, 1).await;
        let mut meddler = Meddler::new(&world);
        meddler.create = Box::new(move |(_, mut block)| {
            bend(&mut block);
            Ok(block)
        });
        let miner = open(&world, |deps| deps.producer = Arc::new(meddler)).await;
        let report = first_round(&world, &miner).await;
        let (_, failure) = failure(&report, 0);
        assert_eq!((failure.stage, failure.kind), (Stage::Create, ErrorKind::Corrupt));
        assert!(failure.reason.contains(field), "{failure}");
        assert_eq!(world.signer.headers(), 0);
    }
}

#[tokio::test]
async fn a_block_that_the_node_signed_is_reserved_all_the_same() {
    let world = World::new(1, 1).await;
    let (signer, worker) = (world.signer.clone(), world.workers[0]);
    let mut meddler = Meddler::new(&world);
    meddler.create = Box::new(move |(_, mut block)| {
        let bytes = block.header.signing_bytes();
        let meta = MsgMeta::of(MsgType::Block);
        let signing = signer.sign(&worker, &bytes, &meta);
        block.header.block_sig = Some(futures_now(signing).unwrap());
        Ok(block)
    });
    let miner = open(&world, |deps| deps.producer = Arc::new(meddler)).await;
    let report = first_round(&world, &miner).await;
    assert!(matches!(report.miners[0].outcome, Outcome::Mined { .. }), "{report:?}");
    assert_eq!(world.head().blocks()[0].fork_signaling, 0, "a signed header is not touched");
    assert_eq!(world.signer.headers(), 1);
}

/// The result of a future that never waits.
fn futures_now<F: Future>(future: F) -> F::Output {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("the future waits"),
    }
}

/// When the blocks of a round do not get out, the next round on the same base first finishes what is unfinished,
/// and no other block is built on that base.
#[tokio::test]
async fn a_block_that_did_not_get_out_is_finished_by_the_next_round() {
    let world = World::new(2, 1).await;
    let (down, victim) = (Arc::new(AtomicBool::new(true)), world.miners[0]);
    let mut meddler = Meddler::new(&world);
    let is_down = down.clone();
    meddler.submit = Box::new(move |block| {
        let drop = is_down.load(Ordering::SeqCst) && block.header.miner == victim;
        if drop { Err(ChainError::Transport("link is down".into())) } else { Ok(()) }
    });
    let miner = open(&world, |deps| deps.producer = Arc::new(meddler)).await;
    let base = world.head();
    let report = first_round(&world, &miner).await;
    let (won, failed) = failure(&report, 0);
    assert_eq!((won, failed.stage, failed.kind), (true, Stage::Submit, ErrorKind::Transient));
    assert_eq!(report.mined(), 1);

    down.store(false, Ordering::SeqCst);
    world.set_epoch(2).await;
    let report = miner.mine_round(2, base.key()).await.unwrap();
    assert!(matches!(report.miners[0].outcome, Outcome::Mined { height: 1, .. }), "{report:?}");
    let Outcome::Skipped(fault) = &report.miners[1].outcome else { panic!("{report:?}") };
    assert_eq!((fault.kind, fault.height), (ConsensusFault::TimeOffset, 1));
    assert_eq!(world.head().height(), 1);
    assert_eq!(world.head().blocks().len(), 2);

    world.set_epoch(3).await;
    let report = miner.mine_round(3, world.head().key()).await.unwrap();
    assert_eq!(report.mined(), 2);
    assert_eq!(world.signer.headers(), 4);
}

#[tokio::test]
async fn a_refused_block_is_not_offered_again_and_others_go_on() {
    let world = World::new(2, 1).await;
    let victim = world.miners[0];
    let mut meddler = Meddler::new(&world);
    meddler.submit = Box::new(move |block| match block.header.miner == victim {
        true => Err(BlockReject::Rule { rule: "ParentWeight", reason: "wrong".into() }.into()),
        false => Ok(()),
    });
    let miner = open(&world, |deps| deps.producer = Arc::new(meddler)).await;
    let base = world.head();
    for _ in 0..2 {
        let report = first_round_on(&world, &miner, base.key()).await;
        let (won, failure) = failure(&report, 0);
        assert!(won && failure.reason.contains("ParentWeight"), "{failure}");
        assert_eq!(report.mined(), 1);
    }
    let stats = miner.stats().await.unwrap();
    assert_eq!((stats.blocks_mined, stats.blocks_refused), (1, 1));
}

async fn first_round_on(world: &World, miner: &Miner, base: &TipsetKey) -> RoundReport {
    world.set_epoch(1).await;
    miner.mine_round(1, base).await.unwrap()
}

/// The exact rule of parent grinding: an own orphan forbids a base only if it could have stood in it.
#[tokio::test]
async fn an_orphan_with_other_parents_forbids_nothing() {
    let world = World::new(1, 0).await;
    let genesis = world.head();
    let fork = world.chain.extend(genesis.key(), 1, &[vec![], vec![]]).unwrap();
    world.chain.mine(&[]).unwrap();
    let miner = open(&world, |_| {}).await;
    world.set_epoch(2).await;
    let orphan = miner.mine_round(2, world.head().key()).await.unwrap();
    assert_eq!(orphan.mined(), 1);

    // The other branch wins. Its block at height 2 has other parents than ours, so ours is not missed in it.
    let branch = world.chain.extend(fork.key(), 2, &[vec![]]).unwrap();
    world.set_epoch(3).await;
    let report = miner.mine_round(3, branch.key()).await.unwrap();
    assert_eq!(report.mined(), 1, "{report:?}");

    // A tipset beside our block of epoch 3, on the same parents and without it, is one we must not build on.
    let beside = world.chain.extend(branch.key(), 3, &[vec![]]).unwrap();
    world.set_epoch(4).await;
    let report = miner.mine_round(4, beside.key()).await.unwrap();
    let Outcome::Skipped(fault) = &report.miners[0].outcome else { panic!("{report:?}") };
    assert_eq!((fault.kind, fault.height), (ConsensusFault::ParentGrinding, 3));
    assert_eq!(world.signer.headers(), 2);
}

#[tokio::test]
async fn bad_rounds_are_refused() {
    let world = World::new(1, 0).await;
    let miner = open(&world, |_| {}).await;
    let base = world.head();
    let error = miner.mine_round(0, base.key()).await.unwrap_err();
    assert!(matches!(error, MinerError::Epoch { epoch: 0, base: 0 }), "{error}");
    assert_eq!(miner.mine_round(1, &common::key("?")).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(miner.last_round().await.unwrap(), None);
    world.set_epoch(5).await;
    miner.mine_round(5, base.key()).await.unwrap();
    assert_eq!(miner.mine_round(4, base.key()).await.unwrap_err().kind(), ErrorKind::Conflict);

    // A folder that is missing is made; below a file there can be none.
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().join("miner.db");
    let impossible = MinerConfig::new(&path, world.miners.clone());
    let error = Miner::open(impossible, world.deps().await).await.unwrap_err();
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_on_one_database_make_one_block_each_miner() {
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("miner.db");
    let world = World::new(3, 3).await;
    world.set_epoch(1).await;
    let base = world.head();
    let first = world.miner(&database).await;
    // The second instance finds other messages, so its blocks differ wherever it is first.
    let mut meddler = Meddler::new(&world);
    meddler.select = Box::new(|lists| Ok(vec![Vec::new(); lists.len()]));
    let deps = MinerDeps { producer: Arc::new(meddler), ..world.deps().await };
    let second = Miner::open(world.config(&database), deps).await.unwrap();
    let (a, b) = {
        let (base_a, base_b) = (base.key().clone(), base.key().clone());
        let a = tokio::spawn(async move { first.mine_round(1, &base_a).await });
        let b = tokio::spawn(async move { second.mine_round(1, &base_b).await });
        (a.await.unwrap().unwrap(), b.await.unwrap().unwrap())
    };
    assert_eq!(world.signer.headers(), 3);
    let mut blocks: Vec<_> = a.blocks().chain(b.blocks()).collect();
    blocks.sort();
    blocks.dedup();
    assert_eq!(blocks, world.head_blocks(), "{a:?} {b:?}");
    let store = SqliteReservations::open(&database).await.unwrap();
    for miner in &world.miners {
        let own = store.at_height(miner, 1).await.unwrap().unwrap();
        assert_eq!(own.state, ReservationState::Submitted);
        let bytes = venus_core::cbor::Encode::to_cbor(&own.signed.unwrap().header);
        assert!(BlockHeader::from_cbor(&bytes).is_ok());
    }
}

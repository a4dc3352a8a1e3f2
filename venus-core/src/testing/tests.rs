//! Every double passes the suite of its trait, also behind `Arc<dyn>`, `Box<dyn>` and the wrappers.

mod identity;
mod readers;
mod unsealing;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use fvm_shared::message::Message;

use super::doubles::*;
use super::suites::{self, *};
use crate::api::*;
use crate::cbor::Decode;
use crate::clock::{Clock, ManualClock};
use crate::error::{Classify, ErrorKind};
use crate::types::{
    ExtendedSectorInfo, MessageExt, MsgMeta, Signature, SignedMessage, TipsetKey, blake2b_cid,
};

struct World {
    signer: Arc<TestSigner>,
    chain: ScriptedChain,
    pool: MemoryPool,
    bls: Address,
    secp: Address,
}

impl World {
    fn new() -> Self {
        let signer = Arc::new(TestSigner::new(7));
        let (bls, secp) = (signer.new_bls(), signer.new_secp());
        let rich = TokenAmount::from_whole(1000);
        let chain = ScriptedChain::new([(bls, rich.clone()), (secp, rich)]);
        let pool = MemoryPool::new(chain.clone());
        Self { signer, chain, pool, bls, secp }
    }

    async fn transfer(&self, from: Address, to: Address, nonce: u64) -> SignedMessage {
        let message = MessageRequest::transfer(from, to, TokenAmount::from_atto(10)).message;
        let message = self.pool.estimate(&message, &GasSpec::default()).await.unwrap();
        self.signer.sign_message(&Message { sequence: nonce, ..message }).await.unwrap()
    }

    /// Genesis, two blocks with messages, a null round, a block without.
    async fn history(&self) -> SignedMessage {
        let a = self.transfer(self.bls, self.secp, 0).await;
        let b = self.transfer(self.secp, self.bls, 0).await;
        self.chain.mine_blocks(&[vec![a.clone(), b.clone()], vec![b]]).unwrap();
        self.chain.null_rounds(1);
        self.chain.mine(&[self.transfer(self.bls, self.secp, 1).await]).unwrap();
        self.chain.mine(&[]).unwrap();
        a
    }
}

#[tokio::test]
async fn scripted_chain_passes_the_chain_reader_suite() {
    let world = World::new();
    let fixture = ChainReaderFixture { message: world.history().await.cid(), null_round: Some(2) };
    suites::chain_reader(&world.chain, &fixture).await;
    let dynamic: Arc<dyn ChainReader> = Arc::new(world.chain.clone());
    suites::chain_reader(&dynamic, &fixture).await;
    let boxed: Box<dyn ChainReader> = Box::new(Flaky::new(world.chain, 0));
    suites::chain_reader(&boxed, &fixture).await;
}

#[tokio::test]
async fn scripted_chain_passes_the_state_reader_suite() {
    let world = World::new();
    let message = world.history().await.cid();
    let waiting = world.transfer(world.bls, world.secp, 2).await;
    world.chain.mine(std::slice::from_ref(&waiting)).unwrap();
    let genesis = world.chain.genesis().await.unwrap().key().clone();
    let fixture =
        StateReaderFixture { account: world.bls, message, not_executed: Some(waiting.cid()), genesis };
    let state: Arc<dyn StateReader> = Arc::new(Flaky::new(world.chain, 0));
    suites::state_reader(&state, &fixture).await;
}

#[tokio::test]
async fn scripted_chain_passes_the_head_feed_suite() {
    let world = World::new();
    world.history().await;
    let chain = &world.chain;
    let fixture = HeadFeedFixture {
        chain,
        extend: step(async || drop(chain.mine(&[]).unwrap())),
        reorg: step(async || drop(chain.reorg(2, &[]).unwrap())),
    };
    let feed: Arc<dyn HeadFeed> = Arc::new(Flaky::new(chain.clone(), 0));
    suites::head_feed(&feed, &fixture).await;
}

#[tokio::test]
async fn memory_pool_passes_the_pool_and_gas_suites() {
    for secp in [false, true] {
        let world = World::new();
        let from = if secp { world.secp } else { world.bls };
        let gas: Arc<dyn GasEstimator> = Arc::new(Flaky::new(world.pool.clone(), 0));
        suites::gas_estimator(&gas, &GasEstimatorFixture { from, to: world.bls }).await;
        let (chain, pool) = (&world.chain, &world.pool);
        let fixture = MessagePoolFixture {
            signer: &world.signer,
            from,
            to: world.bls,
            mine: step(async || {
                let pending = pool.pending().await.unwrap();
                chain.mine(&pending).unwrap();
            }),
        };
        let dynamic: Arc<dyn MessagePool> = Arc::new(Flaky::new(pool.clone(), 0));
        suites::message_pool(&dynamic, &fixture).await;
    }
}

#[tokio::test]
async fn scripted_producer_passes_the_block_producer_suite() {
    let world = World::new();
    world.history().await;
    world.pool.push(&world.transfer(world.bls, world.secp, 2).await).await.unwrap();
    world.pool.push(&world.transfer(world.secp, world.bls, 1).await).await.unwrap();
    let miner = Address::new_id(2000);
    let producer = ScriptedProducer::new(world.chain.clone(), world.pool.clone());
    let producer: Arc<dyn BlockProducer> =
        Arc::new(Flaky::new(producer.with_miner(miner, world.bls, 1 << 19), 0));
    let fixture = BlockProducerFixture {
        chain: &world.chain,
        miner,
        signer: &world.signer,
        prover: &ScriptedProver::new(),
        stranger: Address::new_id(2001),
        epoch_begins: Box::new(|_| {}),
    };
    suites::block_producer(&producer, &fixture).await;
    assert_eq!(world.chain.head_now().blocks()[0].miner, miner);
    let pending = world.pool.pending().await.unwrap();
    assert!(pending.is_empty(), "the block holds what was pending: {pending:?}");
}

#[tokio::test]
async fn test_signer_passes_the_signer_suite() {
    let world = World::new();
    let signer: Arc<dyn ISigner> = Arc::new(Flaky::new(world.signer.clone(), 0));
    suites::signer(&signer, &SignerFixture::new(vec![world.bls, world.secp])).await;
    let again = TestSigner::new(7);
    assert_eq!((again.new_bls(), again.new_secp()), (world.bls, world.secp), "seeded");
    assert!(!format!("{again:?}").contains("entropy"));
}

#[tokio::test]
async fn scripted_messager_passes_the_messager_suite() {
    let world = World::new();
    let scripted = Arc::new(ScriptedMessager::new(world.signer.clone()));
    let land = step(async || scripted.land_all(3).unwrap());
    let messager: Arc<dyn IMessager> = Arc::new(Flaky::new(scripted.clone(), 0));
    suites::messager(&messager, &MessagerFixture { from: world.bls, to: world.secp, land }).await;

    scripted.hold(true);
    let request = MessageRequest::transfer(world.bls, world.secp, TokenAmount::from_atto(1));
    messager.push_with_id("held", request.clone()).await.unwrap();
    assert_eq!(messager.get("held").await.unwrap().state, MessageState::Unfilled);
    messager.cancel("held").await.unwrap();
    messager.cancel("held").await.unwrap();
    messager.push_with_id("hopeless", request).await.unwrap();
    scripted.fail("hopeless", "no").unwrap();
    let failed = messager.wait("hopeless", 5, Duration::ZERO).await.unwrap();
    assert_eq!((failed.state, failed.error.as_deref()), (MessageState::Failed, Some("no")));
    scripted.revert("suite-land").unwrap();
    scripted.land("suite-land", ExitCode::new(16), 0).unwrap();
    let landed = messager.get("suite-land").await.unwrap().lookup.unwrap();
    assert_eq!(landed.receipt.exit_code.value(), 16);
}

#[tokio::test]
async fn scripted_prover_passes_the_prover_suite() {
    let sector = ExtendedSectorInfo {
        seal_proof: 8,
        sector_number: 1,
        sector_key: None,
        sealed_cid: blake2b_cid(b"sector"),
    };
    let request = WinningPostRequest {
        miner: Address::new_id(1000),
        sectors: vec![sector],
        randomness: [7; 32],
        epoch: 5,
        network_version: 28,
    };
    let scripted = Arc::new(ScriptedProver::new());
    let prover: Arc<dyn ProofComputer> = Arc::new(Flaky::new(scripted.clone(), 0));
    suites::prover(&prover, &request).await;
    assert_eq!(scripted.requests().len(), 4);
    scripted.fail_next(ProverError::NoProver(request.miner));
    let e = prover.compute_winning_post(&request, Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn flaky_fails_as_often_as_it_was_told() {
    let chain = Flaky::new(World::new().chain, 2);
    for _ in 0..2 {
        assert_eq!(chain.head().await.unwrap_err().kind(), ErrorKind::Transient);
    }
    chain.head().await.unwrap();
    chain.fail_next(1);
    let events: Vec<_> = chain.heads(Resume::Head).collect().await;
    assert!(matches!(&events[..], [Err(e)] if e.kind() == ErrorKind::Transient));
    assert!(matches!(chain.heads(Resume::Head).next().await, Some(Ok(HeadEvent::Current(_)))));
    assert_eq!(chain.inner().head_now().height(), 0);
}

#[tokio::test]
async fn slow_waits_for_the_clock() {
    let clock = ManualClock::new(Duration::from_secs(100));
    let slow = Slow::new(World::new().chain, Arc::new(clock.clone()), Duration::from_secs(3));
    let mut feed = slow.heads(Resume::Head);
    {
        let mut call = std::pin::pin!(slow.head());
        assert!(futures::poll!(&mut call).is_pending());
        assert!(futures::poll!(feed.next()).is_pending());
        clock.advance(Duration::from_secs(3));
        assert_eq!(call.await.unwrap().height(), 0);
    }
    assert!(feed.next().await.is_some());
    assert_eq!((slow.inner().head_now().height(), clock.unix_seconds()), (0, 103));
}

#[tokio::test]
async fn streams_end_with_an_error_or_with_the_chain() {
    let chain = World::new().chain;
    let (mut cut, mut ended) = (chain.heads(Resume::Head), chain.heads(Resume::Head));
    assert!(cut.next().await.unwrap().is_ok());
    chain.disconnect();
    assert_eq!(cut.next().await.unwrap().unwrap_err().kind(), ErrorKind::Transient);
    assert!(cut.next().await.is_none());
    drop(chain);
    assert!(matches!(ended.next().await, Some(Ok(HeadEvent::Current(_)))), "what was there is delivered");
    assert!(ended.next().await.is_none_or(|e| e.is_err()));
    assert!(ended.next().await.is_none());
}

#[tokio::test]
async fn a_reorg_takes_messages_back() {
    let world = World::new();
    let chain = &world.chain;
    let first = world.transfer(world.bls, world.secp, 0).await;
    world.pool.push(&first).await.unwrap();
    chain.mine(&world.pool.pending().await.unwrap()).unwrap();
    let old = chain.mine(&[]).unwrap();
    assert!(world.pool.pending().await.unwrap().is_empty());
    let new = chain.reorg(2, &[]).unwrap();
    assert_eq!(new.height(), old.height() + 1);
    assert_eq!(world.pool.pending().await.unwrap(), std::slice::from_ref(&first));
    let found = chain.search_message(&first.cid(), &SearchOptions::default()).await.unwrap();
    assert_eq!(found, None);
    chain.set_head(old.key()).unwrap();
    assert!(world.pool.pending().await.unwrap().is_empty());
    assert!(chain.reorg(9, &[]).is_err(), "the genesis stays");
}

#[tokio::test]
async fn exit_codes_follow_the_script_and_the_state() {
    let world = World::new();
    let (chain, id) = (&world.chain, Address::new_id(7));
    let scripted = world.transfer(world.bls, world.secp, 0).await;
    let stale = world.transfer(world.bls, world.secp, 0).await;
    let nowhere = world.transfer(world.secp, id, 0).await;
    chain.exit_with(scripted.cid(), ExitCode::new(33));
    let gap = world.transfer(world.bls, world.secp, 5).await;
    chain.mine(&[scripted, stale, gap, nowhere]).unwrap();
    let head = chain.mine(&[]).unwrap();
    let receipts = chain.parent_receipts(&head.cids()[0]).await.unwrap();
    let codes: Vec<_> = receipts.iter().map(|r| r.exit_code.value()).collect();
    assert_eq!(codes, [33, 2, 5], "scripted, nonce gap, no such receiver; the same message counts once");
    let fresh = TestSigner::new(9).new_secp();
    chain.mine(&[world.transfer(world.bls, fresh, 1).await]).unwrap();
    let created = chain.lookup_id(&fresh, &TipsetKey::default()).await.unwrap();
    assert_eq!(created, Address::new_id(102));
    let bad = SignedMessage {
        signature: crate::types::Signature::bls(vec![1; 96]),
        ..world.transfer(world.bls, id, 2).await
    };
    assert!(chain.mine(&[bad]).is_err());
}

/// Fails to compile if a trait stops being object safe or loses a forwarding implementation.
#[test]
fn traits_are_objects() {
    macro_rules! pinned {
        ($($api:ident),+) => {$({
            fn implements<T: $api + ?Sized>() {}
            implements::<dyn $api>();
            implements::<&dyn $api>();
            implements::<Arc<dyn $api>>();
            implements::<Box<dyn $api>>();
            implements::<Arc<Box<dyn $api>>>();
            fn shared<T: Send + Sync + ?Sized>() {}
            shared::<dyn $api>();
        })+};
    }
    pinned!(
        AccountDirectory,
        Authenticator,
        BlockProducer,
        ChainReader,
        Clock,
        GasEstimator,
        HeadFeed,
        IMessager,
        ISigner,
        MarketReader,
        MessagePool,
        MinerReader,
        PieceUnsealer,
        ProofComputer,
        SectorReader,
        StateReader
    );
}

/// Signs the message of the metadata, whatever the bytes say.
struct Careless(TestSigner);

#[async_trait::async_trait]
impl ISigner for Careless {
    async fn has(&self, address: &Address) -> Result<bool, SignerError> {
        self.0.has(address).await
    }

    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        self.0.list().await
    }

    async fn sign(
        &self,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, SignerError> {
        match Message::from_cbor(&meta.extra) {
            Ok(message) => self.0.sign(address, &message.cid().to_bytes(), meta).await,
            Err(_) => self.0.sign(address, to_sign, meta).await,
        }
    }
}

#[tokio::test]
#[should_panic(expected = "bytes of another message are Mismatch")]
async fn the_signer_suite_catches_a_careless_signer() {
    let signer = TestSigner::new(7);
    let fixture = SignerFixture::new(vec![signer.new_bls()]);
    suites::signer(&Careless(signer), &fixture).await;
}

/// Applies newest first.
struct Backwards(ScriptedChain);

impl HeadFeed for Backwards {
    fn heads(&self, from: Resume) -> HeadStream {
        let turned = |event| match event {
            Ok(HeadEvent::Change(mut change)) => {
                change.apply.reverse();
                Ok(HeadEvent::Change(change))
            }
            other => other,
        };
        self.0.heads(from).map(turned).boxed()
    }
}

#[tokio::test]
#[should_panic(expected = "applies follow without a gap, oldest first")]
async fn the_head_feed_suite_catches_a_feed_that_runs_backwards() {
    let chain = World::new().chain;
    let grow = async || drop(chain.mine(&[]).unwrap());
    let fixture = HeadFeedFixture { chain: &chain, extend: step(grow), reorg: step(grow) };
    suites::head_feed(&Backwards(chain.clone()), &fixture).await;
}

//! Miners, keys and a scripted chain, the same each time.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use venus_core::api::{
    ChainReader, GasEstimator, ISigner, MessagePool, MessageRequest, SignerError, SignerExt,
};
use venus_core::cbor::Decode;
use venus_core::clock::ManualClock;
use venus_core::testing::doubles::{MemoryPool, ScriptedChain, ScriptedProducer, TestSigner};
use venus_core::types::{
    Address, BlockHeader, ChainEpoch, Cid, MsgMeta, MsgType, Signature, Tipset, TipsetKey, TokenAmount,
    blake2b_cid,
};
use venus_miner::{FixedProver, Miner, MinerConfig, MinerDeps, ReservationStore};

/// All power of the scripted network, so that hardly any election is lost.
pub(crate) const ALL_POWER: u64 = 1 << 20;

/// A network with its miners. Two worlds of the same arguments are the same in every byte.
pub(crate) struct World {
    pub(crate) chain: ScriptedChain,
    pub(crate) producer: Arc<ScriptedProducer>,
    pub(crate) signer: Arc<Notary>,
    pub(crate) clock: ManualClock,
    pub(crate) miners: Vec<Address>,
    pub(crate) workers: Vec<Address>,
}

impl World {
    /// `miners` miners who win, and some messages in the mempool.
    pub(crate) async fn new(miners: u64, messages: u64) -> Self {
        Self::with_power(miners, messages, ALL_POWER).await
    }

    /// As [`World::new`], with some of [`ALL_POWER`] for each miner.
    pub(crate) async fn with_power(miners: u64, messages: u64, power: u64) -> Self {
        let keys = TestSigner::new(7);
        let sender = keys.new_secp();
        let other = keys.new_bls();
        let funds = TokenAmount::from_whole(1000);
        let chain = ScriptedChain::new([(sender, funds.clone()), (other, funds)]);
        let pool = MemoryPool::new(chain.clone());
        for nonce in 0..messages {
            for from in [sender, other] {
                let mut message = MessageRequest::transfer(from, other, TokenAmount::from_atto(1)).message;
                message = pool.estimate(&message, &Default::default()).await.unwrap();
                message.sequence = nonce;
                pool.push(&keys.sign_message(&message).await.unwrap()).await.unwrap();
            }
        }
        let miners: Vec<Address> = (1000..1000 + miners).map(Address::new_id).collect();
        let workers: Vec<Address> = miners.iter().map(|_| keys.new_bls()).collect();
        let mut producer = ScriptedProducer::new(chain.clone(), pool);
        for (miner, worker) in miners.iter().zip(&workers) {
            producer = producer.with_miner(*miner, *worker, power);
        }
        let clock = ManualClock::new(Duration::ZERO);
        let signer = Arc::new(Notary::new(keys));
        Self { chain, producer: Arc::new(producer), signer, clock, miners, workers }
    }

    pub(crate) async fn set_epoch(&self, epoch: ChainEpoch) {
        let network = self.chain.network().await.unwrap();
        self.clock.advance_to(Duration::from_secs(network.timestamp_of(epoch)));
    }

    pub(crate) async fn deps(&self) -> MinerDeps {
        let network = self.chain.network().await.unwrap();
        MinerDeps {
            chain: Arc::new(self.chain.clone()),
            producer: self.producer.clone(),
            signer: self.signer.clone(),
            prover: Arc::new(FixedProver::new(&network).unwrap()),
            clock: Arc::new(self.clock.clone()),
        }
    }

    pub(crate) fn config(&self, database: impl Into<PathBuf>) -> MinerConfig {
        MinerConfig::new(database, self.miners.clone())
    }

    pub(crate) async fn miner(&self, database: impl Into<PathBuf>) -> Miner {
        Miner::open(self.config(database), self.deps().await).await.unwrap()
    }

    pub(crate) async fn with_store(&self, store: Arc<dyn ReservationStore>, deps: MinerDeps) -> Miner {
        Miner::with_store(self.config(":memory:"), store, deps).await.unwrap()
    }

    pub(crate) fn head(&self) -> Arc<Tipset> {
        self.chain.head_now()
    }

    /// The blocks of the head, as a set.
    pub(crate) fn head_blocks(&self) -> Vec<Cid> {
        sorted(self.head().cids())
    }
}

pub(crate) fn sorted(cids: &[Cid]) -> Vec<Cid> {
    let mut cids = cids.to_vec();
    cids.sort();
    cids
}

/// (miner, height) and (miner, parents) of every header that was ever signed, and what was signed.
#[derive(Default)]
struct Book {
    by_height: BTreeMap<(Vec<u8>, ChainEpoch), Cid>,
    by_parents: BTreeMap<(Vec<u8>, Vec<Cid>), Cid>,
}

/// A signer that remembers if it was ever asked for two headers of one (miner, height) or (miner, parents).
pub(crate) struct Notary {
    keys: TestSigner,
    book: Mutex<Book>,
    violations: Mutex<Vec<String>>,
}

impl Notary {
    pub(crate) fn new(keys: TestSigner) -> Self {
        Self { keys, book: Mutex::default(), violations: Mutex::default() }
    }

    /// How many headers were signed, if none of them twice with different bytes.
    pub(crate) fn headers(&self) -> usize {
        assert_eq!(*self.violations.lock().unwrap(), Vec::<String>::new());
        self.book.lock().unwrap().by_height.len()
    }

    fn note(&self, header: &BlockHeader) {
        let cid = blake2b_cid(&header.signing_bytes());
        let miner = header.miner.to_bytes();
        let mut book = self.book.lock().unwrap();
        let height = (miner.clone(), header.height);
        let parents = (miner, sorted(&header.parents));
        let firsts =
            [*book.by_height.entry(height).or_insert(cid), *book.by_parents.entry(parents).or_insert(cid)];
        if firsts != [cid; 2] {
            let violation = format!("{cid} of {} at {} beside {firsts:?}", header.miner, header.height);
            self.violations.lock().unwrap().push(violation);
        }
    }
}

#[async_trait]
impl ISigner for Notary {
    async fn has(&self, address: &Address) -> Result<bool, SignerError> {
        self.keys.has(address).await
    }

    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        self.keys.list().await
    }

    async fn sign(
        &self,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, SignerError> {
        if meta.msg_type == MsgType::Block {
            self.note(&BlockHeader::from_cbor(to_sign).unwrap());
        }
        self.keys.sign(address, to_sign, meta).await
    }
}

/// A stand-in for a tipset key of no meaning.
pub(crate) fn key(name: &str) -> TipsetKey {
    vec![blake2b_cid(name.as_bytes())].into()
}

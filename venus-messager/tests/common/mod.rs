//! A node, a wallet and a messager on a file, each of which can be made to fail.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of it")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use venus_core::api::*;
use venus_core::testing::doubles::{Flaky, MemoryPool, ScriptedChain, TestSigner};
use venus_core::types::{Address, Cid, Message, Receipt, SignedMessage, Tipset, TipsetKey, TokenAmount};
use venus_messager::store::MemoryStore;
use venus_messager::{Messager, MessagerConfig, MessagerDeps, Sources};

/// Long enough for anything that must happen.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Calls that fail until told otherwise.
pub const DOWN: usize = usize::MAX;

pub struct World {
    pub keys: Arc<TestSigner>,
    pub signer: Flaky<Arc<TestSigner>>,
    pub chain: Flaky<ScriptedChain>,
    pub pool: Flaky<MemoryPool>,
    pub senders: Vec<Address>,
    pub to: Address,
    pub database: PathBuf,
    dir: tempfile::TempDir,
}

impl World {
    /// Two secp256k1 senders and one BLS sender with 1000 FIL each, and a receiver.
    pub fn new() -> Self {
        let keys = Arc::new(TestSigner::new(7));
        let senders = vec![keys.new_secp(), keys.new_secp(), keys.new_bls()];
        let to = Address::new_secp256k1(&[5; 65]).unwrap();
        let rich = TokenAmount::from_whole(1000);
        let chain = ScriptedChain::new(senders.iter().map(|s| (*s, rich.clone())));
        let dir = tempfile::tempdir().unwrap();
        Self {
            signer: Flaky::new(keys.clone(), 0),
            pool: Flaky::new(MemoryPool::new(chain.clone()), 0),
            chain: Flaky::new(chain, 0),
            keys,
            senders,
            to,
            database: dir.path().join("messager.db"),
            dir,
        }
    }

    pub fn deps(&self) -> MessagerDeps {
        MessagerDeps {
            chain: Arc::new(self.chain.clone()),
            state: Arc::new(self.chain.clone()),
            heads: Arc::new(self.chain.clone()),
            pool: Arc::new(self.pool.clone()),
            gas: Arc::new(self.pool.clone()),
            signer: Arc::new(self.signer.clone()),
        }
    }

    pub async fn open(&self) -> Messager {
        Messager::open(MessagerConfig::new(&self.database), self.deps()).await.unwrap()
    }

    /// A messager without a thread of its own, for tests with paused time.
    pub async fn open_in_memory(&self, deps: MessagerDeps) -> Messager {
        let (config, store) = (MessagerConfig::default(), Arc::new(MemoryStore::default()));
        Messager::with_store(config, deps, Sources::default(), store).await.unwrap()
    }

    pub fn transfer(&self, sender: usize, atto: u64) -> MessageRequest {
        MessageRequest::transfer(self.senders[sender], self.to, TokenAmount::from_atto(atto))
    }

    pub async fn pending(&self) -> Vec<SignedMessage> {
        self.pool.inner().pending().await.unwrap()
    }

    /// Mines all that waits.
    pub async fn mine(&self) -> Arc<Tipset> {
        let pending = self.pending().await;
        self.chain.inner().mine(&pending).unwrap()
    }

    /// Mines all that waits, and a tipset on top that holds the receipts.
    pub async fn mine_and_execute(&self) {
        self.mine().await;
        self.chain.inner().mine(&[]).unwrap();
    }

    /// A message signed with a sender's key behind the messager's back.
    pub async fn outside(&self, sender: usize, nonce: u64, atto: u64) -> SignedMessage {
        let request = self.transfer(sender, atto);
        let gas = self.pool.inner().estimate(&request.message, &GasSpec::default()).await.unwrap();
        self.keys.sign_message(&Message { sequence: nonce, ..gas }).await.unwrap()
    }

    /// The node's pool is empty after this; open the messager anew.
    pub fn lose_pool(&mut self) {
        self.pool = Flaky::new(MemoryPool::new(self.chain.inner().clone()), 0);
    }

    /// Everything that the canonical chain executed, in order, each with the tipset that executed it.
    pub async fn executed(&self) -> Vec<Executed> {
        let chain = self.chain.inner();
        let mut tipset = chain.head_now();
        let mut executed = Vec::new();
        while tipset.height() > 0 {
            let block = tipset.cids()[0];
            let messages = chain.parent_messages(&block).await.unwrap();
            let receipts = chain.parent_receipts(&block).await.unwrap();
            let both = messages.into_iter().zip(receipts);
            let here = both.map(|((cid, message), receipt)| Executed {
                cid,
                message,
                receipt,
                tipset: tipset.key().clone(),
            });
            executed.splice(0..0, here.collect::<Vec<_>>());
            tipset = chain.tipset(&tipset.parents()).await.unwrap();
        }
        executed
    }
}

/// A message on chain.
pub struct Executed {
    pub cid: Cid,
    pub message: Message,
    pub receipt: Receipt,
    pub tipset: TipsetKey,
}

/// Node and wallet of [`World`] with one part replaced.
pub fn with_signer(world: &World, signer: impl ISigner + 'static) -> MessagerDeps {
    MessagerDeps { signer: Arc::new(signer), ..world.deps() }
}

/// A signer that never answers for one address.
pub struct Hanging {
    pub inner: Arc<TestSigner>,
    pub silent: Address,
}

#[async_trait::async_trait]
impl ISigner for Hanging {
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
        meta: &venus_core::types::MsgMeta,
    ) -> Result<venus_core::types::Signature, SignerError> {
        if *address == self.silent {
            std::future::pending::<()>().await;
        }
        self.inner.sign(address, to_sign, meta).await
    }
}

/// A feed that never knows the way.
pub struct Forgetful(pub ScriptedChain);

impl HeadFeed for Forgetful {
    fn heads(&self, from: Resume) -> HeadStream {
        use futures::StreamExt;
        let now = self.0.head_now();
        let event = match from {
            Resume::From(last_seen) => HeadEvent::Gap { last_seen, now },
            Resume::Head => HeadEvent::Current(now),
        };
        futures::stream::iter([Ok(event)]).boxed()
    }
}

/// Polls a future a number of times, then drops it where it stands: a process that dies.
pub async fn killed_after<T>(polls: usize, mut future: BoxFuture<'_, T>) -> Option<T> {
    let mut left = polls;
    futures::future::poll_fn(|cx| {
        if left == 0 {
            return std::task::Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

pub fn key_of(tipset: &Tipset) -> TipsetKey {
    tipset.key().clone()
}

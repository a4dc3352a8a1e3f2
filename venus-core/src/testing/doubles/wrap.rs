//! Doubles that fail or dawdle.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cid::Cid;
use futures::{StreamExt, stream};
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::message::Message;

use crate::api::*;
use crate::clock::Clock;
use crate::types::{
    Allocation, BigInt, BitField, BlockHeader, BlockMessages, BlockMsg, BlockTemplate, Claim, Deadline,
    DeadlineInfo, DealCollateralBounds, MarketBalance, MarketDeal, MessageLookup, MinerInfo, MinerPower,
    MiningBaseInfo, MsgMeta, NetworkInfo, Partition, PostProof, Receipt, SectorExpiration, SectorOnChainInfo,
    SectorPreCommitInfo, SectorPreCommitOnChainInfo, Signature, SignedMessage, Tipset, TipsetKey,
    TokenAmount,
};

/// Fails a number of calls as if the other side could not be reached, then passes all on. Nothing reaches the
/// inner double in a call that fails.
#[derive(Clone, Debug)]
pub struct Flaky<T> {
    inner: T,
    left: Arc<AtomicUsize>,
}

impl<T> Flaky<T> {
    /// Fails the next `failures` calls.
    pub fn new(inner: T, failures: usize) -> Self {
        Self { inner, left: Arc::new(AtomicUsize::new(failures)) }
    }

    /// Fails the next `failures` calls from now on.
    pub fn fail_next(&self, failures: usize) {
        self.left.store(failures, Ordering::SeqCst);
    }

    /// What is inside.
    pub fn inner(&self) -> &T {
        &self.inner
    }
}

impl<T: Sync> Flaky<T> {
    fn fail(&self) -> bool {
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    async fn before(&self) -> Result<(), Injected> {
        if self.fail() { Err(Injected) } else { Ok(()) }
    }
}

impl<T: HeadFeed> HeadFeed for Flaky<T> {
    /// A subscription that fails is one error and the end.
    fn heads(&self, from: Resume) -> HeadStream {
        match self.fail() {
            true => stream::iter([Err(Injected.into())]).boxed(),
            false => self.inner.heads(from),
        }
    }
}

/// Waits by a clock before every call. Head streams start late, and are on time then.
#[derive(Clone, Debug)]
pub struct Slow<T> {
    inner: T,
    clock: Arc<dyn Clock>,
    delay: Duration,
}

impl<T> Slow<T> {
    /// Delays every call by `delay` of `clock`.
    pub fn new(inner: T, clock: Arc<dyn Clock>, delay: Duration) -> Self {
        Self { inner, clock, delay }
    }

    /// What is inside.
    pub fn inner(&self) -> &T {
        &self.inner
    }
}

impl<T: Sync> Slow<T> {
    async fn before(&self) -> Result<(), Injected> {
        self.clock.sleep_until(self.clock.now().saturating_add(self.delay)).await;
        Ok(())
    }
}

impl<T: HeadFeed> HeadFeed for Slow<T> {
    fn heads(&self, from: Resume) -> HeadStream {
        let (clock, due) = (self.clock.clone(), self.clock.now().saturating_add(self.delay));
        let events = self.inner.heads(from);
        stream::once(async move { clock.sleep_until(due).await })
            .flat_map(move |()| stream::empty())
            .chain(events)
            .boxed()
    }
}

/// The failure that [`Flaky`] makes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failure injected by the test")]
pub struct Injected;

impl From<Injected> for ChainError {
    fn from(injected: Injected) -> Self {
        Self::Transport(injected.into())
    }
}

impl From<Injected> for SignerError {
    fn from(injected: Injected) -> Self {
        Self::Transport(injected.into())
    }
}

impl From<Injected> for ProverError {
    fn from(injected: Injected) -> Self {
        Self::Transport(injected.into())
    }
}

impl From<Injected> for MessagerError {
    fn from(injected: Injected) -> Self {
        Self::Chain(injected.into())
    }
}

impl From<Injected> for UnsealError {
    fn from(injected: Injected) -> Self {
        Self::Transport(injected.into())
    }
}

impl From<Injected> for IdentityError {
    fn from(injected: Injected) -> Self {
        Self::Transport(injected.into())
    }
}

/// Implements a trait by asking `before` and then the inner double. Provided methods stay as they are, so that a
/// batch fails call by call.
macro_rules! pass_on {
    ($wrapper:ident: $($api:ident {
        $(fn $method:ident($($arg:ident: $ty:ty),*) -> $result:ty;)+
    })+) => {$(
        #[async_trait]
        impl<T: $api> $api for $wrapper<T> {
            $(async fn $method(&self, $($arg: $ty),*) -> $result {
                self.before().await?;
                self.inner.$method($($arg),*).await
            })+
        }
    )+};
    ($($wrapper:ident),+) => {$(
        pass_on! { $wrapper:
            ChainReader {
                fn head() -> Result<Arc<Tipset>, ChainError>;
                fn tipset(key: &TipsetKey) -> Result<Arc<Tipset>, ChainError>;
                fn tipset_at(height: ChainEpoch, anchor: &TipsetKey, null: NullRound) -> Result<Arc<Tipset>, ChainError>;
                fn block(cid: &Cid) -> Result<BlockHeader, ChainError>;
                fn block_messages(block: &Cid) -> Result<BlockMessages, ChainError>;
                fn message(cid: &Cid) -> Result<Message, ChainError>;
                fn parent_receipts(block: &Cid) -> Result<Vec<Receipt>, ChainError>;
                fn network() -> Result<Arc<NetworkInfo>, ChainError>;
            }
            StateReader {
                fn actor(address: &Address, at: &TipsetKey) -> Result<Option<ActorInfo>, ChainError>;
                fn lookup_id(address: &Address, at: &TipsetKey) -> Result<Address, ChainError>;
                fn account_key(address: &Address, at: &TipsetKey) -> Result<Address, ChainError>;
                fn search_message(message: &Cid, options: &SearchOptions) -> Result<Option<MessageLookup>, ChainError>;
            }
            MinerReader {
                fn info(miner: &Address, at: &TipsetKey) -> Result<MinerInfo, ChainError>;
                fn power(miner: &Address, at: &TipsetKey) -> Result<MinerPower, ChainError>;
                fn available_balance(miner: &Address, at: &TipsetKey) -> Result<TokenAmount, ChainError>;
                fn proving_deadline(miner: &Address, at: &TipsetKey) -> Result<DeadlineInfo, ChainError>;
                fn deadlines(miner: &Address, at: &TipsetKey) -> Result<Vec<Deadline>, ChainError>;
                fn partitions(miner: &Address, deadline: u64, at: &TipsetKey) -> Result<Vec<Partition>, ChainError>;
            }
            SectorReader {
                fn sectors(miner: &Address, numbers: Option<&BitField>, at: &TipsetKey) -> Result<Vec<SectorOnChainInfo>, ChainError>;
                fn precommit(miner: &Address, sector: u64, at: &TipsetKey) -> Result<Option<SectorPreCommitOnChainInfo>, ChainError>;
                fn is_allocated(miner: &Address, sector: u64, at: &TipsetKey) -> Result<bool, ChainError>;
                fn sector_expiration(miner: &Address, sector: u64, at: &TipsetKey) -> Result<Option<SectorExpiration>, ChainError>;
                fn precommit_deposit(miner: &Address, sector: &SectorPreCommitInfo, at: &TipsetKey) -> Result<TokenAmount, ChainError>;
                fn initial_pledge(spec: &PledgeSpec, at: &TipsetKey) -> Result<TokenAmount, ChainError>;
            }
            MarketReader {
                fn deal(id: u64, at: &TipsetKey) -> Result<Option<MarketDeal>, ChainError>;
                fn market_balance(address: &Address, at: &TipsetKey) -> Result<MarketBalance, ChainError>;
                fn collateral_bounds(piece_size: u64, verified: bool, at: &TipsetKey) -> Result<DealCollateralBounds, ChainError>;
                fn datacap(client: &Address, at: &TipsetKey) -> Result<Option<BigInt>, ChainError>;
                fn allocations(client: &Address, at: &TipsetKey) -> Result<BTreeMap<u64, Allocation>, ChainError>;
                fn claims(provider: &Address, at: &TipsetKey) -> Result<BTreeMap<u64, Claim>, ChainError>;
                fn allocation_for_deal(deal: u64, at: &TipsetKey) -> Result<Option<Allocation>, ChainError>;
            }
            MessagePool {
                fn push(message: &SignedMessage) -> Result<Cid, ChainError>;
                fn pending() -> Result<Vec<SignedMessage>, ChainError>;
                fn next_nonce(sender: &Address) -> Result<u64, ChainError>;
            }
            GasEstimator {
                fn estimate(message: &Message, spec: &GasSpec) -> Result<Message, ChainError>;
            }
            BlockProducer {
                fn base_info(miner: &Address, epoch: ChainEpoch, base: &TipsetKey) -> Result<Option<MiningBaseInfo>, ChainError>;
                fn select_messages(base: &TipsetKey, ticket_qualities: &[f64]) -> Result<Vec<Vec<SignedMessage>>, ChainError>;
                fn create_block(template: &BlockTemplate) -> Result<BlockMsg, ChainError>;
                fn submit_block(block: &BlockMsg) -> Result<(), ChainError>;
            }
            ISigner {
                fn has(address: &Address) -> Result<bool, SignerError>;
                fn list() -> Result<Vec<Address>, SignerError>;
                fn sign(address: &Address, to_sign: &[u8], meta: &MsgMeta) -> Result<Signature, SignerError>;
            }
            ProofComputer {
                fn compute_winning_post(request: &WinningPostRequest, deadline: Duration) -> Result<Vec<PostProof>, ProverError>;
            }
            PieceUnsealer {
                fn unseal(request: &UnsealRequest) -> Result<UnsealState, UnsealError>;
            }
            Authenticator {
                fn authenticate(token: &str) -> Result<Principal, IdentityError>;
            }
            AccountDirectory {
                fn account(name: &str) -> Result<Account, IdentityError>;
                fn accounts(skip: u64, limit: u32) -> Result<Vec<Account>, IdentityError>;
                fn account_of_miner(miner: &Address) -> Result<Option<String>, IdentityError>;
                fn accounts_of_signer(signer: &Address) -> Result<Vec<String>, IdentityError>;
                fn miners(account: &str) -> Result<Vec<AccountMiner>, IdentityError>;
                fn signers(account: &str) -> Result<Vec<Address>, IdentityError>;
                fn limits(account: &str) -> Result<Vec<AccountLimit>, IdentityError>;
                fn register_signers(account: &str, signers: &[Address]) -> Result<(), IdentityError>;
            }
            IMessager {
                fn push(request: MessageRequest) -> Result<MessageId, MessagerError>;
                fn push_with_id(id: &str, request: MessageRequest) -> Result<(), MessagerError>;
                fn get(id: &str) -> Result<MessageRecord, MessagerError>;
                fn wait(id: &str, confidence: ChainEpoch, timeout: Duration) -> Result<MessageRecord, MessagerError>;
                fn replace(id: &str, fees: ReplaceFees) -> Result<Cid, MessagerError>;
                fn cancel(id: &str) -> Result<(), MessagerError>;
            }
        }
    )+};
}

pass_on!(Flaky, Slow);

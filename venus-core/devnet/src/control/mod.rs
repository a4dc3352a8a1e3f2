//! Driving a devnet: its own miners, its clock, and what a test wants to happen to it.

#[cfg(feature = "client")]
mod client;
mod clock;
mod fault_spec;
mod fork;
mod run;
mod spec;
mod text;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use tokio::sync::{Mutex, watch};
use venus_core::api::{
    BlockProducer, ChainError, ChainReader, ISigner, MinerReader, NullRound, ProofComputer, SearchOptions,
    StateReader,
};
use venus_core::clock::Clock;
use venus_core::types::{BlockHeader, MessageLookup, NetworkInfo, Tipset, TipsetKey};

use crate::config::MAX_NULL_ROUNDS;
use crate::error::DevnetError;
use crate::mining::{Kind, Miners};
use crate::node::Devnet;

#[cfg(feature = "client")]
pub use client::DevnetClient;
pub use clock::DevnetClock;
pub use fault_spec::{RpcFaultKind, RpcFaultSpec};
pub use spec::{
    AutoMine, ControlStatus, HeadInfo, MineReport, MineSpec, Producers, ReorgReport, ReorgSpec, UntilSpec,
};

/// What drives a devnet. Clones are handles to the same one.
///
/// Whatever mines does so one epoch after the other: a request waits for the one before it. A request that is given up
/// in the middle, by dropping its future, leaves a chain on which some blocks of the epoch are missing, as when their
/// miners lost the election.
#[derive(Clone)]
pub struct DevnetControl {
    shared: Arc<Shared>,
}

struct Shared {
    devnet: Devnet,
    clock: DevnetClock,
    signer: Arc<dyn ISigner>,
    prover: Arc<dyn ProofComputer>,
    turn: Mutex<Turn>,
    settings: watch::Sender<Settings>,
}

/// Whose turn it is to mine.
struct Turn {
    /// The last epoch that was mined, tried or left empty on purpose. The head may be beyond it.
    reached: ChainEpoch,
}

#[derive(Clone, Debug, Default)]
struct Settings {
    auto_mine: AutoMine,
    producers: Producers,
    frozen: bool,
}

impl Shared {
    fn miners(&self) -> Miners<'_> {
        Miners { devnet: &self.devnet, signer: &*self.signer, prover: &*self.prover }
    }
}

impl fmt::Debug for DevnetControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.shared.settings.borrow();
        f.debug_struct("DevnetControl").field("settings", &*settings).finish_non_exhaustive()
    }
}

impl DevnetControl {
    /// The control of `devnet`, which was opened with a clone of `clock`. `signer` has the keys of the miners that the
    /// devnet itself is to mine for, and `prover` makes what its `ProofVerifier` takes for proofs.
    ///
    /// A clock that is behind the head, as after a restart, is moved there. Nothing is mined before
    /// [`DevnetControl::run`] or a request.
    pub fn new(
        devnet: Devnet,
        clock: DevnetClock,
        signer: Arc<dyn ISigner>,
        prover: Arc<dyn ProofComputer>,
    ) -> Self {
        let head = devnet.inner.read().chain.head().clone();
        clock.advance_to(Duration::from_secs(head.min_timestamp()));
        let turn = Mutex::new(Turn { reached: head.height() });
        let settings = watch::Sender::new(Settings::default());
        Self { shared: Arc::new(Shared { devnet, clock, signer, prover, turn, settings }) }
    }

    /// The devnet.
    pub fn devnet(&self) -> &Devnet {
        &self.shared.devnet
    }

    /// Its clock.
    pub fn clock(&self) -> &DevnetClock {
        &self.shared.clock
    }

    /// Decides when epochs are mined. Takes effect at once, on an epoch that is waited for too. Needs
    /// [`DevnetControl::run`] to be running.
    ///
    /// # Errors
    /// [`DevnetError::Control`] for an interval of zero.
    pub fn set_auto_mine(&self, auto_mine: AutoMine) -> Result<(), DevnetError> {
        if auto_mine == (AutoMine::Every { ms: 0 }) {
            return refuse("an interval of 0 ms would never rest: give at least 1");
        }
        self.shared.settings.send_modify(|settings| settings.auto_mine = auto_mine);
        Ok(())
    }

    /// Decides who makes blocks inside.
    ///
    /// # Errors
    /// [`DevnetError::Control`] if a listed one is no miner of the genesis.
    pub fn set_producers(&self, producers: Producers) -> Result<(), DevnetError> {
        if let Producers::Listed(listed) = &producers {
            let known = self.shared.devnet.miners();
            if let Some(stranger) = listed.iter().find(|miner| !known.contains(miner)) {
                return refuse(format!("{stranger} is no miner of the genesis"));
            }
        }
        self.shared.settings.send_modify(|settings| settings.producers = producers);
        Ok(())
    }

    /// Lets the head stand still, or go on: while it stands, nothing is mined and blocks from outside are refused.
    pub fn set_frozen(&self, frozen: bool) {
        self.shared.devnet.inner.set_frozen(frozen);
        self.shared.settings.send_modify(|settings| settings.frozen = frozen);
    }

    /// Mines `spec.count` tipsets. Epochs that no miner wins stay empty and do not count.
    ///
    /// # Errors
    /// [`DevnetError::Control`] if the request makes no sense or names somebody who is no miner, the head is frozen, or
    /// the miners are too weak to win within 8192 epochs; else what making blocks has. What was mined before the error
    /// stays.
    pub async fn mine(&self, spec: &MineSpec) -> Result<MineReport, DevnetError> {
        check_count(spec.count)?;
        let miners = match &spec.miners {
            Some(miners) => self.named(miners).await?,
            None => self.producers(),
        };
        if miners.is_empty() {
            return refuse("no miner is left to the devnet: name one");
        }
        let mut turn = self.shared.turn.lock().await;
        self.check_able(&miners).await?;
        let mut sum = Sum::default();
        for _ in 0..spec.count {
            self.skip(&mut turn, spec.nulls, &mut sum)?;
            self.tipset(&mut turn, &miners, &mut sum).await?;
        }
        Ok(self.report(sum))
    }

    /// Mines `epochs` epochs, whether somebody wins or not.
    ///
    /// # Errors
    /// As [`DevnetControl::mine`].
    pub async fn advance(&self, epochs: u64) -> Result<MineReport, DevnetError> {
        check_count(epochs)?;
        let miners = self.producers();
        let mut turn = self.shared.turn.lock().await;
        let mut sum = Sum::default();
        for _ in 0..epochs {
            let blocks = self.next_epoch(&mut turn, &miners).await?;
            sum.add(&blocks);
        }
        Ok(self.report(sum))
    }

    /// Leaves the next `epochs` epochs empty. The clock is not moved: where it runs by itself, nothing is mined until
    /// they are over.
    ///
    /// # Errors
    /// [`DevnetError::Control`] if there would be more than 8192 empty epochs in a row.
    pub async fn null_rounds(&self, epochs: u64) -> Result<ChainEpoch, DevnetError> {
        let mut turn = self.shared.turn.lock().await;
        self.skip(&mut turn, epochs, &mut Sum::default())?;
        Ok(turn.reached)
    }

    /// Mines until a message was executed and has the confidence that is asked for.
    ///
    /// # Errors
    /// [`DevnetError::Control`] if it is not there after `spec.epochs` epochs; as [`DevnetControl::mine`].
    pub async fn mine_until(&self, spec: &UntilSpec) -> Result<MessageLookup, DevnetError> {
        check_count(spec.epochs)?;
        let miners = self.producers();
        let mut turn = self.shared.turn.lock().await;
        for _ in 0..=spec.epochs {
            let head = self.shared.devnet.head().await?;
            let found = self.shared.devnet.search_message(&spec.message, &SearchOptions::default()).await?;
            let confidence = ChainEpoch::try_from(spec.confidence).unwrap_or(ChainEpoch::MAX);
            let deep = |found: &MessageLookup| head.height() - found.height >= confidence;
            if let Some(found) = found.filter(deep) {
                return Ok(found);
            }
            self.next_epoch(&mut turn, &miners).await?;
        }
        refuse(format!("message {} did not land within {} epochs", spec.message, spec.epochs))
    }

    /// How the devnet is doing.
    pub fn status(&self) -> ControlStatus {
        let (devnet, network) = (&self.shared.devnet, self.network());
        let settings = self.shared.settings.borrow().clone();
        let (miners, stats) = (self.producers(), devnet.stats());
        let is_outside = |miner: &Address| !miners.contains(miner);
        ControlStatus {
            network: network.name.clone(),
            genesis: devnet.genesis_info().tipset.min_ticket_block().cid(),
            head: self.head_info(),
            epoch: self.clock_epoch(),
            now: self.shared.clock.unix_seconds(),
            block_delay: network.block_delay_secs,
            manual_clock: self.shared.clock.is_manual(),
            auto_mine: settings.auto_mine,
            frozen: settings.frozen,
            outside_miners: devnet.miners().into_iter().filter(is_outside).collect(),
            miners,
            blocks: stats.blocks,
            reorgs: stats.reorgs,
            pending: stats.pending as u64,
            supply_conserved: devnet.check_supply().is_ok(),
        }
    }

    /// Refuses miners none of whom ever gets to mine on this head, instead of trying thousands of epochs.
    async fn check_able(&self, miners: &[Address]) -> Result<(), DevnetError> {
        let head = self.shared.devnet.head().await?;
        // So far ahead, the state that decides the election is that of the head.
        for epoch in [head.height() + 1, head.height() + MAX_NULL_ROUNDS] {
            for miner in miners {
                let info = self.shared.devnet.base_info(miner, epoch, head.key()).await?;
                if info.is_some_and(|info| info.eligible_for_mining) {
                    return Ok(());
                }
            }
        }
        refuse("none of the miners may mine: they have no power, no sectors, a debt or a recent fault")
    }

    /// Mines until there is one more tipset.
    async fn tipset(&self, turn: &mut Turn, miners: &[Address], sum: &mut Sum) -> Result<(), DevnetError> {
        for _ in 0..MAX_NULL_ROUNDS {
            let blocks = self.next_epoch(turn, miners).await?;
            sum.add(&blocks);
            if !blocks.is_empty() {
                return Ok(());
            }
        }
        refuse(format!("nobody won in {MAX_NULL_ROUNDS} epochs: the miners are too weak"))
    }

    /// Mines the next epoch, and moves the clock to it.
    async fn next_epoch(&self, turn: &mut Turn, miners: &[Address]) -> Result<Vec<BlockHeader>, DevnetError> {
        let epoch = self.next(turn).await?;
        self.shared.clock.advance_to(self.time_of(epoch));
        self.epoch(turn, epoch, miners).await
    }

    /// Mines an epoch whose time has come. Whatever comes of it, it is not tried again.
    async fn epoch(
        &self,
        turn: &mut Turn,
        epoch: ChainEpoch,
        miners: &[Address],
    ) -> Result<Vec<BlockHeader>, DevnetError> {
        if self.shared.settings.borrow().frozen {
            return refuse("the head is frozen: let it go first");
        }
        turn.reached = epoch;
        let base = self.base(epoch).await?;
        let blocks = self.shared.miners().round(miners, epoch, &base, Kind::Full).await?;
        tracing::debug!(epoch, blocks = blocks.len(), "mined");
        Ok(blocks.into_iter().map(|block| block.header).collect())
    }

    /// What blocks of an epoch stand on. Somebody outside may have been faster: then they stand beside theirs.
    async fn base(&self, epoch: ChainEpoch) -> Result<Arc<Tipset>, DevnetError> {
        let head = self.shared.devnet.head().await?;
        if head.height() < epoch {
            return Ok(head);
        }
        Ok(self.shared.devnet.tipset_at(epoch - 1, head.key(), NullRound::Before).await?)
    }

    /// The epoch that is mined next on demand: the chain gets longer by it.
    async fn next(&self, turn: &Turn) -> Result<ChainEpoch, DevnetError> {
        Ok(self.reached(turn) + 1)
    }

    /// The epoch that is mined next by the clock. Blocks from outside may have come already that belong to it.
    async fn next_by_clock(&self, turn: &Turn) -> Result<ChainEpoch, DevnetError> {
        let head = self.shared.devnet.head().await?.height();
        let reached = turn.reached.min(self.reached(turn));
        Ok((reached + 1).max(head))
    }

    /// The last epoch that is over. After so many empty ones that no block could follow, they count as not been: the
    /// chain has nothing of them, and would never go on.
    fn reached(&self, turn: &Turn) -> ChainEpoch {
        let head = self.shared.devnet.inner.read().chain.head().height();
        if turn.reached - head >= MAX_NULL_ROUNDS { head } else { turn.reached.max(head) }
    }

    fn skip(&self, turn: &mut Turn, epochs: u64, sum: &mut Sum) -> Result<(), DevnetError> {
        let head = self.shared.devnet.inner.read().chain.head().height();
        let reached = self.reached(turn).saturating_add_unsigned(epochs);
        if reached - head >= MAX_NULL_ROUNDS {
            return refuse(format!("a chain cannot have more than {MAX_NULL_ROUNDS} empty epochs in a row"));
        }
        turn.reached = reached;
        sum.nulls += epochs;
        Ok(())
    }

    /// Miners of a request, each once. Somebody else would leave epoch after epoch empty.
    async fn named(&self, miners: &[Address]) -> Result<Vec<Address>, DevnetError> {
        let (mut seen, mut named) = (HashSet::new(), Vec::new());
        for miner in miners.iter().filter(|miner| seen.insert(**miner)) {
            match self.shared.devnet.info(miner, &TipsetKey::default()).await {
                Ok(_) => named.push(*miner),
                Err(ChainError::ActorNotFound(_)) => return refuse(format!("{miner} is no miner")),
                Err(other) => return Err(other.into()),
            }
        }
        Ok(named)
    }

    /// The miners of the genesis that the devnet mines for.
    fn producers(&self) -> Vec<Address> {
        let all = self.shared.devnet.miners();
        match &self.shared.settings.borrow().producers {
            Producers::All => all,
            Producers::Listed(listed) => {
                let listed: HashSet<&Address> = listed.iter().collect();
                all.into_iter().filter(|miner| listed.contains(miner)).collect()
            }
            Producers::Outside => Vec::new(),
        }
    }

    fn report(&self, sum: Sum) -> MineReport {
        let Sum { tipsets, blocks, nulls } = sum;
        MineReport { tipsets, blocks, nulls, head: self.head_info() }
    }

    fn head_info(&self) -> HeadInfo {
        HeadInfo::of(self.shared.devnet.inner.read().chain.head())
    }

    fn network(&self) -> &NetworkInfo {
        &self.shared.devnet.genesis_info().network
    }

    fn time_of(&self, epoch: ChainEpoch) -> Duration {
        Duration::from_secs(self.network().timestamp_of(epoch))
    }

    /// The epoch that the clock says it is; before the genesis, zero.
    fn clock_epoch(&self) -> ChainEpoch {
        let network = self.network();
        let age = self.shared.clock.unix_seconds().saturating_sub(network.genesis_timestamp);
        ChainEpoch::try_from(age / network.block_delay_secs.max(1)).unwrap_or(ChainEpoch::MAX)
    }
}

#[derive(Default)]
struct Sum {
    tipsets: u64,
    blocks: u64,
    nulls: u64,
}

impl Sum {
    fn add(&mut self, blocks: &[BlockHeader]) {
        self.blocks += blocks.len() as u64;
        if blocks.is_empty() { self.nulls += 1 } else { self.tipsets += 1 }
    }
}

impl HeadInfo {
    fn of(tipset: &Tipset) -> Self {
        let cids = tipset.cids().to_vec();
        Self { height: tipset.height(), cids, timestamp: tipset.min_timestamp() }
    }
}

fn check_count(count: u64) -> Result<(), DevnetError> {
    match count {
        1..=MineSpec::MAX => Ok(()),
        _ => refuse(format!("{count} is not between 1 and {}", MineSpec::MAX)),
    }
}

fn refuse<T>(reason: impl Into<String>) -> Result<T, DevnetError> {
    Err(DevnetError::Control(reason.into()))
}

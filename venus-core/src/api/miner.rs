//! Reading the state of miners and of their sectors.

use async_trait::async_trait;
use auto_impl::auto_impl;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;

use super::ChainError;
use crate::types::{
    BitField, Deadline, DeadlineInfo, MinerInfo, MinerPower, MinerSectors, Partition, SectorExpiration,
    SectorLocation, SectorOnChainInfo, SectorPreCommitInfo, SectorPreCommitOnChainInfo, TipsetKey,
};

/// Facts of a miner as a whole. State at a tipset means what it means for [`StateReader`](super::StateReader);
/// the empty key stands for the head.
///
/// # Contract
/// * All calls are idempotent and may be retried; none changes anything. Each answer belongs to `at`, however
///   late it comes; with the empty key two calls may see two heads, so pass a key where answers must agree.
/// * A miner may be named by any of its addresses.
///
/// # Errors
/// All methods: [`ChainError::ActorNotFound`] if there is no such miner at `at`, [`ChainError::TipsetNotFound`]
/// for an unknown `at`, and whatever a node that does not answer gives.
///
/// # Implementing
/// Six methods are needed; override the others where the node answers in one call. Run
/// `testing::suites::miner_reader`.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait MinerReader: Send + Sync {
    /// Owner, worker, control addresses, sector size and what else seldom changes.
    async fn info(&self, miner: &Address, at: &TipsetKey) -> Result<MinerInfo, ChainError>;

    /// The miner's power and that of all.
    async fn power(&self, miner: &Address, at: &TipsetKey) -> Result<MinerPower, ChainError>;

    /// What the miner's owner could withdraw, attoFIL: the balance less pledge, deposits, debts and what is vesting.
    /// Zero, not less, for a miner in debt.
    async fn available_balance(&self, miner: &Address, at: &TipsetKey) -> Result<TokenAmount, ChainError>;

    /// The deadline that is open at `at`, or the next one if proving has not begun. See
    /// [`consensus::deadline`](crate::consensus::deadline) for what follows from it.
    async fn proving_deadline(&self, miner: &Address, at: &TipsetKey) -> Result<DeadlineInfo, ChainError>;

    /// What happened in the deadlines of the period, in order of their index.
    async fn deadlines(&self, miner: &Address, at: &TipsetKey) -> Result<Vec<Deadline>, ChainError>;

    /// The partitions of a deadline, in order of their index; none for a deadline without sectors.
    ///
    /// # Errors
    /// [`ChainError::Invalid`] for a deadline that the period does not have.
    async fn partitions(
        &self,
        miner: &Address,
        deadline: u64,
        at: &TipsetKey,
    ) -> Result<Vec<Partition>, ChainError>;

    /// All partitions with the deadline and partition index of each, in that order. Ask with a key: as provided
    /// it takes a call for each deadline.
    async fn all_partitions(
        &self,
        miner: &Address,
        at: &TipsetKey,
    ) -> Result<Vec<(SectorLocation, Partition)>, ChainError> {
        let deadlines = self.proving_deadline(miner, at).await?.w_post_period_deadlines;
        let mut all = Vec::new();
        for deadline in 0..deadlines {
            let partitions = self.partitions(miner, deadline, at).await?;
            all.extend((0..).zip(partitions).map(|(i, p)| (SectorLocation { deadline, partition: i }, p)));
        }
        Ok(all)
    }

    /// Numbers of the sectors that are faulty.
    async fn faults(&self, miner: &Address, at: &TipsetKey) -> Result<BitField, ChainError> {
        let all = self.all_partitions(miner, at).await?;
        Ok(BitField::union(all.iter().map(|(_, p)| &p.faulty_sectors)))
    }

    /// Numbers of the sectors that are faulty and declared to be back.
    async fn recoveries(&self, miner: &Address, at: &TipsetKey) -> Result<BitField, ChainError> {
        let all = self.all_partitions(miner, at).await?;
        Ok(BitField::union(all.iter().map(|(_, p)| &p.recovering_sectors)))
    }

    /// Numbers of the sectors that are live, proven and not faulty.
    async fn active_sectors(&self, miner: &Address, at: &TipsetKey) -> Result<BitField, ChainError> {
        let all = self.all_partitions(miner, at).await?;
        Ok(BitField::union(all.iter().map(|(_, p)| &p.active_sectors)))
    }

    /// How many sectors the miner has.
    async fn sector_count(&self, miner: &Address, at: &TipsetKey) -> Result<MinerSectors, ChainError> {
        let mut count = MinerSectors::default();
        for (_, partition) in self.all_partitions(miner, at).await? {
            count.live += partition.live_sectors.len();
            count.active += partition.active_sectors.len();
            count.faulty += partition.faulty_sectors.len();
        }
        Ok(count)
    }

    /// Where a sector is proven; `None` if it is in no partition, because it is not proven yet or was never made.
    async fn sector_location(
        &self,
        miner: &Address,
        sector: u64,
        at: &TipsetKey,
    ) -> Result<Option<SectorLocation>, ChainError> {
        let all = self.all_partitions(miner, at).await?;
        Ok(all.into_iter().find(|(_, p)| p.all_sectors.get(sector)).map(|(location, _)| location))
    }
}

/// Facts of single sectors: what is on chain, what it costs to put them there.
///
/// Contract and errors are those of [`MinerReader`].
///
/// # Implementing
/// Run `testing::suites::sector_reader`.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait SectorReader: Send + Sync {
    /// Sectors that were proven and have not been removed, in order of their number: those of `numbers`, or all.
    /// Numbers without a sector are left out.
    ///
    /// All sectors of a large miner are hundreds of megabytes: name those that you need.
    async fn sectors(
        &self,
        miner: &Address,
        numbers: Option<&BitField>,
        at: &TipsetKey,
    ) -> Result<Vec<SectorOnChainInfo>, ChainError>;

    /// The pre-commit of a sector that was not proven yet; `None` if there is none (any more).
    async fn precommit(
        &self,
        miner: &Address,
        sector: u64,
        at: &TipsetKey,
    ) -> Result<Option<SectorPreCommitOnChainInfo>, ChainError>;

    /// Whether a sector number was ever used. It cannot be used again, whatever became of the sector.
    async fn is_allocated(&self, miner: &Address, sector: u64, at: &TipsetKey) -> Result<bool, ChainError>;

    /// When a sector leaves its partition; `None` if it is in none.
    async fn sector_expiration(
        &self,
        miner: &Address,
        sector: u64,
        at: &TipsetKey,
    ) -> Result<Option<SectorExpiration>, ChainError>;

    /// What to send along with this pre-commit, attoFIL. It holds a margin already, ten per cent in the nodes
    /// that we know, for what changes until the message lands.
    async fn precommit_deposit(
        &self,
        miner: &Address,
        sector: &SectorPreCommitInfo,
        at: &TipsetKey,
    ) -> Result<TokenAmount, ChainError>;

    /// What to send along with the proof of a sector, attoFIL, with the margin of
    /// [`precommit_deposit`](Self::precommit_deposit). It grows with the part that verified deals fill.
    ///
    /// # Errors
    /// [`ChainError::Invalid`] for a size that no sector has, or more verified bytes than the sector holds.
    async fn initial_pledge(&self, spec: &PledgeSpec, at: &TipsetKey) -> Result<TokenAmount, ChainError>;

    /// One sector; `None` if it was not proven or has been removed.
    async fn sector(
        &self,
        miner: &Address,
        sector: u64,
        at: &TipsetKey,
    ) -> Result<Option<SectorOnChainInfo>, ChainError> {
        let only = BitField::try_from_bits([sector])
            .map_err(|_| ChainError::Invalid(format!("sector number {sector} is out of range")))?;
        Ok(self.sectors(miner, Some(&only), at).await?.into_iter().find(|s| s.sector_number == sector))
    }
}

/// A sector whose pledge is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PledgeSpec {
    /// How long the sector shall live, epochs.
    pub duration: ChainEpoch,
    /// Padded size of the sector in bytes.
    pub sector_size: u64,
    /// Padded bytes of it that verified deals fill.
    pub verified_size: u64,
}

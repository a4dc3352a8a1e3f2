//! Miners that a test sets up.

use std::collections::BTreeMap;

use async_trait::async_trait;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;

use super::versions::Versions;
use crate::api::{ChainError, MinerReader, PledgeSpec, SectorReader};
use crate::consensus::deadline::DeadlinePolicy;
use crate::types::{
    BeneficiaryTerm, BitField, Deadline, DeadlineInfo, MaybeAddress, MinerInfo, MinerPower, Partition,
    PowerClaim, SectorExpiration, SectorLocation, SectorOnChainInfo, SectorPreCommitInfo,
    SectorPreCommitOnChainInfo, TipsetKey,
};

/// attoFIL that a byte of a sector costs as deposit and as pledge; a verified byte counts ten times.
const ATTO_PER_BYTE: u64 = 1000;
/// Padded bytes that a sector can have.
const SECTOR_SIZES: [u64; 5] = [2 << 10, 8 << 20, 512 << 20, 32 << 30, 64 << 30];

/// The state of one miner, all of it up to the test. Nothing is computed but deposit and pledge, which grow with
/// the size.
#[derive(Clone, Debug)]
pub struct MinerScript {
    /// Answer of [`MinerReader::info`].
    pub info: MinerInfo,
    /// Answer of [`MinerReader::power`].
    pub power: MinerPower,
    /// Answer of [`MinerReader::available_balance`], attoFIL.
    pub available_balance: TokenAmount,
    /// Answer of [`MinerReader::proving_deadline`].
    pub proving_deadline: DeadlineInfo,
    /// Answer of [`MinerReader::deadlines`].
    pub deadlines: Vec<Deadline>,
    /// Partitions of each deadline.
    pub partitions: Vec<Vec<Partition>>,
    /// Sectors on chain, by number.
    pub sectors: BTreeMap<u64, SectorOnChainInfo>,
    /// Pre-commits on chain, by number.
    pub precommits: BTreeMap<u64, SectorPreCommitOnChainInfo>,
    /// Sector numbers that were used, those of the two lists above aside.
    pub allocated: BitField,
}

impl MinerScript {
    /// A miner without sectors, with mainnet's deadlines and no power of its own, at epoch 0.
    pub fn new(owner: Address, worker: Address, sector_size: u64) -> Self {
        let policy = DeadlinePolicy::MAINNET;
        let count = usize::try_from(policy.period_deadlines).unwrap_or_default();
        Self {
            info: miner_info(owner, worker, sector_size),
            power: MinerPower {
                miner_power: PowerClaim::default(),
                total_power: PowerClaim::default(),
                has_min_power: false,
            },
            available_balance: TokenAmount::default(),
            proving_deadline: policy.deadline_at(0, 0),
            deadlines: vec![Deadline::default(); count],
            partitions: vec![Vec::new(); count],
            sectors: BTreeMap::new(),
            precommits: BTreeMap::new(),
            allocated: BitField::new(),
        }
    }

    /// Puts a proven, healthy sector into a partition, with those before it if they are missing, and adds its size
    /// to the miner's and the network's power. Replaces its pre-commit.
    ///
    /// # Errors
    /// [`ChainError::Invalid`] if there is no such deadline, or no sector can have the number.
    pub fn add_sector(&mut self, sector: SectorOnChainInfo, at: SectorLocation) -> Result<(), ChainError> {
        let number = sector.sector_number;
        let invalid = |what: &str| ChainError::Invalid(format!("{what} out of range"));
        let bit = BitField::try_from_bits([number]).map_err(|_| invalid("sector number"))?;
        let deadline = usize::try_from(at.deadline).ok().and_then(|i| self.partitions.get_mut(i));
        let deadline = deadline.ok_or_else(|| invalid("deadline"))?;
        let index = usize::try_from(at.partition).ok().filter(|i| *i < 3000);
        let index = index.ok_or_else(|| invalid("partition"))?;
        if deadline.len() <= index {
            deadline.resize(index + 1, Partition::default());
        }
        if let Some(partition) = deadline.get_mut(index) {
            partition.all_sectors |= &bit;
            partition.live_sectors |= &bit;
            partition.active_sectors |= &bit;
        }
        for claim in [&mut self.power.miner_power, &mut self.power.total_power] {
            claim.raw_byte_power += self.info.sector_size;
            claim.quality_adj_power += self.info.sector_size;
        }
        self.precommits.remove(&number);
        self.sectors.insert(number, sector);
        Ok(())
    }

    fn is_placed(&self, sector: u64) -> bool {
        self.partitions.iter().flatten().any(|p| p.all_sectors.get(sector))
    }
}

fn miner_info(owner: Address, worker: Address, sector_size: u64) -> MinerInfo {
    MinerInfo {
        owner,
        worker,
        new_worker: MaybeAddress(None),
        control_addresses: Vec::new(),
        worker_change_epoch: -1,
        peer_id: None,
        multiaddrs: Vec::new(),
        window_post_proof_type: 10,
        sector_size,
        window_post_partition_sectors: 2,
        consensus_fault_elapsed: -1,
        pending_owner_address: None,
        beneficiary: owner,
        beneficiary_term: BeneficiaryTerm::default(),
        pending_beneficiary_term: None,
    }
}

/// Miners in memory, named by their ID addresses. What [`set`](Self::set) and [`update`](Self::update) change is
/// seen with the empty key at once; [`keep_as`](Self::keep_as) makes it the state at a tipset.
#[derive(Debug, Default)]
pub struct ScriptedMiners {
    state: Versions<BTreeMap<Address, MinerScript>>,
}

impl ScriptedMiners {
    /// No miners.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a miner, or replaces it.
    pub fn set(&self, miner: Address, script: MinerScript) {
        self.state.now().insert(miner, script);
    }

    /// Changes a miner.
    ///
    /// # Errors
    /// [`ChainError::ActorNotFound`].
    pub fn update<R>(
        &self,
        miner: &Address,
        change: impl FnOnce(&mut MinerScript) -> R,
    ) -> Result<R, ChainError> {
        self.state.now().get_mut(miner).map(change).ok_or(ChainError::ActorNotFound(*miner))
    }

    /// From now on, the state at `key` is what it is now.
    pub fn keep_as(&self, key: TipsetKey) {
        self.state.keep_as(key);
    }

    fn read<R>(
        &self,
        miner: &Address,
        at: &TipsetKey,
        read: impl FnOnce(&MinerScript) -> R,
    ) -> Result<R, ChainError> {
        self.state.read(at, |all| all.get(miner).map(read).ok_or(ChainError::ActorNotFound(*miner)))
    }
}

#[async_trait]
impl MinerReader for ScriptedMiners {
    async fn info(&self, miner: &Address, at: &TipsetKey) -> Result<MinerInfo, ChainError> {
        self.read(miner, at, |m| m.info.clone())
    }

    async fn power(&self, miner: &Address, at: &TipsetKey) -> Result<MinerPower, ChainError> {
        self.read(miner, at, |m| m.power.clone())
    }

    async fn available_balance(&self, miner: &Address, at: &TipsetKey) -> Result<TokenAmount, ChainError> {
        self.read(miner, at, |m| m.available_balance.clone())
    }

    async fn proving_deadline(&self, miner: &Address, at: &TipsetKey) -> Result<DeadlineInfo, ChainError> {
        self.read(miner, at, |m| m.proving_deadline)
    }

    async fn deadlines(&self, miner: &Address, at: &TipsetKey) -> Result<Vec<Deadline>, ChainError> {
        self.read(miner, at, |m| m.deadlines.clone())
    }

    async fn partitions(
        &self,
        miner: &Address,
        deadline: u64,
        at: &TipsetKey,
    ) -> Result<Vec<Partition>, ChainError> {
        let index = usize::try_from(deadline).unwrap_or(usize::MAX);
        let partitions = self.read(miner, at, |m| m.partitions.get(index).cloned())?;
        partitions.ok_or_else(|| ChainError::Invalid(format!("the period has no deadline {deadline}")))
    }
}

#[async_trait]
impl SectorReader for ScriptedMiners {
    async fn sectors(
        &self,
        miner: &Address,
        numbers: Option<&BitField>,
        at: &TipsetKey,
    ) -> Result<Vec<SectorOnChainInfo>, ChainError> {
        let wanted = |number: u64| numbers.is_none_or(|numbers| numbers.get(number));
        self.read(miner, at, |m| {
            m.sectors.values().filter(|sector| wanted(sector.sector_number)).cloned().collect()
        })
    }

    async fn precommit(
        &self,
        miner: &Address,
        sector: u64,
        at: &TipsetKey,
    ) -> Result<Option<SectorPreCommitOnChainInfo>, ChainError> {
        self.read(miner, at, |m| m.precommits.get(&sector).cloned())
    }

    async fn is_allocated(&self, miner: &Address, sector: u64, at: &TipsetKey) -> Result<bool, ChainError> {
        self.read(miner, at, |m| {
            m.sectors.contains_key(&sector) || m.precommits.contains_key(&sector) || m.allocated.get(sector)
        })
    }

    async fn sector_expiration(
        &self,
        miner: &Address,
        sector: u64,
        at: &TipsetKey,
    ) -> Result<Option<SectorExpiration>, ChainError> {
        self.read(miner, at, |m| {
            let info = m.sectors.get(&sector).filter(|_| m.is_placed(sector))?;
            Some(SectorExpiration { on_time: info.expiration, early: 0 })
        })
    }

    async fn precommit_deposit(
        &self,
        miner: &Address,
        _: &SectorPreCommitInfo,
        at: &TipsetKey,
    ) -> Result<TokenAmount, ChainError> {
        let size = self.read(miner, at, |m| m.info.sector_size)?;
        Ok(TokenAmount::from_atto(ATTO_PER_BYTE) * size)
    }

    async fn initial_pledge(&self, spec: &PledgeSpec, at: &TipsetKey) -> Result<TokenAmount, ChainError> {
        self.state.read(at, |_| Ok(()))?;
        if !SECTOR_SIZES.contains(&spec.sector_size) {
            return Err(ChainError::Invalid(format!("sector_size {} is no sector's", spec.sector_size)));
        }
        if spec.verified_size > spec.sector_size {
            return Err(ChainError::Invalid("verified_size is more than the sector holds".into()));
        }
        Ok(TokenAmount::from_atto(ATTO_PER_BYTE) * (spec.sector_size + 9 * spec.verified_size))
    }
}

//! Miners, their power and their sectors.

use fvm_shared::ActorID;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use venus_core::types::{
    BitField, Deadline, DeadlineInfo, MaybeAddress, MinerInfo, MinerPower, Partition,
    PendingBeneficiaryChange, PowerClaim, SectorExpiration, SectorOnChainInfo, SectorPreCommitOnChainInfo,
};

use super::{StateView, base58};
use crate::state::{Info, PendingBeneficiary, Power};

impl StateView<'_> {
    pub(crate) fn miner_info(&self, miner: ActorID) -> Option<MinerInfo> {
        self.tree.miner(miner).map(|state| info(&state.info))
    }

    /// Power of the miner (zero for others) and of the network.
    pub(crate) fn power(&self, miner: Option<ActorID>) -> MinerPower {
        let own = miner.and_then(|id| self.tree.claim(id));
        let total = self.tree.power().map(|power| claim(power.counted()));
        MinerPower {
            miner_power: own.map(claim).unwrap_or_default(),
            total_power: total.unwrap_or_default(),
            has_min_power: miner.is_some_and(|id| self.tree.has_min_power(id)),
        }
    }

    /// What the owner could take out now, attoFIL: what vested until the epoch included, never less than nothing.
    pub(crate) fn available_balance(&self, miner: ActorID) -> Option<TokenAmount> {
        let state = self.tree.miner(miner)?;
        let available = state.available(&self.tree.get(miner)?.balance) + state.vesting.vested(self.epoch);
        Some(available.max(TokenAmount::default()))
    }

    /// The deadline that is open now.
    pub(crate) fn proving_deadline(&self, miner: ActorID) -> Option<DeadlineInfo> {
        let policy = &self.tree.rules().deadlines;
        self.tree.miner(miner).map(|state| state.deadline(policy, self.epoch).next_not_elapsed())
    }

    pub(crate) fn deadlines(&self, miner: ActorID) -> Option<Vec<Deadline>> {
        let deadlines = self.tree.miner(miner)?.deadlines.0.iter();
        let api = deadlines.map(|deadline| Deadline {
            post_submissions: deadline.posted.clone(),
            disputable_proof_count: 0,
            daily_fee: deadline.daily_fee.clone(),
        });
        Some(api.collect())
    }

    /// Those of one deadline in order; `None` also for a deadline that the period does not have.
    pub(crate) fn partitions(&self, miner: ActorID, deadline: u64) -> Option<Vec<Partition>> {
        let deadlines = &self.tree.miner(miner)?.deadlines.0;
        let partitions = &deadlines.get(usize::try_from(deadline).ok()?)?.partitions;
        let api = partitions.iter().map(|partition| Partition {
            all_sectors: partition.all.clone(),
            faulty_sectors: partition.faulty.clone(),
            recovering_sectors: partition.recovering.clone(),
            live_sectors: partition.live(),
            active_sectors: partition.active(),
        });
        Some(api.collect())
    }

    /// In order of their numbers: those of `numbers`, or all.
    pub(crate) fn sectors(
        &self,
        miner: ActorID,
        numbers: Option<&BitField>,
    ) -> Option<Vec<SectorOnChainInfo>> {
        let sectors = self.tree.miner(miner)?.sectors.0.values();
        let wanted = sectors.filter(|s| numbers.is_none_or(|numbers| numbers.get(s.sector_number)));
        Some(wanted.cloned().collect())
    }

    /// `None` also if the sector was proven or never promised.
    pub(crate) fn precommit(&self, miner: ActorID, sector: u64) -> Option<SectorPreCommitOnChainInfo> {
        self.tree.miner(miner)?.precommits.0.get(&sector).cloned()
    }

    pub(crate) fn is_allocated(&self, miner: ActorID, sector: u64) -> Option<bool> {
        self.tree.miner(miner).map(|state| state.allocated.get(sector))
    }

    /// When a sector leaves its partition: at the end of the deadline in which its life ends. `None` also for a
    /// sector in no partition.
    pub(crate) fn sector_expiration(&self, miner: ActorID, sector: u64) -> Option<SectorExpiration> {
        let state = self.tree.miner(miner)?;
        let expiration = state.sectors.0.get(&sector)?.expiration;
        let (deadline, ..) = state.deadlines.partitions().find(|(_, _, p)| p.live().get(sector))?;
        // Partitions hold their sectors in queues whose entries stand for the ends of the deadline.
        let policy = &self.tree.rules().deadlines;
        let end = policy.deadline(state.period_start, deadline, self.epoch).last();
        let past = expiration.saturating_sub(end).rem_euclid(policy.proving_period.max(1));
        let on_time = if past == 0 { expiration } else { expiration + policy.proving_period - past };
        Some(SectorExpiration { on_time, early: 0 })
    }
}

fn claim(power: &Power) -> PowerClaim {
    PowerClaim { raw_byte_power: power.raw.clone(), quality_adj_power: power.quality_adjusted.clone() }
}

fn info(info: &Info) -> MinerInfo {
    let change = info.pending_worker;
    MinerInfo {
        owner: Address::new_id(info.owner),
        worker: Address::new_id(info.worker),
        new_worker: MaybeAddress(change.map(|change| Address::new_id(change.worker))),
        control_addresses: info.control.iter().map(|id| Address::new_id(*id)).collect(),
        worker_change_epoch: change.map_or(-1, |change| change.effective_at),
        peer_id: Some(base58::encode(&info.peer_id)).filter(|text| !text.is_empty()),
        multiaddrs: info.multiaddrs.clone(),
        window_post_proof_type: info.window_post_proof,
        sector_size: info.sector_size,
        window_post_partition_sectors: info.partition_sectors,
        consensus_fault_elapsed: info.fault_until,
        pending_owner_address: info.pending_owner.map(Address::new_id),
        beneficiary: Address::new_id(info.beneficiary),
        beneficiary_term: info.term.clone(),
        pending_beneficiary_term: info.pending_beneficiary.as_ref().map(PendingBeneficiary::to_api),
    }
}

impl PendingBeneficiary {
    /// As the chain shows it.
    pub(crate) fn to_api(&self) -> PendingBeneficiaryChange {
        PendingBeneficiaryChange {
            new_beneficiary: Address::new_id(self.beneficiary),
            new_quota: self.quota.clone(),
            new_expiration: self.expiration,
            approved_by_beneficiary: self.approved_by_beneficiary,
            approved_by_nominee: self.approved_by_nominee,
        }
    }
}

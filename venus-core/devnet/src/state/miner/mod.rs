//! The state of a miner.

mod deadlines;
mod info;
mod money;
mod vesting;

use fvm_shared::ActorID;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use venus_core::cbor::{Encode, Writer};
use venus_core::consensus::deadline::DeadlinePolicy;
use venus_core::types::{BitField, DeadlineInfo, SectorOnChainInfo, SectorPreCommitOnChainInfo};

pub(crate) use deadlines::{Deadlines, first_period};
pub(crate) use info::{Info, PendingBeneficiary, WorkerChange};
pub(crate) use vesting::{Vesting, VestingFunds};

use super::{Linked, Table};

/// The state of a miner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MinerState {
    pub(crate) info: Linked<Info>,
    /// Deposits of pre-commits, attoFIL.
    pub(crate) precommit_deposits: TokenAmount,
    /// What has not vested, attoFIL.
    pub(crate) locked_funds: TokenAmount,
    pub(crate) vesting: Linked<VestingFunds>,
    /// Penalties that it could not pay, attoFIL. Who has any may not mine.
    pub(crate) fee_debt: TokenAmount,
    /// What its sectors pledge, attoFIL.
    pub(crate) initial_pledge: TokenAmount,
    pub(crate) precommits: Linked<Table<u64, SectorPreCommitOnChainInfo>>,
    /// Sector numbers that were ever used.
    pub(crate) allocated: Linked<BitField>,
    pub(crate) sectors: Linked<Table<u64, SectorOnChainInfo>>,
    /// First epoch of the proving period; negative while the first one has not begun.
    pub(crate) period_start: ChainEpoch,
    /// Index of the deadline that is open.
    pub(crate) current_deadline: u64,
    pub(crate) deadlines: Linked<Deadlines>,
    /// Whether the ends of its deadlines are waited for.
    pub(crate) cron_active: bool,
}

impl MinerState {
    /// A miner without sectors, made at `epoch`.
    pub(crate) fn new(id: ActorID, info: Info, policy: &DeadlinePolicy, epoch: ChainEpoch) -> Self {
        let now = first_period(id, policy, epoch);
        Self {
            info: Linked::new(info),
            precommit_deposits: TokenAmount::default(),
            locked_funds: TokenAmount::default(),
            vesting: Linked::default(),
            fee_debt: TokenAmount::default(),
            initial_pledge: TokenAmount::default(),
            precommits: Linked::default(),
            allocated: Linked::default(),
            sectors: Linked::default(),
            period_start: now.period_start,
            current_deadline: now.index,
            deadlines: Linked::new(Deadlines::new(policy.period_deadlines)),
            cron_active: false,
        }
    }

    /// Enters sectors that are proven already, into the deadlines that may be changed at `epoch`.
    pub(crate) fn add_sectors(
        &mut self,
        sectors: Vec<SectorOnChainInfo>,
        policy: &DeadlinePolicy,
        epoch: ChainEpoch,
    ) {
        let numbers: Vec<u64> = sectors.iter().map(|s| s.sector_number).collect();
        let partition = self.info.partition_sectors;
        self.deadlines.to_mut().assign(&numbers, partition, policy, self.period_start, epoch);
        let all = BitField::try_from_bits(numbers).unwrap_or_default();
        *self.allocated.to_mut() |= &all;
        self.initial_pledge += sectors.iter().map(|s| &s.initial_pledge).sum::<TokenAmount>();
        self.sectors.to_mut().0.extend(sectors.into_iter().map(|s| (s.sector_number, s)));
        self.cron_active = !self.sectors.0.is_empty();
    }

    /// The deadline that is open at `epoch`.
    pub(crate) fn deadline(&self, policy: &DeadlinePolicy, epoch: ChainEpoch) -> DeadlineInfo {
        policy.deadline_at(self.period_start, epoch)
    }

    /// How many sectors can be proven.
    pub(crate) fn active_sectors(&self) -> u64 {
        self.deadlines.active().len()
    }

    /// The `index`-th of the active sectors in ascending order of their numbers.
    pub(crate) fn active_sector(&self, index: u64) -> Option<&SectorOnChainInfo> {
        let number = self.deadlines.active().iter().nth(usize::try_from(index).ok()?)?;
        self.sectors.0.get(&number)
    }
}

/// The devnet's own layout, in the order of the fields of Filecoin's.
impl Encode for MinerState {
    fn encode(&self, w: &mut Writer) {
        w.array(13);
        self.info.encode(w);
        self.precommit_deposits.encode(w);
        self.locked_funds.encode(w);
        self.vesting.encode(w);
        self.fee_debt.encode(w);
        self.initial_pledge.encode(w);
        self.precommits.encode(w);
        self.allocated.encode(w);
        self.sectors.encode(w);
        w.int(self.period_start);
        w.uint(self.current_deadline);
        self.deadlines.encode(w);
        w.bool(self.cron_active);
    }
}

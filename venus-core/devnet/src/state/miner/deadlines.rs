//! Which sectors are proven when.

use fvm_shared::ActorID;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use venus_core::cbor::{Encode, Writer};
use venus_core::consensus::deadline::DeadlinePolicy;
use venus_core::crypto::hash::blake2b_256;
use venus_core::types::{BitField, DeadlineInfo};

/// The deadlines of a proving period in order of their index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deadlines(pub(crate) Vec<DeadlineState>);

/// What is due at one deadline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeadlineState {
    pub(crate) partitions: Vec<PartitionState>,
    /// Partitions proven while it was last open.
    pub(crate) posted: BitField,
    /// Fee of a day, attoFIL.
    pub(crate) daily_fee: TokenAmount,
}

/// Sectors that are proven together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartitionState {
    /// All, terminated ones included.
    pub(crate) all: BitField,
    /// Not proven for the first time yet.
    pub(crate) unproven: BitField,
    pub(crate) faulty: BitField,
    /// Faulty and declared to be back.
    pub(crate) recovering: BitField,
    pub(crate) terminated: BitField,
}

impl PartitionState {
    pub(crate) fn live(&self) -> BitField {
        &self.all - &self.terminated
    }

    pub(crate) fn active(&self) -> BitField {
        &(&self.live() - &self.faulty) - &self.unproven
    }
}

impl Deadlines {
    pub(crate) fn new(count: u64) -> Self {
        Self((0..count).map(|_| DeadlineState::default()).collect())
    }

    /// Every partition with the indexes of its deadline and of itself.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = (u64, u64, &PartitionState)> {
        (0..)
            .zip(&self.0)
            .flat_map(|(d, deadline)| (0..).zip(&deadline.partitions).map(move |(i, p)| (d, i, p)))
    }

    /// Numbers of the sectors that are proven and not faulty.
    pub(crate) fn active(&self) -> BitField {
        let parts: Vec<BitField> = self.partitions().map(|(_, _, p)| p.active()).collect();
        BitField::union(&parts)
    }

    /// Makes sectors faulty, or brings faulty ones back, and answers which of them that changed.
    pub(crate) fn set_faulty(&mut self, sectors: &BitField, faulty: bool) -> BitField {
        let mut changed = Vec::new();
        for partition in self.0.iter_mut().flat_map(|deadline| &mut deadline.partitions) {
            if faulty {
                let new = &partition.active() & sectors;
                partition.faulty |= &new;
                changed.push(new);
            } else {
                let back = &partition.faulty & sectors;
                partition.faulty -= &back;
                partition.recovering -= &back;
                changed.push(back);
            }
        }
        BitField::union(&changed)
    }

    /// Spreads sectors over the deadlines as the protocol does: fill open partitions first, and keep the numbers of
    /// partitions even. Only deadlines that may be changed take any.
    pub(crate) fn assign(
        &mut self,
        numbers: &[u64],
        partition_sectors: u64,
        policy: &DeadlinePolicy,
        period_start: ChainEpoch,
        epoch: ChainEpoch,
    ) {
        let is_open = |index: &usize| policy.is_mutable(&policy.deadline(period_start, *index as u64, epoch));
        let open: Vec<usize> = (0..self.0.len()).filter(is_open).collect();
        let mut loads: Vec<Load> = self.0.iter().map(Load::of).collect();
        for number in numbers {
            let best = open.iter().filter_map(|index| Some((loads.get(*index)?, *index)));
            let Some((_, index)) = best.min_by_key(|(load, index)| load.rank(partition_sectors, *index))
            else {
                return;
            };
            if let Some(load) = loads.get_mut(index) {
                load.total += 1;
                load.live += 1;
            }
            if let Some(deadline) = self.0.get_mut(index) {
                deadline.add(*number, partition_sectors);
            }
        }
    }
}

impl DeadlineState {
    fn add(&mut self, number: u64, partition_sectors: u64) {
        if self.partitions.last().is_none_or(|last| last.all.len() >= partition_sectors) {
            self.partitions.push(PartitionState::default());
        }
        if let Some(last) = self.partitions.last_mut() {
            last.all.set(number);
        }
    }
}

/// How many sectors a deadline has.
#[derive(Clone, Copy, Debug)]
struct Load {
    total: u64,
    live: u64,
}

impl Load {
    fn of(deadline: &DeadlineState) -> Self {
        let sum = |count: fn(&PartitionState) -> u64| deadline.partitions.iter().map(count).sum();
        Self { total: sum(|p| p.all.len()), live: sum(|p| p.live().len()) }
    }

    /// Less is better.
    fn rank(&self, size: u64, index: usize) -> (u64, u64, bool, u64, u64, usize) {
        let size = size.max(1);
        let full = self.total.is_multiple_of(size);
        // Of two that both have room in a partition, the one with more sectors.
        let emptiness = if full { 0 } else { u64::MAX - self.total };
        ((self.live + size) / size, (self.total + size) / size, full, emptiness, self.live, index)
    }
}

/// The proving period of a miner that is made at `epoch`: where it begins is drawn from the miner's address, so that
/// miners do not all prove at once.
pub(crate) fn first_period(miner: ActorID, policy: &DeadlinePolicy, epoch: ChainEpoch) -> DeadlineInfo {
    let input = [Address::new_id(miner).to_cbor().as_slice(), &epoch.to_be_bytes()].concat();
    let [a, b, c, d, e, f, g, h, ..] = blake2b_256(&input);
    let period = policy.proving_period.max(1);
    let offset = u64::from_be_bytes([a, b, c, d, e, f, g, h]) % period.unsigned_abs();
    policy.deadline_at(ChainEpoch::try_from(offset).unwrap_or_default(), epoch)
}

impl Encode for Deadlines {
    fn encode(&self, w: &mut Writer) {
        w.array(self.0.len() as u64);
        for deadline in &self.0 {
            w.array(3);
            w.array(deadline.partitions.len() as u64);
            for partition in &deadline.partitions {
                w.array(5);
                partition.all.encode(w);
                partition.unproven.encode(w);
                partition.faulty.encode(w);
                partition.recovering.encode(w);
                partition.terminated.encode(w);
            }
            deadline.posted.encode(w);
            deadline.daily_fee.encode(w);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: DeadlinePolicy = DeadlinePolicy::MAINNET;

    #[test]
    fn a_period_begins_where_the_address_says() {
        // Recorded from a venus 2k network: its first miner began at -2222.
        let now = first_period(1000, &POLICY, 0);
        assert_eq!((now.period_start, now.index), (-2222, 37));
    }

    #[test]
    fn partitions_are_filled_and_deadlines_even() {
        let mut deadlines = Deadlines::new(48);
        deadlines.assign(&[0, 1, 2, 3, 4], 2, &POLICY, -2222, 0);
        let found: Vec<_> = deadlines.partitions().map(|(d, i, p)| (d, i, p.all.len())).collect();
        assert_eq!(found, [(0, 0, 2), (1, 0, 2), (2, 0, 1)]);
        let many: Vec<u64> = (5..5 + 2 * 46).collect();
        deadlines.assign(&many, 2, &POLICY, -2222, 0);
        // The open deadline and the one after it take none.
        assert!([37, 38].iter().all(|d| deadlines.0[*d].partitions.is_empty()));
        assert_eq!(deadlines.active().len(), 5 + 92);
        assert_eq!(deadlines.0[0].partitions.len(), 2);
    }

    #[test]
    fn faults_come_and_go() {
        let mut deadlines = Deadlines::new(48);
        deadlines.assign(&[0, 1, 2], 2, &POLICY, -2222, 0);
        let some = BitField::try_from_bits([1, 2, 9]).unwrap();
        assert_eq!(deadlines.set_faulty(&some, true), BitField::try_from_bits([1, 2]).unwrap());
        assert!(deadlines.set_faulty(&some, true).is_empty());
        assert_eq!(deadlines.active(), BitField::try_from_bits([0]).unwrap());
        assert_eq!(deadlines.set_faulty(&some, false).len(), 2);
        assert_eq!(deadlines.active().len(), 3);
    }
}

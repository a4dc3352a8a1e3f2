use std::collections::BTreeSet;

use fvm_shared::address::{Address, Protocol};
use fvm_shared::econ::TokenAmount;
use num_traits::Signed;

use super::{must, must_fail, nobody, unknown_key};
use crate::api::{ChainError, MinerReader};
use crate::error::ErrorKind;
use crate::types::{BitField, Partition, TipsetKey};

/// What [`miner_reader`] relies on. The chain must stand still.
#[derive(Clone, Debug)]
pub struct MinerReaderFixture {
    /// ID address of a miner with an active sector.
    pub miner: Address,
    /// The number of an active sector of it.
    pub sector: u64,
    /// A number of which it has no sector.
    pub no_sector: u64,
    /// A tipset at which the miner existed and had less power than it has now.
    pub earlier: TipsetKey,
}

/// Checks the contract of [`MinerReader`].
///
/// # Panics
/// If a clause does not hold.
pub async fn miner_reader(reader: &dyn MinerReader, f: &MinerReaderFixture) {
    facts(reader, f).await;
    proving(reader, f).await;
    sums(reader, f).await;
    unknowns(reader, f).await;
}

async fn facts(reader: &dyn MinerReader, f: &MinerReaderFixture) {
    let head = TipsetKey::default();
    let info = must(reader.info(&f.miner, &head).await, "a miner has static facts");
    for address in [info.owner, info.worker, info.beneficiary] {
        assert_eq!(address.protocol(), Protocol::ID, "owner, worker and beneficiary are ID addresses");
    }
    assert!(info.sector_size.is_power_of_two(), "a sector's size is a power of two");
    assert!(info.window_post_partition_sectors > 0, "partitions hold sectors");
    assert_eq!(reader.info(&f.miner, &head).await.unwrap(), info, "info is idempotent");

    let power = must(reader.power(&f.miner, &head).await, "a miner has power");
    let (own, all) = (&power.miner_power, &power.total_power);
    assert!(own.raw_byte_power.is_positive(), "an active sector is power");
    assert!(own.raw_byte_power <= own.quality_adj_power, "quality never takes power away");
    assert!(own.quality_adj_power <= all.quality_adj_power, "no miner has more power than all");
    let before = must(reader.power(&f.miner, &f.earlier).await, "past state answers");
    let grown = before.miner_power.raw_byte_power < own.raw_byte_power;
    assert!(grown, "state at a tipset is that of its time, for the empty key the newest");

    let balance = must(reader.available_balance(&f.miner, &head).await, "a miner has a balance");
    assert!(balance >= TokenAmount::default(), "what can be withdrawn is not below zero");
}

async fn proving(reader: &dyn MinerReader, f: &MinerReaderFixture) {
    let head = TipsetKey::default();
    let now = must(reader.proving_deadline(&f.miner, &head).await, "a miner has a proving deadline");
    assert!(now.index < now.w_post_period_deadlines, "the deadline is one of the period's");
    assert!(!now.has_elapsed(), "the proving deadline is not over");
    let deadlines = must(reader.deadlines(&f.miner, &head).await, "a miner has deadlines");
    let count = now.w_post_period_deadlines;
    assert_eq!(deadlines.len() as u64, count, "one answer for each deadline of the period");
    let beyond = reader.partitions(&f.miner, count, &head).await;
    must_fail(beyond, ErrorKind::Invalid, "a deadline beyond the period is Invalid");
    for deadline in 0..count {
        for partition in must(reader.partitions(&f.miner, deadline, &head).await, "a deadline has partitions")
        {
            check_partition(&partition);
        }
    }
}

fn check_partition(p: &Partition) {
    let within = |inner: &BitField, outer: &BitField| outer.contains_all(inner);
    assert!(within(&p.live_sectors, &p.all_sectors), "live sectors are among all");
    assert!(within(&p.active_sectors, &p.live_sectors), "active sectors are live");
    assert!(within(&p.faulty_sectors, &p.live_sectors), "faulty sectors are live");
    assert!(within(&p.recovering_sectors, &p.faulty_sectors), "recovering sectors are faulty");
    assert!(!p.active_sectors.contains_any(&p.faulty_sectors), "no sector is active and faulty");
}

async fn sums(reader: &dyn MinerReader, f: &MinerReaderFixture) {
    let (miner, head) = (&f.miner, TipsetKey::default());
    let all = must(reader.all_partitions(miner, &head).await, "all partitions are found");
    let locations: Vec<_> = all.iter().map(|(at, _)| (at.deadline, at.partition)).collect();
    assert!(locations.is_sorted_by(|a, b| a < b), "partitions come in order, each once");
    let of = |part: fn(&Partition) -> &BitField| -> BTreeSet<u64> {
        all.iter().flat_map(|(_, p)| part(p).iter().collect::<Vec<_>>()).collect()
    };
    let set =
        |bits: Result<BitField, ChainError>, clause| -> BTreeSet<u64> { must(bits, clause).iter().collect() };
    let active = set(reader.active_sectors(miner, &head).await, "active sectors are known");
    assert_eq!(active, of(|p| &p.active_sectors), "active sectors are those of the partitions");
    let faulty = set(reader.faults(miner, &head).await, "faults are known");
    assert_eq!(faulty, of(|p| &p.faulty_sectors), "faults are those of the partitions");
    let recovering = set(reader.recoveries(miner, &head).await, "recoveries are known");
    assert_eq!(recovering, of(|p| &p.recovering_sectors), "recoveries are those of the partitions");
    let count = must(reader.sector_count(miner, &head).await, "sectors are counted");
    let live = of(|p| &p.live_sectors).len();
    let sizes = [live, active.len(), faulty.len()].map(|n| n as u64);
    assert_eq!([count.live, count.active, count.faulty], sizes, "the count is that of the partitions");

    assert!(active.contains(&f.sector), "fixture: the sector is active");
    let found = must(reader.sector_location(miner, f.sector, &head).await, "a sector is located");
    let found = found.expect("a proven sector is in a partition");
    let partitions = reader.partitions(miner, found.deadline, &head).await.unwrap();
    let partition = &partitions[usize::try_from(found.partition).unwrap()];
    assert!(partition.all_sectors.get(f.sector), "a sector is where it is said to be");
    let nowhere = must(reader.sector_location(miner, f.no_sector, &head).await, "no sector is no error");
    assert_eq!(nowhere, None, "a number without sector is nowhere");
}

async fn unknowns(reader: &dyn MinerReader, f: &MinerReaderFixture) {
    let (kind, head) = (ErrorKind::NotFound, TipsetKey::default());
    for (miner, at, clause) in [
        (&nobody(), &head, "no such miner is ActorNotFound"),
        (&f.miner, &unknown_key(), "an unknown tipset is TipsetNotFound"),
    ] {
        must_fail(reader.info(miner, at).await, kind, clause);
        must_fail(reader.power(miner, at).await, kind, clause);
        must_fail(reader.available_balance(miner, at).await, kind, clause);
        must_fail(reader.proving_deadline(miner, at).await, kind, clause);
        must_fail(reader.deadlines(miner, at).await, kind, clause);
        must_fail(reader.partitions(miner, 0, at).await, kind, clause);
        must_fail(reader.all_partitions(miner, at).await, kind, clause);
        must_fail(reader.sector_location(miner, f.sector, at).await, kind, clause);
    }
}

use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;

use super::{must, must_fail, nobody, unknown_key};
use crate::api::{PledgeSpec, SectorReader};
use crate::error::ErrorKind;
use crate::types::{BitField, SectorPreCommitInfo, TipsetKey};

/// What [`sector_reader`] relies on. The chain must stand still.
#[derive(Clone, Debug)]
pub struct SectorReaderFixture {
    /// ID address of a miner.
    pub miner: Address,
    /// The number of an active sector of it.
    pub sector: u64,
    /// A pre-commit of it that was not proven yet.
    pub precommit: SectorPreCommitInfo,
    /// A number that it never used.
    pub unused: u64,
    /// Padded size of its sectors in bytes.
    pub sector_size: u64,
    /// A tipset at which the miner existed and the sector did not.
    pub earlier: TipsetKey,
}

/// Checks the contract of [`SectorReader`].
///
/// # Panics
/// If a clause does not hold.
pub async fn sector_reader(reader: &dyn SectorReader, f: &SectorReaderFixture) {
    sectors(reader, f).await;
    numbers(reader, f).await;
    prices(reader, f).await;
    unknowns(reader, f).await;
}

async fn sectors(reader: &dyn SectorReader, f: &SectorReaderFixture) {
    let head = TipsetKey::default();
    let all = must(reader.sectors(&f.miner, None, &head).await, "sectors are listed");
    assert!(all.is_sorted_by(|a, b| a.sector_number < b.sector_number), "sectors come by number, each once");
    let sector = all.iter().find(|s| s.sector_number == f.sector).expect("the active sector is among them");
    assert!(sector.activation < sector.expiration, "a sector lives");
    let pair = BitField::try_from_bits([f.sector, f.unused]).unwrap();
    let named = must(reader.sectors(&f.miner, Some(&pair), &head).await, "sectors are found by number");
    assert_eq!(named, std::slice::from_ref(sector), "numbers without a sector are left out");
    let none = must(reader.sectors(&f.miner, Some(&BitField::new()), &head).await, "no numbers are fine");
    assert!(none.is_empty(), "no numbers, no sectors");
    let one = must(reader.sector(&f.miner, f.sector, &head).await, "a sector is found");
    assert_eq!(one.as_ref(), Some(sector), "sector answers what sectors answers");
    for number in [f.unused, f.precommit.sector_number] {
        let none = must(reader.sector(&f.miner, number, &head).await, "no sector is no error");
        assert_eq!(none, None, "what was not proven is no sector");
    }
    let out_of_range = reader.sector(&f.miner, u64::MAX, &head).await;
    must_fail(out_of_range, ErrorKind::Invalid, "a number beyond all sectors is Invalid");
    let before = must(reader.sector(&f.miner, f.sector, &f.earlier).await, "past state answers");
    assert_eq!(before, None, "state at a tipset is that of its time, for the empty key the newest");

    let ends = must(reader.sector_expiration(&f.miner, f.sector, &head).await, "a sector has an end");
    assert_eq!(ends.map(|e| e.on_time), Some(sector.expiration), "on time is the end of its life");
    let none = must(reader.sector_expiration(&f.miner, f.unused, &head).await, "no sector is no error");
    assert_eq!(none, None, "a number without sector does not end");
}

async fn numbers(reader: &dyn SectorReader, f: &SectorReaderFixture) {
    let (head, number) = (TipsetKey::default(), f.precommit.sector_number);
    let found = must(reader.precommit(&f.miner, number, &head).await, "a pre-commit is found");
    let found = found.expect("a pre-commit that waits is on chain");
    assert_eq!(found.info, f.precommit, "a pre-commit is what was promised");
    assert!(found.pre_commit_deposit >= TokenAmount::default(), "a deposit is not below zero");
    for number in [f.sector, f.unused] {
        let none = must(reader.precommit(&f.miner, number, &head).await, "no pre-commit is no error");
        assert_eq!(none, None, "what is proven, or never promised, has no pre-commit");
    }
    for (number, used) in [(f.sector, true), (f.precommit.sector_number, true), (f.unused, false)] {
        let answer = must(reader.is_allocated(&f.miner, number, &head).await, "numbers are known");
        assert_eq!(answer, used, "a number is allocated once it was used ({number})");
    }
}

async fn prices(reader: &dyn SectorReader, f: &SectorReaderFixture) {
    let head = TipsetKey::default();
    let next = SectorPreCommitInfo { sector_number: f.unused, ..f.precommit.clone() };
    let deposit = must(reader.precommit_deposit(&f.miner, &next, &head).await, "a deposit is computed");
    assert!(deposit > TokenAmount::default(), "a promise costs a deposit");
    let spec = |verified_size| PledgeSpec { duration: 540 * 2880, sector_size: f.sector_size, verified_size };
    let plain = must(reader.initial_pledge(&spec(0), &head).await, "a pledge is computed");
    let verified = must(reader.initial_pledge(&spec(f.sector_size), &head).await, "a pledge is computed");
    assert!(plain > TokenAmount::default(), "a sector costs a pledge");
    assert!(verified >= plain, "verified deals do not make the pledge smaller");
    let kind = ErrorKind::Invalid;
    let overfull = reader.initial_pledge(&spec(f.sector_size + 1), &head).await;
    must_fail(overfull, kind, "more verified bytes than the sector holds are Invalid");
    let odd = PledgeSpec { sector_size: 1000, ..spec(0) };
    must_fail(reader.initial_pledge(&odd, &head).await, kind, "a size that no sector has is Invalid");
}

async fn unknowns(reader: &dyn SectorReader, f: &SectorReaderFixture) {
    let (kind, head) = (ErrorKind::NotFound, TipsetKey::default());
    for (miner, at, clause) in [
        (&nobody(), &head, "no such miner is ActorNotFound"),
        (&f.miner, &unknown_key(), "an unknown tipset is TipsetNotFound"),
    ] {
        must_fail(reader.sectors(miner, None, at).await, kind, clause);
        must_fail(reader.sector(miner, f.sector, at).await, kind, clause);
        must_fail(reader.precommit(miner, f.sector, at).await, kind, clause);
        must_fail(reader.is_allocated(miner, f.sector, at).await, kind, clause);
        must_fail(reader.sector_expiration(miner, f.sector, at).await, kind, clause);
        must_fail(reader.precommit_deposit(miner, &f.precommit, at).await, kind, clause);
    }
    let spec = PledgeSpec { duration: 540 * 2880, sector_size: f.sector_size, verified_size: 0 };
    let unknown = reader.initial_pledge(&spec, &unknown_key()).await;
    must_fail(unknown, kind, "an unknown tipset is TipsetNotFound");
}

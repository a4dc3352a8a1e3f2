//! `StateMiner*` and `StateSector*`.

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use venus_core::api::{ChainError, MinerReader, PledgeSpec, SectorReader};
use venus_core::json::Json;
use venus_core::types::{
    BitField, Deadline, DeadlineInfo, MaybeAddress, MinerInfo, MinerPower, MinerSectors, Partition,
    SectorExpiration, SectorLocation, SectorOnChainInfo, SectorPreCommitInfo, SectorPreCommitOnChainInfo,
    TipsetKey,
};

use super::error::FaceError;
use super::methods::{Answer, Methods, method};
use super::state::{Missing, about, pinned, state_at};
use super::{Face, FaceKind};
use crate::reader::{sector_size, verified_in};

/// Of most methods.
const MINER: Missing =
    Missing { lotus: "failed to load miner actor: ", venus: "failed to load miner actor state: " };
/// Of those that ask Venus's state view for the miner at once.
const INFO: Missing = Missing { lotus: "failed to load miner actor: ", venus: "" };
/// Of the count of sectors.
const COUNT: Missing = Missing { lotus: "", venus: "" };

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.StateMinerInfo" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => info, .idempotent());
    method!(m, Read "Filecoin.StateMinerPower" (a: MaybeAddress = "address.Address", k: TipsetKey = "types.TipSetKey") => power, .idempotent());
    method!(m, Read "Filecoin.StateMinerDeadlines" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => deadlines, .idempotent());
    method!(m, Read "Filecoin.StateMinerProvingDeadline" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => proving_deadline, .idempotent());
    method!(m, Read "Filecoin.StateMinerPartitions" (a: Json<Address> = "address.Address", d: u64 = "uint64", k: TipsetKey = "types.TipSetKey") => partitions, .idempotent());
    method!(m, Read "Filecoin.StateMinerFaults" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => faults, .idempotent());
    method!(m, Read "Filecoin.StateMinerRecoveries" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => recoveries, .idempotent());
    method!(m, Read "Filecoin.StateMinerSectorCount" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => sector_count, .idempotent());
    method!(m, Read "Filecoin.StateMinerAvailableBalance" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => available_balance, .idempotent());
    method!(m, Read "Filecoin.StateAllMinerFaults" (lookback: ChainEpoch = "abi.ChainEpoch", k: TipsetKey = "types.TipSetKey") => all_faults, .idempotent());
    if !m.v0() {
        method!(m, Read "Filecoin.StateMinerCreationDeposit" (k: TipsetKey = "types.TipSetKey") => creation_deposit, .idempotent());
    }
    sectors(m);
    if m.face.kind == FaceKind::Venus {
        method!(m, Read "Filecoin.StateMinerWorkerAddress" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => worker, .idempotent());
        method!(m, Read "Filecoin.StateMinerSectorSize" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => size, .idempotent());
    }
}

fn sectors(m: &mut Methods) {
    method!(m, Read "Filecoin.StateMinerSectors" (a: Json<Address> = "address.Address", n: Option<Json<BitField>> = "*bitfield.BitField", k: TipsetKey = "types.TipSetKey") => miner_sectors, .idempotent());
    method!(m, Read "Filecoin.StateMinerActiveSectors" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => active_sectors, .idempotent());
    method!(m, Read "Filecoin.StateMinerSectorAllocated" (a: Json<Address> = "address.Address", n: u64 = "abi.SectorNumber", k: TipsetKey = "types.TipSetKey") => is_allocated, .idempotent());
    if !m.v0() {
        method!(m, Read "Filecoin.StateMinerAllocated" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => allocated, .idempotent());
    }
    method!(m, Read "Filecoin.StateSectorGetInfo" (a: Json<Address> = "address.Address", n: u64 = "abi.SectorNumber", k: TipsetKey = "types.TipSetKey") => sector, .idempotent());
    if m.v0() {
        method!(m, Read "Filecoin.StateSectorPreCommitInfo" (a: Json<Address> = "address.Address", n: u64 = "abi.SectorNumber", k: TipsetKey = "types.TipSetKey") => precommit_v0, .idempotent());
    } else {
        method!(m, Read "Filecoin.StateSectorPreCommitInfo" (a: Json<Address> = "address.Address", n: u64 = "abi.SectorNumber", k: TipsetKey = "types.TipSetKey") => precommit, .idempotent());
    }
    method!(m, Read "Filecoin.StateSectorExpiration" (a: Json<Address> = "address.Address", n: u64 = "abi.SectorNumber", k: TipsetKey = "types.TipSetKey") => expiration, .idempotent());
    method!(m, Read "Filecoin.StateSectorPartition" (a: Json<Address> = "address.Address", n: u64 = "abi.SectorNumber", k: TipsetKey = "types.TipSetKey") => location, .idempotent());
    method!(m, Read "Filecoin.StateMinerPreCommitDepositForPower" (a: Json<Address> = "address.Address", s: SectorPreCommitInfo = "miner.SectorPreCommitInfo", k: TipsetKey = "types.TipSetKey") => deposit, .idempotent());
    method!(m, Read "Filecoin.StateMinerInitialPledgeCollateral" (a: Json<Address> = "address.Address", s: SectorPreCommitInfo = "miner.SectorPreCommitInfo", k: TipsetKey = "types.TipSetKey") => pledge_collateral, .idempotent());
    if !m.v0() || m.face.kind == FaceKind::Venus {
        method!(m, Read "Filecoin.StateMinerInitialPledgeForSector" (duration: ChainEpoch = "abi.ChainEpoch", size: u64 = "abi.SectorSize", verified: u64 = "uint64", k: TipsetKey = "types.TipSetKey") => pledge, .idempotent());
    }
}

/// Go writes a list without elements as null.
type List<T> = Option<Vec<T>>;

fn list<T>(items: Vec<T>) -> List<T> {
    (!items.is_empty()).then_some(items)
}

async fn info(face: Face, Json(miner): Json<Address>, key: TipsetKey) -> Answer<MinerInfo> {
    let key = pinned(&face, key).await?;
    face.devnet.info(&miner, &key).await.map_err(about(&face, &miner, INFO))
}

async fn worker(face: Face, miner: Json<Address>, key: TipsetKey) -> Answer<Json<Address>> {
    info(face, miner, key).await.map(|info| Json(info.worker))
}

async fn size(face: Face, miner: Json<Address>, key: TipsetKey) -> Answer<u64> {
    info(face, miner, key).await.map(|info| info.sector_size)
}

/// Whoever has no power has none, be it a miner or nobody.
async fn power(face: Face, miner: MaybeAddress, key: TipsetKey) -> Answer<MinerPower> {
    let at = state_at(&face, key).await?;
    let id = miner.0.and_then(|address| at.id_of(&address).ok());
    Ok(at.view().power(id))
}

async fn deadlines(face: Face, Json(miner): Json<Address>, key: TipsetKey) -> Answer<Vec<Deadline>> {
    let key = pinned(&face, key).await?;
    face.devnet.deadlines(&miner, &key).await.map_err(about(&face, &miner, MINER))
}

async fn proving_deadline(face: Face, Json(miner): Json<Address>, key: TipsetKey) -> Answer<DeadlineInfo> {
    let key = pinned(&face, key).await?;
    face.devnet.proving_deadline(&miner, &key).await.map_err(about(&face, &miner, MINER))
}

async fn partitions(
    face: Face,
    Json(miner): Json<Address>,
    deadline: u64,
    key: TipsetKey,
) -> Answer<List<Partition>> {
    let key = pinned(&face, key).await?;
    match face.devnet.partitions(&miner, deadline, &key).await {
        Ok(partitions) => Ok(list(partitions)),
        Err(ChainError::Invalid(_)) => {
            Err(FaceError::said(format!("failed to load the deadline: invalid deadline {deadline}")))
        }
        Err(other) => Err(about(&face, &miner, MINER)(other)),
    }
}

async fn faults(face: Face, Json(miner): Json<Address>, key: TipsetKey) -> Answer<Json<BitField>> {
    let key = pinned(&face, key).await?;
    face.devnet.faults(&miner, &key).await.map(Json).map_err(about(&face, &miner, MINER))
}

async fn recoveries(face: Face, Json(miner): Json<Address>, key: TipsetKey) -> Answer<Json<BitField>> {
    let key = pinned(&face, key).await?;
    face.devnet.recoveries(&miner, &key).await.map(Json).map_err(about(&face, &miner, MINER))
}

async fn sector_count(face: Face, Json(miner): Json<Address>, key: TipsetKey) -> Answer<MinerSectors> {
    let key = pinned(&face, key).await?;
    face.devnet.sector_count(&miner, &key).await.map_err(about(&face, &miner, COUNT))
}

async fn available_balance(
    face: Face,
    Json(miner): Json<Address>,
    key: TipsetKey,
) -> Answer<Json<TokenAmount>> {
    let key = pinned(&face, key).await?;
    face.devnet.available_balance(&miner, &key).await.map(Json).map_err(about(&face, &miner, INFO))
}

/// What whoever makes a miner has to send along: the pledge of a tenth of the power that mining takes (FIP-0077).
async fn creation_deposit(face: Face, key: TipsetKey) -> Answer<Json<TokenAmount>> {
    let at = state_at(&face, key).await?;
    let power = at.view().tree.rules().min_power / 10;
    Ok(Json(at.view().initial_pledge(&power.into())))
}

/// Both nodes have this method and answer whoever asks with this error.
async fn all_faults(_: Face, _: ChainEpoch, _: TipsetKey) -> Answer<()> {
    Err(FaceError::said("fixme"))
}

/// Nodes refuse the whole list for the sake of one number without a sector.
async fn miner_sectors(
    face: Face,
    Json(miner): Json<Address>,
    numbers: Option<Json<BitField>>,
    key: TipsetKey,
) -> Answer<List<SectorOnChainInfo>> {
    let key = pinned(&face, key).await?;
    let numbers = numbers.map(Json::into_inner);
    let found =
        face.devnet.sectors(&miner, numbers.as_ref(), &key).await.map_err(about(&face, &miner, MINER))?;
    let found_numbers = BitField::try_from_bits(found.iter().map(|s| s.sector_number)).unwrap_or_default();
    let absent = numbers.and_then(|wanted| (&wanted - &found_numbers).first());
    match absent {
        Some(number) => Err(FaceError::said(format!("can't find sector {number}"))),
        None => Ok(list(found)),
    }
}

async fn active_sectors(
    face: Face,
    Json(miner): Json<Address>,
    key: TipsetKey,
) -> Answer<List<SectorOnChainInfo>> {
    let key = pinned(&face, key).await?;
    let active = face.devnet.active_sectors(&miner, &key).await.map_err(about(&face, &miner, MINER))?;
    let sectors = face.devnet.sectors(&miner, Some(&active), &key).await;
    sectors.map(list).map_err(about(&face, &miner, MINER))
}

async fn is_allocated(face: Face, Json(miner): Json<Address>, number: u64, key: TipsetKey) -> Answer<bool> {
    let key = pinned(&face, key).await?;
    face.devnet.is_allocated(&miner, number, &key).await.map_err(about(&face, &miner, MINER))
}

/// Numbers that were ever used.
async fn allocated(face: Face, Json(miner): Json<Address>, key: TipsetKey) -> Answer<Json<BitField>> {
    let key = pinned(&face, key).await?;
    face.devnet.allocated(&miner, &key).map(Json).map_err(about(&face, &miner, MINER))
}

async fn sector(
    face: Face,
    Json(miner): Json<Address>,
    number: u64,
    key: TipsetKey,
) -> Answer<Option<SectorOnChainInfo>> {
    let key = pinned(&face, key).await?;
    face.devnet.sector(&miner, number, &key).await.map_err(about(&face, &miner, MINER))
}

async fn precommit(
    face: Face,
    Json(miner): Json<Address>,
    number: u64,
    key: TipsetKey,
) -> Answer<Option<SectorPreCommitOnChainInfo>> {
    let key = pinned(&face, key).await?;
    face.devnet.precommit(&miner, number, &key).await.map_err(about(&face, &miner, MINER))
}

/// In the old version what is not there is an error.
async fn precommit_v0(
    face: Face,
    miner: Json<Address>,
    number: u64,
    key: TipsetKey,
) -> Answer<SectorPreCommitOnChainInfo> {
    let found = precommit(face, miner, number, key).await?;
    found.ok_or_else(|| FaceError::said("precommit info does not exist"))
}

async fn expiration(
    face: Face,
    Json(miner): Json<Address>,
    number: u64,
    key: TipsetKey,
) -> Answer<SectorExpiration> {
    let key = pinned(&face, key).await?;
    let found = face.devnet.sector_expiration(&miner, number, &key).await;
    let found = found.map_err(about(&face, &miner, MINER))?;
    found.ok_or_else(|| FaceError::said(format!("failed to find sector {number}")))
}

async fn location(
    face: Face,
    Json(miner): Json<Address>,
    number: u64,
    key: TipsetKey,
) -> Answer<SectorLocation> {
    let key = pinned(&face, key).await?;
    let found = face.devnet.sector_location(&miner, number, &key).await;
    let found = found.map_err(about(&face, &miner, MINER))?;
    found.ok_or_else(|| FaceError::said(format!("sector {number} not due at any deadline")))
}

/// The miner may be anybody: the deposit depends on network and sector alone.
async fn deposit(
    face: Face,
    _: Json<Address>,
    sector: SectorPreCommitInfo,
    key: TipsetKey,
) -> Answer<Json<TokenAmount>> {
    let at = state_at(&face, key).await?;
    Ok(Json(at.precommit_deposit(&sector)?))
}

/// The pledge of old: its deals are named by the pre-commit.
async fn pledge_collateral(
    face: Face,
    _: Json<Address>,
    sector: SectorPreCommitInfo,
    key: TipsetKey,
) -> Answer<Json<TokenAmount>> {
    let key = pinned(&face, key).await?;
    let at = face.devnet.at(&key)?;
    let spec = PledgeSpec {
        duration: sector.expiration.saturating_sub(at.view().epoch),
        sector_size: sector_size(sector.seal_proof)?,
        verified_size: verified_in(&at.view(), &sector.deal_ids),
    };
    pledge(face, spec.duration, spec.sector_size, spec.verified_size, key).await
}

async fn pledge(
    face: Face,
    duration: ChainEpoch,
    sector_size: u64,
    verified_size: u64,
    key: TipsetKey,
) -> Answer<Json<TokenAmount>> {
    let refused = match (duration, sector_size) {
        (..=0, _) => Some("sector duration must greater than 0"),
        (_, 0) => Some("sector size must be non-zero"),
        _ if verified_size > sector_size => {
            Some("verified deal size must be less than or equal to sector size")
        }
        _ => None,
    };
    if let Some(text) = refused {
        return Err(FaceError::said(text));
    }
    let key = pinned(&face, key).await?;
    Ok(Json(face.devnet.initial_pledge(&PledgeSpec { duration, sector_size, verified_size }, &key).await?))
}

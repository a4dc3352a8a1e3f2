//! Randomness of the chain and of the beacon.

use fvm_shared::clock::ChainEpoch;
use venus_core::api::{ChainReader, NullRound};
use venus_core::consensus::beacon::{mock_entry, mock_genesis_entry};
use venus_core::consensus::draw::draw_from_digest;
use venus_core::crypto::hash::blake2b_256;
use venus_core::json::Json;
use venus_core::types::{BeaconEntry, TipsetKey};

use super::Face;
use super::error::FaceError;
use super::methods::{Answer, Methods, method};

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.StateGetRandomnessFromTickets" (t: i64 = "crypto.DomainSeparationTag", h: ChainEpoch = "abi.ChainEpoch", e: Json<Vec<u8>> = "[]uint8", k: TipsetKey = "types.TipSetKey") => from_tickets, .idempotent());
    method!(m, Read "Filecoin.StateGetRandomnessFromBeacon" (t: i64 = "crypto.DomainSeparationTag", h: ChainEpoch = "abi.ChainEpoch", e: Json<Vec<u8>> = "[]uint8", k: TipsetKey = "types.TipSetKey") => from_beacon, .idempotent());
    if m.v0() {
        method!(m, Read "Filecoin.ChainGetRandomnessFromTickets" (k: TipsetKey = "types.TipSetKey", t: i64 = "crypto.DomainSeparationTag", h: ChainEpoch = "abi.ChainEpoch", e: Json<Vec<u8>> = "[]uint8") => from_tickets_v0, .idempotent());
        method!(m, Read "Filecoin.ChainGetRandomnessFromBeacon" (k: TipsetKey = "types.TipSetKey", t: i64 = "crypto.DomainSeparationTag", h: ChainEpoch = "abi.ChainEpoch", e: Json<Vec<u8>> = "[]uint8") => from_beacon_v0, .idempotent());
        method!(m, Read "Filecoin.BeaconGetEntry" (h: ChainEpoch = "abi.ChainEpoch") => entry, .idempotent());
    } else {
        method!(m, Read "Filecoin.StateGetRandomnessDigestFromTickets" (h: ChainEpoch = "abi.ChainEpoch", k: TipsetKey = "types.TipSetKey") => ticket_digest, .idempotent());
        method!(m, Read "Filecoin.StateGetRandomnessDigestFromBeacon" (h: ChainEpoch = "abi.ChainEpoch", k: TipsetKey = "types.TipSetKey") => beacon_digest, .idempotent());
        method!(m, Read "Filecoin.StateGetBeaconEntry" (h: ChainEpoch = "abi.ChainEpoch") => entry, .idempotent());
    }
    if m.venus() {
        method!(m, Read "Filecoin.GetEntry" (h: ChainEpoch = "abi.ChainEpoch", r: u64 = "uint64") => entry_of_round, .idempotent());
    }
}

/// A digest that randomness is drawn from; written as bytes.
type Bytes = Json<Vec<u8>>;

async fn from_tickets(
    face: Face,
    tag: i64,
    epoch: ChainEpoch,
    entropy: Bytes,
    key: TipsetKey,
) -> Answer<Bytes> {
    let digest = digest_of_ticket(&face, epoch, &key).await?;
    Ok(Json(draw_from_digest(&digest, tag, epoch, &entropy.0).to_vec()))
}

async fn from_beacon(
    face: Face,
    tag: i64,
    epoch: ChainEpoch,
    entropy: Bytes,
    key: TipsetKey,
) -> Answer<Bytes> {
    let digest = digest_of_beacon(&face, epoch, &key).await?;
    Ok(Json(draw_from_digest(&digest, tag, epoch, &entropy.0).to_vec()))
}

async fn from_tickets_v0(
    face: Face,
    key: TipsetKey,
    tag: i64,
    epoch: ChainEpoch,
    entropy: Bytes,
) -> Answer<Bytes> {
    from_tickets(face, tag, epoch, entropy, key).await
}

async fn from_beacon_v0(
    face: Face,
    key: TipsetKey,
    tag: i64,
    epoch: ChainEpoch,
    entropy: Bytes,
) -> Answer<Bytes> {
    from_beacon(face, tag, epoch, entropy, key).await
}

async fn ticket_digest(face: Face, epoch: ChainEpoch, key: TipsetKey) -> Answer<Bytes> {
    Ok(Json(digest_of_ticket(&face, epoch, &key).await?.to_vec()))
}

async fn beacon_digest(face: Face, epoch: ChainEpoch, key: TipsetKey) -> Answer<Bytes> {
    Ok(Json(digest_of_beacon(&face, epoch, &key).await?.to_vec()))
}

/// From the smallest ticket at an epoch, or after it if nobody mined then: the rule since network version 13.
async fn digest_of_ticket(face: &Face, epoch: ChainEpoch, key: &TipsetKey) -> Answer<[u8; 32]> {
    not_ahead(face, epoch, key).await?;
    let tipset = face.devnet.tipset_at(epoch.max(0), key, NullRound::After).await?;
    Ok(blake2b_256(tipset.min_ticket()))
}

/// From the beacon's entry for the epoch, which a header of that epoch or of the next that is not empty carries.
async fn digest_of_beacon(face: &Face, epoch: ChainEpoch, key: &TipsetKey) -> Answer<[u8; 32]> {
    not_ahead(face, epoch, key).await?;
    let entry = if epoch <= 0 { mock_genesis_entry() } else { mock_entry(epoch) };
    Ok(blake2b_256(&entry.data))
}

async fn not_ahead(face: &Face, epoch: ChainEpoch, key: &TipsetKey) -> Answer<()> {
    let height = face.devnet.tipset(key).await?.height();
    match epoch > height {
        true => Err(FaceError::said("cannot draw randomness from the future")),
        false => Ok(()),
    }
}

/// The beacon of test networks can be computed, so nobody has to wait for it.
async fn entry(_: Face, epoch: ChainEpoch) -> Answer<Json<BeaconEntry>> {
    Ok(Json(mock_entry(epoch)))
}

async fn entry_of_round(_: Face, _: ChainEpoch, round: u64) -> Answer<Json<BeaconEntry>> {
    Ok(Json(BeaconEntry { round, data: blake2b_256(&round.to_be_bytes()).to_vec() }))
}

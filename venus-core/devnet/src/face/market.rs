//! `State*` of the market, and of datacap with its allocations and claims.

use std::collections::BTreeMap;

use fvm_shared::ActorID;
use fvm_shared::address::Address;
use num_bigint::BigInt;
use venus_core::api::MarketReader;
use venus_core::json::Json;
use venus_core::types::{Allocation, Cid, Claim, DealCollateralBounds, MarketBalance, MarketDeal, TipsetKey};

use super::error::FaceError;
use super::methods::{Answer, Methods, method};
use super::state::{pinned, state_at};
use super::{Face, FaceKind};
use crate::reader::{At, data_commitment, pending_allocation};

/// The client's ID of an allocation that there is not.
const NO_ALLOCATION: u64 = 0;

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.StateMarketBalance" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => balance, .idempotent());
    method!(m, Read "Filecoin.StateMarketParticipants" (k: TipsetKey = "types.TipSetKey") => participants, .idempotent());
    method!(m, Read "Filecoin.StateMarketDeals" (k: TipsetKey = "types.TipSetKey") => deals, .idempotent());
    method!(m, Read "Filecoin.StateMarketStorageDeal" (d: u64 = "abi.DealID", k: TipsetKey = "types.TipSetKey") => deal, .idempotent());
    if !m.v0() {
        method!(m, Read "Filecoin.StateMarketProposalPending" (p: Json<Cid> = "cid.Cid", k: TipsetKey = "types.TipSetKey") => is_pending, .idempotent());
    }
    method!(m, Read "Filecoin.StateDealProviderCollateralBounds" (s: u64 = "abi.PaddedPieceSize", v: bool = "bool", k: TipsetKey = "types.TipSetKey") => bounds, .idempotent());
    if !m.v0() {
        method!(m, Read "Filecoin.StateComputeDataCID" (a: Json<Address> = "address.Address", p: i64 = "abi.RegisteredSealProof", d: Option<Vec<u64>> = "[]abi.DealID", k: TipsetKey = "types.TipSetKey") => data_cid, .idempotent());
    }
    datacap(m);
}

fn datacap(m: &mut Methods) {
    method!(m, Read "Filecoin.StateVerifiedRegistryRootKey" (k: TipsetKey = "types.TipSetKey") => root_key, .idempotent());
    method!(m, Read "Filecoin.StateVerifiedClientStatus" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => client_status, .idempotent());
    method!(m, Read "Filecoin.StateVerifierStatus" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => verifier_status, .idempotent());
    method!(m, Read "Filecoin.StateGetAllocations" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => allocations, .idempotent());
    if !m.v0() {
        method!(m, Read "Filecoin.StateGetAllAllocations" (k: TipsetKey = "types.TipSetKey") => all_allocations, .idempotent());
    }
    method!(m, Read "Filecoin.StateGetAllocation" (a: Json<Address> = "address.Address", n: u64 = "verifreg.AllocationId", k: TipsetKey = "types.TipSetKey") => allocation, .idempotent());
    method!(m, Read "Filecoin.StateGetAllocationForPendingDeal" (d: u64 = "abi.DealID", k: TipsetKey = "types.TipSetKey") => allocation_for_deal, .idempotent());
    if !m.v0() {
        method!(m, Read "Filecoin.StateGetAllocationIdForPendingDeal" (d: u64 = "abi.DealID", k: TipsetKey = "types.TipSetKey") => allocation_id_for_deal, .idempotent());
    }
    method!(m, Read "Filecoin.StateGetClaims" (a: Json<Address> = "address.Address", k: TipsetKey = "types.TipSetKey") => claims, .idempotent());
    if !m.v0() {
        method!(m, Read "Filecoin.StateGetAllClaims" (k: TipsetKey = "types.TipSetKey") => all_claims, .idempotent());
    }
    method!(m, Read "Filecoin.StateGetClaim" (a: Json<Address> = "address.Address", n: u64 = "verifreg.ClaimId", k: TipsetKey = "types.TipSetKey") => claim, .idempotent());
}

/// The ID behind an address. An ID is taken as it is, whether anybody has it or not: nodes look it up in tables of
/// the market and the registry, and find nothing.
fn id_of(face: &Face, at: &At, address: &Address) -> Answer<ActorID> {
    at.named(address).ok_or_else(|| {
        let text = face.text(address);
        FaceError::said(format!("resolution lookup failed ({text}): resolve address {text}: actor not found"))
    })
}

async fn balance(face: Face, Json(address): Json<Address>, key: TipsetKey) -> Answer<MarketBalance> {
    let at = state_at(&face, key).await?;
    let id = id_of(&face, &at, &address)?;
    Ok(at.view().market_balance(id))
}

async fn participants(face: Face, key: TipsetKey) -> Answer<Json<BTreeMap<String, MarketBalance>>> {
    let all = state_at(&face, key).await?.view().market_participants();
    Ok(Json(all.into_iter().map(|(id, balance)| (face.text(&Address::new_id(id)), balance)).collect()))
}

async fn deals(face: Face, key: TipsetKey) -> Answer<Json<BTreeMap<u64, MarketDeal>>> {
    Ok(Json(state_at(&face, key).await?.view().deals()))
}

async fn deal(face: Face, id: u64, key: TipsetKey) -> Answer<MarketDeal> {
    let key = pinned(&face, key).await?;
    face.devnet.deal(id, &key).await?.ok_or_else(|| no_deal(&face, id))
}

fn no_deal(face: &Face, id: u64) -> FaceError {
    let why = match face.kind {
        FaceKind::Venus => "",
        FaceKind::Lotus | FaceKind::Forest => {
            " - deal may not have completed sealing before deal proposal start epoch, or deal may have been slashed"
        }
    };
    FaceError::said(format!("deal {id} not found{why}"))
}

/// Whether a proposal was published and is not proven yet.
async fn is_pending(face: Face, Json(proposal): Json<Cid>, key: TipsetKey) -> Answer<bool> {
    let deals = state_at(&face, key).await?.view().deals();
    Ok(deals.values().any(|deal| deal.state.sector_start_epoch < 0 && deal.proposal.cid() == proposal))
}

async fn bounds(face: Face, size: u64, verified: bool, key: TipsetKey) -> Answer<DealCollateralBounds> {
    let key = pinned(&face, key).await?;
    Ok(face.devnet.collateral_bounds(size, verified, &key).await?)
}

/// What the miner's sector would hold with the pieces of these deals in it, one after the other.
async fn data_cid(
    face: Face,
    _: Json<Address>,
    seal_proof: i64,
    deals: Option<Vec<u64>>,
    key: TipsetKey,
) -> Answer<Json<Cid>> {
    let at = state_at(&face, key).await?;
    let mut pieces = Vec::new();
    for id in deals.unwrap_or_default() {
        let deal = at.view().deal(id).ok_or_else(|| no_deal(&face, id))?;
        pieces.push((deal.proposal.piece_size, deal.proposal.piece_cid));
    }
    Ok(Json(data_commitment(seal_proof, &pieces)?))
}

async fn root_key(face: Face, key: TipsetKey) -> Answer<Json<Address>> {
    let root = state_at(&face, key).await?.view().verified_root_key();
    root.map(Json).ok_or_else(|| FaceError::said("failed to load verified registry actor: actor not found"))
}

async fn client_status(
    face: Face,
    Json(client): Json<Address>,
    key: TipsetKey,
) -> Answer<Option<Json<BigInt>>> {
    let at = state_at(&face, key).await?;
    let id = id_of(&face, &at, &client)?;
    Ok(at.view().datacap(id).map(Json))
}

async fn verifier_status(
    face: Face,
    Json(verifier): Json<Address>,
    key: TipsetKey,
) -> Answer<Option<Json<BigInt>>> {
    let at = state_at(&face, key).await?;
    let id = id_of(&face, &at, &verifier)?;
    Ok(at.view().verifier(id).map(Json))
}

async fn allocations(
    face: Face,
    Json(client): Json<Address>,
    key: TipsetKey,
) -> Answer<Json<BTreeMap<u64, Allocation>>> {
    let at = state_at(&face, key).await?;
    let id = id_of(&face, &at, &client)?;
    Ok(Json(at.view().allocations(id)))
}

async fn all_allocations(face: Face, key: TipsetKey) -> Answer<Json<BTreeMap<u64, Allocation>>> {
    let at = state_at(&face, key).await?;
    let view = at.view();
    Ok(Json(view.actors().into_iter().flat_map(|client| view.allocations(client)).collect()))
}

async fn allocation(
    face: Face,
    Json(client): Json<Address>,
    id: u64,
    key: TipsetKey,
) -> Answer<Option<Allocation>> {
    allocations(face, Json(client), key).await.map(|Json(mut all)| all.remove(&id))
}

async fn allocation_for_deal(face: Face, deal: u64, key: TipsetKey) -> Answer<Option<Allocation>> {
    let key = pinned(&face, key).await?;
    Ok(face.devnet.allocation_for_deal(deal, &key).await?)
}

async fn allocation_id_for_deal(face: Face, deal: u64, key: TipsetKey) -> Answer<u64> {
    let at = state_at(&face, key).await?;
    Ok(pending_allocation(&at.view(), deal).map_or(NO_ALLOCATION, |(id, _)| id))
}

async fn claims(
    face: Face,
    Json(provider): Json<Address>,
    key: TipsetKey,
) -> Answer<Json<BTreeMap<u64, Claim>>> {
    let at = state_at(&face, key).await?;
    let id = id_of(&face, &at, &provider)?;
    Ok(Json(at.view().claims(id)))
}

async fn all_claims(face: Face, key: TipsetKey) -> Answer<Json<BTreeMap<u64, Claim>>> {
    let at = state_at(&face, key).await?;
    let view = at.view();
    Ok(Json(view.miners().into_iter().flat_map(|provider| view.claims(provider)).collect()))
}

async fn claim(face: Face, Json(provider): Json<Address>, id: u64, key: TipsetKey) -> Answer<Option<Claim>> {
    claims(face, Json(provider), key).await.map(|Json(mut all)| all.remove(&id))
}

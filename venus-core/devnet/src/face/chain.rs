//! `Chain*`: tipsets, blocks and what leads from one to the other.

use std::sync::Arc;

use cid::Cid;
use fvm_shared::clock::ChainEpoch;
use num_bigint::BigInt;
use venus_core::api::{ChainReader, NullRound};
use venus_core::json::Json;
use venus_core::types::{BlockHeader, FullBlock, HeadChangeStep, Tipset, TipsetKey};

use super::error::FaceError;
use super::hub::steps;
use super::methods::{Answer, Methods, method};
use super::{Face, FaceKind};

/// Most tipsets of one `ChainList`.
const MOST_LISTED: i64 = 2000;

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.ChainHead" () => head, .idempotent());
    method!(m, Read "Filecoin.ChainGetGenesis" () => genesis, .idempotent());
    method!(m, Read "Filecoin.ChainGetTipSet" (k: TipsetKey = "types.TipSetKey") => tipset, .idempotent());
    method!(m, Read "Filecoin.ChainGetTipSetByHeight" (h: ChainEpoch = "abi.ChainEpoch", k: TipsetKey = "types.TipSetKey") => before, .idempotent());
    method!(m, Read "Filecoin.ChainGetBlock" (c: Json<Cid> = "cid.Cid") => block, .idempotent());
    method!(m, Read "Filecoin.ChainGetPath" (from: TipsetKey = "types.TipSetKey", to: TipsetKey = "types.TipSetKey") => path, .idempotent());
    method!(m, Read "Filecoin.ChainTipSetWeight" (k: TipsetKey = "types.TipSetKey") => weight, .idempotent());
    if !m.v0() {
        method!(m, Read "Filecoin.ChainGetTipSetAfterHeight" (h: ChainEpoch = "abi.ChainEpoch", k: TipsetKey = "types.TipSetKey") => after, .idempotent());
    }
    if m.venus() {
        method!(m, Read "Filecoin.GetFullBlock" (c: Json<Cid> = "cid.Cid") => full_block, .idempotent());
        method!(m, Read "Filecoin.ChainList" (k: TipsetKey = "types.TipSetKey", n: i64 = "int") => list, .idempotent());
    } else if !m.v0() {
        method!(m, Read "Filecoin.ChainGetFinalizedTipSet" () => finalized, .idempotent());
    }
}

async fn head(face: Face) -> Answer<Json<Arc<Tipset>>> {
    Ok(Json(face.devnet.head().await?))
}

async fn genesis(face: Face) -> Answer<Json<Arc<Tipset>>> {
    Ok(Json(face.devnet.genesis_info().tipset.clone()))
}

/// For the empty key Venus answers with the head, the others refuse.
async fn tipset(face: Face, key: TipsetKey) -> Answer<Json<Arc<Tipset>>> {
    if face.kind != FaceKind::Venus {
        named(&key)?;
    }
    Ok(Json(face.devnet.tipset(&key).await?))
}

/// Refuses the empty key, in Go's words.
pub(super) fn named(key: &TipsetKey) -> Answer<()> {
    match key.is_empty() {
        true => Err(FaceError::said("NewTipSet called with zero length array of blocks")),
        false => Ok(()),
    }
}

async fn before(face: Face, height: ChainEpoch, key: TipsetKey) -> Answer<Json<Arc<Tipset>>> {
    Ok(Json(face.devnet.tipset_at(height, &key, NullRound::Before).await?))
}

async fn after(face: Face, height: ChainEpoch, key: TipsetKey) -> Answer<Json<Arc<Tipset>>> {
    Ok(Json(face.devnet.tipset_at(height, &key, NullRound::After).await?))
}

async fn block(face: Face, Json(cid): Json<Cid>) -> Answer<BlockHeader> {
    Ok(face.devnet.block(&cid).await?)
}

async fn full_block(face: Face, Json(cid): Json<Cid>) -> Answer<FullBlock> {
    let header = face.devnet.block(&cid).await?;
    let messages = face.devnet.block_messages(&cid).await?;
    Ok(FullBlock { header, bls_messages: messages.bls, secp_messages: messages.secp })
}

async fn path(face: Face, from: TipsetKey, to: TipsetKey) -> Answer<Json<Vec<HeadChangeStep>>> {
    named(&from)?;
    named(&to)?;
    Ok(Json(steps(face.devnet.path(&from, &to).await?)))
}

async fn weight(face: Face, key: TipsetKey) -> Answer<Json<BigInt>> {
    let core = face.devnet.inner.read();
    let tipset = core.chain.tipset(&key)?;
    Ok(Json(core.chain.weight(&tipset)?))
}

/// Keys of a tipset and those before it, as many as were asked for.
async fn list(face: Face, key: TipsetKey, count: i64) -> Answer<Json<Vec<TipsetKey>>> {
    let mut tipset = face.devnet.tipset(&key).await?;
    let mut keys = Vec::new();
    for _ in 0..count.clamp(0, MOST_LISTED) {
        keys.push(tipset.key().clone());
        if tipset.height() == 0 {
            break;
        }
        tipset = face.devnet.tipset(&tipset.parents()).await?;
    }
    Ok(Json(keys))
}

/// The tipset that is as far below the head as the chain's finality is long.
pub(super) async fn finalized_tipset(face: &Face) -> Answer<Arc<Tipset>> {
    let head = face.devnet.head().await?;
    let finality = face.devnet.at(&TipsetKey::default())?.view().tree.rules().finality;
    let height = (head.height() - finality).max(0);
    Ok(face.devnet.tipset_at(height, head.key(), NullRound::Before).await?)
}

async fn finalized(face: Face) -> Answer<Json<Arc<Tipset>>> {
    finalized_tipset(&face).await.map(Json)
}

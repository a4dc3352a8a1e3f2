//! Version 2 of Lotus's API: tipsets are named by selectors.

use std::sync::Arc;

use fvm_shared::address::Address;
use venus_core::api::{ActorInfo, ChainReader, NullRound, StateReader};
use venus_core::json::Json;
use venus_core::types::{Tipset, TipsetAnchor, TipsetKey, TipsetSelector, TipsetTag};

use super::Face;
use super::chain::finalized_tipset;
use super::error::FaceError;
use super::methods::{Answer, Methods, method};

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.ChainGetTipSet" (s: TipsetSelector = "types.TipSetSelector") => tipset, .idempotent());
    method!(m, Read "Filecoin.StateGetActor" (a: Json<Address> = "address.Address", s: TipsetSelector = "types.TipSetSelector") => actor, .idempotent());
    method!(m, Read "Filecoin.StateGetID" (a: Json<Address> = "address.Address", s: TipsetSelector = "types.TipSetSelector") => id, .idempotent());
}

async fn select(face: &Face, selector: TipsetSelector) -> Answer<Arc<Tipset>> {
    match selector {
        TipsetSelector::Key(key) => keyed(face, &key).await,
        TipsetSelector::Tag(tag) => tagged(face, tag).await,
        TipsetSelector::Height(height) => {
            let anchor = match height.anchor {
                Some(TipsetAnchor::Key(key)) => keyed(face, &key).await?,
                Some(TipsetAnchor::Tag(tag)) => tagged(face, tag).await?,
                None => finalized_tipset(face).await?,
            };
            let null = if height.previous { NullRound::Before } else { NullRound::After };
            Ok(face.devnet.tipset_at(height.at, anchor.key(), null).await?)
        }
    }
}

async fn keyed(face: &Face, key: &TipsetKey) -> Answer<Arc<Tipset>> {
    match key.is_empty() {
        true => Err(FaceError::said("decoding tipset: empty tipset key")),
        false => Ok(face.devnet.tipset(key).await?),
    }
}

async fn tagged(face: &Face, tag: TipsetTag) -> Answer<Arc<Tipset>> {
    match tag {
        TipsetTag::Latest => Ok(face.devnet.head().await?),
        // Nothing finalises sooner here than the chain itself does.
        TipsetTag::Finalized | TipsetTag::Safe => finalized_tipset(face).await,
    }
}

async fn tipset(face: Face, selector: TipsetSelector) -> Answer<Json<Arc<Tipset>>> {
    select(&face, selector).await.map(Json)
}

/// Null if there is nobody.
async fn actor(
    face: Face,
    Json(address): Json<Address>,
    selector: TipsetSelector,
) -> Answer<Option<ActorInfo>> {
    let tipset = select(&face, selector).await?;
    Ok(face.devnet.actor(&address, tipset.key()).await?)
}

async fn id(
    face: Face,
    Json(address): Json<Address>,
    selector: TipsetSelector,
) -> Answer<Json<Option<Address>>> {
    let tipset = select(&face, selector).await?;
    match face.devnet.lookup_id(&address, tipset.key()).await {
        Ok(id) => Ok(Json(Some(id))),
        Err(venus_core::api::ChainError::ActorNotFound(_)) => Ok(Json(None)),
        Err(other) => Err(other.into()),
    }
}

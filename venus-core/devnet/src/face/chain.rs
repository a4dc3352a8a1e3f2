//! `Chain*`: tipsets, blocks and messages.

use std::sync::Arc;

use venus_core::api::ChainReader;
use venus_core::json::Json;
use venus_core::types::{Tipset, TipsetKey};

use super::error::FaceError;
use super::methods::{Answer, Methods, method};
use super::{Face, FaceKind};

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.ChainHead" () => head, .idempotent());
    method!(m, Read "Filecoin.ChainGetTipSet" (key: TipsetKey = "types.TipSetKey") => tipset, .idempotent());
}

async fn head(face: Face) -> Answer<Json<Arc<Tipset>>> {
    Ok(Json(face.devnet.head().await?))
}

/// For the empty key Venus answers with the head, the others refuse.
async fn tipset(face: Face, key: TipsetKey) -> Answer<Json<Arc<Tipset>>> {
    if key.is_empty() && face.kind != FaceKind::Venus {
        return Err(FaceError::said("NewTipSet called with zero length array of blocks"));
    }
    Ok(Json(face.devnet.tipset(&key).await?))
}

//! `ChainReadObj`, `ChainHasObj`: chain objects by their CIDs, as the bytes that a block store would have.

use cid::Cid;
use venus_core::api::{ChainError, ChainReader};
use venus_core::cbor::Encode;
use venus_core::consensus::amt::amt_v0;
use venus_core::consensus::msg_meta::msg_meta;
use venus_core::json::Json;
use venus_core::types::Tipset;

use super::Face;
use super::error::FaceError;
use super::methods::{Answer, Methods, method};

/// How far back roots and nodes of message and receipt lists are looked for, tipsets. They are made again for it.
const DEPTH: usize = 900;

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.ChainReadObj" (c: Json<Cid> = "cid.Cid") => read, .idempotent());
    method!(m, Read "Filecoin.ChainHasObj" (c: Json<Cid> = "cid.Cid") => has, .idempotent());
}

async fn read(face: Face, Json(cid): Json<Cid>) -> Answer<Json<Vec<u8>>> {
    let found = object(&face, &cid).await?.map(Json);
    found.ok_or_else(|| FaceError::said(format!("blockstore get: ipld: could not find {cid}")))
}

async fn has(face: Face, Json(cid): Json<Cid>) -> Answer<bool> {
    Ok(object(&face, &cid).await?.is_some())
}

async fn object(face: &Face, cid: &Cid) -> Answer<Option<Vec<u8>>> {
    if let Some(bytes) = of_block_or_message(face, cid) {
        return Ok(Some(bytes));
    }
    let mut tipset = face.devnet.head().await?;
    for _ in 0..DEPTH {
        if let Some(bytes) = of_tipset(face, &tipset, cid)? {
            return Ok(Some(bytes));
        }
        if tipset.height() == 0 {
            break;
        }
        tipset = face.devnet.tipset(&tipset.parents()).await?;
        // A long chain must not keep others from being served.
        tokio::task::yield_now().await;
    }
    Ok(None)
}

fn of_block_or_message(face: &Face, cid: &Cid) -> Option<Vec<u8>> {
    let core = face.devnet.inner.read();
    if let Ok(block) = core.chain.block(cid) {
        return Some(block.header.to_cbor());
    }
    let message = core.chain.messages.get(cid).or_else(|| core.pool.get(cid))?;
    // A secp256k1 message has two CIDs: with its signature and without.
    let unsigned = message.unsigned == *cid;
    Some(if unsigned { message.signed.message.to_cbor() } else { message.signed.to_cbor() })
}

/// The lists of a tipset's blocks, and the receipts of its messages.
fn of_tipset(face: &Face, tipset: &Tipset, cid: &Cid) -> Result<Option<Vec<u8>>, ChainError> {
    let core = face.devnet.inner.read();
    for block in core.chain.blocks_of(tipset) {
        let cids =
            |bls| block.messages.iter().filter(|m| m.is_bls() == bls).map(|m| m.cid).collect::<Vec<_>>();
        let (root, nodes) = msg_meta(&cids(true), &cids(false));
        debug_assert_eq!(root, block.header.messages);
        if let Some((_, bytes)) = nodes.into_iter().find(|(node, _)| node == cid) {
            return Ok(Some(bytes));
        }
    }
    let executed = core.chain.execute(tipset)?;
    let receipts: Vec<Vec<u8>> = executed.receipts.iter().map(Encode::to_cbor).collect();
    let found = amt_v0(&receipts).blocks.into_iter().find(|(node, _)| node == cid);
    Ok(found.map(|(_, bytes)| bytes))
}

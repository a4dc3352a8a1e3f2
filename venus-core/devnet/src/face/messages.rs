//! Messages: in blocks, their receipts, and where they were executed.

use cid::Cid;
use futures::StreamExt;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::message::Message;
use venus_core::api::{ChainError, ChainReader, HeadEvent, HeadFeed, Resume, SearchOptions};
use venus_core::json::Json;
use venus_core::types::{BlockMessages, ChainMessage, MessageLookup, Receipt, Tipset, TipsetKey};

use super::error::FaceError;
use super::methods::{Answer, Methods, method};
use super::{Face, FaceKind};
use crate::chain::Sameness;

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.ChainGetBlockMessages" (c: Json<Cid> = "cid.Cid") => of_block, .idempotent());
    method!(m, Read "Filecoin.ChainGetMessage" (c: Json<Cid> = "cid.Cid") => message, .idempotent());
    method!(m, Read "Filecoin.ChainGetMessagesInTipset" (k: TipsetKey = "types.TipSetKey") => of_tipset, .idempotent());
    method!(m, Read "Filecoin.ChainGetParentMessages" (c: Json<Cid> = "cid.Cid") => of_parents, .idempotent());
    method!(m, Read "Filecoin.ChainGetParentReceipts" (c: Json<Cid> = "cid.Cid") => receipts_of_parents, .idempotent());
    if m.venus() {
        method!(m, Read "Filecoin.ChainGetReceipts" (c: Json<Cid> = "cid.Cid") => receipts, .idempotent());
    }
    if m.v0() {
        method!(m, Read "Filecoin.StateSearchMsg" (c: Json<Cid> = "cid.Cid") => search_v0, .idempotent());
        method!(m, Read "Filecoin.StateSearchMsgLimited" (c: Json<Cid> = "cid.Cid", limit: ChainEpoch = "abi.ChainEpoch") => search_limited, .idempotent());
        method!(m, Read "Filecoin.StateWaitMsg" (c: Json<Cid> = "cid.Cid", confidence: u64 = "uint64") => wait_v0, .idempotent());
        method!(m, Read "Filecoin.StateWaitMsgLimited" (c: Json<Cid> = "cid.Cid", confidence: u64 = "uint64", limit: ChainEpoch = "abi.ChainEpoch") => wait_limited, .idempotent());
        method!(m, Read "Filecoin.StateGetReceipt" (c: Json<Cid> = "cid.Cid", k: TipsetKey = "types.TipSetKey") => receipt, .idempotent());
    } else {
        method!(m, Read "Filecoin.StateSearchMsg" (k: TipsetKey = "types.TipSetKey", c: Json<Cid> = "cid.Cid", limit: ChainEpoch = "abi.ChainEpoch", replaced: bool = "bool") => search, .idempotent());
        method!(m, Read "Filecoin.StateWaitMsg" (c: Json<Cid> = "cid.Cid", confidence: u64 = "uint64", limit: ChainEpoch = "abi.ChainEpoch", replaced: bool = "bool") => wait, .idempotent());
    }
}

async fn of_block(face: Face, Json(cid): Json<Cid>) -> Answer<BlockMessages> {
    Ok(face.devnet.block_messages(&cid).await?)
}

async fn message(face: Face, Json(cid): Json<Cid>) -> Answer<Json<Message>> {
    Ok(Json(face.devnet.message(&cid).await?))
}

/// Go writes null for no messages.
fn listed(messages: Vec<(Cid, Message)>) -> Option<Json<Vec<ChainMessage>>> {
    let messages: Vec<_> = messages.into_iter().map(|(cid, message)| ChainMessage { cid, message }).collect();
    (!messages.is_empty()).then_some(Json(messages))
}

async fn of_tipset(face: Face, key: TipsetKey) -> Answer<Option<Json<Vec<ChainMessage>>>> {
    Ok(listed(face.devnet.tipset_messages(&key).await?))
}

async fn of_parents(face: Face, Json(cid): Json<Cid>) -> Answer<Option<Json<Vec<ChainMessage>>>> {
    Ok(listed(face.devnet.parent_messages(&cid).await?))
}

/// The genesis has no parents, so there not even an empty list.
async fn receipts_of_parents(face: Face, Json(cid): Json<Cid>) -> Answer<Option<Json<Vec<Receipt>>>> {
    let height = face.devnet.block(&cid).await?.height;
    let receipts = face.devnet.parent_receipts(&cid).await?;
    Ok((height > 0).then_some(Json(receipts)))
}

/// Receipts by the root that headers name them with, on the chain of the head.
async fn receipts(face: Face, Json(root): Json<Cid>) -> Answer<Json<Vec<Receipt>>> {
    let mut tipset = face.devnet.head().await?;
    while tipset.height() > 0 {
        let header = tipset.min_ticket_block();
        if header.parent_message_receipts == root {
            return Ok(Json(face.devnet.parent_receipts(&header.cid()).await?));
        }
        tipset = face.devnet.tipset(&tipset.parents()).await?;
        // A long chain must not keep others from being served.
        tokio::task::yield_now().await;
    }
    Err(FaceError::said(format!("load receipts: ipld: could not find {root}")))
}

/// What stands for all epochs; anything else below zero is none but that of `from`.
const NO_LIMIT: ChainEpoch = -1;

fn options(from: TipsetKey, limit: ChainEpoch, allow_replaced: bool) -> SearchOptions {
    SearchOptions { from, lookback: (limit != NO_LIMIT).then_some(limit.max(0)), allow_replaced }
}

/// A message that the node does not have is not searched for.
async fn known(face: &Face, cid: &Cid) -> Answer<()> {
    match face.devnet.message(cid).await {
        Ok(_) => Ok(()),
        // Lotus prints its error with the wrong verb.
        Err(ChainError::MessageNotFound(cid)) if face.kind != FaceKind::Venus => Err(FaceError::said(
            format!("%!w(*errors.errorString=&{{failed to load message}}): ipld: could not find {cid}"),
        )),
        Err(other) => Err(other.into()),
    }
}

async fn find(face: &Face, cid: &Cid, options: &SearchOptions) -> Answer<Option<Json<MessageLookup>>> {
    known(face, cid).await?;
    executed(face, cid, options).await.map(|found| found.map(Json))
}

/// Refuses to go on looking once something else was executed in place of the message.
async fn executed(face: &Face, cid: &Cid, options: &SearchOptions) -> Answer<Option<MessageLookup>> {
    let Some((found, how)) = face.devnet.executed_as(cid, options)? else { return Ok(None) };
    let which = match how {
        Sameness::Same => return Ok(Some(found)),
        Sameness::OtherFees if options.allow_replaced => return Ok(Some(found)),
        Sameness::OtherFees => "",
        Sameness::OtherCall => " that is NOT a valid replacement message",
    };
    let (nonce, other) = (face.devnet.message(cid).await?.sequence, found.message);
    Err(FaceError::said(format!(
        "found message with equal nonce as the one we are looking for{which} (F:{cid} n {nonce}, TS: {other} n{nonce})"
    )))
}

type Found = Option<Json<MessageLookup>>;

async fn search(
    face: Face,
    key: TipsetKey,
    Json(cid): Json<Cid>,
    limit: ChainEpoch,
    replaced: bool,
) -> Answer<Found> {
    find(&face, &cid, &options(key, limit, replaced)).await
}

async fn search_v0(face: Face, Json(cid): Json<Cid>) -> Answer<Found> {
    find(&face, &cid, &SearchOptions::default()).await
}

async fn search_limited(face: Face, Json(cid): Json<Cid>, limit: ChainEpoch) -> Answer<Found> {
    find(&face, &cid, &options(TipsetKey::default(), limit, true)).await
}

async fn receipt(face: Face, Json(cid): Json<Cid>, key: TipsetKey) -> Answer<Option<Receipt>> {
    let found = find(&face, &cid, &options(key, -1, true)).await?;
    Ok(found.map(|Json(lookup)| lookup.receipt))
}

async fn wait(
    face: Face,
    Json(cid): Json<Cid>,
    confidence: u64,
    limit: ChainEpoch,
    replaced: bool,
) -> Answer<Json<MessageLookup>> {
    until_executed(&face, &cid, confidence, &options(TipsetKey::default(), limit, replaced)).await
}

async fn wait_v0(face: Face, Json(cid): Json<Cid>, confidence: u64) -> Answer<Json<MessageLookup>> {
    until_executed(&face, &cid, confidence, &SearchOptions::default()).await
}

async fn wait_limited(
    face: Face,
    Json(cid): Json<Cid>,
    confidence: u64,
    limit: ChainEpoch,
) -> Answer<Json<MessageLookup>> {
    until_executed(&face, &cid, confidence, &options(TipsetKey::default(), limit, true)).await
}

/// Waits until so many epochs lie on top of the receipt. Ends with the call: the client, or the server's deadline.
async fn until_executed(
    face: &Face,
    cid: &Cid,
    confidence: u64,
    options: &SearchOptions,
) -> Answer<Json<MessageLookup>> {
    known(face, cid).await?;
    let confidence = ChainEpoch::try_from(confidence).unwrap_or(ChainEpoch::MAX);
    let mut heads = face.devnet.heads(Resume::Head);
    let mut begin = None;
    while let Some(event) = heads.next().await {
        let Some(head) = head_of(event?) else { continue };
        // The limit counts from where the wait began: what was in reach stays so while its confidence grows.
        let waited = (head.height() - *begin.get_or_insert(head.height())).max(0);
        let lookback = options.lookback.map(|limit| limit.saturating_add(waited));
        let options = SearchOptions { from: head.key().clone(), lookback, ..options.clone() };
        match executed(face, cid, &options).await? {
            Some(found) if head.height() - found.height >= confidence => return Ok(Json(found)),
            _ => {}
        }
    }
    Err(ChainError::Closed.into())
}

fn head_of(event: HeadEvent) -> Option<std::sync::Arc<Tipset>> {
    match event {
        HeadEvent::Current(head) | HeadEvent::Gap { now: head, .. } => Some(head),
        HeadEvent::Change(change) => change.apply.last().cloned(),
        _ => None,
    }
}

//! `Mpool*`.

use std::sync::Arc;

use cid::Cid;
use futures::StreamExt;
use fvm_shared::address::Address;
use fvm_shared::message::Message;
use jsonrpsee::core::SubscriptionError;
use jsonrpsee::{Extensions, PendingSubscriptionSink, SubscriptionSink};
use venus_core::api::{BlockProducer, MessagePool, SignerExt};
use venus_core::json::Json;
use venus_core::rpc::{Caller, MethodSpec, Permission};
use venus_core::types::{MessageSendSpec, MpoolConfig, SignedMessage, TipsetKey};

use super::Face;
use super::error::FaceError;
use super::heads::accept;
use super::methods::{Answer, Methods, method};
use super::wallet::{key_of, keys, signer_error};

/// Most messages of one batch.
const MOST_AT_ONCE: usize = 1000;
/// Most tickets of one selection, more than miners ever win in an epoch.
const MOST_TICKETS: usize = 256;

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.MpoolPending" (k: TipsetKey = "types.TipSetKey") => pending, .idempotent());
    method!(m, Read "Filecoin.MpoolSelect" (k: TipsetKey = "types.TipSetKey", q: f64 = "float64") => select, .idempotent());
    method!(m, Read "Filecoin.MpoolGetNonce" (a: Json<Address> = "address.Address") => nonce, .idempotent());
    method!(m, Read "Filecoin.MpoolGetConfig" () => config, .idempotent());
    method!(m, Admin "Filecoin.MpoolSetConfig" (c: Json<MpoolConfig> = "*types.MpoolConfig") => set_config, .void().idempotent());
    method!(m, Write "Filecoin.MpoolPush" (s: SignedMessage = "*types.SignedMessage") => push);
    method!(m, Write "Filecoin.MpoolPushUntrusted" (s: SignedMessage = "*types.SignedMessage") => push_untrusted);
    method!(m, Write "Filecoin.MpoolBatchPush" (s: Json<Vec<SignedMessage>> = "[]*types.SignedMessage") => push_batch);
    method!(m, Write "Filecoin.MpoolBatchPushUntrusted" (s: Json<Vec<SignedMessage>> = "[]*types.SignedMessage") => push_batch_untrusted);
    method!(m, Sign "Filecoin.MpoolPushMessage" (msg: Json<Message> = "*types.Message", s: Json<Option<MessageSendSpec>> = "*types.MessageSendSpec") => push_message);
    method!(m, Sign "Filecoin.MpoolBatchPushMessage" (msg: Json<Vec<Message>> = "[]*types.Message", s: Json<Option<MessageSendSpec>> = "*types.MessageSendSpec") => push_messages);
    method!(m, Write "Filecoin.MpoolClear" (local: bool = "bool") => clear, .void().idempotent());
    if m.venus() {
        method!(m, Read "Filecoin.MpoolSelects" (k: TipsetKey = "types.TipSetKey", q: Vec<f64> = "[]float64") => selects, .idempotent());
        method!(m, Write "Filecoin.MpoolPublishMessage" (s: SignedMessage = "*types.SignedMessage") => publish, .void());
        method!(m, Write "Filecoin.MpoolPublishByAddr" (a: Json<Address> = "address.Address") => publish_of, .void().idempotent());
        method!(m, Admin "Filecoin.MpoolDeleteByAdress" (a: Json<Address> = "address.Address") => delete_of, .void().idempotent());
    }
    register_updates(m);
}

async fn pending(face: Face, key: TipsetKey) -> Answer<Json<Vec<SignedMessage>>> {
    Ok(Json(face.devnet.pending_at(&key).await?))
}

/// Go writes null for no messages.
type Selected = Option<Json<Vec<SignedMessage>>>;

fn selected(messages: Vec<SignedMessage>) -> Selected {
    (!messages.is_empty()).then_some(Json(messages))
}

async fn select(face: Face, base: TipsetKey, quality: f64) -> Answer<Selected> {
    // Go nodes take any number, and what is no quality counts as the nearest.
    Ok(selected(face.devnet.select(&base, quality.clamp(0.0, 1.0)).await?))
}

/// A list for which nothing is left is a copy of the first.
async fn selects(face: Face, base: TipsetKey, qualities: Vec<f64>) -> Answer<Vec<Selected>> {
    if qualities.len() > MOST_TICKETS {
        return Err(FaceError::said(format!("more than {MOST_TICKETS} tickets")));
    }
    let qualities: Vec<f64> = qualities.into_iter().map(|quality| quality.clamp(0.0, 1.0)).collect();
    let lists = face.devnet.select_messages(&base, &qualities).await?;
    let first = lists.first().cloned().unwrap_or_default();
    Ok(lists.into_iter().map(|list| selected(if list.is_empty() { first.clone() } else { list })).collect())
}

async fn nonce(face: Face, Json(address): Json<Address>) -> Answer<u64> {
    Ok(face.devnet.next_nonce(&address).await?)
}

async fn config(face: Face) -> Answer<Json<MpoolConfig>> {
    Ok(Json(face.devnet.pool_config()))
}

async fn set_config(face: Face, Json(config): Json<MpoolConfig>) -> Answer<()> {
    Ok(face.devnet.set_pool_config(config)?)
}

async fn push(face: Face, message: SignedMessage) -> Answer<Json<Cid>> {
    Ok(Json(face.devnet.push(&message).await?))
}

async fn push_untrusted(face: Face, message: SignedMessage) -> Answer<Json<Cid>> {
    Ok(Json(face.devnet.push_untrusted(&message).await?))
}

async fn push_batch(face: Face, Json(messages): Json<Vec<SignedMessage>>) -> Answer<Json<Vec<Cid>>> {
    batch(&face, &messages, false).await
}

async fn push_batch_untrusted(
    face: Face,
    Json(messages): Json<Vec<SignedMessage>>,
) -> Answer<Json<Vec<Cid>>> {
    batch(&face, &messages, true).await
}

/// Stops at the first message that is refused. Those before it are in the pool.
async fn batch(face: &Face, messages: &[SignedMessage], untrusted: bool) -> Answer<Json<Vec<Cid>>> {
    check_size(messages.len())?;
    Ok(Json(face.devnet.push_batch(messages, untrusted).await?))
}

fn check_size(messages: usize) -> Answer<()> {
    match messages > MOST_AT_ONCE {
        true => Err(FaceError::said(format!("more than {MOST_AT_ONCE} messages at once"))),
        false => Ok(()),
    }
}

async fn push_message(
    face: Face,
    message: Json<Message>,
    spec: Json<Option<MessageSendSpec>>,
) -> Answer<SignedMessage> {
    sign_and_push(&face, message.0, spec.0.as_ref()).await
}

async fn push_messages(
    face: Face,
    Json(messages): Json<Vec<Message>>,
    spec: Json<Option<MessageSendSpec>>,
) -> Answer<Json<Vec<SignedMessage>>> {
    check_size(messages.len())?;
    let mut pushed = Vec::with_capacity(messages.len());
    for message in messages {
        pushed.push(sign_and_push(&face, message, spec.0.as_ref()).await?);
    }
    Ok(Json(pushed))
}

/// Gives the message gas and nonce, signs it with a key of the node and puts it into the pool. An ID is put in terms
/// of its key; calls for one sender are served one after the other.
async fn sign_and_push(
    face: &Face,
    message: Message,
    spec: Option<&MessageSendSpec>,
) -> Answer<SignedMessage> {
    if message.sequence != 0 {
        return Err(FaceError::said(format!(
            "MpoolPushMessage expects message nonce to be 0, was {}",
            message.sequence
        )));
    }
    let message = Message { from: key_of(face, message.from).await?, ..message };
    let _turn = face.devnet.inner.turns.of(&message.from).await;
    let mut message = face.devnet.gas_message(&message, spec, &TipsetKey::default()).await?;
    message.sequence = face.devnet.next_nonce(&message.from).await?;
    let signed = keys(face)?.sign_message(&message).await.map_err(|e| signer_error(&e))?;
    face.devnet.push(&signed).await?;
    Ok(signed)
}

/// There are no messages that are not local: all of them go.
async fn clear(face: Face, _local: bool) -> Answer<()> {
    face.devnet.clear_pool();
    Ok(())
}

async fn publish(face: Face, message: SignedMessage) -> Answer<()> {
    face.devnet.push(&message).await?;
    Ok(())
}

/// Without peers, what waits has been published to everybody.
async fn publish_of(_: Face, _: Json<Address>) -> Answer<()> {
    Ok(())
}

async fn delete_of(face: Face, Json(address): Json<Address>) -> Answer<()> {
    face.devnet.remove_pending_of(&address);
    Ok(())
}

const UPDATES: &str = "Filecoin.MpoolSub";

fn register_updates(m: &mut Methods) {
    let face = m.face.clone();
    let follow = move |_, pending: PendingSubscriptionSink, _, extensions: Extensions| {
        let (face, caller) = (face.clone(), extensions.get::<Arc<Caller>>().cloned());
        async move {
            match accept(&face, UPDATES, pending, caller).await? {
                // There is no first value to come before the end.
                Some((_, true)) | None => Ok(()),
                Some((sink, false)) => follow(face, sink).await,
            }
        }
    };
    if m.module.register_subscription(UPDATES, UPDATES, "Filecoin.MpoolSubEnd", follow).is_ok() {
        m.table.push(MethodSpec::new(UPDATES, Permission::Read, &[]).channel());
    }
}

async fn follow(face: Face, sink: SubscriptionSink) -> Result<(), SubscriptionError> {
    let mut updates = face.devnet.pool_updates();
    loop {
        let update = tokio::select! {
            update = updates.next() => update,
            () = sink.closed() => return Ok(()),
        };
        let Some(update) = update else { return Ok(()) };
        sink.send(face.write(&Json((*update).clone()))?).await?;
    }
}

//! `ChainNotify`.

use std::sync::Arc;

use jsonrpsee::core::SubscriptionError;
use jsonrpsee::{Extensions, PendingSubscriptionSink, SubscriptionSink};
use venus_core::rpc::{Caller, MethodSpec, Permission};

use super::Face;
use super::faults::{FaultKind, suffer};
use super::methods::Methods;

const NAME: &str = "Filecoin.ChainNotify";

pub(super) fn register(m: &mut Methods) {
    let face = m.face.clone();
    let follow = move |_, pending: PendingSubscriptionSink, _, extensions: Extensions| {
        let (face, caller) = (face.clone(), extensions.get::<Arc<Caller>>().cloned());
        async move { open(face, pending, caller).await }
    };
    if m.module.register_subscription(NAME, NAME, "Filecoin.ChainNotifyEnd", follow).is_ok() {
        m.table.push(MethodSpec::new(NAME, Permission::Read, &[]).channel());
    }
}

async fn open(
    face: Face,
    pending: PendingSubscriptionSink,
    caller: Option<Arc<Caller>>,
) -> Result<(), SubscriptionError> {
    match accept(&face, NAME, pending, caller).await? {
        Some((sink, lags)) => follow(&face, sink, lags).await,
        None => Ok(()),
    }
}

/// Opens a channel, unless a fault wants it otherwise; with it, whether it shall end as if its reader were too slow.
pub(super) async fn accept(
    face: &Face,
    name: &str,
    pending: PendingSubscriptionSink,
    caller: Option<Arc<Caller>>,
) -> Result<Option<(SubscriptionSink, bool)>, SubscriptionError> {
    let fault = face.faults.next(name, true);
    let lags = fault == Some(FaultKind::SlowReader);
    if let Some(kind) = fault
        && let Err(error) = suffer(&face.faults, kind, caller).await
    {
        pending.reject(error).await;
        return Ok(None);
    }
    Ok(Some((pending.accept().await?, lags)))
}

/// `lags`: ends after the first value, as if the subscriber had fallen behind.
async fn follow(face: &Face, sink: SubscriptionSink, lags: bool) -> Result<(), SubscriptionError> {
    let mut values = face.hub.subscribe(face)?;
    loop {
        let value = tokio::select! {
            value = values.next() => value,
            () = sink.closed() => return Ok(()),
        };
        let Some(value) = value else { return Ok(()) };
        sink.send((*value).to_owned()).await?;
        if lags {
            return Ok(());
        }
    }
}

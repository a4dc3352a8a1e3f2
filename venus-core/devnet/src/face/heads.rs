//! `ChainNotify`.

use futures::StreamExt;
use jsonrpsee::core::SubscriptionError;
use jsonrpsee::{PendingSubscriptionSink, SubscriptionSink};
use venus_core::api::{HeadChange, HeadEvent, HeadFeed, Resume};
use venus_core::json::Json;
use venus_core::rpc::{MethodSpec, Permission};
use venus_core::types::{HeadChangeKind, HeadChangeStep};

use super::Face;
use super::methods::Methods;

const NAME: &str = "Filecoin.ChainNotify";

pub(super) fn register(m: &mut Methods) {
    let face = m.face.clone();
    let follow = move |_, pending: PendingSubscriptionSink, _, _| {
        let face = face.clone();
        async move { follow(face, pending.accept().await?).await }
    };
    if m.module.register_subscription(NAME, NAME, "Filecoin.ChainNotifyEnd", follow).is_ok() {
        m.table.push(MethodSpec::new(NAME, Permission::Read, &[]).channel());
    }
}

async fn follow(face: Face, sink: SubscriptionSink) -> Result<(), SubscriptionError> {
    let mut events = face.devnet.heads(Resume::Head);
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            () = sink.closed() => break,
        };
        let steps = match event {
            Some(Ok(HeadEvent::Current(tipset))) => {
                vec![HeadChangeStep { kind: HeadChangeKind::Current, tipset }]
            }
            Some(Ok(HeadEvent::Change(change))) => steps(change),
            _ => break,
        };
        sink.send(face.write(&Json(steps))?).await?;
    }
    Ok(())
}

/// A change as nodes send it: what leaves from new to old, then what comes from old to new.
pub(super) fn steps(change: HeadChange) -> Vec<HeadChangeStep> {
    let revert = change.revert.into_iter().map(|tipset| HeadChangeStep { kind: HeadChangeKind::Revert, tipset });
    let apply = change.apply.into_iter().map(|tipset| HeadChangeStep { kind: HeadChangeKind::Apply, tipset });
    revert.chain(apply).collect()
}

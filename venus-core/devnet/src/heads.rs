//! Following the head.

use std::sync::{Arc, Weak};

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::watch;
use venus_core::api::{ChainError, HeadEvent, HeadFeed, HeadStream, Resume};
use venus_core::types::{Tipset, TipsetKey};

use crate::node::{Devnet, Inner};

/// Nothing is queued for a subscriber: it is told that the head moved, and the way from what it saw last is looked up
/// when it comes for it. A slow one gets several moves folded into one.
impl HeadFeed for Devnet {
    fn heads(&self, from: Resume) -> HeadStream {
        let heads = self.inner.subscribe();
        let node = Arc::downgrade(&self.inner);
        let state = match from {
            Resume::Head => Subscription { node, heads, last: None },
            Resume::From(key) => Subscription { node, heads, last: Some(key) },
        };
        let first: BoxStream<'static, _> = stream::once(first(state))
            .flat_map(|(event, state)| stream::iter([event]).chain(stream::unfold(state, next)))
            .boxed();
        first
    }
}

struct Subscription {
    /// A subscription does not keep the node alive: it ends with the last handle.
    node: Weak<Inner>,
    heads: watch::Receiver<Arc<Tipset>>,
    /// What was delivered last; `None` before the first event of a feed without a past.
    last: Option<TipsetKey>,
}

type Event = Result<HeadEvent, ChainError>;

async fn first(mut state: Subscription) -> (Event, Subscription) {
    let head = state.heads.borrow_and_update().clone();
    let event = match (&state.last, state.node.upgrade()) {
        (None, _) => Ok(HeadEvent::Current(head.clone())),
        (Some(_), None) => Err(ChainError::Closed),
        (Some(last), Some(node)) => Ok(match node.path(last, head.key()) {
            Ok(change) => HeadEvent::Change(change),
            Err(_) => HeadEvent::Gap { last_seen: last.clone(), now: head.clone() },
        }),
    };
    state.last = Some(head.key().clone());
    (event, state)
}

async fn next(mut state: Subscription) -> Option<(Event, Subscription)> {
    loop {
        state.heads.changed().await.ok()?;
        let head = state.heads.borrow_and_update().clone();
        let last = state.last.replace(head.key().clone())?;
        let change = match state.node.upgrade()?.path(&last, head.key()) {
            Ok(change) if change.is_empty() => continue,
            Ok(change) => Ok(HeadEvent::Change(change)),
            Err(e) => Err(e),
        };
        return Some((change, state));
    }
}

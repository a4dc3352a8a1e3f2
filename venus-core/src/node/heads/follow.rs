//! One consumer of heads.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use fvm_shared::clock::ChainEpoch;
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Feed, HeadSource, again};
use crate::api::{ChainError, ChainReader, HeadChange, HeadEvent, HeadStream, Resume};
use crate::error::Classify;
use crate::rpc::client::BackOff;
use crate::types::{Tipset, TipsetKey};

/// Pauses between tries while the node does not answer.
const PAUSES: BackOff = BackOff { min: Duration::from_millis(50), max: Duration::from_secs(5), factor: 2.0 };
/// Up to so many epochs are walked from tipset to tipset, most of which are remembered; beyond, the node is asked for
/// the whole way.
const ON_FOOT: ChainEpoch = 16;

/// The stream of a consumer.
pub(in super::super) fn follow<S: HeadSource>(source: S, from: Resume) -> HeadStream {
    let follower =
        async move { Some(Follower { feed: source.subscribe(), source, from: Some(from), last: None }) };
    stream::once(follower)
        .flat_map(|follower| {
            stream::unfold(follower, |follower| async {
                let mut follower = follower?;
                match follower.next().await? {
                    Ok(event) => Some((Ok(event), Some(follower))),
                    Err(e) => Some((Err(e), None)),
                }
            })
        })
        .fuse()
        .boxed()
}

struct Follower<S> {
    source: S,
    feed: watch::Receiver<Feed>,
    from: Option<Resume>,
    last: Option<TipsetKey>,
}

impl<S: HeadSource> Follower<S> {
    async fn next(&mut self) -> Option<Result<HeadEvent, ChainError>> {
        if let Some(from) = self.from.take() {
            return self.first(from).await;
        }
        let mut failures = 0;
        loop {
            let state = self.feed.borrow_and_update().clone();
            match (state, self.last.clone()) {
                (Feed::Closed, _) => return None,
                (Feed::Failed(error), _) => return Some(Err(again("Filecoin.ChainNotify", &error))),
                (Feed::At(now), Some(last)) if *now.key() != last => match self.change(last, now).await {
                    Some(event) => return Some(Ok(event)),
                    None => {
                        self.pause(failures).await?;
                        failures += 1;
                        continue; // The head may have moved on meanwhile.
                    }
                },
                _ => {}
            }
            self.feed.changed().await.ok()?;
        }
    }

    /// What a feed begins with. Asks, because the listener may not have heard of the newest head yet.
    async fn first(&mut self, from: Resume) -> Option<Result<HeadEvent, ChainError>> {
        for failures in 0.. {
            if matches!(*self.feed.borrow(), Feed::Closed) {
                return None;
            }
            let now = match self.source.fresh().await {
                Ok(now) => now,
                Err(e) if e.kind().is_retryable() => {
                    self.pause(failures).await?;
                    continue;
                }
                Err(e) => return Some(Err(e)),
            };
            let event = match &from {
                Resume::Head => {
                    self.last = Some(now.key().clone());
                    Some(HeadEvent::Current(now))
                }
                Resume::From(seen) => self.change(seen.clone(), now).await,
            };
            match event {
                Some(event) => return Some(Ok(event)),
                None => self.pause(failures).await?,
            }
        }
        None
    }

    /// Waits; nothing once the node is shut down.
    async fn pause(&mut self, failures: u32) -> Option<()> {
        if matches!(*self.feed.borrow(), Feed::Closed) {
            return None;
        }
        sleep(PAUSES.pause(failures, 0)).await;
        Some(())
    }

    /// The way from what was seen last; nothing if the node cannot tell at this moment.
    async fn change(&mut self, last_seen: TipsetKey, now: Arc<Tipset>) -> Option<HeadEvent> {
        let (chain, max) = (&self.source, self.source.max_gap());
        let event = match path_within(chain, &last_seen, &now, max).await {
            Ok(Some(change)) => HeadEvent::Change(change),
            Err(e) if e.kind().is_retryable() => return None,
            Ok(None) | Err(_) => HeadEvent::Gap { last_seen, now: now.clone() },
        };
        self.last = Some(now.key().clone());
        Some(event)
    }
}

/// The way between two tipsets, if it is not longer than `max` tipsets each way.
async fn path_within<C: ChainReader>(
    chain: &C,
    from: &TipsetKey,
    to: &Arc<Tipset>,
    max: ChainEpoch,
) -> Result<Option<HeadChange>, ChainError> {
    if from == to.key() {
        return Ok(Some(HeadChange::default()));
    }
    let old = chain.tipset(from).await?;
    let apart = (old.height() - to.height()).abs();
    if apart > max {
        return Ok(None);
    }
    if apart <= ON_FOOT {
        return walk(chain, old, to.clone(), max).await;
    }
    let change = chain.path(from, to.key()).await?;
    let longest = change.revert.len().max(change.apply.len());
    Ok((ChainEpoch::try_from(longest).is_ok_and(|tipsets| tipsets <= max)).then_some(change))
}

async fn walk<C: ChainReader>(
    chain: &C,
    mut old: Arc<Tipset>,
    mut new: Arc<Tipset>,
    max: ChainEpoch,
) -> Result<Option<HeadChange>, ChainError> {
    let lowest = old.height().min(new.height()) - max;
    let mut change = HeadChange::default();
    while old.key() != new.key() {
        let (step_old, step_new) = (old.height() >= new.height(), new.height() >= old.height());
        if old.height().max(new.height()) < lowest {
            return Ok(None);
        }
        if old.height() == 0 && new.height() == 0 {
            return Err(ChainError::Corrupt("two genesis tipsets".into()));
        }
        if step_old {
            let parent = chain.tipset(&old.parents()).await?;
            change.revert.push(std::mem::replace(&mut old, parent));
        }
        if step_new {
            let parent = chain.tipset(&new.parents()).await?;
            change.apply.push(std::mem::replace(&mut new, parent));
        }
    }
    change.apply.reverse();
    Ok(Some(change))
}

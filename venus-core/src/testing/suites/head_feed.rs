use std::sync::Arc;

use futures::StreamExt;

use super::{PATIENCE, Step, unknown_key};
use crate::api::{ChainReader, HeadEvent, HeadFeed, HeadStream, Resume};
use crate::types::{Tipset, TipsetKey};

/// What [`head_feed`] relies on.
pub struct HeadFeedFixture<'a> {
    /// The chain that the feed follows.
    pub chain: &'a dyn ChainReader,
    /// Puts a tipset or more on the head.
    pub extend: Step<'a>,
    /// Replaces at least the head by a branch that does not contain it.
    pub reorg: Step<'a>,
}

/// Checks the contract of [`HeadFeed`].
///
/// # Panics
/// If a clause does not hold.
pub async fn head_feed(feed: &dyn HeadFeed, fixture: &HeadFeedFixture<'_>) {
    let start = fixture.chain.head().await.unwrap();
    let mut follower = Consumer::start(feed, fixture.chain).await;
    assert_eq!(follower.at.key(), start.key(), "the first event is where the chain stands");
    let idle = Consumer::start(feed, fixture.chain).await;

    (fixture.extend)().await;
    assert_eq!(follower.catch_up().await, 0, "a chain that grows reverts nothing");
    let grown = follower.at.clone();
    assert_ne!(grown.key(), start.key(), "fixture: extend did not move the head");
    drop(idle);

    (fixture.extend)().await;
    (fixture.extend)().await;
    assert_eq!(follower.catch_up().await, 0, "a consumer may be slow: changes queue or fold");
    let before = follower.at.clone();

    (fixture.reorg)().await;
    assert!(follower.catch_up().await > 0, "a reorg reverts what left the chain");

    resume(feed, fixture.chain, &start).await;
    resume(feed, fixture.chain, &before).await;
    resume_at_head(feed, fixture.chain).await;
    resume_nowhere(feed, fixture.chain).await;
}

async fn resume(feed: &dyn HeadFeed, chain: &dyn ChainReader, from: &Arc<Tipset>) {
    let events = feed.heads(Resume::From(from.key().clone()));
    let mut consumer = Consumer { chain, at: from.clone(), events };
    consumer.catch_up().await;
}

async fn resume_at_head(feed: &dyn HeadFeed, chain: &dyn ChainReader) {
    let head = chain.head().await.unwrap();
    match next(&mut feed.heads(Resume::From(head.key().clone()))).await {
        HeadEvent::Change(change) => assert!(change.is_empty(), "at the head the first change is empty"),
        other => panic!("resuming at the head begins with a change, not with {other:?}"),
    }
}

async fn resume_nowhere(feed: &dyn HeadFeed, chain: &dyn ChainReader) {
    let head = chain.head().await.unwrap();
    match next(&mut feed.heads(Resume::From(unknown_key()))).await {
        HeadEvent::Gap { last_seen, now } => {
            assert_eq!(last_seen, unknown_key(), "a gap names what was seen last");
            assert_eq!(now.key(), head.key(), "a gap names where the chain stands");
        }
        other => panic!("resuming at an unknown tipset is a gap, not {other:?}"),
    }
}

async fn next(events: &mut HeadStream) -> HeadEvent {
    let event = tokio::time::timeout(PATIENCE, events.next()).await;
    let event = event.expect("events are delivered").expect("the stream goes on while the node runs");
    event.expect("no error without a cause")
}

/// Applies events one after the other and checks that they fit together.
struct Consumer<'a> {
    chain: &'a dyn ChainReader,
    at: Arc<Tipset>,
    events: HeadStream,
}

impl<'a> Consumer<'a> {
    async fn start(feed: &dyn HeadFeed, chain: &'a dyn ChainReader) -> Self {
        let mut events = feed.heads(Resume::Head);
        match next(&mut events).await {
            HeadEvent::Current(at) => Self { chain, at, events },
            other => panic!("a feed without a past begins with the current head, not with {other:?}"),
        }
    }

    /// Follows until the head, and answers how many tipsets were reverted.
    async fn catch_up(&mut self) -> usize {
        let head = self.chain.head().await.unwrap();
        let mut reverted = 0;
        while self.at.key() != head.key() {
            match next(&mut self.events).await {
                HeadEvent::Change(change) => {
                    reverted += change.revert.len();
                    self.apply(&change.revert, &change.apply);
                }
                HeadEvent::Gap { last_seen, now } => {
                    assert_eq!(last_seen, *self.at.key(), "a gap names what was seen last");
                    reverted += 1; // Not known, so the consumer has to assume it.
                    self.at = now;
                }
                HeadEvent::Current(_) => panic!("only the first event is the current head"),
            }
        }
        reverted
    }

    fn apply(&mut self, revert: &[Arc<Tipset>], apply: &[Arc<Tipset>]) {
        let mut key: TipsetKey = self.at.key().clone();
        for tipset in revert {
            assert_eq!(*tipset.key(), key, "reverts begin at what was seen last and go newest first");
            key = tipset.parents();
        }
        for tipset in apply {
            assert_eq!(tipset.parents(), key, "applies follow without a gap, oldest first");
            key = tipset.key().clone();
        }
        if let Some(last) = apply.last() {
            self.at = last.clone();
        } else {
            assert!(revert.is_empty(), "a change ends at a tipset that was the head");
        }
    }
}

//! The heaviest head of several nodes.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use fvm_shared::clock::ChainEpoch;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::super::heads::{Feed, HeadSource, follow};
use super::member::{Member, weight};
use super::{MultiNode, Shared};
use crate::api::{ChainError, ChainReader, HeadEvent, HeadFeed, HeadStream, Resume};
use crate::types::Tipset;

/// Epochs without news after which a node is asked.
const QUIET_EPOCHS: u64 = 3;

/// Follows one node for as long as the whole lives.
pub(super) async fn watch(shared: Weak<Shared>, member: Arc<Member>) {
    loop {
        let Some(pause) = shared.upgrade().map(|shared| shared.config.probe) else { return };
        if admit(&shared, &member).await {
            follow_member(&shared, &member).await;
        }
        sleep(pause).await;
    }
}

/// Whether the node is one of the network.
async fn admit(shared: &Weak<Shared>, member: &Member) -> bool {
    let network = member.node.network().await;
    let Some(shared) = shared.upgrade() else { return false };
    if member.learn(&network) {
        return false;
    }
    let foreign = network.as_ref().is_ok_and(|network| network.name != shared.network.name);
    if foreign {
        tracing::warn!(node = member.index, expected = shared.network.name, "node of another network");
    }
    member.set_foreign(foreign);
    network.is_ok() && !foreign
}

async fn follow_member(shared: &Weak<Shared>, member: &Member) {
    let mut events = member.node.heads(Resume::Head);
    loop {
        let Some(patience) = shared.upgrade().map(|shared| shared.patience(member)) else { return };
        let head = match timeout(patience, events.next()).await {
            Ok(Some(Ok(event))) => head_of(event, member).await,
            Ok(Some(Err(_)) | None) => return member.set_up(false),
            // Silence may be a quiet chain or a dead node: ask.
            Err(_) => ask(member).await,
        };
        let (Some(shared), Some(head)) = (shared.upgrade(), head) else { continue };
        if shared.believes(member, &head).await {
            member.set_head(head);
        } else {
            member.doubt();
        }
        MultiNode(shared).reconsider().await;
    }
}

async fn head_of(event: HeadEvent, member: &Member) -> Option<Arc<Tipset>> {
    match event {
        HeadEvent::Current(head) | HeadEvent::Gap { now: head, .. } => Some(head),
        HeadEvent::Change(change) => match change.apply.last() {
            Some(head) => Some(head.clone()),
            None => ask(member).await,
        },
    }
}

async fn ask(member: &Member) -> Option<Arc<Tipset>> {
    let head = member.node.head().await;
    member.learn(&head);
    head.ok()
}

impl Shared {
    fn patience(&self, member: &Member) -> Duration {
        if !member.is_up() {
            return self.config.probe;
        }
        Duration::from_secs(QUIET_EPOCHS * self.network.block_delay_secs.max(1))
    }

    fn best_head(&self) -> Option<Arc<Tipset>> {
        let up = self.members.iter().filter(|member| member.is_up() && !member.is_doubted());
        up.filter_map(|member| member.head()).max_by_key(|head| weight(head))
    }

    fn is_told_by_any(&self, head: &Tipset) -> bool {
        self.members.iter().filter_map(|member| member.head()).any(|told| told.key() == head.key())
    }

    fn set(&self, head: Arc<Tipset>) {
        self.head.send_if_modified(|state| {
            let moved = !matches!(state, Feed::Closed) && state.key() != Some(head.key());
            if moved {
                *state = Feed::At(head);
            }
            moved
        });
    }
}

impl MultiNode {
    /// Moves the head if a node has a heavier one, or if nobody has this one any more.
    async fn reconsider(&self) {
        let current = self.0.head.borrow().tipset().cloned();
        let Some(best) = self.0.best_head() else { return };
        match current {
            Some(current) if current.key() == best.key() => {}
            Some(current) if weight(&best) > weight(&current) => self.0.set(best),
            Some(current) if self.0.is_told_by_any(&current) => {}
            // Back to a lighter one, or old news: the nodes know.
            Some(_) => {
                if let Ok(head) = self.head().await {
                    self.0.set(head);
                }
            }
            None => self.0.set(best),
        }
    }
}

#[async_trait]
impl HeadSource for MultiNode {
    fn subscribe(&self) -> watch::Receiver<Feed> {
        self.0.head.subscribe()
    }

    async fn fresh(&self) -> Result<Arc<Tipset>, ChainError> {
        let before = self.0.head.borrow().tipset().cloned();
        let now = self.head().await?;
        match before {
            // Another node has a heavier one.
            Some(known) if weight(&known) > weight(&now) && self.0.is_told_by_any(&known) => Ok(known),
            _ => {
                self.0.head.send_if_modified(|state| {
                    let newer = match &*state {
                        Feed::Unknown => true,
                        Feed::At(at) => weight(&now) > weight(at),
                        Feed::Failed(_) | Feed::Closed => false,
                    };
                    if newer {
                        *state = Feed::At(now.clone());
                    }
                    newer
                });
                Ok(now)
            }
        }
    }

    fn max_gap(&self) -> ChainEpoch {
        self.0.config.max_gap
    }
}

impl HeadFeed for MultiNode {
    fn heads(&self, from: Resume) -> HeadStream {
        follow(self.clone(), from)
    }
}

//! Following the head of a node.
//!
//! One task a node listens, or asks again and again, and keeps nothing but the newest head. Each consumer walks
//! from what it saw last to that head by itself. So a consumer that is slow, a connection that broke and a node
//! that was replaced are one case: the way between two tipsets, which the chain knows.

mod follow;
mod pump;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use fvm_shared::clock::ChainEpoch;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(super) use self::follow::follow;
use super::{Flavour, NodeConfig, RpcNode};
use crate::api::{ChainError, ChainReader, HeadFeed, HeadStream, Resume};
use crate::error::Classify;
use crate::types::{Tipset, TipsetKey};

/// What is known of the head.
#[derive(Clone, Debug, Default)]
pub(super) enum Feed {
    /// Nothing yet.
    #[default]
    Unknown,
    /// It is this one.
    At(Arc<Tipset>),
    /// The node refused to tell, and will again.
    Failed(Arc<ChainError>),
    /// The node was shut down.
    Closed,
}

impl Feed {
    pub(super) fn key(&self) -> Option<&TipsetKey> {
        match self {
            Self::At(tipset) => Some(tipset.key()),
            _ => None,
        }
    }

    pub(super) fn tipset(&self) -> Option<&Arc<Tipset>> {
        match self {
            Self::At(tipset) => Some(tipset),
            _ => None,
        }
    }
}

/// Where a consumer gets heads from.
#[async_trait]
pub(super) trait HeadSource: ChainReader + Clone + 'static {
    /// The head from now on. Whatever is needed for that runs then.
    fn subscribe(&self) -> watch::Receiver<Feed>;

    /// The head at this moment, by asking.
    async fn fresh(&self) -> Result<Arc<Tipset>, ChainError>;

    /// Epochs that a consumer may be behind before it gets a gap.
    fn max_gap(&self) -> ChainEpoch;
}

/// The head of a node and the task that looks for it.
pub(super) struct Heads {
    state: watch::Sender<Feed>,
    task: Mutex<Option<JoinHandle<()>>>,
    stop: CancellationToken,
    poll: Option<Duration>,
    max_gap: ChainEpoch,
}

impl Heads {
    pub(super) fn new(config: &NodeConfig) -> Self {
        Self {
            state: watch::Sender::new(Feed::Unknown),
            task: Mutex::default(),
            stop: CancellationToken::new(),
            poll: config.poll,
            max_gap: config.max_gap,
        }
    }

    /// Ends all streams and the task.
    pub(super) async fn close(&self) {
        self.state.send_replace(Feed::Closed);
        self.stop.cancel();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }

    /// Takes a head that was asked for, unless a newer one came in since `before` was seen.
    fn offer(&self, before: Option<&TipsetKey>, now: &Arc<Tipset>) {
        self.state.send_if_modified(|state| {
            let newer = match &*state {
                Feed::Unknown => true,
                Feed::At(at) if at.key() == now.key() => false,
                Feed::At(at) => Some(at.key()) == before || now.parent_weight() > at.parent_weight(),
                Feed::Failed(_) | Feed::Closed => false,
            };
            if newer {
                *state = Feed::At(now.clone());
            }
            newer
        });
    }
}

impl Drop for Heads {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[async_trait]
impl<F: Flavour> HeadSource for RpcNode<F> {
    fn subscribe(&self) -> watch::Receiver<Feed> {
        let heads = &self.core.heads;
        let mut task = heads.task.lock().unwrap_or_else(PoisonError::into_inner);
        // After a refusal the next consumer may have more luck: the token may be valid now.
        let over = task.as_ref().is_none_or(JoinHandle::is_finished);
        if over && !heads.stop.is_cancelled() {
            heads.state.send_replace(Feed::Unknown);
            *task = Some(pump::start(&self.core));
        }
        heads.state.subscribe()
    }

    async fn fresh(&self) -> Result<Arc<Tipset>, ChainError> {
        let heads = &self.core.heads;
        let before = heads.state.borrow().key().cloned();
        let now = self.head().await?;
        heads.offer(before.as_ref(), &now);
        Ok(now)
    }

    fn max_gap(&self) -> ChainEpoch {
        self.core.heads.max_gap
    }
}

impl<F: Flavour> HeadFeed for RpcNode<F> {
    /// While the node cannot be reached the stream is silent; it goes on by itself. A token that is refused, or a
    /// right that is missing, ends it with an error.
    fn heads(&self, from: Resume) -> HeadStream {
        follow(self.clone(), from)
    }
}

/// An error for one more who has to know of it.
pub(super) fn again(method: &'static str, error: &ChainError) -> ChainError {
    match error {
        ChainError::Unauthorized => ChainError::Unauthorized,
        ChainError::PermissionDenied { method, need } => {
            ChainError::PermissionDenied { method: method.clone(), need: need.clone() }
        }
        ChainError::Transport(source) => ChainError::Transport(source.to_string().into()),
        ChainError::Timeout { method, after } => ChainError::Timeout { method, after: *after },
        other => ChainError::Rpc {
            method,
            code: crate::rpc::codes::METHOD,
            message: other.to_string(),
            kind: other.kind(),
            retry_after: other.retry_after(),
        },
    }
}

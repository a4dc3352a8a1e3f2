//! The task that knows a node's head: it listens to `ChainNotify`, or asks where nobody tells.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::super::fault::Fault;
use super::super::{Core, List, list};
use super::Feed;
use crate::api::ChainError;
use crate::error::{Classify, ErrorKind};
use crate::rpc::client::{BackOff, Channel, Resubscribe, RpcClient};
use crate::rpc::{CallError, ChannelEvent};
use crate::types::{HeadChangeKind, HeadChangeStep, Tipset};

const NOTIFY: &str = "Filecoin.ChainNotify";
/// Pauses between tries to listen.
const PAUSES: BackOff = BackOff { min: Duration::from_millis(50), max: Duration::from_secs(5), factor: 2.0 };
/// Epochs of silence after which the head is asked for: the listener may have been forgotten.
const QUIET_EPOCHS: u64 = 3;
const MOST_BETWEEN_POLLS: Duration = Duration::from_secs(3);

type Steps = List<HeadChangeStep>;

/// Runs until the node is shut down or gone, or refuses.
pub(super) fn start(core: &Arc<Core>) -> JoinHandle<()> {
    let pump = Pump { core: Arc::downgrade(core), client: core.wire.client().clone() };
    let stop = core.heads.stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = pump.run() => {}
        }
    })
}

/// It does not keep the node alive.
struct Pump {
    core: Weak<Core>,
    client: RpcClient,
}

/// How listening ended.
enum End {
    /// Open the channel again.
    Again,
    /// The node does not tell.
    Mute,
    /// It refuses.
    Refused(ChainError),
    /// The node was dropped or shut down.
    Gone,
}

impl Pump {
    async fn run(self) {
        for attempt in 0.. {
            let end = match self.client.channel::<Steps>(NOTIFY, Some("[]"), Resubscribe::Always).await {
                Ok(channel) => self.listen(channel).await,
                Err(error) => end_of(error),
            };
            match end {
                End::Again => sleep(PAUSES.pause(attempt, 0)).await,
                End::Mute => {
                    if let Some(core) = self.core.upgrade() {
                        core.wire.learn_missing(NOTIFY);
                    }
                    if let Some(error) = self.poll().await {
                        return self.fail(error);
                    }
                }
                End::Refused(error) => return self.fail(error),
                End::Gone => return,
            }
        }
    }

    async fn listen(&self, mut channel: Channel<Steps>) -> End {
        let Some(quiet) = self.epochs(QUIET_EPOCHS).await else { return End::Gone };
        loop {
            let event = timeout(quiet, channel.next()).await;
            let Some(core) = self.core.upgrade() else { return End::Gone };
            match event {
                Ok(Some(Ok(ChannelEvent::Value(steps)))) => core.moved(list_of(steps)).await,
                Ok(Some(Ok(ChannelEvent::Reopened))) => {}
                // Silence, or a value that is none: ask.
                Err(_) | Ok(Some(Err(CallError::Decode { .. }))) => core.ask_head().await,
                Ok(Some(Ok(ChannelEvent::Closed(_))) | None) => return End::Again,
                Ok(Some(Err(error))) => return end_of(error),
            }
        }
    }

    /// Asks for the head until the connection is another one, which may lead to a node that tells. Answers why the
    /// node refuses, if it does.
    async fn poll(&self) -> Option<ChainError> {
        let usual = self.epochs(1).await.map(|epoch| (epoch / 5).min(MOST_BETWEEN_POLLS));
        loop {
            let core = self.core.upgrade()?;
            if core.wire.is_socket() && !core.wire.lacks(NOTIFY) {
                return None;
            }
            match core.head().await {
                Ok(head) => core.set_head(head),
                Err(e) if matches!(e.kind(), ErrorKind::Unauthenticated | ErrorKind::Denied) => {
                    return Some(e);
                }
                Err(error) => tracing::debug!(%error, "head unknown"),
            }
            let every = core.heads.poll.or(usual)?;
            drop(core); // A node that nobody uses goes.
            sleep(every).await;
        }
    }

    fn fail(&self, error: ChainError) {
        if let Some(core) = self.core.upgrade() {
            core.heads.state.send_replace(Feed::Failed(Arc::new(error)));
        }
    }

    async fn epochs(&self, count: u64) -> Option<Duration> {
        let core = self.core.upgrade()?;
        // Known since the node was connected.
        let delay = core.network().await.map_or(30, |network| network.block_delay_secs);
        Some(Duration::from_secs(count.saturating_mul(delay.max(1))))
    }
}

fn list_of(steps: Steps) -> Vec<Arc<Tipset>> {
    let steps = list(steps);
    // What was reverted is no head. If nothing was applied after it, the head is an ancestor that is not in the list.
    let applied = steps.last().is_some_and(|step| step.kind != HeadChangeKind::Revert);
    if applied { steps.into_iter().map(|step| step.tipset).collect() } else { Vec::new() }
}

fn end_of(error: CallError) -> End {
    let retryable = error.kind().is_retryable();
    match (Fault { method: NOTIFY, error }) {
        Fault { error: CallError::Closed, .. } => End::Gone,
        fault if fault.is_missing() => End::Mute,
        fault if retryable => {
            tracing::debug!(error = %fault.error, "head channel not open yet");
            End::Again
        }
        fault => End::Refused(fault.plain()),
    }
}

impl Core {
    /// The head moved along these tipsets; none if it went back.
    async fn moved(&self, tipsets: Vec<Arc<Tipset>>) {
        // A node that is refused has no say in what the head is.
        if self.wire.check().await.is_err() {
            return;
        }
        let kept = tipsets.into_iter().map(|tipset| self.keep(Tipset::clone(&tipset)));
        let Some(new) = kept.last() else { return self.ask_head().await };
        let current = self.heads.state.borrow().tipset().cloned();
        match current {
            Some(current) if current.key() == new.key() => {}
            // Heads grow. This one does not, so it may be older news than an answer that came another way.
            Some(current)
                if *current.key() != new.parents() && new.parent_weight() <= current.parent_weight() =>
            {
                self.ask_head().await;
            }
            _ => self.set_head(new),
        }
    }

    async fn ask_head(&self) {
        match self.head().await {
            Ok(head) => self.set_head(head),
            // The connection breaks, and the next one begins with a head.
            Err(error) => tracing::debug!(%error, "head unknown"),
        }
    }

    fn set_head(&self, head: Arc<Tipset>) {
        self.heads.state.send_if_modified(|state| {
            let moved = !matches!(state, Feed::Closed) && state.key() != Some(head.key());
            if moved {
                *state = Feed::At(head);
            }
            moved
        });
    }
}

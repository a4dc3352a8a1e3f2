//! Several nodes of one network as one.

mod heads;
mod member;
mod read;
mod witness;
mod write;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::member::Member;
use super::FullNode;
use super::cache::Cache;
use super::heads::Feed;
use crate::api::ChainError;
use crate::types::{NetworkInfo, TipsetKey};

/// How several nodes are used together.
#[derive(Clone, Debug)]
pub struct MultiConfig {
    /// The name of the network. Without it, that of the first node that answers.
    pub network: Option<String>,
    /// A head stream that fell behind by more epochs gets a gap.
    pub max_gap: ChainEpoch,
    /// Time from one look at a node that failed to the next.
    pub probe: Duration,
}

impl Default for MultiConfig {
    /// Gaps above 900 epochs, a look every five seconds.
    fn default() -> Self {
        Self { network: None, max_gap: 900, probe: Duration::from_secs(5) }
    }
}

/// Several nodes of one network as one. Cheap to clone.
///
/// * Reads go to the node with the heaviest head among those that answer, and to the next one if the connection
///   fails or no answer comes in time. Other errors are answers. What is named by CID is the same everywhere, so a
///   node that does not have it is no reason not to ask the others.
/// * A message is pushed to all nodes; the first that takes it makes the push a success, and the others go on
///   behind it. If all refuse, the refusal of the best node counts.
/// * Selection, template and submission of a block go to one node. A submitted block is told to the others, too.
/// * The head is the heaviest of all. It does not fall back because a node is lost, only if the node that had it
///   says so; a stream goes from one node's head to another's without a gap.
/// * A node of another network is not used.
/// * Of three nodes or more, none can move the head alone: another one has to know the parents of what it tells, and
///   the weight that it claims has to be possible. A node that is not believed is asked last.
#[derive(Clone)]
pub struct MultiNode(Arc<Shared>);

struct Shared {
    members: Vec<Arc<Member>>,
    network: Arc<NetworkInfo>,
    head: watch::Sender<Feed>,
    /// Which node selected messages for a base, and which one made a miner's block of an epoch.
    selected: Cache<TipsetKey, usize>,
    made: Cache<(Address, ChainEpoch), usize>,
    config: MultiConfig,
    /// Pushes that go on behind one that succeeded.
    behind: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Calls that go on at once behind those that are answered.
const BEHIND: usize = 256;
/// Bases and blocks whose node is remembered.
const OWNERS: usize = 1024;

impl Drop for Shared {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl fmt::Debug for MultiNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MultiNode")
            .field("members", &self.0.members.len())
            .field("network", &self.0.network.name)
            .finish_non_exhaustive()
    }
}

impl MultiNode {
    /// Begins to use `nodes`, which were connected with [`NodeConfig::among_several`](super::NodeConfig::among_several)
    /// or are in this process. Those that do not answer at this moment are used as soon as they do.
    ///
    /// # Errors
    /// [`ChainError::Invalid`] without nodes, and if those that answer all follow another network than
    /// [`MultiConfig::network`]; else the error of the last node if none answers.
    pub async fn start(nodes: Vec<Arc<dyn FullNode>>, config: MultiConfig) -> Result<Self, ChainError> {
        let network = common_network(&nodes, config.network.as_deref()).await?;
        let members = nodes.into_iter().enumerate().map(|(index, node)| Arc::new(Member::new(index, node)));
        let shared = Arc::new(Shared {
            members: members.collect(),
            network,
            head: watch::Sender::new(Feed::Unknown),
            selected: Cache::new(OWNERS),
            made: Cache::new(OWNERS),
            config,
            behind: Arc::new(Semaphore::new(BEHIND)),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        for member in &shared.members {
            shared.run(heads::watch(Arc::downgrade(&shared), member.clone()));
        }
        Ok(Self(shared))
    }

    /// Ends all head streams and returns when nothing of this runs any more. The nodes stay as they are.
    pub async fn shutdown(&self) {
        self.0.head.send_replace(Feed::Closed);
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Whether each node answered when it was asked last, in the order in which they were given.
    pub fn healthy(&self) -> Vec<bool> {
        self.0.members.iter().map(|member| member.is_up()).collect()
    }
}

impl Shared {
    fn run(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// The nodes, best first: those that answer, by the weight of their heads, then as they were given.
    fn by_merit(&self) -> Vec<Arc<Member>> {
        let mut members = self.members.clone();
        members.sort_by_cached_key(|member| std::cmp::Reverse(member.merit()));
        members
    }

    /// The nodes with `first` before all others.
    fn beginning_with(&self, first: Option<usize>) -> Vec<Arc<Member>> {
        let mut members = self.by_merit();
        members.sort_by_key(|member| Some(member.index) != first);
        members
    }
}

async fn common_network(
    nodes: &[Arc<dyn FullNode>],
    expected: Option<&str>,
) -> Result<Arc<NetworkInfo>, ChainError> {
    let mut failure = ChainError::Invalid("no node is configured".into());
    for node in nodes {
        match node.network().await {
            Ok(network) if expected.is_none_or(|name| name == network.name) => return Ok(network),
            Ok(other) => {
                let text = format!("a node follows network {:?} instead of {expected:?}", other.name);
                failure = ChainError::Invalid(text);
            }
            Err(e) => failure = e,
        }
    }
    Err(failure)
}

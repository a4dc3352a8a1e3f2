//! Nodes of a Filecoin network behind the traits of [`crate::api`]: Lotus, Venus, Forest, and several at once.
//!
//! [`LotusNode`], [`VenusNode`] and [`ForestNode`] speak go-jsonrpc to one node each. They differ in the JSON that
//! they write; what a node can do is found out by asking: a method that it does not have is remembered until the
//! next connection and replaced where others can do its work.
//!
//! * Reads are repeated when the connection fails. What is named by CID is remembered, and asked for once when
//!   several want it at the same time.
//! * A node that follows another network than it should is refused, at first and after each reconnect.
//! * A head stream survives reconnects: it goes on from what its consumer saw last. Give a `ws` address; over
//!   `http` the head is asked for again and again.
//! * Where a trait promises more than the node's API does (pushing twice is success, one result for each message of
//!   a batch), the adapter looks, asks again, or takes the batch apart.
//!
//! ```no_run
//! use venus_core::api::ChainReader;
//! use venus_core::node::{LotusNode, NodeConfig};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let config = NodeConfig::default().on_network("calibrationnet");
//! let node = LotusNode::connect(&"/ip4/127.0.0.1/tcp/1234".parse()?, config).await?;
//! println!("{}", node.head().await?.height());
//! # Ok(())
//! # }
//! ```
//!
//! # What a node's answers mean here
//! A node answers a question about the state of the *empty* key with the state before the messages of its head, not
//! after them: it has not executed those for anybody yet. The adapters pass that on. The nonce that
//! [`MessagePool::next_nonce`] answers counts them.

mod cache;
mod chain;
mod config;
mod fault;
mod flavour;
mod flight;
mod gas;
mod heads;
mod market;
mod miner;
mod multi;
mod pool;
mod produce;
mod sector;
mod state;
mod wait;
mod wire;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::message::Message;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use self::cache::Cache;
use self::fault::Fault;
use self::heads::Heads;
use self::wire::{Manner, NONE, Wire};
use crate::api::{
    BlockProducer, ChainError, ChainReader, GasEstimator, HeadFeed, MarketReader, MessagePool, MinerReader,
    SectorReader, StateReader,
};
use crate::json::{Json, LotusJson};
use crate::rpc::ApiInfo;
use crate::rpc::CallError;
use crate::rpc::client::Connect;
use crate::types::{ActorInfo, BlockHeader, BlockMessages, NetworkInfo, Receipt, Tipset, TipsetKey, Version};

pub use self::config::NodeConfig;
pub use self::flavour::{Flavour, Forest, Lotus, NodeKind, Venus};
pub use self::multi::{MultiConfig, MultiNode};
pub use self::wait::wait_message;
pub use self::wire::WrongNetwork;

/// Everything that a node does for a pool. Whatever has all the traits is one, a chain in this process as well.
pub trait FullNode:
    ChainReader
    + StateReader
    + MinerReader
    + SectorReader
    + MarketReader
    + HeadFeed
    + MessagePool
    + GasEstimator
    + BlockProducer
{
}

impl<T> FullNode for T where
    T: ChainReader
        + StateReader
        + MinerReader
        + SectorReader
        + MarketReader
        + HeadFeed
        + MessagePool
        + GasEstimator
        + BlockProducer
        + ?Sized
{
}

/// A Lotus node, or what answers like one.
pub type LotusNode = RpcNode<Lotus>;
/// A Venus node, or a proxy of it.
pub type VenusNode = RpcNode<Venus>;
/// A Forest node.
pub type ForestNode = RpcNode<Forest>;

/// A node that speaks go-jsonrpc. Cheap to clone; clones share the connection and what is remembered. The
/// connection closes with the last clone, or with [`shutdown`](Self::shutdown).
pub struct RpcNode<F> {
    core: Arc<Core>,
    flavour: PhantomData<fn() -> F>,
}

impl<F> Clone for RpcNode<F> {
    fn clone(&self) -> Self {
        Self { core: self.core.clone(), flavour: PhantomData }
    }
}

impl<F: Flavour> fmt::Debug for RpcNode<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RpcNode")
            .field("spoken_to_as", &F::KIND)
            .field("is", &self.core.kind)
            .field("url", &self.core.wire.url())
            .finish_non_exhaustive()
    }
}

/// What the clones of a node share.
struct Core {
    wire: Arc<Wire>,
    kind: NodeKind,
    version: Version,
    tipsets: Cache<TipsetKey, Arc<Tipset>>,
    blocks: Cache<Cid, Arc<BlockHeader>>,
    block_messages: Cache<Cid, Arc<BlockMessages>>,
    receipts: Cache<Cid, Arc<Vec<Receipt>>>,
    messages: Cache<Cid, Message>,
    genesis: OnceCell<Arc<Tipset>>,
    network: OnceCell<Arc<NetworkInfo>>,
    heads: Heads,
}

impl<F: Flavour> RpcNode<F> {
    /// Connects to the node at `info` and looks at what it is. A token in `info` is sent along. The path of the
    /// API, `/rpc/v1`, is added as the tools of that node do.
    ///
    /// # Errors
    /// [`ChainError::Invalid`] for an address that is none, and for a node of another network than
    /// [`NodeConfig::network`]; [`ChainError::Unauthorized`], [`ChainError::Transport`], [`ChainError::Timeout`].
    /// Nothing is retried: who wants to wait for a node that starts, calls again.
    pub async fn connect(info: &ApiInfo, mut config: NodeConfig) -> Result<Self, ChainError> {
        let url = match F::KIND {
            NodeKind::Venus => info.dial_url("v1"),
            NodeKind::Lotus | NodeKind::Forest => info.lotus_url("v1"),
        };
        let url = url.map_err(|e| ChainError::Invalid(e.to_string()))?;
        if let Some(token) = &info.token {
            config.client = config.client.with_token(token);
        }
        Self::connect_url(&url, config).await
    }

    /// Connects to exactly this URL.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_url(url: &str, config: NodeConfig) -> Result<Self, ChainError> {
        let config = Self::prepared(config)?;
        let wire = Wire::dial(url, config.client.clone(), Self::manner(&config)).await;
        Self::introduced(wire.map_err(at_connect)?, &config).await
    }

    /// Connects over sockets that `connector` opens.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with(connector: impl Connect, config: NodeConfig) -> Result<Self, ChainError> {
        let config = Self::prepared(config)?;
        let wire = Wire::over(connector, config.client.clone(), Self::manner(&config)).await;
        Self::introduced(wire.map_err(at_connect)?, &config).await
    }

    fn prepared(mut config: NodeConfig) -> Result<NodeConfig, ChainError> {
        if let Some(namespace) = F::NAMESPACE {
            let client = config.client.with_namespace(namespace);
            config.client = client.map_err(|e| ChainError::Invalid(e.to_string()))?;
        }
        Ok(config)
    }

    fn manner(config: &NodeConfig) -> Manner {
        Manner { face: F::FACE, network: config.network.clone(), retries: config.retries }
    }

    async fn introduced(wire: Arc<Wire>, config: &NodeConfig) -> Result<Self, ChainError> {
        wire.check().await.map_err(at_connect)?;
        let version: Version = wire.read("Filecoin.Version", &NONE).await.map_err(Fault::plain)?;
        let kind = NodeKind::of(&version);
        if kind != F::KIND {
            tracing::info!(expected = %F::KIND, found = %kind, "node of another kind");
        }
        let (some, many, few) = (config.remembered, config.remembered * 4, config.remembered / 8);
        let core = Core {
            wire,
            kind,
            version,
            tipsets: Cache::new(some),
            blocks: Cache::new(many),
            block_messages: Cache::new(few),
            receipts: Cache::new(few),
            messages: Cache::new(many),
            genesis: OnceCell::new(),
            network: OnceCell::new(),
            heads: Heads::new(config),
        };
        let node = Self { core: Arc::new(core), flavour: PhantomData };
        let network = node.core.network().await?;
        node.core.wire.set_prefix(network.address_network);
        Ok(node)
    }

    /// What the node says that it is. It may be another kind than it is spoken to as: proxies answer for others.
    pub fn kind(&self) -> NodeKind {
        self.core.kind
    }

    /// The version of the node's software and API.
    pub fn version(&self) -> &Version {
        &self.core.version
    }

    /// Where the node is, without the token.
    pub fn url(&self) -> &str {
        self.core.wire.url()
    }

    /// Methods that were called and that the node does not have, sorted. Others do their work where they can.
    pub fn missing_methods(&self) -> Vec<&'static str> {
        self.core.wire.lacking()
    }

    /// Whether calls can be sent at this moment. Always, over HTTP.
    pub fn is_connected(&self) -> bool {
        self.core.wire.client().is_connected()
    }

    /// Closes the connection and ends all head streams. Calls of all clones fail from now on.
    pub async fn shutdown(&self) {
        self.core.heads.close().await;
        self.core.wire.client().shutdown().await;
    }

    fn wire(&self) -> &Arc<Wire> {
        &self.core.wire
    }

    /// Makes sure that somebody has `address`, where a node answers zero or nothing for nobody.
    async fn must_exist(&self, address: &Address, at: &TipsetKey) -> Result<(), ChainError> {
        match self.find_actor(address, at).await? {
            Some(_) => Ok(()),
            None => Err(ChainError::ActorNotFound(*address)),
        }
    }

    async fn find_actor(&self, address: &Address, at: &TipsetKey) -> Result<Option<ActorInfo>, ChainError> {
        match self.get_at("Filecoin.StateGetActor", &(Json(*address), at), at).await {
            Ok(actor) => Ok(actor),
            Err(fault) if fault.no_actor() => Ok(None),
            Err(fault) => Err(fault.at(at)),
        }
    }

    /// A read about the state at `at`: shared with others if that names a tipset.
    async fn get_at<R: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &impl serde::Serialize,
        at: &TipsetKey,
    ) -> Result<R, Fault> {
        match at.is_empty() {
            true => self.wire().read(method, params).await,
            false => self.wire().pinned(method, params).await,
        }
    }
}

/// At first a node of another network is a mistake of the configuration; later it is an outage.
fn at_connect(error: CallError) -> ChainError {
    match &error {
        CallError::Unreachable { source, .. } if source.is::<WrongNetwork>() => {
            ChainError::Invalid(error.to_string())
        }
        _ => crate::rpc::classify::chain_error("connecting", error),
    }
}

/// What a node writes as a list or as `null`.
type List<T> = Option<Json<Vec<T>>>;

fn list<T: LotusJson>(answer: List<T>) -> Vec<T> {
    answer.map(Json::into_inner).unwrap_or_default()
}

//! Calls to a node: checked network, known gaps, retries, one call for several who ask the same.

mod guard;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use fvm_shared::address::Network;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep};

use self::guard::Guard;
pub use self::guard::WrongNetwork;
use super::fault::{Fault, copy_call};
use super::flight::Flights;
use crate::entropy::{Entropy, OsEntropy};
use crate::error::{Classify, ErrorKind};
use crate::json::{Face, with_face, with_network};
use crate::rpc::client::{BackOff, ClientConfig, Connect, Dialler, RpcClient, Socket};
use crate::rpc::{CallError, RpcError, codes};

/// No parameters.
pub(super) const NONE: [(); 0] = [];

/// Pauses between tries of a read.
const PAUSES: BackOff = BackOff { min: Duration::from_millis(100), max: Duration::from_secs(2), factor: 3.0 };
/// A read that took longer is not tried again: the connection has had its chances.
const PATIENCE: Duration = Duration::from_secs(10);

/// A result that several callers get.
type Shared = Result<Arc<RawValue>, Arc<CallError>>;

/// The connection to a node.
pub(super) struct Wire {
    client: RpcClient,
    /// Without the token.
    url: String,
    face: Face,
    prefix: OnceLock<Network>,
    /// Counts connections; calls over HTTP count a new one when one fails.
    generation: Arc<AtomicU64>,
    guard: Guard,
    missing: Mutex<Missing>,
    flights: Flights<Shared>,
    retries: u32,
    is_socket: bool,
}

/// Methods that the node of a connection does not have.
#[derive(Default)]
struct Missing {
    generation: u64,
    methods: HashSet<&'static str>,
}

/// Opens sockets and counts them.
struct Counting<C> {
    inner: C,
    generation: Arc<AtomicU64>,
}

#[async_trait]
impl<C: Connect> Connect for Counting<C> {
    async fn connect(&self) -> Result<Socket, CallError> {
        let socket = self.inner.connect().await?;
        self.generation.fetch_add(1, Ordering::AcqRel);
        Ok(socket)
    }

    fn url(&self) -> &str {
        self.inner.url()
    }
}

/// How a node is talked to, besides the connection itself.
pub(super) struct Manner {
    pub(super) face: Face,
    pub(super) network: Option<String>,
    pub(super) retries: u32,
}

impl Wire {
    pub(super) async fn dial(
        url: &str,
        config: ClientConfig,
        manner: Manner,
    ) -> Result<Arc<Self>, CallError> {
        if url.starts_with("ws://") || url.starts_with("wss://") {
            let dialler = Dialler::new(url, &config)?;
            return Self::over(dialler, config, manner).await;
        }
        let client = RpcClient::connect(url, config).await?;
        let url = url.split('?').next().unwrap_or_default().to_owned();
        Ok(Self::new(client, url, Arc::new(AtomicU64::new(1)), manner, false))
    }

    pub(super) async fn over(
        connector: impl Connect,
        config: ClientConfig,
        manner: Manner,
    ) -> Result<Arc<Self>, CallError> {
        let generation = Arc::<AtomicU64>::default();
        let url = connector.url().split('?').next().unwrap_or_default().to_owned();
        let counting = Counting { inner: connector, generation: generation.clone() };
        let client = RpcClient::connect_with(counting, config).await?;
        Ok(Self::new(client, url, generation, manner, true))
    }

    fn new(
        client: RpcClient,
        url: String,
        generation: Arc<AtomicU64>,
        manner: Manner,
        is_socket: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            client,
            url,
            face: manner.face,
            prefix: OnceLock::new(),
            generation,
            guard: Guard::new(manner.network),
            missing: Mutex::default(),
            flights: Flights::default(),
            retries: manner.retries,
            is_socket,
        })
    }

    pub(super) fn client(&self) -> &RpcClient {
        &self.client
    }

    pub(super) fn is_socket(&self) -> bool {
        self.is_socket
    }

    /// Remembers that the node does not have `method`.
    pub(super) fn learn_missing(&self, method: &'static str) {
        if !self.lacks(method) {
            self.missing().methods.insert(method);
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// From now on addresses are written as `network` has them.
    pub(super) fn set_prefix(&self, network: Network) {
        let _ = self.prefix.set(network);
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn missing(&self) -> MutexGuard<'_, Missing> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the node is known not to have `method`. Another connection may lead to a newer node, so it forgets.
    pub(super) fn lacks(&self, method: &'static str) -> bool {
        let (now, mut missing) = (self.generation(), self.missing());
        if missing.generation != now {
            *missing = Missing { generation: now, methods: HashSet::new() };
        }
        missing.methods.contains(method)
    }

    /// The methods that the node is known not to have.
    pub(super) fn lacking(&self) -> Vec<&'static str> {
        let mut methods: Vec<_> = self.missing().methods.iter().copied().collect();
        methods.sort_unstable();
        methods
    }

    /// A call that changes something, made once.
    pub(super) async fn call<R: DeserializeOwned>(
        self: &Arc<Self>,
        method: &'static str,
        params: &impl Serialize,
    ) -> Result<R, Fault> {
        let params = self.write(method, params)?;
        let answer = self.attempt(method, &params).await.map_err(|error| Fault { method, error })?;
        decode(method, &answer)
    }

    /// A call that changes nothing, repeated while the connection fails.
    pub(super) async fn read<R: DeserializeOwned>(
        self: &Arc<Self>,
        method: &'static str,
        params: &impl Serialize,
    ) -> Result<R, Fault> {
        let params = self.write(method, params)?;
        let answer = self.persist(method, &params).await.map_err(|error| Fault { method, error })?;
        decode(method, &answer)
    }

    /// A call whose answer never changes, because all that it asks of is named by CID. Several who ask at once get
    /// one answer. Answers about the head are not shared: one that is under way may be older than its next asker.
    pub(super) async fn pinned<R: DeserializeOwned>(
        self: &Arc<Self>,
        method: &'static str,
        params: &impl Serialize,
    ) -> Result<R, Fault> {
        let params = self.write(method, params)?;
        let key = format!("{method}{params}");
        let wire = self.clone();
        let fly = move || {
            async move {
                let answer = wire.persist(method, &params).await;
                answer.map(Arc::from).map_err(Arc::new)
            }
            .boxed()
        };
        let answer = self.flights.join(key, fly).await;
        let answer = answer.map_err(|error| Fault { method, error: copy_call(&error) })?;
        decode(method, &answer)
    }

    fn write(&self, method: &'static str, params: &impl Serialize) -> Result<String, Fault> {
        let prefix = self.prefix.get().copied().unwrap_or(Network::Mainnet);
        let json = with_face(self.face, || with_network(prefix, || serde_json::to_string(params)));
        json.map_err(|e| {
            let error = CallError::Params { method: method.to_owned(), reason: e.to_string() };
            Fault { method, error }
        })
    }

    async fn persist(
        self: &Arc<Self>,
        method: &'static str,
        params: &str,
    ) -> Result<Box<RawValue>, CallError> {
        let started = Instant::now();
        let mut attempt = 0;
        loop {
            match self.attempt(method, params).await {
                Err(error) if attempt < self.retries && started.elapsed() < PATIENCE && is_lost(&error) => {
                    let mut random = [0; 4];
                    let _ = OsEntropy.fill(&mut random);
                    sleep(PAUSES.pause(attempt, u32::from_ne_bytes(random))).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn attempt(
        self: &Arc<Self>,
        method: &'static str,
        params: &str,
    ) -> Result<Box<RawValue>, CallError> {
        if self.lacks(method) {
            return Err(RpcError::new(codes::METHOD_NOT_FOUND, format!("method '{method}' not found")).into());
        }
        let before = self.check().await?;
        let answer = self.client.call_raw(method, Some(params)).await;
        match &answer {
            // The socket may have been redialled before the call went out.
            Ok(_) if self.generation() != before => {
                self.check().await?;
            }
            Err(CallError::Rpc(error)) if error.code == codes::METHOD_NOT_FOUND => {
                self.learn_missing(method);
            }
            Err(CallError::Unreachable { .. } | CallError::Timeout { .. } | CallError::Status { .. }) => {
                self.suspect(before);
            }
            _ => {}
        }
        answer
    }

    /// Over HTTP nobody tells when the node was away, so after a failure it may be another one.
    fn suspect(&self, generation: u64) {
        if !self.is_socket {
            let next = generation.wrapping_add(1);
            let _ = self.generation.compare_exchange(generation, next, Ordering::AcqRel, Ordering::Relaxed);
        }
    }
}

/// Whether the connection is at fault, so that a new one may do.
fn is_lost(error: &CallError) -> bool {
    match error {
        CallError::Closed | CallError::Timeout { .. } => false,
        CallError::Unreachable { source, .. } => !source.is::<WrongNetwork>(),
        other => other.kind() == ErrorKind::Transient,
    }
}

fn decode<R: DeserializeOwned>(method: &'static str, answer: &RawValue) -> Result<R, Fault> {
    serde_json::from_str(answer.get()).map_err(|e| {
        let error = CallError::Decode { method: method.to_owned(), reason: e.to_string() };
        Fault { method, error }
    })
}

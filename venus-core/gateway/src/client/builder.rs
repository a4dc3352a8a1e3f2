//! Which gateways, and how they are treated.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};
use venus_core::rpc::client::{BackOff, ClientConfig, WhileDown};

use super::link::Link;
use super::route::Routes;
use crate::endpoint::{Endpoint, EndpointError};
use crate::verify::{SignatureVerifier, Verifying};

/// A gateway to ask. Its address may begin with the token, so it is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct GatewayConfig {
    api: String,
    accounts: Vec<String>,
}

impl fmt::Debug for GatewayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayConfig").field("accounts", &self.accounts).finish_non_exhaustive()
    }
}

impl GatewayConfig {
    /// A gateway at `TOKEN:ADDRESS`; a multiaddr without a scheme means a WebSocket.
    pub fn new(api: impl Into<String>) -> Self {
        Self { api: api.into(), accounts: Vec::new() }
    }

    /// Asks only for wallets of these accounts. Our gateways find the accounts themselves, and what is named here only
    /// narrows them; **a gateway of Go finds nobody unless they are named**.
    #[must_use]
    pub fn accounts(mut self, accounts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.accounts = accounts.into_iter().map(Into::into).collect();
        self
    }
}

impl<T: Into<String>> From<T> for GatewayConfig {
    fn from(api: T) -> Self {
        Self::new(api)
    }
}

/// Makes a [`Gateways`] or what stands on one.
pub struct Builder<T> {
    gateways: Vec<GatewayConfig>,
    options: Options,
    clear_text: bool,
    client: ClientConfig,
    cache_ttl: Duration,
    cached: usize,
    made: PhantomData<fn() -> T>,
}

/// How gateways are treated.
#[derive(Clone)]
pub(super) struct Options {
    /// For a call of a trait that names no deadline of its own, in all.
    pub(super) deadline: Duration,
    /// For one gateway, while there are others.
    pub(super) attempt: Duration,
    /// For the question who has a key.
    pub(super) look: Duration,
    /// How long the other gateways are waited for after the first one that has it.
    pub(super) grace: Duration,
    pub(super) verifier: Arc<dyn SignatureVerifier>,
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("gateways", &self.gateways).finish_non_exhaustive()
    }
}

impl<T: From<Gateways>> Builder<T> {
    pub(super) fn new() -> Self {
        Self {
            gateways: Vec::new(),
            options: Options {
                deadline: Duration::from_secs(10),
                attempt: Duration::from_secs(5),
                look: Duration::from_secs(3),
                grace: Duration::from_millis(200),
                verifier: Arc::new(Verifying::default()),
            },
            clear_text: false,
            client: ClientConfig {
                // Each call has a deadline of its own, around the client's.
                deadline: Duration::from_secs(24 * 3600),
                back_off: BackOff { max: Duration::from_secs(2), ..BackOff::default() },
                while_down: WhileDown::Wait,
                ..ClientConfig::default()
            },
            cache_ttl: Duration::from_secs(60),
            cached: 16_384,
            made: PhantomData,
        }
    }

    /// One gateway more, as `TOKEN:ADDRESS` or with its accounts.
    #[must_use]
    pub fn gateway(mut self, gateway: impl Into<GatewayConfig>) -> Self {
        self.gateways.push(gateway.into());
        self
    }

    /// How long signing, looking or one question about unsealing may take in all; 10 s. A proof has the deadline of its
    /// caller.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.options.deadline = deadline;
        self
    }

    /// How long one gateway may take before the next one is asked to sign; 5 s.
    #[must_use]
    pub fn attempt_deadline(mut self, deadline: Duration) -> Self {
        self.options.attempt = deadline;
        self
    }

    /// How long it is believed that a gateway has a key or a miner; 60 s. A failure ends it at once.
    #[must_use]
    pub fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.cache_ttl = ttl;
        self
    }

    /// Lets tokens travel in clear beyond this machine.
    #[must_use]
    pub fn allow_clear_text(mut self) -> Self {
        self.clear_text = true;
        self
    }

    /// Limits, headers and keep-alive of the connections. Deadlines in it do not count, and tokens are added.
    #[must_use]
    pub fn client(mut self, client: ClientConfig) -> Self {
        let ClientConfig { deadline, while_down, .. } = self.client;
        self.client = ClientConfig { deadline, while_down, deadlines: Default::default(), ..client };
        self
    }

    /// What checks signatures before they are handed on; by default every signature is checked against its bytes.
    #[must_use]
    pub fn verifier(mut self, verifier: Arc<dyn SignatureVerifier>) -> Self {
        self.options.verifier = verifier;
        self
    }

    /// Starts to dial all gateways and returns at once: one that is down is tried again until it is there. Needs a Tokio
    /// runtime.
    ///
    /// # Errors
    /// [`EndpointError`]; nothing was started then.
    pub fn build(self) -> Result<T, EndpointError> {
        let mut seen = HashSet::new();
        let mut links = Vec::with_capacity(self.gateways.len());
        for (number, gateway) in (1..).zip(self.gateways) {
            let endpoint = Endpoint::read(&gateway.api, number, self.clear_text, self.client.clone())?;
            if !seen.insert(endpoint.name().to_owned()) {
                return Err(EndpointError::Twice(endpoint.name().to_owned()));
            }
            links.push(Arc::new(Link::new(endpoint, gateway.accounts)));
        }
        if links.is_empty() {
            return Err(EndpointError::None);
        }
        let routes = || Routes::new(self.cache_ttl, self.cached);
        let (wallets, provers, sealers) = (routes(), routes(), routes());
        Ok(Gateways::start(links, self.options, [wallets, provers, sealers]).into())
    }
}

/// Connections to gateways. Clones share them; they end with [`Gateways::shutdown`], or with the last clone.
#[derive(Clone)]
pub struct Gateways {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) links: Vec<Arc<Link>>,
    pub(super) options: Options,
    pub(super) wallets: Routes,
    pub(super) provers: Routes,
    pub(super) sealers: Routes,
    stop: CancellationToken,
    tasks: Mutex<JoinSet<()>>,
    _stop_on_drop: DropGuard,
}

/// How the connection to a gateway stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GatewayState {
    /// Where it is, without the token.
    pub url: String,
    /// Whether it can be asked.
    pub connected: bool,
    /// Calls under way.
    pub in_flight: usize,
    /// Why it cannot be asked.
    pub trouble: Option<String>,
}

impl fmt::Debug for Gateways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gateways").field(&self.state()).finish()
    }
}

impl Gateways {
    /// Connections for several purposes: make them once, and [`GatewaySigner`](super::GatewaySigner),
    /// [`GatewayProver`](super::GatewayProver) and [`GatewayUnsealer`](super::GatewayUnsealer) by `from`.
    pub fn builder() -> Builder<Self> {
        Builder::new()
    }

    fn start(links: Vec<Arc<Link>>, options: Options, [wallets, provers, sealers]: [Routes; 3]) -> Self {
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        for link in &links {
            let (link, stop) = (link.clone(), stop.clone());
            tasks.spawn(async move {
                // Once dialled, the client redials by itself for as long as the link is there.
                let _ = stop.run_until_cancelled(link.clone().dial()).await;
                stop.cancelled().await;
                link.shutdown().await;
            });
        }
        let guard = stop.clone().drop_guard();
        let inner = Inner {
            links,
            options,
            wallets,
            provers,
            sealers,
            stop,
            tasks: Mutex::new(tasks),
            _stop_on_drop: guard,
        };
        Self { inner: Arc::new(inner) }
    }

    /// How the connections stand, in the order of the configuration.
    pub fn state(&self) -> Vec<GatewayState> {
        let state = |link: &Arc<Link>| GatewayState {
            url: link.name().to_owned(),
            connected: link.is_up(),
            in_flight: link.in_flight(),
            trouble: link.trouble(),
        };
        self.inner.links.iter().map(state).collect()
    }

    /// Says goodbye to all gateways, and returns when nothing runs any more. Calls fail from now on.
    pub async fn shutdown(&self) {
        self.inner.stop.cancel();
        let mut tasks = std::mem::take(&mut *self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while tasks.join_next().await.is_some() {}
    }
}

impl Inner {
    /// The gateways `among` that may be asked, the best first: connected, and with the least to do.
    pub(super) fn in_order(&self, among: &[usize]) -> Vec<(usize, &Arc<Link>)> {
        let mut links: Vec<_> = among.iter().filter_map(|at| Some((*at, self.links.get(*at)?))).collect();
        links.sort_by_key(|(_, link)| (!link.is_up(), link.in_flight()));
        links
    }

    /// All of them, those that are known to have the address first.
    pub(super) fn known_first(&self, known: Option<Arc<[usize]>>) -> Vec<(usize, &Arc<Link>)> {
        let known = known.unwrap_or_default();
        let others: Vec<usize> = (0..self.links.len()).filter(|at| !known.contains(at)).collect();
        let mut links = self.in_order(&known);
        links.extend(self.in_order(&others));
        // A gateway that is away is asked only after all that are there.
        links.sort_by_key(|(_, link)| !link.is_up());
        links
    }

    /// Waits until one gateway can be asked, if none can; not longer than `until`, and not for what never will be.
    pub(super) async fn somebody_is_there(&self, until: Instant) {
        if self.links.iter().any(|link| link.is_up()) {
            return;
        }
        let reached = self.links.iter().map(|link| Box::pin(link.reached()));
        let _ = timeout_at(until, futures::future::select_ok(reached)).await;
    }
}

//! One address for a whole pool: requests go to the component that they name.
//!
//! Go's generated clients say in a header whose interface they speak ([`NAMESPACE_HEADER`]), so that every component's
//! URL may be the gateway's. As in sophon-gateway the header decides, not the path; HTTP and WebSockets are passed on.
//!
//! Unlike there, **nothing reaches a component before its caller is known here** (T13): the same [`Authenticate`] that
//! guards the hub is asked first, and a narrowed token needs the scope `proxy:<host key>`. Tokens that the account service
//! cannot name (see [`Identity::token`]) are this program's own, and go nowhere. Components check the token, which is
//! passed on, once more. Where a target is changed at run time, only hosts that the operator named are taken.
//!
//! | namespace | host key |
//! |---|---|
//! | none, `gateway.IGateway` | `GATEWAY`: the hub itself |
//! | `v0.FullNode`, `v1.FullNode` | `VENUS` |
//! | `messager.IMessager` | `MESSAGER` |
//! | `miner.MinerAPI` | `MINER` |
//! | `v0.IMarket`, `v1.IMarket` | `DROPLET` |
//! | `auth.IAuthClient` | `AUTH` |

mod admit;
mod forward;
mod headers;
mod limited;
mod open;
mod targets;
mod tunnel;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;
use venus_core::rpc::server::Authenticate;
use venus_core::rpc::{Identity, NAMESPACE_HEADER};

pub use targets::{HostKey, Target};

use crate::error::HubError;
use crate::rpc::ReverseTargets;
use open::Open;
use targets::Targets;

/// How a [`Proxy`] behaves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProxyOptions {
    /// Hosts that targets set at run time may have, as `host` or `host:port`. Empty for none: then a target can only be
    /// taken away. Addresses of private networks count like others, so that nothing but what stands here is reached.
    pub hosts: Vec<String>,
    /// Whether tokens are taken from the query, `?token=`, as Go does. They go on in the header.
    pub query_tokens: bool,
    /// Largest body of a request, bytes. Answers are passed on as they come, and have no bound.
    pub body: u64,
    /// How long the connection to a component may take.
    pub connect: Duration,
    /// How long a component may take for the header of its answer.
    pub answer: Duration,
    /// How long a body or a WebSocket may be silent, in both directions. Every Venus and Lotus end sends something each
    /// 5 s.
    pub idle: Duration,
    /// Requests and WebSockets at once.
    pub exchanges: usize,
}

impl Default for ProxyOptions {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            query_tokens: true,
            body: 100 << 20,
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(300),
            idle: Duration::from_secs(90),
            exchanges: 4096,
        }
    }
}

/// Passes requests on. Cheap to clone; all clones are one proxy.
#[derive(Clone)]
pub struct Proxy(Arc<Inner>);

struct Inner {
    gate: Arc<dyn Authenticate>,
    options: ProxyOptions,
    targets: Targets,
    client: reqwest::Client,
    /// Requests that came through here already name it, so that a circle ends.
    name: String,
    permits: Arc<Semaphore>,
    open: Open,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("options", &self.0.options).field("targets", &self.0.targets).finish()
    }
}

impl Proxy {
    /// A proxy without targets, for those whom `gate` knows.
    ///
    /// # Errors
    /// [`HubError::Invalid`] if the system's certificates cannot be used.
    pub fn new(gate: Arc<dyn Authenticate>, options: ProxyOptions) -> Result<Self, HubError> {
        venus_core::rpc::client::choose_tls();
        let client = reqwest::Client::builder()
            .connect_timeout(options.connect)
            .tcp_nodelay(true)
            // The token must not travel to wherever a redirect points, and an upgrade needs HTTP/1.
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .no_proxy()
            .build()
            .map_err(|error| HubError::Invalid(format!("proxy: {error}")))?;
        Ok(Self(Arc::new(Inner {
            gate,
            targets: Targets::new(&options.hosts),
            client,
            name: Uuid::new_v4().simple().to_string(),
            permits: Arc::new(Semaphore::new(options.exchanges)),
            open: Open::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            options,
        })))
    }

    /// Sends requests for `key` to `target` from now on; `None` takes it away. For what the operator configured: any
    /// host.
    pub fn set(&self, key: HostKey, target: Option<Target>) {
        self.0.targets.set(key, target);
    }

    /// Where requests for `key` go.
    #[must_use]
    pub fn target(&self, key: HostKey) -> Option<Target> {
        self.0.targets.get(key)
    }

    /// `router`, before which the header decides.
    pub fn wrap(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), decide))
    }

    /// Ends the requests and WebSockets of all callers that `who` picks, who gets what the token said and from where it
    /// came. To be called when a token or an account is revoked. Returns how many were picked.
    pub fn end(&self, who: impl Fn(&Identity, Option<SocketAddr>) -> bool) -> usize {
        self.0.open.end(who)
    }

    /// The names (SHA-256) of the tokens that something under way rests on.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.0.open.tokens()
    }

    /// How many requests and WebSockets are under way.
    #[must_use]
    pub fn open(&self) -> usize {
        self.0.open.len()
    }

    /// Refuses what comes, ends all WebSockets, and returns when nothing of the proxy runs any more.
    pub async fn shutdown(&self) {
        self.0.stop.cancel();
        self.0.open.end(|_, _| true);
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

async fn decide(State(proxy): State<Proxy>, request: Request, next: Next) -> Response {
    let named = request.headers().get(NAMESPACE_HEADER).map(|value| value.as_bytes().to_vec());
    match named {
        Some(namespace) if !namespace.is_empty() => match HostKey::of_namespace(&namespace) {
            Some(HostKey::Gateway) => next.run(request).await,
            key => forward::answer(proxy, &String::from_utf8_lossy(&namespace), key, request).await,
        },
        _ => next.run(request).await,
    }
}

#[async_trait]
impl ReverseTargets for Proxy {
    async fn register(&self, host_key: &str, url: &str) -> Result<(), HubError> {
        self.0.targets.register(host_key, url)
    }
}

//! Numbers for Prometheus: libraries count through the `metrics` facade, a program exports what they count.
//!
//! Names are `venus_<component>_<what>_<unit>`, counters end in `_total`, units are base units (seconds, bytes), and
//! rates are left to Prometheus. A label has few values, known beforehand: a method, an outcome, an
//! [`ErrorKind`](https://docs.rs/venus-core/latest/venus_core/enum.ErrorKind.html); never a message, an address, a token
//! or an error's text.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use secrecy::{ExposeSecret, SecretString};
use tokio::{net::TcpListener, time};
use tokio_util::sync::CancellationToken;

/// How often old samples of histograms are folded away. Without it they pile up until somebody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);
/// Bounds of all histograms, in seconds: from a hash to a sealed sector's patience.
const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0];

/// Why nothing is exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// Other machines reach this address, and there is no token.
    #[error("metrics on {0} are open to other machines: listen on 127.0.0.1, or set a token")]
    Open(SocketAddr),
    /// The address cannot be listened on. It may work later, where another process has it now.
    #[error("metrics cannot listen on {addr}: {source}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// This process exports already, or the exporter refuses.
    #[error("metrics cannot be recorded: {0}")]
    Recorder(#[from] BuildError),
}

/// An exporter that listens, and answers once it is [run](Exporter::run).
#[derive(Debug)]
pub struct Exporter {
    listener: TcpListener,
    addr: SocketAddr,
    handle: PrometheusHandle,
    token: Option<SecretString>,
}

/// Records this process's metrics and listens for `GET /metrics` on `addr`; port 0 takes any. Call once.
///
/// With `token`, a request needs `Authorization: Bearer <token>`. Without one only a loopback address is taken: then
/// who may log in to this machine may read the numbers, which hold no secret.
///
/// # Errors
/// [`MetricsError`]; nothing is recorded then.
pub async fn install(addr: SocketAddr, token: Option<SecretString>) -> Result<Exporter, MetricsError> {
    if token.is_none() && !addr.ip().is_loopback() {
        return Err(MetricsError::Open(addr));
    }
    let failed = |source| MetricsError::Listen { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    let handle = PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder()?;
    Ok(Exporter { listener, addr, handle, token })
}

impl Exporter {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers until `stop`, as a task of [`Tasks`](crate::task::Tasks).
    ///
    /// # Errors
    /// The listener broke.
    pub async fn run(self, stop: CancellationToken) -> io::Result<()> {
        let upkeep = self.handle.clone();
        let shared = Arc::new((self.handle, self.token));
        let router = Router::new().route("/metrics", get(render)).with_state(shared);
        let served = axum::serve(self.listener, router).with_graceful_shutdown(stop.cancelled_owned());
        tokio::select! {
            ended = served.into_future() => ended,
            () = keep(upkeep) => Ok(()),
        }
    }
}

async fn keep(handle: PrometheusHandle) {
    let mut ticks = time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        handle.run_upkeep();
    }
}

type Shared = Arc<(PrometheusHandle, Option<SecretString>)>;

async fn render(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let (handle, token) = &*shared;
    if !token.as_ref().is_none_or(|token| bears(&headers, token)) {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response();
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render()).into_response()
}

fn bears(headers: &HeaderMap, token: &SecretString) -> bool {
    let given =
        headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    given.is_some_and(|given| same(given, token.expose_secret().as_bytes()))
}

/// Compares in a time that depends on the lengths alone, so that a token cannot be guessed byte by byte.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}

//! `venus-gateway run`: everything together.

mod args;
mod gate;
mod probe;
mod status;
mod tighten;

use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::Arc;

use axum::Router;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use venus_auth::client::AuthClient;
use venus_auth::limits::{CallLimiter, LimitConfig};
use venus_auth::watch::Watch;
use venus_bins_common::dirlock::DirLock;
use venus_bins_common::listen::{GRACE, Port, multiaddr};
use venus_bins_common::open_files::{OpenFiles, raise_open_files};
use venus_bins_common::{files, logging, metrics, progress::Progress, shutdown, task::Tasks};
use venus_core::rpc::server::Authenticate;
use venus_gateway::Hub;
use venus_gateway::proxy::Proxy;
use venus_gateway::rpc::{GatewayServer, ServerOptions};

use crate::cli::{ADDRESS_FILE, CliError, Ctx, TOKEN_FILE};
use crate::config::Config;

pub(crate) use args::RunArgs;
pub(crate) use probe::STATUS;
pub(crate) use status::Status;

/// Runs the gateway until it is told to stop.
pub(crate) async fn run(ctx: &Ctx, args: RunArgs) -> Result<(), CliError> {
    let stop = shutdown::install()?;
    let said = |error: logging::LoggingError| CliError(error.to_string());
    let format = args.log_format.parse().map_err(said)?;
    let mut config = ctx.config()?;
    args.apply(&mut config)?;
    let level = if config.log.loglevel.is_empty() { "info" } else { &config.log.loglevel };
    logging::init(format, level, &Progress::stderr()).map_err(said)?;
    files::create_dir(ctx.repo())?;
    let _held = DirLock::acquire(ctx.repo()).map_err(|error| CliError(error.to_string()))?;
    tighten::configuration(ctx.repo());
    let daemon = Daemon::new(ctx, config).await?;
    daemon.run(stop).await
}

/// Everything that lives as long as the program.
struct Daemon<'a> {
    ctx: &'a Ctx,
    config: Config,
    port: Port,
    exporter: Option<metrics::Exporter>,
    parts: Parts,
    watch: Watch,
    token: SecretString,
}

/// What requests meet.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) auth: AuthClient,
    pub(super) gate: Arc<dyn Authenticate>,
    pub(super) hub: Hub,
    pub(super) server: GatewayServer,
    pub(super) proxy: Proxy,
    pub(super) facts: Arc<Facts>,
}

/// What does not change while the program runs.
pub(super) struct Facts {
    pub(super) url: String,
    pub(super) open_files: OpenFiles,
    pub(super) most_channels: usize,
    pub(super) clear_text: bool,
    /// Whether wallets cannot know what it calls itself.
    pub(super) unnamed: bool,
}

impl<'a> Daemon<'a> {
    async fn new(ctx: &'a Ctx, config: Config) -> Result<Self, CliError> {
        let open_files = raise_open_files()?;
        // First, so that everything is counted.
        let exporter = match config.metrics()? {
            Some((addr, token)) => {
                Some(metrics::install(addr, token).await.map_err(|error| CliError(error.to_string()))?)
            }
            None => None,
        };
        let auth = config.auth_client()?;
        let endpoint = config.endpoint()?;
        let clear_text = endpoint.tls.is_none() && !endpoint.addr.ip().is_loopback();
        let port = Port::bind(&endpoint).await?;
        let facts = Facts {
            url: port.url(),
            open_files,
            most_channels: config.limits.channels,
            clear_text,
            // Nobody dials what is listened on everywhere, and with TLS wallets write more than that.
            unnamed: config.hub.name.is_empty()
                && (endpoint.tls.is_some() || endpoint.addr.ip().is_unspecified()),
        };
        // Wallets call a gateway by the address that they dial; without TLS that is the listener's.
        let hub = Hub::new(Arc::new(auth.clone()), config.hub(&multiaddr(port.addr(), ""))?);
        let door = gate::Door::new(&auth)?;
        let gate: Arc<dyn Authenticate> = Arc::new(door.gate.clone());
        let proxy = Proxy::new(gate.clone(), config.proxy())?;
        for (key, target) in config.targets()? {
            proxy.set(key, Some(target));
        }
        let mut options = ServerOptions::default();
        options.limits.sessions = config.limits.sessions;
        options.query_tokens = config.api.querytokens;
        options.reverse = Some(Arc::new(proxy.clone()));
        options.limiter = Some(Arc::new(limiter(&config, &auth)?));
        let server = GatewayServer::new(&hub, gate.clone(), options);
        let server = server.map_err(|error| CliError(error.to_string()))?;
        let token = door.token.clone();
        let watch = door.watch(auth.clone(), hub.clone(), &server, proxy.clone());
        let parts = Parts { auth, gate, hub, server, proxy, facts: Arc::new(facts) };
        Ok(Self { ctx, config, port, exporter, parts, watch, token })
    }

    async fn run(self, stop: CancellationToken) -> Result<(), CliError> {
        let Self { ctx, config, port, exporter, parts, watch, token } = self;
        warn(&parts.facts);
        files::replace(&ctx.repo().join(TOKEN_FILE), token.expose_secret().as_bytes())?;
        announce(ctx, &config, &port, &parts)?;
        let mut tasks = Tasks::new(&stop);
        let ends = tasks.stop_token();
        let ending = end(parts.clone());
        tasks.critical("listener", port.serve(router(&parts), ends.clone(), ending));
        tasks.critical("watch", follow(watch, ends.clone()));
        if let Some(exporter) = exporter {
            tasks.critical("metrics", exporter.run(ends));
        }
        let ended = tasks.run(GRACE + GRACE / 2).await;
        for name in [ADDRESS_FILE, TOKEN_FILE] {
            // The token is of no use any more, and the next start makes both anew.
            let _ = std::fs::remove_file(ctx.repo().join(name));
        }
        tracing::info!("stopped");
        ended.map_err(|error| CliError(error.to_string()))
    }
}

fn router(parts: &Parts) -> Router {
    let own = parts.server.router().merge(probe::router(parts.clone()));
    parts.proxy.wrap(parts.server.fallback(own))
}

/// Calls of accounts are limited as venus-auth says, inside the guarded service (T16).
fn limiter(config: &Config, auth: &AuthClient) -> Result<CallLimiter, CliError> {
    let limits = LimitConfig { service: gate::SERVICE.to_owned(), ..LimitConfig::default() };
    Ok(CallLimiter::new(limits, Some(Arc::new(auth.clone())), config.shared_limits()?))
}

async fn follow(watch: Watch, stop: CancellationToken) -> Result<(), Infallible> {
    let _ = stop.run_until_cancelled(watch.run()).await;
    Ok(())
}

/// Channels end before sockets, so that providers hear of it; then nothing is left to wait for.
async fn end(parts: Parts) {
    parts.hub.shutdown().await;
    tokio::join!(parts.server.shutdown(), parts.proxy.shutdown());
}

fn warn(facts: &Facts) {
    if !facts.open_files.fits(facts.most_channels) {
        let (soft, most) = (facts.open_files.soft, facts.most_channels);
        tracing::warn!(limit = ?soft, channels = most, "too few open files for [Limits] Channels: raise `ulimit -Hn`");
    }
    if facts.unnamed {
        tracing::warn!(
            "wallets refuse challenges of a gateway that they do not know: set [Hub] Name to what they dial"
        );
    }
    if facts.clear_text {
        tracing::warn!("tokens travel in clear, as AllowClearText says");
    }
}

/// Says that everything is up: to whoever reads the log, the output or the repository.
fn announce(ctx: &Ctx, config: &Config, port: &Port, parts: &Parts) -> Result<(), CliError> {
    let address = multiaddr(port.addr(), port.scheme());
    let near = multiaddr(port.near(), port.scheme());
    files::replace(&ctx.repo().join(ADDRESS_FILE), near.as_bytes())?;
    let hub = &parts.hub.options().name;
    tracing::info!(url = %port.url(), %hub, auth = %config.auth.url, "venus-gateway is ready");
    if ctx.json() {
        let line = json!({
            "url": port.url(),
            "multiaddr": address,
            "hub": hub,
            "token_file": ctx.repo().join(TOKEN_FILE),
        });
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()?;
    }
    Ok(())
}

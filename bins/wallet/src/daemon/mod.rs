//! `venus-wallet run`: everything together.

mod hubs;
mod listen;
mod logs;
pub(crate) mod parts;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use venus_bins_common::{files, logging, metrics, progress::Progress, shutdown, task::Tasks};
use venus_core::error::BoxError;
use venus_signer::server::{
    MoreMethods, ServerConfig, ServiceConfig, Surroundings, Tokens, WalletServer, WalletService,
};
use venus_signer::strategy::rpc::{STRATEGY_TABLE, StrategyApiServer};
use venus_signer::{LocalWallet, PasswordSource, Vault};

use crate::cli::{ADDRESS_FILE, CliError, Ctx};
use crate::config::{Config, RegisterHub};
use crate::init;
use hubs::Gateways;
use listen::Listen;
use parts::{Held, Parts};

/// How long running requests may take after the stop.
const GRACE: Duration = Duration::from_secs(30);
/// How often an idle wallet looks whether it should be locked.
const LOCK_TICK: Duration = Duration::from_secs(1);

/// Options of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The password. Everybody on this machine can read it in the list of processes: use --password-file.
    #[arg(long, visible_alias = "pwd", value_name = "PASSWORD", conflicts_with_all = ["password_fd", "ask_password"])]
    password: Option<SecretText>,
    /// Reads the password from this open file descriptor.
    #[arg(long, value_name = "FD", conflicts_with = "ask_password")]
    password_fd: Option<u32>,
    /// Asks for the password.
    #[arg(long)]
    ask_password: bool,
    /// A gateway to register at, instead of those of config.toml. May be repeated.
    #[arg(long, value_name = "MULTIADDR")]
    gateway_api: Vec<String>,
    /// The token for the gateways.
    #[arg(long, value_name = "TOKEN")]
    gateway_token: Option<SecretText>,
    /// An account whose requests are served. May be repeated.
    #[arg(long, value_name = "ACCOUNT")]
    support_accounts: Vec<String>,
    /// How the log is written: text or json.
    #[arg(long, default_value = "text")]
    log_format: String,
}

/// A secret on the command line, which no format shows.
#[derive(Clone)]
struct SecretText(SecretString);

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl std::str::FromStr for SecretText {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.into()))
    }
}

/// Runs the wallet until it is told to stop.
pub(crate) async fn run(ctx: &Ctx, args: RunArgs) -> Result<(), CliError> {
    let stop = shutdown::install().map_err(|error| CliError(error.to_string()))?;
    let format =
        args.log_format.parse().map_err(|error: logging::LoggingError| CliError(error.to_string()))?;
    let reload = logging::init_reloadable(format, &logs::default_filter(), &Progress::stderr());
    let log = logs::Log::new(reload.map_err(|error| CliError(error.to_string()))?);
    let used = init::was_used(ctx.repo());
    init::ensure(ctx.repo())?;
    let config = ctx.config()?;
    if used {
        config.existing_database(ctx.repo())?;
    }
    let _held = Held::take(ctx, &config)?;
    init::tighten(ctx.repo());
    let hubs = hub_flags(&args, &config)?;
    let password = password(ctx, &args, &config)?;
    let daemon = Daemon { ctx, config, hubs, password, log: Arc::new(log) };
    daemon.run(stop).await.map_err(CliError::from)
}

/// Gateways of the command line replace those of the file as a whole, as in Go.
fn hub_flags(args: &RunArgs, config: &Config) -> Result<RegisterHub, CliError> {
    if args.gateway_api.is_empty() {
        return Ok(config.apiregisterhub.clone());
    }
    let Some(SecretText(token)) = &args.gateway_token else {
        return Err(CliError("gateway token not set".into()));
    };
    Ok(RegisterHub {
        registerapi: args.gateway_api.clone(),
        token: token.clone(),
        supportaccounts: args.support_accounts.clone(),
    })
}

fn password(ctx: &Ctx, args: &RunArgs, config: &Config) -> Result<Option<SecretString>, CliError> {
    if let Some(SecretText(password)) = &args.password {
        tracing::warn!("--password can be read by everybody on this machine: use --password-file");
        return Ok(Some(password.clone()));
    }
    let source = match (args.password_fd, ctx.password_file(), args.ask_password) {
        (Some(fd), _, _) => PasswordSource::Fd(fd),
        (_, Some(path), _) => PasswordSource::file(path),
        (_, _, true) => return ctx.password("Password:").map(Some),
        _ if std::env::var_os(PASSWORD_VARIABLE).is_some() => PasswordSource::Env(PASSWORD_VARIABLE.into()),
        _ if !config.lock.passwordfile.is_empty() => PasswordSource::file(&config.lock.passwordfile),
        _ => return Ok(None),
    };
    source.read().map(Some).map_err(|error| CliError(error.to_string()))
}

/// Where the password may stand, for service managers that have no better place.
pub(crate) const PASSWORD_VARIABLE: &str = "VENUS_WALLET_PASSWORD";

struct Daemon<'a> {
    ctx: &'a Ctx,
    config: Config,
    hubs: RegisterHub,
    password: Option<SecretString>,
    log: Arc<logs::Log>,
}

impl Daemon<'_> {
    async fn run(self, stop: CancellationToken) -> Result<(), BoxError> {
        // First, so that everything is counted.
        let exporter = self.exporter().await?;
        let parts = Parts::open(self.ctx, &self.config).await?;
        let wallet = parts.wallet.clone();
        if let Some(password) = &self.password {
            wallet.vault().set_password(password).await?;
        }
        let gateways = Gateways::start(&wallet, self.ctx.repo(), &self.hubs, &self.config)?;
        let gateways = Arc::new(gateways);
        let server = self.server(&parts, gateways.clone())?;
        let mut listen = Listen::bind(&self.config.api).await?;
        let mut tasks = Tasks::new(&stop);
        listen.serve(&server, &mut tasks);
        if let Some(exporter) = exporter {
            tasks.critical("metrics", exporter.run(tasks.stop_token()));
        }
        tasks.critical("auto-lock", lock_when_idle(wallet.vault().clone(), tasks.stop_token()));
        self.announce(&listen, &wallet)?;
        note_head(&parts).await;
        let ended = tasks.run(GRACE).await;
        server.shutdown().await;
        gateways.shutdown().await;
        parts.audit.shutdown().await;
        note_head(&parts).await;
        wallet.vault().lock_now();
        let _ = std::fs::remove_file(self.ctx.repo().join(ADDRESS_FILE));
        tracing::info!("stopped");
        Ok(ended?)
    }

    async fn exporter(&self) -> Result<Option<metrics::Exporter>, BoxError> {
        let section = &self.config.metrics;
        if section.listenaddress.is_empty() {
            return Ok(None);
        }
        let address = section.listenaddress.parse().map_err(
            |_| "config.toml: [Metrics] ListenAddress: must be an address and a port, as 127.0.0.1:9678",
        )?;
        let token = Some(section.token.clone()).filter(|token| !token.expose_secret().is_empty());
        Ok(Some(metrics::install(address, token).await?))
    }

    fn server(&self, parts: &Parts, gateways: Arc<Gateways>) -> Result<WalletServer, BoxError> {
        let tokens = Arc::new(Tokens::new(self.config.secret()?));
        let compat = &self.config.compat;
        let service = ServiceConfig {
            network: self.ctx.network(),
            free_export: compat.exportwithoutpassword,
            proof: compat.passwordproof,
        };
        let surroundings = Surroundings {
            records: Some(Arc::new(parts.audit.reader().clone())),
            hubs: Some(gateways),
            log: Some(self.log.clone()),
            strategy: Some(parts.strategy.clone()),
        };
        let service = WalletService::new(parts.wallet.clone(), tokens.clone(), service, surroundings);
        let strategies = MoreMethods {
            methods: StrategyApiServer::into_rpc(parts.strategy.clone()).into(),
            table: STRATEGY_TABLE,
        };
        let config = ServerConfig { strangers_read: compat.anonymousread, probes: vec![parts.probe()] };
        Ok(WalletServer::with_methods(service, tokens, config, vec![strategies])?)
    }

    /// Says that everything is up: to whoever reads the log, the output or the repository.
    fn announce(&self, listen: &Listen, wallet: &LocalWallet) -> Result<(), BoxError> {
        files::replace(&self.ctx.repo().join(ADDRESS_FILE), listen.multiaddr().as_bytes())?;
        let state = format!("{:?}", wallet.vault().state());
        let lotus = listen.lotus_url();
        let metrics = &self.config.metrics.listenaddress;
        tracing::info!(url = %listen.url(), %lotus, %metrics, %state, "venus-wallet is ready");
        if self.ctx.json() {
            let line = json!({
                "url": listen.url(),
                "multiaddr": listen.multiaddr(),
                "lotus_url": lotus,
                "locked": state != "Unlocked",
            });
            let mut out = io::stdout().lock();
            writeln!(out, "{line}")?;
            out.flush()?;
        }
        Ok(())
    }
}

/// Writes to the log where the records end: who rewrites the database has to rewrite the log too.
async fn note_head(parts: &Parts) {
    match parts.audit.reader().head().await {
        Ok(head) => tracing::info!(%head, "records end here: audit verify --from checks it"),
        Err(error) => tracing::error!(%error, "the records have no end"),
    }
}

/// Locks in time, not only when somebody asks for something.
async fn lock_when_idle(vault: Vault, stop: CancellationToken) -> Result<(), BoxError> {
    let mut ticks = tokio::time::interval(LOCK_TICK);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let _ = vault.state();
    }
    Ok(())
}

/// The file with the token of all rights, for programs on this machine.
pub(crate) fn token_file(repo: &Path) -> PathBuf {
    repo.join("token")
}

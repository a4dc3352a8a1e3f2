//! `venus-auth run`: everything together.

use std::convert::Infallible;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use venus_auth::rest::{RestConfig, router};
use venus_auth::{AuthService, AuthStore, SqlStore};
use venus_bins_common::dirlock::DirLock;
use venus_bins_common::listen::{GRACE, Port};
use venus_bins_common::{files, logging, metrics, progress::Progress, shutdown, task::Tasks};
use venus_core::clock::SystemClock;
use venus_core::error::BoxError;

use crate::cli::{ADDRESS_FILE, CliError, Ctx, TOKEN_FILE};
use crate::config::{Config, Database};

/// How often accounts and tokens are counted for metrics.
const MEASURE_EVERY: Duration = Duration::from_secs(30);

/// Options of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Where accounts are kept: sqlite or mysql. Instead of config.toml.
    #[arg(long, value_name = "TYPE")]
    db_type: Option<String>,
    /// The MySQL database. Everybody on this machine can read it in the list of processes: use config.toml.
    #[arg(long, value_name = "DSN")]
    mysql_dsn: Option<String>,
    /// Listens where other machines connect without TLS: everybody on the way can read the tokens.
    #[arg(long)]
    allow_clear_text: bool,
    /// How the log is written: text or json.
    #[arg(long, default_value = "text")]
    log_format: String,
}

/// Opens the database of a configuration.
pub(crate) async fn open(config: &Config, ctx: &Ctx) -> Result<Arc<dyn AuthStore>, BoxError> {
    Ok(match config.database(ctx.repo())? {
        Database::Sqlite(path) => Arc::new(SqlStore::sqlite(&path).await?),
        Database::Mysql(dsn) => Arc::new(SqlStore::mysql(dsn.expose_secret()).await?),
    })
}

/// Runs the service until it is told to stop.
pub(crate) async fn run(ctx: &Ctx, args: RunArgs) -> Result<(), CliError> {
    let stop = shutdown::install()?;
    let format =
        args.log_format.parse().map_err(|error: logging::LoggingError| CliError(error.to_string()))?;
    let mut config = ctx.config()?;
    let level = match config.log.loglevel.as_str() {
        // sophon-auth's default, under which it logs tokens.
        "" | "trace" => "info",
        level => level,
    };
    logging::init(format, level, &Progress::stderr()).map_err(|error| CliError(error.to_string()))?;
    if let Some(kind) = args.db_type {
        config.db.kind = kind;
    }
    config.allowcleartext |= args.allow_clear_text;
    if let Some(dsn) = args.mysql_dsn {
        config.db.dsn = SecretString::from(dsn);
    }
    files::create_dir(ctx.repo())?;
    let _held = DirLock::acquire(ctx.repo()).map_err(|error| CliError(error.to_string()))?;
    let service = service(ctx, &config).await?;
    let port = Port::bind(&config.endpoint()?).await?;
    let exporter = exporter(&config).await?;
    let admission = config.limiter(&service).map_err(|error| CliError(error.to_string()))?;
    let rest = RestConfig {
        query_tokens: config.auth.querytokens,
        admission: admission.map(|limiter| Arc::new(limiter) as _),
        ..RestConfig::default()
    };
    announce(ctx, &port)?;
    let mut tasks = Tasks::new(&stop);
    let ends = tasks.stop_token();
    tasks.critical("other instances", until(ends.clone(), others(service.clone())));
    if let Some(exporter) = exporter {
        tasks.critical("gauges", until(ends.clone(), measure(service.clone())));
        tasks.critical("metrics", exporter.run(ends.clone()));
    }
    tasks.critical("listener", port.serve(router(service, rest), ends, async {}));
    let ended = tasks.run(GRACE + GRACE / 2).await;
    let _ = std::fs::remove_file(ctx.repo().join(ADDRESS_FILE));
    tracing::info!("stopped");
    ended.map_err(|error| CliError(error.to_string()))
}

/// Runs something without an end until the stop.
async fn until(stop: CancellationToken, endless: impl Future<Output = Infallible>) -> Result<(), Infallible> {
    stop.run_until_cancelled(endless).await.map_or(Ok(()), |never| match never {})
}

/// Hears what other instances on the same database end.
async fn others(service: AuthService) -> Infallible {
    service.follow_others().await;
    // Nobody shares this database.
    std::future::pending().await
}

async fn measure(service: AuthService) -> Infallible {
    loop {
        if let Err(error) = service.measure().await {
            tracing::warn!(%error, "accounts and tokens cannot be counted");
        }
        tokio::time::sleep(MEASURE_EVERY).await;
    }
}

async fn service(ctx: &Ctx, config: &Config) -> Result<AuthService, CliError> {
    let store = open(config, ctx).await?;
    let clear = store.clear_tokens().await.map_err(|error| CliError(error.to_string()))?;
    let rules = config.rules()?;
    if clear > 0 && rules.tokens == venus_auth::TokenStorage::Hashed {
        tracing::warn!(clear, "tokens stand in the database in clear: `venus-auth migrate` hashes them");
    }
    let service = AuthService::new(store, Arc::new(SystemClock), rules);
    let file = token_file(ctx);
    let known = std::fs::read_to_string(&file).ok();
    let token = service.local_token(known.as_deref().map(str::trim)).await;
    let token = token.map_err(|error| CliError(error.to_string()))?;
    files::replace(&file, token.expose_secret().as_bytes())?;
    Ok(service)
}

pub(crate) fn token_file(ctx: &Ctx) -> PathBuf {
    ctx.repo().join(TOKEN_FILE)
}

async fn exporter(config: &Config) -> Result<Option<metrics::Exporter>, CliError> {
    let section = &config.metrics;
    if section.listenaddress.is_empty() {
        return Ok(None);
    }
    let address = section.listenaddress.parse().map_err(|_| {
        CliError(
            "config.toml: [Metrics] ListenAddress: write an address and a port, as 127.0.0.1:9989".into(),
        )
    })?;
    let token = Some(section.token.clone()).filter(|token| !token.expose_secret().is_empty());
    metrics::install(address, token).await.map(Some).map_err(|error| CliError(error.to_string()))
}

/// Says that everything is up: to whoever reads the log, the output or the repository.
fn announce(ctx: &Ctx, port: &Port) -> Result<(), CliError> {
    let near = format!("{}://{}", port.scheme(), port.near());
    files::replace(&ctx.repo().join(ADDRESS_FILE), near.as_bytes())?;
    tracing::info!(url = %port.url(), "venus-auth is ready");
    if ctx.json() {
        let mut out = io::stdout().lock();
        writeln!(out, "{}", json!({ "url": port.url(), "token_file": token_file(ctx) }))?;
        out.flush()?;
    }
    Ok(())
}

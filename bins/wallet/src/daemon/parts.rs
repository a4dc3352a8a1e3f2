//! The wallet and what it rests on, as the configuration has it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use venus_bins_common::config::duration;
use venus_bins_common::dirlock::{DirLock, DirLockError};
use venus_core::error::BoxError;
use venus_core::types::Network;
use venus_signer::audit::{AuditConfig, SqliteAudit};
use venus_signer::policy::{Policy, PolicyConfig, SqliteSpent};
use venus_signer::server::Probe;
use venus_signer::slashing::SqliteSlashing;
use venus_signer::strategy::{Level, SqliteStrategyStore, Strategy, StrategyOptions};
use venus_signer::{
    ExprFilter, KeyStore, LocalWallet, ScryptParams, SigningNetwork, SqliteKeyStore, Vault, VaultOptions,
};

use crate::cli::{CliError, Ctx};
use crate::config::{Config, ConfigError, Factor};
use crate::daemon::PASSWORD_VARIABLE;
use venus_bins_common::files;

/// The file with the rules, in the repository.
pub(crate) const POLICY_FILE: &str = "policy.toml";
/// The file with the history of blocks and votes.
pub(crate) const SLASHING_FILE: &str = "slashing.sqlite";
/// How long records are kept, unless said otherwise.
const WEEK: Duration = Duration::from_secs(168 * 3600);

/// Everything that is opened for a wallet.
pub(crate) struct Parts {
    pub(crate) wallet: LocalWallet,
    pub(crate) audit: SqliteAudit,
    pub(crate) strategy: Strategy,
    database: Arc<Database>,
}

impl Parts {
    /// Opens everything.
    pub(crate) async fn open(ctx: &Ctx, config: &Config) -> Result<Self, BoxError> {
        let path = config.database(ctx.repo())?;
        let keys = SqliteKeyStore::open(&path).await?;
        let audit = SqliteAudit::open(&path, audit_config(ctx, config)?).await?;
        let strategy = strategy(&path, ctx.network(), config).await?;
        let network = signing_network(ctx, config);
        let vault = Vault::open(Arc::new(keys.clone()), vault_options(config)?);
        let mut builder = LocalWallet::builder(vault).network(network).audit(audit.clone());
        builder = builder.check(strategy.clone()).check(policy(ctx.repo(), config, &path).await?);
        if !config.signfilter.expr.trim().is_empty() {
            builder = builder.check(
                ExprFilter::new(&config.signfilter.expr)
                    .timeout(config.signfilter.timeout)
                    .hide(PASSWORD_VARIABLE),
            );
        }
        if config.slashing.enable {
            builder = builder.slashing(slashing(ctx, config).await?);
        } else {
            tracing::warn!(
                "[Slashing] Enable = false: nothing keeps a miner from signing two blocks for one height"
            );
        }
        let file = FileId::of(&path);
        let database = Arc::new(Database { keys, path, file });
        Ok(Self { wallet: builder.build(), audit, strategy, database })
    }

    /// Whether the database answers.
    pub(crate) fn probe(&self) -> Arc<dyn Probe> {
        self.database.clone()
    }
}

/// The key store as readiness sees it.
#[derive(Debug)]
struct Database {
    keys: SqliteKeyStore,
    path: PathBuf,
    file: Option<FileId>,
}

/// Which file a path is: one that was moved away still answers, and nobody will find what is written to it.
#[derive(Debug, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(path).ok().map(|found| Self(found.dev(), found.ino()))
    }

    #[cfg(not(unix))]
    fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|_| Self(0, 0))
    }
}

#[async_trait]
impl Probe for Database {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn ready(&self) -> bool {
        self.file.is_some() && FileId::of(&self.path) == self.file && self.keys.list().await.is_ok()
    }
}

fn audit_config(ctx: &Ctx, config: &Config) -> Result<AuditConfig, BoxError> {
    let mut audit = AuditConfig::default();
    audit.network = ctx.network();
    audit.keep = match &config.signrecorder {
        Some(section) if !section.keepduration.is_empty() => go_duration(&section.keepduration)
            .map_err(|error| format!("config.toml: [SignRecorder] KeepDuration: {error}"))?,
        _ => WEEK,
    };
    if config.signrecorder.as_ref().is_some_and(|section| !section.enable) {
        tracing::warn!("[SignRecorder] Enable = false is ignored: every request is recorded");
    }
    Ok(audit)
}

/// Durations as Go writes them (`168h0m0s`) and as the other programs here do.
fn go_duration(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|error| error.to_string())
}

async fn strategy(path: &Path, network: Network, config: &Config) -> Result<Strategy, BoxError> {
    let level = Level::from_number(config.strategy.level.into())
        .ok_or("config.toml: [Strategy] Level: must be 0, 1 or 2")?;
    if !config.strategy.nodeurl.is_empty() {
        tracing::warn!("[Strategy] NodeURL is not asked: methods are told by the recipient's address alone");
    }
    let options = StrategyOptions { level, network, ..StrategyOptions::default() };
    Ok(Strategy::open(SqliteStrategyStore::open(path).await?, options).await?)
}

/// The rules: those of the file, or the flow of mining and sealing if there is none.
pub(crate) async fn policy(repo: &Path, config: &Config, database: &Path) -> Result<Policy, BoxError> {
    let rules = policy_config(repo, config)?;
    Policy::builder(&rules)?.build_with(SqliteSpent::open_file(database).await?).await
}

/// The rules as they are written.
pub(crate) fn policy_config(repo: &Path, config: &Config) -> Result<PolicyConfig, BoxError> {
    let path = match config.policy.file.as_str() {
        "" => repo.join(POLICY_FILE),
        path => repo.join(path),
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && config.policy.file.is_empty() => {
            return Ok(PolicyConfig::default());
        }
        Err(error) => return Err(format!("{}: {error}", path.display()).into()),
    };
    PolicyConfig::from_toml(&text).map_err(|error| format!("{}: {error}", path.display()).into())
}

async fn slashing(ctx: &Ctx, config: &Config) -> Result<SqliteSlashing, BoxError> {
    SqliteSlashing::open(&slashing_file(ctx, config)?, ctx.nettype().name()).await
}

/// Where the history of blocks and votes is: beside the keys, so that whoever signs with them knows it too.
pub(crate) fn slashing_file(ctx: &Ctx, config: &Config) -> Result<PathBuf, ConfigError> {
    Ok(config.database(ctx.repo())?.with_file_name(SLASHING_FILE))
}

/// Repository and keystore, which belong to one process: a copy of a repository names the same keystore, and two
/// wallets on it sign two blocks for one height.
#[derive(Debug)]
pub(crate) struct Held {
    _repo: DirLock,
    _keystore: DirLock,
}

impl Held {
    /// Takes both.
    pub(crate) fn take(ctx: &Ctx, config: &Config) -> Result<Self, CliError> {
        let failed = |error: DirLockError| CliError(error.to_string());
        let _repo = DirLock::acquire(ctx.repo()).map_err(failed)?;
        let keystore = config.database(ctx.repo())?;
        if let Some(folder) = keystore.parent() {
            files::create_dir(folder).map_err(|e| CliError(format!("{}: {e}", folder.display())))?;
        }
        Ok(Self { _repo, _keystore: DirLock::acquire_file(keystore).map_err(failed)? })
    }
}

/// What signatures are made for.
pub(crate) fn signing_network(ctx: &Ctx, config: &Config) -> SigningNetwork {
    let chain_id = match config.network.chainid {
        0 => ctx.nettype().chain_id(),
        other => other,
    };
    let f3_name = Some(config.network.f3name.clone()).filter(|name| !name.is_empty());
    SigningNetwork {
        chain_id,
        f3_name,
        cid_for_delegated: config.compat.cidfordelegated,
        legacy_deal_bytes: config.compat.legacydealbytes,
    }
}

/// What the vault is told.
pub(crate) fn vault_options(config: &Config) -> Result<VaultOptions, BoxError> {
    let auto_lock = match config.lock.autolock.as_str() {
        "" => None,
        text => Some(go_duration(text).map_err(|error| format!("config.toml: [Lock] AutoLock: {error}"))?),
    };
    let scrypt = match config.factor {
        Factor { scryptn: 0, scryptp: 0 } => ScryptParams::default(),
        Factor { scryptn, scryptp } => ScryptParams::new(scryptn.into(), scryptp)
            .map_err(|error| format!("config.toml: [Factor]: {error}"))?,
    };
    Ok(VaultOptions { scrypt, auto_lock, ..VaultOptions::default() })
}

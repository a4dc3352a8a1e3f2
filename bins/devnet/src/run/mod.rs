//! `venus-devnet run`: everything together.

pub(crate) mod args;
mod keys;
mod plan;
mod ready;
mod serve;
mod tokens;
mod verify;
mod watch;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use venus_bins_common::dirlock::DirLock;
use venus_bins_common::progress::Progress;
use venus_bins_common::task::Tasks;
use venus_bins_common::{logging, metrics, shutdown};
use venus_core::types::Address;
use venus_devnet::{
    AutoMine, Devnet, DevnetClock, DevnetConfig, DevnetControl, FakeProofs, FakeProver, Producers,
};
use venus_signer::LocalWallet;

use crate::error::CliError;
use crate::files;
use args::{ClockArg, External, RunArgs};
use keys::Keys;
use plan::Plan;
use serve::Served;

pub(crate) use ready::Genesis;
pub(crate) use tokens::tokens_of;

/// How long running requests, and the epoch that is being mined, may take after the stop.
const GRACE: Duration = Duration::from_secs(30);

/// Runs a devnet in `dir` until it is told to stop.
///
/// # Errors
/// [`CliError`].
pub(crate) async fn run(dir: &Path, args: RunArgs, json: bool) -> Result<(), CliError> {
    let stop = shutdown::install()?;
    let progress = Progress::stderr();
    logging::init(args.log_format.parse()?, "info", &progress)?;
    args.faces()?;
    let dir = std::path::absolute(dir)?;
    Plan::refuse_foreign(&dir)?;
    let _lock = DirLock::acquire(&dir)?;
    let plan = Plan::open(&dir, &args.chain, args.clock)?;
    let daemon = Daemon { dir, plan, args, json, progress };
    daemon.run(&stop).await
}

struct Daemon {
    dir: PathBuf,
    plan: Plan,
    args: RunArgs,
    json: bool,
    progress: Progress,
}

impl Daemon {
    async fn run(self, stop: &CancellationToken) -> Result<(), CliError> {
        // First, so that everything is counted.
        let exporter = match self.args.metrics {
            Some(address) => Some(metrics::install(address, None).await?),
            None => None,
        };
        let keys = Keys::new(&self.plan).await?;
        let clock = self.clock();
        let Some(devnet) = stop.run_until_cancelled(self.open(&keys, &clock)).await else {
            // Reading changes nothing, so it may be left in the middle.
            tracing::info!("stopped while the chain was read");
            return Ok(());
        };
        let devnet = devnet?;
        let control = DevnetControl::new(devnet, clock, Arc::new(keys.wallet.clone()), Arc::new(FakeProver));
        let external = self.external(control.devnet())?;
        self.set_up(&control, &external)?;
        let node = self.node_wallet(&keys, &control, &external).await?;
        let served = Served::start(&self.dir, &self.args, &control, node).await?;
        let mut tasks = Tasks::new(stop);
        self.start(&mut tasks, &control);
        if let Some(exporter) = exporter {
            tasks.critical("metrics", exporter.run(tasks.stop_token()));
        }
        let announced = self.announce(&keys, &control, &external, &served).await;
        let ended = match announced {
            Ok(()) => tasks.run(GRACE).await.map_err(CliError::from),
            Err(error) => Err(error),
        };
        // Whoever reads it would look for a daemon that is gone.
        let _ = std::fs::remove_file(self.dir.join(files::API));
        served.shutdown().await;
        tracing::info!("stopped");
        ended
    }

    fn clock(&self) -> DevnetClock {
        match self.args.clock {
            ClockArg::Real | ClockArg::Rush => DevnetClock::real(),
            ClockArg::Manual => DevnetClock::manual(Duration::from_secs(self.plan.genesis_time)),
        }
    }

    /// Opens the chain, and says how far it is while it reads what it did before.
    async fn open(&self, keys: &Keys, clock: &DevnetClock) -> Result<Devnet, CliError> {
        let config = keys.config(&self.plan, &self.plan.balance(&self.dir)?);
        let (chain, clock, progress) = (self.dir.join(files::CHAIN), clock.clone(), self.progress.clone());
        let opened = tokio::task::spawn_blocking(move || replay(config, clock, &chain, &progress)).await;
        opened.map_err(std::io::Error::other)?
    }

    /// The miners that are left to others.
    fn external(&self, devnet: &Devnet) -> Result<Vec<Address>, CliError> {
        let known = devnet.miners();
        let mut external = Vec::new();
        for miner in &self.args.external_miners {
            match miner {
                External::All => external.extend(known.iter().copied()),
                External::One(miner) if known.contains(miner) => external.push(*miner),
                External::One(miner) => {
                    let (miner, known) =
                        (keys::text(miner), known.iter().map(keys::text).collect::<Vec<_>>());
                    let text = format!("--external-miners: {miner} is none of {}", known.join(", "));
                    return Err(CliError::Usage(text));
                }
            }
        }
        Ok(external)
    }

    fn set_up(&self, control: &DevnetControl, external: &[Address]) -> Result<(), CliError> {
        let own: Vec<Address> =
            control.devnet().miners().into_iter().filter(|miner| !external.contains(miner)).collect();
        control.set_producers(if own.is_empty() { Producers::Outside } else { Producers::Listed(own) })?;
        let by_itself = self.args.clock != ClockArg::Manual && !self.args.on_demand;
        control.set_auto_mine(if by_itself { AutoMine::Clock } else { AutoMine::Off })?;
        Ok(())
    }

    /// What the node itself can sign with: workers of miners outside are where those miners are.
    async fn node_wallet(
        &self,
        keys: &Keys,
        control: &DevnetControl,
        external: &[Address],
    ) -> Result<LocalWallet, CliError> {
        let miners = control.devnet().miners();
        let outside = miners.iter().enumerate().filter(|(_, miner)| external.contains(miner));
        let workers: Vec<Address> = outside.filter_map(|(index, _)| keys.worker(index)).collect();
        keys.without(&workers).await
    }

    fn start(&self, tasks: &mut Tasks, control: &DevnetControl) {
        let (stop, mining) = (tasks.stop_token(), control.clone());
        tasks.critical("mining", async move {
            mining.run(stop.cancelled_owned()).await;
            Ok::<_, Infallible>(())
        });
        let (stop, control, progress) = (tasks.stop_token(), control.clone(), self.progress.clone());
        tasks.critical("progress", async move {
            watch::watch(&control, &progress, &stop).await;
            Ok::<_, Infallible>(())
        });
    }

    /// Says that everything is up: to whoever reads the directory, the log or the output.
    async fn announce(
        &self,
        keys: &Keys,
        control: &DevnetControl,
        external: &[Address],
        served: &Served,
    ) -> Result<(), CliError> {
        let info = control.devnet().genesis_info();
        let genesis = Genesis {
            network: info.network.name.clone(),
            genesis: info.tipset.min_ticket_block().cid().to_string(),
            accounts: keys.accounts(info).await?,
            miners: keys.miners(info, external),
        };
        keys::write_keys(&self.dir, &genesis.accounts)?;
        files::write_json(&self.dir.join(files::ACCOUNTS), &genesis)?;
        files::write(&self.dir.join(files::API), served.multiaddr().as_bytes())?;
        tracing::info!(urls = ?served.urls(), network = genesis.network, dir = %self.dir.display(), "venus-devnet is ready");
        ready::print(&genesis, served, self.json)
    }
}

fn replay(
    config: DevnetConfig,
    clock: DevnetClock,
    chain: &Path,
    progress: &Progress,
) -> Result<Devnet, CliError> {
    let mut bar = None;
    let mut seen = |height: i64| {
        let bar = bar.get_or_insert_with(|| progress.bar("replayed to epoch", 0));
        bar.set(height.unsigned_abs());
    };
    let devnet = Devnet::open_watched(config, Arc::new(clock), Some(chain), Arc::new(FakeProofs), &mut seen)?;
    if let Some(bar) = bar {
        bar.finish();
    }
    Ok(devnet)
}

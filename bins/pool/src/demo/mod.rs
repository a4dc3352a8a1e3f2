//! `venus-pool demo`: a whole pool and its chain in one process.
//!
//! `plan` derives all keys and messages from the arguments, `compose` joins the components, `run` drives them epoch
//! by epoch, `audit` counts on the chain what came of it. `state` keeps the directory, `check` looks whether its parts
//! belong together before they are used.

mod audit;
mod check;
mod compose;
mod error;
mod outcome;
mod plan;
mod report;
mod run;
mod state;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use tokio::runtime;
use tokio_util::sync::CancellationToken;
use venus_bins_common::logging::{self, Format};
use venus_bins_common::progress::Progress;
use venus_bins_common::shutdown;
use venus_devnet::{Devnet, DevnetError};

use crate::args::DemoArgs;
use compose::Pool;
use error::DemoError;
use plan::{Cast, Transfer};
use report::Report;
use run::{Outcome, Run};
pub(crate) use state::Spec;
use state::StateDir;

/// Runs the demo, prints the result to stdout and errors to stderr, and answers the exit code.
pub(crate) fn main(args: &DemoArgs) -> ExitCode {
    let progress = Progress::stderr();
    match demo(args, &progress) {
        Ok(report) => show(&report, args, &progress),
        Err(error) => {
            progress.note(&format!("error: {}\nhint: {}", error.text(), error.hint()));
            ExitCode::from(error.exit_code())
        }
    }
}

/// Prints a result: stdout has the numbers, stderr what is wrong with them.
fn show(report: &Report, args: &DemoArgs, progress: &Progress) -> ExitCode {
    let printed = print(report, args.json);
    if let Err(error) = &printed {
        let path = state::absolute(&args.dir).unwrap_or_else(|_| args.dir.clone()).join(state::RESULT_FILE);
        let kept = path.display();
        progress.note(&format!("error: cannot write the result to stdout: {error}; it is kept in {kept}"));
    }
    report.complaints().iter().for_each(|line| progress.note(line));
    if printed.is_ok() && report.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print(report: &Report, json: bool) -> io::Result<()> {
    let text = if json { serde_json::to_string(report)? } else { report.table().to_string() };
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

fn demo(args: &DemoArgs, progress: &Progress) -> Result<Report, DemoError> {
    let stop = shutdown::install().map_err(DemoError::Signals)?;
    logging::init(Format::Text, "warn", progress)?;
    let spec = args.spec();
    let dir = state::absolute(&args.dir)?;
    let state = StateDir::open(&dir, &spec)?;
    if let Some(report) = state.result()? {
        check::presence(&dir, true)?;
        progress.note(&format!("finished before; the result is kept in {}", dir.display()));
        return Ok(report);
    }
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().map_err(DemoError::Runtime)?;
    let report = runtime.block_on(pool(&spec, &dir, &stop, progress))?;
    state.finish(&report)?;
    Ok(report)
}

async fn pool(
    spec: &Spec,
    dir: &Path,
    stop: &CancellationToken,
    progress: &Progress,
) -> Result<Report, DemoError> {
    let cast = Cast::new(spec).await?;
    let plan = plan::transfers(spec, &cast)?;
    let pool = Pool::open(spec, &cast, &plan, dir).await?;
    let run = Run::new(&pool, spec, &plan, stop, dir, progress);
    let report = match run.finish().await {
        Ok(outcome) => report(&pool, spec.seed, &plan, outcome).await,
        Err(error) => Err(error),
    };
    pool.close().await;
    report
}

async fn report(pool: &Pool, seed: u64, plan: &[Transfer], outcome: Outcome) -> Result<Report, DemoError> {
    let Outcome { head, audit, epochs } = outcome;
    let mined = pool.miner.stats().await?;
    Ok(Report {
        messages_sent: pool.accepted(plan).await?,
        messages_landed: audit.landed,
        lost: u64::try_from(audit.missing.len()).unwrap_or(u64::MAX),
        duplicated: audit.duplicated,
        blocks_mined: mined.blocks_mined,
        rounds_won: mined.rounds_won,
        reorgs: pool.devnet.stats().reorgs,
        epochs: epochs.unsigned_abs(),
        null_rounds: audit.null_rounds,
        head: head.cid().to_string(),
        height: audit.height,
        network: pool.devnet.genesis_info().network.name.clone(),
        seed,
        supply_conserved: is_supply_conserved(&pool.devnet)?,
        failures: outcome::failures(&pool.messager, &audit.missing).await?,
    })
}

fn is_supply_conserved(devnet: &Devnet) -> Result<bool, DevnetError> {
    match devnet.check_supply() {
        Ok(()) => Ok(true),
        Err(DevnetError::Supply { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

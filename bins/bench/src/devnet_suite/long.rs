//! Many epochs: time, memory, restart.

use super::chain::{BlsWork, Chain, timed};
use crate::measure::{BenchError, Effort, Measure, Names, measure_of};

/// Epochs at the usual effort.
const EPOCHS: u32 = 10_000;
/// What the process may take with all of them in memory, bytes.
const RSS_BOUND: f64 = 300e6;
/// Epochs between two looks at what the BLS work takes.
const SAMPLE: u32 = 40;
/// How often that is done then.
const FEW: u32 = 5;
/// Epochs of the restart. Each was synced to disk.
const RESTART: u32 = 1_000;

/// Ten thousand epochs with one miner (fewer at less than 250 rounds): time of each against its BLS work alone, which
/// is sampled now and then, and the memory of the process afterwards against 300 MB. Then how long a restart
/// takes for each epoch of its log, against that epoch's BLS work, which a restart need not do again.
pub(super) fn measure(effort: &Effort) -> Result<Vec<Measure>, BenchError> {
    let names = Names { measure: "epochs_10000", baseline: "the BLS signs and verifies alone" };
    let work = BlsWork::new(names)?;
    let mut chain = Chain::new(names, None)?;
    let epochs = EPOCHS.min(effort.rounds.saturating_mul(40));
    let mut rounds = Vec::new();
    for _ in 0..epochs.div_ceil(SAMPLE) {
        let ((), ours) = timed(|| (0..SAMPLE).try_for_each(|_| chain.mine().map(drop)))?;
        rounds.push((ours / f64::from(SAMPLE), alone(&work)?));
    }
    let each = measure_of(names, &rounds);
    let names = Names { measure: "epochs_10000_rss_bytes", baseline: "300 MB" };
    let memory = measure_of(names, &[(rss(names)?, RSS_BOUND)]).unit("bytes");
    drop(chain);
    Ok(vec![each, memory, restart(effort, &work)?])
}

fn restart(effort: &Effort, work: &BlsWork) -> Result<Measure, BenchError> {
    let names = Names { measure: "restart_per_epoch", baseline: "the BLS signs and verifies of an epoch" };
    let dir = tempfile::tempdir()?;
    let epochs = RESTART.min(effort.rounds.saturating_mul(4));
    let mut chain = Chain::new(names, Some(dir.path()))?;
    for _ in 0..epochs {
        chain.mine()?;
    }
    let before = chain.devnet.stats();
    let (chain, time) = timed(|| chain.reopened(dir.path()))?;
    if chain.devnet.stats() != before {
        return Err(names.input("the restart brought back another chain"));
    }
    Ok(measure_of(names, &[(time / f64::from(epochs), alone(work)?)]))
}

/// The time of one epoch's BLS work, the mean of a few.
fn alone(work: &BlsWork) -> Result<f64, BenchError> {
    let (_, time) = timed(|| (0..FEW).try_for_each(|_| work.epoch()))?;
    Ok(time / f64::from(FEW))
}

/// Bytes that the process holds in memory.
fn rss(names: Names) -> Result<f64, BenchError> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    kib.map(|kib| kib * 1024.0).ok_or_else(|| names.input("the system does not say how much memory is used"))
}

//! Many epochs: time, memory, restart.

use super::chain::{BlsWork, Chain, timed};
use crate::measure::{BenchError, Effort, Measure, Names, measure_of};

/// Epochs at the usual effort.
const EPOCHS: u32 = 10_000;
/// What the process may take with all of them in memory, bytes.
const RSS_BOUND: f64 = 300e6;
/// Epochs of the restart. Each was synced to disk.
const RESTART: u32 = 1_000;

/// Ten thousand epochs with one miner (fewer at less than 250 rounds): time of each against its BLS work alone, and
/// the memory of the process afterwards against 300 MB. Then how long a restart takes for each epoch of its log,
/// against that epoch's BLS work, which a restart need not do again.
pub(super) fn measure(effort: &Effort) -> Result<Vec<Measure>, BenchError> {
    let names = Names { measure: "epochs_10000", baseline: "the BLS signs and verifies alone" };
    let work = BlsWork::new(names)?;
    let alone = alone(&work, effort)?;
    let epochs = EPOCHS.min(effort.rounds.saturating_mul(40));
    let mut chain = Chain::new(names, None)?;
    let ((), time) = timed(|| (0..epochs).try_for_each(|_| chain.mine().map(drop)))?;
    let each = measure_of(names, &[(time / f64::from(epochs), alone)]);
    let names = Names { measure: "epochs_10000_rss_bytes", baseline: "300 MB" };
    let memory = measure_of(names, &[(rss(names)?, RSS_BOUND)]);
    drop(chain);
    Ok(vec![each, memory, restart(effort, alone)?])
}

fn restart(effort: &Effort, alone: f64) -> Result<Measure, BenchError> {
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
    Ok(measure_of(names, &[(time / f64::from(epochs), alone)]))
}

/// The median time of one epoch's BLS work.
fn alone(work: &BlsWork, effort: &Effort) -> Result<f64, BenchError> {
    let times = (0..effort.rounds.min(101)).map(|_| timed(|| work.epoch()).map(|((), time)| time));
    let mut times = times.collect::<Result<Vec<f64>, _>>()?;
    times.sort_by(f64::total_cmp);
    Ok(times.get(times.len() / 2).copied().unwrap_or(f64::NAN))
}

/// Bytes that the process holds in memory.
fn rss(names: Names) -> Result<f64, BenchError> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    kib.map(|kib| kib * 1024.0).ok_or_else(|| names.input("the system does not say how much memory is used"))
}

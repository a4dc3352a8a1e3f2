//! What the system says of a process.

use std::fs;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::measure::{BenchError, Names};

/// Ticks of a second in `/proc`, the same on every Linux that Rust runs on.
const TICK: Duration = Duration::from_millis(10);

/// The processor time that a process took so far.
pub(super) fn cpu(names: Names, pid: u32) -> Result<Duration, BenchError> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program may hold anything, so fields count from behind its parenthesis.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace());
    let ticks = fields.map(|fields| fields.skip(11).take(2).map(|ticks| ticks.parse::<u32>().ok()));
    let ticks: Option<Option<u32>> = ticks.map(Iterator::sum);
    ticks.flatten().map(|ticks| TICK * ticks).ok_or_else(|| names.input("/proc/PID/stat has another form"))
}

/// The memory that a process holds, MB.
pub(super) fn rss(names: Names, pid: u32) -> Result<f64, BenchError> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    kib.map(|kib| kib * 1024.0 / 1e6).ok_or_else(|| names.input("/proc/PID/status has another form"))
}

/// Lets this process have as many files open as the system allows, and tells how many that are.
pub(super) fn open_files() -> u64 {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // If it cannot be raised, what it is counts.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

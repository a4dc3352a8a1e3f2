//! Ten thousand wallets.

use std::time::Duration;

use tokio::time::sleep;

use super::sign::{Crowd, Stage};
use super::{Scale, process};
use crate::measure::{BenchError, Measure, Names, measure_of};
use crate::report::Target;

const WALLETS: Names = Names { measure: "wallets_10000", baseline: "the same hub with one wallet" };
const IDLE: Names = Names { measure: "idle_10000", baseline: "450 MB" };
const BOUND: f64 = 450.0;
const MANY: usize = 10_000;
/// Processes that hold the far ends.
const PROCESSES: usize = 4;
/// Channels of one socket, where sockets are not what is measured.
const CHANNELS: usize = 250;
/// Files that a process needs besides its sockets.
const FILES: u64 = 200;

/// One signature after the other, with one wallet registered and with ten thousand, most of which share sockets: what
/// is measured is how a wallet is found, not what pings take.
pub(super) async fn latency(scale: &Scale) -> Result<Vec<Measure>, BenchError> {
    let wallets = scale.crowd(MANY);
    let channels = CHANNELS.min(wallets / PROCESSES);
    let sockets = wallets / (PROCESSES * channels);
    let crowd = Crowd { processes: PROCESSES, sockets, channels };
    let (few, many) = (Stage::start(WALLETS, Crowd::ONE).await?, Stage::start(WALLETS, crowd).await?);
    let (alone, among) = (few.caller(WALLETS, false).await?, many.caller(WALLETS, false).await?);
    let mut rounds = Vec::new();
    for round in 0..scale.rounds * 2 {
        // The median call of a slice: the mean hangs on the few that met something else on the machine.
        let (mut ours, mut theirs) = if round % 2 == 0 {
            (among.run(1, scale.slice).await?, alone.run(1, scale.slice).await?)
        } else {
            let theirs = alone.run(1, scale.slice).await?;
            (among.run(1, scale.slice).await?, theirs)
        };
        rounds.push((ours.percentile(0.5) * 1e3, theirs.percentile(0.5) * 1e3));
    }
    few.end().await?;
    many.end().await?;
    let registered = (PROCESSES * sockets * channels) as f64;
    let measure = measure_of(WALLETS, &rounds).with("wallets", registered);
    Ok(vec![measure.target(Target::AtLeast("ratio", 1.0 / 1.05))])
}

/// The memory of a hub with ten thousand sockets on which nothing happens but pings.
pub(super) async fn idle(scale: &Scale) -> Result<Vec<Measure>, BenchError> {
    let wallets = scale.crowd(MANY);
    let (needed, allowed) = (wallets as u64 + FILES, process::open_files());
    if allowed < needed {
        let why = format!("a process may open {allowed} files and {needed} are needed: raise `ulimit -Hn`");
        return Ok(vec![Measure::skipped(IDLE, why)]);
    }
    let crowd = Crowd { processes: PROCESSES, sockets: wallets / PROCESSES, channels: 1 };
    let empty = Stage::start(IDLE, Crowd::ONE).await?;
    let before = empty.hub.rss()?;
    empty.end().await?;
    let stage = Stage::start(IDLE, crowd).await?;
    let watched = scale.slice * 50;
    let busy = stage.hub.cpu()?;
    sleep(watched).await;
    let busy = stage.hub.cpu()? - busy;
    let held = stage.hub.rss()?;
    stage.end().await?;
    let percent = busy.as_secs_f64() / watched.max(Duration::from_millis(1)).as_secs_f64() * 100.0;
    let measure = measure_of(IDLE, &[(held, BOUND)])
        .unit("MB")
        .with("sockets", wallets as f64)
        .with("empty_mb", before)
        .with("kb_each", (held - before) * 1e3 / wallets as f64)
        .with("cpu_percent", percent);
    Ok(vec![measure.target(Target::AtMost("ours", BOUND))])
}

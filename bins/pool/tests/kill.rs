#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! `kill -9` at fifty moments spread over whole runs, start-up included: nothing is lost, nothing doubled, and the
//! result is that of a run that nobody disturbed.

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use support::{Running, assert_complete, demo, finish};
use venus_core::entropy::{Entropy, SeededEntropy};

const KILLS: u32 = 50;
/// Kills of one run; its moments lie in successive parts of the run.
const KILLS_A_RUN: u32 = 5;
const ARGS: [&str; 5] = ["--messages=40", "--miners=3", "--epochs=14", "--seed=5", "--fork"];

/// Seeded fractions between 0 and 1.
struct Moments(SeededEntropy);

impl Moments {
    fn next(&self) -> f64 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes).unwrap();
        f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
    }
}

/// Starts the demo and kills it after `delay`; false if it had ended by then.
fn kill_after(dir: &Path, delay: Duration) -> bool {
    let running = Running::start(demo(dir, &ARGS));
    if running.ends_within(delay) {
        let (code, ..) = running.wait();
        assert_eq!(code, Some(0));
        return false;
    }
    running.kill();
    true
}

#[test]
fn fifty_kills_lose_and_double_nothing() {
    let tmp = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let undisturbed = finish(&tmp.path().join("undisturbed"), &ARGS);
    let duration = started.elapsed();
    assert_complete(&undisturbed, 40);
    let moments = Moments(SeededEntropy::new(50, "kills"));
    let (mut kills, mut runs) = (0, 0);
    while kills < KILLS {
        let dir = tmp.path().join(runs.to_string());
        for kill in 0..KILLS_A_RUN.min(KILLS - kills) {
            // The first kill of a run hits the start-up, when the directory is made and filled. The others have
            // twice their share of the run at most, so that on average the last one comes near its end.
            let most = if kill == 0 { 0.05 } else { 2.0 / f64::from(KILLS_A_RUN - 1) };
            if !kill_after(&dir, duration.mul_f64(moments.next() * most)) {
                break;
            }
            kills += 1;
        }
        let resumed = finish(&dir, &ARGS);
        assert_eq!(resumed, undisturbed, "run {runs}, {kills} kills so far");
        std::fs::remove_dir_all(&dir).unwrap();
        runs += 1;
    }
    assert_eq!(kills, KILLS);
}

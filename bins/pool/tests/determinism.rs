#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! The same arguments end with the same chain, and the chain has what was asked for.

mod support;

use std::path::Path;

use support::{assert_complete, finish, json};

const SMALL: [&str; 6] = ["--messages=12", "--miners=2", "--epochs=8", "--fork", "--seed", "11"];

#[test]
fn the_same_seed_gives_the_same_line() {
    let tmp = tempfile::tempdir().unwrap();
    let first = finish(&tmp.path().join("a"), &SMALL);
    let second = finish(&tmp.path().join("b"), &SMALL);
    assert_complete(&first, 12);
    assert_eq!(first, second);
    assert_eq!(json(&first)["reorgs"], 1);
    assert!(json(&first)["epochs"].as_u64().unwrap() >= 8);
}

#[test]
fn another_seed_gives_another_head() {
    let tmp = tempfile::tempdir().unwrap();
    let run = |seed: &str| finish(&tmp.path().join(seed), &["--messages=6", "--epochs=5", "--seed", seed]);
    let (first, second) = (run("1"), run("2"));
    assert_complete(&first, 6);
    assert_complete(&second, 6);
    assert_ne!(json(&first)["head"], json(&second)["head"]);
    assert_eq!(json(&first)["reorgs"], 0, "nobody forks unless asked");
}

#[test]
fn the_smallest_run_lands_and_can_fork() {
    let tmp = tempfile::tempdir().unwrap();
    let line = finish(tmp.path(), &["--messages=1", "--miners=1", "--epochs=1", "--fork"]);
    assert_complete(&line, 1);
    assert_eq!(json(&line)["reorgs"], 1);
}

#[test]
fn the_run_of_the_manual_lands_and_forks_once() {
    let tmp = tempfile::tempdir().unwrap();
    let line = finish(tmp.path(), &["--messages=100", "--miners=3", "--epochs=20", "--seed=7", "--fork"]);
    assert_complete(&line, 100);
    let report = json(&line);
    assert_eq!(report["reorgs"], 1);
    assert!(report["blocks_mined"].as_u64().unwrap() >= 20, "{line}");
    assert!(report["rounds_won"].as_u64() >= report["blocks_mined"].as_u64(), "{line}");
}

/// Runs in which a reorg used to make transfers fail: their gas was estimated while the recipient existed, and the
/// reorg undid its creation.
#[test]
fn forks_lose_nothing() {
    let tmp = tempfile::tempdir().unwrap();
    for (messages, miners, epochs, seed) in
        [(3, 3, 5, 268), (100, 8, 8, 319), (100, 5, 4, 310), (10, 3, 3, 7)]
    {
        run_with_fork(&tmp.path().join(seed.to_string()), messages, miners, epochs, seed);
    }
}

#[test]
fn forks_of_many_shapes_lose_nothing() {
    let tmp = tempfile::tempdir().unwrap();
    for seed in 0..20 {
        let (messages, miners, epochs) = (2 + 7 * (seed % 5), 1 + seed % 4, 2 + seed % 7);
        run_with_fork(&tmp.path().join(seed.to_string()), messages, miners, epochs, seed);
    }
}

fn run_with_fork(dir: &Path, messages: u64, miners: u64, epochs: u64, seed: u64) {
    let args = [("messages", messages), ("miners", miners), ("epochs", epochs), ("seed", seed)];
    let mut args: Vec<_> = args.iter().map(|(name, value)| format!("--{name}={value}")).collect();
    args.push("--fork".into());
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let line = finish(dir, &args);
    assert_complete(&line, messages);
    assert_eq!(json(&line)["reorgs"], 1, "{args:?}");
}

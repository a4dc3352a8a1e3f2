#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
//! The same arguments end with the same chain, and the chain has what was asked for.

mod support;

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

//! The directory: one devnet, one chain, and disks that are full.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::{Devnet, MANUAL, PROGRAM, finish, program, stderr};

#[test]
fn a_second_devnet_is_refused_and_told_why() {
    let devnet = Devnet::manual();
    let (code, text) = devnet.refused(&["run"]);
    assert_eq!(code, Some(2));
    assert!(text.contains(&format!("is in use by process {}", devnet.id())), "{text}");
    let mut other = program(&["run", "--clock=manual"]);
    let dir = tempfile::tempdir().unwrap();
    other.arg(format!("--listen={}", devnet.address("venus"))).arg("--dir").arg(dir.path().join("d"));
    let output = finish(other);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("--face venus=ADDRESS:PORT"), "{}", stderr(&output));
    assert_eq!(devnet.json(&["mine"])["tipsets"], 1);
}

#[test]
fn another_genesis_is_refused_and_named() {
    let mut devnet = Devnet::manual();
    let mined = devnet.json(&["mine", "2"]);
    devnet.stop();
    let (code, text) = devnet.refused(&["run", "--miners=5", "--seed=7", "--epoch=30s"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("--epoch is 4 there and 30 here, --miners is 3 there and 5 here"), "{text}");
    devnet.restart(&MANUAL);
    assert_eq!(devnet.head(), mined["head"]);
    devnet.stop();
    // The plan of another chain beside this one's log.
    let other = Devnet::start(&["--listen=127.0.0.1:0", "--clock=manual", "--seed=8"]);
    std::fs::copy(other.path("devnet.json"), devnet.path("devnet.json")).unwrap();
    let (code, text) = devnet.refused(&["run"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("belongs to the genesis"), "{text}");
}

#[test]
fn directories_of_others_and_damaged_files_are_left_alone() {
    let mut devnet = Devnet::manual();
    devnet.stop();
    std::fs::write(devnet.path("jwt-secret"), "short").unwrap();
    let (code, text) = devnet.refused(&["run"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("jwt-secret is damaged") && !text.contains("short"), "{text}");
    std::fs::write(devnet.path("devnet.json"), "{").unwrap();
    assert!(devnet.refused(&["run"]).1.contains("devnet.json is damaged"));
    let photos = tempfile::tempdir().unwrap();
    std::fs::write(photos.path().join("photo.jpg"), "").unwrap();
    let mut command = program(&["run", "--dir"]);
    command.arg(photos.path());
    let output = finish(command);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("it holds photo.jpg"), "{}", stderr(&output));
    assert_eq!(std::fs::read_dir(photos.path()).unwrap().count(), 1);
}

#[test]
fn a_full_disk_ends_mining_and_nothing_else() {
    let mut devnet = Devnet::manual();
    devnet.json(&["mine", "2"]);
    devnet.stop();
    // Room for some blocks more.
    let mut command = Command::new("sh");
    let blocks = 2 + std::fs::metadata(devnet.path("chain/blocks.log")).unwrap().len() / 512 + 12;
    let line = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
    command.args(["-c", &line, PROGRAM]).env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    devnet.restart_by(command, &["--listen=127.0.0.1:0", "--clock=manual"]);
    let (code, text) = devnet.refused(&["mine", "200"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("block log"), "{text}");
    let full = devnet.head();
    // By itself it tries now and then, and goes on answering.
    devnet.json(&["auto", "1"]);
    let status = devnet.json(&["status"]);
    assert_eq!(
        (&status["supply_conserved"], &status["auto_mine"]),
        (&json!(true), &json!({"mode": "every", "ms": 1}))
    );
    let (code, log) = devnet.stop();
    assert_eq!(code, Some(0));
    assert!(log.lines().filter(|line| line.contains("an epoch was not mined")).count() < 20, "{log}");

    devnet.restart(&["--listen=127.0.0.1:0", "--clock=manual"]);
    assert!(devnet.head()["height"].as_i64() >= full["height"].as_i64());
    assert_eq!(devnet.json(&["mine", "3"])["tipsets"], 3);
    assert_eq!(devnet.json(&["status"])["supply_conserved"], true);
}

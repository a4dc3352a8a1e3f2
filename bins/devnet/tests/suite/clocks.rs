//! Clocks that run by themselves.

use std::time::Instant;

use serde_json::Value;

use crate::support::{Devnet, PATIENCE};

/// Asks for the status until it is as wanted.
fn until(devnet: &Devnet, wanted: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let status = devnet.json(&["status"]);
        if wanted(&status) {
            return status;
        }
        assert!(start.elapsed() < PATIENCE, "{status}");
    }
}

fn height(status: &Value) -> i64 {
    status["head"]["height"].as_i64().unwrap()
}

#[test]
fn epochs_are_mined_in_their_time_and_after_a_stop_caught_up() {
    let mut devnet = Devnet::start(&["--listen=127.0.0.1:0", "--epoch=1s", "--seed=3"]);
    let status = until(&devnet, |status| height(status) >= 2);
    assert!(height(&status) <= status["epoch"].as_i64().unwrap() + 1, "{status}");
    assert_eq!(status["manual_clock"], false);
    devnet.json(&["auto", "off"]);
    let still = devnet.head();
    assert_eq!(devnet.json(&["advance", "3"])["tipsets"].as_u64().unwrap() + 1, 4);
    assert!(devnet.head()["height"].as_i64() > still["height"].as_i64());
    let head = devnet.head();
    let (code, log) = devnet.stop();
    assert_eq!(code, Some(0), "{log}");
    devnet.restart(&["--listen=127.0.0.1:0"]);
    until(&devnet, |status| height(status) > head["height"].as_i64().unwrap());
}

#[test]
fn a_rush_makes_up_for_a_genesis_in_the_past() {
    let args = [
        "--listen=127.0.0.1:0",
        "--clock=rush",
        "--genesis-time=300s",
        "--epoch=1s",
        "--miners=1",
        "--seed=4",
    ];
    let mut devnet = Devnet::start(&args);
    let status = until(&devnet, |status| height(status) >= 290);
    assert!(height(&status) <= status["epoch"].as_i64().unwrap() + 1);
    assert!(status["blocks"].as_u64().unwrap() > 200, "{status}");
    let (code, log) = devnet.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("epochs caught up: "), "{log}");
    let head = height(&status);
    devnet.restart(&args[..2]);
    assert!(height(&devnet.json(&["status"])) >= head);
    let (_, log) = devnet.stop();
    assert!(log.contains("replayed to epoch: "), "{log}");
}

#[test]
fn on_demand_waits_on_a_clock_that_runs() {
    let devnet = Devnet::start(&["--listen=127.0.0.1:0", "--genesis-time=100s", "--epoch=1s", "--on-demand"]);
    let status = devnet.json(&["status"]);
    assert_eq!((height(&status), status["auto_mine"]["mode"].as_str()), (0, Some("off")));
    assert_eq!(devnet.json(&["mine", "2"])["tipsets"], 2);
    assert!(devnet.json(&["fork"])["head"]["height"].as_i64() >= Some(2));
}

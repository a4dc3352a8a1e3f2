//! The suite `gateway` with its processes, at the smallest effort. Its figures are not looked at: only that each is
//! there, and that everything worked on the way.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::process::{Command, Stdio};

use serde_json::Value;

fn measured(only: &str) -> Value {
    // Hidden processes wait for their parent no longer than minutes, and it for them.
    let run = Command::new(env!("CARGO_BIN_EXE_venus-bench"))
        .args(["gateway", "--json", "--rounds", "1", "--slice-ms", "1", "--only", only])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(run.status.success(), "{only}: {}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).unwrap()
}

#[test]
fn every_measure_is_taken() {
    let report = measured("");
    let names: Vec<&String> = report.as_object().unwrap().keys().collect();
    let expected = [
        "auth_verify_32",
        "auth_verify_32_sqlite",
        "auth_verify_rss",
        "auth_verify_rss_sqlite",
        "failover",
        "idle_10000",
        "real_keys_bls",
        "real_keys_secp",
        "register_1000_keys",
        "revocation",
        "wallet_sign_1",
        "wallet_sign_128",
        "wallet_sign_cpu",
        "wallets_10000",
    ];
    assert_eq!(names, expected);
    for (name, figures) in report.as_object().unwrap() {
        assert!(figures["ours"].as_f64().is_some_and(|ours| ours >= 0.0), "{name}: {figures}");
        assert!(figures["unit"].is_string() && figures["targets"].is_array(), "{name}: {figures}");
        assert!(figures.get("skipped").is_none(), "{name}: {figures}");
    }
}

#[test]
fn measures_are_picked_by_name() {
    let report = measured("failover");
    assert_eq!(report.as_object().unwrap().keys().collect::<Vec<_>>(), ["failover"]);
    assert!(measured("no such measure").as_object().unwrap().is_empty());
}

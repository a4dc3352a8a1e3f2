//! `kill -9` at random moments: no block that was told of is lost, and no FIL.

use std::time::Duration;

use serde_json::{Value, json};
use venus_core::entropy::{Entropy, SeededEntropy};

use crate::support::{Devnet, MANUAL, program};

const KILLS: usize = 12;

#[test]
fn kills_lose_nothing() {
    let moments = SeededEntropy::new(12, "kills");
    let mut devnet = Devnet::start(&[&MANUAL[..], &["--epoch=1s"]].concat());
    let account = devnet.ready["accounts"][0]["address"].as_str().unwrap().to_owned();
    let mut last = Value::Null;
    for kill in 0..KILLS {
        devnet.json(&["fund", &account, "1"]);
        // What is answered was kept; what is in the making when the kill comes may be lost.
        last = devnet.json(&["mine", "2"])["head"].clone();
        devnet.json(&["auto", "1"]);
        let mut byte = [0];
        moments.fill(&mut byte).unwrap();
        let busy = std::thread::scope(|scope| {
            let mining = scope.spawn(|| {
                let mut command = program(&["mine", "1000", "--json"]);
                command.arg("--dir").arg(&devnet.dir);
                crate::support::finish(command)
            });
            std::thread::sleep(Duration::from_millis(u64::from(byte[0])));
            crate::support::signal(devnet.id(), "KILL");
            mining.join().unwrap()
        });
        assert!(!busy.status.success(), "kill {kill} came in the middle");
        devnet.kill();
        devnet.restart(&["--listen=127.0.0.1:0", "--clock=manual"]);
        let status = devnet.json(&["status"]);
        assert_eq!(status["supply_conserved"], true, "kill {kill}");
        let height = last["height"].as_i64().unwrap();
        assert!(status["head"]["height"].as_i64().unwrap() >= height, "kill {kill}");
        let there = devnet.call("ChainGetTipSetByHeight", &json!([height, []]));
        assert_eq!(there["Cids"], last["cids"], "kill {kill}");
    }
    devnet.json(&["mine", "2"]);
    let balance = devnet.call("WalletBalance", &json!([account]));
    assert_eq!(balance, format!("{}000000000000000000", 100_000 + KILLS));
    assert!(devnet.json(&["status"])["head"]["height"].as_i64() > last["height"].as_i64());
}

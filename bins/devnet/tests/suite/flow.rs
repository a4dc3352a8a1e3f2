//! What a user does.

use serde_json::json;

use crate::support::{Devnet, MANUAL, finish, mode, program};

#[test]
fn ready_means_one_line_with_everything_in_it() {
    let devnet = Devnet::manual();
    let ready = &devnet.ready;
    assert!(ready["network"].as_str().unwrap().starts_with("localnet-"), "{ready}");
    assert_eq!(
        (ready["accounts"].as_array().unwrap().len(), ready["miners"].as_array().unwrap().len()),
        (8, 3)
    );
    let account = &ready["accounts"][0];
    assert_eq!(
        (&account["id"], &account["key_type"], &account["role"]),
        (&json!("t0100"), &json!("secp256k1"), &json!("account"))
    );
    assert_eq!(account["balance"], "100000000000000000000000");
    let address = account["address"].as_str().unwrap();
    assert!(address.starts_with("t1"), "{address}");
    let key = devnet.path("keys").join(format!("{address}.key"));
    assert_eq!(std::fs::read_to_string(&key).unwrap(), account["private_key"]);
    let json: Vec<u8> = (0..)
        .step_by(2)
        .map_while(|i| Some(u8::from_str_radix(account["private_key"].as_str()?.get(i..i + 2)?, 16).unwrap()))
        .collect();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["Type"], "secp256k1");
    assert_eq!(ready["miners"][1]["address"], "t01001");
    let workers: Vec<_> =
        ready["accounts"].as_array().unwrap().iter().filter(|a| a["role"] == "worker").collect();
    assert_eq!(workers[1]["address"], ready["miners"][1]["worker"]);
    for file in ["token", "read-token", "jwt-secret", "accounts.json", "devnet.json", "api"] {
        assert_eq!(mode(&devnet.path(file)), 0o600, "{file}");
    }
    assert_eq!((mode(&devnet.dir), mode(&key)), (0o700, 0o600));
    assert_eq!(
        (devnet.read("token"), devnet.read("api")),
        (devnet.token(), ready["multiaddr"].as_str().unwrap().into())
    );
}

#[test]
fn mine_fork_fund_and_go_on_after_a_restart() {
    let mut devnet = Devnet::manual();
    let mined = devnet.json(&["mine", "4"]);
    assert_eq!(mined["tipsets"], 4);
    assert_eq!(devnet.json(&["null", "3"])["empty_to"], mined["head"]["height"].as_i64().unwrap() + 3);
    let after = devnet.json(&["advance", "2"]);
    assert!(after["head"]["height"].as_i64() > mined["head"]["height"].as_i64().map(|h| h + 3));
    let fork = devnet.json(&["fork", "--depth", "2"]);
    assert_eq!(fork["old_head"], after["head"]);
    assert_ne!(fork["head"]["cids"], after["head"]["cids"]);
    let status = devnet.json(&["status"]);
    assert_eq!((&status["reorgs"], &status["supply_conserved"]), (&json!(1), &json!(true)));
    let account = devnet.ready["accounts"][1]["address"].as_str().unwrap().to_owned();
    devnet.json(&["fund", &account, "1.5"]);
    devnet.json(&["mine", "2"]);
    assert_eq!(devnet.call("WalletBalance", &json!([account])), "100001500000000000000000");
    let (head, ready) = (devnet.head(), devnet.ready.clone());
    let (code, log) = devnet.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("stopped"), "{log}");
    let (code, text) = devnet.refused(&["status"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("no devnet runs in"), "{text}");

    devnet.restart(&["--listen=127.0.0.1:0", "--clock=manual"]);
    assert_eq!(devnet.head(), head);
    for same in ["network", "genesis", "token", "read_token", "accounts", "miners"] {
        assert_eq!(devnet.ready[same], ready[same], "{same}");
    }
    assert_eq!(devnet.call("WalletBalance", &json!([account])), "100001500000000000000000");
    let status = devnet.json(&["status"]);
    assert_eq!((&status["reorgs"], &status["supply_conserved"]), (&json!(1), &json!(true)));
    devnet.json(&["mine"]);
}

#[test]
fn the_same_seed_and_commands_give_the_same_head() {
    let head = |seed: &str| {
        let devnet = Devnet::start(&[&MANUAL[..], &[seed]].concat());
        devnet.json(&["mine", "3"]);
        devnet.json(&["null", "2"]);
        devnet.json(&["fork", "--depth=2", "--tipsets=3"]);
        devnet.json(&["advance", "4"])["head"].clone()
    };
    let first = head("--epoch=4s");
    assert_eq!(head("--epoch=4s"), first);
    assert_ne!(head("--epoch=5s"), first);
}

#[test]
fn who_mines_and_when_is_chosen() {
    let args = [&MANUAL[..], &["--external-miners=t01000,t01002"]].concat();
    let devnet = Devnet::start(&args);
    let status = devnet.json(&["status"]);
    assert_eq!(
        (&status["miners"], &status["outside_miners"]),
        (&json!(["t01001"]), &json!(["t01000", "t01002"]))
    );
    assert_eq!(devnet.ready["miners"][0]["external"], true);
    let mined = devnet.json(&["mine", "3"]);
    assert_eq!(mined["blocks"], 3);
    devnet.json(&["mine", "--miners", "t01002"]);
    let head = devnet.call("ChainHead", &json!([]));
    assert_eq!(head["Blocks"][0]["Miner"], "t01002");
    devnet.json(&["producers", "none"]);
    let (code, text) = devnet.refused(&["mine"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("no miner is left to the devnet"), "{text}");
    devnet.json(&["producers", "all"]);
    devnet.json(&["freeze"]);
    assert!(devnet.refused(&["mine"]).1.contains("frozen"));
    devnet.json(&["thaw"]);
    assert!(devnet.json(&["mine"])["blocks"].as_u64() > Some(0));
    assert!(devnet.refused(&["mine", "0"]).1.contains("not between 1 and 10000"));
    // The worker of a miner outside is where that miner is.
    let worker = |i: usize| devnet.call("WalletHas", &json!([devnet.ready["miners"][i]["worker"]]));
    assert_eq!((worker(0), worker(1)), (json!(false), json!(true)));
}

#[test]
fn power_and_faults_of_sectors_change_the_state() {
    let devnet = Devnet::manual();
    let power = || {
        let power = devnet.call("StateMinerPower", &json!(["t01000", []]));
        power["MinerPower"]["QualityAdjPower"].as_str().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(power(), 8 * 2048);
    devnet.json(&["power", "t01000", "4096"]);
    devnet.json(&["mine", "2"]);
    assert_eq!(power(), 10 * 2048);
    devnet.json(&["fault", "sectors", "t01000", "0,1"]);
    devnet.json(&["mine", "2"]);
    assert_eq!(power(), 8 * 2048);
    devnet.json(&["fault", "recover", "t01000", "0"]);
    devnet.json(&["mine", "2"]);
    assert_eq!(power(), 9 * 2048);
    devnet.json(&["base-fee", "123456"]);
    assert!(devnet.refused(&["base-fee", "99"]).1.contains("at least 100"));
    assert!(devnet.refused(&["power", "t0100", "1"]).1.contains("is no miner"));
    assert_eq!(devnet.json(&["status"])["supply_conserved"], true);
}

#[test]
fn text_is_for_people_and_completions_for_shells() {
    let devnet = Devnet::manual();
    let text = |args: &[&str]| String::from_utf8(devnet.command(args).stdout).unwrap();
    assert!(text(&["mine", "2"]).starts_with("2 tipsets of "));
    assert!(text(&["status"]).contains("mining   on demand"));
    assert!(text(&["fork"]).contains("since    epoch "));
    assert!(text(&["accounts"]).contains("t01002"));
    assert!(text(&["completions", "bash"]).contains("venus-devnet"));
    assert_eq!(finish(program(&["mine", "much"])).status.code(), Some(2));
}

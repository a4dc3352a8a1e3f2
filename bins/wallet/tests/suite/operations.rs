//! What goes wrong where the wallet runs: full disks, moved files, copied repositories, closed pipes.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::support::{Wallet, http, text};

fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let value: Value =
        serde_json::from_str(&text(output)).unwrap_or_else(|e| panic!("{e}: {}", text(output)));
    value["error"].as_str().unwrap().to_owned()
}

fn readiness(wallet: &Wallet) -> (u64, Value) {
    let answer = http(wallet.addr(), "GET /readyz HTTP/1.1", &[], "");
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

/// A log on a full disk used to panic in whatever task wrote the line; the writer of records never came back.
#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let mut wallet = Wallet::init();
    let args = ["run", "--password-file", &wallet.password_file()];
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    wallet.start_with(wallet.command(&["--json"]).args(args).env("VENUS_LOG", "trace").stderr(full));
    let key = wallet.ok(&["new", "bls"]).trim().to_owned();
    let digest = "07".repeat(32);
    let cid = format!("0171a0e40220{digest}");
    for _ in 0..3 {
        wallet.ok(&["sign", &key, &digest, "--password-file", &wallet.password_file()]);
        let denied = wallet.command(&["sign", &key, &cid, "--password-file", &wallet.password_file()]);
        assert!(text(&{ denied }.output().unwrap()).contains("raw-cid"));
    }
    assert_eq!(wallet.json(&["audit", "verify"])["records"], 6);
    assert_eq!(wallet.stop(), 0);
}

/// Each would keep a history of its own, and sign another block for the same height.
#[test]
fn two_repositories_cannot_run_on_one_keystore() {
    let wallet = Wallet::run(&[]);
    let copy = wallet.dir.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for file in ["config.toml", "token"] {
        fs::copy(wallet.repo().join(file), copy.join(file)).unwrap();
    }
    let run = |args: &[&str]| wallet.command_in(&copy, args).output();
    let refused = text(&run(&["run"]).unwrap());
    assert!(refused.contains("keystore.sqlit is in use by process"), "{refused}");
    // The history is where the keys are, whatever the repository.
    let known = text(&run(&["--json", "slashing", "status"]).unwrap());
    assert!(known.contains("histories"), "{known}");
    assert!(!copy.join("slashing.sqlite").exists());
}

/// As operators of Go's wallet do, and whoever writes configurations for many machines.
#[test]
fn a_prepared_configuration_is_enough_to_start() {
    let mut wallet = Wallet::run(&[]);
    assert_eq!(wallet.stop(), 0);
    for entry in fs::read_dir(wallet.repo()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != "config.toml" {
            fs::remove_file(path).unwrap();
        }
    }
    wallet.start(&[]);
    assert_eq!(wallet.ok(&["list"]), "");
}

/// An empty keystore takes any password, and looks like a wallet that has lost its keys.
#[test]
fn a_keystore_that_is_gone_is_not_replaced_by_an_empty_one() {
    let mut wallet = Wallet::run(&[]);
    wallet.ok(&["set-password", "--password-file", &wallet.password_file()]);
    let key = wallet.ok(&["new"]);
    assert_eq!(wallet.stop(), 0);
    let file = wallet.repo().join("keystore.sqlit");
    let bytes = fs::read(&file).unwrap();
    let backup = wallet.dir.path().join("backup").display().to_string();
    for (gone, args) in [(true, ["run", "--json"]), (false, ["run", "--json"]), (true, ["backup", &backup])] {
        fs::remove_file(&file).unwrap();
        if !gone {
            fs::write(&file, "").unwrap();
        }
        let output = wallet.command(&[&["--json"], args.as_slice()].concat());
        let said = error(&{ output }.output().unwrap());
        assert!(said.contains("there is no keystore at") && said.contains("keystore.sqlit"), "{said}");
        assert!(fs::metadata(&file).map_or(0, |found| found.len()) == 0);
        fs::write(&file, &bytes).unwrap();
    }
    wallet.start(&[]);
    assert_eq!(wallet.ok(&["list"]), key);
    // Moved away while the wallet runs: nothing takes its place, and readiness tells.
    assert_eq!(readiness(&wallet).1["checks"]["database"]["ok"], true);
    fs::rename(&file, wallet.repo().join("moved")).unwrap();
    let (status, body) = readiness(&wallet);
    assert_eq!((status, &body["checks"]["database"]["ok"]), (503, &json!(false)), "{body}");
    let answer = wallet.call("WalletSign", &json!([key.trim(), "BwcH", {"Type": "unknown"}]));
    assert!(answer["error"].is_object(), "{answer}");
    assert!(!file.exists());
    // An empty one only for who asks for it.
    wallet.stop();
    wallet.ok(&["init"]);
    wallet.start(&[]);
    assert_eq!(wallet.ok(&["list"]), "");
}

#[test]
fn json_is_json_also_for_errors_and_with_passwords_from_a_pipe() {
    let wallet = Wallet::run(&[]);
    let said = error(&wallet.command(&["--json", "new", "bls"]).output().unwrap());
    assert_eq!(said, "password not set");
    let mut command = wallet.command(&["--json", "set-password"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"password\npassword\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output), "{\"locked\":false}\n");
    let nowhere = wallet.dir.path().join("nowhere");
    let said = error(&wallet.command_in(&nowhere, &["--json", "list"]).output().unwrap());
    assert!(said.contains("is no wallet repository"), "{said}");
    error(&wallet.command_in(&nowhere, &["--json", "restore", "x"]).output().unwrap());
    assert!(!nowhere.exists(), "a mistyped name makes no directory");
    error(&wallet.command_in(Path::new(""), &["--json", "init"]).output().unwrap());
}

#[test]
fn a_closed_output_is_no_panic() {
    let wallet = Wallet::init();
    for args in [["strategy", "methods"], ["audit", "verify"], ["policy", "show"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = wallet.command(&args);
        let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && !said.contains("panicked"), "{args:?}: {said}");
    }
}

#[test]
fn policy_check_asks_the_rules_of_the_wallet() {
    let wallet = Wallet::init();
    let key = "f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq";
    let check = ["--json", "policy", "check", "0707", "--type", "unknown", "--key", key];
    assert_eq!(wallet.command(&check).output().unwrap().status.code(), Some(2));
    wallet.allow_all();
    wallet.json(&check[1..]);
    assert_eq!(wallet.json(&["policy", "show"])["default"], "allow");
}

#[test]
fn a_start_for_the_wrong_network_binds_nobody() {
    let mut wallet = Wallet::run(&[]);
    wallet.stop();
    wallet.extra = vec!["--nettype".into(), "cali".into()];
    wallet.start(&[]);
    assert_eq!(wallet.json(&["slashing", "status"])["network"], "cali");
}

/// `ulimit -f`: the system would end the wallet at the first record that does not fit.
#[test]
fn a_limit_on_files_is_an_error_and_not_the_end() {
    let mut wallet = Wallet::init();
    let line = "ulimit -f 300; exec \"$0\" \"$@\"";
    let run = wallet.command(&["--json", "run", "--password-file", &wallet.password_file()]);
    let mut command = std::process::Command::new("bash");
    command.args(["-c", line]).arg(run.get_program()).args(run.get_args()).stderr(Stdio::null());
    wallet.start_with(&mut command);
    let key = wallet.ok(&["new", "bls"]).trim().to_owned();
    let digest = data_encoding::BASE64.encode(&[7; 32]);
    let params = json!([key, digest, {"Type": "unknown"}]);
    let mut answers = (0..5000).map(|_| wallet.call("WalletSign", &params)["error"]["message"].clone());
    let said = answers.find_map(|text| text.as_str().map(str::to_owned)).unwrap_or_default();
    assert!(said.contains("audit: "), "{said}");
    assert_eq!(wallet.json(&["list"]), json!([key]));
    assert_eq!(wallet.stop(), 0);
}

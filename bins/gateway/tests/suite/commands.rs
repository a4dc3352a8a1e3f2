//! Every command of sophon-gateway, as recorded: ours says the same and ends the same, or differs on purpose.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Auth, Gateway};

/// Lines that differ on purpose, and why.
const INTENDED: &[(&[u64], &str)] = &[
    (&[1], "help is ours, and lists more commands; the exit code is the same"),
    (&[4, 7, 11], "errors are said without Go's log line around them: time, level, logger, file"),
    (&[12], "the error says at which port of which machine nobody listens, and what to do"),
];

/// The recording's words with ours for what varies: ids, times, ports. Addresses of a wallet are sorted by us.
fn shape(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let (uuid, time) = (
            bare.len() == 36 && bare.matches('-').count() == 4,
            bare.starts_with("20") && bare.contains('T'),
        );
        let port = bare.starts_with("127.0.0.1:");
        if uuid || time || port { "…".to_owned() } else { word.trim_end_matches(',').to_owned() }
    };
    let mut lines: Vec<String> =
        text.lines().map(|line| line.split(' ').map(word).collect::<Vec<_>>().join(" ")).collect();
    // Go's maps have no order.
    let is_address = |line: &String| line.trim().starts_with("\"f");
    let first = lines.iter().position(is_address).unwrap_or_default();
    let last = lines.iter().rposition(is_address).map_or(0, |last| last + 1);
    lines[first..last].sort();
    lines.join("\n") + if text.ends_with('\n') { "\n" } else { "" }
}

/// What Go's command said after its log's own words.
fn message(stderr: &str) -> &str {
    stderr.rsplit('\t').next().unwrap_or_default()
}

#[test]
fn every_command_as_recorded() {
    let auth = Auth::start();
    for user in ["alice", "bob"] {
        auth.user(user);
    }
    let gateway = Gateway::run(&auth, "", "[Proxy]\nAllowedHosts = [\"127.0.0.1:1\"]");
    let wallet = auth.narrowed("alice", "admin", &["support:bob"]);
    let _wallet = auth.wallet(&gateway, &wallet, &["bob"]);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/gateway-cli.jsonl");
    let text = fs::read_to_string(data).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 12);
    let (mut alike, mut intended, mut other) = (0, 0, Vec::new());
    for line in &lines {
        let args: Vec<&str> =
            line["args"].as_array().unwrap()[2..].iter().filter_map(Value::as_str).collect();
        let output = gateway.command(&args).output().unwrap();
        let ours = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (stdout, stderr) = (ours(&output.stdout), ours(&output.stderr));
        let theirs = |name: &str| line[name].as_str().unwrap();
        let code = output.status.code() == line["rc"].as_i64().map(|code| code as i32);
        let same = code && shape(theirs("stdout")) == shape(&stdout) && theirs("stderr") == stderr;
        let rule = INTENDED.iter().find(|(lines, _)| lines.contains(&line["n"].as_u64().unwrap()));
        let meant = match line["n"].as_u64().unwrap() {
            1 => ["miner", "wallet", "market", "proxy", "run"].iter().all(|name| stdout.contains(name)),
            12 => stderr.contains("127.0.0.1:1") && stderr.contains("venus-gateway doctor"),
            _ => message(theirs("stderr")) == stderr && stdout.is_empty(),
        };
        match (same, rule) {
            (true, None) => alike += 1,
            (false, Some(_)) if code && meant => intended += 1,
            _ => other.push(format!("{line}\n  ours {:?} {stdout:?} {stderr:?}", output.status.code())),
        }
    }
    println!("alike {alike}, intended {intended}, other {}", other.len());
    assert!(other.is_empty(), "{}", other.join("\n"));
}

#[test]
fn every_command_has_json() {
    let auth = Auth::start();
    auth.user("alice");
    let gateway = Gateway::run(&auth, "", "[Proxy]\nAllowedHosts = [\"node\"]");
    let _wallet = auth.wallet(&gateway, &auth.token("alice", "sign"), &[]);
    assert_eq!(gateway.json(&["wallet", "list"])[0]["Account"], "alice");
    assert_eq!(gateway.json(&["wallet", "state", "alice"])["SupportAccounts"][0], "alice");
    assert_eq!(gateway.json(&["wallet", "list-support", "bob"]), serde_json::json!([]));
    assert_eq!(gateway.json(&["miner", "list"]), serde_json::json!([]));
    assert_eq!(gateway.json(&["market", "list"]), Value::Null);
    assert_eq!(gateway.json(&["proxy", "set", "--type", "VENUS", "--url", "http://node:1"])["type"], "VENUS");
    assert_eq!(gateway.json(&["wallet", "state", "bob"])["error"], "wallet bob not exit");
    let refused = gateway.json(&["proxy", "set", "--type", "VENUS", "--url", "http://169.254.169.254"]);
    assert!(refused["error"].as_str().unwrap().contains("AllowedHosts"), "{refused}");
    let (well, script) = gateway.say(&["completions", "bash"]);
    assert!(well && script.contains("venus-gateway"));
    let (well, said) = gateway.say(&["init"]);
    assert!(well && said.contains("was there before"), "{said}");
}

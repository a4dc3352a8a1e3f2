//! A wallet between Go programs: `tests/interop/wallet`, built with gorm and with the go-jsonrpc of Venus.
//!
//! Without Go nothing is proved here, so the tests say that they skip; with `VENUS_REQUIRE_GO=1` they fail instead.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(unreachable_pub)]

#[path = "suite/support/mod.rs"]
mod support;

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};
use support::{PASSWORD, Wallet};
use venus_core::cbor::Encode;
use venus_core::types::{Message, TokenAmount, address};
use venus_signer::{MessageToSign, SigningNetwork};

/// Public test keys, as a keystore names them.
const KEYS: [(&str, &str, &str); 3] = [
    (
        "17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq",
        "secp256k1",
        "2a2a2a2a2a2a2a2a5fbf0ed0f8364c01ff27540ecd6669ff4cc548cbe60ef5ab",
    ),
    (
        "3tho7tbdrw3xuy6ybz6p5tfc7nsqqa2ozhsrnmhwynrb3keeaeywe3felidbpgvy2wcxktmxcezlpz7pbu5pq",
        "bls",
        "33ff38fa8c1c53c3ef1b2f811cee9ce4f7ec2ce90b16ceeb9675dc6aa3d04817",
    ),
    (
        "410fnz6o7a4owcgw33z2zvsxtuf64aoxlmcn4dh5hzy",
        "delegated",
        "33ff38fa8c1c53c3ef1b2f811cee9ce4f7ec2ce90b16ceeb9675dc6aa3d04821",
    ),
];
/// The strategy token that the Go program makes for its group.
const TOKEN: &str = "7f3ae2a2-6c1e-4d5b-9d5f-0c2f8a1b3c4d";

/// The program; nothing if there is no Go to build it and that is allowed.
fn program() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(build).as_deref()
}

fn build() -> Option<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/wallet");
    // Modules that cannot be had are like a Go that cannot be had; sources that do not compile are our fault.
    if let Err(reason) = go(&sources, &["mod", "download"]) {
        assert!(env::var_os("VENUS_REQUIRE_GO").is_none_or(|value| value != "1"), "Go is required: {reason}");
        println!("skipped, no Go program to talk to: {reason}");
        return None;
    }
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop/wallet");
    go(&sources, &["build", "-o", program.to_str().unwrap(), "."])
        .unwrap_or_else(|reason| panic!("{reason}"));
    Some(program)
}

/// gorm's driver is SQLite itself, in C.
fn go(folder: &Path, args: &[&str]) -> Result<(), String> {
    let output = Command::new("go").args(args).current_dir(folder).env("CGO_ENABLED", "1").output();
    let Output { status, stderr, .. } = output.map_err(|error| format!("go: {error}"))?;
    let said = String::from_utf8_lossy(&stderr);
    if status.success() { Ok(()) } else { Err(format!("go {}: {said}", args.join(" "))) }
}

/// Runs the program, which has to succeed, and returns what it printed.
fn told(args: &[&str], input: &str) -> String {
    let mut command = Command::new(program().unwrap());
    let command = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn read(wallet: &Wallet) -> Value {
    let file = wallet.repo().join("keystore.sqlit");
    serde_json::from_str(&told(&["read", file.to_str().unwrap(), PASSWORD], "")).unwrap()
}

/// A wallet on a keystore that the Go program made; strategies count there.
fn on_a_go_keystore() -> Wallet {
    let wallet = Wallet::init();
    wallet.allow_all();
    wallet.edit("Level = 0", "Level = 2");
    let file = wallet.repo().join("keystore.sqlit");
    std::fs::remove_file(&file).unwrap();
    let key =
        |(address, kind, key): (&str, &str, &str)| json!({"address": address, "type": kind, "key": key});
    let keys = Value::from(KEYS.map(key).to_vec()).to_string();
    told(&["make", file.to_str().unwrap(), PASSWORD, "8192"], &keys);
    wallet
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Signs a message of the first key as the bearer of a token that may sign and of a strategy token.
fn sign_as(wallet: &Wallet, strategy: &str, method: u64) -> Value {
    let from = address::parse(&format!("f{}", KEYS[0].0)).unwrap();
    let message = Message {
        version: 0,
        to: address::parse("f01000").unwrap(),
        from,
        sequence: 1,
        value: TokenAmount::default(),
        gas_limit: 1,
        gas_fee_cap: TokenAmount::default(),
        gas_premium: TokenAmount::default(),
        method_num: method,
        params: Default::default(),
    };
    let extra = message.to_cbor();
    let signable = MessageToSign::new(message, &SigningNetwork::default()).unwrap();
    let base64 = |bytes: &[u8]| data_encoding::BASE64.encode(bytes);
    let meta = json!({"Type": "message", "Extra": base64(&extra)});
    let password = wallet.password_file();
    let info = wallet.json(&["auth", "api-info", "--perm", "sign", "--password-file", &password]);
    let token = format!("{}___{strategy}", info["token"].as_str().unwrap());
    let params = json!([format!("f{}", KEYS[0].0), base64(signable.signing_bytes()), meta]);
    wallet.call_as(Some(&token), "WalletSign", &params)
}

#[test]
fn go_clients_get_what_a_go_wallet_gives() {
    if program().is_none() {
        return;
    }
    for scheme in ["http", "ws"] {
        let mut wallet = Wallet::run(&[]);
        let url = format!("{scheme}://{}/rpc/v0", wallet.addr());
        let said = told(&["call", &url, &wallet.token()], "");
        let checks = said.trim().strip_suffix(" checks").unwrap_or_else(|| panic!("{said}"));
        assert!(checks.parse::<u32>().unwrap() > 50, "{said}");
        assert_eq!(wallet.stop(), 0);
    }
}

#[test]
fn a_go_keystore_is_used_and_goes_back() {
    if program().is_none() {
        return;
    }
    let mut wallet = on_a_go_keystore();
    let password = wallet.password_file();
    wallet.start(&["--password-file", &password]);
    let made: Vec<String> = KEYS.iter().map(|(address, ..)| format!("f{address}")).collect();
    assert_eq!(wallet.json(&["list"]), json!(made));
    for key in &made {
        wallet.ok(&["sign", key, "68656c6c6f", "--password-file", &password]);
    }
    let added = wallet.json(&["new", "bls"])["address"].as_str().unwrap().to_owned();

    // Its strategies count: "Send" is allowed by its group, "AddBalance" is not.
    assert!(sign_as(&wallet, TOKEN, 0)["result"].is_object());
    let refused = sign_as(&wallet, TOKEN, 2);
    assert!(refused["error"]["message"].as_str().unwrap().contains("not allowed to pass"), "{refused}");
    assert_eq!(
        sign_as(&wallet, "7f3ae2a2-6c1e-4d5b-9d5f-0c2f8a1b3c4e", 0)["error"]["message"],
        "data does not exists"
    );
    wallet.ok(&["strategy", "newKeyBindCustom", "kb2", &added, "1,2", "Send"]);
    wallet.ok(&["strategy", "newGroup", "g2", "kb", "kb2"]);
    wallet.ok(&["strategy", "newStToken", "g2", "--password-file", &password]);
    let records = wallet.json(&["record", "query", "--limit", "100"]);
    let errors = list(&records).iter().filter(|record| record["Err"] == "boom").count();
    assert_eq!((list(&records).len(), errors), (3 + 3 + 3, 1), "{records}");
    assert_eq!(wallet.stop(), 0);

    let found = read(&wallet);
    let mut expected: Vec<Value> =
        KEYS.iter().map(|(a, kind, key)| json!({"address": a, "type": kind, "key": key})).collect();
    let exported = list(&found["keys"]).last().cloned().unwrap();
    assert_eq!(exported["address"], added[1..]);
    expected.push(exported);
    assert_eq!(found["keys"], json!(expected));
    assert_eq!(list(&found["records"]).len(), 9);
    let ours = |record: &&Value| record["signature_data"].as_str().is_some_and(|data| !data.is_empty());
    assert_eq!(list(&found["records"]).iter().filter(ours).count(), 4, "{}", found["records"]);
    assert_eq!(list(&found["binds"]).len(), 2, "{found}");
    assert_eq!(list(&found["groups"])[1], "2 g2 1,2");
    // Ours are kept as hashes, in a table of their own.
    assert_eq!(found["tokens"], 1);

    // The tables that gorm has looked at are still ours.
    wallet.start(&["--password-file", &password]);
    assert_eq!(list(&wallet.json(&["list"])).len(), 4);
    wallet.ok(&["sign", &added, "68656c6c6f", "--password-file", &password]);
    assert_eq!(wallet.json(&["strategy", "listGroup"])[1]["Name"], "g2");
    assert!(sign_as(&wallet, TOKEN, 0)["result"].is_object());
    assert_eq!(wallet.stop(), 0);
    assert_eq!(list(&read(&wallet)["records"]).len(), 11);
}

//! Where the wallet is stricter than Go's on purpose; the numbers are those of the deviations in the facts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::{Value, json};

use crate::support::{PASSWORD, Wallet, http};

#[test]
fn deviation_08_no_token_no_rights_and_no_export_without_the_password() {
    let mut wallet = Wallet::init();
    wallet.start(&["--password-file", &wallet.password_file()]);
    for method in ["WalletList", "Version", "LogList", "ListSignedRecord"] {
        let params = if method == "ListSignedRecord" { json!([{}]) } else { json!([]) };
        let answer = wallet.call_as(None, method, &params);
        assert_eq!(
            answer["error"]["message"],
            format!("missing permission to invoke '{method}'  (need 'read')").as_str()
        );
    }
    let address = wallet.ok(&["new"]).trim().to_owned();
    let export = |wallet: &Wallet| wallet.call("WalletExport", &json!([address]));
    assert_eq!(
        export(&wallet)["error"]["message"],
        "password needed: call VerifyPassword with this token first"
    );
    assert!(wallet.call("VerifyPassword", &json!(["wrong"]))["error"].is_object());
    assert!(export(&wallet)["error"].is_object());
    assert!(wallet.call("VerifyPassword", &json!([PASSWORD]))["error"].is_null());
    assert!(export(&wallet)["result"]["PrivateKey"].is_string());
    // Another token has not shown it.
    let other = wallet.json(&[
        "--password-file",
        &wallet.password_file(),
        "auth",
        "api-info",
        "--perm",
        "admin",
        "--name",
        "bob",
    ]);
    let other = other["token"].as_str().unwrap();
    assert!(wallet.call_as(Some(other), "WalletExport", &json!([address]))["error"].is_object());
    // Whoever locks ends it.
    wallet.call("Lock", &json!([PASSWORD]));
    assert_eq!(export(&wallet)["error"]["message"], "wallet locked");
    wallet.stop();

    wallet.append("\n[Compat]\n  AnonymousRead = true\n  ExportWithoutPassword = true\n");
    wallet.start(&["--password-file", &wallet.password_file()]);
    assert_eq!(wallet.call_as(None, "WalletList", &json!([]))["result"][0], address.as_str());
    assert!(wallet.call_as(None, "WalletNew", &json!(["bls"]))["error"].is_object());
    assert!(export(&wallet)["result"]["PrivateKey"].is_string());
}

#[test]
fn deviation_08_files_are_for_their_owner() {
    use std::os::unix::fs::PermissionsExt;
    let mut wallet = Wallet::init();
    let config = wallet.repo().join("config.toml");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let open =
        |path: &std::path::Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644));
    open(&config).unwrap();
    open(&wallet.repo().join("keystore.sqlit")).unwrap();
    wallet.start(&[]);
    for file in std::fs::read_dir(wallet.repo()).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn deviation_08_no_pprof() {
    let wallet = Wallet::run(&[]);
    for path in ["/debug/pprof/", "/debug/pprof/cmdline", "/metrics"] {
        assert_eq!(http(wallet.addr(), &format!("GET {path} HTTP/1.1"), &[], "").status, 404, "{path}");
    }
}

#[test]
fn deviation_10_health_readiness_and_numbers() {
    // A port that is free at this moment; another test may take it, and then the wallet does not start.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut wallet = Wallet::init();
    wallet.append(&format!("\n[Metrics]\n  ListenAddress = \"127.0.0.1:{port}\"\n"));
    wallet.allow_all();
    wallet.start(&[]);
    let get = |path: &str| http(wallet.addr(), &format!("GET {path} HTTP/1.1"), &[], "");
    let checks = |body: &str| serde_json::from_str::<Value>(body).unwrap()["checks"].clone();
    assert_eq!(get("/healthcheck").body, "{\"status\":\"OK\"}\n");
    assert_eq!((get("/livez").status, get("/readyz").status), (200, 503));
    let locked = checks(&get("/readyz").body);
    assert_eq!(
        (&locked["unlocked"]["ok"], &locked["database"]["ok"], &locked["hubs"]["ok"]),
        (&json!(false), &json!(true), &json!(true))
    );
    wallet.call("SetPassword", &json!([PASSWORD]));
    assert_eq!(get("/readyz").status, 200);

    let address = wallet.call("WalletNew", &json!(["bls"]))["result"].as_str().unwrap().to_owned();
    wallet.call("WalletSign", &json!([address, "eA==", { "Type": "unknown", "Extra": null }]));
    wallet.call("WalletSign", &json!([address, "eA==", { "Type": "nonsense", "Extra": null }]));
    let numbers = http(SocketAddr::from(([127, 0, 0, 1], port)), "GET /metrics HTTP/1.1", &[], "").body;
    for line in [
        "venus_wallet_sign_total{type=\"unknown\",key=\"bls\",result=\"signed\"} 1",
        "venus_wallet_sign_seconds_count{type=\"unknown\",key=\"bls\"} 1",
    ] {
        assert!(numbers.contains(line), "{line}: {numbers}");
    }
}

#[test]
fn deviation_11_starts_and_serves_while_a_hub_is_down() {
    let wallet = Wallet::run(&["--gateway-api", "/ip4/127.0.0.1/tcp/9", "--gateway-token", "t"]);
    assert!(wallet.call("WalletList", &json!([]))["result"].is_array());
    let ready = http(wallet.addr(), "GET /readyz HTTP/1.1", &[], "");
    assert!(ready.body.contains("\"hubs\":{\"configured\":1,\"connected\":0,\"ok\":false}"), "{ready:?}");
}

#[test]
fn strategy_tokens_come_behind_the_token_or_in_a_header() {
    let mut wallet = Wallet::init();
    wallet.allow_all();
    wallet.edit("Level = 0", "Level = 1");
    wallet.start(&["--password-file", &wallet.password_file()]);
    let first = wallet.ok(&["new"]).trim().to_owned();
    let second = wallet.ok(&["new"]).trim().to_owned();
    let admin = |method: &str, params: Value| {
        let answer = wallet.call(method, &params);
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    };
    admin("NewKeyBindCustom", json!(["kb", first, [1, 0], ["Send"]]));
    admin("NewGroup", json!(["g", ["kb"]]));
    let strategy = admin("NewStToken", json!(["g"])).as_str().unwrap().to_owned();
    let sign =
        wallet.json(&["--password-file", &wallet.password_file(), "auth", "api-info", "--perm", "sign"]);
    let sign = sign["token"].as_str().unwrap().to_owned();
    let with = format!("{sign}___{strategy}");
    let listed = |token: &str| wallet.call_as(Some(token), "WalletList", &json!([]))["result"].clone();
    assert_eq!(listed(&with), json!([first]));
    let params = |address: &str| json!([address, "eA==", { "Type": "unknown", "Extra": null }]);
    assert!(wallet.call_as(Some(&with), "WalletSign", &params(&first))["result"].is_object());
    for (token, address) in [(&with, &second), (&sign, &first)] {
        let refused = wallet.call_as(Some(token), "WalletSign", &params(address));
        assert_eq!(refused["error"]["message"], "data does not exists", "{refused}");
    }
    let body =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "Filecoin.WalletList", "params": [] }).to_string();
    let headers = [
        ("Authorization".to_owned(), format!("Bearer {sign}")),
        ("StrategyToken".to_owned(), strategy.clone()),
    ];
    let answer = http(wallet.addr(), "POST /rpc/v0 HTTP/1.1", &headers, &body);
    assert!(answer.body.contains(&first) && !answer.body.contains(&second), "{answer:?}");
    let query = format!("POST /rpc/v0?token={with} HTTP/1.1");
    assert!(http(wallet.addr(), &query, &[], &body).body.contains(&first));
}

#[test]
fn a_request_that_is_cut_off_harms_nobody() {
    let wallet = Wallet::run(&[]);
    let mut socket = TcpStream::connect(wallet.addr()).unwrap();
    socket.write_all(b"POST /rpc/v0 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"id\"").unwrap();
    drop(socket);
    let mut socket = TcpStream::connect(wallet.addr()).unwrap();
    socket.write_all(b"\x16\x03\x01nonsense\r\n\r\n").unwrap();
    let _ = socket.read(&mut [0; 64]);
    assert!(wallet.call("WalletList", &json!([]))["result"].is_array());
}

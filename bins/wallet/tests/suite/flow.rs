//! The README's way from an empty folder to signatures, each command also with `--json`.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{PASSWORD, PROGRAM, Wallet, http, text};

#[test]
fn from_an_empty_folder() {
    let mut wallet = Wallet::init();
    let repo = wallet.repo();
    let mode = |name: &str| std::fs::metadata(repo.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    for file in ["config.toml", "token", "keystore.sqlit"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    assert_eq!(wallet.json(&["init"])["fresh"], false);
    let password = wallet.password_file();
    wallet.allow_all();
    wallet.start(&["--password-file", &password]);
    assert_eq!(wallet.ready["locked"], false);
    let with = |args: &[&'static str]| -> Vec<String> {
        ["--password-file", &password]
            .iter()
            .copied()
            .chain(args.iter().copied())
            .map(str::to_owned)
            .collect()
    };
    let ok = |args: &[&'static str]| wallet.ok(&with(args).iter().map(String::as_str).collect::<Vec<_>>());
    let js = |args: &[&'static str]| wallet.json(&with(args).iter().map(String::as_str).collect::<Vec<_>>());

    let bls = ok(&["new", "bls"]).trim().to_owned();
    let secp = js(&["new"])["address"].as_str().unwrap().to_owned();
    assert!(bls.starts_with("f3") && secp.starts_with("f1"));
    assert_eq!(ok(&["list"]), format!("{bls}\n{secp}\n"));
    assert_eq!(js(&["ls"]), json!([bls, secp]));

    let both = ["--password-file", &password];
    let signed = wallet.ok(&[both[0], both[1], "sign", &bls, "68656c6c6f"]);
    let again = wallet.json(&[both[0], both[1], "sign", &bls, "68656c6c6f"]);
    assert_eq!(again["hex"], signed.trim());
    assert_eq!(again["signature"]["Type"], 2);

    let key = wallet.ok(&[both[0], both[1], "export", &bls]).trim().to_owned();
    assert_eq!(wallet.json(&[both[0], both[1], "export", &bls])["key"], key.as_str());
    assert_eq!(wallet.json(&[both[0], both[1], "del", &bls])["deleted"], bls.as_str());
    let file = wallet.private("key.hex", &key);
    assert_eq!(wallet.json(&["import", file.to_str().unwrap()])["address"], bls.as_str());
    assert!(wallet.ok(&["import", file.to_str().unwrap()]).contains("successfully!"));

    assert_eq!(js(&["lock"])["locked"], true);
    assert_eq!(js(&["lock-state"])["locked"], true);
    assert_eq!(ok(&["unlock"]), "wallet unlock successfully\n");
    assert_eq!(ok(&["lock-state"]), "wallet state: unlocked\n");

    ok(&["strategy", "newMsgTypeTemplate", "types", "1", "2"]);
    let names = js(&["strategy", "listMsgTypeTemplates"]);
    assert_eq!(names[0]["Name"], "types");
    assert!(ok(&["strategy", "types"]).contains("chainMsg"));

    assert!(js(&["audit", "verify"])["ok"].as_bool().unwrap());
    assert!(ok(&["audit", "verify"]).contains("record"));
    assert_eq!(js(&["record", "query", "--type", "unknown"]).as_array().unwrap().len(), 2);
    assert_eq!(js(&["log", "list"])[0], "venus_wallet");
    assert!(js(&["log", "set-level", "--system", "venus_signer", "debug"])["level"] == "debug");
    assert!(js(&["auth", "api-info", "--perm", "sign"])["api_info"].as_str().unwrap().contains(":/ip4/"));
    assert_eq!(js(&["support", "alice"])["supported"], "alice");
    let config = std::fs::read_to_string(repo.join("config.toml")).unwrap();
    assert!(
        config.contains("SupportAccounts = [\"alice\"]") && config.starts_with("# venus-wallet"),
        "{config}"
    );
    assert!(ok(&["completions", "bash"]).contains("venus-wallet"));
    assert_eq!(wallet.stop(), 0);
}

#[test]
fn a_second_wallet_in_one_repository_is_refused() {
    let wallet = Wallet::run(&[]);
    let output = wallet.command(&["run"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("is in use by process"), "{}", text(&output));
}

#[test]
fn passwords_come_from_where_nobody_sees_them() {
    let mut wallet = Wallet::init();
    wallet.start(&["--password-file", &wallet.password_file()]);
    wallet.ok(&["new"]);
    wallet.stop();
    // A file that others may read.
    let open = wallet.private("open", PASSWORD);
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = wallet.command(&["run", "--password-file", open.to_str().unwrap()]).output().unwrap();
    assert!(text(&refused).contains("chmod"), "{refused:?}");
    // A wrong one, which no output shows.
    let wrong = wallet.private("wrong", "s3cret-typo");
    let refused = wallet.command(&["run", "--password-file", wrong.to_str().unwrap()]).output().unwrap();
    let all = format!("{} {}", text(&refused), String::from_utf8_lossy(&refused.stderr));
    assert_eq!(refused.status.code(), Some(1));
    assert!(all.contains("could not decrypt key with given password") && !all.contains("s3cret"), "{all}");
    // The environment, and a file descriptor.
    for shell in [
        "VENUS_WALLET_PASSWORD=password exec \"$0\" --repo \"$1\" --json run",
        "exec \"$0\" --repo \"$1\" --json run --password-fd 3 3<\"$2\"",
    ] {
        let mut child = Command::new("sh")
            .args(["-c", shell, PROGRAM])
            .args([wallet.repo(), wallet.password_file().into()])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{shell}: {line}: {e}"));
        assert_eq!(ready["locked"], false, "{shell}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn the_password_changes_and_keys_move_to_another_machine() {
    let mut wallet = Wallet::init();
    let password = wallet.password_file();
    wallet.start(&["--password-file", &password]);
    let address = wallet.ok(&["new", "bls"]).trim().to_owned();
    let new = wallet.private("new", "another");
    let new = new.to_str().unwrap();
    wallet.ok(&["--password-file", &password, "change-password", "--new-password-file", new]);
    let folder = wallet.dir.path().join("backup");
    assert_eq!(wallet.json(&["backup", folder.to_str().unwrap()])["keys"], 1);
    wallet.stop();
    let old = wallet.command(&["run", "--password-file", &password]).output().unwrap();
    assert!(text(&old).contains("could not decrypt"), "{old:?}");

    let mut other = Wallet::init();
    let args =
        ["--password-file", &password, "restore", folder.to_str().unwrap(), "--backup-password-file", new];
    assert_eq!(other.json(&args)["added"], 1);
    other.start(&["--password-file", &password]);
    assert_eq!(other.ok(&["list"]).trim(), address);
}

#[test]
fn signing_without_a_network() {
    let mut wallet = Wallet::init();
    wallet.allow_all();
    let password = wallet.password_file();
    wallet.start(&["--password-file", &password]);
    let address = wallet.ok(&["new"]).trim().to_owned();
    let request = json!({ "Message": { "Version": 0, "To": "f01000", "From": address, "Nonce": 1, "Value": "1",
        "GasLimit": 1000, "GasFeeCap": "1", "GasPremium": "1", "Method": 0, "Params": null } });
    let (input, output) = (wallet.dir.path().join("in.json"), wallet.dir.path().join("out.json"));
    std::fs::write(&input, request.to_string()).unwrap();
    let args = [
        "--password-file",
        &password,
        "sign-offline",
        "--in",
        input.to_str().unwrap(),
        "--out",
        output.to_str().unwrap(),
    ];
    let refused = wallet.command(&args).output().unwrap();
    assert!(text(&refused).contains("is in use by process"), "{refused:?}");
    wallet.stop();
    wallet.ok(&args);
    let answer: Value = serde_json::from_slice(&std::fs::read(&output).unwrap()).unwrap();
    assert_eq!(answer["Signer"], address.as_str());
    assert_eq!(answer["SignedMessage"]["Signature"], answer["Signature"]);
    let records = wallet.json(&["audit", "list"]);
    assert!(records.to_string().contains("offline"), "{records}");
}

/// The samples of the README.
#[test]
fn samples_for_curl() {
    let wallet = Wallet::run(&[]);
    let headers = [("Authorization".to_owned(), format!("Bearer {}", wallet.token()))];
    let post = |body: &str| http(wallet.addr(), "POST /rpc/v0 HTTP/1.1", &headers, body);
    assert_eq!(
        post(r#"{"id":1,"method":"Filecoin.WalletList"}"#).body,
        "{\"jsonrpc\":\"2.0\",\"result\":[],\"id\":1}\n"
    );
    let answer = post(r#"{"id":1,"method":"Filecoin.SetPassword","params":["password"]}"#);
    assert_eq!(answer.body, "{\"jsonrpc\":\"2.0\",\"id\":1}\n");
    let key = r#"{"type":"secp256k1","privateKey":"KioqKioqKipfvw7Q+DZMAf8nVA7NZmn/TMVIy+YO9as="}"#;
    let answer = post(&format!(r#"{{"id":2,"method":"Filecoin.WalletImport","params":[{key}]}}"#));
    assert_eq!(
        answer.body,
        "{\"jsonrpc\":\"2.0\",\"result\":\"f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq\",\"id\":2}\n"
    );
    assert_eq!(
        post(r#"{"id":3,"method":"Filecoin.LockState","params":[]}"#).body,
        "{\"jsonrpc\":\"2.0\",\"result\":false,\"id\":3}\n"
    );
    assert_eq!(http(wallet.addr(), "GET /healthcheck HTTP/1.1", &[], "").body, "{\"status\":\"OK\"}\n");
}

#[test]
fn over_tls() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let (cert, key) = (data.join("tls-cert.pem"), data.join("tls-key.pem"));
    let mut wallet = Wallet::init();
    let tls = format!("[API]\n  TLSCert = \"{}\"\n  TLSKey = \"{}\"\n", cert.display(), key.display());
    wallet.edit("[API]\n", &tls);
    wallet.start(&["--password-file", &wallet.password_file()]);
    assert!(wallet.ready["url"].as_str().unwrap().starts_with("https://"), "{}", wallet.ready);
    let list = |trusting: bool| {
        let mut command = wallet.command(&["new"]);
        if trusting {
            command.env("SSL_CERT_FILE", &cert);
        }
        command.output().unwrap()
    };
    let trusted = list(true);
    assert!(text(&trusted).starts_with("f1"), "{trusted:?}");
    assert_eq!(list(false).status.code(), Some(1));
    assert_eq!(wallet.stop(), 0);
}

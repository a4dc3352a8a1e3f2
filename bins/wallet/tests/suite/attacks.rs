//! Ways around the password and the tokens.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use venus_core::rpc::{ApiInfo, Dialect};
use venus_core::types::address;
use venus_signer::remote::{RemoteOptions, RemoteSigner, RemoteWallet};

use crate::support::{PASSWORD, Wallet, http};

fn token(answer: &Value) -> String {
    let bytes = data_encoding::BASE64.decode(answer["result"].as_str().unwrap().as_bytes()).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn running() -> (Wallet, String) {
    let mut wallet = Wallet::init();
    let password = wallet.password_file();
    wallet.extra = vec!["--password-file".into(), password];
    wallet.start(&[]);
    let address = wallet.call("WalletNew", &json!(["bls"]))["result"].as_str().unwrap().to_owned();
    (wallet, address)
}

#[test]
fn another_token_of_the_same_name_does_not_use_the_password_that_one_showed() {
    let (wallet, address) = running();
    let named = |rights: Value| token(&wallet.call("AuthNewFor", &json!([rights, "alice"])));
    let (alice, forged) = (named(json!(["admin"])), named(json!(["read", "admin"])));
    let shown = wallet.call_as(Some(&alice), "VerifyPassword", &json!([PASSWORD]));
    assert!(shown.get("error").is_none(), "{shown}");
    let refused = wallet.call_as(Some(&forged), "WalletExport", &json!([address]));
    assert!(refused["error"]["message"].as_str().unwrap().starts_with("password needed"), "{refused}");
    assert!(wallet.call_as(Some(&alice), "WalletExport", &json!([address]))["result"].is_object());
    // Nor by the name that records give to a token without one, nor by saying whose token it is.
    let refused = wallet.call("AuthNewFor", &json!([["admin"], "token-0123456789ab"]));
    assert!(refused["error"]["message"].as_str().unwrap().contains("token-"), "{refused}");
    let hash = data_encoding::HEXLOWER.encode(&sha256(alice.as_bytes()));
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "Filecoin.WalletExport", "params": [address] });
    let headers =
        [("Authorization".to_owned(), format!("Bearer {forged}")), ("X-Venus-Bearer".to_owned(), hash)];
    let answer = http(wallet.addr(), "POST /rpc/v0 HTTP/1.1", &headers, &body.to_string());
    assert!(answer.body.contains("password needed"), "{answer:?}");
}

#[test]
fn a_password_shown_before_the_lock_counts_no_more() {
    let (wallet, address) = running();
    let (one, two) = (token(&wallet.call("AuthNew", &json!([["admin", "read"]]))), wallet.token());
    for method in ["VerifyPassword", "Lock"] {
        assert!(wallet.call_as(Some(&one), method, &json!([PASSWORD])).get("error").is_none());
    }
    assert!(wallet.call_as(Some(&two), "Unlock", &json!([PASSWORD])).get("error").is_none());
    let refused = wallet.call_as(Some(&one), "WalletExport", &json!([address]));
    assert!(refused["error"]["message"].as_str().unwrap().starts_with("password needed"), "{refused}");
    assert!(wallet.call_as(Some(&two), "WalletExport", &json!([address]))["result"].is_object());
}

#[test]
fn nothing_behind_the_underscores_is_no_strategy_token() {
    let (wallet, _) = running();
    let cut = format!("{}___", wallet.token());
    assert_eq!(wallet.call_as(Some(&cut), "LockState", &json!([]))["result"], false);
    let answer = http(
        wallet.addr(),
        &format!("POST /rpc/v0?token={cut} HTTP/1.1"),
        &[],
        r#"{"id":1,"method":"Filecoin.LockState","params":[]}"#,
    );
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn everything_in_the_repository_is_for_its_owner() {
    let wallet = Wallet::init();
    // As under a umask of 0, which no test may set for the whole process.
    let mut command = std::process::Command::new("sh");
    let start = "umask 000; exec \"$0\" --repo \"$1\" --json --password-file \"$2\" run";
    command.args(["-c", start, crate::support::PROGRAM]).arg(wallet.repo()).arg(wallet.password_file());
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.as_mut().unwrap()), &mut line)
        .unwrap();
    let open: Vec<String> = std::fs::read_dir(wallet.repo())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.metadata().unwrap().permissions().mode() & 0o077 != 0)
        .map(|entry| entry.file_name().display().to_string())
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.contains("url"), "{line}");
    assert_eq!(open, Vec::<String>::new());
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).into()
}

/// The password goes before the export, so our own client gets the key and a guess gets nothing.
#[test]
fn our_own_client_exports_with_the_password() {
    let (wallet, address) = running();
    let api: ApiInfo = format!("{}:http://{}", wallet.token(), wallet.addr()).parse().unwrap();
    let address = address::parse(&address).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let signer = RemoteSigner::new(&api, Dialect::Fork, RemoteOptions::default()).unwrap();
        let remote = RemoteWallet::new(signer);
        let error = remote.export_key(&address, None).await.unwrap_err();
        assert!(error.to_string().contains("VerifyPassword"), "{error}");
        assert!(remote.export_key(&address, Some(&"wrong".into())).await.is_err());
        let key = remote.export_key(&address, Some(&PASSWORD.into())).await.unwrap();
        assert_eq!(key.address().unwrap(), address);
    });
}

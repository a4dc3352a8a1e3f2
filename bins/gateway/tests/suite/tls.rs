//! T22: tokens do not travel in clear between machines.

use std::path::{Path, PathBuf};

use crate::support::{Auth, Gateway};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn with(gateway: &Gateway, from: &str, to: &str) {
    let text = std::fs::read_to_string(gateway.repo().join("config.toml")).unwrap();
    assert!(text.contains(from), "{text}");
    gateway.config(&text.replace(from, to));
}

#[test]
fn t22_no_port_for_other_machines_without_tls() {
    let auth = Auth::start();
    let mut gateway = Gateway::init(&auth);
    with(&gateway, "/ip4/127.0.0.1/tcp/0", "/ip4/0.0.0.0/tcp/0");
    let (well, said) = gateway.say(&["run"]);
    assert!(!well && said.contains("--allow-clear-text") && said.contains("TLS"), "{said}");
    gateway.start(&["--allow-clear-text"]);
    assert!(gateway.log().contains("tokens travel in clear"), "{}", gateway.log());
    // Programs of this machine need not allow anything, others do.
    assert_eq!(gateway.say(&["wallet", "list"]), (true, "null\n".into()));
    let (well, said) = gateway.say(&["--listen", "/ip4/192.0.2.1/tcp/1", "wallet", "list"]);
    assert!(!well && said.contains("in clear"), "{said}");
    gateway.stop();
    // The gateway's own token, which can do everything at venus-auth.
    with(&gateway, "/ip4/0.0.0.0/tcp/0", "/ip4/127.0.0.1/tcp/0");
    with(&gateway, &auth.url(), "http://192.0.2.1:8989");
    let (well, said) = gateway.say(&["run"]);
    assert!(!well && said.contains("[Auth] URL") && said.contains("--allow-clear-text"), "{said}");
    // And those of callers, for a component behind the gateway.
    with(&gateway, "http://192.0.2.1:8989", &auth.url());
    with(&gateway, "[API]", "Node = \"/ip4/192.0.2.1/tcp/3453\"\n[API]");
    let (well, said) = gateway.say(&["run"]);
    assert!(!well && said.contains("Node: ") && said.contains("--allow-clear-text"), "{said}");
}

#[test]
fn t22_over_tls() {
    let auth = Auth::start();
    let tls = format!("[TLS]\nCert = {:?}\nKey = {:?}", data("tls-cert.pem"), data("tls-key.pem"));
    let gateway = Gateway::run(&auth, "", &tls);
    assert!(gateway.ready["url"].as_str().unwrap().starts_with("https://127.0.0.1:"), "{}", gateway.ready);
    let list = |trusting: bool| {
        let mut command = gateway.command(&["wallet", "list"]);
        if trusting {
            command.env("SSL_CERT_FILE", data("tls-cert.pem"));
        }
        command.output().unwrap()
    };
    let trusted = list(true);
    assert_eq!(String::from_utf8_lossy(&trusted.stdout), "null\n", "{trusted:?}");
    assert_eq!(list(false).status.code(), Some(1));
    // Nothing answers in clear on that port.
    let answer = std::panic::catch_unwind(|| {
        crate::support::http(gateway.addr(), "GET /healthcheck HTTP/1.1", &[], "").status
    });
    assert!(!matches!(answer, Ok(200)));
    let missing = Gateway::init(&auth);
    let text = std::fs::read_to_string(missing.repo().join("config.toml")).unwrap();
    missing.config(&format!("{text}\n[TLS]\nCert = \"/none.pem\"\nKey = \"/none.pem\""));
    let (well, said) = missing.say(&["run"]);
    assert!(!well && said.contains("/none.pem"), "{said}");
    let (_, said) = missing.say(&["doctor"]);
    assert!(said.contains("FAIL tls: /none.pem"), "{said}");
}

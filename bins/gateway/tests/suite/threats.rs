//! What attackers and careless operators try, against the program.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::{Auth, Gateway, http, mode, until};

const SECP: &str = "f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq";

/// A component's token that is narrowed to signing signs, and does nothing else, whatever its permission.
#[test]
fn t07_a_narrowed_token_signs_and_nothing_else() {
    let auth = Auth::start();
    for user in ["alice", "messager"] {
        auth.user(user);
    }
    let gateway = Gateway::run(&auth, "", "");
    let _wallet = auth.wallet(&gateway, &auth.token("alice", "sign"), &[]);
    let token = auth.narrowed("messager", "admin", &["wallet.sign"]);
    let sign = json!([SECP, [], "AXGg5AIgAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", { "Type": "unknown", "Extra": null }]);
    let (_, has) = gateway.call(&token, "WalletHas", json!([SECP, []]));
    assert_eq!(has["result"], true, "{has}");
    // The wallet has a word, too: what matters is that it is asked.
    let (_, signed) = gateway.call(&token, "WalletSign", sign);
    let error = signed["error"]["message"].as_str().unwrap_or_default();
    assert!(!error.contains("missing permission"), "{signed}");
    let id = "00000000-0000-0000-0000-000000000001";
    let others: [(&str, Value); 11] = [
        ("ListWalletInfo", json!([])),
        ("ListWalletInfoByWallet", json!(["alice"])),
        ("ListConnectedMiners", json!([])),
        ("ListMinerConnection", json!(["f01000"])),
        ("ListMarketConnectionsState", json!([])),
        ("RegisterReverse", json!(["MINER", ""])),
        ("ResponseWalletEvent", json!([{ "Id": id, "Payload": null, "Error": "" }])),
        ("SupportNewAccount", json!([id, "bob"])),
        ("AddNewAddress", json!([id, []])),
        ("RemoveAddress", json!([id, []])),
        ("ComputeProof", json!(["f01000", [], null, 1, 1])),
    ];
    for (method, params) in others {
        let (_, answer) = gateway.call(&token, method, params);
        let error = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(error.contains("missing permission"), "{method}: {answer}");
    }
    let bearer = format!("Bearer {token}");
    let status = http(gateway.addr(), "GET /status HTTP/1.1", &[("Authorization", &bearer)], "");
    assert_eq!(status.status, 403, "{status:?}");
    for namespace in ["auth.IAuthClient", "v1.FullNode"] {
        let passed = gateway.post(&token, "/verify", &[("X-VENUS-API-NAMESPACE", namespace)], "{}");
        assert_eq!(passed.status, 403, "{passed:?}");
    }
}

/// Whoever can read the administrator's token is the administrator: only its owner can, and only until the next start.
#[test]
fn t08_files_are_for_their_owner_alone() {
    let auth = Auth::start();
    let mut gateway = Gateway::init(&auth);
    fs::set_permissions(gateway.repo().join("config.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    let mut tokens = BTreeSet::<String>::new();
    for _ in 0..2 {
        gateway.start(&[]);
        for name in ["token", "api", "config.toml", "LOCK"] {
            assert_eq!(mode(gateway.repo().join(name)), 0o600, "{name}");
        }
        let token = gateway.token();
        assert_eq!(gateway.call(&token, "ListWalletInfo", json!([])).0, 200);
        for old in &tokens {
            assert_eq!(gateway.call(old, "ListWalletInfo", json!([])).0, 401);
        }
        tokens.insert(token);
        gateway.stop();
        assert!(!gateway.repo().join("token").exists());
    }
    assert_eq!(tokens.len(), 2);
    // A token in a file that everybody can read is none.
    let file = gateway.private("auth-token", &auth.token("gateway", "admin"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let (well, said) = gateway.say(&["run"]);
    assert!(!well && said.contains("chmod"), "{said}");
    let fresh = Gateway::init(&auth);
    fs::remove_dir_all(fresh.repo()).unwrap();
    assert!(fresh.say(&["init"]).0);
    assert_eq!((mode(fresh.repo()), mode(fresh.repo().join("config.toml"))), (0o700, 0o600));
}

/// Not in its log at its most talkative, not in what commands print, not in what it says to others.
#[test]
fn t14_gateway_tells_no_token_and_no_challenge() {
    let auth = Auth::start();
    auth.user("alice");
    let own = auth.token("gateway", "admin");
    let mut gateway = Gateway::run(&auth, "", "");
    gateway.stop();
    gateway.start(&["--auth-token", &own]);
    let alice = auth.token("alice", "sign");
    let guess = format!("{}x", &alice[..alice.len() - 1]);
    let wallet = auth.wallet(&gateway, &alice, &[]);
    let local = gateway.token();
    for token in [&guess, &alice, &local] {
        gateway.call(token, "WalletHas", json!([SECP, []]));
        let query = http(gateway.addr(), &format!("GET /rpc/v2?token={token} HTTP/1.1"), &[], "");
        assert!(!query.body.contains(token));
        gateway.post(token, "/user?name=alice", &[("X-VENUS-API-NAMESPACE", "auth.IAuthClient")], "{}");
        gateway.post(token, "/x", &[("X-VENUS-API-NAMESPACE", "v1.FullNode")], "{}");
    }
    auth.revoke(&alice);
    until("the wallet's end", || !wallet.handle.is_ready());
    let mut told = gateway.log();
    for args in [&["doctor", "--account", "alice"][..], &["wallet", "list"], &["--json", "doctor"]] {
        told += &gateway.say(args).1;
    }
    gateway.stop();
    told += &gateway.log();
    assert!(told.contains("venus-gateway is ready"), "{told}");
    for secret in [&own, &alice, &guess, &local] {
        assert!(!told.contains(secret.as_str()), "a token is told");
        let signature = secret.rsplit('.').next().unwrap();
        assert!(!told.contains(signature), "a token's signature is told");
    }
}

/// No open profiler, no other page, no other origin.
#[test]
fn t17_nothing_is_open_but_health() {
    let auth = Auth::start();
    let gateway = Gateway::run(&auth, "", "[Metrics]\nListenAddress = \"127.0.0.1:0\"");
    let get = |path: &str, verb: &str, headers: &[(&str, &str)]| {
        http(gateway.addr(), &format!("{verb} {path} HTTP/1.1"), headers, "")
    };
    let paths = [
        "/",
        "/debug/pprof/",
        "/debug/pprof/cmdline",
        "/debug/vars",
        "/metrics",
        "/debug/metrics",
        "/status",
    ];
    for path in paths.into_iter().chain(["/rpc/v0", "/rpc/v1", "/rpc/v2", "/rpc/v3", "/token", "/version"]) {
        for verb in ["GET", "POST", "OPTIONS", "DELETE"] {
            let answer = get(path, verb, &[("Origin", "https://evil.example")]);
            assert_eq!((answer.status, answer.body.as_str()), (401, ""), "{verb} {path}");
            assert!(!answer.head.contains("access-control-"), "{answer:?}");
        }
    }
    for path in ["/healthcheck", "/livez", "/readyz"] {
        assert_eq!(get(path, "GET", &[]).status, 200, "{path}");
    }
    let bearer = format!("Bearer {}", gateway.token());
    for path in ["/debug/pprof/", "/metrics", "/debug/vars"] {
        assert_eq!(get(path, "GET", &[("Authorization", &bearer)]).status, 404, "{path}");
    }
}

/// The ports that this process listens on.
fn ports(pid: u32) -> BTreeSet<u16> {
    let sockets: BTreeSet<String> = fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let mut ports = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // 0A: listening.
            if fields[3] == "0A" && sockets.contains(fields[9]) {
                let port = fields[1].rsplit(':').next().unwrap();
                ports.insert(u16::from_str_radix(port, 16).unwrap());
            }
        }
    }
    ports
}

/// sophon-gateway serves the same API on a second, random port.
#[test]
#[cfg(target_os = "linux")]
fn b9_10_no_stray_listener() {
    let auth = Auth::start();
    let mut gateway = Gateway::run(&auth, "", "");
    assert_eq!(ports(gateway.pid()), BTreeSet::from([gateway.addr().port()]));
    gateway.stop();
    let text = fs::read_to_string(gateway.repo().join("config.toml")).unwrap();
    gateway.config(&format!("{text}\n[Metrics]\nListenAddress = \"127.0.0.1:0\""));
    gateway.start(&[]);
    let open = ports(gateway.pid());
    assert!(open.len() == 2 && open.contains(&gateway.addr().port()), "{open:?}");
}

/// A revoked token's sockets and registrations end, and what it may is over.
#[test]
fn i5_gateway_revocation_reaches_every_effect() {
    let auth = Auth::start();
    for user in ["alice", "caller"] {
        auth.user(user);
    }
    let gateway = Gateway::run(&auth, "", "");
    let (alice, caller) = (auth.token("alice", "sign"), auth.token("caller", "admin"));
    let wallet = auth.wallet(&gateway, &alice, &[]);
    assert_eq!(gateway.call(&caller, "WalletHas", json!([SECP, []])).1["result"], true);
    auth.revoke(&alice);
    until("the wallet's end", || !wallet.handle.is_ready());
    until("the signer's end", || gateway.call(&caller, "WalletHas", json!([SECP, []])).1["result"] == false);
    auth.revoke(&caller);
    until("the caller's end", || gateway.call(&caller, "WalletHas", json!([SECP, []])).0 == 401);
}

/// While venus-auth is away nobody new is let in, the program lives, and it says so.
#[test]
fn an_account_service_that_goes_away() {
    let mut auth = Auth::start();
    auth.user("alice");
    let gateway = Gateway::run(&auth, "", "");
    let ready = || http(gateway.addr(), "GET /readyz HTTP/1.1", &[], "").status;
    assert_eq!(ready(), 200);
    let token = auth.token("alice", "read");
    auth.leave();
    until("the outage", || ready() == 503);
    assert_eq!(http(gateway.addr(), "GET /livez HTTP/1.1", &[], "").status, 200);
    assert_eq!(gateway.call(&token, "Version", json!([])).0, 503);
    assert_eq!(gateway.call(&gateway.token(), "Version", json!([])).0, 200);
    let (well, said) = gateway.say(&["doctor"]);
    assert!(!well && said.contains("FAIL venus-auth: ") && said.contains("start `venus-auth run`"), "{said}");
    auth.come_back();
    until("the end of the outage", || ready() == 200);
    until("the token", || gateway.call(&token, "Version", json!([])).0 == 200);
}

//! `doctor` explains each step when it is missing.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use venus_auth::{Actor, Ban, NewToken, UserChange, UserState};
use venus_core::types::address;

use crate::support::{Auth, Gateway};

const SECP: &str = "f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq";

/// What it says is wrong, without its first word.
fn wrong(gateway: &Gateway, args: &[&str]) -> Vec<String> {
    let mut all = vec!["doctor"];
    all.extend(args);
    let (well, said) = gateway.say(&all);
    let lines: Vec<String> =
        said.lines().filter_map(|line| line.strip_prefix("FAIL ")).map(str::to_owned).collect();
    assert_eq!(well, lines.is_empty(), "{said}");
    lines
}

fn assert_one(lines: &[String], check: &str, next: &str) {
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].starts_with(&format!("{check}: ")) && lines[0].contains(next), "{lines:#?}");
}

#[test]
fn what_surrounds_the_gateway() {
    let mut auth = Auth::start();
    let mut gateway = Gateway::init(&auth);
    let lines = wrong(&gateway, &[]);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].starts_with("token file: ") && lines[1].starts_with("venus-gateway: "), "{lines:#?}");
    assert!(lines.iter().all(|line| line.contains("venus-gateway run")), "{lines:#?}");
    gateway.start(&[]);
    assert!(wrong(&gateway, &[]).is_empty());
    fs::set_permissions(gateway.repo().join("token"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_one(&wrong(&gateway, &[]), "secret", "chmod 600");
    fs::set_permissions(gateway.repo().join("token"), fs::Permissions::from_mode(0o600)).unwrap();
    // The gateway's own token at venus-auth.
    let good = fs::read_to_string(gateway.dir.path().join("auth-token")).unwrap();
    for (token, next) in [
        ("guess".to_owned(), "venus-auth token gen"),
        (auth.token("gateway", "sign"), "--perm admin gateway"),
    ] {
        gateway.private("auth-token", &token);
        assert_one(&wrong(&gateway, &[]), "token", next);
    }
    gateway.private("auth-token", "");
    assert_one(&wrong(&gateway, &[]), "venus-auth", "empty");
    gateway.private("auth-token", &good);
    let text = fs::read_to_string(gateway.repo().join("config.toml")).unwrap();
    gateway.config(&text.replace("[API]", "Node = \"ftp://x\"\n[API]"));
    assert_one(&wrong(&gateway, &[]), "configuration", "Node");
    gateway.config("[API\n");
    assert_one(&wrong(&gateway, &[]), "configuration", "line 1");
    gateway.config(&text);
    auth.leave();
    let lines = wrong(&gateway, &[]);
    assert!(
        lines.iter().any(|line| line.starts_with("venus-auth: ") && line.contains("venus-auth run")),
        "{lines:#?}"
    );
}

#[test]
fn a_clock_that_is_wrong() {
    let mut auth = Auth::start();
    let gateway = Gateway::run(&auth, "", "");
    auth.leave();
    auth.date = Some("Sat, 21 Nov 2015 08:16:08 GMT");
    auth.come_back();
    crate::support::until("the end of the outage", || wrong(&gateway, &[]).len() == 1);
    assert_one(&wrong(&gateway, &[]), "clock", "NTP");
}

#[test]
fn too_few_open_files() {
    let auth = Auth::start();
    let gateway = Gateway::run(&auth, "", "[Limits]\nChannels = 100000000");
    let (well, said) = gateway.say(&["doctor"]);
    assert!(well && said.contains("warn open files: ") && said.contains("ulimit -Hn"), "{said}");
    assert!(gateway.log().contains("too few open files"), "{}", gateway.log());
}

#[test]
fn why_an_account_is_not_served() {
    let auth = Auth::start();
    let gateway = Gateway::run(&auth, "", "");
    let look = || wrong(&gateway, &["--account", "alice"]);
    assert_one(&look(), "account", "venus-auth user add alice");
    auth.user("alice");
    assert_one(&look(), "tokens", "venus-auth token gen --perm sign alice");
    let (system, service) = (Actor::system(), &auth.service);
    let expired = NewToken {
        name: "alice".into(),
        perm: "sign".into(),
        expires_at: Some(time::OffsetDateTime::now_utc() + std::time::Duration::from_millis(500)),
        ..NewToken::default()
    };
    auth.runtime.block_on(service.create_token(&system, expired)).unwrap();
    crate::support::until("the token's end", || look()[0].starts_with("tokens: "));
    let token = auth.token("alice", "sign");
    assert_one(&look(), "connection", "venus-wallet run --gateway-api /ip4/127.0.0.1/tcp/");
    let wallet = auth.wallet(&gateway, &token, &[]);
    assert!(look().is_empty());
    // An account that it may not serve.
    auth.user("bob");
    let _ = auth.wallet(&gateway, &token, &["bob"]);
    let lines = look();
    assert!(lines.iter().all(|line| line.starts_with("last error: wallet of alice")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("bob")), "{lines:#?}");
    drop(wallet);
    let ban = Ban::Account("alice".into());
    auth.runtime.block_on(service.ban(&system, &ban, "late")).unwrap();
    assert_one(&look(), "tokens", "venus-auth unban account:alice");
    auth.runtime.block_on(service.unban(&system, &ban)).unwrap();
    let change = UserChange { state: Some(UserState::Disabled), ..UserChange::default() };
    auth.runtime.block_on(service.update_user(&system, "alice", change)).unwrap();
    assert_one(&look(), "account", "venus-auth user active alice");
}

#[test]
fn why_a_signer_or_a_miner_is_not_served() {
    let auth = Auth::start();
    auth.user("alice");
    let gateway = Gateway::run(&auth, "", "");
    let token = auth.token("alice", "sign");
    assert_one(&wrong(&gateway, &["--wallet", "f9x"]), "address", "f9x");
    let lines = wrong(&gateway, &["--wallet", SECP]);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].starts_with("binding: ") && lines[1].starts_with("connection: "), "{lines:#?}");
    let wallet = auth.wallet(&gateway, &token, &[]);
    assert!(wrong(&gateway, &["--wallet", SECP]).is_empty());
    let signer = address::parse(SECP).unwrap();
    auth.runtime.block_on(auth.service.remove_signer(&Actor::system(), &signer)).unwrap();
    assert_one(&wrong(&gateway, &["--wallet", SECP]), "binding", "venus-auth user signer register alice");
    drop(wallet);
    assert_one(&wrong(&gateway, &["--miner", "f01000"]), "binding", "venus-auth user miner add");
    let miner = address::parse("f01000").unwrap();
    let system = Actor::system();
    let bound = auth.service.bind_miner(&system, "alice", miner, true);
    auth.runtime.block_on(bound).unwrap();
    let lines = wrong(&gateway, &["--miner", "f01000"]);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].starts_with("provers: ") && lines[1].starts_with("sealers: "), "{lines:#?}");
}

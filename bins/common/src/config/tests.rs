//! Layers over layers, and what is said about mistakes in each.

use std::{fs, time::Duration};

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::*;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    name: String,
    http: Http,
    token: Option<Secret>,
    peers: Vec<String>,
    upstream: Vec<Upstream>,
    admin: Option<Upstream>,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Http {
    port: u16,
    tls: bool,
    #[serde(with = "duration")]
    timeout: Duration,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Upstream {
    url: String,
}

impl Default for Http {
    fn default() -> Self {
        Self { port: 80, tls: false, timeout: Duration::from_secs(30) }
    }
}

impl Validate for Settings {
    fn validate(&self) -> Vec<Problem> {
        let name = Problem::unless(self.name.len() < 8, "name", "is longer than 7 letters: shorten it");
        let http = self.http.validate().into_iter().map(|problem| problem.within("http"));
        let urls = self.upstream.iter().enumerate().filter(|(_, upstream)| upstream.url.is_empty());
        let urls = urls.map(|(i, _)| Problem::new(format!("upstream[{i}].url"), "is empty: remove it"));
        name.into_iter().chain(http).chain(urls).collect()
    }
}

impl Validate for Http {
    fn validate(&self) -> Vec<Problem> {
        let timeout = Problem::unless(!self.timeout.is_zero(), "timeout", "is zero: give it some time");
        let port = Problem::unless(self.port > 0, "port", "is zero: choose one");
        timeout.into_iter().chain(port).collect()
    }
}

/// A file with `text`, and variables.
fn load(text: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gateway.toml");
    fs::write(&path, text).unwrap();
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    let loaded = Loader::new("gateway").file(&path).environment(variables).load();
    let shown = format!("{}/", dir.path().display());
    loaded.map_err(|e| e.to_string().replace(&shown, ""))
}

#[test]
fn later_layers_win_key_by_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gateway.toml");
    fs::write(&path, "name = 'file'\npeers = ['a', 'b']\n[http]\nport = 1\ntimeout = 5000000000\n").unwrap();
    let variables = [
        ("VENUS_GATEWAY__HTTP__PORT", "2"),
        ("VENUS_GATEWAY__HTTP__TLS", "true"),
        ("VENUS_GATEWAY__PEERS", "[\"c\"]"),
        ("VENUS_GATEWAY__NAME", ""),
        ("VENUS_WALLET__NAME", "another service"),
        ("VENUS_LOG", "info"),
    ];
    let loader = Loader::new("gateway")
        .usual_file(&path)
        .environment(variables.map(|(name, value)| (name.into(), value.into())))
        .flag("--port", "http.port", Some(3))
        .flag("--name", "name", None::<String>);
    let settings: Settings = loader.load().unwrap();
    assert_eq!((settings.name.as_str(), settings.peers), ("file", vec!["c".to_owned()]));
    assert_eq!((settings.http.port, settings.http.tls), (3, true));
    assert_eq!(settings.http.timeout, Duration::from_secs(5));
}

#[test]
fn defaults_stand_alone_but_a_named_file_must_exist() {
    let settings: Settings = Loader::new("gateway").usual_file("/nonexistent/x.toml").load().unwrap();
    assert_eq!((settings.http.port, settings.http.timeout), (80, Duration::from_secs(30)));
    let error = Loader::new("gateway").file("/nonexistent/x.toml").load::<Settings>().unwrap_err();
    assert!(error.to_string().starts_with("/nonexistent/x.toml: "), "{error}");
}

#[test]
fn secrets_keep_their_digits_and_come_from_files_too() {
    let secret = |settings: Settings| settings.token.unwrap().get().unwrap().expose_secret().to_owned();
    let settings = load("token = 'of the file'", &[("VENUS_GATEWAY__TOKEN", "007")]).unwrap();
    assert_eq!(secret(settings), "007");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    fs::write(&path, "hidden\n").unwrap();
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let file = path.to_str().unwrap();
    let settings = load("token = 'of the file'", &[("VENUS_GATEWAY__TOKEN__FILE", file)]).unwrap();
    assert_eq!(secret(settings), "hidden");
    let error = load("token = 31415926", &[]).unwrap_err();
    assert_eq!(error, "gateway.toml: token: is no text: put quotes around it: change it");
}

#[test]
fn mistakes_name_file_key_and_remedy() {
    let cases: [(&str, &str); 10] = [
        (
            "[http]\nprt = 1",
            "gateway.toml: http.prt: is unknown (known is one of `port`, `tls`, `timeout`): correct or remove it",
        ),
        ("[http]\nport = 'x'", "gateway.toml: http.port: is not an integer: change it"),
        ("[http]\nport = 70000", "gateway.toml: http.port: is not an unsigned 16 bit integer: change it"),
        (
            "[http]\nport = -1",
            "gateway.toml: http.port: is not an unsigned 64 bit or less integer: change it",
        ),
        ("[admin]", "admin.url: is missing: set it in the file or as VENUS_GATEWAY__ADMIN__URL"),
        ("http = 5", "gateway.toml: http: is not struct Http: change it"),
        (
            "[http]\ntimeout = '30'",
            "gateway.toml: http.timeout: is not a span of time: no unit (write for example `30s`, `1h30m` or `250ms`): change it",
        ),
        (
            "[http]\ntimeout = -5",
            "gateway.toml: http.timeout: is not a span of time: negative (write for example `30s`, `1h30m` or `250ms`): change it",
        ),
        ("[[upstream]]", "upstream[0].url: is missing: set it in the file"),
        (
            "[[upstream]]\nurl = 'x'\nurl2 = 'y'",
            "gateway.toml: upstream[0].url2: is unknown (known is `url`): correct or remove it",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(load(text, &[]).unwrap_err(), expected, "{text}");
    }
    let syntax = load("a = 1\nname = \n", &[]).unwrap_err();
    assert!(syntax.starts_with("gateway.toml: not TOML: ") && syntax.contains("line 2"), "{syntax}");
    assert!(load("name = 'a'\nname = 'b'", &[]).unwrap_err().contains("duplicate key"));
}

#[test]
fn variables_and_options_are_named() {
    let error = load("", &[("VENUS_GATEWAY__HTTP__PRT", "1")]).unwrap_err();
    assert!(
        error.starts_with("environment variable VENUS_GATEWAY__HTTP__PRT: http.prt: is unknown"),
        "{error}"
    );
    let error = load("", &[("VENUS_GATEWAY__HTTP__PORT", "often")]).unwrap_err();
    assert!(
        error.starts_with("environment variable VENUS_GATEWAY__HTTP__PORT: http.port: is not"),
        "{error}"
    );
    for name in [
        "VENUS_GATEWAY__",
        "VENUS_GATEWAY__HTTP____PORT",
        &format!("VENUS_GATEWAY__{}", "A__".repeat(20_000)),
    ] {
        assert!(load("", &[(name, "1")]).unwrap_err().starts_with(&format!("environment variable {name}: ")));
    }
    let option =
        Loader::new("gateway").flag("--port", "http.port", Some("x")).load::<Settings>().unwrap_err();
    assert!(option.to_string().starts_with("option --port: http.port: is not"), "{option}");
}

#[test]
fn all_problems_at_once_with_their_origins() {
    let error = load(
        "name = 'far too long'\n[http]\ntimeout = 0\n[[upstream]]\nurl = ''",
        &[("VENUS_GATEWAY__HTTP__PORT", "0")],
    );
    let expected = "gateway.toml: name: is longer than 7 letters: shorten it
gateway.toml: http.timeout: is zero: give it some time
environment variable VENUS_GATEWAY__HTTP__PORT: http.port: is zero: choose one
gateway.toml: upstream[0].url: is empty: remove it";
    assert_eq!(error.unwrap_err(), expected);
}

#[test]
fn hostile_files_are_errors() {
    let deep = format!("a = {}{}", "[".repeat(10_000), "]".repeat(10_000));
    let dotted = format!("{}a = 1", "a.".repeat(10_000));
    let index = "'a[99999999999]' = 1".to_owned();
    let long = format!("name = '{}'", "x".repeat(2 << 20));
    for text in [deep, dotted, index, long, "\u{0}".into(), "=".repeat(64 << 10)] {
        let error = load(&text, &[]).unwrap_err();
        assert!(error.starts_with("gateway.toml: "), "{}", error.get(..200).unwrap_or(&error));
    }
}

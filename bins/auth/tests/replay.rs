//! Every command of sophon-auth, as recorded: ours asks the same, says the same and ends the same, or differs on purpose.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use secrecy::ExposeSecret;
use serde::Deserialize;
use tower::ServiceExt;
use venus_auth::rest::{RestConfig, router};
use venus_auth::{AuthService, MemoryStore, Rules, SignerSharing, TokenStorage};
use venus_core::clock::ManualClock;

#[derive(Deserialize)]
struct Line {
    n: usize,
    args: Vec<String>,
    rc: i32,
    stdout: String,
    stderr: String,
    #[serde(default)]
    wire: Vec<Frame>,
}

#[derive(Deserialize)]
struct Frame {
    dir: String,
    #[serde(default)]
    start: String,
    #[serde(default)]
    body: String,
}

/// Lines that differ on purpose, and why.
const INTENDED: &[(&[usize], &str)] = &[
    (&[1, 2, 3, 7], "help is ours; the exit code is the same"),
    (&[20, 23, 24], "tokens are listed in order of creation, not of their random bytes"),
    (&[26, 28], "errors quote eight characters of a hash, not the token"),
];

/// What was asked, as `METHOD path body`.
type Asked = Arc<Mutex<Vec<String>>>;

async fn note(State((asked, inner)): State<(Asked, Router)>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    asked.lock().unwrap().push(format!("{} {} {text}", parts.method, parts.uri));
    inner.oneshot(Request::from_parts(parts, Body::from(body))).await.unwrap()
}

/// A service that keeps whole tokens, and its administrator's in the repository.
async fn serve(repo: &Path, clock: &ManualClock) -> (String, Asked) {
    let rules = Rules { sharing: SignerSharing::Allow, tokens: TokenStorage::Clear };
    let service = AuthService::new(Arc::new(MemoryStore::default()), Arc::new(clock.clone()), rules);
    let token = service.local_token(None).await.unwrap();
    std::fs::write(repo.join("token"), token.expose_secret()).unwrap();
    let asked = Asked::default();
    let state = (asked.clone(), router(service, RestConfig::default()));
    let app = Router::new().fallback(note).with_state(state);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, asked)
}

/// A word without what stands around it: `id:<uuid>,` is the uuid.
fn bare(word: &str) -> &str {
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    bare.rsplit(':').next().filter(|tail| uuid::Uuid::parse_str(tail).is_ok()).unwrap_or(bare)
}

/// Words of a text: tokens, ids and times vary.
fn varies(word: &str) -> bool {
    let bare = bare(word);
    bare.starts_with("eyJ") || uuid::Uuid::parse_str(bare).is_ok() || word.matches(':').count() == 2
}

fn words(text: &str) -> Vec<&str> {
    text.split_inclusive(|c: char| c.is_whitespace() || c == '"' || c == ',' || c == '&' || c == '=')
        .collect()
}

fn shape(text: &str) -> String {
    words(text).into_iter().map(|word| if varies(word.trim_end()) { "…" } else { word }).collect()
}

/// Which of our tokens and ids stand for which of theirs.
fn learn(names: &mut BTreeMap<String, String>, theirs: &str, ours: &str) {
    let pick = |text: &str| -> Vec<String> {
        words(text)
            .iter()
            .map(|word| bare(word).to_owned())
            .filter(|word| varies(word) && !word.contains(':'))
            .collect()
    };
    if shape(theirs) == shape(ours) {
        for (theirs, ours) in pick(theirs).into_iter().zip(pick(ours)) {
            names.entry(theirs).or_insert(ours);
        }
    }
}

async fn command(repo: &Path, address: &str, args: Vec<String>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_venus-auth"));
    command.arg("--repo").arg(repo).arg("--listen").arg(address).args(args);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn differences(line: &Line, output: &Output, asked: &[String], ours: impl Fn(&str) -> String) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, theirs: String, mine: String| {
        if shape(&theirs) != shape(&mine) {
            found.push(format!("{what}: {theirs:?}\n   ours {mine:?}"));
        }
    };
    compare("exit", line.rc.to_string(), output.status.code().unwrap().to_string());
    compare("stdout", line.stdout.clone(), String::from_utf8_lossy(&output.stdout).into_owned());
    compare("stderr", line.stderr.clone(), String::from_utf8_lossy(&output.stderr).into_owned());
    let request = |frame: &Frame| {
        let start = frame.start.trim_end_matches(" HTTP/1.1");
        ours(&format!("{start} {}", frame.body))
    };
    let theirs: Vec<String> = line.wire.iter().filter(|f| f.dir == "c>s").map(request).collect();
    compare("wire", theirs.join("\n"), asked.join("\n"));
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_as_recorded() {
    let repo = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(Duration::from_secs(1_795_249_725));
    let (address, asked) = serve(repo.path(), &clock).await;
    let lines: Vec<Line> =
        include_str!("data/auth-cli.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 68);
    let mut names = BTreeMap::new();
    let (mut alike, mut meant, mut other) = (0, 0, Vec::new());
    for line in &lines {
        clock.advance(Duration::from_millis(10));
        let ours = |text: &str| {
            names
                .iter()
                .fold(text.to_owned(), |text, (theirs, ours): (&String, &String)| text.replace(theirs, ours))
        };
        let args = line.args[2..].iter().map(|arg| ours(arg)).collect();
        let output = command(repo.path(), &address, args).await;
        let asked = std::mem::take(&mut *asked.lock().unwrap());
        let found = differences(line, &output, &asked, ours);
        let rule = INTENDED.iter().find(|(lines, _)| lines.contains(&line.n));
        match (found.is_empty(), rule) {
            (true, None) => alike += 1,
            (false, Some(_)) if output.status.code() == Some(line.rc) => meant += 1,
            (true, Some((_, why))) => other.push(format!("{}: alike, but meant to differ: {why}", line.n)),
            (false, _) => other.push(format!("{} {:?}: {}", line.n, &line.args[2..], found.join("\n"))),
        }
        learn(&mut names, &line.stdout, &String::from_utf8_lossy(&output.stdout));
    }
    println!("alike {alike}, intended {meant}, other {}", other.len());
    assert!(other.is_empty(), "{}", other.join("\n"));
}

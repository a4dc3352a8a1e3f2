//! A gateway among Go programs: `tests/interop/gateway`, built with the clients and types of venus-shared.
//!
//! Without Go nothing is proved here, so the test says that it skips; with `VENUS_REQUIRE_GO=1` it fails instead.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use secrecy::ExposeSecret;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use venus_auth::{Rules, SignerSharing};
use venus_core::rpc::Dialect;
use venus_gateway::rpc::ServerOptions;
use venus_gateway::{HubOptions, Legacy, SupportRule};
use venus_tests::workspace::root;

use super::pool::Pool;

/// The program; nothing if there is no Go to build it and that is allowed.
fn program() -> Option<PathBuf> {
    let sources = root().join("tests/interop/gateway");
    // Modules that cannot be had are like a Go that cannot be had; sources that do not compile are our fault.
    if let Err(reason) = go(&sources, &["mod", "download"]) {
        assert!(env::var_os("VENUS_REQUIRE_GO").is_none_or(|value| value != "1"), "Go is required: {reason}");
        println!("skipped, no Go program to talk to: {reason}");
        return None;
    }
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop/gateway");
    let built = go(&sources, &["build", "-o", program.to_str().unwrap(), "."]);
    built.unwrap_or_else(|reason| panic!("{reason}"));
    Some(program)
}

fn go(folder: &Path, args: &[&str]) -> Result<(), String> {
    let output = Command::new("go").args(args).current_dir(folder).env("CGO_ENABLED", "0").output();
    let Output { status, stderr, .. } = output.map_err(|error| format!("go: {error}"))?;
    let said = String::from_utf8_lossy(&stderr);
    if status.success() { Ok(()) } else { Err(format!("go {}: {said}", args.join(" "))) }
}

/// Go's wallet, prover, sealer and callers at our gateway.
#[tokio::test(flavor = "multi_thread")]
async fn go_programs_register_and_call() {
    let Some(program) = program() else { return };
    let pool = Pool::ruled(Rules { sharing: SignerSharing::Allow, ..Rules::default() }).await;
    let mut options = HubOptions::new("eu-1");
    // What a Go wallet needs: its challenge, and accounts that nobody granted.
    options.legacy = Legacy::All;
    options.support = SupportRule::Any;
    let mut server = ServerOptions::default();
    server.dialect = Dialect::Fork;
    let node = pool.node_with(options, server).await;
    let provider = pool.token("alice", "read", &[]).await;
    let caller = pool.token("market", "admin", &[]).await;
    let told = json!({
        "URL": format!("ws://{}", node.at),
        "Provider": provider.expose_secret(),
        "Caller": caller.expose_secret(),
    });
    let mut command = tokio::process::Command::new(program);
    let command = command.kill_on_drop(true).env("GOLOG_LOG_LEVEL", "error");
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(told.to_string().as_bytes()).await.unwrap();
    // The program has a limit of its own.
    let output = child.wait_with_output().await.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let said = String::from_utf8(output.stdout).unwrap();
    let checks: u64 =
        said.trim().strip_suffix(" checks").unwrap_or_else(|| panic!("{said}")).parse().unwrap();
    println!("{checks} checks");
    assert!(checks > 100, "{checks}");
    node.kill().await;
}

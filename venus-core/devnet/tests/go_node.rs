//! A devnet among Go programs: `tests/interop/node`, built with the clients and types of venus-shared and of lotus.
//! They mine on it, send messages and follow its head, each in the words of the services and tools it stands for.
//!
//! Without Go nothing is proved here, so the tests say that they skip; with `VENUS_REQUIRE_GO=1` they fail instead.
#![cfg(feature = "server")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretSlice};
use serde_json::{Value, json};
use support::{GENESIS, World};
use tokio::io::AsyncWriteExt;
use venus_core::api::{ChainReader, ISigner, Permissions, SignerError};
use venus_core::testing::doubles::TestSigner;
use venus_core::types::address::format;
use venus_core::types::{Address, MsgMeta, MsgType, Signature};
use venus_devnet::face::{Face, FaceKind, Tokens};

/// Builds a program; nothing if there is no Go to build it and that is allowed.
fn program(name: &str) -> Option<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/node").join(name);
    // Modules that cannot be had are like a Go that cannot be had; sources that do not compile are our fault.
    if let Err(reason) = go(&sources, &["mod", "download"]) {
        assert!(env::var_os("VENUS_REQUIRE_GO").is_none_or(|value| value != "1"), "Go is required: {reason}");
        println!("skipped, no Go program to talk to: {reason}");
        return None;
    }
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop/node").join(name);
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

/// Keys of a node. A Lotus node does not say what it has signed; here it can only be a draw.
struct NodeKeys(Arc<TestSigner>);

#[async_trait]
impl ISigner for NodeKeys {
    async fn has(&self, address: &Address) -> Result<bool, SignerError> {
        self.0.has(address).await
    }

    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        self.0.list().await
    }

    async fn sign(&self, key: &Address, bytes: &[u8], meta: &MsgMeta) -> Result<Signature, SignerError> {
        let draw = MsgMeta::of(MsgType::DrawRandomParam);
        let meta = if meta.msg_type == MsgType::Unknown { &draw } else { meta };
        self.0.sign(key, bytes, meta).await
    }
}

/// Runs a program at a face, which has to succeed, over WebSocket or HTTP. Answers how many checks it made.
async fn look(program: &Path, kind: FaceKind, scheme: &str) -> u64 {
    let world = World::new(71, 1);
    // Go does not wait for epochs here: their time has come.
    world.clock.advance_to(Duration::from_secs(GENESIS + 1_000_000));
    let tokens = Tokens::new(SecretSlice::from(vec![9; 32])).unwrap().like(kind);
    let face = Face::new(world.devnet.clone(), kind)
        .with_keys(Arc::new(NodeKeys(world.signer.clone())))
        .with_tokens(tokens.clone());
    let server = face.listen("127.0.0.1:0".parse().unwrap(), tokens.clone()).await.unwrap();
    let at = server.local_addr();
    let network = world.devnet.network().await.unwrap();
    let text = |address| format(&address, network.address_network);
    let token = |rights| tokens.issue(rights).expose_secret().to_owned();
    let told = json!({
        "URL": format!("{scheme}://{at}"), "WS": format!("ws://{at}"),
        "Token": token(Permissions::ALL), "ReadToken": token(Permissions::READ),
        "Network": network.name,
        "Secp": text(world.secp), "Bls": text(world.bls),
        "Stranger": text(Address::new_secp256k1(&[7; 65]).unwrap()),
        "Miner": text(world.devnet.miners()[0]),
    });
    let said = run(program, &told).await;
    world.devnet.check_supply().unwrap();
    server.shutdown().await;
    let checks = said.trim().strip_suffix(" checks").unwrap_or_else(|| panic!("{said}"));
    checks.parse().unwrap()
}

async fn run(program: &Path, told: &Value) -> String {
    let mut command = tokio::process::Command::new(program);
    let command = command.kill_on_drop(true).env("GOLOG_LOG_LEVEL", "error");
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(told.to_string().as_bytes()).await.unwrap();
    // The program has a limit of its own.
    let output = child.wait_with_output().await.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    String::from_utf8(output.stdout).unwrap()
}

async fn at_both(name: &str, kind: FaceKind) {
    let Some(program) = program(name) else { return };
    for scheme in ["ws", "http"] {
        let checks = look(&program, kind, scheme).await;
        assert!(checks > 300, "{checks} checks of {name} over {scheme}");
        println!("{name} over {scheme}: {checks} checks");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn services_of_the_pool_at_a_venus_face() {
    at_both("venus", FaceKind::Venus).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_and_miners_at_a_lotus_face() {
    at_both("lotus", FaceKind::Lotus).await;
}

//! The same calls as recorded from live nodes, compared with what those answered.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use venus_core::api::{GasEstimator, GasSpec, MessagePool, MessageRequest, Permissions, SignerExt};
use venus_core::types::RawBytes;
use venus_devnet::face::{FaceKind, Fault, FaultKind};

use crate::served::{Served, world};
use crate::support::{World, fil};

/// Far more than the calls take.
const PATIENCE: Duration = Duration::from_secs(300);

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/wire").join(name)
}

/// Whether Python is there. Without it the test says that it checked nothing, unless it has to.
async fn has_python() -> bool {
    let version = Command::new("python3").arg("--version").stdout(Stdio::null()).status().await;
    let there = version.is_ok_and(|status| status.success());
    assert!(there || std::env::var_os("VENUS_REQUIRE_PYTHON").is_none(), "python3 is needed for this test");
    if !there {
        eprintln!("skipped: there is no python3 to make the recorded calls with");
    }
    there
}

/// What it prints. A program that breaks off says so there, and has left what it had until then.
async fn python(args: &[&str]) -> String {
    let mut command = Command::new("python3");
    let running = command.args(args).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, running).await.expect("python3 hangs").unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{err}")
}

/// A chain of 40 epochs and more, with messages of every account on the way.
async fn with_history(seed: u64) -> World {
    let world = world(seed);
    world.extend_to(20).await;
    for _ in 0..3 {
        with_params(&world).await;
        world.send(world.secp, world.bls, 1).await;
        world.extend().await;
    }
    world.extend_to(42).await;
    world
}

/// Two transfers with parameters, which nobody reads, as the recorded messager sent them.
async fn with_params(world: &World) {
    for note in ["one", "two"] {
        let mut message = MessageRequest::transfer(world.bls, world.secp, fil(1)).message;
        message.params = RawBytes::new(note.into());
        message.sequence = world.devnet.next_nonce(&world.bls).await.unwrap();
        let message = world.devnet.estimate(&message, &GasSpec::default()).await.unwrap();
        world.devnet.push(&world.signer.sign_message(&message).await.unwrap()).await.unwrap();
    }
}

/// Runs the calls against a face and answers how many are alike, of how many, and what differs.
async fn compare(served: &Served, golden: &str) -> (usize, usize, String) {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.jsonl");
    let (collect, compare, golden) = (data("collect.py"), data("compare.py"), data(golden));
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let token = served.token(Permissions::ALL);
    let collected = python(&[&path(&collect), &served.server.url(), &token, &path(&out)]).await;
    if let Some(keep) = std::env::var_os("VENUS_KEEP_ANSWERS") {
        let name = format!("{:?}.jsonl", served.face.kind());
        std::fs::copy(&out, Path::new(&keep).join(name)).unwrap();
    }
    let report = python(&[&path(&compare), &path(&golden), &path(&out), "400"]).await;
    let last = report.lines().last().filter(|line| line.ends_with("calls alike")).expect(&report);
    let numbers: Vec<usize> = last.split(' ').filter_map(|word| word.parse().ok()).collect();
    (numbers[0], numbers[1], format!("{collected}{report}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn venus_answers_like_venus() {
    if !has_python().await {
        return;
    }
    let served = Served::new(with_history(1).await, FaceKind::Venus).await;
    let (alike, of, report) = compare(&served, "venus.jsonl").await;
    println!("{report}");
    assert_eq!(of, 222);
    assert!(alike >= VENUS, "{alike} of {of} alike:\n{report}");
    served.server.shutdown().await;
}

/// In the recording the message was in the head, so that a search did not find it and waiting took an epoch.
#[tokio::test(flavor = "multi_thread")]
async fn lotus_answers_like_lotus() {
    if !has_python().await {
        return;
    }
    let world = with_history(2).await;
    world.send(world.bls, world.secp, 1).await;
    world.extend().await;
    world.send(world.bls, world.secp, 1).await;
    world.extend().await;
    let served = Served::new(world, FaceKind::Lotus).await;
    let wait = Fault { kind: FaultKind::Delay(Duration::ZERO), count: 1 };
    served.face.faults().inject("StateWaitMsg", wait).unwrap();
    let mining = async {
        served.face.faults().used_up().await;
        let height = served.world.head().await.height();
        while served.world.head().await.height() < height + 2 {
            served.world.extend().await;
        }
        std::future::pending::<()>().await;
    };
    let (alike, of, report) = tokio::select! {
        compared = compare(&served, "lotus.jsonl") => compared,
        () = mining => unreachable!(),
    };
    println!("{report}");
    assert_eq!(of, 221);
    assert!(alike >= LOTUS, "{alike} of {of} alike:\n{report}");
    served.server.shutdown().await;
}

/// Those that are not alike are listed in FACES.md, with the reason.
const VENUS: usize = 212;
const LOTUS: usize = 215;

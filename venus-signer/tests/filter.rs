#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! The external filter, with real programs.

mod policy_support;

use std::path::Path;
use std::time::Duration;

use policy_support::*;
use venus_core::api::Permissions;
use venus_core::types::MsgType;
use venus_signer::{Caller, Check, ExprFilter, Payload, Review, SignRequest, SigningNetwork};

#[tokio::test]
async fn the_exit_code_decides() {
    ask(&ExprFilter::new(""), &send(MINER, "1")).await.unwrap();
    ask(&ExprFilter::new("exit 0"), &send(MINER, "1")).await.unwrap();
    let refused = text(ask(&ExprFilter::new("echo no; echo never >&2; exit 3"), &send(MINER, "1")).await);
    assert_eq!(refused, "run customer sign check fail (no\nnever\n)");
    let unknown = text(ask(&ExprFilter::new("/nonexistent/program"), &send(MINER, "1")).await);
    assert!(
        unknown.starts_with("run customer sign check fail (") && unknown.contains("not found"),
        "{unknown}"
    );
}

#[tokio::test]
async fn a_program_does_not_inherit_secrets() {
    let shows = "test -n \"$CARGO_MANIFEST_DIR\"";
    ask(&ExprFilter::new(shows), &send(MINER, "1")).await.unwrap();
    assert!(ask(&ExprFilter::new(shows).hide("CARGO_MANIFEST_DIR"), &send(MINER, "1")).await.is_err());
}

#[tokio::test]
async fn a_program_that_cannot_be_started() {
    let refused = text(ask(&ExprFilter::new("exit 0 \0"), &send(MINER, "1")).await);
    assert!(refused.starts_with("filter cmd run error "), "{refused}");
}

#[tokio::test]
async fn what_a_program_reads() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("in");
    let filter = ExprFilter::new(format!("cat > {}", file.display()));
    let caller = Caller {
        permissions: Permissions::up_to("sign"),
        ..Caller::gateway("hub", vec!["a".into(), "b".into()])
    };
    ask_as(&filter, &caller, &send(MINER, "1")).await.unwrap();
    let read = std::fs::read_to_string(&file).unwrap();
    // Go's members first, in its order and with its indentation.
    assert!(
        read.starts_with(
            "{\n  \"SignType\": \"message\",\n  \"Data\": {\n    \"CID\": {\n      \"/\": \"bafy"
        ),
        "{read}"
    );
    let json: serde_json::Value = serde_json::from_str(&read).unwrap();
    assert_eq!(json["Data"]["Value"], "1000000000000000000");
    assert_eq!(json["Signer"], SECP);
    assert_eq!(json["Account"], "a");
    assert_eq!(json["Accounts"], serde_json::json!(["a", "b"]));
    assert_eq!(json["Perms"], serde_json::json!(["read", "write", "sign"]));
    assert_eq!(json["Origin"], "gateway:hub");
    assert!(json["ToSign"].as_str().unwrap().starts_with("AXGg5AIg"));

    ask_raw(&filter, bls(), MsgType::Unknown, &[1; 4]).await.unwrap();
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!((&json["SignType"], &json["Data"]), (&"unknown".into(), &"AQEBAQ==".into()));
}

#[tokio::test]
async fn challenges_of_gateways_are_not_asked_about() {
    let payload = Payload::Challenge([1; 32]);
    let meta = venus_core::types::MsgMeta::of(MsgType::VerifyAddress);
    let caller = Caller::embedded();
    let request = SignRequest { signer: bls(), to_sign: &[1; 32], meta: &meta, caller: &caller };
    let review = Review { request: &request, payload: &payload };
    ExprFilter::new("exit 1").check(&review).await.unwrap();
    let _ = SigningNetwork::default();
}

#[tokio::test]
async fn programs_that_do_not_read_or_write_too_much() {
    let big = vec![7; 1 << 20];
    ask_raw(&ExprFilter::new("exit 0"), bls(), MsgType::Unknown, &big).await.unwrap();
    ask_raw(&ExprFilter::new("exec <&-; exit 0"), bls(), MsgType::Unknown, &big).await.unwrap();
    let loud = ExprFilter::new("head -c 10000000 /dev/zero | tr '\\0' x; exit 1");
    let refused = text(ask(&loud, &send(MINER, "1")).await);
    assert_eq!(refused.len(), "run customer sign check fail ()".len() + (64 << 10));
}

/// The number that a program wrote. A file is there before its content is.
async fn written(pid_file: &Path) -> String {
    until(|| std::fs::read_to_string(pid_file).ok().filter(|pid| pid.ends_with('\n'))).await.trim().to_owned()
}

/// Waits until a process is dead. The filter kills it before it answers; the kernel may take a moment, and who reaps
/// it another: init what the program started, the runtime the program itself.
async fn gone(pid: &str) {
    until(|| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    })
    .await;
}

/// Asks until there is an answer; what never comes fails the test instead of holding it for ever.
async fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask() {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asking).await.expect("nothing within a minute")
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_ended_with_its_children() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let expr = format!("sleep 1000 & echo $! > {}; wait", pid.display());
    let filter = ExprFilter::new(expr).timeout(Duration::from_millis(500));
    let refused = text(ask(&filter, &send(MINER, "1")).await);
    assert_eq!(refused, "filter cmd run error: no answer within 0.5 s, it was ended");
    gone(&written(&pid).await).await;
}

#[tokio::test]
async fn a_cancelled_request_leaves_no_process() {
    let dir = tempfile::tempdir().unwrap();
    let (pid, own) = (dir.path().join("pid"), dir.path().join("own"));
    let files = (own.display(), pid.display());
    let filter = ExprFilter::new(format!("echo $$ > {}; sleep 1000 & echo $! > {}; wait", files.0, files.1));
    let task = tokio::spawn({
        let filter = filter.clone();
        async move { ask(&filter, &send(MINER, "1")).await }
    });
    let (pid, own) = (written(&pid).await, written(&own).await);
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    gone(&pid).await;
    gone(&own).await;
    // Its place is free again.
    let one = ExprFilter::new("exit 0").concurrency(1);
    ask(&one, &send(MINER, "1")).await.unwrap();
}

#[tokio::test]
async fn what_a_program_leaves_behind_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let filter = ExprFilter::new(format!("sleep 1000 & echo $! > {}; exit 0", pid.display()));
    ask(&filter, &send(MINER, "1")).await.unwrap();
    gone(&written(&pid).await).await;
}

#[tokio::test]
async fn not_more_than_so_many_run_at_once() {
    let dir = tempfile::tempdir().unwrap();
    // Each makes a folder of its place; two at once would find it there.
    let expr = format!("mkdir {0}/busy || exit 1; sleep 0.02; rmdir {0}/busy", dir.path().display());
    let filter = ExprFilter::new(expr).concurrency(1);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let filter = filter.clone();
        tasks.spawn(async move { ask(&filter, &send(MINER, "1")).await.is_ok() });
    }
    assert!(tasks.join_all().await.into_iter().all(|ok| ok));
}

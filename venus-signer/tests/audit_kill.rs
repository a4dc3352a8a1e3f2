#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg(all(feature = "sqlite", unix))]
//! `kill -9` while groups of records are written: every record that was reported as kept is there.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use venus_core::types::{Address, MsgMeta, MsgType};
use venus_signer::audit::{AuditConfig, AuditEvent, AuditLog, AuditReader, SqliteAudit, Verdict};
use venus_signer::{Caller, SignRequest};

const CHILD: &str = "VENUS_AUDIT_KILL_CHILD";
const KILLS: u64 = 30;

#[test]
fn child() {
    let Ok(argument) = std::env::var(CHILD) else { return };
    let (path, life) = argument.rsplit_once('@').unwrap();
    let life: u64 = life.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let audit = SqliteAudit::open(Path::new(path), AuditConfig::default()).await.unwrap();
        let callers = (0..32_u64).map(|caller| {
            let audit = audit.clone();
            tokio::spawn(async move {
                for n in 0.. {
                    keep(&audit, &format!("{life}/{caller}/{n}")).await;
                }
            })
        });
        futures::future::join_all(callers).await;
    });
}

async fn keep(audit: &SqliteAudit, name: &str) {
    let (meta, caller) = (MsgMeta::of(MsgType::Unknown), Caller::embedded());
    let request = SignRequest { signer: Address::new_id(1), to_sign: &[], meta: &meta, caller: &caller };
    let verdict = Verdict::Failed { reason: name };
    audit.record(&AuditEvent { request: &request, payload: None, verdict }).await.unwrap();
    std::io::stdout().lock().write_all(format!("KEPT {name}\n").as_bytes()).unwrap();
}

#[tokio::test]
async fn what_was_kept_survives_the_end_of_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keystore.sqlit");
    let mut kept = HashSet::new();
    for life in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(CHILD, format!("{}@{life}", path.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen: Vec<String> = Vec::new();
        while seen.len() < 40 + 7 * life as usize {
            seen.push(lines.next().expect("the child ended by itself").unwrap());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        seen.extend(lines.map_while(Result::ok));
        kept.extend(seen.iter().filter_map(|line| line.split_once("KEPT ")).map(|(_, name)| name.to_owned()));
    }
    let reader = AuditReader::open(&path).await.unwrap();
    let verified = reader.verify(None).await.unwrap();
    assert!(verified.records >= kept.len() as u64);
    let mut before = None;
    loop {
        let page = reader.page(before, 1000).await.unwrap();
        let Some(last) = page.last() else { break };
        before = last.seq;
        for record in &page {
            kept.remove(record.record.err.as_deref().unwrap());
        }
    }
    assert!(kept.is_empty(), "lost: {kept:?}");
}

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg(all(feature = "sqlite", unix))]
//! `kill -9` between reserving and releasing, a thousand times: whatever was released, no two headers of a miner have
//! one height or the same parents.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use venus_core::entropy::{Entropy, SeededEntropy};
use venus_signer::slashing::{BlockSlot, Reserved, SlashingStore, Slot, SqliteSlashing};

const CHILD: &str = "VENUS_SLASHING_KILL_CHILD";
const KILLS: u64 = 1000;
const SIGNERS: u64 = 4;

fn number(entropy: &SeededEntropy) -> u64 {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes).unwrap();
    u64::from_be_bytes(bytes)
}

fn hash(n: u64) -> [u8; 32] {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&n.to_be_bytes());
    hash
}

/// Signers in parallel that want different headers of the same heights, and tell what they would release.
#[test]
fn child() {
    let Ok(argument) = std::env::var(CHILD) else { return };
    let (path, seed) = argument.rsplit_once('@').unwrap();
    let seed: u64 = seed.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteSlashing::open(Path::new(path), "kill").await.unwrap();
        let signers = (0..SIGNERS).map(|signer| {
            let store = store.clone();
            tokio::spawn(async move { sign(&store, seed, signer).await })
        });
        futures::future::join_all(signers).await;
    });
}

async fn sign(store: &SqliteSlashing, seed: u64, signer: u64) {
    let entropy = SeededEntropy::new(seed * SIGNERS + signer, "child");
    loop {
        // Few heights, so that processes that died have left something at most of them.
        let height = number(&entropy) % 2000;
        let (parents, header) = (number(&entropy) % 4000, number(&entropy));
        let slot =
            BlockSlot { miner: 1000, height: height as i64, parents: hash(parents), header: hash(header) };
        if let Ok(Reserved::New | Reserved::Again) = store.take(&Slot::Block(slot)).await {
            // One write: a line is there wholly or not at all.
            std::io::stdout()
                .lock()
                .write_all(format!("SIGNED {height} {parents} {header}\n").as_bytes())
                .unwrap();
        }
        println!("TRIED");
    }
}

#[test]
fn a_thousand_kills_release_no_two_headers_for_a_height_or_parents() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("slashing.sqlite");
    let entropy = SeededEntropy::new(44, "kills");
    let mut heights: HashMap<String, String> = HashMap::new();
    let mut parents: HashMap<String, String> = HashMap::new();
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(CHILD, format!("{}@{kill}", path.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut after = number(&entropy) % 12 + 1;
        let mut seen = Vec::new();
        while after > 0 {
            let line = lines.next().expect("the child ended by itself").unwrap();
            after -= u64::from(line.contains("TRIED"));
            seen.push(line);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        seen.extend(lines.map_while(Result::ok));
        for line in seen {
            let Some((_, told)) = line.split_once("SIGNED ") else { continue };
            let [height, on, header]: [&str; 3] = told.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let at = heights.entry(height.into()).or_insert_with(|| header.into());
            assert_eq!(at, header, "two headers for height {height}, after kill {kill}");
            let of = parents.entry(on.into()).or_insert_with(|| header.into());
            assert_eq!(of, header, "two headers on parents {on}, after kill {kill}");
        }
    }
    assert!(heights.len() > 200, "only {} heights", heights.len());
}

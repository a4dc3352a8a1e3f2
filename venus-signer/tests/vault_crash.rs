#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg(all(feature = "sqlite", unix))]
//! `kill -9` while keys are stored and while the password changes: nothing that was confirmed is lost, and one
//! password opens all keys.

mod vault_support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use venus_core::entropy::{Entropy, SeededEntropy};
use venus_core::types::{Address, address};
use venus_signer::{SqliteKeyStore, Vault};

use vault_support::{key, options, password};

const KILLS: u64 = 25;
/// Keys whose password changes: enough for a kill to fall between two rows.
const KEYS: u64 = 12;
/// Tells a child, which is the same test once more, which file it works on until it is killed.
const FILE: &str = "VAULT_CRASH_FILE";
const PASSWORDS: [&str; 2] = ["first", "second"];

async fn vault(path: &Path) -> Vault {
    Vault::open(Arc::new(SqliteKeyStore::open(path).await.unwrap()), options())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// The password that the vault has now; it is unlocked afterwards.
async fn find_password(vault: &Vault) -> usize {
    for (n, word) in PASSWORDS.into_iter().enumerate() {
        if vault.unlock(&password(word)).await.is_ok() {
            return n;
        }
    }
    panic!("no password opens the keys");
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

/// Runs a test as a child, reads `lines` of what it says, lets it go on for a while, and kills it.
fn kill_after(child: &str, path: &Path, lines: usize, spins: u64) -> Vec<String> {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", child, "--nocapture", "--test-threads=1"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let mut out = BufReader::new(process.stdout.take().unwrap()).lines();
    while said.len() < lines {
        let line = out.next().expect("the child ended by itself").unwrap();
        said.extend(line.rsplit_once("vault ").map(|(_, word)| word.to_owned()));
    }
    for _ in 0..spins {
        std::hint::spin_loop();
    }
    process.kill().unwrap();
    process.wait().unwrap();
    // What was on its way counts as said.
    said.extend(out.map_while(Result::ok).filter_map(|line| Some(line.rsplit_once("vault ")?.1.to_owned())));
    said
}

fn draw(entropy: &SeededEntropy, below: u64) -> u64 {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes).unwrap();
    u64::from_le_bytes(bytes) % below
}

fn change_the_password_for_ever(path: &Path) {
    runtime().block_on(async {
        let vault = vault(path).await;
        let mut now = find_password(&vault).await;
        loop {
            say("vault begin");
            vault.change_password(&password(PASSWORDS[now]), &password(PASSWORDS[1 - now])).await.unwrap();
            now = 1 - now;
            say(&format!("vault {}", PASSWORDS[now]));
        }
    });
}

#[test]
fn a_password_is_changed_for_all_keys_or_for_none() {
    if let Some(path) = std::env::var_os(FILE) {
        return change_the_password_for_ever(Path::new(&path));
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keystore.sqlit");
    let entropy = SeededEntropy::new(1, "kills of changes");
    let runtime = runtime();
    runtime.block_on(async {
        let vault = vault(&path).await;
        vault.set_password(&password(PASSWORDS[0])).await.unwrap();
        for n in 0..KEYS {
            vault.put(key(n)).await.unwrap();
        }
    });
    for _ in 0..KILLS {
        let lines = 1 + draw(&entropy, 6) as usize;
        let said = kill_after(
            "a_password_is_changed_for_all_keys_or_for_none",
            &path,
            lines,
            draw(&entropy, 3_000_000),
        );
        runtime.block_on(async {
            let vault = vault(&path).await;
            let now = find_password(&vault).await;
            // A change that was confirmed last stands, unless the next had begun.
            if let Some(last) = said.last().filter(|last| *last != "begin") {
                assert_eq!(PASSWORDS[now], last);
            }
            assert_eq!(vault.list().await.unwrap().len() as u64, KEYS);
            for n in 0..KEYS {
                let address = key(n).address().unwrap();
                assert_eq!(vault.signing_key(&address).await.unwrap().address().unwrap(), address);
            }
        });
    }
}

fn store_keys_for_ever(path: &Path) {
    runtime().block_on(async {
        let vault = vault(path).await;
        vault.unlock(&password(PASSWORDS[0])).await.unwrap();
        say("vault ready");
        for n in vault.list().await.unwrap().len() as u64.. {
            let address = vault.put(key(n)).await.unwrap();
            say(&format!("vault {address}"));
        }
    });
}

#[test]
fn a_key_that_was_confirmed_is_there() {
    if let Some(path) = std::env::var_os(FILE) {
        return store_keys_for_ever(Path::new(&path));
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keystore.sqlit");
    let entropy = SeededEntropy::new(2, "kills of puts");
    let runtime = runtime();
    let mut confirmed: Vec<Address> = Vec::new();
    for _ in 0..KILLS {
        let lines = 1 + draw(&entropy, 5) as usize;
        let said = kill_after("a_key_that_was_confirmed_is_there", &path, lines, draw(&entropy, 500_000));
        confirmed.extend(said.iter().filter_map(|word| address::parse(word).ok()));
        runtime.block_on(async {
            let vault = vault(&path).await;
            vault.unlock(&password(PASSWORDS[0])).await.unwrap();
            let listed = vault.list().await.unwrap();
            assert!(confirmed.iter().all(|address| listed.contains(address)));
            for address in &listed {
                assert_eq!(vault.signing_key(address).await.unwrap().address().unwrap(), *address);
            }
        });
    }
    assert!(confirmed.len() as u64 > KILLS / 2);
}

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! The vault: its answers in the order of venus-wallet, what it costs, and what it never does.

mod vault_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::broadcast::error::TryRecvError;
use venus_core::clock::Clock;
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::Address;
use venus_signer::{KeyStore, KeyType, LockState, SealedKey, Vault, VaultEvent, WalletError};

use vault_support::{Watched, filled, key, options, password, restart, timed};

fn text<T>(outcome: Result<T, WalletError>) -> String {
    outcome.map_or_else(|error| error.to_string(), |_| "ok".into())
}

/// The calls that were recorded from venus-wallet v1.20.0 before the first key, with their answers.
#[tokio::test]
async fn answers_come_in_the_order_of_venus_wallet() {
    let vault = Vault::open(Arc::new(Watched::default()), options());
    let (right, nope, some) = (password("password"), password("nope"), key(0).address().unwrap());
    assert_eq!(vault.state(), LockState::NoPassword);
    assert!(vault.list().await.unwrap().is_empty());
    assert_eq!(text(vault.put(key(0)).await), "password not set");
    assert_eq!(text(vault.signing_key(&some).await), "password not set");
    assert_eq!(text(vault.lock(&right).await), "password not set");
    assert_eq!(text(vault.verify_password(&right).await), "password not set");
    assert_eq!(text(vault.export(&some, Some(&right)).await), "password not set");
    assert_eq!(text(vault.export(&some, None).await), "password not set");
    assert_eq!(text(vault.remove(&some).await), "password not set");
    assert!(!vault.has(&some).await.unwrap());
    assert_eq!(text(vault.set_password(&right).await), "ok");
    assert_eq!(text(vault.set_password(&right).await), "the password already exists");
    assert_eq!(vault.state(), LockState::Unlocked);
    assert_eq!(text(vault.verify_password(&right).await), "ok");
    assert_eq!(text(vault.verify_password(&nope).await), "password mismatch");
    assert_eq!(text(vault.unlock(&right).await), "wallet already unlocked");
    assert_eq!(text(vault.lock(&nope).await), "password mismatch");
    assert_eq!(text(vault.lock(&right).await), "ok");
    assert_eq!(text(vault.lock(&right).await), "wallet already locked");
    assert_eq!(vault.state(), LockState::Locked);
    assert_eq!(text(vault.verify_password(&right).await), "wallet locked");
    assert_eq!(text(vault.put(key(0)).await), "wallet locked");
    assert_eq!(text(vault.unlock(&nope).await), "password mismatch");
    assert_eq!(text(vault.unlock(&right).await), "ok");
}

/// The same with keys.
#[tokio::test]
async fn answers_with_keys_come_in_the_order_of_venus_wallet() {
    let (_, vault, addresses) = filled(2, "password").await;
    let (right, nope, first) = (password("password"), password("nope"), addresses[0]);
    assert_eq!(vault.put(key(0)).await.unwrap(), first);
    assert_eq!(text(vault.lock(&right).await), "ok");
    assert_eq!(text(vault.signing_key(&first).await), "wallet locked");
    assert_eq!(vault.list().await.unwrap(), addresses);
    assert!(vault.has(&first).await.unwrap());
    for locked in [
        text(vault.export(&first, None).await),
        text(vault.remove(&first).await),
        text(vault.put(key(9)).await),
    ] {
        assert_eq!(locked, "wallet locked");
    }
    assert_eq!(text(vault.unlock(&nope).await), "could not decrypt key with given password");
    assert_eq!(text(vault.unlock(&right).await), "ok");
    assert_eq!(text(vault.set_password(&nope).await), "could not decrypt key with given password");
    assert_eq!(text(vault.set_password(&right).await), "the password already exists");
    assert_eq!(text(vault.unlock(&nope).await), "could not decrypt key with given password");
    assert!(vault.remove(&first).await.unwrap() && !vault.remove(&first).await.unwrap());
    assert!(!vault.has(&first).await.unwrap());
    assert!(
        matches!(vault.signing_key(&first).await.unwrap_err(), WalletError::NotFound(address) if address == first)
    );
    assert_eq!(vault.list().await.unwrap(), addresses[1..]);
}

#[tokio::test]
async fn deviation_06_unlocking_takes_one_derivation_for_any_number_of_keys() {
    let (store, vault, addresses) = filled(100, "password").await;
    assert_eq!(vault.derivations(), 101, "one for each key, one for the password of the empty store");
    let vault = restart(&store);
    vault.unlock(&password("password")).await.unwrap();
    assert_eq!(vault.derivations(), 1);
    for (uses, address) in (2..).zip(&addresses[..5]) {
        for _ in 0..3 {
            vault.signing_key(address).await.unwrap();
        }
        assert_eq!(vault.derivations(), uses);
    }
    vault.lock(&password("password")).await.unwrap();
    assert_eq!(vault.derivations(), 6, "locking compares with what is in memory");
    vault.unlock(&password("password")).await.unwrap();
    vault.signing_key(&addresses[0]).await.unwrap();
    assert_eq!(vault.derivations(), 8, "nothing was left in memory while locked");
}

#[tokio::test]
async fn a_key_that_many_ask_for_is_decrypted_once() {
    let (store, _, addresses) = filled(3, "password").await;
    let vault = restart(&store);
    vault.unlock(&password("password")).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..96 {
        let (vault, address) = (vault.clone(), addresses[n % 3]);
        tasks.spawn(async move { vault.signing_key(&address).await.unwrap() });
    }
    assert_eq!(tasks.join_all().await.len(), 96);
    assert_eq!(vault.derivations(), 4);
}

#[tokio::test]
async fn a_wrong_password_writes_nothing() {
    let (store, _, addresses) = filled(3, "password").await;
    let before = store.writes();
    let vault = restart(&store);
    let wrong = password("wrong");
    assert!(vault.set_password(&wrong).await.is_err() && vault.unlock(&wrong).await.is_err());
    vault.unlock(&password("password")).await.unwrap();
    assert!(vault.change_password(&wrong, &password("new")).await.is_err());
    assert!(vault.lock(&wrong).await.is_err());
    vault.verify_password(&password("password")).await.unwrap();
    assert!(vault.export(&addresses[0], Some(&wrong)).await.is_err());
    let backup = vault.backup().await.unwrap();
    assert_eq!(text(vault.restore(&backup, &wrong).await), "could not decrypt key with given password");
    assert_eq!(store.writes(), before);
}

#[tokio::test]
async fn an_empty_store_takes_any_password_after_a_restart_only() {
    let store = Arc::new(Watched::default());
    for word in ["one", "two", ""] {
        let vault = restart(&store);
        vault.unlock(&password(word)).await.unwrap();
        vault.lock(&password(word)).await.unwrap();
        assert_eq!(text(vault.unlock(&password("other")).await), "password mismatch");
        vault.unlock(&password(word)).await.unwrap();
        // Also when it became empty again.
        let address = vault.put(key(0)).await.unwrap();
        vault.change_password(&password(word), &password("new")).await.unwrap();
        assert!(vault.remove(&address).await.unwrap());
        vault.lock_now();
        assert_eq!(text(vault.unlock(&password(word)).await), "password mismatch");
        vault.unlock(&password("new")).await.unwrap();
        vault.change_password(&password("new"), &password("newer")).await.unwrap();
        vault.lock_now();
        assert_eq!(text(vault.unlock(&password("new")).await), "password mismatch");
        vault.unlock(&password("newer")).await.unwrap();
    }
}

#[tokio::test]
async fn deviation_06_guessing_gets_slower() {
    let (store, ..) = filled(2, "password").await;
    let (clock, options) = timed(None);
    let vault = Vault::open(store, options);
    let wrong = password("wrong");
    for _ in 0..3 {
        assert_eq!(text(vault.unlock(&wrong).await), "could not decrypt key with given password");
    }
    for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
        let error = vault.unlock(&password("password")).await.unwrap_err();
        assert_eq!(error.to_string(), format!("too many wrong passwords, try again in {wait} s"));
        assert_eq!(
            (error.kind(), error.retry_after()),
            (ErrorKind::RateLimited, Some(Duration::from_secs(wait)))
        );
        let spent = vault.derivations();
        assert!(vault.set_password(&wrong).await.unwrap_err().to_string().starts_with("too many"));
        assert_eq!(vault.derivations(), spent, "no work for who does not wait");
        clock.advance(Duration::from_secs(wait));
        assert_eq!(text(vault.unlock(&wrong).await), "could not decrypt key with given password");
    }
    clock.advance(Duration::from_secs(60));
    vault.unlock(&password("password")).await.unwrap();
    for _ in 0..3 {
        assert_eq!(text(vault.verify_password(&wrong).await), "password mismatch");
    }
    assert!(text(vault.lock(&password("password")).await).starts_with("too many"));
    assert!(vault.lock_now(), "locking needs no password where the process says so");
}

#[tokio::test]
async fn a_flood_of_guesses_is_worked_off_one_at_a_time() {
    let (store, ..) = filled(1, "password").await;
    let (_, options) = timed(None);
    let vault = Vault::open(store, options);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..500 {
        let vault = vault.clone();
        tasks.spawn(async move { vault.unlock(&password(&n.to_string())).await.unwrap_err().kind() });
    }
    let kinds = tasks.join_all().await;
    assert_eq!(kinds.iter().filter(|kind| **kind == ErrorKind::Denied).count(), 3);
    assert_eq!(kinds.iter().filter(|kind| **kind == ErrorKind::RateLimited).count(), 497);
    assert_eq!(vault.derivations(), 3);
}

#[tokio::test]
async fn deviation_06_an_idle_vault_locks_itself() {
    let (store, _, addresses) = filled(2, "password").await;
    let (clock, options) = timed(Some(Duration::from_secs(600)));
    let vault = Vault::open(store, options);
    assert_eq!(vault.auto_lock_at(), None);
    vault.unlock(&password("password")).await.unwrap();
    let mut events = vault.events();
    for _ in 0..3 {
        assert_eq!(vault.auto_lock_at(), Some(clock.now() + Duration::from_secs(600)));
        clock.advance(Duration::from_secs(599));
        vault.signing_key(&addresses[0]).await.unwrap();
    }
    clock.advance(Duration::from_secs(599));
    vault.list().await.unwrap();
    assert_eq!(vault.state(), LockState::Unlocked);
    assert_eq!(events.try_recv(), Err(TryRecvError::Empty));
    clock.advance(Duration::from_secs(1));
    assert_eq!(text(vault.signing_key(&addresses[0]).await), "wallet locked");
    assert_eq!((vault.state(), vault.auto_lock_at()), (LockState::Locked, None));
    assert_eq!(events.try_recv(), Ok(VaultEvent::Locked));
    assert_eq!(events.try_recv(), Err(TryRecvError::Empty));
    vault.unlock(&password("password")).await.unwrap();
    assert_eq!(vault.state(), LockState::Unlocked);
}

#[tokio::test]
async fn events_tell_what_changed() {
    let (_, vault, _) = filled(0, "password").await;
    let mut events = vault.events();
    let address = vault.put(key(1)).await.unwrap();
    vault.put(key(1)).await.unwrap();
    vault.lock(&password("password")).await.unwrap();
    vault.unlock(&password("password")).await.unwrap();
    vault.remove(&address).await.unwrap();
    vault.remove(&address).await.unwrap();
    for expected in
        [VaultEvent::Added(address), VaultEvent::Locked, VaultEvent::Unlocked, VaultEvent::Removed(address)]
    {
        assert_eq!(events.try_recv(), Ok(expected));
    }
    assert_eq!(events.try_recv(), Err(TryRecvError::Empty));
}

#[tokio::test]
async fn a_vault_in_memory_is_never_locked() {
    let vault = Vault::in_memory();
    let address = vault.put(key(1)).await.unwrap();
    let word = password("x");
    assert_eq!(text(vault.set_password(&word).await), "the password already exists");
    assert_eq!(text(vault.unlock(&word).await), "wallet already unlocked");
    assert_eq!(text(vault.lock(&word).await), "password not set");
    assert_eq!(text(vault.verify_password(&word).await), "password not set");
    assert_eq!(text(vault.change_password(&word, &word).await), "password not set");
    assert!(!vault.lock_now());
    assert_eq!(vault.state(), LockState::Unlocked);
    assert_eq!(vault.export(&address, None).await.unwrap().key_type(), KeyType::ALL[1]);
}

/// Every answer is a key or `Locked`, whatever goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_and_locking_do_not_race() {
    let (store, _, addresses) = filled(8, "password").await;
    let vault = restart(&store);
    vault.unlock(&password("password")).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let (keys, locked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..64 {
        let (vault, address, stop) = (vault.clone(), addresses[n % 8], Arc::clone(&stop));
        let (keys, locked) = (Arc::clone(&keys), Arc::clone(&locked));
        tasks.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                match vault.signing_key(&address).await {
                    Ok(key) => {
                        assert_eq!(key.address().unwrap(), address);
                        keys.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(WalletError::Locked) => {
                        locked.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(other) => panic!("{other}"),
                }
                tokio::task::yield_now().await;
            }
        });
    }
    let more = async |count: &AtomicUsize| {
        let before = count.load(Ordering::Relaxed);
        while count.load(Ordering::Relaxed) < before + 70 {
            tokio::task::yield_now().await;
        }
    };
    let (mut now, mut next) = (password("password"), password("next"));
    for round in 0..40 {
        vault.lock(&now).await.unwrap();
        assert_eq!(text(vault.signing_key(&addresses[0]).await), "wallet locked");
        more(&locked).await;
        vault.unlock(&now).await.unwrap();
        if round % 3 == 0 {
            vault.change_password(&now, &next).await.unwrap();
            std::mem::swap(&mut now, &mut next);
        }
        more(&keys).await;
    }
    stop.store(true, Ordering::Relaxed);
    tasks.join_all().await;
}

/// A row that is no key, and one under another password: both are named, and the others work.
#[tokio::test]
async fn a_damaged_key_breaks_nothing_else() {
    let (store, _, addresses) = filled(3, "password").await;
    let (others, other, foreign) = filled(6, "other").await;
    let alien = others.get(&foreign[5]).await.unwrap().unwrap();
    store.put(&alien).await.unwrap();
    // A ciphertext in the place of another: the MAC is right, the key is not that of the address.
    let moved = store.get(&addresses[0]).await.unwrap().unwrap();
    let stranger = key(4).address().unwrap();
    store.put(&SealedKey::new(stranger, moved.key_type(), moved.crypto()).unwrap()).await.unwrap();
    drop(other);

    let vault = restart(&store);
    vault.unlock(&password("password")).await.unwrap();
    let error = vault.signing_key(&foreign[5]).await.unwrap_err();
    assert!(matches!(error, WalletError::OtherPassword(address) if address == foreign[5]), "{error}");
    let error = vault.signing_key(&stranger).await.unwrap_err();
    assert!(matches!(error, WalletError::CorruptKey { address, .. } if address == stranger), "{error}");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    for address in &addresses {
        vault.signing_key(address).await.unwrap();
    }
    let before = store.writes();
    assert!(vault.change_password(&password("password"), &password("new")).await.is_err());
    assert_eq!(store.writes(), before);
    for damaged in [foreign[5], stranger] {
        assert!(vault.remove(&damaged).await.unwrap());
    }
    vault.change_password(&password("password"), &password("new")).await.unwrap();
}

#[tokio::test]
async fn a_damaged_first_key_does_not_lock_the_owner_out() {
    let store = Arc::new(Watched::default());
    let (others, _, foreign) = filled(6, "other").await;
    store.put(&others.get(&foreign[5]).await.unwrap().unwrap()).await.unwrap();
    let (mine, _, addresses) = filled(2, "password").await;
    for address in &addresses {
        store.put(&mine.get(address).await.unwrap().unwrap()).await.unwrap();
    }
    let vault = restart(&store);
    assert!(vault.unlock(&password("neither")).await.is_err());
    vault.unlock(&password("password")).await.unwrap();
    vault.signing_key(&addresses[1]).await.unwrap();
}

#[tokio::test]
async fn a_changed_password_opens_all_keys_and_the_old_one_none() {
    let (store, vault, addresses) = filled(10, "old").await;
    vault.change_password(&password("old"), &password("new")).await.unwrap();
    vault.verify_password(&password("new")).await.unwrap();
    assert_eq!(text(vault.verify_password(&password("old")).await), "password mismatch");
    vault.put(key(20)).await.unwrap();
    let vault = restart(&store);
    assert!(vault.unlock(&password("old")).await.is_err());
    vault.unlock(&password("new")).await.unwrap();
    for address in addresses.iter().chain([&key(20).address().unwrap()]) {
        vault.signing_key(address).await.unwrap();
    }
}

#[tokio::test]
async fn a_failing_store_leaves_one_password_that_works() {
    let (store, vault, addresses) = filled(5, "old").await;
    let (old, new) = (password("old"), password("new"));

    store.full.store(true, Ordering::SeqCst);
    assert!(text(vault.change_password(&old, &new).await).contains("disk is full"));
    assert!(text(vault.put(key(30)).await).contains("disk is full"));
    store.full.store(false, Ordering::SeqCst);
    vault.verify_password(&old).await.unwrap();
    assert!(!vault.has(&key(30).address().unwrap()).await.unwrap());

    store.lose_answer.store(true, Ordering::SeqCst);
    vault.change_password(&old, &new).await.unwrap();
    vault.verify_password(&new).await.unwrap();

    let vault = restart(&store);
    vault.unlock(&new).await.unwrap();
    for address in &addresses {
        vault.signing_key(address).await.unwrap();
    }
}

#[tokio::test]
async fn a_broken_store_neither_opens_nor_keeps_open() {
    let (store, vault, addresses) = filled(2, "password").await;
    let (right, wrong) = (password("password"), password("wrong"));
    store.blind.store(true, Ordering::SeqCst);
    vault.verify_password(&right).await.unwrap();
    vault.signing_key(&addresses[0]).await.unwrap();
    vault.lock(&right).await.unwrap();
    for _ in 0..9 {
        assert!(text(vault.unlock(&wrong).await).contains("disk I/O error"), "nobody guessed here");
    }
    assert_eq!(vault.state(), LockState::Locked);
    store.blind.store(false, Ordering::SeqCst);
    vault.unlock(&right).await.unwrap();

    // The answer to a change is lost, and the store cannot tell: locked, and one of both passwords unlocks.
    let vault = restart(&store);
    vault.unlock(&right).await.unwrap();
    store.blind_after_swap.store(true, Ordering::SeqCst);
    assert!(text(vault.change_password(&right, &password("new")).await).contains("connection lost"));
    assert_eq!(vault.state(), LockState::Locked);
    store.blind.store(false, Ordering::SeqCst);
    assert!(vault.unlock(&right).await.is_err());
    vault.unlock(&password("new")).await.unwrap();
    vault.signing_key(&addresses[1]).await.unwrap();
}

#[tokio::test]
async fn a_change_that_is_given_up_leaves_a_vault_that_works() {
    let (store, vault, addresses) = filled(3, "old").await;
    let (old, new) = (password("old"), password("new"));
    // Given up before the keys are replaced, and after.
    for (after, opens) in [(false, &old), (true, &new)] {
        store.hang(after);
        tokio::select! {
            biased;
            done = vault.change_password(&old, &new) => panic!("{done:?}"),
            () = store.hanging.notified() => {}
        }
        assert_eq!(vault.state(), LockState::Locked, "nobody knows which password it is");
        vault.unlock(opens).await.unwrap();
    }
    vault.verify_password(&new).await.unwrap();
    let vault = restart(&store);
    vault.unlock(&new).await.unwrap();
    for address in &addresses {
        vault.signing_key(address).await.unwrap();
    }
}

#[tokio::test]
async fn backups_are_restored_whole_into_any_vault() {
    let (_, vault, addresses) = filled(6, "then").await;
    let backup = vault.backup().await.unwrap();
    vault.lock_now();
    assert_eq!(vault.backup().await.unwrap(), backup);
    assert_eq!(text(vault.restore(&backup, &password("then")).await), "wallet locked");
    for (n, word) in [(0, "then"), (0, "now"), (3, "now"), (9, "now")] {
        let (store, vault, _) = filled(n, word).await;
        let restored = vault.restore(&backup, &password("then")).await.unwrap();
        let present = n.min(6) as usize;
        assert_eq!((restored.added, restored.present), (6 - present, present));
        let vault = restart(&store);
        vault.unlock(&password(word)).await.unwrap();
        for address in &addresses {
            assert_eq!(vault.signing_key(address).await.unwrap().address().unwrap(), *address);
        }
        assert_eq!(vault.restore(&backup, &password("then")).await.unwrap().added, 0);
    }
}

#[tokio::test]
async fn bad_backups_change_nothing() {
    let (_, source, _) = filled(2, "password").await;
    let backup = source.backup().await.unwrap();
    let (store, vault, addresses) = filled(1, "password").await;
    let before = store.writes();
    let document: serde_json::Value = serde_json::from_str(&backup).unwrap();
    let changed = |pointer: &str, value: serde_json::Value| {
        let mut document = document.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        document.to_string()
    };
    let second = document.pointer("/keys/1").unwrap().clone();
    let cases = [
        (String::new(), "backup"),
        ("{}".into(), "backup"),
        (backup[..backup.len() / 2].into(), "backup"),
        (changed("/version", 2.into()), "version"),
        (changed("/format", "x".into()), "format"),
        (changed("/keys/1/address", "1abc".into()), "address"),
        (changed("/keys/1/type", "rsa".into()), "type"),
        (changed("/keys/0", second), "twice"),
        (changed("/keys/1/address", addresses[0].to_string().split_off(1).into()), "twice"),
        (changed("/keys/1/address", key(8).address().unwrap().to_string().into()), "another key"),
        (changed("/keys/1/crypto/mac", "00".repeat(32).into()), "could not decrypt"),
        (changed("/keys/1/crypto/kdfparams/n", (1u64 << 40).into()), "memory"),
        (changed("/keys/1/crypto/cipherparams/iv", "00".repeat(16).into()), "stored key of"),
        (" ".repeat(17 << 20), "16 MiB"),
    ];
    for (document, says) in cases {
        let error = text(vault.restore(&document, &password("password")).await);
        assert!(error.contains(says), "{says}: {error}");
    }
    assert_eq!(store.writes(), before);
    assert_eq!(vault.list().await.unwrap(), addresses);
}

#[tokio::test]
async fn no_format_shows_a_password_or_key() {
    let (store, vault, _) = filled(2, "correct horse").await;
    let shown = format!("{vault:?} {:?} {store:?}", options());
    assert!(!shown.contains("horse") && !shown.contains("ciphertext"), "{shown}");
    let _: Vec<Address> = vault.list().await.unwrap();
}

/// Services await these on any thread.
#[tokio::test]
async fn futures_are_send() {
    fn send<T: Send>(future: T) -> T {
        future
    }
    let (_, vault, addresses) = filled(1, "one").await;
    let (one, two) = (password("one"), password("two"));
    send(vault.change_password(&one, &two)).await.unwrap();
    let backup = send(vault.backup()).await.unwrap();
    send(vault.restore(&backup, &two)).await.unwrap();
    send(vault.export(&addresses[0], Some(&two))).await.unwrap();
    send(vault.put(key(3))).await.unwrap();
    send(vault.remove(&addresses[0])).await.unwrap();
    send(vault.lock(&two)).await.unwrap();
    send(vault.unlock(&two)).await.unwrap();
}

mod properties {
    use proptest::prelude::*;
    use venus_signer::Vault;

    use super::vault_support::{key, options, password};
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_changed_backup_is_refused_or_holds_the_same_keys(at: prop::sample::Index, flip in 1u8..) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let (_, source, addresses) = filled(2, "password").await;
                let mut backup = source.backup().await.unwrap().into_bytes();
                let at = at.index(backup.len());
                backup[at] ^= flip;
                let Ok(backup) = String::from_utf8(backup) else { return };
                let vault = Vault::open(Arc::new(Watched::default()), options());
                vault.set_password(&password("password")).await.unwrap();
                let restored = vault.restore(&backup, &password("password")).await;
                let listed = vault.list().await.unwrap();
                match restored {
                    Ok(_) => assert_eq!(listed, addresses),
                    Err(_) => assert!(listed.is_empty()),
                }
            });
        }

        #[test]
        fn any_text_as_a_backup_is_an_error(text in ".{0,300}") {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let vault = Vault::in_memory();
            runtime.block_on(vault.put(key(1))).unwrap();
            prop_assert!(runtime.block_on(vault.restore(&text, &password("x"))).is_err());
        }
    }
}

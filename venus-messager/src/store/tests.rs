//! Both stores pass the suite, and the one on disk fails well.
#![cfg(feature = "sqlite")]

use std::path::Path;

use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use sqlx::Row;
use sqlx::sqlite::SqliteConnectOptions;
use venus_core::api::{MessageRequest, MessagerError};
use venus_core::error::{Classify, ErrorKind};

use super::{Inserted, MemoryStore, MessageStore, NewMessage, SqliteStore, StoreError, suite};

fn new(id: &str, params: usize) -> NewMessage {
    let sender = Address::new_secp256k1(&[1; 65]).unwrap();
    let request = MessageRequest::call(sender, sender, TokenAmount::from_atto(1), 2, vec![7; params]);
    NewMessage { id: id.into(), sender, request }
}

async fn raw(path: &Path, sql: &'static str) -> Vec<sqlx::sqlite::SqliteRow> {
    let pool = sqlx::SqlitePool::connect_with(SqliteConnectOptions::new().filename(path)).await.unwrap();
    let rows = sqlx::query(sql).fetch_all(&pool).await.unwrap();
    pool.close().await;
    rows
}

#[tokio::test]
async fn memory_store_passes_the_suite() {
    suite::message_store(&MemoryStore::default()).await;
}

#[tokio::test]
async fn sqlite_store_passes_the_suite_in_memory_and_on_disk() {
    suite::message_store(&SqliteStore::in_memory().await.unwrap()).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("messages.db");
    let store = SqliteStore::open(&path).await.unwrap();
    suite::message_store(&store).await;
    let before = store.get("a1").await.unwrap();
    store.close().await;
    assert_eq!(store.get("a1").await.unwrap_err().kind(), ErrorKind::Transient);
    let again = SqliteStore::open(&path).await.unwrap();
    assert_eq!(again.get("a1").await.unwrap(), before);
}

#[tokio::test]
async fn the_file_is_in_wal_mode_with_a_migration_table_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("messages.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let mode: String = raw(&path, "PRAGMA journal_mode").await[0].get(0);
    assert_eq!(mode, "wal");
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(store.writer()).await.unwrap();
    assert_eq!(synchronous, 2, "FULL");
    assert_eq!(raw(&path, "SELECT * FROM _venus_messager_migrations").await.len(), 1);
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "this is no database, and long enough to be looked at ".repeat(20)).unwrap();
    for path in [file.clone(), file.join("below"), dir.path().to_owned()] {
        let e = SqliteStore::open(&path).await.unwrap_err();
        assert!(e.to_string().contains(&path.display().to_string()), "{e}");
        assert!(matches!(MessagerError::from(e), MessagerError::Store(_)), "{path:?}");
    }
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_nothing_is_half_done() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("messages.db");
    SqliteStore::open(&path).await.unwrap().close().await;
    let options = SqliteConnectOptions::new().filename(&path).pragma("max_page_count", "40");
    let store = SqliteStore::with_options(options).await.unwrap();
    let mut accepted = 0;
    let error = loop {
        match store.insert(&new(&format!("m{accepted}"), 9_000)).await {
            Ok(_) => accepted += 1,
            Err(e) => break e,
        }
        assert!(accepted < 100, "the disk never got full");
    };
    assert!(accepted > 0 && matches!(error, StoreError::Backend(_)), "{error}");
    assert_eq!(store.get(&format!("m{accepted}")).await.unwrap(), None, "refused is not stored");
    let sender = new("x", 0).sender;
    assert_eq!(store.unfilled(&sender, 0, false, 1_000).await.unwrap().len(), accepted);
    // With room again it goes on where it stopped, without being opened anew.
    raw(&path, "DELETE FROM message WHERE id = 'm0'").await;
    let inserted = store.insert(&new(&format!("m{accepted}"), 9_000)).await.unwrap();
    assert!(matches!(inserted, Inserted::Fresh(_)));
}

#[tokio::test]
async fn a_damaged_row_is_corrupt_and_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("messages.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.insert(&new("m", 10)).await.unwrap();
    let damages = [
        "UPDATE message SET request = x'8a00'",
        "UPDATE message SET state = 'lost'",
        "UPDATE message SET max_fee = '1e9'",
        "UPDATE message SET sender = 'f1x'",
        "UPDATE message SET nonce = -1",
        "UPDATE message SET used_cid = 'x'",
    ];
    for damage in damages {
        raw(&path, "CREATE TABLE IF NOT EXISTS saved AS SELECT * FROM message").await;
        raw(&path, damage).await;
        let e = store.get("m").await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Corrupt, "{damage}: {e}");
        raw(&path, "DELETE FROM message").await;
        raw(&path, "INSERT INTO message SELECT * FROM saved").await;
        assert!(store.get("m").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn many_can_open_a_fresh_database_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("messager.db");
    let opening = (0..6).map(|_| {
        let path = path.clone();
        tokio::spawn(async move { SqliteStore::open(&path).await.map(drop) })
    });
    for opened in opening.collect::<Vec<_>>() {
        opened.await.unwrap().unwrap();
    }
}

//! SQLite.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Row};
use time::OffsetDateTime;
use uuid::Uuid;
use venus_auth::{
    AuthStore, Changed, MinerRow, Page, Provenance, SqlStore, TokenKey, TokenRow, User, UserState, testing,
};
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::Address;

use crate::race;

fn user(name: &str) -> User {
    let at = OffsetDateTime::UNIX_EPOCH;
    User {
        id: Uuid::new_v4(),
        name: name.into(),
        comment: "x".repeat(255),
        state: UserState::Enabled,
        created_at: at,
        updated_at: at,
        deleted: false,
    }
}

async fn raw(path: &Path, sql: &str) -> Vec<sqlx::sqlite::SqliteRow> {
    let pool = sqlx::SqlitePool::connect_with(SqliteConnectOptions::new().filename(path)).await.unwrap();
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&pool).await.unwrap();
    pool.close().await;
    rows
}

#[tokio::test]
async fn sqlite_store_passes_the_suite_in_memory_and_on_disk() {
    testing::auth_store(&SqlStore::sqlite_in_memory().await.unwrap()).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("auth.db");
    let store = SqlStore::sqlite(&path).await.unwrap();
    testing::auth_store(&store).await;
    let before = store.users(Page { skip: 0, limit: 0 }, None).await.unwrap();
    store.close().await;
    assert_eq!(store.user("u1").await.unwrap_err().kind(), ErrorKind::Transient);
    let again = SqlStore::sqlite(&path).await.unwrap();
    assert_eq!(again.users(Page { skip: 0, limit: 0 }, None).await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_share_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("auth.db");
    let (a, b) = (SqlStore::sqlite(&path).await.unwrap(), SqlStore::sqlite(&path).await.unwrap());
    race::nothing_happens_twice(&a, &b).await;
}

#[tokio::test]
async fn many_can_open_a_fresh_database_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("auth.db");
    let opening = (0..6).map(|_| {
        let path = path.clone();
        tokio::spawn(async move { SqlStore::sqlite(&path).await.map(drop) })
    });
    for opened in opening.collect::<Vec<_>>() {
        opened.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_file_is_private_in_wal_mode_and_has_a_migration_table_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("auth.db");
    let store = SqlStore::sqlite(&path).await.unwrap();
    store.create_user(&user("a")).await.unwrap();
    #[cfg(unix)]
    for name in ["auth.db", "auth.db-wal", "auth.db-shm"] {
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(dir.path().join(name)).unwrap());
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(raw(&path, "PRAGMA journal_mode").await[0].get::<String, _>(0), "wal");
    assert_eq!(raw(&path, "SELECT * FROM _venus_auth_migrations").await.len(), 1);
    assert_eq!(raw(&path, "SELECT version FROM store_versions").await[0].get::<i64, _>(0), 3);
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "this is no database, and long enough to be looked at ".repeat(20)).unwrap();
    for path in [file.clone(), file.join("below"), dir.path().to_owned()] {
        let error = SqlStore::sqlite(&path).await.unwrap_err();
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_nothing_is_half_done() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("auth.db");
    SqlStore::sqlite(&path).await.unwrap().close().await;
    let options = SqliteConnectOptions::new().filename(&path).pragma("max_page_count", "60");
    let store = SqlStore::sqlite_with(options).await.unwrap();
    let mut made = 0;
    let error = loop {
        match store.create_user(&user(&format!("u{made}"))).await {
            Ok(_) => made += 1,
            Err(error) => break error,
        }
        assert!(made < 10_000, "the disk never got full");
    };
    assert!(made > 0);
    assert_eq!(error.kind(), ErrorKind::Transient, "{error}");
    assert_eq!(store.user(&format!("u{made}")).await.unwrap(), None, "refused is not stored");
    // With room again it goes on where it stopped, without being opened anew.
    raw(&path, "DELETE FROM users WHERE name < 'u2'").await;
    assert_eq!(store.create_user(&user(&format!("u{made}"))).await.unwrap(), Changed::Done);
}

#[tokio::test]
async fn a_damaged_row_is_corrupt_and_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("auth.db");
    let store = SqlStore::sqlite(&path).await.unwrap();
    store.create_user(&user("a")).await.unwrap();
    let damages = [
        "UPDATE users SET id = 'x'",
        "UPDATE users SET state = 99999999999",
        "UPDATE users SET createTime = 'yesterday'",
        "UPDATE users SET updateTime = '2023-02-30 00:00:00'",
    ];
    for damage in damages {
        raw(&path, "CREATE TABLE IF NOT EXISTS saved AS SELECT * FROM users").await;
        raw(&path, damage).await;
        let error = store.user("a").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{damage}: {error}");
        raw(&path, "DELETE FROM users").await;
        raw(&path, "INSERT INTO users SELECT * FROM saved").await;
        assert!(store.user("a").await.unwrap().is_some());
    }
}

/// Set for the process that is to be killed: where it writes, and from which number on.
const CHILD: &str = "VENUS_AUTH_TEST_CHILD";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_writes_leaves_nothing_half_done() {
    if let Ok(task) = std::env::var(CHILD) {
        let (from, path) = task.split_once(' ').unwrap();
        return write_until_killed(Path::new(path), from.parse().unwrap()).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("auth.db");
    SqlStore::sqlite(&path).await.unwrap().close().await;
    for round in 0..4 {
        let done = kill_after(&path, round * 1000, 3 + round);
        let store = SqlStore::sqlite(&path).await.unwrap();
        for n in round * 1000..round * 1000 + 20 {
            check(&store, n, done.contains(&n)).await;
        }
        store.close().await;
    }
}

/// Runs this test as a child, kills it when it has reported `lines` users, and answers those.
fn kill_after(path: &Path, from: u64, lines: u64) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sqlite::a_kill_between_writes_leaves_nothing_half_done", "--nocapture"])
        .env(CHILD, format!("{from} {}", path.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let reported = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let done: Vec<u64> = reported
        .filter_map(|line| line.rsplit_once("gone ")?.1.parse().ok())
        .take(usize::try_from(lines).unwrap())
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(done.len() as u64, lines, "the child ended by itself");
    done
}

fn name(n: u64) -> String {
    format!("k{n}")
}

fn token_of(n: u64) -> TokenRow {
    TokenRow {
        key: TokenKey::hashed(&name(n)),
        id: Uuid::from_u128(u128::from(n) + 1),
        name: name(n),
        perm: "sign".into(),
        extra: String::new(),
        secret: String::new(),
        expires_at: None,
        audience: Vec::new(),
        scopes: Vec::new(),
        created_at: OffsetDateTime::UNIX_EPOCH,
        deleted: false,
    }
}

async fn write_until_killed(path: &Path, from: u64) {
    let at = OffsetDateTime::UNIX_EPOCH;
    let store = SqlStore::sqlite(path).await.unwrap();
    for n in from..from + 1000 {
        store.create_user(&user(&name(n))).await.unwrap();
        store.add_token(&token_of(n)).await.unwrap();
        let (miner, user) = (Address::new_id(n), name(n));
        let row = MinerRow { miner, user, open_mining: true, created_at: at, updated_at: at };
        store.bind_miner(&row).await.unwrap();
        let key = Address::new_secp256k1(&[[0; 57].as_slice(), &n.to_be_bytes()].concat()).unwrap();
        store.bind_signers(&name(n), &[key], at, &|_, _| Some(Provenance::Owner)).await.unwrap();
        store.delete_user(&name(n), at).await.unwrap();
        println!("gone {n}");
    }
}

async fn check(store: &SqlStore, n: u64, reported: bool) {
    let user = store.user(&name(n)).await.unwrap();
    let deleted = user.is_some_and(|user| user.deleted);
    assert!(deleted || !reported, "what was answered is kept");
    let token = store.token(&TokenKey::hashed(&name(n))).await.unwrap();
    let miners = store.miners_of(&name(n)).await.unwrap();
    let signers = store.signers_of(&name(n)).await.unwrap();
    if deleted {
        assert!(token.unwrap().deleted && miners.is_empty() && signers.is_empty(), "all went at once");
    } else {
        assert!(token.is_none_or(|token| !token.deleted), "or nothing");
    }
}

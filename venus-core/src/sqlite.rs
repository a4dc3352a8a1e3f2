//! Opening SQLite files that hold what must not leak and must not be lost, for every crate that keeps one.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(async {
//! use venus_core::sqlite::{self, Durability};
//!
//! # let folder = std::env::temp_dir().join(format!("venus-sqlite-{}", std::process::id()));
//! let pool = sqlite::open(&folder.join("example.db"), Durability::Full).await?;
//! sqlite::migrate(&pool, "_example_migrations", &[(1, "first", "CREATE TABLE note (text TEXT NOT NULL)")]).await?;
//! # pool.close().await;
//! # std::fs::remove_dir_all(folder).ok();
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! # }).expect("a database");
//! ```
//!
//! The file, and with it the write-ahead log and its index, is of mode 0600: SQLite gives those the mode of the
//! database. A file that an older program left readable for others is tightened.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqlSafeStr};

use crate::error::BoxError;

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait where SQLite itself does not.
const BUSY_PAUSE: Duration = Duration::from_millis(10);
/// How long to wait for a connection of the pool.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(15);
/// Reading connections to a file.
const READERS: u32 = 4;
/// What every SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Length of the header of a SQLite file, bytes.
const HEADER: usize = 100;

/// What a commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// A power cut: for keys, and for what was promised never to be signed again.
    Full,
    /// The end of the process; a power cut may take the last commits (never whole tables): for records.
    Normal,
}

/// Opens or creates a database, with the one connection that writes: a queue here beats SQLite's busy handler, which
/// sleeps and retries. A missing folder is made, of mode 0700.
///
/// # Errors
/// Of kind `Configuration` if the file is no SQLite database or is cut off, and then nothing is changed; else whatever
/// SQLite has to say. The text names the file.
pub async fn open(path: &Path, durability: Durability) -> Result<SqlitePool, sqlx::Error> {
    prepare(path).map_err(|reason| about(path, reason.into()))?;
    connect(options(path, durability), 1).await.map_err(|error| about(path, error.into()))
}

/// Connections that can only read, to a database that [`open`] has opened. A reader never waits for the writer.
///
/// # Errors
/// As [`open`].
pub async fn open_readers(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = options(path, Durability::Normal).read_only(true);
    connect(options, READERS).await.map_err(|error| about(path, error.into()))
}

/// Up to `connections` connections to a database, opened as told. Waits for another process that turns the same fresh
/// file to WAL: SQLite does not wait for that lock, whatever the busy timeout says.
///
/// # Errors
/// Whatever SQLite has to say; the text does not name the file.
pub async fn connect(options: SqliteConnectOptions, connections: u32) -> Result<SqlitePool, sqlx::Error> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match sound(connections).connect_with(options.clone()).await {
            Err(error) if is_busy(&error) && Instant::now() < deadline => {
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            done => return done,
        }
    }
}

/// What a pool of ours is set to. Connections that sqlx takes to be in a transaction for ever are replaced: SQLite ends
/// one by itself when the disk is full or fails (`sqlite3_get_autocommit`), and the rollback of sqlx then finds none.
/// The ping that goes before this check must stay: it waits for rollbacks that are still queued.
fn sound(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
}

/// Whether somebody else has the lock (`SQLITE_BUSY`, whose extended codes differ in the higher bytes).
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| code & 0xff == 5)
}

/// Brings tables up to date by steps of (number, name, SQL). Each crate has a `table` of its own in which done steps
/// stand, so that several can share a database. One instance at a time: the lock is held until all steps are done.
///
/// # Errors
/// If a step fails, or was another one when it was done, or the database has steps of a newer program; then nothing is
/// changed.
pub async fn migrate(
    pool: &SqlitePool,
    table: &'static str,
    steps: &[(i64, &'static str, &'static str)],
) -> Result<(), BoxError> {
    let step = |&(number, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(number, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(steps.iter().map(step).collect());
    migrator.dangerous_set_table_name(table);
    let mut lock = pool.begin_with("BEGIN IMMEDIATE").await?;
    migrator.run_direct(None, &mut *lock, false).await?;
    Ok(lock.commit().await?)
}

/// A database in memory, which ends with the pool. It has one connection.
///
/// # Errors
/// Whatever SQLite has to say.
pub async fn in_memory() -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true).disable_statement_logging();
    // A connection that is never recycled: the database lives as long as it.
    let pool = SqlitePoolOptions::new().min_connections(1).max_connections(1);
    pool.idle_timeout(None).max_lifetime(None).connect_with(options).await
}

/// How [`open`] opens a file.
fn options(path: &Path, durability: Durability) -> SqliteConnectOptions {
    let synchronous = match durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::Normal => SqliteSynchronous::Normal,
    };
    // A deleted key, or one under an old password, shall not stay in free pages. Records need not pay for that.
    let secure_delete = if durability == Durability::Full { "ON" } else { "OFF" };
    // Pages that many commits touch are copied back once for all of them. The log then takes 16 MiB at most.
    let checkpoint = if durability == Durability::Full { "1000" } else { "4000" };
    SqliteConnectOptions::new()
        .filename(path)
        // `prepare` has made it. A connection that comes later must not: whoever moves the file away from under a
        // running wallet would get an empty one in its place.
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .foreign_keys(true)
        .pragma("secure_delete", secure_delete)
        .pragma("wal_autocheckpoint", checkpoint)
        .busy_timeout(BUSY_TIMEOUT)
        // What is logged of statements could be what nobody should read.
        .disable_statement_logging()
}

/// SQLite does not say which file it failed to open.
#[derive(Debug, thiserror::Error)]
#[error("cannot open database {}: {source}", path.display())]
struct OpenError {
    path: PathBuf,
    source: Box<dyn std::error::Error + Send + Sync>,
}

fn about(path: &Path, source: Box<dyn std::error::Error + Send + Sync>) -> sqlx::Error {
    sqlx::Error::Configuration(OpenError { path: path.into(), source }.into())
}

/// Makes the file if there is none, and keeps others from reading it.
fn prepare(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)?;
    }
    match File::open(path) {
        Ok(file) => looks_whole(file, path)?,
        // Made here, because SQLite would make it readable for others.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return make_file(path),
        Err(error) => return Err(error),
    }
    tighten(path)?;
    for suffix in ["-wal", "-shm", "-journal"] {
        match tighten(&beside(path, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Looks at a file without SQLite, which takes some that are cut off for empty.
///
/// # Errors
/// Of kind `InvalidData` if it is surely no database, or not all of one; else if it cannot be read.
pub fn inspect(path: &Path) -> io::Result<()> {
    looks_whole(File::open(path)?, path)
}

/// Refuses what is surely no database of ours before SQLite writes to it.
fn looks_whole(mut file: File, path: &Path) -> io::Result<()> {
    let invalid = |reason: &str| Err(io::Error::new(io::ErrorKind::InvalidData, reason.to_owned()));
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(());
    }
    let mut header = [0; HEADER];
    if length < HEADER as u64 {
        return invalid("the file is no SQLite database; choose another path, or restore it from a backup");
    }
    file.read_exact(&mut header)?;
    if !header.starts_with(MAGIC) {
        return invalid("the file is no SQLite database; choose another path, or restore it from a backup");
    }
    // A log that is not yet copied back may hold the pages that are missing.
    let logged = fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    match stated_length(&header) {
        Some(stated) if !logged && length < stated => {
            invalid("the file is cut off; restore it from a backup")
        }
        _ => Ok(()),
    }
}

/// The length that a database says it has (sections 1.3.2 and 1.3.8 of SQLite's file format), unless an old writer
/// did not keep it.
fn stated_length(header: &[u8; HEADER]) -> Option<u64> {
    let number = |at: usize| -> Option<u32> {
        Some(u32::from_be_bytes(header.get(at..at.checked_add(4)?)?.try_into().ok()?))
    };
    let page = u16::from_be_bytes(header.get(16..18)?.try_into().ok()?);
    let page = if page == 1 { 65536 } else { u64::from(page) };
    let kept = number(24)? == number(92)?;
    kept.then(|| number(28).map(|pages| page.saturating_mul(u64::from(pages)))).flatten()
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

#[cfg(unix)]
fn make_file(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

#[cfg(not(unix))]
fn make_file(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(false).open(path).map(drop)
}

#[cfg(unix)]
fn tighten(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    tracing::warn!(path = %path.display(), "others could read this file; its mode is 0600 now");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn tighten(path: &Path) -> io::Result<()> {
    fs::metadata(path).map(drop)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    async fn fill(pool: &SqlitePool) {
        sqlx::query("CREATE TABLE IF NOT EXISTS t (x BLOB)").execute(pool).await.unwrap();
        sqlx::query("INSERT INTO t VALUES (zeroblob(20000))").execute(pool).await.unwrap();
    }

    #[tokio::test]
    async fn files_are_for_their_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/keystore.sqlit");
        for _ in 0..2 {
            let pool = open(&path, Durability::Full).await.unwrap();
            fill(&pool).await;
            for suffix in ["", "-wal", "-shm"] {
                assert_eq!(mode(&beside(&path, suffix)), 0o600, "{suffix}");
            }
            pool.close().await;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        }
        assert_eq!(mode(&dir.path().join("new")), 0o700);
        let readers = open(&path, Durability::Normal).await.unwrap();
        let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM t").fetch_one(&readers).await.unwrap();
        assert_eq!(rows, 2);
    }

    #[tokio::test]
    async fn readers_see_commits_and_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        let pool = open(&path, Durability::Full).await.unwrap();
        fill(&pool).await;
        let readers = open_readers(&path).await.unwrap();
        fill(&pool).await;
        let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM t").fetch_one(&readers).await.unwrap();
        assert_eq!(rows, 2);
        assert!(sqlx::query("DELETE FROM t").execute(&readers).await.is_err());
    }

    #[tokio::test]
    async fn foreign_and_cut_files_are_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let whole = dir.path().join("whole");
        let pool = open(&whole, Durability::Full).await.unwrap();
        fill(&pool).await;
        pool.close().await;
        let bytes = fs::read(&whole).unwrap();
        let cases: [(&str, &[u8], &str); 4] = [
            ("short", b"hello", "no SQLite database"),
            ("text", &[b'x'; 5000], "no SQLite database"),
            ("cut", &bytes[..bytes.len() - 1], "cut off"),
            ("head", &bytes[..HEADER], "cut off"),
        ];
        for (name, content, says) in cases {
            let path = dir.path().join(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            let text = open(&path, Durability::Full).await.unwrap_err().to_string();
            assert!(text.contains(says) && text.contains(name), "{text}");
            assert_eq!(fs::read(&path).unwrap(), content);
            assert_eq!(mode(&path), 0o644);
            assert!(!beside(&path, "-wal").exists());
        }
    }

    /// SQLite's busy timeout does not hold for the change to WAL, which the first who open a file race for.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_open_a_fresh_file_at_once() {
        const STEPS: [(i64, &str, &str); 1] = [(1, "first", "CREATE TABLE t (x BLOB)")];
        for _ in 0..20 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("db");
            let open = || {
                let path = path.clone();
                tokio::spawn(async move {
                    let pool = open(&path, Durability::Full).await.unwrap();
                    migrate(&pool, "_steps", &STEPS).await.unwrap();
                    fill(&pool).await;
                })
            };
            let all: Vec<_> = (0..8).map(|_| open()).collect();
            for one in all {
                one.await.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn steps_of_a_newer_program_are_refused_and_nothing_is_half_done() {
        let pool = in_memory().await.unwrap();
        let steps = [(1, "a", "CREATE TABLE a (x)"), (2, "b", "CREATE TABLE b (x)")];
        migrate(&pool, "_steps", &steps).await.unwrap();
        migrate(&pool, "_steps", &steps).await.unwrap();
        assert!(migrate(&pool, "_steps", &steps[..1]).await.is_err());
        let broken = [steps[0], steps[1], (3, "c", "CREATE TABLE c (x)"), (4, "d", "nonsense")];
        assert!(migrate(&pool, "_steps", &broken).await.is_err());
        let tables: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE name = 'c'")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(tables, 0);
    }

    #[tokio::test]
    async fn each_choice_is_what_sqlite_runs_with() {
        let dir = tempfile::tempdir().unwrap();
        for (durability, expected) in [(Durability::Full, 2), (Durability::Normal, 1)] {
            let pool = open(&dir.path().join("db"), durability).await.unwrap();
            let found: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&pool).await.unwrap();
            let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&pool).await.unwrap();
            assert_eq!((found, journal.as_str()), (expected, "wal"));
            pool.close().await;
        }
        fill(&in_memory().await.unwrap()).await;
    }
}

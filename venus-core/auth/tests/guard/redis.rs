//! A real Redis.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use venus_auth::limits::{RedisWindow, SharedWindow};
use venus_core::clock::ManualClock;
use venus_core::error::Classify;

use crate::support::in_time;

/// If set to 1, a machine without Redis fails the tests instead of passing them over.
const REQUIRE: &str = "VENUS_REQUIRE_REDIS";

struct Redis {
    server: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Redis {
    /// A server of its own, with nothing on disk; `None`, with a message, if Redis is not installed.
    async fn start(password: &str) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::start_at(port, password).await
    }

    async fn start_at(port: u16, password: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("redis-server");
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        if !password.is_empty() {
            command.args(["--requirepass", password]);
        }
        command
            .arg("--dir")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let Ok(server) = command.spawn() else {
            assert!(
                !std::env::var(REQUIRE).is_ok_and(|v| v == "1"),
                "no redis-server: apt install redis-server"
            );
            eprintln!(
                "skipped: no redis-server here (apt install redis-server); {REQUIRE}=1 makes this a failure"
            );
            return None;
        };
        let this = Self { server, port, _folder: folder };
        in_time(async {
            while this.ask("PING\r\n").await.is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        Some(this)
    }

    fn url(&self) -> SecretString {
        format!("redis://127.0.0.1:{}", self.port).into()
    }

    /// One question by hand.
    async fn ask(&self, question: &str) -> Option<String> {
        let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        socket.write_all(question.as_bytes()).await.ok()?;
        let mut answer = [0; 256];
        let size = in_time(socket.read(&mut answer)).await.ok().filter(|size| *size > 0)?;
        Some(String::from_utf8_lossy(&answer[..size]).into_owned())
    }
}

#[tokio::test]
async fn components_count_together_in_the_keys_of_go() {
    let Some(redis) = Redis::start("").await else { return };
    let clock = ManualClock::new(Duration::from_secs(1_700_000_021));
    let window = || RedisWindow::with_clock(&redis.url(), Arc::new(clock.clone())).unwrap();
    let (one, two) = (window(), window());
    let minute = Duration::from_secs(60);
    // Go's limiter counted here before.
    redis.ask("INCRBY rate:alice-28333333 7\r\n").await.unwrap();
    let first = one.count("alice", 1, minute).await.unwrap();
    assert_eq!((first.used, first.reset), (8, Duration::from_secs(19)));
    assert_eq!(two.count("alice", 5, minute).await.unwrap().used, 13);
    assert_eq!(two.count("bob", 1, minute).await.unwrap().used, 1);
    assert_eq!(redis.ask("TTL rate:alice-28333333\r\n").await.unwrap(), ":90\r\n");
    clock.advance(Duration::from_secs(19));
    assert_eq!(one.count("alice", 1, minute).await.unwrap().used, 1, "another window");
    assert_eq!(one.count("carol", 1, Duration::from_millis(500)).await.unwrap().used, 1);
    assert_eq!(redis.ask("GET rate:carol-1700000040\r\n").await.unwrap(), "$1\r\n1\r\n", "a second at least");
}

#[tokio::test]
async fn a_redis_that_goes_away_is_an_error_in_time_and_comes_back() {
    let Some(mut redis) = Redis::start("").await else { return };
    let window = RedisWindow::new(&redis.url()).unwrap();
    window.count("alice", 1, Duration::from_secs(60)).await.unwrap();
    redis.server.kill().unwrap();
    redis.server.wait().unwrap();
    let error = in_time(window.count("alice", 1, Duration::from_secs(60))).await.unwrap_err();
    assert!(error.downcast_ref::<venus_auth::limits::RedisError>().unwrap().kind().is_retryable(), "{error}");
    let port = redis.port;
    drop(redis);
    let _again = Redis::start_at(port, "").await.unwrap();
    in_time(async {
        while window.count("alice", 1, Duration::from_secs(60)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_wrong_password_is_not_quoted() {
    let Some(redis) = Redis::start("right").await else { return };
    let url = |password: &str| SecretString::from(format!("redis://:{password}@127.0.0.1:{}", redis.port));
    let wrong = RedisWindow::new(&url("hunter2")).unwrap();
    let error = in_time(wrong.count("alice", 1, Duration::from_secs(60))).await.unwrap_err();
    assert!(!format!("{error} {error:?} {wrong:?}").contains("hunter2"), "{error:?}");
    let right = RedisWindow::new(&url("right")).unwrap();
    assert_eq!(right.count("alice", 1, Duration::from_secs(60)).await.unwrap().used, 1);
    for bad in ["redis://:hunter2@", "http://:hunter2@x", ""] {
        let error = RedisWindow::new(&bad.to_owned().into()).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

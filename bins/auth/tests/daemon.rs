//! The program itself: it starts, serves, keeps what it was told, and stops.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

fn program(repo: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_venus-auth"));
    command.arg("--repo").arg(repo).env_remove("VENUS_AUTH_PATH").env_remove("SOPHON_AUTH_PATH");
    command
}

fn say(repo: &Path, args: &[&str]) -> (bool, String) {
    let output = program(repo).args(args).output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

/// A running service, which ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(repo: &Path) -> Running {
    let mut child = program(repo)
        .args(["--json", "--listen", "127.0.0.1:0", "run"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = child.stdout.take().unwrap();
    let running = Running(child);
    let (said, heard) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).unwrap();
        let _ = said.send(line);
    });
    let line = heard.recv_timeout(Duration::from_secs(120)).expect("the service is ready");
    assert!(line.contains("\"url\":\"http://127.0.0.1:"), "{line}");
    running
}

fn stop(mut running: Running) {
    kill_process(Pid::from_child(&running.0), Signal::TERM).unwrap();
    assert!(running.0.wait().unwrap().success());
}

#[test]
fn accounts_outlive_restarts() {
    let tmp = tempfile::tempdir().unwrap();
    let repo = tmp.path();
    assert!(say(repo, &["init"]).0 && repo.join("config.toml").exists());
    let (well, said) = say(repo, &["doctor"]);
    assert!(!well && said.contains("FAIL token file") && said.contains("FAIL service"), "{said}");
    let first = start(repo);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(repo.join("token")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(say(repo, &["user", "add", "alice"]).0);
    let (_, said) = say(repo, &["--json", "token", "gen", "--perm", "sign", "alice"]);
    let made: serde_json::Value = serde_json::from_str(&said).unwrap();
    let token = made["token"].as_str().unwrap().to_owned();
    assert!(say(repo, &["ban", "account:alice", "--reason", "late"]).0);
    let (well, said) = say(repo, &["doctor", "--user", "alice"]);
    assert!(!well && said.contains("FAIL ban: account:alice is kept out (late)"), "{said}");
    assert!(say(repo, &["unban", "account:alice"]).0);
    stop(first);
    let second = start(repo);
    let (well, said) = say(repo, &["doctor", "--user", "alice"]);
    assert!(well, "{said}");
    let (_, said) = say(repo, &["token", "list"]);
    assert!(said.contains("alice") && !said.contains(&token), "lists show no whole tokens: {said}");
    let (_, said) = say(repo, &["audit", "--action", "user."]);
    assert!(said.contains("user.create"), "{said}");
    stop(second);
    assert_eq!(
        say(repo, &["migrate", "--dry-run"]),
        (true, "0 tokens stand in clear and would be hashed\n".into())
    );
}

/// What a database holds in clear is hashed when somebody says so, and not before; the token goes on to count.
#[test]
fn tokens_in_clear_are_hashed_after_asking() {
    let tmp = tempfile::tempdir().unwrap();
    let repo = tmp.path();
    std::fs::write(repo.join("config.toml"), "[Auth]\nTokenStore = \"clear\"\n").unwrap();
    let first = start(repo);
    assert!(say(repo, &["user", "add", "alice"]).0);
    let (_, said) = say(repo, &["token", "gen", "--perm", "sign", "alice"]);
    let token = said.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(say(repo, &["token", "list"]).1.contains(&token));
    stop(first);
    std::fs::write(repo.join("config.toml"), "").unwrap();
    let (well, said) = say(repo, &["migrate"]);
    assert!(!well && said.contains("sophon-auth cannot check them") && said.contains("--yes"), "{said}");
    assert_eq!(say(repo, &["migrate", "--dry-run"]).1, "2 tokens stand in clear and would be hashed\n");
    assert_eq!(say(repo, &["migrate", "--yes"]), (true, "2 of 2 clear tokens are hashed\n".into()));
    let second = start(repo);
    assert!(say(repo, &["token", "get", "--token", &token]).0, "it goes on to count");
    assert!(!say(repo, &["token", "list"]).1.contains(&token));
    stop(second);
}

/// Opening a database brings it up to date; asking what that would do must not.
#[test]
fn a_dry_run_leaves_a_mysql_database_as_it_is() {
    let tmp = tempfile::tempdir().unwrap();
    let Some(server) = venus_auth::testing::MariaDb::start(&tmp.path().join("db")) else { return };
    let config = format!("[db]\ntype = \"mysql\"\ndsn = \"{}\"\n", server.url("mysql"));
    std::fs::write(tmp.path().join("config.toml"), config).unwrap();
    for _ in 0..2 {
        let (well, said) = say(tmp.path(), &["migrate", "--dry-run"]);
        assert!(well && said.starts_with("there are no tables of sophon-auth\n"), "{said}");
        assert!(said.contains("tables would be made: token, users,"), "{said}");
    }
}

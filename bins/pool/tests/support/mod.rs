//! Starting the program under test.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of it")]

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// The program with the given arguments, its log at the default.
pub fn pool(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_venus-pool"));
    command.args(args).env_remove("VENUS_LOG").stdin(Stdio::null());
    command
}

/// `demo` in `dir` with JSON on stdout and further arguments.
pub fn demo(dir: &Path, args: &[&str]) -> Command {
    let mut command = pool(&["demo", "--json"]);
    command.arg("--dir").arg(dir).args(args);
    command
}

/// Runs a demo to its end and answers its line of JSON.
pub fn finish(dir: &Path, args: &[&str]) -> String {
    let output = demo(dir, args).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    line(&output)
}

/// The one line on stdout.
pub fn line(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(text.matches('\n').count(), 1, "one line expected: {text:?}");
    text.trim_end().to_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// Asserts that all `messages` landed, each once.
pub fn assert_complete(line: &str, messages: u64) {
    let report = json(line);
    assert_eq!(report["messages_sent"], messages, "{line}");
    assert_eq!(report["messages_landed"], messages, "{line}");
    assert_eq!(report["lost"], 0, "{line}");
    assert_eq!(report["duplicated"], 0, "{line}");
    assert_eq!(report["supply_conserved"], true, "{line}");
}

/// A child whose end can be awaited for a limited time.
pub struct Running {
    child: Child,
    stderr_closed: mpsc::Receiver<String>,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let (send, stderr_closed) = mpsc::channel();
        thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            let _ = send.send(text);
        });
        Self { child, stderr_closed }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the child ends or the time is over; whether it ended.
    pub fn ends_within(&self, time: Duration) -> bool {
        self.stderr_closed.recv_timeout(time).is_ok()
    }

    /// `kill -9`; returns when the process is gone and its lock with it.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by name with the system's `kill`.
    pub fn signal(&self, name: &str) {
        let status =
            Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end; the exit code and what the child wrote to stdout and stderr.
    pub fn wait(self) -> (Option<i32>, String, String) {
        let stderr = self.stderr_closed.recv().unwrap_or_default();
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), stderr)
    }
}

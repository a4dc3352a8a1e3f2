//! A devnet in a process of its own, and what talks to it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_venus-devnet");
/// What no step should ever need.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// The program without what the environment says.
pub fn program(args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end, or fails.
pub fn finish(mut command: Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    let (send, done) = mpsc::channel();
    thread::spawn(move || send.send(child.wait_with_output()));
    match done.recv_timeout(PATIENCE) {
        Ok(output) => output.unwrap(),
        Err(_) => {
            signal(id, "KILL");
            panic!("{command:?} did not end");
        }
    }
}

pub fn signal(id: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status().unwrap();
    assert!(status.success());
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A devnet that runs, or ran.
pub struct Devnet {
    tmp: Option<TempDir>,
    pub dir: PathBuf,
    running: Option<Running>,
    pub ready: Value,
}

struct Running {
    child: Child,
    log: mpsc::Receiver<String>,
}

/// Options of most tests: a chain that stands still, on any port.
pub const MANUAL: [&str; 5] =
    ["--listen=127.0.0.1:0", "--clock=manual", "--seed=7", "--miners=3", "--accounts=2"];

impl Devnet {
    /// A new one in a directory of its own.
    pub fn start(args: &[&str]) -> Self {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("devnet");
        let mut devnet = Self { tmp: Some(tmp), dir, running: None, ready: Value::Null };
        devnet.restart(args);
        devnet
    }

    pub fn manual() -> Self {
        Self::start(&MANUAL)
    }

    /// Runs the program on the directory again.
    pub fn restart(&mut self, args: &[&str]) {
        self.restart_by(program(&[]), args);
    }

    /// The same, by this command.
    pub fn restart_by(&mut self, mut command: Command, args: &[&str]) {
        assert!(self.running.is_none());
        command.args(["run", "--json", "--dir"]).arg(&self.dir).args(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut err, out) = (child.stderr.take().unwrap(), child.stdout.take().unwrap());
        let ((send_log, log), (send_line, line)) = (mpsc::channel(), mpsc::channel());
        thread::spawn(move || {
            let mut text = String::new();
            let _ = err.read_to_string(&mut text);
            let _ = send_log.send(text);
        });
        thread::spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(out).read_line(&mut line);
            let _ = send_line.send(line);
        });
        self.running = Some(Running { child, log });
        let line = line.recv_timeout(PATIENCE).expect("a line when it is ready");
        if line.is_empty() {
            let log = self.running.as_ref().unwrap().log.recv_timeout(PATIENCE);
            panic!("it did not start: {log:?}");
        }
        self.ready = serde_json::from_str(&line).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn id(&self) -> u32 {
        self.running.as_ref().unwrap().child.id()
    }

    /// Asks for a stop; the exit code and the log.
    pub fn stop(&mut self) -> (Option<i32>, String) {
        signal(self.id(), "TERM");
        self.wait()
    }

    /// `kill -9`; returns when the process is gone and its locks with it.
    pub fn kill(&mut self) {
        let mut running = self.running.take().unwrap();
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    fn wait(&mut self) -> (Option<i32>, String) {
        let mut running = self.running.take().unwrap();
        let Ok(log) = running.log.recv_timeout(PATIENCE) else {
            let _ = running.child.kill();
            panic!("it did not stop");
        };
        (running.child.wait().unwrap().code(), log)
    }

    /// Runs a command on it.
    pub fn command(&self, args: &[&str]) -> Output {
        let mut command = program(args);
        command.arg("--dir").arg(&self.dir);
        finish(command)
    }

    /// A command that succeeds; its line of JSON.
    pub fn json(&self, args: &[&str]) -> Value {
        let output = self.command(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{args:?}: {output:?}: {e}"))
    }

    /// A command that is refused; the exit code and what it says.
    pub fn refused(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = self.command(args);
        assert!(!output.status.success() && output.stdout.is_empty(), "{args:?}: {output:?}");
        (output.status.code(), stderr(&output))
    }

    pub fn head(&self) -> Value {
        self.json(&["status"])["head"].clone()
    }

    pub fn address(&self, face: &str) -> SocketAddr {
        self.ready["urls"][face].as_str().unwrap().split('/').nth(2).unwrap().parse().unwrap()
    }

    pub fn token(&self) -> String {
        self.ready["token"].as_str().unwrap().to_owned()
    }

    /// Calls a method of the Venus face with all rights; its result.
    pub fn call(&self, method: &str, params: &Value) -> Value {
        let answer = call(self.address("venus"), Some(&self.token()), method, params);
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_else(|e| panic!("{answer:?}: {e}"));
        assert!(body.get("error").is_none(), "{method}: {body}");
        body["result"].clone()
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
        drop(self.tmp.take());
    }
}

/// An answer over HTTP.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// A call as `curl` makes it. A method without a namespace is one of nodes.
pub fn call(addr: SocketAddr, token: Option<&str>, method: &str, params: &Value) -> Answer {
    let method = if method.contains('.') { method.to_owned() } else { format!("Filecoin.{method}") };
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    send(addr, &format!("POST /rpc/v1 HTTP/1.1\r\nContent-Type: application/json\r\n{token}"), &body)
}

/// Sends a request, and reads the whole answer.
pub fn send(addr: SocketAddr, head: &str, body: &str) -> Answer {
    let mut socket = TcpStream::connect(addr).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    write!(socket, "{head}Host: devnet\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
        .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, body: body.to_owned() }
}

/// Mode bits of a file.
pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

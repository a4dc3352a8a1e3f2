//! A wallet in a process of its own, and what talks to it.

#![allow(dead_code)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_venus-wallet");
pub const PASSWORD: &str = "password";

/// A file of the recordings, line by line.
pub fn recorded(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A repository, and the wallet that runs in it.
pub struct Wallet {
    pub dir: TempDir,
    running: Option<Child>,
    pub ready: Value,
    pub extra: Vec<String>,
}

impl Wallet {
    /// A repository with a cheap password and any port, not running.
    pub fn init() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let wallet = Self { dir, running: None, ready: Value::Null, extra: Vec::new() };
        let output = wallet.command(&["init"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        wallet.edit("/tcp/5678/", "/tcp/0/");
        wallet.edit("ScryptN = 262144", "ScryptN = 8192");
        wallet.private("password", PASSWORD);
        wallet
    }

    /// A repository whose wallet runs.
    pub fn run(args: &[&str]) -> Self {
        let mut wallet = Self::init();
        wallet.start(args);
        wallet
    }

    pub fn repo(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    /// Replaces a text in config.toml.
    pub fn edit(&self, from: &str, to: &str) {
        let path = self.repo().join("config.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in config.toml");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    pub fn append(&self, more: &str) {
        let path = self.repo().join("config.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text + more).unwrap();
    }

    /// Everything may be signed.
    pub fn allow_all(&self) {
        fs::write(self.repo().join("policy.toml"), "default = \"allow\"\n").unwrap();
    }

    /// A file that only its owner may read.
    pub fn private(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub fn password_file(&self) -> String {
        self.dir.path().join("password").display().to_string()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        self.command_in(&self.repo(), args)
    }

    /// A command for another repository.
    pub fn command_in(&self, repo: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("--repo").arg(repo).args(&self.extra).args(args);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
        command
    }

    /// Runs a command that has to succeed, and returns what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        text(&output)
    }

    /// The same, with `--json`.
    pub fn json(&self, args: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(args);
        let printed = self.ok(&all);
        serde_json::from_str(&printed).unwrap_or_else(|e| panic!("{args:?}: {printed}: {e}"))
    }

    /// Starts `run` and waits until it says that it is ready.
    pub fn start(&mut self, args: &[&str]) {
        let mut all = vec!["--json", "run"];
        all.extend(args);
        self.start_with(self.command(&all).stderr(Stdio::piped()));
    }

    /// The same, by this command.
    pub fn start_with(&mut self, command: &mut Command) {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut log = String::new();
            child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
            panic!("the wallet did not start: {log}");
        }
        // Nobody reads the log; a full pipe would stop the wallet.
        if let Some(mut log) = child.stderr.take() {
            std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        }
        self.ready = serde_json::from_str(&line).unwrap();
        self.running = Some(child);
    }

    pub fn addr(&self) -> SocketAddr {
        self.ready["url"].as_str().unwrap().split('/').nth(2).unwrap().parse().unwrap()
    }

    pub fn token(&self) -> String {
        fs::read_to_string(self.repo().join("token")).unwrap()
    }

    pub fn secret(&self) -> Vec<u8> {
        let text = fs::read_to_string(self.repo().join("config.toml")).unwrap();
        let line = text.lines().find(|line| line.trim().starts_with("Secret")).unwrap();
        data_encoding::HEXLOWER.decode(line.split('"').nth(1).unwrap().as_bytes()).unwrap()
    }

    /// Asks for a stop and returns the exit code.
    pub fn stop(&mut self) -> i32 {
        let Some(mut child) = self.running.take() else { return 0 };
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Calls a method with the token of all rights.
    pub fn call(&self, method: &str, params: &Value) -> Value {
        self.call_as(Some(&self.token()), method, params)
    }

    pub fn call_as(&self, token: Option<&str>, method: &str, params: &Value) -> Value {
        let body = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": format!("Filecoin.{method}"), "params": params });
        let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        headers.extend(token.map(|token| ("Authorization".to_owned(), format!("Bearer {token}"))));
        let answer = http(self.addr(), "POST /rpc/v0 HTTP/1.1", &headers, &body.to_string());
        serde_json::from_str(&answer.body).unwrap_or_else(|e| panic!("{method}: {answer:?}: {e}"))
    }
}

impl Drop for Wallet {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// An answer over HTTP.
#[derive(Debug)]
pub struct Answer {
    pub status: u64,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_lowercase();
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

/// Sends a request as it is written, and reads the whole answer.
pub fn http(addr: SocketAddr, start: &str, headers: &[(String, String)], body: &str) -> Answer {
    let mut socket = TcpStream::connect(addr).unwrap();
    let mut request =
        format!("{start}\r\nHost: wallet\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += "\r\n";
    request += body;
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    assert!(!headers.iter().any(|(name, _)| name == "transfer-encoding"), "{answer}");
    Answer { status, headers, body: body.to_owned() }
}

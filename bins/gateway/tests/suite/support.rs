//! A pool: venus-auth in this process, venus-gateway in its own, wallets in this one.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use venus_auth::rest::{RestConfig, router};
use venus_auth::{Actor, AuthService, MemoryStore, NewToken, NewUser, Rules, SignerSharing, UserState};
use venus_core::clock::SystemClock;
use venus_signer::gateway::{GatewayHandle, GatewayOptions, GatewayProvider, HubConfig};
use venus_signer::{KeyInfo, LocalWallet};

pub const PATIENCE: Duration = Duration::from_secs(120);

/// The keys of the recordings.
pub const KEYS: [&str; 3] = [
    r#"{"Type":"secp256k1","PrivateKey":"KioqKioqKipfvw7Q+DZMAf8nVA7NZmn/TMVIy+YO9as="}"#,
    r#"{"Type":"bls","PrivateKey":"M/84+owcU8PvGy+BHO6c5PfsLOkLFs7rlnXcaqPQSBc="}"#,
    r#"{"Type":"delegated","PrivateKey":"M/84+owcU8PvGy+BHO6c5PfsLOkLFs7rlnXcaqPQSCE="}"#,
];

/// Asks until the answer is yes.
pub fn until(what: &str, mut asked: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !asked() {
        assert!(begun.elapsed() < PATIENCE, "{what} took too long");
        std::thread::yield_now();
    }
}

/// venus-auth, over a real port.
pub struct Auth {
    pub runtime: Runtime,
    pub service: AuthService,
    pub addr: SocketAddr,
    /// What its answers say that it is.
    pub date: Option<&'static str>,
    /// With its connections.
    serving: Option<Runtime>,
}

impl Auth {
    pub fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let rules = Rules { sharing: SignerSharing::Allow, ..Rules::default() };
        let service = AuthService::new(Arc::new(MemoryStore::default()), Arc::new(SystemClock), rules);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let mut auth = Self { runtime, service, addr, date: None, serving: None };
        auth.serve(listener);
        auth.user("gateway");
        auth
    }

    fn serve(&mut self, listener: TcpListener) {
        listener.set_nonblocking(true).unwrap();
        let app = router(self.service.clone(), RestConfig::default());
        let date = self.date;
        let app = app.layer(axum::middleware::map_response(
            move |mut response: axum::response::Response| async move {
                if let Some(date) = date {
                    response.headers_mut().insert("date", date.parse().unwrap());
                }
                response
            },
        ));
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        let serving = Runtime::new().unwrap();
        serving.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
        self.serving = Some(serving);
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn user(&self, name: &str) {
        let new = NewUser { name: name.into(), comment: String::new(), state: UserState::Enabled };
        self.runtime.block_on(self.service.create_user(&Actor::system(), new)).unwrap();
    }

    pub fn token(&self, name: &str, perm: &str) -> String {
        self.narrowed(name, perm, &[])
    }

    pub fn narrowed(&self, name: &str, perm: &str, scopes: &[&str]) -> String {
        let scopes = scopes.iter().map(|&scope| scope.into()).collect();
        let new = NewToken { name: name.into(), perm: perm.into(), scopes, ..NewToken::default() };
        let made = self.runtime.block_on(self.service.create_token(&Actor::system(), new)).unwrap();
        made.expose_secret().to_owned()
    }

    pub fn revoke(&self, token: &str) {
        self.runtime.block_on(self.service.revoke_token(&Actor::system(), token)).unwrap();
    }

    /// A wallet with the keys of the recordings, registered at a gateway.
    pub fn wallet(&self, gateway: &Gateway, token: &str, supports: &[&str]) -> Provider {
        let hub = gateway.ready["hub"].as_str().unwrap();
        let api = gateway.ready["multiaddr"].as_str().unwrap().replace("/http", "/ws");
        let config = HubConfig::new(hub, api).token(SecretString::from(token.to_owned()));
        let handle = self.runtime.block_on(async {
            let wallet = LocalWallet::in_memory();
            for key in KEYS {
                wallet.import(KeyInfo::from_json(key).unwrap()).await.unwrap();
            }
            let hubs = vec![config.support_accounts(supports.iter().copied())];
            let handle = GatewayProvider::start(wallet, hubs, GatewayOptions::default()).unwrap();
            tokio::time::timeout(PATIENCE, handle.wait_ready()).await.expect("the wallet registers");
            handle
        });
        Provider { handle }
    }
}

/// A wallet that dialled in.
pub struct Provider {
    pub handle: GatewayHandle,
}

/// A repository, and the gateway that runs in it.
pub struct Gateway {
    pub dir: TempDir,
    pub ready: Value,
    running: Option<Child>,
}

impl Gateway {
    /// A repository whose configuration names venus-auth; nothing runs.
    pub fn init(auth: &Auth) -> Self {
        let token = auth.token("gateway", "admin");
        let gateway = Self { dir: tempfile::tempdir().unwrap(), ready: Value::Null, running: None };
        fs::create_dir(gateway.repo()).unwrap();
        let file = gateway.private("auth-token", &token);
        gateway.config(&format!(
            "[API]\nListenAddress = \"/ip4/127.0.0.1/tcp/0\"\n[Auth]\nURL = \"{}\"\nTokenFile = \"{}\"\n",
            auth.url(),
            file.display()
        ));
        gateway
    }

    /// The same, and the gateway runs. `more` stands before and behind what the configuration says.
    pub fn run(auth: &Auth, before: &str, behind: &str) -> Self {
        let mut gateway = Self::init(auth);
        let text = fs::read_to_string(gateway.repo().join("config.toml")).unwrap();
        gateway.config(&format!("{before}\n{text}\n{behind}\n"));
        gateway.start(&[]);
        gateway
    }

    pub fn repo(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    pub fn config(&self, text: &str) {
        fs::write(self.repo().join("config.toml"), text).unwrap();
    }

    /// A file that only its owner can read.
    pub fn private(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_venus-gateway"));
        command.arg("--repo").arg(self.repo()).args(args).env_clear().stdin(Stdio::null());
        command
    }

    pub fn start(&mut self, args: &[&str]) {
        let log = fs::File::create(self.dir.path().join("log")).unwrap();
        let mut all = vec!["--json", "run"];
        all.extend(args);
        let mut command = self.command(&all);
        command.env("VENUS_LOG", "debug,hyper=info,h2=info");
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let line = first_line(&mut child);
        self.running = Some(child);
        self.ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}{}", self.log()));
    }

    /// Says whether it went well, and all that it said.
    pub fn say(&self, args: &[&str]) -> (bool, String) {
        let output = self.command(args).output().unwrap();
        (output.status.success(), said(&output))
    }

    pub fn json(&self, args: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(args);
        let (_, text) = self.say(&all);
        serde_json::from_str(text.lines().next().unwrap_or_default())
            .unwrap_or_else(|_| panic!("{args:?}: {text}"))
    }

    pub fn addr(&self) -> SocketAddr {
        self.ready["url"].as_str().unwrap().split("://").nth(1).unwrap().parse().unwrap()
    }

    /// The token of this machine's administrator.
    pub fn token(&self) -> String {
        fs::read_to_string(self.repo().join("token")).unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.running.as_ref().unwrap().id()
    }

    /// Calls a method of `/rpc/v2`: the status and the answer.
    pub fn call(&self, token: &str, method: &str, params: Value) -> (u16, Value) {
        let body =
            json!({ "jsonrpc": "2.0", "id": 1, "method": format!("Gateway.{method}"), "params": params });
        let answer = self.post(token, "/rpc/v2", &[], &body.to_string());
        (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
    }

    pub fn post(&self, token: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend(headers);
        http(self.addr(), &format!("POST {path} HTTP/1.1"), &all, body)
    }

    pub fn stop(&mut self) {
        let Some(mut child) = self.running.take() else { return };
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        assert!(child.wait().unwrap().success(), "{}", self.log());
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a program says first; nothing if it ends before.
pub fn first_line(child: &mut Child) -> String {
    let out = child.stdout.take().unwrap();
    let (said, heard) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut line, mut out) = (String::new(), BufReader::new(out));
        let _ = out.read_line(&mut line);
        let _ = said.send(line);
        // A full pipe would stop the program.
        let _ = std::io::copy(&mut out, &mut std::io::sink());
    });
    heard.recv_timeout(PATIENCE).expect("the program is ready in time")
}

pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// Sends a request as it is written, and reads the whole answer.
pub fn http(addr: SocketAddr, start: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut socket = TcpStream::connect(addr).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut text = format!("{start}\r\nHost: {addr}\r\nConnection: close\r\n");
    if !body.is_empty() {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    socket.write_all(format!("{text}\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer.as_str(), ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    let body =
        if head.to_lowercase().contains("transfer-encoding: chunked") { joined(body) } else { body.into() };
    Answer { status, head: head.to_lowercase(), body }
}

fn joined(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        body += &rest[..size];
        chunks = rest[size..].trim_start_matches("\r\n");
    }
    body
}

pub fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

impl Auth {
    /// The port closes, with its connections.
    pub fn leave(&mut self) {
        self.serving.take().unwrap().shutdown_timeout(PATIENCE);
    }

    /// The same service at the same address.
    pub fn come_back(&mut self) {
        let mut bound = TcpListener::bind(self.addr);
        until("the port", || {
            if bound.is_err() {
                bound = TcpListener::bind(self.addr);
            }
            bound.is_ok()
        });
        self.serve(bound.unwrap());
    }
}

//! A gateway with the accounts and tokens of the recordings.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use http::request::Parts;
use serde_json::Value;
use venus_core::api::{AccountMiner, Permissions};
use venus_core::clock::SystemClock;
use venus_core::entropy::{Entropy, EntropyError, SeededEntropy};
use venus_core::rpc::server::{AuthError, Authenticate};
use venus_core::rpc::{Identity, KeepAlive};
use venus_core::testing::doubles::MemoryAccounts;
use venus_core::types::Address;
use venus_gateway::rpc::{GatewayServer, ServerOptions};
use venus_gateway::{Hub, HubOptions, Legacy, SignatureVerifier, SupportRule, Verifying};

use crate::replay::Line;
use crate::replay::conn::{Answer, Conn, exchange};
use crate::replay::play::Scene;
use crate::wallet::CHALLENGES;

/// Knows every token of the recordings by what it says of itself; the accounts behind some of them are switched off.
#[derive(Clone, Default)]
pub struct Gate {
    pub disabled: Vec<String>,
    /// Tokens that mean what is written here.
    pub known: HashMap<String, Identity>,
}

#[async_trait]
impl Authenticate for Gate {
    async fn authenticate(&self, token: Option<&str>, _: &Parts) -> Result<Identity, AuthError> {
        let token = token.ok_or(AuthError::Unauthenticated)?;
        let identity = self.known.get(token).cloned().or_else(|| said(token));
        let identity = identity.filter(|identity| !self.disabled.contains(&identity.name));
        identity.ok_or(AuthError::Unauthenticated)
    }
}

fn said(token: &str) -> Option<Identity> {
    let payload = BASE64URL_NOPAD.decode(token.split('.').nth(1)?.as_bytes()).ok()?;
    let payload: Value = serde_json::from_slice(&payload).ok()?;
    let identity = Identity::new(payload["name"].as_str()?, Permissions::up_to(payload["perm"].as_str()?));
    Some(Identity { token: format!("{:0>64}", token.len()), ..identity })
}

/// The challenge of the recording, so that the recorded signatures are answers to ours.
pub struct Recorded {
    challenge: Vec<u8>,
    ids: SeededEntropy,
}

impl Recorded {
    pub fn new(challenge: &str) -> Self {
        let ids = SeededEntropy::new(challenge.len() as u64, challenge);
        Self { challenge: BASE64.decode(challenge.as_bytes()).unwrap(), ids }
    }
}

impl Entropy for Recorded {
    fn fill(&self, buf: &mut [u8]) -> Result<(), EntropyError> {
        match buf.len() == self.challenge.len() {
            true => buf.copy_from_slice(&self.challenge),
            false => self.ids.fill(buf)?,
        }
        Ok(())
    }
}

/// A gateway as an operator with Go's wallets sets it up.
pub struct Stage {
    pub accounts: Arc<MemoryAccounts>,
    pub gate: Arc<Gate>,
    pub addr: SocketAddr,
    /// The challenges of one process after the other.
    challenges: Vec<&'static str>,
    verifier: Arc<dyn SignatureVerifier>,
    server: ServerOptions,
    running: Option<(Hub, GatewayServer)>,
    admin: String,
}

pub fn address(text: &str) -> Address {
    venus_core::types::address::parse(text).unwrap()
}

/// The options of such an operator.
pub fn options(challenge: &str) -> HubOptions {
    let mut options = HubOptions::new("go");
    options.legacy = Legacy::All;
    options.support = SupportRule::Any;
    options.strict = true;
    options.entropy = Arc::new(Recorded::new(challenge));
    options
}

pub fn server_options() -> ServerOptions {
    let mut options = ServerOptions::default();
    // The recordings have pings; nobody wants to wait for them.
    options.keep_alive = KeepAlive { ping_every: Duration::from_millis(200), ..KeepAlive::default() };
    options
}

impl Stage {
    pub async fn new(accounts: &[&str], gate: Gate, challenges: &[&'static str]) -> Self {
        Self::verifying(accounts, gate, challenges, Arc::new(Verifying::default())).await
    }

    /// One gateway process that talks in a way of its own.
    pub async fn talking(accounts: &[&str], gate: Gate, server: ServerOptions) -> Self {
        let mut stage = Self::new(accounts, gate, &[CHALLENGES[1], CHALLENGES[1]]).await;
        stage.stop().await;
        stage.server = server;
        stage.start().await;
        stage
    }

    pub async fn verifying(
        accounts: &[&str],
        gate: Gate,
        challenges: &[&'static str],
        verifier: Arc<dyn SignatureVerifier>,
    ) -> Self {
        let directory = MemoryAccounts::new(Arc::new(SystemClock));
        accounts.iter().for_each(|account| directory.add(account));
        let mut stage = Self {
            accounts: Arc::new(directory),
            gate: Arc::new(gate),
            addr: ([127, 0, 0, 1], 0).into(),
            challenges: challenges.iter().rev().copied().collect(),
            verifier,
            server: server_options(),
            running: None,
            admin: token("alice", "admin"),
        };
        stage.start().await;
        stage
    }

    pub fn bind_miner(&self, account: &str, miner: &str) {
        let miner = AccountMiner { miner: address(miner), open_mining: true };
        self.accounts.bind_miner(account, miner).unwrap();
    }

    pub fn hub(&self) -> &Hub {
        &self.running.as_ref().unwrap().0
    }

    pub fn server(&self) -> &GatewayServer {
        &self.running.as_ref().unwrap().1
    }

    pub async fn start(&mut self) {
        let mut options = options(self.challenges.pop().unwrap());
        options.verifier = self.verifier.clone();
        let hub = Hub::new(self.accounts.clone(), options);
        let server = GatewayServer::new(&hub, self.gate.clone(), self.server.clone()).unwrap();
        let router = server.fallback(server.router());
        self.addr = server.listen_with(([127, 0, 0, 1], 0).into(), router).await.unwrap().local_addr();
        self.running = Some((hub, server));
    }

    pub async fn stop(&mut self) {
        let (hub, server) = self.running.take().unwrap();
        tokio::join!(hub.shutdown(), server.shutdown());
    }
}

/// What a client sends to open a connection, or to call over HTTP.
pub fn request(start: &str, token: Option<&str>, body: &str) -> Line {
    let headers = token.map(|token| ("Authorization".to_owned(), format!("Bearer {token}")));
    Line {
        n: 0,
        conn: 0,
        from_server: false,
        kind: "http".into(),
        start: format!("{start} HTTP/1.1"),
        headers: headers.into_iter().collect(),
        body: body.to_owned(),
    }
}

/// A call over HTTP.
pub async fn call(addr: SocketAddr, path: &str, token: Option<&str>, method: &str, params: &str) -> Answer {
    let body = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}");
    exchange(addr, &request(&format!("POST {path}"), token, &body)).await
}

/// A WebSocket.
pub async fn open(addr: SocketAddr, path: &str, token: &str) -> Conn {
    Conn::open(addr, &request(&format!("GET {path}"), Some(token), "")).await.unwrap()
}

/// A token as Go's auth makes them, of no worth elsewhere.
pub fn token(name: &str, perm: &str) -> String {
    let payload = format!("{{\"name\":\"{name}\",\"perm\":\"{perm}\",\"ext\":\"\"}}");
    format!("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{}.c2ln", BASE64URL_NOPAD.encode(payload.as_bytes()))
}

#[async_trait]
impl Scene for Stage {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn admin(&self) -> &str {
        &self.admin
    }

    async fn note(&mut self, note: &str) {
        if note.starts_with("gateway stops") {
            self.stop().await;
        } else if note.starts_with("gateway starts again") {
            self.start().await;
        }
    }

    async fn before(&mut self, _: &Line) {}
}

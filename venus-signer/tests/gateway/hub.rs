//! A hub by hand, at the other end of a pipe, so that time can stand still; and wallets that can be locked.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::DuplexStream;
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Duration, Instant};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, protocol::Role};
use uuid::Uuid;
use venus_core::api::{ISigner, SignerError};
use venus_core::clock::ManualClock;
use venus_core::entropy::SeededEntropy;
use venus_core::json::Json;
use venus_core::rpc::client::{ClientConfig, Connect, RpcClient, Socket, socket_over};
use venus_core::rpc::{CallError, Limits};
use venus_core::types::{Address, GatewayChallenge, MsgMeta, Signature};
use venus_signer::gateway::{Dial, GatewayOptions, HubConfig, WalletHandler};
use venus_signer::{Caller, KeyType, LocalWallet, LockState, VaultEvent};

/// The token of the recordings: account `alice`.
pub const ALICE: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJuYW1lIjoiYWxpY2UiLCJwZXJtIjoicmVhZCIsImV4dCI6IiJ9.SwZlYDxPbgAx7ux81FBfnwH5esPHv2oKyl8wfD9UNWo";
/// Unix time of the tests.
pub const NOW: u64 = 1_700_000_000;

/// Where the hub `name` would be.
pub fn hub(name: &str) -> HubConfig {
    HubConfig::new(name, format!("{ALICE}:/dns/{name}/tcp/45132"))
}

/// Dials into this process.
#[derive(Default)]
pub struct Pipes {
    hubs: Mutex<HashMap<String, mpsc::UnboundedSender<Conn>>>,
    down: Mutex<HashMap<String, Vec<Instant>>>,
}

impl Pipes {
    /// The connections that are opened to the hub `name` from now on.
    pub fn serve(&self, name: &str) -> mpsc::UnboundedReceiver<Conn> {
        let (tx, rx) = mpsc::unbounded_channel();
        self.hubs.lock().unwrap().insert(url(name), tx);
        rx
    }

    pub fn stop(&self, name: &str) {
        self.hubs.lock().unwrap().remove(&url(name));
    }

    /// When the hub was dialled in vain.
    pub fn refused(&self, name: &str) -> Vec<Instant> {
        self.down.lock().unwrap().get(&url(name)).cloned().unwrap_or_default()
    }
}

fn url(name: &str) -> String {
    format!("ws://{name}:45132/rpc/v1")
}

struct Once {
    url: String,
    ours: Mutex<Option<DuplexStream>>,
}

#[async_trait::async_trait]
impl Connect for Once {
    async fn connect(&self) -> Result<Socket, CallError> {
        let ours = self.ours.lock().unwrap().take();
        match ours {
            Some(ours) => Ok(socket_over(ours, &Limits::default()).await),
            None => Err(down(&self.url)),
        }
    }

    fn url(&self) -> &str {
        &self.url
    }
}

fn down(url: &str) -> CallError {
    CallError::Unreachable { url: url.to_owned(), source: "connection refused".into() }
}

#[async_trait::async_trait]
impl Dial for Pipes {
    async fn dial(&self, url: &str, config: ClientConfig) -> Result<RpcClient, CallError> {
        let Some(hub) = self.hubs.lock().unwrap().get(url).cloned() else {
            self.down.lock().unwrap().entry(url.to_owned()).or_default().push(Instant::now());
            return Err(down(url));
        };
        let (ours, theirs) = tokio::io::duplex(1 << 22);
        let conn = Conn {
            socket: WebSocketStream::from_raw_socket(theirs, Role::Server, None).await,
            headers: config.headers.clone(),
            channel: 0,
            random: Vec::new(),
            early: Vec::new(),
        };
        if hub.send(conn).is_err() {
            return Err(down(url));
        }
        RpcClient::connect_with(Once { url: url.to_owned(), ours: Mutex::new(Some(ours)) }, config).await
    }
}

/// One connection, seen from the hub.
pub struct Conn {
    pub socket: WebSocketStream<DuplexStream>,
    pub headers: http::HeaderMap,
    /// The number of the channel that is open.
    pub channel: u64,
    /// What the wallet sent as SignBytes.
    pub random: Vec<u8>,
    early: Vec<Value>,
}

impl Conn {
    pub async fn send(&mut self, frame: &str) {
        let _ = self.socket.send(Message::text(frame)).await;
    }

    /// The next frame as text; nothing at the end of the connection.
    pub async fn text(&mut self) -> Option<String> {
        loop {
            match self.socket.next().await? {
                Ok(Message::Text(text)) => return Some(text.to_string()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    pub async fn frame(&mut self) -> Value {
        if !self.early.is_empty() {
            return self.early.remove(0);
        }
        serde_json::from_str(&self.text().await.expect("a frame, not the end")).unwrap()
    }

    /// The next frame with this method; others wait for later.
    pub async fn call(&mut self, method: &str) -> Value {
        if let Some(at) = self.early.iter().position(|frame| frame["method"] == method) {
            return self.early.remove(at);
        }
        loop {
            let frame: Value =
                serde_json::from_str(&self.text().await.expect("a frame, not the end")).unwrap();
            if frame["method"] == method {
                return frame;
            }
            self.early.push(frame);
        }
    }

    pub async fn void(&mut self, call: &Value) {
        self.send(&format!("{{\"jsonrpc\":\"2.0\",\"id\":{}}}\n", call["id"])).await;
    }

    /// Takes the registration and opens channel `number`. The support accounts that it names.
    pub async fn accept(&mut self, number: u64) -> Vec<String> {
        let call = self.call("Gateway.ListenWalletEvent").await;
        self.random = BASE64.decode(call["params"][0]["SignBytes"].as_str().unwrap().as_bytes()).unwrap();
        assert_eq!(self.random.len(), 32);
        self.channel = number;
        self.send(&format!("{{\"jsonrpc\":\"2.0\",\"result\":{number},\"id\":{}}}\n", call["id"])).await;
        serde_json::from_value(call["params"][0]["SupportAccounts"].clone()).unwrap()
    }

    pub async fn emit(&mut self, id: &str, method: &str, payload: Option<&Value>) {
        let payload = payload.map(|payload| BASE64.encode(payload.to_string().as_bytes()));
        let event = json!({"Id": id, "Method": method, "Payload": payload});
        let frame = json!({"jsonrpc": "2.0", "method": "xrpc.ch.val", "params": [self.channel, event]});
        self.send(&format!("{frame}\n")).await;
    }

    /// The answer to the event `id`: payload or error.
    pub async fn answer(&mut self, id: &str) -> Result<Value, String> {
        loop {
            let call = self.call("Gateway.ResponseWalletEvent").await;
            self.void(&call).await;
            let response = &call["params"][0];
            if response["Id"] != id {
                continue;
            }
            return match response["Error"].as_str().unwrap() {
                "" => {
                    let payload = BASE64.decode(response["Payload"].as_str().unwrap().as_bytes()).unwrap();
                    Ok(serde_json::from_slice(&payload).unwrap())
                }
                error => {
                    assert_eq!(response["Payload"], Value::Null);
                    Err(error.to_owned())
                }
            };
        }
    }

    pub async fn ask(&mut self, method: &str, payload: Option<Value>) -> Result<Value, String> {
        let id = Uuid::new_v4().to_string();
        self.emit(&id, method, payload.as_ref()).await;
        self.answer(&id).await
    }

    pub async fn list(&mut self) -> Result<Vec<Address>, String> {
        let list: Vec<Json<Address>> = serde_json::from_value(self.ask("WalletList", None).await?).unwrap();
        Ok(list.into_iter().map(Json::into_inner).collect())
    }

    pub async fn sign(
        &mut self,
        signer: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, String> {
        let answer = self.ask("WalletSign", Some(sign_payload(signer, to_sign, meta))).await?;
        Ok(serde_json::from_value(answer).unwrap())
    }

    /// Asks a challenge of ours and verifies the answer.
    pub async fn challenge(&mut self, challenge: &GatewayChallenge) -> Result<Signature, String> {
        let signed = self.sign(&challenge.address, &challenge.digest(), &challenge.meta()).await?;
        challenge.verify(&signed, Duration::from_secs(challenge.expires)).unwrap();
        Ok(signed)
    }

    pub async fn confirm(&mut self, channel: Uuid) {
        self.emit("init", "InitConnect", Some(&json!({"ChannelId": channel.to_string()}))).await;
    }

    /// The whole handshake of a hub of ours that is called `name`. What was announced.
    pub async fn register(&mut self, name: &str, channel: Uuid) -> (Vec<String>, Vec<Address>) {
        let accounts = self.accept(1).await;
        let addresses = self.list().await.unwrap();
        for address in &addresses {
            self.challenge(&challenge(name, channel, *address)).await.unwrap();
        }
        self.confirm(channel).await;
        (accounts, addresses)
    }

    pub async fn close_channel(&mut self) {
        let number = self.channel;
        self.send(&format!("{{\"jsonrpc\":\"2.0\",\"method\":\"xrpc.ch.close\",\"params\":[{number}]}}\n"))
            .await;
    }
}

pub fn sign_payload(signer: &Address, to_sign: &[u8], meta: &MsgMeta) -> Value {
    json!({"Signer": Json(*signer), "ToSign": Json(to_sign.to_vec()), "Meta": meta})
}

pub fn challenge(name: &str, channel: Uuid, address: Address) -> GatewayChallenge {
    let (hub, account) = (name.to_owned(), "alice".to_owned());
    GatewayChallenge { hub, account, channel, address, nonce: [9; 32], expires: NOW + 60 }
}

/// What a Go gateway asks: `sha256(its bytes ‖ the wallet's bytes)`.
pub fn legacy(random: &[u8], theirs: [u8; 32]) -> (Vec<u8>, MsgMeta) {
    let to_sign = Sha256::new().chain_update(theirs).chain_update(random).finalize().to_vec();
    let meta = MsgMeta { msg_type: venus_core::types::MsgType::VerifyAddress, extra: theirs.to_vec() };
    (to_sign, meta)
}

/// A wallet with a lock, and a count of what is signed at once.
#[derive(Clone)]
pub struct Lockable {
    pub wallet: LocalWallet,
    inner: Arc<LockableInner>,
}

struct LockableInner {
    state: Mutex<LockState>,
    events: broadcast::Sender<VaultEvent>,
    running: AtomicU32,
    most: AtomicU32,
    hold: tokio::sync::Semaphore,
    callers: Mutex<Vec<String>>,
}

impl Lockable {
    pub fn new(wallet: &LocalWallet, state: LockState) -> Self {
        let inner = LockableInner {
            state: Mutex::new(state),
            events: broadcast::channel(64).0,
            running: AtomicU32::new(0),
            most: AtomicU32::new(0),
            hold: tokio::sync::Semaphore::new(1_000_000),
            callers: Mutex::default(),
        };
        let lockable = Self { wallet: wallet.clone(), inner: Arc::new(inner) };
        let (mut events, forward) = (wallet.vault().events(), lockable.inner.events.clone());
        tokio::spawn(async move {
            while let Ok(event) = events.recv().await {
                let _ = forward.send(event);
            }
        });
        lockable
    }

    pub fn set(&self, state: LockState) {
        *self.inner.state.lock().unwrap() = state;
        let event = if state == LockState::Unlocked { VaultEvent::Unlocked } else { VaultEvent::Locked };
        let _ = self.inner.events.send(event);
    }

    /// Lets no signature out until `release`.
    pub fn hold(&self) {
        self.inner.hold.forget_permits(1_000_000);
    }

    pub fn release(&self) {
        self.inner.hold.add_permits(1_000_000);
    }

    pub fn running(&self) -> u32 {
        self.inner.running.load(Ordering::SeqCst)
    }

    /// The most signatures that were under way at once.
    pub fn most(&self) -> u32 {
        self.inner.most.load(Ordering::SeqCst)
    }

    pub fn callers(&self) -> Vec<String> {
        self.inner.callers.lock().unwrap().clone()
    }
}

struct Running<'a>(&'a AtomicU32);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait::async_trait]
impl WalletHandler for Lockable {
    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        match self.state() {
            LockState::Unlocked => ISigner::list(&self.wallet).await,
            _ => Err(SignerError::Locked),
        }
    }

    async fn sign(
        &self,
        caller: &Caller,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, SignerError> {
        let running = self.inner.running.fetch_add(1, Ordering::SeqCst) + 1;
        let _running = Running(&self.inner.running);
        self.inner.most.fetch_max(running, Ordering::SeqCst);
        self.inner.callers.lock().unwrap().push(caller.label());
        let _held = self.inner.hold.acquire().await.unwrap();
        assert!(to_sign != b"panic", "a bug that this payload finds");
        match self.state() {
            LockState::Unlocked => self.wallet.sign_as(caller, address, to_sign, meta).await,
            _ => Err(SignerError::Locked),
        }
    }

    fn state(&self) -> LockState {
        *self.inner.state.lock().unwrap()
    }

    fn events(&self) -> broadcast::Receiver<VaultEvent> {
        self.inner.events.subscribe()
    }
}

/// Pipes, options that dial through them, and a clock at [`NOW`].
pub fn options() -> (Arc<Pipes>, GatewayOptions, ManualClock) {
    let (pipes, clock) = (Arc::new(Pipes::default()), ManualClock::new(Duration::from_secs(NOW)));
    let mut options = GatewayOptions::default();
    options.dial = pipes.clone();
    options.clock = Arc::new(clock.clone());
    options.entropy = Arc::new(SeededEntropy::new(21, "gateway"));
    (pipes, options, clock)
}

/// A wallet with a key of each type.
pub async fn wallet() -> (LocalWallet, Vec<Address>) {
    let (wallet, entropy) = (LocalWallet::in_memory(), SeededEntropy::new(22, "gateway"));
    let mut owned = Vec::new();
    for key_type in [KeyType::Bls, KeyType::Secp256k1, KeyType::Delegated] {
        owned.push(wallet.generate(key_type, &entropy).await.unwrap());
    }
    (wallet, owned)
}

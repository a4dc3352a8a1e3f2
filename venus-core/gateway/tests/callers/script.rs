//! A gateway that does as it is told.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::request::Parts;
use jsonrpsee::core::{RpcResult, SubscriptionResult, to_json_raw_value};
use jsonrpsee::{Extensions, PendingSubscriptionSink};
use tokio::sync::{Notify, mpsc};
use venus_core::api::{ISigner, PieceUnsealer, ProofComputer, UnsealRequest, WinningPostRequest};
use venus_core::json::Json;
use venus_core::rpc::server::{AuthError, Authenticate, RpcServer};
use venus_core::rpc::{Dialect, Identity, Permissions, RpcError, Service};
use venus_core::testing::doubles::{ScriptedProver, ScriptedUnsealer, TestSigner};
use venus_core::types::gateway::{
    ConnectState, ConnectedCompleted, ConnectionStates, MarketConnectionState, MarketRegisterPolicy,
    ProofRegisterPolicy, RequestEvent, ResponseEvent, WalletDetail, WalletRegisterPolicy,
};
use venus_core::types::{Address, Cid, ExtendedSectorInfo, MsgMeta, MsgType, PostProof, Signature};
use venus_gateway::rpc::{AddressText, Base64, GatewayApiServer, Id, MetaText, TABLE, V2_TABLE, VersionInfo};

/// The longest that anything may take.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// A token of somebody who may do everything.
pub const TOKEN: &str = "eyJhbGciOi.eyJuYW1lIjo.c2ln";

/// Waits, but not for ever.
pub async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: not in time"))
}

/// What happens to the next request to sign.
#[derive(Clone)]
pub enum Sign {
    Error(RpcError),
    /// Never answers.
    Hang,
    /// Answers another's signature.
    Wrong,
    /// Closes all connections and lets nobody in again.
    Die,
}

/// A channel that a provider opened.
pub struct Opened {
    pub method: &'static str,
    pub miner: Address,
    pub events: mpsc::UnboundedSender<RequestEvent>,
    pub cancelled: Arc<Notify>,
}

impl Opened {
    pub fn confirm(&self, channel: u128) {
        let done = ConnectedCompleted { channel_id: uuid::Uuid::from_u128(channel) };
        self.ask("init", "InitConnect", serde_json::to_vec(&done).unwrap());
    }

    pub fn ask(&self, id: &str, method: &str, payload: Vec<u8>) {
        self.events.send(RequestEvent { id: id.into(), method: method.into(), payload }).unwrap();
    }
}

#[derive(Default)]
pub struct Told {
    pub keys: Vec<Address>,
    pub sign: VecDeque<Sign>,
    pub accounts: Vec<Vec<String>>,
    pub answers: HashMap<String, ResponseEvent>,
    /// Why the next channel is refused.
    pub refuse: VecDeque<String>,
}

pub struct Script {
    pub told: Mutex<Told>,
    pub signer: Arc<TestSigner>,
    pub prover: Option<ScriptedProver>,
    pub unsealer: Option<ScriptedUnsealer>,
    pub looked: AtomicU32,
    pub signed: AtomicU32,
    pub proven: AtomicU32,
    pub hanging: AtomicU32,
    pub answered: Notify,
    down: AtomicBool,
    opened: mpsc::UnboundedSender<Opened>,
    server: Mutex<Option<RpcServer>>,
}

#[derive(Clone)]
struct Gate(Arc<Script>);

#[async_trait]
impl Authenticate for Gate {
    async fn authenticate(&self, token: Option<&str>, _: &Parts) -> Result<Identity, AuthError> {
        match token {
            _ if self.0.down.load(Ordering::SeqCst) => Err(AuthError::Unavailable),
            Some(TOKEN) => Ok(Identity::new("alice", Permissions::ALL)),
            _ => Err(AuthError::Unauthenticated),
        }
    }
}

/// A scripted gateway that listens, and where. It dies with this value's last clone.
#[derive(Clone)]
pub struct Gateway {
    pub script: Arc<Script>,
    pub at: SocketAddr,
}

impl Gateway {
    /// A gateway whose wallets have the keys of `signer`.
    pub async fn wallets(signer: &Arc<TestSigner>) -> Self {
        Self::start(signer.clone(), false, false).await.0
    }

    /// A gateway with a prover and a sealer of f01000.
    pub async fn miners() -> Self {
        Self::start(Arc::new(TestSigner::new(1)), true, true).await.0
    }

    /// A gateway that providers dial.
    pub async fn hub() -> (Self, mpsc::UnboundedReceiver<Opened>) {
        Self::start(Arc::new(TestSigner::new(1)), false, false).await
    }

    async fn start(
        signer: Arc<TestSigner>,
        prover: bool,
        unsealer: bool,
    ) -> (Self, mpsc::UnboundedReceiver<Opened>) {
        let (opened, rx) = mpsc::unbounded_channel();
        let miner = Address::new_id(1000);
        let keys = signer.list().await.unwrap();
        let script = Script {
            told: Mutex::new(Told { keys, ..Told::default() }),
            signer,
            prover: prover.then(ScriptedProver::new),
            unsealer: unsealer.then(|| ScriptedUnsealer::new([miner])),
            looked: AtomicU32::default(),
            signed: AtomicU32::default(),
            proven: AtomicU32::default(),
            hanging: AtomicU32::default(),
            answered: Notify::new(),
            down: AtomicBool::new(false),
            opened,
            server: Mutex::default(),
        };
        let script = Arc::new(script);
        let methods = GatewayApiServer::into_rpc(Api(script.clone()));
        let service = Service::new(methods, &[TABLE, V2_TABLE], Dialect::Fork).unwrap();
        let server = RpcServer::new(service, Gate(script.clone()));
        let listening = server.listen("127.0.0.1:0".parse().unwrap(), &["/rpc/v2"]).await.unwrap();
        *script.server.lock().unwrap() = Some(server);
        (Self { script, at: listening.local_addr() }, rx)
    }

    pub fn api(&self) -> String {
        format!("{TOKEN}:/ip4/127.0.0.1/tcp/{}", self.at.port())
    }

    pub fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.script.told.lock().unwrap()
    }

    pub fn kill(&self) {
        self.script.kill();
    }

    /// Lets callers in again.
    pub fn revive(&self) {
        self.script.down.store(false, Ordering::SeqCst);
    }

    /// Returns when the answer `id` is there.
    pub async fn answer(&self, id: &str) -> ResponseEvent {
        let waiting = async {
            loop {
                let answered = self.script.answered.notified();
                tokio::pin!(answered);
                answered.as_mut().enable();
                if let Some(answer) = self.told().answers.remove(id) {
                    return answer;
                }
                answered.await;
            }
        };
        soon(id, waiting).await
    }
}

impl Script {
    fn kill(&self) {
        self.down.store(true, Ordering::SeqCst);
        if let Some(server) = &*self.server.lock().unwrap() {
            server.disconnect(|_| true);
        }
    }
}

struct Api(Arc<Script>);

struct Hanging(Arc<Script>);

impl Drop for Hanging {
    fn drop(&mut self) {
        self.0.hanging.fetch_sub(1, Ordering::SeqCst);
    }
}

fn text(message: &str) -> RpcError {
    RpcError::new(1, message)
}

impl Api {
    async fn open(
        &self,
        pending: PendingSubscriptionSink,
        method: &'static str,
        miner: Address,
    ) -> SubscriptionResult {
        let refusal = self.0.told.lock().unwrap().refuse.pop_front();
        if let Some(reason) = refusal {
            pending.reject(text(&reason)).await;
            return Ok(());
        }
        let sink = pending.accept().await?;
        let (events, mut rx) = mpsc::unbounded_channel();
        let cancelled = Arc::new(Notify::new());
        let _ = self.0.opened.send(Opened { method, miner, events, cancelled: cancelled.clone() });
        loop {
            tokio::select! {
                () = sink.closed() => {
                    cancelled.notify_one();
                    return Ok(());
                }
                event = rx.recv() => match event {
                    Some(event) => sink.send(to_json_raw_value(&event)?).await?,
                    None => return Ok(()),
                },
            }
        }
    }

    fn respond(&self, response: Option<ResponseEvent>) -> RpcResult<()> {
        let response = response.unwrap();
        self.0.told.lock().unwrap().answers.insert(response.id.clone(), response);
        self.0.answered.notify_waiters();
        Ok(())
    }
}

#[async_trait]
impl GatewayApiServer for Api {
    async fn version(&self) -> RpcResult<VersionInfo> {
        Ok(VersionInfo { version: "1.18.0".into(), api_version: 0 })
    }

    async fn wallet_has(&self, signer: AddressText, accounts: Option<Vec<String>>) -> RpcResult<bool> {
        self.0.looked.fetch_add(1, Ordering::SeqCst);
        let mut told = self.0.told.lock().unwrap();
        told.accounts.push(accounts.unwrap_or_default());
        Ok(told.keys.contains(&signer.0.unwrap()))
    }

    async fn wallet_sign(
        &self,
        _: &Extensions,
        signer: AddressText,
        _: Option<Vec<String>>,
        to_sign: Base64,
        meta: MetaText,
    ) -> RpcResult<Signature> {
        let (has, next) = {
            let mut told = self.0.told.lock().unwrap();
            (told.keys.contains(&signer.0.unwrap()), told.sign.pop_front())
        };
        match next {
            Some(Sign::Error(error)) => return Err(error.into()),
            Some(Sign::Hang) => {
                self.0.hanging.fetch_add(1, Ordering::SeqCst);
                let _hanging = Hanging(self.0.clone());
                std::future::pending::<()>().await;
            }
            Some(Sign::Die) => {
                self.0.kill();
                std::future::pending::<()>().await;
            }
            Some(Sign::Wrong) => return Ok(Signature::secp256k1([1; 65])),
            None => {}
        }
        if !has {
            return Err(text("send request must have channel").into());
        }
        let meta = MsgMeta { msg_type: MsgType::from_name(&meta.kind).unwrap(), extra: meta.extra.0 };
        let signature = self.0.signer.sign(&signer.0.unwrap(), &to_sign.0, &meta).await;
        self.0.signed.fetch_add(1, Ordering::SeqCst);
        signature.map_err(|error| RpcError::of(&error).into())
    }

    async fn list_wallet_info(&self) -> RpcResult<Option<Vec<WalletDetail>>> {
        let state = ConnectState {
            addrs: self.0.told.lock().unwrap().keys.clone(),
            channel_id: uuid::Uuid::from_u128(1),
            ip: "127.0.0.1:1".into(),
            request_count: 0,
            create_time: time::OffsetDateTime::UNIX_EPOCH,
        };
        let support_accounts = vec!["alice".into(), "bob".into()];
        Ok(Some(vec![WalletDetail {
            account: "alice".into(),
            support_accounts,
            connect_states: vec![state],
        }]))
    }

    async fn list_wallet_info_by_wallet(&self, account: String) -> RpcResult<WalletDetail> {
        Err(text(&format!("wallet {account} not exit")).into())
    }

    async fn compute_proof(
        &self,
        _: &Extensions,
        miner: AddressText,
        sectors: Option<Vec<ExtendedSectorInfo>>,
        rand: Base64,
        height: i64,
        network_version: Option<u32>,
    ) -> RpcResult<Option<Vec<PostProof>>> {
        self.0.proven.fetch_add(1, Ordering::SeqCst);
        let (Some(prover), Some(miner)) = (&self.0.prover, miner.0) else {
            return Err(text("no connections for this miner f01000").into());
        };
        let request = WinningPostRequest {
            miner,
            sectors: sectors.unwrap_or_default(),
            randomness: rand.0.try_into().unwrap(),
            epoch: height,
            network_version: network_version.unwrap_or_default(),
        };
        let proofs = prover.compute_winning_post(&request, PATIENCE).await;
        proofs.map(Some).map_err(|error| text(&error.to_string()).into())
    }

    async fn list_connected_miners(&self) -> RpcResult<Option<Vec<Json<Address>>>> {
        Ok(None)
    }

    async fn list_miner_connection(&self, _: AddressText) -> RpcResult<ConnectionStates> {
        Ok(ConnectionStates::default())
    }

    async fn sectors_unseal_piece(
        &self,
        miner: AddressText,
        Json(piece): Json<Cid>,
        sector: Option<u64>,
        offset: Option<u64>,
        size: Option<u64>,
        destination: String,
    ) -> RpcResult<String> {
        let Some(unsealer) = &self.0.unsealer else {
            return Err(text("no connections for this miner f01000").into());
        };
        let request = UnsealRequest {
            miner: miner.0.unwrap(),
            piece,
            sector: sector.unwrap_or_default(),
            offset: offset.unwrap_or_default(),
            size: size.unwrap_or_default(),
            destination,
        };
        match PieceUnsealer::unseal(unsealer, &request).await {
            Ok(state) => Ok(state.as_str().to_owned()),
            Err(error) => Err(text(&error.to_string()).into()),
        }
    }

    async fn list_market_connections_state(&self) -> RpcResult<Option<Vec<MarketConnectionState>>> {
        Ok(None)
    }

    async fn listen_wallet_event(
        &self,
        pending: PendingSubscriptionSink,
        _: &Extensions,
        _: Option<WalletRegisterPolicy>,
    ) -> SubscriptionResult {
        self.open(pending, "wallet", Address::new_id(0)).await
    }

    async fn listen_proof_event(
        &self,
        pending: PendingSubscriptionSink,
        _: &Extensions,
        policy: Option<ProofRegisterPolicy>,
    ) -> SubscriptionResult {
        self.open(pending, "proof", policy.unwrap().miner_address).await
    }

    async fn listen_market_event(
        &self,
        pending: PendingSubscriptionSink,
        _: &Extensions,
        policy: Option<MarketRegisterPolicy>,
    ) -> SubscriptionResult {
        self.open(pending, "market", policy.unwrap().miner).await
    }

    async fn response_wallet_event(&self, _: &Extensions, response: Option<ResponseEvent>) -> RpcResult<()> {
        self.respond(response)
    }

    async fn response_proof_event(&self, _: &Extensions, response: Option<ResponseEvent>) -> RpcResult<()> {
        self.respond(response)
    }

    async fn response_market_event(&self, _: &Extensions, response: Option<ResponseEvent>) -> RpcResult<()> {
        self.respond(response)
    }

    async fn support_new_account(&self, _: &Extensions, _: Id, _: String) -> RpcResult<()> {
        Ok(())
    }

    async fn add_new_address(&self, _: &Extensions, _: Id, _: Option<Vec<AddressText>>) -> RpcResult<()> {
        Ok(())
    }

    async fn remove_address(&self, _: &Extensions, _: Id, _: Option<Vec<AddressText>>) -> RpcResult<()> {
        Ok(())
    }

    async fn register_reverse(&self, _: String, _: String) -> RpcResult<()> {
        Ok(())
    }
}

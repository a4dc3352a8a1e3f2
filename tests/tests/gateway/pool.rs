//! Accounts behind REST, and gateways that ask them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, broadcast};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use venus_auth::client::{AuthClient, ClientConfig};
use venus_auth::limits::Guesses;
use venus_auth::rest::{RestConfig, router};
use venus_auth::verifier::{Blacklist, CacheConfig, Cached, Chain, Gate};
use venus_auth::watch::{FromService, Liveness, Sockets, Watch, WatchConfig};
use venus_auth::{Actor, AuthService, Effect, MemoryStore, NewToken, NewUser, Rules, UserState};
use venus_core::api::{ISigner, SignerError};
use venus_core::clock::SystemClock;
use venus_core::entropy::SeededEntropy;
use venus_core::types::{Address, MsgMeta, Signature};
use venus_gateway::client::{Builder, GatewaySigner, Gateways};
use venus_gateway::rpc::{GatewayServer, ServerOptions};
use venus_gateway::{Ended, Hub, HubOptions};
use venus_signer::gateway::{GatewayHandle, GatewayOptions, GatewayProvider, HubConfig, WalletHandler};
use venus_signer::{Caller, KeyType, LocalWallet, LockState, VaultEvent};

/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits, but not for ever.
pub async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: not in time"))
}

/// Asks again and again, until it holds.
pub async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(what, waiting).await;
}

/// The accounts `alice` and `bob`, with the miner f01000 of `alice`.
pub struct Pool {
    pub auth: AuthService,
    url: String,
    admin: SecretString,
}

pub const MINER: Address = Address::new_id(1000);

impl Pool {
    pub async fn start() -> Self {
        Self::ruled(Rules::default()).await
    }

    pub async fn ruled(rules: Rules) -> Self {
        let auth = AuthService::new(Arc::new(MemoryStore::default()), Arc::new(SystemClock), rules);
        let admin = auth.local_token(None).await.unwrap();
        let app =
            router(auth.clone(), RestConfig::default()).into_make_service_with_connect_info::<SocketAddr>();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let pool = Self { auth, url, admin };
        for name in ["alice", "bob", "market"] {
            let new = NewUser { name: name.into(), state: UserState::Enabled, ..NewUser::default() };
            pool.auth.create_user(&Actor::system(), new).await.unwrap();
        }
        pool.auth.bind_miner(&Actor::system(), "alice", MINER, true).await.unwrap();
        pool
    }

    pub async fn token(&self, name: &str, perm: &str, scopes: &[&str]) -> SecretString {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let new = NewToken { name: name.into(), perm: perm.into(), scopes, ..NewToken::default() };
        self.auth.create_token(&Actor::system(), new).await.unwrap()
    }

    fn client(&self) -> AuthClient {
        AuthClient::new(&[&self.url], self.admin.clone(), ClientConfig::default()).unwrap()
    }

    pub async fn node(&self, name: &str) -> Node {
        self.node_with(HubOptions::new(name), ServerOptions::default()).await
    }

    /// A gateway that asks the accounts over REST, and ends what rests on what they revoke.
    pub async fn node_with(&self, options: HubOptions, server: ServerOptions) -> Node {
        let hub = Hub::new(Arc::new(self.client()), options);
        let liveness = Liveness::default();
        let known = Cached::new(Arc::new(self.client()), liveness.clone(), CacheConfig::default());
        let (blacklist, guesses) = (Blacklist::default(), Guesses::default());
        let gate = Gate::new(Chain::new("gateway").remote(known.clone()), blacklist.clone(), guesses);
        let server = GatewayServer::new(&hub, Arc::new(gate), server).unwrap();
        let watch = Watch::new(FromService::new(self.client()), liveness, WatchConfig::default());
        let watch = watch.tell(known).tell(blacklist).tell(Sockets::of(server.servers().map(Clone::clone)));
        let ending = hub.clone();
        let watch = watch.tell(move |effect: &Effect| drop(ending.end(&ended(effect))));
        let at = server.listen("127.0.0.1:0".parse().unwrap()).await.unwrap().local_addr();
        let following = tokio::spawn(watch.run());
        Node { name: hub.options().name.clone(), hub, server, at, following }
    }

    /// A caller of everything at these gateways.
    pub async fn callers(&self, nodes: &[&Node]) -> Gateways {
        let token = self.token("market", "admin", &[]).await;
        let api = |node: &&Node| node.api(&token);
        let builder = nodes.iter().map(api).fold(Gateways::builder(), Builder::gateway);
        builder.deadline(Duration::from_secs(30)).build().unwrap()
    }

    pub async fn signer(&self, nodes: &[&Node]) -> GatewaySigner {
        self.callers(nodes).await.into()
    }
}

/// What an effect of the accounts is to a hub.
fn ended(effect: &Effect) -> Ended {
    match effect {
        Effect::Token { hash, .. } => Ended::Token(hash.clone()),
        Effect::Account(name) => Ended::Account(name.clone()),
        Effect::Miner { account, miner } => Ended::Miner(account.clone(), *miner),
        Effect::Signer { account, signer } => Ended::Signer(account.clone(), *signer),
        Effect::Address(address) => Ended::Address(*address),
        Effect::Ip(ip) => Ended::Ip(*ip),
        _ => Ended::Everything,
    }
}

/// A gateway.
pub struct Node {
    pub name: String,
    pub hub: Hub,
    pub server: GatewayServer,
    pub at: SocketAddr,
    following: JoinHandle<()>,
}

impl Node {
    pub fn api(&self, token: &SecretString) -> String {
        format!("{}:/ip4/127.0.0.1/tcp/{}", token.expose_secret(), self.at.port())
    }

    pub fn config(&self, token: &SecretString) -> HubConfig {
        HubConfig::new(&self.name, self.api(token))
    }

    /// Ends it, without asking anybody.
    pub async fn kill(self) {
        self.following.abort();
        self.server.disconnect(|_| true);
        soon("the hub's end", self.hub.shutdown()).await;
        soon("the server's end", self.server.shutdown()).await;
    }
}

/// A wallet with a BLS, a secp256k1 and a delegated key. The same seed makes the same keys.
pub async fn wallet(seed: u64) -> (LocalWallet, [Address; 3]) {
    let (wallet, entropy) = (LocalWallet::in_memory(), SeededEntropy::new(seed, "wallet of the pool"));
    let bls = wallet.generate(KeyType::Bls, &entropy).await.unwrap();
    let secp = wallet.generate(KeyType::Secp256k1, &entropy).await.unwrap();
    let delegated = wallet.generate(KeyType::Delegated, &entropy).await.unwrap();
    (wallet, [bls, secp, delegated])
}

/// Offers a wallet at hubs, with short pauses between attempts.
pub async fn offered(wallet: impl WalletHandler, hubs: Vec<HubConfig>) -> GatewayHandle {
    let mut options = GatewayOptions::default();
    options.pause_min = Duration::from_millis(10);
    options.pause_max = Duration::from_millis(50);
    let handle = GatewayProvider::start(wallet, hubs, options).unwrap();
    soon("registered", handle.wait_ready()).await;
    handle
}

/// A wallet that holds requests of callers, as one that works forever.
#[derive(Clone)]
pub struct Stuck {
    wallet: LocalWallet,
    stuck: Arc<(AtomicU32, Semaphore)>,
}

impl Stuck {
    pub fn new(wallet: LocalWallet) -> Self {
        Self { wallet, stuck: Arc::new((AtomicU32::new(0), Semaphore::new(0))) }
    }

    pub fn requests(&self) -> u32 {
        self.stuck.0.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl WalletHandler for Stuck {
    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        ISigner::list(&self.wallet).await
    }

    async fn sign(
        &self,
        caller: &Caller,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, SignerError> {
        if meta.msg_type != venus_core::types::MsgType::VerifyAddress {
            self.stuck.0.fetch_add(1, Ordering::SeqCst);
            let _ = self.stuck.1.acquire().await;
        }
        self.wallet.sign_as(caller, address, to_sign, meta).await
    }

    fn state(&self) -> LockState {
        self.wallet.vault().state()
    }

    fn events(&self) -> broadcast::Receiver<VaultEvent> {
        self.wallet.vault().events()
    }
}

/// A way to a gateway that can be cut, as by a crash of whoever goes it.
pub struct Wire {
    pub at: SocketAddr,
    carrying: AbortHandle,
}

impl Wire {
    pub async fn to(node: &Node) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (at, there) = (listener.local_addr().unwrap(), node.at);
        let carrying = tokio::spawn(async move {
            let mut carried = JoinSet::new();
            while let Ok((mut here, _)) = listener.accept().await {
                carried.spawn(async move {
                    let mut there = TcpStream::connect(there).await.unwrap();
                    let _ = copy_bidirectional(&mut here, &mut there).await;
                });
            }
        });
        Self { at, carrying: carrying.abort_handle() }
    }

    pub fn api(&self, token: &SecretString) -> String {
        format!("{}:/ip4/127.0.0.1/tcp/{}", token.expose_secret(), self.at.port())
    }

    pub fn cut(&self) {
        self.carrying.abort();
    }
}

//! The process of the hub.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use venus_auth::client::{AuthClient, ClientConfig};
use venus_auth::limits::Guesses;
use venus_auth::verifier::{Blacklist, CacheConfig, Cached, Chain, Gate};
use venus_auth::watch::{EffectSource, FromService, InProcess, Liveness, Sockets, Watch, WatchConfig};
use venus_auth::{AuthService, Effect, MemoryStore, Rules};
use venus_core::api::{AccountDirectory, Authenticator};
use venus_core::clock::SystemClock;
use venus_core::crypto::secp;
use venus_core::rpc::server::RpcServer;
use venus_core::rpc::{Dialect, KeepAlive, Limits, MethodSpec, Param, Permission, Service};
use venus_core::types::{Address, MsgMeta, Signature};
use venus_gateway::rpc::{AddressText, Base64, GatewayServer, MetaText, ServerOptions};
use venus_gateway::{Ended, Hub, HubLimits, HubOptions, SignatureVerifier};

use super::auth::{self, Accounts};
use super::role::{CHILD, ready};
use crate::measure::BenchError;

/// What the hub calls itself.
pub(super) const NAME: &str = "bench";
/// Where the bare method is, beside the hub's own paths.
pub(super) const BARE: &str = "/rpc/bench";
pub(super) const BARE_METHOD: &str = "Bench.WalletSign";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Config {
    /// Whether signatures are verified, as they always are outside this program.
    pub(super) verifies: bool,
    pub(super) accounts: From,
}

/// Where accounts come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum From {
    /// A service in the hub's process, with so many accounts of wallets.
    Own(usize),
    /// A process of its own.
    Service(Accounts),
}

/// A hub that is ready.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    pub(super) address: SocketAddr,
    pub(super) accounts: Accounts,
}

impl Ready {
    pub(super) fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }
}

/// Keeps the hub.
pub(super) struct Running {
    _hub: Hub,
    _server: GatewayServer,
    _bare: RpcServer,
    _following: JoinHandle<()>,
}

/// Serves and says so.
pub(super) async fn run(config: Config) -> Result<Running, BenchError> {
    let Door { gate, directory, watch, accounts } = Door::of(config.accounts).await?;
    let hub = Hub::new(directory, options(config.verifies));
    let options = ServerOptions::default();
    let limits = options.limits;
    let server = GatewayServer::new(&hub, Arc::new(gate.clone()), options);
    let server = server.map_err(|error| CHILD.input(error))?;
    let bare = bare(gate, limits)?;
    let following = follow(watch, hub.clone(), &server);
    let router = server.router().merge(bare.router(&[BARE]));
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let listening = server.listen_with(loopback, router).await?;
    ready(&Ready { address: listening.local_addr(), accounts })?;
    Ok(Running { _hub: hub, _server: server, _bare: bare, _following: following })
}

fn options(verifies: bool) -> HubOptions {
    let mut options = HubOptions::new(NAME);
    // All of this crowd comes from one machine.
    options.limits =
        HubLimits { channels_per_account: 20_000, channels_per_ip: 20_000, ..HubLimits::default() };
    if !verifies {
        options.verifier = Arc::new(Unverified);
    }
    options
}

/// Lets everything pass, so that the hub's own work is seen.
struct Unverified;

#[async_trait]
impl SignatureVerifier for Unverified {
    async fn verify(&self, _: &Address, _: &[u8], _: &MsgMeta, _: &Signature) -> Result<(), String> {
        Ok(())
    }
}

/// What a hub asks of accounts, put together as in the daemon.
struct Door {
    gate: Gate,
    directory: Arc<dyn AccountDirectory>,
    watch: Watch,
    accounts: Accounts,
}

impl Door {
    async fn of(accounts: From) -> Result<Self, BenchError> {
        match accounts {
            From::Own(wallets) => {
                let clock = Arc::new(SystemClock);
                let service = AuthService::new(Arc::new(MemoryStore::default()), clock, Rules::default());
                let accounts = auth::people(&service, wallets).await?;
                let source = InProcess::new(service.clone());
                Ok(Self::over(service, source, accounts))
            }
            From::Service(accounts) => {
                let address = accounts.address.ok_or_else(|| CHILD.input("no address of the accounts"))?;
                let token = SecretString::from(accounts.admin.clone());
                let client = AuthClient::new(&[format!("http://{address}")], token, ClientConfig::default());
                let client = client.map_err(|error| CHILD.input(error))?;
                Ok(Self::over(client.clone(), FromService::new(client), accounts))
            }
        }
    }

    fn over<A>(service: A, source: impl EffectSource, accounts: Accounts) -> Self
    where
        A: Authenticator + AccountDirectory + Clone + 'static,
    {
        let liveness = Liveness::default();
        let cached = Cached::new(Arc::new(service.clone()), liveness.clone(), CacheConfig::default());
        let chain = Chain::new("gateway").remote(cached.clone());
        // Nobody guesses here, and a crowd comes from one machine.
        let gate = Gate::new(chain, Blacklist::default(), Guesses::new(None));
        let watch = Watch::new(source, liveness, WatchConfig::default()).tell(cached);
        Self { gate, directory: Arc::new(service), watch, accounts }
    }
}

/// Ends what rests on a token that counts no more.
fn follow(watch: Watch, hub: Hub, server: &GatewayServer) -> JoinHandle<()> {
    let registrations = move |effect: &Effect| {
        if let Effect::Token { hash, .. } = effect {
            hub.end(&Ended::Token(hash.clone()));
        }
    };
    let sockets = Sockets::of(server.servers().into_iter().cloned());
    tokio::spawn(watch.tell(registrations).tell(sockets).run())
}

#[rpc(server, namespace = "Bench", namespace_separator = ".")]
trait BareSign {
    #[method(name = "WalletSign")]
    async fn wallet_sign(
        &self,
        signer: AddressText,
        accounts: Option<Vec<String>>,
        to_sign: Base64,
        meta: MetaText,
    ) -> RpcResult<Signature>;
}

const TABLE: &[MethodSpec] = &[MethodSpec::new(
    BARE_METHOD,
    Permission::Admin,
    &[
        Param::of::<AddressText>("address.Address"),
        Param::of::<Option<Vec<String>>>("[]string"),
        Param::of::<Base64>("[]uint8"),
        Param::of::<MetaText>("types.MsgMeta"),
    ],
)];

struct Bare;

#[jsonrpsee::core::async_trait]
impl BareSignServer for Bare {
    async fn wallet_sign(
        &self,
        _: AddressText,
        _: Option<Vec<String>>,
        _: Base64,
        _: MetaText,
    ) -> RpcResult<Signature> {
        Ok(Signature::secp256k1([7; secp::SIGNATURE_LEN]))
    }
}

/// A method that takes what `WalletSign` takes, reads all of it and answers at once.
fn bare(gate: Gate, limits: Limits) -> Result<RpcServer, BenchError> {
    let service = Service::new(BareSignServer::into_rpc(Bare), &[TABLE], Dialect::Fork);
    let service = service.map_err(|error| CHILD.input(error))?;
    Ok(RpcServer::with_limits(service, gate, limits, KeepAlive::default()))
}

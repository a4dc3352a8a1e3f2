//! The wallet as a JSON-RPC service, for Go and Rust clients.
//!
//! | path | who calls | dialect |
//! |---|---|---|
//! | `/rpc/v0` | every Venus component, and Lotus nodes as Go's wallet serves them | the fork's |
//! | `/lotus/rpc/v0`, or `/rpc/v0` on a port of its own | Lotus nodes, as `lotus-wallet` serves them | upstream's |
//! | `/healthcheck`, `/livez`, `/readyz` | anybody | |
//!
//! Calls come over HTTP or WebSocket with one of the wallet's own [`Tokens`], as `Authorization: Bearer` or `?token=`.
//! A strategy token comes behind it (`<JWT>___<token>`) or as the header `StrategyToken`.
//! Without a token a caller has no rights, unless [`ServerConfig::strangers_read`] gives the one that Go gives.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use venus_signer::LocalWallet;
//! use venus_signer::server::{ServerConfig, Surroundings, Tokens, WalletServer, WalletService};
//!
//! let wallet = LocalWallet::in_memory();
//! let tokens = Arc::new(Tokens::new(vec![7; 32].into()));
//! let service = WalletService::new(wallet, tokens.clone(), Default::default(), Surroundings::default());
//! let server = WalletServer::new(service, tokens, ServerConfig::default())?;
//! let listening = server.listen("127.0.0.1:0".parse()?).await?;
//! println!("http://{}/rpc/v0", listening.local_addr());
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod api;
mod errors;
mod http;
mod proof;
mod seams;
mod service;
mod token;
mod wire;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use jsonrpsee::Methods;
use venus_core::api::Permissions;
use venus_core::rpc::server::{Listening, RpcServer};
use venus_core::rpc::{Dialect, MethodTable, Service, ServiceError};

pub use api::{
    LOTUS_TABLE, VersionInfo, WALLET_EXT_TABLE, WALLET_TABLE, WalletApiClient, WalletApiServer,
    WalletExtApiClient, WalletExtApiServer,
};
pub use seams::{Hubs, LogControl, Probe, Records, Said};
pub use service::{ServiceConfig, Surroundings, WalletService};
pub use token::{Claims, TokenError, Tokens};
pub use wire::{AddressText, Base64, KeyText, KeyTypeText, MetaText};

/// What `Version` answers: the wallet whose API this is, and ours.
pub const VERSION: &str = concat!("1.20.0+rust-", env!("CARGO_PKG_VERSION"));
/// Version 1.1.0 of the API.
pub const API_VERSION: u32 = 0x0001_0100;

/// What is served, and to whom.
#[derive(Clone, Debug, Default)]
pub struct ServerConfig {
    /// Whether callers without a token may read, as at Go's wallet.
    pub strangers_read: bool,
    /// What must be well for the wallet to be ready, besides the lock and the hubs.
    pub probes: Vec<Arc<dyn Probe>>,
}

/// More methods for `/rpc/v0`, as those of strategies.
#[derive(Clone)]
pub struct MoreMethods {
    /// The methods.
    pub methods: Methods,
    /// Their table.
    pub table: &'static MethodTable,
}

impl fmt::Debug for MoreMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MoreMethods").field("methods", &self.table.len()).finish()
    }
}

/// A server of the wallet's API in both dialects.
#[derive(Clone, Debug)]
pub struct WalletServer {
    service: WalletService,
    venus: RpcServer,
    lotus: RpcServer,
    gate: http::Gate,
    probes: Vec<Arc<dyn Probe>>,
}

impl WalletServer {
    /// A server. It listens nowhere yet.
    ///
    /// # Errors
    /// [`ServiceError`], if tables and methods do not fit: a mistake of the programmer.
    pub fn new(
        service: WalletService,
        tokens: Arc<Tokens>,
        config: ServerConfig,
    ) -> Result<Self, ServiceError> {
        Self::with_methods(service, tokens, config, Vec::new())
    }

    /// A server with more methods on `/rpc/v0`.
    ///
    /// # Errors
    /// As [`WalletServer::new`]; also for a method that stands in two tables.
    pub fn with_methods(
        service: WalletService,
        tokens: Arc<Tokens>,
        config: ServerConfig,
        more: Vec<MoreMethods>,
    ) -> Result<Self, ServiceError> {
        let gate = http::Gate { tokens, strangers_read: config.strangers_read };
        let own: Methods = WalletApiServer::into_rpc(service.clone()).into();
        let mut methods = own.clone();
        let mut tables = vec![WALLET_TABLE, WALLET_EXT_TABLE];
        merge(&mut methods, WalletExtApiServer::into_rpc(service.clone()), WALLET_EXT_TABLE)?;
        for MoreMethods { methods: others, table } in more {
            merge(&mut methods, others, table)?;
            tables.push(table);
        }
        let venus = Service::new(methods, &tables, Dialect::Fork)?;
        let lotus = Service::new(own, &[LOTUS_TABLE], Dialect::Upstream)?;
        Ok(Self {
            service,
            venus: RpcServer::new(venus, gate.clone()),
            lotus: RpcServer::new(lotus, gate.clone()),
            gate,
            probes: config.probes,
        })
    }

    /// All endpoints.
    pub fn router(&self) -> Router {
        let tokens = || self.gate.tokens.clone();
        http::dressed(self.venus.router(&["/rpc/v0"]), tokens(), true)
            .merge(http::dressed(self.lotus.router(&["/lotus/rpc/v0"]), tokens(), false))
            .merge(http::health(self.service.clone(), self.probes.clone()))
    }

    /// The endpoints of a remote wallet of Lotus on a port of its own.
    pub fn lotus_router(&self) -> Router {
        http::dressed(self.lotus.router(&["/rpc/v0"]), self.gate.tokens.clone(), false)
            .merge(http::health(self.service.clone(), self.probes.clone()))
    }

    /// Serves all endpoints on `addr` until [`WalletServer::shutdown`].
    ///
    /// # Errors
    /// If the port cannot be had.
    pub async fn listen(&self, addr: SocketAddr) -> io::Result<Listening> {
        self.venus.listen_with(addr, self.router()).await
    }

    /// Serves [`WalletServer::lotus_router`] on `addr`.
    ///
    /// # Errors
    /// If the port cannot be had.
    pub async fn listen_lotus(&self, addr: SocketAddr) -> io::Result<Listening> {
        self.lotus.listen_with(addr, self.lotus_router()).await
    }

    /// Takes no new request, lets running ones end, closes all sockets.
    pub async fn shutdown(&self) {
        tokio::join!(self.venus.shutdown(), self.lotus.shutdown());
    }
}

fn merge(
    methods: &mut Methods,
    others: impl Into<Methods>,
    table: &'static MethodTable,
) -> Result<(), ServiceError> {
    let first = table.first().map_or("", |spec| spec.name);
    methods.merge(others).map_err(|_| ServiceError::Twice(first))
}

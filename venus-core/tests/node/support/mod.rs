//! A node made of doubles, and the ways to it.

pub mod face;
pub mod methods;
pub mod miners;
pub mod replay;
pub mod texts;
pub mod world;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use venus_core::node::{ForestNode, LotusNode, NodeConfig, VenusNode};
use venus_core::rpc::client::{BackOff, Connect, Socket, socket_over};
use venus_core::rpc::server::{Everybody, RpcServer};
use venus_core::rpc::{CallError, Identity, KeepAlive, Limits, Permissions};

pub use face::{Face, Style};
pub use world::World;

/// A server of a face.
pub fn server(face: &Face) -> RpcServer {
    let limits = Limits { message_bytes: 64 << 20, ..Limits::default() };
    RpcServer::with_limits(face.service(), Everybody(Permissions::ALL), limits, KeepAlive::default())
}

/// Opens pipes to whatever server stands at the address now.
#[derive(Clone)]
pub struct Address(Arc<Mutex<RpcServer>>, Arc<AtomicBool>);

impl Address {
    pub fn of(face: &Face) -> Self {
        Self::of_server(server(face))
    }

    pub fn of_server(server: RpcServer) -> Self {
        Self(Arc::new(Mutex::new(server)), Arc::default())
    }

    pub fn server(&self) -> RpcServer {
        self.0.lock().unwrap().clone()
    }

    /// Another node comes to this address, and connections to the old one break.
    pub fn replace(&self, face: &Face) {
        let old = std::mem::replace(&mut *self.0.lock().unwrap(), server(face));
        old.disconnect(|_| true);
    }

    /// The node is away, or back.
    pub fn set_away(&self, away: bool) {
        self.1.store(away, Ordering::SeqCst);
        self.disconnect();
    }

    /// All connections break.
    pub fn disconnect(&self) {
        self.server().disconnect(|_| true);
    }
}

#[async_trait::async_trait]
impl Connect for Address {
    async fn connect(&self) -> Result<Socket, CallError> {
        if self.1.load(Ordering::SeqCst) {
            return Err(CallError::Disconnected);
        }
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (server, admin) = (self.server(), Identity::new("admin", Permissions::ALL));
        tokio::spawn(async move { server.serve_socket(theirs, admin).await });
        Ok(socket_over(ours, &Limits { message_bytes: 64 << 20, ..Limits::default() }).await)
    }

    fn url(&self) -> &str {
        "pipe:"
    }
}

pub fn config() -> NodeConfig {
    let mut config = NodeConfig::default();
    config.client.back_off =
        BackOff { min: Duration::from_millis(1), max: Duration::from_millis(20), factor: 1.5 };
    config
}

pub async fn lotus(at: &Address) -> LotusNode {
    LotusNode::connect_with(at.clone(), config()).await.unwrap()
}

pub async fn venus(at: &Address) -> VenusNode {
    VenusNode::connect_with(at.clone(), config()).await.unwrap()
}

pub async fn forest(at: &Address) -> ForestNode {
    ForestNode::connect_with(at.clone(), config()).await.unwrap()
}

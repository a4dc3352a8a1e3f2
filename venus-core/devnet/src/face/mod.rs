//! The node over the wire: what Lotus, Venus and Forest clients see of a devnet.
//!
//! Every face answers from the same chain. They differ in the methods they have, in the bytes of the dialect, in the
//! texts of errors and in some habits (`null` or `[]`, who signs a block); each module has what belongs to one group
//! of methods, and [`FaceKind`] tells a handler whose habits to follow.

mod chain;
mod error;
mod heads;
mod market;
mod methods;
mod miner;
mod params;
mod state;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use fvm_shared::address::Network;
use serde::Serialize;
use venus_core::api::ISigner;
use venus_core::json;
use venus_core::rpc::server::{Authenticate, Listening, RpcServer};
use venus_core::rpc::{Dialect, Service, ServiceError};

use crate::node::Devnet;
use methods::Methods;

/// Whose habits a face has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaceKind {
    /// Lotus, v1 of its API.
    Lotus,
    /// Venus, v1 of its API.
    Venus,
    /// Forest.
    Forest,
}

impl FaceKind {
    fn dialect(self) -> Dialect {
        match self {
            Self::Venus => Dialect::Fork,
            Self::Lotus | Self::Forest => Dialect::Upstream,
        }
    }

    fn json(self) -> json::Face {
        match self {
            Self::Venus => json::Face::Venus,
            Self::Lotus | Self::Forest => json::Face::Lotus,
        }
    }
}

/// A face of a devnet. Cheap to clone.
#[derive(Clone)]
pub struct Face {
    pub(crate) devnet: Devnet,
    pub(crate) kind: FaceKind,
    /// The node's own keys, for `Wallet*` methods and for blocks that a Lotus node signs.
    pub(crate) keys: Option<Arc<dyn ISigner>>,
}

impl fmt::Debug for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Face").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Face {
    /// A face of `devnet` without keys.
    pub fn new(devnet: Devnet, kind: FaceKind) -> Self {
        Self { devnet, kind, keys: None }
    }

    /// The face with keys of its own, as a node that has a wallet, or that was given a remote one.
    #[must_use]
    pub fn with_keys(self, keys: Arc<dyn ISigner>) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// All methods with their table, in the dialect of the face.
    ///
    /// # Errors
    /// [`ServiceError`], which is a mistake in the tables.
    pub fn service(&self) -> Result<Service, ServiceError> {
        let mut methods = Methods::new(self.clone());
        chain::register(&mut methods);
        heads::register(&mut methods);
        state::register(&mut methods);
        market::register(&mut methods);
        params::register(&mut methods);
        miner::register(&mut methods);
        methods.into_service()
    }

    /// Serves the face at `address` on `/rpc/v0` and `/rpc/v1`.
    ///
    /// # Errors
    /// [`std::io::Error`] if the address cannot be had.
    pub async fn listen(&self, address: SocketAddr, auth: impl Authenticate) -> std::io::Result<(RpcServer, Listening)> {
        let service = self.service().map_err(std::io::Error::other)?;
        let server = RpcServer::new(service, auth);
        let listening = server.listen(address, &["/rpc/v0", "/rpc/v1"]).await?;
        Ok((server, listening))
    }

    /// A value as this node writes it: with its address prefix and its habits.
    pub(crate) fn write(&self, value: &impl Serialize) -> serde_json::Result<Box<serde_json::value::RawValue>> {
        json::with_face(self.kind.json(), || {
            json::with_network(self.prefix(), || serde_json::value::to_raw_value(value))
        })
    }

    pub(crate) fn prefix(&self) -> Network {
        self.devnet.genesis_info().network.address_network
    }
}

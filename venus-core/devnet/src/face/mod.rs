//! The node over the wire: what Lotus, Venus and Forest clients see of a devnet.
//!
//! Every face answers from the same chain. They differ in the methods they have, in the bytes of the dialect, in the
//! texts of errors and in some habits (`null` or `[]`, who signs a block); each module has what belongs to one group
//! of methods, and [`FaceKind`] tells a handler whose habits to follow. What remains different from a real node is
//! listed in `FACES.md`.

mod admin;
mod auth;
mod chain;
mod error;
mod eth;
mod f3;
mod faults;
mod gas;
mod heads;
mod hub;
mod market;
mod messages;
mod methods;
mod miner;
mod mining;
mod mpool;
mod mpool_check;
mod net;
mod network;
mod objects;
mod params;
mod random;
mod server;
mod state;
mod state_call;
mod token;
mod v2;
mod wallet;

use std::fmt;
use std::sync::Arc;

use fvm_shared::address::Network;
use serde::Serialize;
use uuid::Uuid;
use venus_core::api::ISigner;
use venus_core::json;
use venus_core::rpc::{Dialect, Service, ServiceError};

use crate::control::DevnetControl;
use crate::node::Devnet;
use hub::HeadHub;
use methods::Methods;

pub use faults::{Fault, FaultKind, Faults, TooManyFaults};
pub use server::FaceServer;
pub use token::{TokenError, Tokens};

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
            Self::Lotus => Dialect::Upstream,
            Self::Forest => Dialect::Forest,
        }
    }

    fn json(self) -> json::Face {
        match self {
            Self::Venus => json::Face::Venus,
            Self::Lotus | Self::Forest => json::Face::Lotus,
        }
    }
}

/// A generation of the API: nodes serve each on a path of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApiVersion {
    /// `/rpc/v0`: older parameter lists.
    V0,
    /// `/rpc/v1`: what the crates of this workspace speak.
    V1,
    /// `/rpc/v2` of Lotus and Forest: tipsets by selector. Venus has none.
    V2,
}

/// A face of a devnet. Cheap to clone; clones share faults and subscribers.
#[derive(Clone)]
pub struct Face {
    pub(crate) devnet: Devnet,
    pub(crate) kind: FaceKind,
    /// The node's own keys, for `Wallet*` methods and for blocks that a Lotus node signs.
    pub(crate) keys: Option<Arc<dyn ISigner>>,
    /// What makes and reads the node's tokens, for `Auth*` methods.
    pub(crate) tokens: Option<Tokens>,
    /// What drives the devnet, for `Devnet.*` methods.
    pub(crate) control: Option<DevnetControl>,
    pub(crate) faults: Faults,
    pub(crate) hub: Arc<HeadHub>,
    /// Tells this life of the node from others.
    pub(crate) session: Uuid,
}

impl fmt::Debug for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Face").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Face {
    /// A face of `devnet` without keys.
    pub fn new(devnet: Devnet, kind: FaceKind) -> Self {
        let (faults, hub) = (Faults::default(), Arc::default());
        Self { devnet, kind, keys: None, tokens: None, control: None, faults, hub, session: Uuid::new_v4() }
    }

    /// The face with keys of its own, as a node that has a wallet, or that was given a remote one.
    #[must_use]
    pub fn with_keys(self, keys: Arc<dyn ISigner>) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// The face with `AuthNew` and `AuthVerify`, which make and read tokens of `tokens`.
    #[must_use]
    pub fn with_tokens(self, tokens: Tokens) -> Self {
        Self { tokens: Some(tokens), ..self }
    }

    /// The face with the `Devnet.*` methods, which drive `control`.
    #[must_use]
    pub fn with_control(self, control: DevnetControl) -> Self {
        Self { control: Some(control), ..self }
    }

    /// Whose habits it has.
    pub fn kind(&self) -> FaceKind {
        self.kind
    }

    /// What goes wrong on purpose on this face.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The methods of version 1 with their table, in the dialect of the face.
    ///
    /// # Errors
    /// [`ServiceError`], which is a mistake in the tables.
    pub fn service(&self) -> Result<Service, ServiceError> {
        self.service_of(ApiVersion::V1)
    }

    /// All methods of a version with their table, in the dialect of the face.
    ///
    /// # Errors
    /// [`ServiceError`], which is a mistake in the tables.
    pub fn service_of(&self, version: ApiVersion) -> Result<Service, ServiceError> {
        let mut methods = Methods::new(self.clone(), version);
        match version {
            ApiVersion::V0 | ApiVersion::V1 => register_all(&mut methods),
            ApiVersion::V2 => v2::register(&mut methods),
        }
        heads::register(&mut methods);
        if self.control.is_some() {
            admin::register(&mut methods);
        }
        auth::register_discovery(&mut methods);
        methods.into_service()
    }

    /// A value as this node writes it: with its address prefix and its habits.
    pub(crate) fn write(
        &self,
        value: &impl Serialize,
    ) -> serde_json::Result<Box<serde_json::value::RawValue>> {
        let raw = json::with_face(self.kind.json(), || {
            json::with_network(self.prefix(), || serde_json::value::to_raw_value(value))
        })?;
        match self.kind {
            FaceKind::Forest => without_absent(raw),
            FaceKind::Lotus | FaceKind::Venus => Ok(raw),
        }
    }

    pub(crate) fn prefix(&self) -> Network {
        self.devnet.genesis_info().network.address_network
    }
}

fn register_all(m: &mut Methods) {
    auth::register(m);
    chain::register(m);
    messages::register(m);
    objects::register(m);
    random::register(m);
    network::register(m);
    net::register(m);
    mpool::register(m);
    if !m.v0() {
        mpool_check::register(m);
    }
    gas::register(m);
    mining::register(m);
    wallet::register(m);
    eth::register(m);
    f3::register(m);
    state::register(m);
    state_call::register(m);
    market::register(m);
    params::register(m);
    miner::register(m);
}

/// Forest leaves out what a header does not have, where Go writes null.
fn without_absent(
    raw: Box<serde_json::value::RawValue>,
) -> serde_json::Result<Box<serde_json::value::RawValue>> {
    // A quote within a text is escaped, so these patterns are members of objects.
    const ABSENT: [&str; 4] =
        [",\"Ticket\":null", ",\"ElectionProof\":null", ",\"BLSAggregate\":null", ",\"BlockSig\":null"];
    if !ABSENT.iter().any(|member| raw.get().contains(member)) {
        return Ok(raw);
    }
    let text = ABSENT.iter().fold(raw.get().to_owned(), |text, member| text.replace(member, ""));
    serde_json::value::RawValue::from_string(text)
}

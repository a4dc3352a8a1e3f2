//! go-jsonrpc: the session that every Venus component, Lotus and Forest speak, in both directions.
//!
//! Two dialects are alive. Lotus speaks upstream go-jsonrpc, every Venus component speaks a fork of it whose
//! bytes differ ([`Dialect`]). Both carry calls over HTTP and WebSocket on one path, let a method answer with a
//! *channel* of values, and let the server call the client back over the same socket.
//!
//! An API is defined once, as a jsonrpsee `#[rpc(client, server, namespace = "Filecoin", namespace_separator = ".")]`
//! trait. jsonrpsee dispatches and generates the client; the session below it is this module, because
//! jsonrpsee's own transports drop a connection on what Go peers send: a reply without `result`, an error with
//! `meta`, a channel value.
//!
//! - [`table`]: beside each API, a table of its methods with permission and parameters; what is not listed is refused.
//! - `server` (feature `server`): an axum router for HTTP and WebSocket, authentication, limits, reverse calls.
//! - `client` (feature `client`): HTTP and WebSocket, reconnect, deadlines, channels, reverse handlers.
//! - [`classify`]: what a node's error means, as [`ChainError`](crate::api::ChainError).
//! - [`api_info`]: `token:multiaddr` and its relatives.

pub mod api_info;
pub mod classify;
mod dialect;
mod dispatch;
mod error;
mod frame;
mod go_text;
mod id;
mod limiter;
mod params;
mod service;
mod session;
pub mod table;

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "server")]
pub mod server;

pub use api_info::{ApiInfo, ApiInfoError};
pub use dialect::Dialect;
pub use dispatch::ChannelFeed;
pub use error::{CallError, RpcError, codes};
pub use frame::{Frame, FrameError};
pub use id::{FrameId, Id};
pub use limiter::Limiter;
pub use service::{Caller, Identity, Service, ServiceError, Transport};
pub use session::{ChannelClosed, ChannelEvent, KeepAlive, Limits, Peer, RawChannel};
pub use table::{MethodSpec, MethodTable, Param, Permission, Permissions, Returns};

/// A client that sends this header with the value `1` gets `error.data = {"kind", "retry_after_ms"}`.
pub const ERRORS_HEADER: &str = "x-venus-errors";
/// What Go's generated Venus clients name their API with, as `<package>.<interface>`.
pub const NAMESPACE_HEADER: &str = "x-venus-api-namespace";

//! The hub over the wire: what Go's gateway serves at `/rpc/v1` and `/rpc/v2`.
//!
//! | path | who | what differs |
//! |---|---|---|
//! | `/rpc/v1` | wallets | `WalletHas` and `WalletSign` have one account, and it comes first |
//! | `/rpc/v2` | everybody else | |
//!
//! Both come over HTTP and WebSocket, channels over WebSocket only. Every method needs a token; those of callers need
//! the permission `admin`, those of providers `read`.
//!
//! ```no_run
//! # async fn run(gate: std::sync::Arc<dyn venus_core::rpc::server::Authenticate>,
//! #     accounts: std::sync::Arc<dyn venus_core::api::AccountDirectory>) -> Result<(), Box<dyn std::error::Error>> {
//! use venus_gateway::rpc::{GatewayServer, ServerOptions};
//! use venus_gateway::{Hub, HubOptions};
//!
//! let hub = Hub::new(accounts, HubOptions::new("eu-1"));
//! let server = GatewayServer::new(&hub, gate, ServerOptions::default())?;
//! let listening = server.listen("127.0.0.1:45132".parse()?).await?;
//! println!("http://{}/rpc/v2", listening.local_addr());
//! hub.shutdown().await;
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod api;
mod caller;
mod serve;
mod server;
mod wire;

pub use api::{GatewayApiServer, GatewayApiV1Server, TABLE, V1_TABLE, V2_TABLE, VersionInfo};
pub use caller::DEADLINE_HEADER;
pub use serve::{ReverseTargets, VERSION};
pub use server::{GatewayServer, ServerOptions, services};
pub use wire::{AddressText, Base64, Id, MetaText};

//! The provider's side of a gateway for provers and sealers: answers what hubs ask about miners.
//!
//! Provers and sealers stand at a storage provider's home, behind a firewall. [`ProviderHandle::start`] dials every hub,
//! registers there for each miner, and keeps that so: a hub that is away is tried again after growing pauses, and no hub
//! and no miner disturbs another.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use venus_core::testing::doubles::ScriptedProver;
//! use venus_core::types::Address;
//! use venus_gateway::sealer::{Handlers, ProviderHandle, ProviderOptions};
//!
//! // Whatever computes proofs, here or on another machine.
//! let handlers = Handlers::proofs(Arc::new(ScriptedProver::new()));
//! let hubs = ["eyJhbGciOi.eyJuYW1lIjo.c2ln:/ip4/127.0.0.1/tcp/45132"];
//! let miners = [Address::new_id(1000)];
//! let provider = ProviderHandle::start(handlers, miners, hubs, ProviderOptions::default())?;
//! provider.add_miner(Address::new_id(1001));
//! for hub in provider.status() {
//!     println!("{} {:?}", hub.url, hub.channels);
//! }
//! provider.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! Every question is answered: with a result, with the handler's error, with `overloaded` when as much waits as may, and
//! with `unsupported method …` for what is not known.

mod channel;
mod handle;
mod handler;
mod hub;
mod live;
mod options;
mod status;
mod work;

pub use crate::endpoint::EndpointError;
pub use handle::ProviderHandle;
pub use handler::{Handlers, ProofHandler, UnsealHandler};
pub use options::ProviderOptions;
pub use status::{ChannelState, ChannelStatus, HubStatus, MinerWork};

//! Those who need what dialled in: signers, provers and sealers behind one or several gateways.
//!
//! [`Gateways`] keeps a connection open to each gateway. On it stand [`GatewaySigner`] (an
//! [`ISigner`](venus_core::api::ISigner)), [`GatewayProver`] (a [`ProofComputer`](venus_core::api::ProofComputer)) and
//! [`GatewayUnsealer`] (a [`PieceUnsealer`](venus_core::api::PieceUnsealer)). Wallets and provers register at several
//! gateways; a request goes to one that has the key or the miner *at this moment*, and to the next one if that fails.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::{sync::Arc, time::Duration};
//! use venus_core::api::ISigner;
//! use venus_gateway::client::{GatewayConfig, GatewaySigner};
//!
//! let signer = GatewaySigner::builder()
//!     .gateway("eyJhbGciOi.eyJuYW1lIjo.c2ln:/ip4/127.0.0.1/tcp/45132")
//!     // A gateway of Go wants to be told for which accounts it asks.
//!     .gateway(GatewayConfig::new("eyJhbGciOi.eyJuYW1lIjo.c2ln:/dns/gw-2.example/tcp/443/wss").accounts(["alice"]))
//!     .deadline(Duration::from_secs(3))
//!     .build()?;
//! let anywhere: Arc<dyn ISigner> = Arc::new(signer.clone());
//! # drop(anywhere);
//! signer.gateways().shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! A gateway is not trusted with answers: a signature is verified here before it is handed on, whatever the gateway did.

mod builder;
mod link;
mod prover;
mod route;
mod signer;
mod unsealer;

pub use crate::endpoint::EndpointError;
pub use builder::{Builder, GatewayConfig, GatewayState, Gateways};
pub use prover::GatewayProver;
pub use signer::GatewaySigner;
pub use unsealer::GatewayUnsealer;

#![doc = include_str!("../README.md")]

mod channel;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
mod endpoint;
mod engine;
mod error;
mod hub;
mod list;
mod options;
mod provider;
#[cfg(feature = "server")]
pub mod proxy;
mod register;
mod registry;
#[cfg(feature = "server")]
pub mod rpc;
#[cfg(feature = "client")]
pub mod sealer;
mod verify;

pub use error::HubError;
pub use hub::{Accounts, Hub, HubSigner};
pub use options::{HubLimits, HubOptions, Legacy, SupportRule};
pub use provider::{Events, Kind, Provider};
pub use register::{Ended, Failure};
pub use verify::{SignatureVerifier, Verifying};

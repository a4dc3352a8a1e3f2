#![doc = include_str!("../README.md")]

mod channel;
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
mod verify;

pub use error::HubError;
pub use hub::{Accounts, Ended, Hub, HubSigner};
pub use options::{HubLimits, HubOptions, Legacy, SupportRule};
pub use provider::{Events, Kind, Provider};
pub use verify::{SignatureVerifier, Verifying};

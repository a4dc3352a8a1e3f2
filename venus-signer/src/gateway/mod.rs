//! The provider's side of a gateway: offers the keys of this wallet at hubs, and answers what they ask.
//!
//! A wallet behind a firewall dials its hubs. At each it opens a channel, on which the hub sends events: which
//! addresses it has, challenges that prove them, requests to sign. [`GatewayProvider::start`] keeps one such
//! registration at each hub alive, for as long as the wallet is unlocked; hubs know nothing of each other, and none can
//! disturb the registration at another one.
//!
//! A hub is not trusted. What it asks goes through [`LocalWallet::sign_as`](crate::LocalWallet::sign_as) as
//! [`Origin::Gateway`](crate::Origin::Gateway), without any right but what the wallet's rules give to the hub and
//! the accounts; its challenges have to name the hub, the account, the channel and the key
//! ([`GatewayChallenge`](venus_core::types::GatewayChallenge)). Go gateways send challenges that name nobody, and are
//! served only where [`HubConfig::legacy`] says so: **two legacy hubs can pass each other's challenges on** and so claim
//! this wallet's keys there.
//!
//! Hubs of ours say which addresses and accounts they did not take, and why: [`HubStatus::refused`].

mod config;
mod event;
mod hub;
mod live;
mod provider;
mod session;
mod status;
mod wallet;
mod wire;

pub use config::{GatewayOptions, HubConfig, HubConfigError};
pub use hub::Dial;
pub use provider::{GatewayError, GatewayHandle, GatewayProvider};
pub use status::{HubState, HubStatus};
pub use wallet::WalletHandler;

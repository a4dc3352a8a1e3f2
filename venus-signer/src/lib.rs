#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod admin;
pub mod audit;
mod check;
mod error;
#[cfg(feature = "gateway")]
pub mod gateway;
mod key;
mod key_text;
mod keystore;
mod payload;
#[cfg(feature = "remote")]
pub mod remote;
mod pipeline;
mod request;
pub mod slashing;
mod vault;
mod wallet;

pub use admin::SignerAdmin;
pub use check::{Check, Refusal};
pub use error::{KeyError, WalletError};
pub use key::{KeyInfo, KeyType};
pub use keystore::{KeyStore, MemoryKeyStore};
pub use payload::{Payload, SigningNetwork};
pub use request::{Caller, Origin, Review, SignRequest};
pub use vault::{LockState, Vault, VaultEvent};
pub use wallet::{LocalWallet, WalletBuilder};

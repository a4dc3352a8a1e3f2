#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod admin;
pub mod audit;
mod check;
mod cipher;
mod error;
mod filter;
pub mod frc0102;
#[cfg(feature = "gateway")]
pub mod gateway;
pub mod import;
mod key;
mod key_text;
mod keystore;
pub mod mnemonic;
mod payload;
mod pipeline;
pub mod policy;
#[cfg(feature = "remote")]
pub mod remote;
mod request;
mod secret_json;
#[cfg(feature = "server")]
pub mod server;
pub mod slashing;
pub mod strategy;
mod vault;
mod wallet;

pub use admin::SignerAdmin;
pub use check::{Check, Refusal};
pub use cipher::ScryptParams;
pub use error::{KeyError, WalletError};
pub use filter::ExprFilter;
pub use import::KeyFormat;
pub use key::{KeyInfo, KeyType};
#[cfg(feature = "sqlite")]
pub use keystore::SqliteKeyStore;
pub use keystore::{KeyStore, MemoryKeyStore, SealedKey};
pub use mnemonic::{KeyPath, Mnemonic, Seed, WordCount};
pub use payload::{
    EthKind, EthTransaction, F3Ticket, F3Vote, MessageToSign, Payload, PayloadClass, RawClass,
    SigningNetwork, go_text,
};
pub use request::{Caller, Origin, Review, SignRequest};
pub use vault::{LockState, PasswordSource, PasswordSourceError, Restored, Vault, VaultEvent, VaultOptions};
pub use wallet::{LocalWallet, WalletBuilder};

#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod admin;
pub mod audit;
mod check;
mod cipher;
#[cfg(feature = "sqlite")]
#[allow(dead_code, reason = "some of it only with stores that not every build has")]
mod db;
mod error;
mod key;
mod key_text;
mod keystore;
mod payload;
mod pipeline;
mod request;
pub mod slashing;
mod vault;
mod wallet;

pub use admin::SignerAdmin;
pub use check::{Check, Refusal};
pub use cipher::ScryptParams;
pub use error::{KeyError, WalletError};
pub use key::{KeyInfo, KeyType};
#[cfg(feature = "sqlite")]
pub use keystore::SqliteKeyStore;
pub use keystore::{KeyStore, LotusFolder, LotusFolderError, MemoryKeyStore, SealedKey};
pub use payload::{Payload, SigningNetwork};
pub use request::{Caller, Origin, Review, SignRequest};
pub use vault::{LockState, PasswordSource, PasswordSourceError, Restored, Vault, VaultEvent, VaultOptions};
pub use wallet::{LocalWallet, WalletBuilder};

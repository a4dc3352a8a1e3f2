#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod audit;
mod check;
mod error;
mod filter;
pub mod frc0102;
pub mod import;
mod key;
mod key_text;
mod keystore;
mod payload;
pub mod policy;
mod request;
mod secret_json;
pub mod slashing;
mod vault;
mod wallet;

pub use check::{Check, Refusal};
pub use error::{KeyError, WalletError};
pub use filter::ExprFilter;
pub use import::KeyFormat;
pub use key::{KeyInfo, KeyType};
pub use keystore::{KeyStore, MemoryKeyStore};
pub use payload::{
    EthKind, EthTransaction, F3Ticket, F3Vote, MessageToSign, Payload, PayloadClass, RawClass,
    SigningNetwork, go_text,
};
pub use request::{Caller, Origin, Review, SignRequest};
pub use vault::{LockState, Vault, VaultEvent};
pub use wallet::{LocalWallet, WalletBuilder};

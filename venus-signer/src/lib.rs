#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
mod key;
mod key_text;
mod keystore;
mod payload;
mod wallet;

pub use error::{KeyError, WalletError};
pub use key::{KeyInfo, KeyType};
pub use keystore::{KeyStore, MemoryKeyStore};
pub use payload::Payload;
pub use wallet::LocalWallet;

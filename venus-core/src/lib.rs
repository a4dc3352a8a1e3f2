#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod actors;
pub mod api;
pub mod cbor;
pub mod clock;
pub mod consensus;
pub mod crypto;
pub mod entropy;
pub mod error;
pub mod json;
#[cfg(feature = "client")]
pub mod node;
#[cfg(feature = "_session")]
pub mod rpc;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(test, feature = "test-utils"))]
pub mod testing;
pub mod types;

pub use error::{Classify, ErrorKind};

/// What most programs import.
pub mod prelude {
    pub use crate::api::{
        AccountDirectory, Authenticator, BlockProducer, ChainReader, GasEstimator, HeadFeed, IMessager,
        ISigner, MarketReader, MessagePool, MinerReader, PieceUnsealer, ProofComputer, SectorReader,
        SignerExt, StateReader,
    };
    pub use crate::error::{Classify, ErrorKind};
    pub use crate::types::{Address, Message, MessageExt, SignedMessage, TokenAmount};
}

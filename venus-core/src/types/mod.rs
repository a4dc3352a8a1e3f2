//! The vocabulary: `fvm_shared`'s types where they fit, ours where it lacks them, under one path.
//!
//! | from `fvm_shared` and friends | ours |
//! |---|---|
//! | [`Address`], [`TokenAmount`], [`Message`], [`Cid`], [`BigInt`], [`ExitCode`] | [`Signature`] (all three kinds), [`SignedMessage`], [`BlockHeader`], [`Ticket`], [`ElectionProof`], [`BeaconEntry`], [`Tipset`], [`TipsetKey`], [`Receipt`], [`MsgMeta`] |
//!
//! Our types speak Lotus-JSON through serde and CBOR through [`crate::cbor`].

pub mod address;
mod amount;
mod block;
mod cids;
mod draw;
mod header;
mod lookup;
mod message;
mod meta;
mod mining;
mod receipt;
mod signature;
mod tipset;

pub use cid::Cid;
pub use fvm_ipld_encoding::RawBytes;
pub use fvm_shared::address::{Address, Network, Payload, Protocol};
pub use fvm_shared::clock::ChainEpoch;
pub use fvm_shared::econ::TokenAmount;
pub use fvm_shared::error::ExitCode;
pub use fvm_shared::message::Message;
pub use fvm_shared::{ActorID, METHOD_SEND, MethodNum};
pub use num_bigint::BigInt;

pub use amount::{AmountError, fil, parse_fil};
pub use block::{BlockMessages, BlockMsg};
pub use cids::{DAG_CBOR, blake2b_cid, cid_of};
pub use draw::DrawRandomParams;
pub use header::{BeaconEntry, BlockHeader, ElectionProof, PostProof, Ticket};
pub use lookup::{MessageLookup, NetworkInfo};
pub use message::{MessageError, MessageExt, SignedMessage};
pub use meta::{MsgMeta, MsgType};
pub use mining::{BlockTemplate, ExtendedSectorInfo, MiningBaseInfo};
pub use receipt::{Receipt, ReceiptVersion};
pub use signature::{Signature, SignatureType};
pub use tipset::{Tipset, TipsetError, TipsetKey};

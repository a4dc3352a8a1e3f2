//! Builtin actors: their methods, and the parameters and return values that a pool sends and reads.
//!
//! Every type is the exact tuple of the actor's specification, in CBOR through [`crate::cbor`]. Amounts are
//! attoFIL, sizes are padded bytes, epochs are `i64`.
//!
//! ```
//! use venus_core::actors::{ActorKind, market, methods};
//! use venus_core::cbor::Encode;
//! use venus_core::types::{Address, TokenAmount};
//!
//! let params = market::WithdrawBalanceParams {
//!     address: Address::new_id(1000),
//!     amount: TokenAmount::from_atto(1),
//! };
//! assert_eq!(params.to_cbor(), [0x82, 0x43, 0, 0xe8, 7, 0x42, 0, 1]);
//! let name = methods::name(ActorKind::Market, 18, market::WITHDRAW_BALANCE);
//! assert_eq!(name, Some("WithdrawBalance"));
//! ```

pub mod account;
mod batch;
pub mod datacap;
pub mod init;
mod kind;
pub mod market;
pub mod methods;
pub mod miner;
pub mod multisig;
pub mod power;
pub mod reward;
pub mod verifreg;

pub use batch::{BatchReturn, FailCode};
pub use kind::ActorKind;

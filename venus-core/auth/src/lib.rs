#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod audit;
mod check;
#[cfg(feature = "client")]
#[cfg_attr(docsrs, doc(cfg(feature = "client")))]
pub mod client;
mod effect;
#[cfg(any(feature = "client", feature = "mysql", feature = "server"))]
mod effect_json;
mod effects;
mod error;
pub mod jwt;
#[cfg(feature = "guard")]
#[cfg_attr(docsrs, doc(cfg(feature = "guard")))]
pub mod limits;
#[cfg(feature = "guard")]
mod memo;
mod model;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod rest;
mod service;
mod store;
#[cfg(feature = "test-utils")]
pub mod testing;
mod text;
#[cfg(feature = "guard")]
#[cfg_attr(docsrs, doc(cfg(feature = "guard")))]
pub mod verifier;
#[cfg(feature = "guard")]
#[cfg_attr(docsrs, doc(cfg(feature = "guard")))]
pub mod watch;
#[cfg(any(feature = "client", feature = "server"))]
mod wire;

pub use audit::{AuditQuery, AuditRecord};
pub use effect::{Effect, Revocation};
pub use effects::Effects;
pub use error::AuthError;
pub use model::{
    Ban, BanError, LimitRow, MinerRow, Page, Provenance, SignerRow, TokenKey, TokenRow, User, UserState,
};
pub use service::{
    Actor, AuthService, LOCAL_TOKEN, NewToken, NewUser, Rules, SignerOutcome, SignerSharing, TokenStorage,
    TokenView, Verified,
};
#[cfg(feature = "mysql")]
pub use store::SchemaPlan;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
pub use store::SqlStore;
pub use store::{
    AuthStore, Cascade, Changed, Decide, Heard, MemoryStore, MinerBound, StoreError, TokenMigration,
    UserChange, migrate_tokens,
};

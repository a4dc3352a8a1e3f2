#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod audit;
mod effect;
pub mod jwt;
mod model;
mod store;

pub use audit::{AuditQuery, AuditRecord};
pub use effect::{Effect, Revocation};
pub use model::{Ban, LimitRow, MinerRow, Page, Provenance, SignerRow, TokenKey, TokenRow, User, UserState};
pub use store::{AuthStore, Cascade, Changed, StoreError, UserChange};

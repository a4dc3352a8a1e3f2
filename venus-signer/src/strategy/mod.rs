//! Who may sign what: keys bound to message types and methods, in groups that tokens and accounts stand for.
//!
//! The concepts, tables and names are those of venus-wallet v1.0 to v1.8, so that its databases and clients go on
//! working:
//!
//! * a [`KeyBind`] lets a key sign some types and, for chain messages, some methods;
//! * templates ([`MsgTypeTemplate`], [`MethodTemplate`]) are copied into key binds when those are made;
//! * a [`Group`] is a list of key binds; a *strategy token* ([`StToken`]) or an account of a gateway stands for it.
//!
//! [`Strategy`] is the [`Check`](crate::Check) that asks them, and the editor. What differs from the Go module:
//!
//! * A request passes if *any* key bind of the group for the key allows it; Go looked at the one with the lowest id.
//! * Whatever an edit takes away is gone when the edit returns. Go kept signing from a cache until its restart.
//! * Requests through a gateway carry accounts instead of a token; **every** account must be bound to a group that
//!   allows the request. Go denied them all.
//! * Tokens are stored as hashes and shown once. [`StrategyOptions::clear_tokens`] stores them as Go does.
//! * There is no root token: Go's was the same on every installation.
//! * Addresses are compared by value: `f` and `t` are alike.
//! * Empty types and methods are stored, removing a key bind or a group removes what pointed to it, names and lists
//!   have limits, and revoking a token that does not exist is an error.

mod actors;
mod edit;
mod engine;
mod error;
mod index;
mod methods;
mod model;
mod msg_enum;
#[cfg(feature = "server")]
pub mod rpc;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod tables;
mod token;
mod verify;

pub use actors::{ActorKinds, NodeActors, Singletons};
pub use engine::{Level, Strategy, StrategyOptions};
pub use error::StrategyError;
pub use methods::{is_method_name, method_names};
pub use model::{AccountBind, Group, GroupAuth, KeyBind, MethodTemplate, MsgTypeTemplate};
pub use msg_enum::MsgEnum;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStrategyStore;
pub use store::{MemoryStrategyStore, StrategyStore};
pub use tables::{Change, GroupRow, Id, StoredToken, Tables, TokenRow};
pub use token::{StToken, split_token};
pub use verify::Scope;

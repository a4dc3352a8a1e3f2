//! The gateway over real sockets.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub
)]
#![cfg(feature = "server")]

mod client;
mod double;
mod frames;
mod guard;
mod http;
mod large;
mod pool;
mod prover;
#[path = "../replay/mod.rs"]
mod replay;
mod stage;
mod wallet;

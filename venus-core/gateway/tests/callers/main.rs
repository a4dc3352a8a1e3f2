#![cfg(all(feature = "client", feature = "server"))]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
//! Those who call gateways, and provers and sealers, against gateways that do as they are told, over real sockets.

mod prover;
mod provider;
mod script;
mod signer;

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
//! Wallets, provers and sealers that dial in at real gateways, the accounts they belong to, and those who call them:
//! every crate over real sockets.

mod go_programs;
mod miners;
mod pool;
mod revoke;
mod seeds;
mod wallets;

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
//! The go-jsonrpc session against recordings of Go programs, simulated peers, and itself.

mod channels;
mod client_golden;
mod dead_ends;
mod generated;
mod guard;
mod handshake;
mod keep_alive;
mod limits;
mod permissions;
mod property;
mod raw_http;
mod raw_ws;
mod reconnect;
mod streams;
mod support;

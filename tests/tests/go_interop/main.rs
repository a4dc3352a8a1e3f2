#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
//! Our session against real Go programs: `interop/`, built with upstream go-jsonrpc and with the fork of Venus.
//!
//! Without Go nothing is proved here, so the tests say that they skip; with `VENUS_REQUIRE_GO=1` they fail instead.

mod go_clients;
mod go_servers;
mod program;
mod service;

use venus_core::rpc::Dialect;

const BOTH: [Dialect; 2] = [Dialect::Fork, Dialect::Upstream];

/// As the Go programs name them.
fn name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Fork => "fork",
        Dialect::Upstream => "upstream",
    }
}

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
//! Our session against real Go programs: `interop/`, built with two versions of upstream go-jsonrpc and with the
//! fork of Venus.
//!
//! Without Go nothing is proved here, so the tests say that they skip; with `VENUS_REQUIRE_GO=1` they fail instead.

mod go_clients;
mod go_servers;
mod program;
mod service;

use venus_core::rpc::Dialect;

const DIALECTS: [Dialect; 2] = [Dialect::Fork, Dialect::Upstream];

/// What a Go program is built with.
#[derive(Clone, Copy, Debug)]
enum Library {
    /// The fork of Venus, v0.1.9.
    Fork,
    /// Upstream v0.10.2.
    Upstream,
    /// Upstream v0.10.1, which never answers a ping.
    Earlier,
}

const LIBRARIES: [Library; 3] = [Library::Fork, Library::Upstream, Library::Earlier];

impl Library {
    fn dialect(self) -> Dialect {
        match self {
            Self::Fork => Dialect::Fork,
            Self::Upstream | Self::Earlier => Dialect::Upstream,
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Upstream => "upstream",
            Self::Earlier => "earlier",
        }
    }

    /// The file that chooses the library, in the place of `go.mod`.
    fn modules(self) -> &'static str {
        match self {
            Self::Fork => "fork.mod",
            Self::Upstream => "go.mod",
            Self::Earlier => "earlier.mod",
        }
    }
}

/// As the Go programs name it.
fn name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Fork => "fork",
        Dialect::Upstream | Dialect::Forest => "upstream",
    }
}

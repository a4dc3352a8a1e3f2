//! Node adapters, against a face that serves the doubles as nodes do and against recorded answers.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(dead_code, unreachable_pub, reason = "support is shared by all parts of the test")]

#[path = "../common/mod.rs"]
mod common;

mod blocks;
mod headers;
mod heads;
mod miners;
mod multi;
mod pool;
mod reading;
mod recorded;
mod sockets;
mod support;
mod waiting;

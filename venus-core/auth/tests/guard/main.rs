//! Other services guard themselves: verifiers, the watch on what ends, limits of calls.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod gate;
mod limits;
mod redis;
mod sockets;
mod support;
mod verifier;
mod watch;

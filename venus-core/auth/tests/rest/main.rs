//! The REST service and its client over sockets.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod attacks;
mod client;
mod follow;
mod support;

//! Every adapter of venus-core against every face, over real sockets, held to what the chain in the same process does:
//! the suites of the traits, equal answers, and sockets that are cut meanwhile.
#![cfg(feature = "server")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod agree;
mod capabilities;
mod heads;
mod link;
mod net;
mod suites;

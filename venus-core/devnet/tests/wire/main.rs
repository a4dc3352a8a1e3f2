//! The faces of a devnet on real sockets.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod faults;
mod golden;
mod heads;
mod methods;
mod raw;
mod rights;
mod served;
mod transport;
mod views;

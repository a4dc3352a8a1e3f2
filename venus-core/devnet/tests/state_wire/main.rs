//! `State*` over a socket, in the words of each node.
//!
//! Texts are those of a venus and a lotus 2k network, asked the same.
#![cfg(feature = "server")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../support/mod.rs"]
mod support;

mod adapters;
mod calls;
mod state;
mod texts;
mod wire;

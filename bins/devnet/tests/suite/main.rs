//! `venus-devnet` as a program: what it answers, prints and keeps.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(unreachable_pub)]

mod clocks;
mod directory;
mod flow;
mod http;
mod kill;
mod support;
mod verify;

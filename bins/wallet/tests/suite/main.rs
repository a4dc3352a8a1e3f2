//! `venus-wallet` as a program: what it answers, prints and keeps.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(unreachable_pub)]

mod attacks;
mod cli;
mod deviations;
mod flow;
mod lotus;
mod operations;
mod replay;
mod replay_deviations;
mod support;

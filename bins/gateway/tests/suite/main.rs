//! The program itself: over its ports, its files and its commands.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
#![cfg(unix)]

mod commands;
mod doctor;
mod passed_on;
mod readme;
mod support;
mod threats;
mod tls;

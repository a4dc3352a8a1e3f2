//! The program itself: over its ports, its files and its commands.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(unreachable_pub)]
#![cfg(unix)]

mod commands;
mod doctor;
mod passed_on;
mod readme;
mod support;
mod threats;
mod tls;

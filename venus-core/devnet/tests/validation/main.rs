//! Every rule of block validation, broken one at a time; after each refused block the chain goes on.
//!
//! The numbers in the names are those of the table in `chain::validate`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../support/mod.rs"]
mod support;

mod case;
mod faults;
mod header;
mod messages;
mod order;
mod submit;

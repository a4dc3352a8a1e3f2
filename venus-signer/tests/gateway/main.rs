#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
//! The provider's side of a gateway, against hubs of all sorts.

mod challenges;
mod hostile;
mod hub;
mod life;
mod replay;
mod report;
mod wire;

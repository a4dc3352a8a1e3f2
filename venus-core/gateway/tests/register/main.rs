//! How providers come to be offered by a hub, in process, in paused time.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod bounds;
mod changes;
mod defects;
mod directory;
mod ends;
mod home;
mod miners;
mod seed;
mod threats;
mod wallets;

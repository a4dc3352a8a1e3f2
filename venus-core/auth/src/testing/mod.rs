//! For tests of stores, and of what is built on them: the contract of [`AuthStore`](crate::AuthStore) as a suite that
//! every implementation passes, and a MariaDB of one's own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "suites are test code: a broken contract is a panic"
)]

#[cfg(unix)]
mod mariadb;
mod suite;

#[cfg(unix)]
pub use mariadb::MariaDb;
pub use suite::auth_store;

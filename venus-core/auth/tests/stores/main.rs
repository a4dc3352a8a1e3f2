//! All stores pass the suite, and the one on disk fails well.
#![cfg(feature = "test-utils")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use venus_auth::{MemoryStore, testing};

#[tokio::test]
async fn memory_store_passes_the_suite() {
    testing::auth_store(&MemoryStore::default()).await;
}

#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(all(unix, feature = "mysql"))]
mod mysql;

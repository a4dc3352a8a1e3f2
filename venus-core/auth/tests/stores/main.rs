//! All stores pass the suite, and those on disk fail well.
#![cfg(feature = "test-utils")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use venus_auth::{MemoryStore, testing};

#[cfg(all(unix, feature = "mysql"))]
mod mysql;
mod race;
#[cfg(feature = "sqlite")]
mod sqlite;

#[tokio::test]
async fn memory_store_passes_the_suite() {
    testing::auth_store(&MemoryStore::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_happens_twice_in_memory() {
    let store = MemoryStore::default();
    race::nothing_happens_twice(&store, &store).await;
}

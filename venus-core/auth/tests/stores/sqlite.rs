//! SQLite.

use venus_auth::{SqlStore, testing};

#[tokio::test]
async fn sqlite_store_passes_the_suite_in_memory_and_on_disk() {
    testing::auth_store(&SqlStore::sqlite_in_memory().await.unwrap()).await;
    let dir = tempfile::tempdir().unwrap();
    let store = SqlStore::sqlite(&dir.path().join("auth.db")).await.unwrap();
    testing::auth_store(&store).await;
}

//! A real MariaDB.

use sqlx::{Connection, Executor, MySqlConnection};
use venus_auth::SqlStore;
use venus_auth::testing::{self, MariaDb};

/// A fresh database on a server.
async fn database(server: &MariaDb, name: &'static str) -> String {
    let mut admin = MySqlConnection::connect(&server.url("mysql")).await.unwrap();
    admin.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    server.url(name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_store_passes_the_suite() {
    let dir = tempfile::tempdir().unwrap();
    let Some(server) = MariaDb::start(dir.path()) else { return };
    let store = SqlStore::mysql(&database(&server, "suite").await).await.unwrap();
    testing::auth_store(&store).await;
}

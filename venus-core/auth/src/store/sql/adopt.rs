//! Brings a MySQL schema up to date: a new one, ours, or one that any version of sophon-auth left.
//!
//! Every step looks first whether it is needed, so that a crash anywhere in between is repaired by starting again.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, MySqlConnection, Row, SqlSafeStr};
use venus_core::types::address;

use super::columns::bare;
use super::mysql::SchemaPlan;
use super::{MIGRATION_TABLE, STORE_VERSION, backend};
use crate::store::StoreError;

/// The tables that we need.
const TABLES: [&str; 13] = [
    "token",
    "users",
    "miners",
    "signers",
    "user_rate_limits",
    "store_versions",
    "venus_token",
    "venus_signer",
    "venus_grant",
    "venus_gone",
    "venus_ban",
    "venus_audit",
    "venus_effect",
];
/// Columns that later versions of sophon-auth added: table, column, type.
const COLUMNS: [(&str, &str, &str); 6] = [
    ("token", "secret", "VARCHAR(255) NOT NULL DEFAULT ''"),
    ("token", "extra", "VARCHAR(255)"),
    ("token", "is_deleted", "BIGINT NOT NULL DEFAULT 0"),
    ("users", "comment", "VARCHAR(255)"),
    ("users", "is_deleted", "BIGINT NOT NULL DEFAULT 0"),
    ("miners", "open_mining", "TINYINT(1) DEFAULT 1"),
];
/// Relations are by name, and MySQL may have taken `ALICE` for `alice`: each is given the user's own spelling.
const SPELLING: [&str; 4] = [
    "UPDATE token t JOIN users u ON t.name = u.name SET t.name = u.name WHERE BINARY t.name <> BINARY u.name",
    "UPDATE miners m JOIN users u ON m.user = u.name SET m.user = u.name WHERE BINARY m.user <> BINARY u.name",
    "UPDATE signers s JOIN users u ON s.user = u.name SET s.user = u.name WHERE BINARY s.user <> BINARY u.name",
    "UPDATE user_rate_limits l JOIN users u ON l.name = u.name SET l.name = u.name \
     WHERE BINARY l.name <> BINARY u.name",
];

pub(super) async fn bring_up_to_date(db: &mut MySqlConnection) -> Result<(), StoreError> {
    let version = version(db).await?;
    if let Some(newer) = version.filter(|version| *version > STORE_VERSION) {
        let text = format!(
            "the database has store version {newer}, this program knows {STORE_VERSION}: use a newer program"
        );
        return Err(StoreError::Backend(text.into()));
    }
    create_tables(db).await?;
    for (table, column, kind) in COLUMNS {
        if !has_column(db, table, column).await? {
            run(db, &format!("ALTER TABLE `{table}` ADD COLUMN `{column}` {kind}")).await?;
        }
    }
    if let Some(older) = version.filter(|version| *version < STORE_VERSION) {
        upgrade(db, older).await?;
    }
    unique(db, "miners", &["miner"]).await?;
    unique(db, "signers", &["user", "signer"]).await?;
    for statement in SPELLING {
        run(db, statement).await?;
    }
    Ok(())
}

pub(super) async fn plan(db: &mut MySqlConnection) -> Result<SchemaPlan, StoreError> {
    let mut plan = SchemaPlan { version: version(db).await?, ..SchemaPlan::default() };
    for table in TABLES {
        if !has_table(db, table).await? {
            plan.new_tables.push(table.to_owned());
        }
    }
    if has_table(db, "token").await? {
        let clear = count(db, "SELECT COUNT(*) FROM token WHERE token NOT LIKE 'sha256:%'").await?;
        plan.clear_tokens = u64::try_from(clear).unwrap_or_default();
    }
    Ok(plan)
}

/// As sophon-auth counts: tables without a version are of version 0.
async fn version(db: &mut MySqlConnection) -> Result<Option<i64>, StoreError> {
    if has_table(db, "store_versions").await? {
        let sql = "SELECT CAST(COALESCE(MAX(version), -1) AS SIGNED) FROM store_versions";
        let found = count(db, sql).await?;
        if found >= 0 {
            return Ok(Some(found));
        }
    }
    let known = has_table(db, "users").await? || has_table(db, "token").await?;
    Ok(known.then_some(0))
}

async fn create_tables(db: &mut MySqlConnection) -> Result<(), StoreError> {
    let first = include_str!("../../../migrations/mysql/0001_first.sql").into_sql_str();
    let effect = include_str!("../../../migrations/mysql/0002_effect.sql").into_sql_str();
    let migration = |version, name: &'static str, sql| {
        Migration::new(version, name.into(), MigrationType::Simple, sql, false)
    };
    let migrations = vec![migration(1, "first", first), migration(2, "effect", effect)];
    let tries = migrations.len();
    let mut migrator = Migrator::with_migrations(migrations);
    migrator.dangerous_set_table_name(MIGRATION_TABLE);
    for _ in 0..tries {
        match migrator.run_direct(None, db, false).await {
            // MySQL cannot undo half a migration after a crash; all of ours can be done again.
            Err(MigrateError::Dirty(version)) => {
                let sql = format!("DELETE FROM {MIGRATION_TABLE} WHERE version = {version} AND success = 0");
                run(db, &sql).await?;
            }
            other => return other.map_err(|e| StoreError::Backend(e.into())),
        }
    }
    migrator.run_direct(None, db, false).await.map_err(|e| StoreError::Backend(e.into()))
}

/// What sophon-auth's own migrations do, in its order.
async fn upgrade(db: &mut MySqlConnection, from: i64) -> Result<(), StoreError> {
    number_miners(db).await?;
    if from < 1 && has_column(db, "users", "miner").await? {
        copy_miners(db).await?;
        // New users have none there.
        run(db, "ALTER TABLE `users` MODIFY COLUMN `miner` VARCHAR(255) NULL").await?;
    }
    if from < 2 {
        run(db, "UPDATE miners SET open_mining = 1").await?;
    }
    let sql = format!(
        "INSERT INTO store_versions (id, version) VALUES (1, {STORE_VERSION}) \
         ON DUPLICATE KEY UPDATE version = {STORE_VERSION}"
    );
    run(db, &sql).await
}

/// Miners were their own key once.
async fn number_miners(db: &mut MySqlConnection) -> Result<(), StoreError> {
    if has_column(db, "miners", "id").await? {
        return Ok(());
    }
    let keyed = "SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() \
                 AND table_name = 'miners' AND index_name = 'PRIMARY'";
    let drop = if count(db, keyed).await? > 0 { "DROP PRIMARY KEY, " } else { "" };
    let sql = format!(
        "ALTER TABLE `miners` {drop}ADD COLUMN `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY FIRST"
    );
    run(db, &sql).await
}

/// A user had one miner once, in its own row. What is no address is left there.
async fn copy_miners(db: &mut MySqlConnection) -> Result<(), StoreError> {
    let query = sqlx::query("SELECT name, miner FROM users WHERE miner IS NOT NULL AND miner <> ''");
    for row in query.fetch_all(&mut *db).await.map_err(backend)? {
        let user: String = row.try_get(0).map_err(backend)?;
        let text: String = row.try_get(1).map_err(backend)?;
        let Ok(miner) = address::parse(&text) else { continue };
        sqlx::query(
            "INSERT INTO miners (miner, user, open_mining, created_at, updated_at) \
             VALUES (?, ?, 1, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)) ON DUPLICATE KEY UPDATE user = VALUES(user)",
        )
        .bind(bare(&miner))
        .bind(user)
        .execute(&mut *db)
        .await
        .map_err(backend)?;
    }
    Ok(())
}

/// Makes sure that no two rows have the same `columns`: early versions kept doubles. Of those, a live one stays, and of
/// several the latest.
async fn unique(db: &mut MySqlConnection, table: &str, columns: &[&str]) -> Result<(), StoreError> {
    let list = columns.join(",");
    let known = format!(
        "SELECT COUNT(*) FROM (SELECT GROUP_CONCAT(column_name ORDER BY seq_in_index) AS list \
         FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = '{table}' \
         AND non_unique = 0 GROUP BY index_name) AS unique_indexes WHERE list = '{list}'"
    );
    if count(db, &known).await? > 0 {
        return Ok(());
    }
    let same: Vec<String> = columns.iter().map(|c| format!("a.`{c}` = b.`{c}`")).collect();
    let doubles = format!(
        "DELETE a FROM `{table}` a JOIN `{table}` b ON {} AND a.id <> b.id WHERE \
         (a.deleted_at IS NOT NULL AND b.deleted_at IS NULL) OR \
         ((a.deleted_at IS NULL) = (b.deleted_at IS NULL) AND a.id < b.id)",
        same.join(" AND ")
    );
    run(db, &doubles).await?;
    run(db, &format!("ALTER TABLE `{table}` ADD UNIQUE KEY `venus_{table}_unique` ({list})")).await
}

async fn has_table(db: &mut MySqlConnection, table: &str) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '{table}'"
    );
    Ok(count(db, &sql).await? > 0)
}

async fn has_column(db: &mut MySqlConnection, table: &str, column: &str) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() \
         AND table_name = '{table}' AND column_name = '{column}'"
    );
    Ok(count(db, &sql).await? > 0)
}

/// Statements here are made of constants only.
async fn count(db: &mut MySqlConnection, sql: &str) -> Result<i64, StoreError> {
    let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(db).await.map_err(backend)?;
    row.try_get_unchecked(0).map_err(backend)
}

async fn run(db: &mut MySqlConnection, sql: &str) -> Result<(), StoreError> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(db).await.map_err(backend)?;
    Ok(())
}

use sqlx::SqlSafeStr;

use super::*;
use crate::key::KeyType;
use std::path::PathBuf;

const SECP: &str = "17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq";
const BLS: &str = "3tho7tbdrw3xuy6ybz6p5tfc7nsqqa2ozhsrnmhwynrb3keeaeywe3felidbpgvy2wcxktmxcezlpz7pbu5pq";
const OTHER: &str = "12mchblwgi243re5i2pg2harmnqvm6q3rwb2cnpy";
const THIRD: &str = "1656rklyebnscuzs5dee3zwh2xknlqsy7r2ypxei";

/// As gorm made it, with one driver's spelling and with another's.
const DDL: [&str; 2] = [
    "CREATE TABLE `wallets` (`id` integer,`created_at` datetime,`updated_at` datetime,`deleted_at` datetime,`address` varchar(255),`private_key` blob NOT NULL,PRIMARY KEY (`id`));
     CREATE UNIQUE INDEX `idx_wallets_address` ON `wallets`(`address`);
     CREATE INDEX `idx_wallets_deleted_at` ON `wallets`(`deleted_at`);",
    "CREATE TABLE `wallets` (`id` integer PRIMARY KEY AUTOINCREMENT,`created_at` datetime,`updated_at` datetime,`deleted_at` datetime,`address` varchar(255),`private_key` blob NOT NULL,CONSTRAINT `idx_wallets_address` UNIQUE (`address`));
     CREATE INDEX `idx_wallets_deleted_at` ON `wallets`(`deleted_at`);",
];

fn at(text: &str) -> Address {
    read_address(text).unwrap()
}

fn key(address: &str, n: u8) -> SealedKey {
    let crypto = format!(
        r#"{{"cipher":"aes-128-ctr","ciphertext":"{n:02x}","cipherparams":{{"iv":"22222222222222222222222222222222"}},"kdf":"scrypt","kdfparams":{{"dklen":32,"n":2,"p":1,"r":8,"salt":"11"}},"mac":"{}"}}"#,
        "00".repeat(32)
    );
    SealedKey::new(at(address), KeyType::Secp256k1, crypto).unwrap()
}

/// A file as venus-wallet leaves it: rollback journal, text times, an old address, a deleted row.
async fn go_file(dir: &Path, ddl: &'static str) -> PathBuf {
    let path = dir.join("keystore.sqlit");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::raw_sql(ddl.into_sql_str()).execute(&pool).await.unwrap();
    let rows =
        [(SECP, None, 1), (&*format!("t{BLS}"), None, 2), (OTHER, Some("2023-05-06 07:08:09.1+08:00"), 3)];
    for (address, deleted, n) in rows {
        sqlx::query("INSERT INTO wallets (created_at, updated_at, deleted_at, address, private_key) VALUES (?1, ?1, ?2, ?3, ?4)")
            .bind("2023-01-02 03:04:05.123456789+08:00")
            .bind(deleted)
            .bind(address)
            .bind(blob::write(&key(address, n)))
            .execute(&pool)
            .await
            .unwrap();
    }
    pool.close().await;
    path
}

async fn texts(store: &SqliteKeyStore, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query).fetch_all(&store.pool).await.unwrap()
}

#[tokio::test]
async fn a_file_of_go_is_adopted() {
    for ddl in DDL {
        let dir = tempfile::tempdir().unwrap();
        let path = go_file(dir.path(), ddl).await;
        for _ in 0..2 {
            let store = SqliteKeyStore::open(&path).await.unwrap();
            assert_eq!(store.list().await.unwrap(), [at(SECP), at(BLS)]);
            assert_eq!(store.get(&at(BLS)).await.unwrap(), Some(key(BLS, 2)));
            assert!(!store.has(&at(OTHER)).await.unwrap() && store.get(&at(OTHER)).await.unwrap().is_none());
            let addresses = texts(&store, "SELECT address FROM wallets ORDER BY id").await;
            assert_eq!(addresses, [SECP, BLS, OTHER]);
            let times = texts(&store, "SELECT created_at FROM wallets").await;
            assert!(times.iter().all(|time| time == "2023-01-02 03:04:05.123456789+08:00"), "{times:?}");
            store.close().await;
        }
    }
}

#[tokio::test]
async fn rows_are_written_as_go_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteKeyStore::open(&go_file(dir.path(), DDL[0]).await).await.unwrap();
    assert!(store.put(&key(THIRD, 9)).await.unwrap());
    // What was deleted comes back as what is put now, at the end.
    assert!(store.put(&key(OTHER, 7)).await.unwrap());
    assert!(!store.put(&key(OTHER, 8)).await.unwrap());
    assert_eq!(store.get(&at(OTHER)).await.unwrap(), Some(key(OTHER, 7)));
    assert_eq!(store.list().await.unwrap(), [at(SECP), at(BLS), at(THIRD), at(OTHER)]);
    let kinds = texts(&store, "SELECT DISTINCT typeof(private_key) || typeof(created_at) || typeof(updated_at) || typeof(deleted_at) FROM wallets").await;
    assert_eq!(kinds, ["blobtexttextnull"]);
    let row = texts(&store, "SELECT CAST(private_key AS TEXT) FROM wallets WHERE address LIKE '1656%'").await;
    assert!(row[0].starts_with(r#"{"Type":"secp256k1","PrivateKey":"eyJ"#), "{row:?}");
    let time = texts(&store, "SELECT created_at FROM wallets WHERE address LIKE '1656%'").await;
    assert!(
        time[0].ends_with("+00:00") && time[0].as_bytes()[10] == b' ' && !time[0].contains("0+"),
        "{time:?}"
    );
}

#[test]
fn times_are_those_of_gorm() {
    let time = |nanos: u32, offset| {
        let at = time::macros::datetime!(2023-01-02 03:04:05 UTC).replace_nanosecond(nanos).unwrap();
        gorm_time(at.to_offset(offset))
    };
    assert_eq!(time(0, time::UtcOffset::UTC), "2023-01-02 03:04:05+00:00");
    assert_eq!(time(120_000_000, time::macros::offset!(+8)), "2023-01-02 11:04:05.12+08:00");
    assert_eq!(time(123_456_789, time::macros::offset!(-3:30)), "2023-01-01 23:34:05.123456789-03:30");
}

#[tokio::test]
async fn both_forms_of_an_address_are_one_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = go_file(dir.path(), DDL[0]).await;
    let store = SqliteKeyStore::open(&path).await.unwrap();
    for (address, n) in [(format!("f{SECP}"), 1), (format!("f{OTHER}"), 3)] {
        sqlx::query("INSERT INTO wallets (address, private_key) VALUES (?, ?)")
            .bind(&address)
            .bind(blob::write(&key(&address, n)))
            .execute(&store.pool)
            .await
            .unwrap();
    }
    store.close().await;
    let store = SqliteKeyStore::open(&path).await.unwrap();
    // The row of OTHER that is marked as deleted keeps the plain form, and the key is there all the same.
    assert_eq!(store.list().await.unwrap(), [at(SECP), at(BLS), at(OTHER)]);
    assert_eq!(store.get(&at(OTHER)).await.unwrap(), Some(key(OTHER, 3)));
    let old = [key(SECP, 1), key(BLS, 2), key(OTHER, 3)];
    let new = [key(SECP, 4), key(BLS, 5), key(OTHER, 6)];
    store.swap(&old, &new).await.unwrap();
    assert_eq!(store.get(&at(SECP)).await.unwrap(), Some(key(SECP, 4)));
    assert!(store.remove(&at(SECP)).await.unwrap() && !store.has(&at(SECP)).await.unwrap());
    assert_eq!(store.list().await.unwrap(), [at(BLS), at(OTHER)]);
}

#[tokio::test]
async fn bad_rows_break_nothing_else() {
    let store = SqliteKeyStore::in_memory().await.unwrap();
    store.put(&key(SECP, 1)).await.unwrap();
    let rows: [(&str, Vec<u8>); 4] = [
        ("nonsense", vec![1]),
        (BLS, b"{}".to_vec()),
        (OTHER, vec![b' '; 2 * MAX_ROW]),
        (THIRD, blob::write(&key(THIRD, 1))),
    ];
    for (address, row) in rows {
        sqlx::query("INSERT INTO wallets (address, private_key) VALUES (?, CAST(? AS TEXT))")
            .bind(address)
            .bind(row)
            .execute(&store.pool)
            .await
            .unwrap();
    }
    assert_eq!(store.list().await.unwrap(), [at(SECP), at(BLS), at(OTHER), at(THIRD)]);
    for bad in [BLS, OTHER] {
        let error = store.get(&at(bad)).await.unwrap_err();
        assert!(matches!(&error, WalletError::CorruptKey { address, .. } if *address == at(bad)), "{error}");
    }
    // Text instead of bytes is read too.
    assert_eq!(store.get(&at(THIRD)).await.unwrap(), Some(key(THIRD, 1)));
}

#[tokio::test]
async fn a_foreign_table_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let pool = sqlite::open(&path, Durability::Full).await.unwrap();
    sqlx::query("CREATE TABLE wallets (id integer, address text)").execute(&pool).await.unwrap();
    pool.close().await;
    let before = std::fs::read(&path).unwrap();
    let error = SqliteKeyStore::open(&path).await.unwrap_err().to_string();
    assert!(error.contains("created_at") && error.contains("no keystore"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteKeyStore::open(&dir.path().join("db")).await.unwrap();
    store.put(&key(SECP, 1)).await.unwrap();
    let limit = |pages: i64| {
        let pool = store.pool.clone();
        async move {
            let pragma = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
            sqlx::query_scalar::<_, i64>(pragma).fetch_one(&pool).await.unwrap()
        }
    };
    limit(1).await;
    let mut added = 0;
    let error = loop {
        match store
            .put_all(&[
                key(&address_text(&Address::new_id(added)), 1),
                key(&address_text(&Address::new_id(added + 1)), 1),
            ])
            .await
        {
            Ok(_) => added += 2,
            Err(error) => break error,
        }
        assert!(added < 1000);
    };
    assert!(error.to_string().contains("full"), "{error}");
    assert_eq!(store.list().await.unwrap().len() as u64, 1 + added);
    assert_eq!(store.get(&at(SECP)).await.unwrap(), Some(key(SECP, 1)));
    limit(1 << 20).await;
    assert!(store.put(&key(BLS, 1)).await.unwrap());
    assert_eq!(store.list().await.unwrap().len() as u64, 2 + added);
}

#[tokio::test]
async fn what_is_deleted_is_gone_from_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let store = SqliteKeyStore::open(&path).await.unwrap();
    store.put(&key(SECP, 1)).await.unwrap();
    store.put(&key(BLS, 1)).await.unwrap();
    store.remove(&at(SECP)).await.unwrap();
    store.close().await;
    let bytes = std::fs::read(&path).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds(BLS) && !holds(SECP));
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("CREATE TABLE cats (name TEXT)").execute(&pool).await.unwrap();
    let error = SqliteKeyStore::open(&path).await.unwrap_err().to_string();
    assert!(error.contains("another program") && error.contains("other.db"), "{error}");
    let tables: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master").fetch_one(&pool).await.unwrap();
    assert_eq!(tables, 1);
}

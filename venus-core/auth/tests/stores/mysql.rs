//! A real MariaDB, also with databases that sophon-auth left there.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, Row};
use venus_auth::testing::{self, MariaDb};
use venus_auth::{
    Actor, AuthService, AuthStore, Ban, Effect, Page, Provenance, Rules, SqlStore, TokenKey, TokenStorage,
    migrate_tokens,
};
use venus_core::clock::SystemClock;
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::{Address, address};

use crate::race;

const V3: &str = include_str!("../data/sophon_auth_v3.sql");
const V0: &str = include_str!("../data/sophon_auth_v0.sql");
const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJuYW1lIjoiemwtdG9rZW4iLCJwZXJtIjoiYWRtaW4iLCJleHQiOiIifQ.\
                     DQ-ETWoEnNrpGKCikwZax6YUzdQIkhT0pHOTSta8770";
const ALL: Page = Page { skip: 0, limit: 0 };

async fn connect(server: &MariaDb, name: &str) -> MySqlConnection {
    MySqlConnection::connect(&server.url(name)).await.unwrap()
}

async fn run(connection: &mut MySqlConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap();
}

/// A fresh database on a server.
async fn database(server: &MariaDb, name: &str) -> String {
    let sql = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci");
    run(&mut connect(server, "mysql").await, &sql).await;
    server.url(name)
}

fn service(store: &SqlStore, tokens: TokenStorage) -> AuthService {
    let rules = Rules { tokens, ..Rules::default() };
    AuthService::new(Arc::new(store.clone()), Arc::new(SystemClock), rules)
}

/// One server for all that do not end it: it takes seconds to start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mysql_store_passes_the_suite_and_adopts_databases_of_sophon_auth() {
    let dir = tempfile::tempdir().unwrap();
    let Some(server) = MariaDb::start(dir.path()) else { return };
    let store = SqlStore::mysql(&database(&server, "suite").await).await.unwrap();
    testing::auth_store(&store).await;
    two_instances(&server).await;
    instances_hear_each_other(&server).await;
    version_three(&server).await;
    version_zero(&server).await;
    half_a_migration(&server).await;
    newer(&server).await;
}

async fn two_instances(server: &MariaDb) {
    let url = database(server, "race").await;
    let (a, b) = tokio::join!(SqlStore::mysql(&url), SqlStore::mysql(&url));
    race::nothing_happens_twice(&a.unwrap(), &b.unwrap()).await;
}

/// Two services on one database: what one ends has ended at the other, and for those who follow it.
async fn instances_hear_each_other(server: &MariaDb) {
    let url = database(server, "effects").await;
    let stores = [SqlStore::mysql(&url).await.unwrap(), SqlStore::mysql(&url).await.unwrap()];
    let [a, b] = stores.each_ref().map(|store| service(store, TokenStorage::Hashed));
    let system = Actor::system();
    let new = venus_auth::NewUser { name: "alice".into(), ..Default::default() };
    a.create_user(&system, new).await.unwrap();
    let new = venus_auth::NewToken { name: "alice".into(), perm: "read".into(), ..Default::default() };
    let token = a.create_token(&system, new).await.unwrap();
    let token = secrecy::ExposeSecret::expose_secret(&token).to_owned();
    let follow = |service: &AuthService| {
        let service = service.clone();
        tokio::spawn(async move { service.follow_others().await })
    };
    let tasks = [follow(&a), follow(&b)];
    // From its first question on an instance knows everything; before that it says that it knows nothing.
    let mut seq = heard(&b, 0, &[Effect::Reset]).await;
    heard(&a, 0, &[Effect::Reset]).await;
    b.check(&token, None).await.unwrap();
    let before = a.effects().last();
    a.revoke_token(&system, &token).await.unwrap();
    let ended: Vec<Effect> = a.effects().after(before).await.into_iter().map(|r| r.effect).collect();
    seq = heard(&b, seq, &ended).await;
    assert!(b.check(&token, None).await.is_err(), "forgotten before it was told");
    for n in 0..20 {
        a.ban(&system, &Ban::Address(Address::new_id(n)), "").await.unwrap();
    }
    let all: Vec<Effect> = (0..20).map(|n| Effect::Address(Address::new_id(n))).collect();
    heard(&b, seq, &all).await;
    a.hears_others().unwrap();
    assert_eq!(a.effects().last(), before + 21, "nobody hears itself");
    tasks.iter().for_each(|task| task.abort());
    tokio::time::timeout(Duration::from_secs(60), async {
        while b.hears_others().is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("an instance that hears nothing does not say that nothing ends");
}

/// Waits for exactly these effects after number `seq`; answers the last number.
async fn heard(service: &AuthService, seq: u64, expected: &[Effect]) -> u64 {
    let (mut seq, mut seen) = (seq, Vec::new());
    while seen.len() < expected.len() {
        let more = tokio::time::timeout(Duration::from_secs(60), service.effects().after(seq));
        for revocation in more.await.expect("in time") {
            seq = revocation.seq;
            seen.push(revocation.effect);
        }
    }
    assert_eq!(seen, expected);
    seq
}

async fn version_three(server: &MariaDb) {
    let url = database(server, "v3").await;
    let mut raw = connect(server, "v3").await;
    run(&mut raw, V3).await;
    let plan = SqlStore::mysql_plan(&url).await.unwrap();
    assert_eq!((plan.version, plan.clear_tokens), (Some(3), 1));
    assert!(
        plan.new_tables.len() == 7 && plan.new_tables.iter().all(|t| t.starts_with("venus_")),
        "{plan:?}"
    );
    let tables = sqlx::query("SHOW TABLES").fetch_all(&mut raw).await.unwrap();
    assert_eq!(tables.len(), 6, "a plan changes nothing");

    let store = SqlStore::mysql(&url).await.unwrap();
    let auth = service(&store, TokenStorage::Clear);
    let verified = auth.check(TOKEN, None).await.unwrap();
    assert_eq!((verified.name.as_str(), verified.perm.as_str()), ("zl-token", "admin"));
    let system = Actor::system();
    let listed = auth.tokens(&system, ALL).await.unwrap();
    assert_eq!((listed[0].expose(), listed[0].row.created_at.unix_timestamp()), (TOKEN, 1_677_657_601));
    let miners = auth.miners_of(&system, "Bob").await.unwrap();
    assert_eq!(miners[0].miner, Address::new_id(1000), "whatever case a relation was written in");
    assert_eq!(miners[0].created_at.millisecond(), 123);
    assert!(auth.miners_of(&system, "bob").await.unwrap().is_empty());
    assert!(store.user("gone").await.unwrap().unwrap().deleted);
    assert_eq!(store.user("Bob").await.unwrap().unwrap().created_at.unix_timestamp(), 0, "Go's zero time");
    let signer = address::parse("f15ihq5ibzwki2b4ep2f46avlkrqzhpqgtga7pdrq").unwrap();
    let bound = store.signer(&signer).await.unwrap();
    let seen: Vec<_> = bound.iter().map(|row| (row.user.as_str(), row.provenance)).collect();
    assert_eq!(seen, [("zl-token", Provenance::Legacy), ("Bob", Provenance::Legacy)]);
    let limits = store.limits("zl-token", None).await.unwrap();
    assert_eq!((limits[0].capacity, limits[0].period), (10, Duration::from_secs(60)));

    go_goes_on_with_it(&mut raw, &store).await;
    let id = verified.id;
    assert_eq!(migrate_tokens(&store, false).await.unwrap().hashed, 2);
    let left = "SELECT COUNT(*) FROM token t LEFT JOIN venus_token v ON v.token = t.token \
                WHERE t.token NOT LIKE 'sha256:%' OR t.secret <> '' OR v.token IS NULL";
    assert_eq!(sqlx::query(left).fetch_one(&mut raw).await.unwrap().get::<i64, _>(0), 0);
    let hashed = service(&store, TokenStorage::Hashed);
    assert_eq!(hashed.check(TOKEN, None).await.unwrap().id, id, "it counts as before, under the same id");
    let listed = hashed.tokens(&system, ALL).await.unwrap();
    assert_eq!(listed[0].expose().len(), 8);
}

/// What sophon-auth itself reads and writes there.
async fn go_goes_on_with_it(raw: &mut MySqlConnection, store: &SqlStore) {
    let system = Actor::system();
    let auth = service(store, TokenStorage::Clear);
    auth.bind_miner(&system, "zl-token", Address::new_id(1000), false).await.unwrap();
    let sql =
        "SELECT `user`, `open_mining` FROM `miners` WHERE miner = '01000' AND `miners`.`deleted_at` IS NULL";
    let row = sqlx::query(sql).fetch_one(&mut *raw).await.unwrap();
    assert_eq!((row.get::<String, _>(0).as_str(), row.get::<bool, _>(1)), ("zl-token", false));
    run(
        raw,
        "INSERT INTO `token` (`name`,`perm`,`secret`,`extra`,`token`,`createTime`,`is_deleted`) \
         VALUES ('Bob','read','00','','e30.e30.Zm9v','2023-04-01 00:00:00',0)",
    )
    .await;
    let verified = auth.check("e30.e30.Zm9v", None).await.unwrap();
    assert_eq!(verified.name, "Bob");
    let shown = TokenKey::clear("e30.e30.Zm9v").display();
    assert_eq!(store.tokens_named(&shown).await.unwrap()[0].id, verified.id, "named as those of ours");
}

async fn version_zero(server: &MariaDb) {
    let url = database(server, "v0").await;
    let mut raw = connect(server, "v0").await;
    run(&mut raw, V0).await;
    assert_eq!(SqlStore::mysql_plan(&url).await.unwrap().version, Some(0));
    // Twice: what is up to date stays so.
    SqlStore::mysql(&url).await.unwrap().close().await;
    let store = SqlStore::mysql(&url).await.unwrap();
    let miner = store.miner(&Address::new_id(1000)).await.unwrap().unwrap();
    assert_eq!((miner.user.as_str(), miner.open_mining), ("zl-token", true));
    assert!(store.miners_of("bob").await.unwrap().is_empty(), "nonsense is no miner");
    let auth = service(&store, TokenStorage::Clear);
    assert_eq!(auth.check(TOKEN, None).await.unwrap().name, "zl-token");
    let signers = store.signers_of("bob").await.unwrap();
    assert_eq!(signers.len(), 1, "of doubles the live one stays");
    let new = venus_auth::NewUser { name: "carol".into(), ..Default::default() };
    auth.create_user(&Actor::system(), new).await.unwrap();
    auth.bind_miner(&Actor::system(), "carol", Address::new_id(7), true).await.unwrap();
    let row = sqlx::query("SELECT version FROM store_versions").fetch_one(&mut raw).await.unwrap();
    assert_eq!(row.get::<u64, _>(0), 3);
}

/// MySQL cannot undo half a migration after a crash.
async fn half_a_migration(server: &MariaDb) {
    let url = database(server, "half").await;
    SqlStore::mysql(&url).await.unwrap().close().await;
    let mut raw = connect(server, "half").await;
    run(&mut raw, "UPDATE _venus_auth_migrations SET success = 0; DROP TABLE venus_audit, venus_ban").await;
    let store = SqlStore::mysql(&url).await.unwrap();
    assert!(store.bans().await.unwrap().is_empty());
}

async fn newer(server: &MariaDb) {
    let url = database(server, "newer").await;
    let mut raw = connect(server, "newer").await;
    run(&mut raw, V3).await;
    raw.execute("UPDATE store_versions SET version = 4").await.unwrap();
    let error = SqlStore::mysql(&url).await.unwrap_err();
    assert!(error.to_string().contains("version 4"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut server) = MariaDb::start(dir.path()) else { return };
    let url = database(&server, "away").await;
    let store = SqlStore::mysql(&url).await.unwrap();
    let auth = service(&store, TokenStorage::Hashed);
    let system = Actor::system();
    let new = venus_auth::NewUser { name: "alice".into(), ..Default::default() };
    auth.create_user(&system, new).await.unwrap();
    server.kill();
    for _ in 0..2 {
        assert_eq!(auth.user(&system, "alice").await.unwrap_err().kind(), ErrorKind::Transient);
    }
    let error = auth.check(TOKEN, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient, "nobody is told that a good token is none: {error}");
    assert!(SqlStore::mysql(&url).await.is_err());
    server.resume();
    let back = tokio::time::timeout(Duration::from_secs(120), async {
        while auth.user(&system, "alice").await.is_err() {}
    });
    back.await.expect("the store comes back by itself");
}

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg(feature = "sqlite")]
//! Strategies in memory and in SQLite: one contract, equal results, and databases of the Go wallet.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use sqlx::sqlite::SqlitePool;
use venus_core::clock::ManualClock;
use venus_core::entropy::SeededEntropy;
use venus_core::types::{Address, address};
use venus_signer::Caller;
use venus_signer::strategy::{
    Change, GroupRow, KeyBind, Level, MemoryStrategyStore, MethodTemplate, MsgEnum, MsgTypeTemplate,
    Singletons, SqliteStrategyStore, StToken, StoredToken, Strategy, StrategyError, StrategyOptions,
    StrategyStore, Tables, TokenRow,
};

const KEY: &str = "f17uoq6tp427uzv7fztkbsnn64iwotfrristwpryy";
const OTHER: &str = "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za";

fn bind(name: &str) -> KeyBind {
    let methods = vec!["Send".to_owned(), "CreateMiner".to_owned()];
    KeyBind { id: 0, name: name.into(), address: KEY.into(), meta_types: MsgEnum::from_bits(6), methods }
}

/// What every store has to do.
async fn conforms(store: &dyn StrategyStore) {
    assert_eq!(store.load().await.unwrap(), Tables::default());
    let types = MsgTypeTemplate { id: 0, name: "t".into(), meta_types: MsgEnum::from_bits(63) };
    let methods = MethodTemplate { id: 0, name: "m".into(), methods: vec![] };
    let group = GroupRow { id: 0, name: "g".into(), binds: vec![1, 2] };
    let token = StToken::generate(&SeededEntropy::new(1, "store")).unwrap();
    let [clear, hashed] = [true, false].map(|clear| StoredToken::of(&token, clear));
    let changes = [
        Change::AddTypeTemplate(types),
        Change::AddMethodTemplate(methods),
        Change::AddKeyBind(bind("a")),
        Change::AddKeyBind(bind("b")),
        Change::AddGroup(group),
        Change::AddToken(TokenRow { token: clear.clone(), group: 1 }),
        Change::AddToken(TokenRow { token: hashed.clone(), group: 1 }),
        Change::AddAccount("alice".into(), 1),
    ];
    let ids = store.apply(&changes).await.unwrap();
    assert_eq!(ids, [1, 1, 1, 2, 1, 0, 0, 0]);
    let mut expected = Tables::default();
    for (change, id) in changes.iter().zip(ids) {
        expected.apply(change, id).unwrap();
    }
    assert_eq!(store.load().await.unwrap(), expected);

    // All or nothing, and the reasons.
    for change in &changes[..4] {
        assert!(
            matches!(store.apply(std::slice::from_ref(change)).await, Err(StrategyError::Exists)),
            "{change:?}"
        );
    }
    for change in &changes[4..] {
        let both = [Change::RemoveKeyBind(1), change.clone()];
        assert!(matches!(store.apply(&both).await, Err(StrategyError::Exists)), "{change:?}");
    }
    let missing = [
        Change::RemoveTypeTemplate(9),
        Change::RemoveMethodTemplate(9),
        Change::RemoveKeyBind(u64::MAX),
        Change::RemoveGroup(9),
        Change::RemoveAccount("bob".into(), 1),
        Change::RemoveToken(StoredToken::Clear("x".into())),
        Change::SetKeyBind { id: 9, meta_types: MsgEnum::EMPTY, methods: vec![] },
        Change::SetGroup { id: 9, binds: vec![] },
    ];
    for change in missing {
        let both = [Change::RemoveKeyBind(1), change];
        assert!(matches!(store.apply(&both).await, Err(StrategyError::NotFound)), "{both:?}");
    }
    assert_eq!(store.load().await.unwrap(), expected);

    // What is empty stays empty, and ids ascend.
    let changes = [
        Change::SetKeyBind { id: 1, meta_types: MsgEnum::EMPTY, methods: vec![] },
        Change::SetGroup { id: 1, binds: vec![] },
        Change::RemoveKeyBind(2),
        Change::AddKeyBind(bind("c")),
        Change::RemoveToken(clear),
        Change::RemoveToken(hashed),
        Change::RemoveAccount("alice".into(), 1),
        Change::RemoveTypeTemplate(1),
        Change::RemoveMethodTemplate(1),
    ];
    let ids = store.apply(&changes).await.unwrap();
    assert_eq!(ids[3], 3);
    for (change, id) in changes.iter().zip(ids) {
        expected.apply(change, id).unwrap();
    }
    let found = store.load().await.unwrap();
    assert_eq!(found, expected);
    assert_eq!((found.key_binds[&1].meta_types, found.key_binds[&1].methods.len()), (MsgEnum::EMPTY, 0));
    assert!(found.groups[&1].binds.is_empty());
    assert_eq!(store.apply(&[]).await.unwrap(), Vec::<u64>::new());
}

#[tokio::test]
async fn memory_conforms() {
    conforms(&MemoryStrategyStore::new()).await;
}

#[tokio::test]
async fn sqlite_conforms() {
    conforms(&SqliteStrategyStore::in_memory().await.unwrap()).await;
}

#[tokio::test]
async fn what_was_written_is_there_again_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keystore.sqlit");
    let store = SqliteStrategyStore::open(&path).await.unwrap();
    conforms(&store).await;
    let before = store.load().await.unwrap();
    drop(store);
    assert_eq!(SqliteStrategyStore::open(&path).await.unwrap().load().await.unwrap(), before);
}

async fn raw(path: &Path) -> SqlitePool {
    SqlitePool::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap()
}

/// A database as the Go wallet leaves it: tables as gorm makes them, and rows of v1.8.
async fn go_database(path: &Path) {
    let times = "`created_at` datetime,`updated_at` datetime,`deleted_at` datetime";
    let now = "'2022-08-09 10:11:12.123456789+08:00','2022-08-09 10:11:12.123456789+08:00',NULL";
    let statements = [
        format!(
            "CREATE TABLE `groupAuth` (`token` varchar(36) NOT NULL,`id` integer NOT NULL,{times},PRIMARY KEY (`token`))"
        ),
        format!(
            "CREATE TABLE `keyBind` (`id` integer NOT NULL,`name` varchar(32) NOT NULL UNIQUE,`address` varchar(255) NOT NULL,`meta_types` integer NOT NULL,`methods` text NOT NULL,{times},PRIMARY KEY (`id`))"
        ),
        format!(
            "CREATE TABLE `group` (`id` integer NOT NULL,`name` varchar(32) NOT NULL UNIQUE,`bind_ids` text NOT NULL,{times},PRIMARY KEY (`id`))"
        ),
        format!(
            "CREATE TABLE `methodTmp` (`id` integer NOT NULL,`name` varchar(32) NOT NULL UNIQUE,`methods` text NOT NULL,{times},PRIMARY KEY (`id`))"
        ),
        format!(
            "CREATE TABLE `typeTmp` (`id` integer NOT NULL,`name` varchar(36) NOT NULL UNIQUE,`meta_types` integer NOT NULL,{times},PRIMARY KEY (`id`))"
        ),
        format!("INSERT INTO `keyBind` VALUES (1,'kb1','t{}',2,'Send',{now})", &KEY[1..]),
        format!("INSERT INTO `keyBind` VALUES (2,'kb2','not an address',2,'',{now})"),
        format!("INSERT INTO `group` VALUES (1,'g','1,2,7',{now})"),
        format!("INSERT INTO `groupAuth` VALUES ('{TOKEN}',1,{now})"),
        format!("INSERT INTO `groupAuth` VALUES ('11111111-6c4a-4d4b-8a5e-9d1a7f3c2b1e',9,{now})"),
        format!("INSERT INTO `typeTmp` VALUES (1,'mtt',63,{now})"),
        format!("INSERT INTO `methodTmp` VALUES (1,'mt','Send,AddBalance',{now})"),
    ];
    let pool = raw(path).await;
    for statement in statements {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

const TOKEN: &str = "5a4ce5ad-6c4a-4d4b-8a5e-9d1a7f3c2b1e";

fn key() -> Address {
    address::parse(KEY).unwrap()
}

fn holder(token: &str) -> Caller {
    Caller { strategy_token: Some(token.into()), ..Caller::rpc("x", Default::default()) }
}

async fn open(path: &Path, clear_tokens: bool) -> Strategy {
    let clock = ManualClock::new(Duration::new(1_600_000_000, 5));
    let store = SqliteStrategyStore::open(path).await.unwrap().with_clock(clock);
    let options = StrategyOptions { level: Level::Types, clear_tokens, ..Default::default() };
    Strategy::open(store, options).await.unwrap()
}

#[tokio::test]
async fn a_database_of_the_go_wallet_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keystore.sqlit");
    go_database(&path).await;
    let strategy = open(&path, false).await;
    // The key bind is for a t address, the key of ours is an f address.
    assert!(strategy.contains(&holder(TOKEN), &key()).await.unwrap());
    assert_eq!(strategy.tokens_of("g").unwrap(), [TOKEN]);
    assert_eq!(strategy.token_info(TOKEN).unwrap().token, TOKEN);
    // What has no address has no rights, and can be seen and removed.
    assert_eq!(strategy.key_bind("kb2").unwrap().methods, Vec::<String>::new());
    assert_eq!(strategy.group("g").unwrap().key_binds.len(), 2);
    assert_eq!(strategy.method_template("mt").unwrap().methods, ["Send", "AddBalance"]);
    strategy.new_key_bind_from_templates("kb3", &key(), "mtt", "mt").await.unwrap();
    assert_eq!(strategy.key_bind("kb3").unwrap().id, 3);
    drop(strategy);

    let pool = raw(&path).await;
    let binds: String = sqlx::query_scalar("SELECT bind_ids FROM `group`").fetch_one(&pool).await.unwrap();
    assert_eq!(binds, "1,2", "id 7 has no key bind");
    let tokens: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM groupAuth").fetch_one(&pool).await.unwrap();
    assert_eq!(tokens, 1, "the other one's group is gone");
    let (address, methods, created): (String, String, String) =
        sqlx::query_as("SELECT address, methods, created_at FROM keyBind WHERE id = 3")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!((address.as_str(), methods.as_str()), (KEY, "Send,AddBalance"));
    assert_eq!(created, "2020-09-13 12:26:40.000000005+00:00");
}

#[tokio::test]
async fn deviation_03_tokens_are_stored_as_hashes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keystore.sqlit");
    go_database(&path).await;
    let strategy = open(&path, false).await;
    let ours = strategy.new_token("g").await.unwrap();
    assert!(strategy.contains(&holder(&ours.expose()), &key()).await.unwrap());
    let mut listed = vec![TOKEN.to_owned(), ours.shown()];
    listed.sort();
    let mut found = strategy.tokens_of("g").unwrap();
    found.sort();
    assert_eq!(found, listed);

    // The clear one becomes a hash when asked, and stays valid.
    assert_eq!(strategy.hash_tokens().await.unwrap(), 1);
    assert_eq!(strategy.hash_tokens().await.unwrap(), 0);
    assert!(strategy.contains(&holder(TOKEN), &key()).await.unwrap());
    assert!(strategy.tokens_of("g").unwrap().contains(&"5a4ce5ad".to_owned()));
    assert_eq!(strategy.token_info("5a4ce5ad").unwrap().token, "5a4ce5ad");
    drop(strategy);
    let bytes: Vec<u8> = ["", "-wal"]
        .iter()
        .flat_map(|suffix| std::fs::read(format!("{}{suffix}", path.display())).unwrap_or_default())
        .collect();
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains(&ours.expose()), "our token is nowhere in the file");
}

#[tokio::test]
async fn a_token_that_is_stored_twice_is_one_token() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keystore.sqlit");
    go_database(&path).await;
    let restore = async || {
        let pool = raw(&path).await;
        let insert = sqlx::query("INSERT INTO groupAuth (token, id) VALUES (?, 1)").bind(TOKEN);
        insert.execute(&pool).await.unwrap();
        pool.close().await;
    };
    assert_eq!(open(&path, false).await.hash_tokens().await.unwrap(), 1);
    restore().await;
    assert_eq!(open(&path, false).await.hash_tokens().await.unwrap(), 1);
    restore().await;
    let strategy = open(&path, false).await;
    assert_eq!(strategy.token_info(TOKEN).unwrap().name, "g");
    strategy.remove_token(TOKEN).await.unwrap();
    assert!(!strategy.contains(&holder(TOKEN), &key()).await.unwrap());
    assert!(strategy.tokens_of("g").unwrap().is_empty());
}

#[tokio::test]
async fn deviation_03_tokens_are_stored_as_go_does_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keystore.sqlit");
    go_database(&path).await;
    let strategy = open(&path, true).await;
    let token = strategy.new_token("g").await.unwrap().expose();
    assert!(strategy.tokens_of("g").unwrap().contains(&token));
    drop(strategy);
    let pool = raw(&path).await;
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM groupAuth WHERE token = ? AND id = 1")
        .bind(&token)
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(rows, 1);
    pool.close().await;
    let strategy = open(&path, true).await;
    strategy.remove_token(&token).await.unwrap();
    assert!(!strategy.contains(&holder(&token), &key()).await.unwrap());
}

#[tokio::test]
async fn rows_that_make_no_sense_are_an_error_and_not_rights() {
    let dir = tempfile::tempdir().unwrap();
    for (at, damage) in [
        "UPDATE `group` SET bind_ids = '1,x'",
        "UPDATE `keyBind` SET meta_types = -1 WHERE id = 1",
        "UPDATE `keyBind` SET id = -4 WHERE id = 1",
        "UPDATE `typeTmp` SET meta_types = 99999999999",
    ]
    .into_iter()
    .enumerate()
    {
        let path = dir.path().join(at.to_string());
        go_database(&path).await;
        let pool = raw(&path).await;
        sqlx::query(damage).execute(&pool).await.unwrap();
        pool.close().await;
        let error = SqliteStrategyStore::open(&path).await.unwrap_err();
        assert_eq!(error.to_string(), "database operation exception", "{damage}");
    }
}

/// One edit out of few names, so that they meet.
#[derive(Clone, Debug)]
enum Edit {
    TypeTemplate(usize, Vec<i64>),
    MethodTemplate(usize, Vec<String>),
    Bind(usize, bool, Vec<i64>, Vec<String>),
    FromTemplate(usize, bool, usize, usize),
    Group(usize, Vec<usize>),
    Types(bool, usize, Vec<i64>),
    Methods(bool, usize, Vec<String>),
    Remove(u8, usize),
    RemoveOf(bool),
    Token(usize),
    Account(bool, usize, usize),
}

const NAMES: [&str; 4] = ["a", "b", "c", ""];

fn edits() -> impl Strategy_<Value = Edit> {
    let (name, codes) = (0..NAMES.len(), prop::collection::vec(-1i64..12, 0..3));
    let method = prop::sample::select(vec!["Send", "CreateMiner", "Burn", "Nonsense"]);
    let methods = prop::collection::vec(method.prop_map(str::to_owned), 0..3);
    let names = prop::collection::vec(0..NAMES.len(), 0..4);
    prop_oneof![
        (name.clone(), codes.clone()).prop_map(|(n, c)| Edit::TypeTemplate(n, c)),
        (name.clone(), methods.clone()).prop_map(|(n, m)| Edit::MethodTemplate(n, m)),
        (name.clone(), any::<bool>(), codes.clone(), methods.clone())
            .prop_map(|(n, k, c, m)| Edit::Bind(n, k, c, m)),
        (name.clone(), any::<bool>(), name.clone(), name.clone())
            .prop_map(|(n, k, t, m)| Edit::FromTemplate(n, k, t, m)),
        (name.clone(), names).prop_map(|(n, b)| Edit::Group(n, b)),
        (any::<bool>(), name.clone(), codes).prop_map(|(add, n, c)| Edit::Types(add, n, c)),
        (any::<bool>(), name.clone(), methods).prop_map(|(add, n, m)| Edit::Methods(add, n, m)),
        (0u8..4, name.clone()).prop_map(|(kind, n)| Edit::Remove(kind, n)),
        any::<bool>().prop_map(Edit::RemoveOf),
        name.clone().prop_map(Edit::Token),
        (any::<bool>(), name.clone(), name).prop_map(|(add, a, g)| Edit::Account(add, a, g)),
    ]
}

use proptest::strategy::Strategy as Strategy_;

async fn make(strategy: &Strategy, edit: &Edit) -> String {
    let name = |at: &usize| NAMES[*at];
    let key = |first: &bool| address::parse(if *first { KEY } else { OTHER }).unwrap();
    match edit {
        Edit::TypeTemplate(n, codes) => format!("{:?}", strategy.new_type_template(name(n), codes).await),
        Edit::MethodTemplate(n, methods) => {
            format!("{:?}", strategy.new_method_template(name(n), methods).await)
        }
        Edit::Bind(n, k, codes, methods) => {
            format!("{:?}", strategy.new_key_bind(name(n), &key(k), codes, methods).await)
        }
        Edit::FromTemplate(n, k, t, m) => {
            format!("{:?}", strategy.new_key_bind_from_templates(name(n), &key(k), name(t), name(m)).await)
        }
        Edit::Group(n, binds) => {
            let binds: Vec<String> = binds.iter().map(|at| NAMES[*at].to_owned()).collect();
            format!("{:?}", strategy.new_group(name(n), &binds).await)
        }
        Edit::Types(true, n, codes) => format!("{:?}", strategy.add_types(name(n), codes).await),
        Edit::Types(false, n, codes) => format!("{:?}", strategy.remove_types(name(n), codes).await),
        Edit::Methods(true, n, methods) => format!("{:?}", strategy.add_methods(name(n), methods).await),
        Edit::Methods(false, n, methods) => format!("{:?}", strategy.remove_methods(name(n), methods).await),
        Edit::Remove(0, n) => format!("{:?}", strategy.remove_type_template(name(n)).await),
        Edit::Remove(1, n) => format!("{:?}", strategy.remove_method_template(name(n)).await),
        Edit::Remove(2, n) => format!("{:?}", strategy.remove_group(name(n)).await),
        Edit::Remove(_, n) => format!("{:?}", strategy.remove_key_bind(name(n)).await),
        Edit::RemoveOf(k) => format!("{:?}", strategy.remove_key_binds_of(&key(k)).await),
        Edit::Token(n) => format!("{:?}", strategy.new_token(name(n)).await.map(|token| token.expose())),
        Edit::Account(true, a, g) => format!("{:?}", strategy.bind_account(name(a), name(g)).await),
        Edit::Account(false, a, g) => format!("{:?}", strategy.unbind_account(name(a), name(g)).await),
    }
}

/// Everything that can be seen of strategies.
fn view(strategy: &Strategy) -> BTreeMap<String, String> {
    let mut view = BTreeMap::new();
    let mut put = |name: &str, shown: String| view.insert(name.to_owned(), shown);
    put("types", format!("{:?}", strategy.type_templates(0, 1000)));
    put("methods", format!("{:?}", strategy.method_templates(0, 1000)));
    put("binds", format!("{:?}", strategy.key_binds(0, 1000)));
    put("groups", format!("{:?}", strategy.groups(0, 1000)));
    put("accounts", format!("{:?}", strategy.account_binds(0, 1000)));
    for name in NAMES {
        put(name, format!("{:?} {:?}", strategy.group(name), strategy.tokens_of(name)));
    }
    view
}

async fn seeded(store: impl StrategyStore + 'static) -> Strategy {
    let entropy = SeededEntropy::new(7, "property");
    Strategy::with(store, StrategyOptions::default(), Singletons, entropy).await.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The same edits give the same answers and the same state in memory and in SQLite, and after a restart.
    #[test]
    fn memory_and_sqlite_are_equal(edits in prop::collection::vec(edits(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let sqlite = SqliteStrategyStore::in_memory().await.unwrap();
            let a = seeded(MemoryStrategyStore::new()).await;
            let b = seeded(sqlite.clone()).await;
            for edit in &edits {
                assert_eq!(make(&a, edit).await, make(&b, edit).await, "{edit:?}");
            }
            assert_eq!(view(&a), view(&b));
            assert_eq!(view(&a), view(&seeded(sqlite).await));
        });
    }
}

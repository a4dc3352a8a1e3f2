#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg(feature = "sqlite")]
//! Records: what is kept, what is found again, what tampering and full disks do.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use proptest::prelude::*;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;
use venus_core::api::{ISigner, SignerExt};
use venus_core::clock::ManualClock;
use venus_core::entropy::SeededEntropy;
use venus_core::types::{Address, Message, MessageExt, MsgMeta, MsgType, RawBytes, TokenAmount};
use venus_signer::audit::{
    Anchor, AuditConfig, AuditEvent, AuditLog, AuditReader, Broken, Outcome, RecordQuery, SignRecord,
    SqliteAudit, Verdict,
};
use venus_signer::{Caller, Check, KeyType, LocalWallet, Refusal, Review, SignRequest, Vault};

const START: Duration = Duration::from_secs(1_800_000_000);

struct Bench {
    dir: TempDir,
    clock: ManualClock,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), clock: ManualClock::new(START) }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("keystore.sqlit")
    }

    async fn open(&self) -> SqliteAudit {
        let mut config = AuditConfig::default();
        config.clock = Arc::new(self.clock.clone());
        SqliteAudit::open(&self.path(), config).await.unwrap()
    }

    /// A connection that knows nothing of chains.
    async fn tamper(&self, sql: &'static str) -> u64 {
        let pool = plain(&self.path()).await;
        let done = sqlx::query(sql).execute(&pool).await.unwrap().rows_affected();
        pool.close().await;
        done
    }
}

async fn plain(path: &Path) -> SqlitePool {
    SqlitePool::connect_with(SqliteConnectOptions::new().filename(path).create_if_missing(true))
        .await
        .unwrap()
}

async fn record(audit: &SqliteAudit, n: u64) -> Result<(), venus_signer::audit::AuditError> {
    let (meta, caller) = (MsgMeta::of(MsgType::Unknown), Caller::embedded());
    let bytes = n.to_be_bytes();
    let request =
        SignRequest { signer: Address::new_id(n % 3), to_sign: &bytes, meta: &meta, caller: &caller };
    let verdict = Verdict::Failed { reason: "because" };
    audit.record(&AuditEvent { request: &request, payload: None, verdict }).await
}

fn message(from: Address, n: u64) -> Message {
    Message {
        version: 0,
        to: Address::new_id(1000),
        from,
        sequence: n,
        value: TokenAmount::from_atto(n),
        method_num: 0,
        params: RawBytes::default(),
        gas_limit: 1_000_000,
        gas_fee_cap: TokenAmount::from_atto(1),
        gas_premium: TokenAmount::from_atto(1),
    }
}

#[derive(Debug)]
struct NoGifts;

#[async_trait]
impl Check for NoGifts {
    fn name(&self) -> &'static str {
        "gifts"
    }

    async fn check(&self, review: &Review<'_>) -> Result<(), Refusal> {
        match review.payload.message() {
            Some(message) if message.value > TokenAmount::from_atto(10) => {
                Err(Refusal::Denied("too generous".into()))
            }
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn deviation_05_every_request_is_on_record_with_signature_or_reason() {
    let bench = Bench::new();
    let audit = bench.open().await;
    let wallet = LocalWallet::builder(Vault::in_memory()).check(NoGifts).audit(audit.clone()).build();
    let from = wallet.generate(KeyType::Secp256k1, &SeededEntropy::new(1, "audit")).await.unwrap();
    let good = wallet.sign_message(&message(from, 1)).await.unwrap();
    let caller = Caller::gateway("hub", vec!["alice".into()]);
    let gift = message(from, 11);
    let denied = wallet.sign_as(&caller, &from, &gift.cid().to_bytes(), &MsgMeta::chain_message(&gift)).await;
    assert!(denied.is_err());
    assert!(wallet.sign(&from, b"other bytes", &MsgMeta::chain_message(&gift)).await.is_err());

    let page = audit.reader().page(None, 10).await.unwrap();
    assert_eq!(page.iter().map(|r| r.seq.unwrap()).collect::<Vec<_>>(), [3, 2, 1]);
    let outcomes: Vec<Outcome> = page.iter().map(|r| r.outcome.unwrap()).collect();
    assert_eq!(outcomes, [Outcome::Failed, Outcome::Denied, Outcome::Signed]);
    let signed = &page[2];
    assert_eq!(signed.record.signature.as_ref(), Some(&good.signature));
    assert_eq!(signed.cid.as_deref(), Some(message(from, 1).cid().to_string().as_str()));
    assert_eq!(signed.caller.as_deref(), Some("embedded"));
    assert_eq!(
        signed.record.raw_msg.as_deref(),
        Some(MsgMeta::chain_message(&message(from, 1)).extra.as_slice())
    );
    assert_eq!(page[1].denied_by.as_deref(), Some("gifts"));
    assert_eq!(page[1].record.err.as_deref(), Some("too generous"));
    assert_eq!(page[1].caller.as_deref(), Some("gateway:hub(alice)"));
    assert!(page[0].record.err.is_some() && page[0].record.signature.is_none());

    // On the wire an error is text, and a missing signature is what Go writes for it.
    let mut query = RecordQuery::default();
    query.is_error = true;
    let errors = audit.reader().query(&query).await.unwrap();
    let json = serde_json::to_string(&errors[1]).unwrap();
    assert!(json.contains(r#""Err":"too generous""#), "{json}");
    assert!(
        json.contains(r#""Signature":{"Type":0,"Data":null},"CreateAt":"2027-01-15T08:00:00Z"}"#),
        "{json}"
    );
    let read: SignRecord = serde_json::from_str(&json).unwrap();
    assert_eq!(read, errors[1]);
    let go: SignRecord = serde_json::from_str(&json.replace("\"too generous\"", "{}")).unwrap();
    assert_eq!(go.err.as_deref(), Some("not told"));
    assert_eq!(audit.reader().verify(None).await.unwrap().records, 3);
}

/// As Go's wallet makes the table, in a zone of its own.
const GO: &str = "CREATE TABLE `sign_record` (`id` varchar(256),`created_at` datetime,`type` text,\
    `signer` varchar(256) NOT NULL,`err` varchar(256),`raw_msg` blob,`signature_type` integer,`signature_data` blob,\
    PRIMARY KEY (`id`)); \
    CREATE INDEX `idx_sign_record_signer` ON `sign_record`(`signer`); \
    INSERT INTO sign_record (id, created_at, type, signer, err, raw_msg) VALUES \
    ('old', '2027-01-01 00:00:00+00:00', 'unknown', 'f01', NULL, x'420102'), \
    ('b', '2027-01-15 09:59:58.5+08:00', 'unknown', 'f01', NULL, x'420102'), \
    ('c', '2027-01-15 01:59:59+00:00', 'message', 't01', 'no key', NULL), \
    ('a', '2027-01-15 03:59:57.25+02:00', 'block', 'f02', NULL, x'90');";

#[tokio::test]
async fn a_table_of_go_is_adopted_with_its_records() {
    let bench = Bench::new();
    let pool = plain(&bench.path()).await;
    sqlx::raw_sql(GO).execute(&pool).await.unwrap();
    pool.close().await;
    for _ in 0..2 {
        let audit = bench.open().await;
        let ids = |records: Vec<SignRecord>| records.into_iter().map(|r| r.id).collect::<Vec<_>>();
        let all = audit.reader().query(&RecordQuery::default()).await.unwrap();
        assert_eq!(all[1].created_at.unix_timestamp(), 1_799_978_398);
        // Sorted by time, not by text; the one older than a week is gone.
        assert_eq!(ids(all), ["c", "b", "a"]);
        let query: RecordQuery = serde_json::from_str(r#"{"Signer":"t01","limit":1,"Skip":1}"#).unwrap();
        assert_eq!(ids(audit.reader().query(&query).await.unwrap()), ["b"]);
        assert_eq!(audit.reader().verify(None).await.unwrap().records, 3);
        audit.shutdown().await;
    }
    let audit = bench.open().await;
    record(&audit, 1).await.unwrap();
    // Go goes on writing to the same table, and reads what we wrote.
    let insert = "INSERT INTO sign_record (id, created_at, type, signer) \
                  VALUES ('go', '2027-01-15 10:00:00+02:00', 'f3', 'f09')";
    assert_eq!(bench.tamper(insert).await, 1);
    let pool = plain(&bench.path()).await;
    let row: (String, i64, Option<Vec<u8>>) = sqlx::query_as(
        "SELECT created_at, signature_type, signature_data FROM sign_record WHERE err = 'because' ORDER BY created_at desc",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(row, ("2027-01-15 08:00:00+00:00".into(), 0, None));
    audit.shutdown().await;
    let audit = bench.open().await;
    let verified = audit.reader().verify(None).await.unwrap();
    assert_eq!((verified.records, verified.foreign), (4, 1));
    let query: RecordQuery = serde_json::from_str(r#"{"id":"go"}"#).unwrap();
    assert_eq!(audit.reader().query(&query).await.unwrap()[0].msg_type, "f3");
}

/// What an earlier version wrote: another index, and the CID in a column of its own.
#[tokio::test]
async fn a_database_of_an_earlier_version_is_taken_over_and_stays_whole() {
    let bench = Bench::new();
    let pool = plain(&bench.path()).await;
    sqlx::raw_sql(GO).execute(&pool).await.unwrap();
    pool.close().await;
    bench.open().await.shutdown().await;
    bench.tamper("DROP INDEX venus_sign_record_foreign").await;
    bench.tamper("CREATE INDEX venus_sign_record_time ON sign_record (created_ns)").await;
    let audit = bench.open().await;
    let wallet = LocalWallet::builder(Vault::in_memory()).audit(audit.clone()).build();
    let from = wallet.generate(KeyType::Secp256k1, &SeededEntropy::new(1, "audit")).await.unwrap();
    wallet.sign_message(&message(from, 1)).await.unwrap();
    let listed = audit.reader().query(&RecordQuery::default()).await.unwrap();
    assert_eq!(listed.iter().skip(1).map(|record| record.id.as_str()).collect::<Vec<_>>(), ["c", "b", "a"]);
    assert_eq!(audit.reader().verify(None).await.unwrap().records, 4);
    // The CID is found though nothing keeps it, and only where a message is kept.
    let page = audit.reader().page(None, 10).await.unwrap();
    assert_eq!(page[0].cid.as_deref(), Some(message(from, 1).cid().to_string().as_str()));
    assert!(page[1..].iter().all(|record| record.cid.is_none()));
    audit.shutdown().await;
    let pool = plain(&bench.path()).await;
    let indexes = "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'venus%' ORDER BY name";
    let indexes: Vec<String> = sqlx::query_scalar(indexes).fetch_all(&pool).await.unwrap();
    assert_eq!(indexes, ["venus_sign_record_foreign", "venus_sign_record_seq"]);
    let kinds: (String, String, String) = sqlx::query_as(
        "SELECT typeof(id) || typeof(created_at), typeof(raw_msg) || typeof(signature_data) || typeof(hash), \
         typeof(cid) || typeof(err) FROM sign_record WHERE seq = 4",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(kinds, ("texttext".into(), "blobblobblob".into(), "nullnull".into()));
}

#[tokio::test]
async fn tampering_is_found_at_its_place() {
    let cases: [(&str, u64); 7] = [
        ("UPDATE sign_record SET err = NULL WHERE seq = 4", 4),
        ("UPDATE sign_record SET caller = 'eve' WHERE seq = 7", 7),
        ("UPDATE sign_record SET hash = zeroblob(32) WHERE seq = 5", 5),
        ("DELETE FROM sign_record WHERE seq = 6", 6),
        ("DELETE FROM sign_record WHERE seq >= 9", 9),
        (
            "UPDATE sign_record SET seq = CASE seq WHEN 2 THEN -3 WHEN 3 THEN -2 END WHERE seq IN (2, 3); \
             UPDATE sign_record SET seq = -seq WHERE seq < 0",
            2,
        ),
        (
            "INSERT INTO sign_record (id, signer, seq, created_ns, hash) VALUES ('x', 'f01', 11, 1, zeroblob(32))",
            11,
        ),
    ];
    for (sql, first) in cases {
        let bench = Bench::new();
        let audit = bench.open().await;
        for n in 0..10 {
            record(&audit, n).await.unwrap();
        }
        let note = audit.reader().verify(None).await.unwrap().head;
        assert_eq!(note.to_string().parse::<Anchor>().unwrap(), note);
        let pool = plain(&bench.path()).await;
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
        match audit.reader().verify(None).await {
            Err(Broken::At { seq, .. }) => assert_eq!(seq, first, "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
}

/// What a hash chain without a key cannot tell by itself, a note from elsewhere does.
#[tokio::test]
async fn a_chain_that_was_cut_and_mended_needs_a_noted_head_to_be_found() {
    let bench = Bench::new();
    let audit = bench.open().await;
    for n in 0..5 {
        record(&audit, n).await.unwrap();
    }
    let note = audit.reader().head().await.unwrap();
    assert_eq!(note, audit.reader().verify(None).await.unwrap().head);
    audit.shutdown().await;
    bench
        .tamper(
            "UPDATE sign_record_chain SET head_seq = 3, head_hash = (SELECT hash FROM sign_record WHERE seq = 3)",
        )
        .await;
    bench.tamper("DELETE FROM sign_record WHERE seq > 3").await;
    assert_eq!(audit.reader().verify(None).await.unwrap().records, 3);
    assert!(matches!(audit.reader().verify(Some(note)).await, Err(Broken::At { seq: 5, .. })));
}

#[tokio::test]
async fn a_chain_that_was_removed_is_not_made_anew_over_changed_records() {
    let bench = Bench::new();
    let audit = bench.open().await;
    for n in 0..3 {
        record(&audit, n).await.unwrap();
    }
    audit.shutdown().await;
    bench.tamper("UPDATE sign_record SET caller = 'eve' WHERE seq = 2").await;
    bench.tamper("DELETE FROM sign_record_chain").await;
    let refused = SqliteAudit::open(&bench.path(), AuditConfig::default()).await.unwrap_err();
    assert!(refused.to_string().contains("restore the file"), "{refused}");
    bench.tamper("DROP TABLE sign_record").await;
    bench.open().await;
}

#[tokio::test]
async fn what_was_noted_proves_what_came_before() {
    let bench = Bench::new();
    let audit = bench.open().await;
    for n in 0..5 {
        record(&audit, n).await.unwrap();
    }
    let note = audit.reader().verify(None).await.unwrap().head;
    for n in 0..5 {
        record(&audit, n).await.unwrap();
    }
    assert_eq!(audit.reader().verify(Some(note)).await.unwrap().records, 5);
    let wrong = Anchor { hash: [0; 32], ..note };
    assert!(matches!(audit.reader().verify(Some(wrong)).await, Err(Broken::At { seq: 5, .. })));
    let ahead = Anchor { seq: 99, ..note };
    assert!(matches!(audit.reader().verify(Some(ahead)).await, Err(Broken::At { seq: 99, .. })));
    for text in ["", "5", "5:ab", "-1:00", "x:y"] {
        assert!(text.parse::<Anchor>().is_err());
    }
}

#[tokio::test]
async fn what_is_too_old_goes_and_the_chain_stays_whole() {
    let bench = Bench::new();
    let audit = bench.open().await;
    for n in 0..2500 {
        record(&audit, n).await.unwrap();
    }
    let old = audit.reader().verify(None).await.unwrap().head;
    bench.clock.advance(Duration::from_secs(100 * 3600));
    record(&audit, 1).await.unwrap();
    // The writer wakes by the clock, and removes a batch after the other.
    bench.clock.advance(Duration::from_secs(100 * 3600));
    let kept = loop {
        let verified = audit.reader().verify(None).await.unwrap();
        if verified.from.seq == 2500 {
            break verified;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((kept.records, kept.from), (1, old));
    assert!(matches!(audit.reader().verify(Some(Anchor { seq: 7, ..old })).await, Err(Broken::Expired(7))));
    record(&audit, 2).await.unwrap();
    audit.shutdown().await;
    bench.clock.advance(Duration::from_secs(1000 * 3600));
    let audit = bench.open().await;
    let verified = audit.reader().verify(None).await.unwrap();
    assert_eq!((verified.records, verified.head.seq), (0, 2502));
    record(&audit, 3).await.unwrap();
    assert_eq!(audit.reader().page(None, 10).await.unwrap()[0].seq, Some(2503));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_instances_write_one_chain() {
    let bench = Bench::new();
    let instances = [bench.open().await, bench.open().await];
    let writers = (0..40_u64).map(|n| {
        let audit = instances[(n % 2) as usize].clone();
        tokio::spawn(async move {
            for i in 0..25 {
                record(&audit, n * 100 + i).await.unwrap();
            }
        })
    });
    assert!(join_all(writers).await.into_iter().all(|done| done.is_ok()));
    assert_eq!(instances[0].reader().verify(None).await.unwrap().records, 1000);
    for audit in instances {
        audit.shutdown().await;
        assert!(record(&audit, 1).await.is_err());
    }
}

#[tokio::test]
async fn ten_thousand_records_are_listed_by_pages_without_gaps() {
    let bench = Bench::new();
    let audit = bench.open().await;
    for chunk in 0..40_u64 {
        let group = (0..250).map(|n| record(&audit, chunk * 250 + n));
        assert!(join_all(group).await.into_iter().all(|done| done.is_ok()));
    }
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = audit.reader().page(before, 999).await.unwrap();
        let Some(last) = page.last() else { break };
        before = last.seq;
        seen.extend(page.iter().map(|record| record.seq.unwrap()));
        // What comes meanwhile moves nothing.
        record(&audit, 1).await.unwrap();
    }
    assert_eq!(seen, (1..=10_000).rev().collect::<Vec<u64>>());
    assert_eq!(audit.reader().page(None, u32::MAX).await.unwrap().len(), 1000);
    assert_eq!(audit.reader().query(&RecordQuery::default()).await.unwrap().len(), 10_000);
    let opened = AuditReader::open(&bench.path()).await.unwrap();
    assert!(opened.verify(None).await.unwrap().records > 10_000);
}

#[tokio::test]
async fn no_record_no_signature_and_later_both() {
    let bench = Bench::new();
    let audit = bench.open().await;
    let wallet = LocalWallet::builder(Vault::in_memory()).audit(audit.clone()).build();
    let from = wallet.generate(KeyType::Secp256k1, &SeededEntropy::new(2, "audit")).await.unwrap();
    wallet.sign_message(&message(from, 1)).await.unwrap();
    // SQLite answers as it does when the disk is full, for every record.
    let full = "CREATE TRIGGER full BEFORE INSERT ON sign_record BEGIN \
                SELECT RAISE(ROLLBACK, 'database or disk is full'); END";
    bench.tamper(full).await;
    let many = (2..40).map(|n| {
        let (wallet, message) = (wallet.clone(), message(from, n));
        async move { wallet.sign_message(&message).await }
    });
    for done in join_all(many).await {
        let text = done.unwrap_err().to_string();
        assert!(text.contains("full"), "{text}");
    }
    bench.tamper("DROP TRIGGER full").await;
    wallet.sign_message(&message(from, 2)).await.unwrap();
    assert_eq!(audit.reader().verify(None).await.unwrap().records, 2);
}

#[tokio::test]
async fn other_files_are_refused() {
    let bench = Bench::new();
    assert!(AuditReader::open(&bench.path()).await.unwrap_err().to_string().contains("start the wallet"));
    plain(&bench.path()).await.close().await;
    std::fs::write(bench.path(), vec![b'x'; 4096]).unwrap();
    assert!(SqliteAudit::open(&bench.path(), AuditConfig::default()).await.is_err());
}

#[test]
fn queries_are_read_as_go_writes_them() {
    let go = r#"{"ID":"","Type":"message","Signer":"<empty>","IsError":false,"Skip":0,"Limit":3,"After":"0001-01-01T00:00:00Z","Before":"0001-01-01T00:00:00Z"}"#;
    let query: RecordQuery = serde_json::from_str(go).unwrap();
    let mut expected = RecordQuery::default();
    expected.msg_type = Some("message".into());
    expected.limit = 3;
    assert_eq!(query, expected);
    assert_eq!(serde_json::to_string(&query).unwrap(), go);
    assert_eq!(serde_json::from_str::<RecordQuery>("{}").unwrap(), RecordQuery::default());
    let odd = r#"{"limit":-1,"SKIP":null,"Other":[1]}"#;
    assert_eq!(serde_json::from_str::<RecordQuery>(odd).unwrap(), RecordQuery::default());
    for bad in
        [r#"{"ID":"a","id":"b"}"#, r#"{"Limit":"3"}"#, r#"{"Signer":"f0x"}"#, "[]", r#"{"After":"now"}"#]
    {
        assert!(serde_json::from_str::<RecordQuery>(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn a_query_survives_the_wire(
        id in proptest::option::of("[a-z0-9-]{1,12}"), signer in proptest::option::of(0..100_u64), error: bool,
        skip in 0..1_000_u64, limit in 0..1_000_u64, after in proptest::option::of(0..4_000_000_000_i64),
    ) {
        let mut query = RecordQuery::default();
        query.id = id;
        query.signer = signer.map(Address::new_id);
        (query.is_error, query.skip, query.limit) = (error, skip, limit);
        query.after = after.map(|s| time::OffsetDateTime::from_unix_timestamp(s).unwrap());
        let text = serde_json::to_string(&query).unwrap();
        prop_assert_eq!(serde_json::from_str::<RecordQuery>(&text).unwrap(), query);
    }

    #[test]
    fn no_query_panics(text in ".{0,200}") {
        let _ = serde_json::from_str::<RecordQuery>(&text);
        let _ = serde_json::from_str::<SignRecord>(&text);
    }
}

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Rates and totals.

mod policy_support;

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use policy_support::*;
use venus_core::clock::ManualClock;
use venus_core::error::BoxError;
use venus_core::types::Message;
use venus_signer::Refusal;
use venus_signer::policy::{Policy, PolicyConfig, Spent, SpentStore};

const START: Duration = Duration::from_secs(1_700_000_000);

const TOTAL: &str =
    "default='deny'\n[[rule]]\nname='pay'\naction='allow'\ntotal={value='10 FIL', period='1h'}";

fn clocked(text: &str) -> (Policy, ManualClock) {
    let clock = ManualClock::new(START);
    let config = PolicyConfig::from_toml(text).unwrap();
    (Policy::builder(&config).unwrap().clock(clock.clone()).build(), clock)
}

#[tokio::test]
async fn a_rate_slides_and_says_when_again() {
    let (policy, clock) =
        clocked("default='deny'\n[[rule]]\nname='r'\naction='allow'\nrate={count=2, period='64s'}");
    ask(&policy, &send(MINER, "0")).await.unwrap();
    clock.advance(Duration::from_secs(32));
    ask(&policy, &send(MINER, "0")).await.unwrap();
    let used_up = text(ask(&policy, &send(MINER, "0")).await);
    assert_eq!(used_up, "\"r\" allows 2 signatures in 64s, 2 are used; again in 33 s");
    // Another key has its own.
    ask(&policy, &Message { from: other(), ..send(MINER, "0") }).await.unwrap();
    clock.advance(Duration::from_secs(32));
    assert!(ask(&policy, &send(MINER, "0")).await.is_err(), "a part counts until all of it is over");
    clock.advance(Duration::from_secs(1));
    ask(&policy, &send(MINER, "0")).await.unwrap();
    assert!(ask(&policy, &send(MINER, "0")).await.is_err());
}

#[tokio::test]
async fn a_total_adds_values_and_denies_what_never_fits() {
    let (policy, clock) = clocked(TOTAL);
    ask(&policy, &send(MINER, "6")).await.unwrap();
    let over = text(ask(&policy, &send(MINER, "5")).await);
    assert!(
        over.contains("\"pay\" allows 10 FIL in 1h, 6 FIL are used, 5 FIL asked for; again in"),
        "{over}"
    );
    ask(&policy, &send(MINER, "4")).await.unwrap();
    assert!(text(ask(&policy, &send(MINER, "11")).await).contains("more than it ever allows"));
    clock.advance(Duration::from_secs(2 * 3600));
    ask(&policy, &send(MINER, "10")).await.unwrap();
}

#[tokio::test]
async fn a_refused_request_is_not_counted_and_explaining_counts_nothing() {
    let (policy, _) = clocked(TOTAL);
    for _ in 0..5 {
        assert!(ask(&policy, &send(MINER, "11")).await.is_err());
        assert!(explain(&policy, &send(MINER, "10")).await.is_allowed());
    }
    ask(&policy, &send(MINER, "10")).await.unwrap();
    assert!(!explain(&policy, &send(MINER, "1")).await.is_allowed());
}

#[tokio::test]
async fn proposed_value_counts() {
    let (policy, _) = clocked(TOTAL);
    let proposed = call("f02000", 2, "0", propose(SECP, "7", 0, Vec::new()));
    ask(&policy, &proposed).await.unwrap();
    assert!(ask(&policy, &proposed).await.is_err());
    ask(&policy, &send(MINER, "3")).await.unwrap();
}

#[tokio::test]
async fn pledge_is_limited_by_the_preset() {
    let (policy, _) = clocked("[mining]\npledge_total={value='15 FIL', period='1h'}");
    ask(&policy, &call(MINER, 28, "10", pre_commit())).await.unwrap();
    assert!(ask(&policy, &call(MINER, 28, "10", pre_commit())).await.is_err());
    ask(&policy, &call(MINER, 28, "5", pre_commit())).await.unwrap();
    ask(&policy, &call(MINER, 28, "0", pre_commit())).await.unwrap();
}

#[tokio::test]
async fn setting_the_clock_back_frees_nothing() {
    #[derive(Debug)]
    struct Jumping(Mutex<Duration>);
    #[async_trait]
    impl venus_core::clock::Clock for Jumping {
        fn now(&self) -> Duration {
            let mut now = self.0.lock().unwrap();
            *now -= Duration::from_secs(3 * 3600);
            *now
        }
        async fn sleep_until(&self, _: Duration) {}
    }
    let config = PolicyConfig::from_toml(TOTAL).unwrap();
    let policy = Policy::builder(&config).unwrap().clock(Jumping(Mutex::new(START))).build();
    ask(&policy, &send(MINER, "10")).await.unwrap();
    assert!(ask(&policy, &send(MINER, "1")).await.is_err());
}

#[tokio::test]
async fn sixty_four_at_once_never_exceed_a_total() {
    let (policy, _) = clocked(TOTAL);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let policy = policy.clone();
        tasks.spawn(async move { ask(&policy, &send(MINER, "1")).await.is_ok() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|ok| *ok).count(), 10);
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn totals_survive_a_restart() {
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
    use venus_signer::policy::SqliteSpent;

    let dir = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(dir.path().join("p.db")).create_if_missing(true);
    let clock = ManualClock::new(START);
    let open = async || {
        let pool = SqlitePool::connect_with(options.clone()).await.unwrap();
        let store = SqliteSpent::open(pool.clone()).await.unwrap();
        let config = PolicyConfig::from_toml(TOTAL).unwrap();
        let builder = Policy::builder(&config).unwrap().clock(clock.clone());
        (builder.build_with(store).await.unwrap(), pool)
    };
    let (policy, pool) = open().await;
    ask(&policy, &send(MINER, "6")).await.unwrap();
    pool.close().await;
    let (policy, pool) = open().await;
    assert!(ask(&policy, &send(MINER, "5")).await.is_err());
    ask(&policy, &send(MINER, "4")).await.unwrap();
    pool.close().await;
    clock.advance(Duration::from_secs(7200));
    let (policy, _pool) = open().await;
    ask(&policy, &send(MINER, "10")).await.unwrap();
}

#[tokio::test]
async fn a_store_that_fails_stops_value_only() {
    #[derive(Debug)]
    struct Full;
    #[async_trait]
    impl SpentStore for Full {
        async fn record(&self, _: &[Spent], _: Duration) -> Result<(), BoxError> {
            Err("disk full".into())
        }
        async fn since(&self, _: Duration) -> Result<Vec<Spent>, BoxError> {
            Ok(Vec::new())
        }
    }
    let config = PolicyConfig::from_toml(TOTAL).unwrap();
    let policy = Policy::builder(&config).unwrap().build_with(Full).await.unwrap();
    assert!(matches!(ask(&policy, &send(MINER, "1")).await, Err(Refusal::Failed(_))));
    ask(&policy, &send(MINER, "0")).await.unwrap();
}

//! Whatever providers send, and whatever is counted of them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use metrics::{Counter, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use proptest::prelude::*;
use venus_gateway::Ended;

use super::home::*;

/// Answers everything with this, until the registration is over. Whether it is complete.
async fn answers(pool: &Pool, list: Result<Vec<u8>, String>, signature: Result<Vec<u8>, String>) -> bool {
    let mut wallet = Wallet::dial(&pool.hub, who("alice", 1), &keys(1, 0, 0).0, &[]).await.unwrap();
    while let Some(event) = soon(wallet.events.next()).await {
        match event.method.as_str() {
            "WalletList" => wallet.answer(&event, list.clone()),
            "WalletSign" => wallet.answer(&event, signature.clone()),
            _ => {
                if wallet.hear(event).is_some() {
                    let offered = pool.hub.wallet("alice").unwrap().connect_states[0].addrs.clone();
                    assert!(offered.is_empty(), "nothing was proven: {offered:?}");
                    return true;
                }
            }
        }
    }
    assert!(pool.hub.wallets().is_empty());
    false
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_answer_makes_the_hub_panic_or_believe(
        list in prop::collection::vec(any::<u8>(), 0..200),
        error in "\\PC{0,1200}",
        signature in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        paused().block_on(async {
            let pool = Pool::plain();
            answers(&pool, Ok(list), Ok(signature.clone())).await;
            answers(&pool, Err(error.clone()), Ok(Vec::new())).await;
            let address = keys(7, 1, 0).1[0];
            let one = format!("[{:?}, {:?}]", address.to_string(), "f01000").into_bytes();
            assert!(answers(&pool, Ok(one.clone()), Ok(signature)).await);
            let _ = answers(&pool, Ok(one.clone()), Err(error)).await;
            let forged = format!(r#"{{"Type":1,"Data":"{}"}}"#, data_encoding::BASE64.encode(&[7; 65]));
            assert!(answers(&pool, Ok(one), Ok(forged.into_bytes())).await);
            soon(pool.hub.shutdown()).await;
        });
    }
}

/// The names and labels of all that is measured, and the last value of each gauge.
#[derive(Clone, Default)]
struct Measured {
    series: Arc<Mutex<BTreeSet<String>>>,
    gauges: Arc<Mutex<std::collections::BTreeMap<String, f64>>>,
}

struct Value(String, Measured);

impl GaugeFn for Value {
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        self.1.gauges.lock().unwrap().insert(self.0.clone(), value);
    }
}

impl Measured {
    fn saw(&self, key: &Key) -> String {
        let labels: Vec<String> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let series = format!("{}{{{}}}", key.name(), labels.join(","));
        self.series.lock().unwrap().insert(series.clone());
        series
    }

    fn gauge(&self, series: &str) -> f64 {
        self.gauges.lock().unwrap()[series]
    }
}

impl Recorder for Measured {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.saw(key);
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(Value(self.saw(key), self.clone())))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.saw(key);
        Histogram::noop()
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_count_what_is_there_and_name_nobody() {
    let measured = Measured::default();
    let _here = metrics::set_default_local_recorder(&measured);
    let pool = Pool::plain();
    let mut first = 0;
    for n in 0..20 {
        pool.accounts.add(&format!("account-{n}"));
        let wallet = pool.wallet(who(&format!("account-{n}"), n), &keys(n, 2, 0).0).await;
        let prover = soon(pool.hub.listen_proof(who("alice", n), miner(1000))).await.unwrap();
        soon(pool.hub.listen_market(who("alice", n), miner(2000))).await.unwrap_err();
        if n == 0 {
            assert_eq!(measured.gauge("venus_gateway_addresses{}"), 2.0);
            assert_eq!(measured.gauge("venus_gateway_wallet_accounts{}"), 1.0);
            assert_eq!(measured.gauge("venus_gateway_connections{kind=wallet}"), 1.0);
            assert_eq!(measured.gauge("venus_gateway_connections{kind=proof}"), 1.0);
            assert_eq!(measured.gauge("venus_gateway_miners{kind=proof}"), 1.0);
            first = measured.series.lock().unwrap().len();
        }
        pool.hub.end(&Ended::Account(format!("account-{n}")));
        drop((wallet, prover));
    }
    for series in ["addresses{}", "wallet_accounts{}", "connections{kind=wallet}", "miners{kind=proof}"] {
        assert_eq!(measured.gauge(&format!("venus_gateway_{series}")), 0.0, "{series}");
    }
    let all = measured.series.lock().unwrap().clone();
    assert!(all.len() <= first + 4, "more providers are no more series: {all:?}");
    for series in &all {
        assert!(
            !series.contains("account-") && !series.contains("10.0.") && !series.contains("f0"),
            "{series}"
        );
    }
}

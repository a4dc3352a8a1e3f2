//! One deadline, and nothing after it.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use proptest::prelude::*;
use tokio::time::Instant;
use venus_core::types::gateway::RequestEvent;
use venus_gateway::Accounts;

use crate::home::{Pool, Reply, key, signed, soon, unknown};

/// What one provider does about its questions, in milliseconds.
#[derive(Clone, Copy, Debug)]
enum Does {
    Signs(u64),
    Fails(u64),
    Dies(u64),
    Nothing,
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        (0u64..3000).prop_map(Does::Signs),
        (0u64..3000).prop_map(Does::Fails),
        (0u64..3000).prop_map(Does::Dies),
        Just(Does::Nothing),
    ]
}

/// A caller: how long it lets the hub take, and when it goes whatever happens.
type Caller = (Option<u64>, Option<u64>);

async fn play(providers: &[Does], callers: &[Caller], hedge: Option<u64>) -> (Vec<Duration>, u64) {
    let pool = Pool::new(|options| {
        options.sign = Duration::from_secs(2);
        options.hedge = hedge.map(Duration::from_millis);
        options.limits.in_flight = 3;
    });
    let (signer, address) = key(9);
    let mut parties = Vec::new();
    for (connection, does) in (1..).zip(providers) {
        let (does, wallet) = (*does, signer.clone());
        let how = move |event: RequestEvent| -> BoxFuture<'static, Reply> {
            let wallet = Arc::clone(&wallet);
            Box::pin(async move {
                match does {
                    Does::Signs(after) => signed(&wallet, &event).await.later(after),
                    Does::Fails(after) => Reply::error("wallet locked").later(after),
                    Does::Dies(after) => Reply::Die.later(after),
                    Does::Nothing => Reply::Never,
                }
            })
        };
        parties.push(pool.wallet("alice", connection, &signer, how).await);
    }
    let begun = Instant::now();
    let asking = callers.iter().map(|(deadline, goes)| async {
        let deadline = deadline.map(Duration::from_millis);
        let meta = unknown();
        let sign = pool.hub.wallet_sign(&address, Accounts::All, b"bytes", &meta, deadline);
        let goes = goes.map_or(Duration::from_secs(3600), Duration::from_millis);
        let _ = tokio::time::timeout(goes, sign).await;
        begun.elapsed()
    });
    let took = soon(futures::future::join_all(asking)).await;
    (took, pool.waiting())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn i6_nothing_of_a_request_outlives_its_deadline(
        providers in prop::collection::vec(does(), 1..5),
        callers in prop::collection::vec(
            (prop::option::of(0u64..4000), prop::option::of(0u64..2500)),
            1..8,
        ),
        hedge in prop::option::of(0u64..1500),
    ) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let (took, waiting) = runtime.block_on(play(&providers, &callers, hedge));
        for ((deadline, _), took) in callers.iter().zip(took) {
            let most = Duration::from_millis(deadline.unwrap_or(2000).min(2000) + 1);
            prop_assert!(took <= most, "{:?} took {:?}", deadline, took);
        }
        prop_assert_eq!(waiting, 0);
    }
}

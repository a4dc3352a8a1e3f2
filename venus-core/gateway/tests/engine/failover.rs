//! Who is asked next, and when.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::Instant;
use venus_core::error::{Classify, ErrorKind};
use venus_core::testing::doubles::TestSigner;
use venus_core::types::gateway::{RequestEvent, ResponseEvent};
use venus_core::types::{Address, Signature};
use venus_gateway::{Accounts, HubError};

use crate::home::{
    Behaviour, Party, Pool, Reply, always, honest, key, miner, proof, proof_request, prove, signed, soon,
    unknown, who,
};

const SECOND: Duration = Duration::from_secs(1);

/// What the providers do, question by question, whoever of them is asked; they sign when the script is over.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<VecDeque<Reply>>>);

impl Script {
    fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self(Arc::new(Mutex::new(replies.into_iter().collect())))
    }

    fn signing(&self, signer: &Arc<TestSigner>) -> impl Behaviour + use<> {
        let (script, signer) = (self.clone(), signer.clone());
        move |event: RequestEvent| -> BoxFuture<'static, Reply> {
            let (next, signer) = (script.0.lock().unwrap().pop_front(), signer.clone());
            Box::pin(async move {
                match next {
                    Some(reply) => reply,
                    None => signed(&signer, &event).await,
                }
            })
        }
    }

    fn proving(&self) -> impl Behaviour + use<> {
        let script = self.clone();
        move |_| -> BoxFuture<'static, Reply> {
            let next = script.0.lock().unwrap().pop_front().unwrap_or_else(|| proof(b"proof"));
            Box::pin(async move { next })
        }
    }
}

/// Wallets with the same key on connections of their own.
async fn twins(pool: &Pool, many: u64, script: &Script) -> (Vec<Party>, Address) {
    let (signer, address) = key(1);
    let mut parties = Vec::new();
    for connection in 1..=many {
        parties.push(pool.wallet("alice", connection, &signer, script.signing(&signer)).await);
    }
    (parties, address)
}

fn asked(parties: &[Party]) -> usize {
    parties.iter().map(Party::asked).sum()
}

async fn timed(pool: &Pool, address: &Address) -> (Result<Signature, HubError>, Duration) {
    let begun = Instant::now();
    (pool.sign(address, b"bytes").await, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn when_a_provider_dies_the_next_is_asked_at_once() {
    let pool = Pool::plain();
    let script = Script::new([Reply::Die.later(100)]);
    let (parties, address) = twins(&pool, 2, &script).await;
    let (result, took) = timed(&pool, &address).await;
    result.unwrap();
    assert!(took < Duration::from_millis(150), "dead after 100 ms, the next within 50: {took:?}");
    assert_eq!(asked(&parties), 2);
    // Who failed rests.
    for _ in 0..3 {
        pool.sign(&address, b"more").await.unwrap();
    }
    assert_eq!((asked(&parties), pool.waiting()), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn t11_a_silent_provider_does_not_use_up_the_deadline() {
    let pool = Pool::new(|options| options.sign = 8 * SECOND);
    let script = Script::new([Reply::Never, Reply::Never]);
    let (parties, address) = twins(&pool, 3, &script).await;
    let (result, took) = timed(&pool, &address).await;
    result.unwrap();
    assert_eq!((took.as_secs(), asked(&parties)), (6, 3), "half of eight, half of what is left");
    let (result, took) = timed(&pool, &address).await;
    result.unwrap();
    assert!(took < SECOND, "who was silent is not asked first again");
    assert_eq!(pool.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn b9_08_the_deadline_is_the_callers_and_holds_whoever_is_silent() {
    for many in [1, 3] {
        let pool = Pool::new(|options| options.sign = 10 * SECOND);
        let script = Script::new(vec![Reply::Never; 6]);
        let (_parties, address) = twins(&pool, many, &script).await;
        for (asked, after) in [(Some(3 * SECOND), 3), (Some(60 * SECOND), 10)] {
            let begun = Instant::now();
            let meta = unknown();
            let sign = pool.hub.wallet_sign(&address, Accounts::All, b"bytes", &meta, asked);
            let error = soon(sign).await.unwrap_err();
            assert!(
                matches!(error, HubError::Timeout { method: "WalletSign", after: a } if a.as_secs() == after)
            );
            assert_eq!((begun.elapsed().as_secs(), pool.waiting()), (after, 0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn b9_06_what_another_provider_can_mend_is_taken_to_it() {
    for text in ["wallet locked", "password not set", "no key for f1abc", "overloaded: try again"] {
        let pool = Pool::plain();
        let script = Script::new([Reply::error(text)]);
        let (parties, address) = twins(&pool, 2, &script).await;
        pool.sign(&address, b"bytes").await.unwrap();
        assert_eq!(asked(&parties), 2, "{text}");
    }
    for text in ["denied by policy: not today", "get sign bytes: unsupported msgtype:nonsense", "no", "boom"]
    {
        let pool = Pool::plain();
        let script = Script::new([Reply::error(text)]);
        let (parties, address) = twins(&pool, 2, &script).await;
        let error = pool.sign(&address, b"bytes").await.unwrap_err();
        assert!(matches!(error, HubError::Provider(_)), "{error:?}");
        assert_eq!((error.to_string(), asked(&parties)), (text.to_owned(), 1), "a refusal stays one");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lone_provider_is_quoted_and_many_are_summed_up() {
    let pool = Pool::plain();
    let script = Script::new([Reply::error("wallet locked"), Reply::Die]);
    let (parties, address) = twins(&pool, 1, &script).await;
    assert_eq!(pool.sign(&address, b"bytes").await.unwrap_err().to_string(), "wallet locked");
    let error = pool.sign(&address, b"bytes").await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.kind()), ("channel closed", ErrorKind::Transient));
    drop(parties);
    tokio::task::yield_now().await;
    let error = pool.sign(&address, b"bytes").await.unwrap_err();
    assert_eq!(error.to_string(), "send request must have channel");

    let pool = Pool::plain();
    let script = Script::new([Reply::Die, Reply::error("wallet locked")]);
    let (_parties, address) = twins(&pool, 2, &script).await;
    let error = pool.sign(&address, b"bytes").await.unwrap_err();
    assert_eq!(error.to_string(), "all request failed: WalletSign wallet locked");

    let pool = Pool::plain();
    let script = Script::new([Reply::Die, Reply::Die]);
    let _parties = (pool.prover(1, script.proving()).await, pool.prover(2, script.proving()).await);
    let error = prove(&pool.hub, 1, None).await.unwrap_err();
    assert_eq!(error.to_string(), "all request failed: ComputeProof channel closed");
    assert_eq!(
        prove(&pool.hub, 1, None).await.unwrap_err().to_string(),
        "no connections for this miner f01000"
    );
}

#[tokio::test(start_paused = true)]
async fn b9_04_what_expired_is_forgotten_and_its_answer_refused() {
    let pool = Pool::plain();
    let party = pool.prover(7, always(Reply::Never)).await;
    let begun = Instant::now();
    assert!(matches!(prove(&pool.hub, 1, Some(SECOND)).await, Err(HubError::Timeout { .. })));
    assert_eq!((pool.waiting(), begun.elapsed()), (0, SECOND));
    let id = party.heard.lock().unwrap()[0].id.clone();
    let late = pool.hub.respond(7, ResponseEvent { id: id.clone(), ..ResponseEvent::default() });
    assert_eq!(late.unwrap_err().to_string(), format!("request id {id} not exit"));
}

#[tokio::test(start_paused = true)]
async fn b9_05_a_caller_that_goes_amid_the_failover_leaves_nothing() {
    let pool = Pool::plain();
    let script = Script::new([Reply::Die.later(100), proof(b"late").later(5000)]);
    let parties = [pool.prover(1, script.proving()).await, pool.prover(2, script.proving()).await];
    {
        let (of, request) = (miner(1000), proof_request(1));
        let mut prove = Box::pin(pool.hub.compute_proof(&of, &request, None));
        while asked(&parties) < 2 {
            assert!(futures::poll!(&mut prove).is_pending());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(pool.waiting(), 1);
    }
    assert_eq!(pool.waiting(), 0);
    assert_eq!(prove(&pool.hub, 1, None).await.unwrap()[0].proof_bytes, b"proof", "the hub goes on");
}

#[tokio::test(start_paused = true)]
async fn equals_are_asked_in_turn_however_many_they_are() {
    for many in [2, 3, 20] {
        let pool = Pool::plain();
        let mut parties = Vec::new();
        for connection in 1..=many {
            parties.push(pool.prover(connection, always(proof(b"proof"))).await);
        }
        for _ in 0..many * 6 {
            prove(&pool.hub, 1, None).await.unwrap();
        }
        let asked: Vec<usize> = parties.iter().map(Party::asked).collect();
        assert!(asked.iter().all(|asked| *asked > 0), "{asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn full_queues_fail_at_once() {
    let pool = Pool::new(|options| options.limits.in_flight = 2);
    let script = Script::new(vec![Reply::Never; 4]);
    let (parties, address) = twins(&pool, 2, &script).await;
    let stuck: Vec<_> = (0..4)
        .map(|_| {
            let hub = pool.hub.clone();
            tokio::spawn(
                async move { hub.wallet_sign(&address, Accounts::All, b"x", &unknown(), None).await },
            )
        })
        .collect();
    while asked(&parties) < 4 {
        tokio::task::yield_now().await;
    }
    let (result, took) = timed(&pool, &address).await;
    let error = result.unwrap_err();
    assert!(matches!(error, HubError::Overloaded), "{error:?}");
    assert_eq!((error.kind(), took), (ErrorKind::RateLimited, Duration::ZERO));
    stuck.iter().for_each(tokio::task::JoinHandle::abort);
    for task in stuck {
        let _ = task.await;
    }
    pool.sign(&address, b"bytes").await.unwrap();

    let pool = Pool::new(|options| options.limits.queue = 1);
    // InitConnect is never taken out.
    let _deaf = soon(pool.hub.listen_proof(who("alice", 1), miner(1000))).await.unwrap();
    assert!(matches!(prove(&pool.hub, 1, None).await, Err(HubError::Overloaded)));
}

#[tokio::test(start_paused = true)]
async fn a_hedge_asks_a_second_one_and_takes_the_first_answer() {
    let pool = Pool::new(|options| options.hedge = Some(SECOND));
    let script = Script::new([proof(b"slow").later(4000)]);
    let parties = [pool.prover(1, script.proving()).await, pool.prover(2, script.proving()).await];
    let begun = Instant::now();
    assert_eq!(prove(&pool.hub, 1, None).await.unwrap()[0].proof_bytes, b"proof");
    assert_eq!((begun.elapsed(), asked(&parties), pool.waiting()), (SECOND, 2, 0));

    let script = Script::new([proof(b"slow").later(3000), Reply::Never]);
    let pool = Pool::new(|options| options.hedge = Some(SECOND));
    let _parties = [pool.prover(1, script.proving()).await, pool.prover(2, script.proving()).await];
    assert_eq!(
        prove(&pool.hub, 1, None).await.unwrap()[0].proof_bytes,
        b"slow",
        "the first goes on meanwhile"
    );
}

#[tokio::test(start_paused = true)]
async fn late_and_double_answers_disturb_nobody() {
    let pool = Pool::new(|options| options.sign = 4 * SECOND);
    let (signer, address) = key(1);
    let script =
        Script::new([Reply::Twice(Box::new(Reply::error("x"))), Reply::error("late: x").later(3000)]);
    let _parties = [
        pool.wallet("alice", 1, &signer, script.signing(&signer)).await,
        pool.wallet("alice", 2, &signer, honest(&signer)).await,
    ];
    for _ in 0..12 {
        match pool.sign(&address, b"bytes").await {
            Ok(_) => {}
            Err(error) => assert_eq!(error.to_string(), "x"),
        }
    }
    assert_eq!(pool.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_hub_shuts_down_under_requests() {
    let pool = Pool::plain();
    let script = Script::new([Reply::Never]);
    let (parties, address) = twins(&pool, 1, &script).await;
    let hub = pool.hub.clone();
    let asking =
        tokio::spawn(async move { hub.wallet_sign(&address, Accounts::All, b"x", &unknown(), None).await });
    while asked(&parties) < 1 {
        tokio::task::yield_now().await;
    }
    soon(pool.hub.shutdown()).await;
    assert!(matches!(soon(asking).await.unwrap(), Err(HubError::Stopped)));
    assert!(matches!(pool.sign(&address, b"bytes").await, Err(HubError::Stopped)));
}

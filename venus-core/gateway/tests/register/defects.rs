//! The defects of the gateway that this one replaces, each as a test that finds it there.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;
use venus_core::api::AccountDirectory;
use venus_core::types::gateway::{RequestEvent, ResponseEvent};
use venus_gateway::Ended;

use super::home::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn b9_01_lists_may_be_read_while_sealers_come_and_go() {
    let pool = Arc::new(Pool::plain());
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..4 {
        let pool = pool.clone();
        tasks.spawn(async move {
            for round in 0..200 {
                let (account, id) = if (n + round) % 2 == 0 { ("alice", 1000) } else { ("bob", 2000) };
                drop(pool.hub.listen_market(who(account, n), miner(id)).await.unwrap());
            }
        });
    }
    let listing = pool.clone();
    tasks.spawn(async move {
        for _ in 0..1000 {
            for state in listing.hub.markets() {
                assert_eq!(state.conn.connection_count as usize, state.conn.connections.len());
                assert!(state.conn.connection_count > 0, "a miner without sealers is not listed");
            }
            tokio::task::yield_now().await;
        }
    });
    soon(async {
        while let Some(done) = tasks.join_next().await {
            done.unwrap()
        }
    })
    .await;
    assert!(pool.hub.markets().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn b9_02_whoever_comes_while_the_last_one_goes_is_there() {
    let pool = Pool::plain();
    let mut last = pool.hub.listen_proof(who("alice", 0), miner(1000)).await.unwrap();
    for n in 1..500 {
        let hub = pool.hub.clone();
        let (comes, goes) = tokio::join!(
            tokio::spawn(async move { hub.listen_proof(who("alice", n), miner(1000)).await }),
            tokio::spawn(async move { drop(last) }),
        );
        goes.unwrap();
        last = comes.unwrap().unwrap();
        let state = pool.hub.miner(&miner(1000)).unwrap();
        assert_eq!(state.connections.len(), 1, "round {n}");
        assert_eq!(state.connections[0].channel_id, last.channel());
    }
    drop(last);
    assert!(pool.hub.miners().is_empty());
}

#[tokio::test(start_paused = true)]
async fn b9_03_a_channel_may_end_while_its_queue_is_full() {
    let pool = Pool::new(|options| options.limits.queue = 2);
    let (signer, _) = keys(1, 20, 0);
    for by_hub in [false, true] {
        let mut wallet = Wallet::dial(&pool.hub, who("alice", 1), &signer, &[]).await.unwrap();
        let list = soon(wallet.events.next()).await.unwrap();
        wallet.hear(list);
        // Challenges fill the queue, and nobody takes them.
        tokio::time::sleep(Duration::from_secs(1)).await;
        if by_hub {
            assert_eq!(pool.hub.end(&Ended::Account("alice".into())), 1);
            assert!(soon(wallet.events.next()).await.is_none());
        }
        drop(wallet);
        assert!(pool.hub.wallets().is_empty());
    }
    // Whatever asked has ended, too.
    soon(pool.hub.shutdown()).await;
}

#[tokio::test(start_paused = true)]
async fn b9_07_one_bad_key_does_not_refuse_the_others() {
    for strict in [false, true] {
        let pool = Pool::new(|options| options.strict = strict);
        let (signer, good) = keys(1, 2, 1);
        let missing = keys(2, 1, 0).1[0];
        let mut wallet = Wallet::dial(&pool.hub, who("alice", 1), &signer, &[]).await.unwrap();
        wallet.announced = [&[missing, miner(1000)], &good[..]].concat();
        let ready = wallet.ready().await;
        // The wallet is told which and why, whether it may stay or not.
        let about = |subject: &str| wallet.refused.iter().any(|refused| refused.subject == subject);
        assert!(about(&missing.to_string()) || about("f01000"), "{:?}", wallet.refused);
        assert!(pool.hub.failures()[0].reason.contains("verify address"));
        if strict {
            assert!(ready.is_none() && pool.hub.wallets().is_empty());
            continue;
        }
        assert_eq!(wallet.refused.len(), 2);
        assert!(ready.is_some());
        let mut offered = pool.hub.wallet("alice").unwrap().connect_states[0].addrs.clone();
        offered.sort_by_key(|address| good.iter().position(|known| known == address));
        assert_eq!(offered, good);
        assert!(pool.accounts.accounts_of_signer(&missing).await.unwrap().is_empty());
    }
}

/// What was logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// All ways in which somebody may write bytes.
fn spellings(bytes: &[u8]) -> Vec<String> {
    use data_encoding::{BASE64, HEXLOWER};
    let numbers = format!("{bytes:?}");
    vec![HEXLOWER.encode(bytes), BASE64.encode(bytes), numbers.trim_matches(['[', ']']).to_owned()]
}

#[tokio::test(start_paused = true)]
async fn b9_09_no_random_bytes_challenge_or_token_is_logged_or_shown() {
    for legacy in [venus_gateway::Legacy::None, venus_gateway::Legacy::All] {
        let log = Log::default();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
        let _here = tracing::subscriber::set_default(subscriber);
        let pool = Pool::new(|options| options.legacy = legacy.clone());
        let (signer, _) = keys(1, 2, 0);
        let mut wallet = match legacy {
            venus_gateway::Legacy::None => {
                Wallet::dial(&pool.hub, who("alice", 1), &signer, &["bob"]).await.unwrap()
            }
            _ => Wallet::dial_go(&pool.hub, who("alice", 1), &signer).await,
        };
        wallet.announced.push(keys(2, 1, 0).1[0]);
        wallet.ready().await.unwrap();
        soon(pool.hub.listen_proof(who("alice", 1), miner(2000))).await.unwrap_err();
        let debug = format!("{:?} {:?} {:?}", pool.hub, wallet.events, pool.hub.failures());
        let shown = String::from_utf8(log.0.lock().unwrap().clone()).unwrap() + &debug;
        assert!(shown.contains("alice"), "something was logged");
        assert!(!shown.contains(&wallet.who.token), "{shown}");
        let mut secrets = spellings(&wallet.sign_bytes);
        for RequestEvent { method, payload, .. } in &wallet.heard {
            if method == "WalletSign" {
                let asked: venus_core::types::gateway::WalletSignRequest =
                    serde_json::from_slice(payload).unwrap();
                secrets.extend(spellings(&asked.meta.extra));
                secrets.extend(spellings(&asked.to_sign));
            }
        }
        for secret in secrets {
            assert!(!shown.contains(&secret), "{secret} in {shown}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn b9_11_an_answer_to_nothing_is_refused_and_blocks_nobody() {
    let pool = Pool::plain();
    let (signer, _) = keys(1, 1, 0);
    let mut wallet = Wallet::dial(&pool.hub, who("alice", 1), &signer, &[]).await.unwrap();
    let unknown =
        ["", "nonsense", "00000000-0000-0000-0000-000000000000", &"x".repeat(1_000_000), &"é".repeat(100)];
    let answer =
        |id: &str| ResponseEvent { id: id.to_owned(), payload: b"[]".to_vec(), error: String::new() };
    for id in unknown {
        for _ in 0..3 {
            let refused = pool.hub.respond(1, answer(id)).unwrap_err().to_string();
            assert!(refused.starts_with("request id ") && refused.ends_with(" not exit"), "{refused}");
            assert!(refused.len() < 100, "what a stranger sends does not come back in full");
        }
    }
    // Twice is once too often.
    let list = soon(wallet.events.next()).await.unwrap();
    wallet.hear(list.clone());
    let refused = pool.hub.respond(1, answer(&list.id)).unwrap_err();
    assert_eq!(refused.to_string(), format!("request id {} not exit", list.id));
    wallet.ready().await.unwrap();
    let late = wallet.heard.iter().find(|event| event.method == "WalletSign").unwrap();
    pool.hub.respond(1, answer(&late.id)).unwrap_err();
}

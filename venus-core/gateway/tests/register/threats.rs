//! The threats of a pool whose members do not trust each other.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use venus_core::api::{AccountDirectory, Permissions};
use venus_core::testing::doubles::TestSigner;
use venus_core::types::Address;
use venus_core::types::gateway::{RequestEvent, WalletSignRequest};
use venus_gateway::{HubOptions, Legacy, Provider, SupportRule};

use super::home::*;

/// Opens a session at the honest hub in the name of a wallet that is connected to the attacker's own hub, and passes the
/// honest hub's questions on. The attacker's addresses there, at the end.
async fn relayed(honest: &Pool, victim: &Wallet) -> Vec<Address> {
    let foreign = victim.announced.clone();
    let empty = Arc::new(TestSigner::new(99));
    // As a wallet of Go, which is asked less.
    let mut mallory = Wallet::dial_go(&honest.hub, who("mallory", 66), &empty).await;
    mallory.announced = foreign;
    loop {
        let event = soon(mallory.events.next()).await.unwrap();
        if event.method == "WalletSign" {
            let signed = victim.sign(&event.payload);
            mallory.answer(&event, signed.map(|signed| serde_json::to_vec(&signed).unwrap()));
        } else if mallory.hear(event).is_some() {
            break;
        }
    }
    honest.hub.wallet("mallory").unwrap().connect_states[0].addrs.clone()
}

/// What Go's challenge leaves open is the last case, and that an operator who lists an account under legacy opens it for
/// that account: a wallet of Go answers Go's challenge of any hub, so that whoever runs one of its hubs can claim its keys
/// at any other that still asks in Go's way. The account service's rule of sharing is what is left then.
#[tokio::test(start_paused = true)]
async fn t01_a_challenge_relayed_between_two_hubs_proves_nothing() {
    let cases = [
        // The honest hub's rule, what the victim answers, whether the attacker gets the keys.
        (Legacy::None, Trust::Hub("evil"), false),
        (Legacy::None, Trust::Legacy, false),
        (Legacy::All, Trust::Hub("evil"), false),
        (Legacy::Accounts(["alice".to_owned()].into()), Trust::Legacy, false),
        (Legacy::All, Trust::Legacy, true),
    ];
    for (legacy, trust, hijacked) in cases {
        let what = format!("{legacy:?} {trust:?}");
        let honest = Pool::new(|options| options.legacy = legacy);
        honest.accounts.add("mallory");
        // The hub of the attacker, where the victim has an account of any name.
        let evil = Pool::new(|options| {
            options.name = "evil".to_owned();
            options.legacy = if matches!(trust, Trust::Legacy) { Legacy::All } else { Legacy::None };
        });
        let (signer, addresses) = keys(1, 1, 1);
        let mut victim = match trust {
            Trust::Legacy => Wallet::dial_go(&evil.hub, who("alice", 1), &signer).await,
            Trust::Hub(_) => Wallet::dial(&evil.hub, who("alice", 1), &signer, &[]).await.unwrap(),
        };
        victim.trust = trust;
        victim.ready().await.unwrap();
        assert_eq!(evil.hub.wallet("alice").unwrap().connect_states[0].addrs.len(), 2, "{what}");

        let claimed = relayed(&honest, &victim).await;
        assert_eq!(claimed.len(), if hijacked { 2 } else { 0 }, "{what}");
        let bound = honest.accounts.accounts_of_signer(&addresses[0]).await.unwrap();
        assert_eq!(bound.is_empty(), !hijacked, "{what}");
    }
}

/// A wallet of the kind that the hub is for.
async fn dial(pool: &Pool, connection: u64, signer: &Arc<TestSigner>) -> Wallet {
    match pool.hub.options().legacy {
        Legacy::None => Wallet::dial(&pool.hub, who("alice", connection), signer, &[]).await.unwrap(),
        _ => Wallet::dial_go(&pool.hub, who("alice", connection), signer).await,
    }
}

/// The challenges of one registration: what is signed, and the bytes beside it.
async fn challenges(pool: &Pool, signer: &Arc<TestSigner>) -> Vec<(RequestEvent, WalletSignRequest)> {
    let mut wallet = dial(pool, 1, signer).await;
    wallet.ready().await.unwrap();
    let asked = wallet.heard.iter().filter(|event| event.method == "WalletSign");
    asked.map(|event| (event.clone(), serde_json::from_slice(&event.payload).unwrap())).collect()
}

#[tokio::test(start_paused = true)]
async fn t02_no_challenge_is_asked_twice_and_no_old_answer_counts() {
    for legacy in [Legacy::None, Legacy::All] {
        let pool = Pool::new(|options| options.legacy = legacy.clone());
        let (signer, _) = keys(1, 2, 1);
        let (mut extras, mut digests) = (HashSet::new(), HashSet::new());
        let mut last = Vec::new();
        for _ in 0..3 {
            last = challenges(&pool, &signer).await;
            assert_eq!(last.len(), 3);
            for (_, request) in &last {
                assert!(extras.insert(request.meta.extra.clone()), "{legacy:?}: the random bytes come twice");
                assert!(digests.insert(request.to_sign.clone()), "{legacy:?}: the question comes twice");
            }
        }
        // Somebody who heard the answers, and has no key.
        let mut thief = dial(&pool, 2, &keys(9, 0, 0).0).await;
        thief.announced = last.iter().map(|(_, request)| request.signer).collect();
        loop {
            let event = soon(thief.events.next()).await.unwrap();
            if event.method == "WalletSign" {
                let asked: WalletSignRequest = serde_json::from_slice(&event.payload).unwrap();
                let (_, old) = last.iter().find(|(_, request)| request.signer == asked.signer).unwrap();
                let signature = signer.sign_challenge(&old.signer, &old.to_sign).unwrap();
                thief.answer(&event, Ok(serde_json::to_vec(&signature).unwrap()));
            } else if thief.hear(event).is_some() {
                break;
            }
        }
        assert!(pool.hub.failures()[0].reason.contains("(and 2 more)"), "{:?}", pool.hub.failures());
        assert!(pool.hub.wallet("alice").unwrap().connect_states[0].addrs.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_challenge_counts_for_a_minute() {
    let pool = Pool::new(|options| options.challenge = Duration::from_secs(1000));
    let mut wallet = Wallet::dial(&pool.hub, who("alice", 1), &keys(1, 1, 0).0, &[]).await.unwrap();
    let list = soon(wallet.events.next()).await.unwrap();
    wallet.hear(list);
    let challenge = soon(wallet.events.next()).await.unwrap();
    pool.clock.advance(Duration::from_secs(61));
    wallet.hear(challenge);
    wallet.ready().await.unwrap();
    assert!(wallet.refused[0].reason.contains("expired"), "{:?}", wallet.refused);
}

#[tokio::test(start_paused = true)]
async fn t04_hub_support_accounts_need_a_grant() {
    let granted = Provider { scopes: vec!["support:bob".to_owned()], ..who("alice", 1) };
    let other = Provider { scopes: vec!["support:bo".to_owned(), "bob".to_owned()], ..who("alice", 1) };
    let admin = Provider { permissions: Permissions::up_to("admin"), ..who("alice", 1) };
    let cases = [
        (SupportRule::Granted, who("alice", 1), false),
        (SupportRule::Granted, other, false),
        (SupportRule::Granted, granted, true),
        (SupportRule::Granted, admin, true),
        (SupportRule::Any, who("alice", 1), true),
    ];
    for (rule, caller, allowed) in cases {
        let pool = Pool::new(|options| options.support = rule);
        let (signer, addresses) = keys(1, 1, 0);
        let mut wallet = Wallet::dial(&pool.hub, caller.clone(), &signer, &["bob"]).await.unwrap();
        let channel = wallet.ready().await.expect("the wallet serves its own account in any case");
        let bound = pool.accounts.accounts_of_signer(&addresses[0]).await.unwrap();
        let expected: &[&str] = if allowed { &["alice", "bob"] } else { &["alice"] };
        assert_eq!(bound, expected, "{rule:?} {caller:?}");
        assert_eq!(pool.hub.wallet("alice").unwrap().support_accounts, expected);
        assert_eq!(wallet.refused.len(), usize::from(!allowed));
        if !allowed {
            assert_eq!(wallet.refused[0].subject, "bob");
            assert!(wallet.refused[0].reason.contains("scope support:bob"));
            assert!(pool.hub.failures()[0].reason.contains("bob"));
        }
        let later = soon(pool.hub.support_account(&caller, channel, "bob")).await;
        assert_eq!(later.is_ok(), allowed);
        // Naming somebody who may not be served tells nothing of whether there is such an account.
        let unknown = soon(pool.hub.support_account(&who("alice", 1), channel, "nobody")).await.unwrap_err();
        let private =
            rule == SupportRule::Granted && !caller.permissions.allow(venus_core::api::Permission::Admin);
        assert_eq!(unknown.to_string().contains("Key not found"), !private);
    }
}

#[tokio::test(start_paused = true)]
async fn t10_responses_count_only_on_their_connection() {
    let pool = Pool::plain();
    let (signer, _) = keys(1, 1, 0);
    let mut wallet = Wallet::dial(&pool.hub, who("alice", 1), &signer, &[]).await.unwrap();
    // Another wallet of the same account, another account, and a connection that is none.
    let twin = Wallet::dial(&pool.hub, who("alice", 2), &signer, &[]).await.unwrap();
    let stranger = soon(pool.hub.listen_proof(who("bob", 3), miner(2000))).await.unwrap();
    let list = soon(wallet.events.next()).await.unwrap();
    for connection in [2, 3, 4, u64::MAX] {
        let response = venus_core::types::gateway::ResponseEvent {
            id: list.id.clone(),
            payload: b"[]".to_vec(),
            error: String::new(),
        };
        let refused = pool.hub.respond(connection, response).unwrap_err();
        assert_eq!(refused.to_string(), format!("request id {} not exit", list.id));
    }
    wallet.hear(list);
    let challenge = soon(wallet.events.next()).await.unwrap();
    let spoofed = venus_core::types::gateway::ResponseEvent {
        id: challenge.id.clone(),
        payload: Vec::new(),
        error: "no such key".to_owned(),
    };
    pool.hub.respond(2, spoofed).unwrap_err();
    wallet.hear(challenge);
    wallet.ready().await.unwrap();
    assert!(wallet.refused.is_empty());
    assert_eq!(pool.hub.wallet("alice").unwrap().connect_states[0].addrs.len(), 1);
    drop((twin, stranger));
}

fn tight(options: &mut HubOptions) {
    options.limits.channels_per_account = 100;
    options.limits.channels_per_ip = 60;
    options.limits.channels = 1000;
}

#[tokio::test(start_paused = true)]
async fn t11_floods_of_one_account_are_refused_at_once_and_delay_nobody_else() {
    let pool = Pool::new(tight);
    let mut flood = Vec::new();
    let (signer, _) = keys(1, 3, 0);
    for n in 0..100 {
        flood.push(Wallet::dial(&pool.hub, who("alice", n), &signer, &[]).await.unwrap());
    }
    // They are silent, or answer the list and then nothing.
    for wallet in flood.iter_mut().step_by(2) {
        let list = soon(wallet.events.next()).await.unwrap();
        wallet.hear(list);
    }
    for n in 100..1000 {
        let refused = soon(pool.hub.listen_proof(who("alice", n), miner(1000))).await.unwrap_err();
        assert_eq!(refused.to_string(), "too many channels of this account");
    }
    let start = tokio::time::Instant::now();
    let bob = pool.wallet(who("bob", 1), &keys(2, 2, 1).0).await;
    assert!(start.elapsed() < Duration::from_millis(100), "of virtual time: nothing was waited for");
    // Refusals leave nothing behind, and the silent go when their time is over.
    assert!(pool.hub.failures().len() <= 8);
    for (n, wallet) in flood.iter_mut().enumerate() {
        match n % 2 {
            // It answered the list, and has proven nothing.
            0 => _ = wallet.ready().await.unwrap(),
            _ => while soon(wallet.events.next()).await.is_some() {},
        }
    }
    let alice = pool.wallet(who("alice", 1), &signer).await;
    assert_eq!(pool.hub.wallet("alice").unwrap().connect_states.len(), 51);
    drop((alice, bob));
}

#[tokio::test(start_paused = true)]
async fn floods_from_one_ip_address_are_refused() {
    let pool = Pool::new(tight);
    let from = |account: &str, n: u64| Provider { remote: who("", 7).remote, ..who(account, n) };
    let mut there = Vec::new();
    for n in 0..60 {
        let (account, id) = if n % 2 == 0 { ("alice", 1000) } else { ("bob", 2000) };
        there.push(soon(pool.hub.listen_proof(from(account, n), miner(id))).await.unwrap());
    }
    let refused = soon(pool.hub.listen_proof(from("bob", 99), miner(2000))).await.unwrap_err();
    assert_eq!(refused.to_string(), "too many channels of this IP address");
    soon(pool.hub.listen_proof(who("bob", 8), miner(2000))).await.unwrap();
    there.pop();
    soon(pool.hub.listen_proof(from("bob", 99), miner(2000))).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn floods_of_events_never_pile_up_for_a_provider_that_does_not_listen() {
    let pool = Pool::new(|options| options.limits.queue = 8);
    let (signer, _) = keys(1, 0, 0);
    let wallet = pool.wallet(who("alice", 1), &signer).await;
    let (hub, caller, channel) = (pool.hub.clone(), wallet.who.clone(), wallet.events.channel());
    let foreign = keys(2, 30, 0).1;
    // Thirty questions for a queue of eight: eight at once, each until its time is over.
    let start = tokio::time::Instant::now();
    let error = soon(hub.add_addresses(&caller, channel, &foreign)).await.unwrap_err();
    assert!(start.elapsed() <= Duration::from_secs(60), "{:?}", start.elapsed());
    assert!(
        error.to_string().contains("no answer") || error.to_string().contains("does not take"),
        "{error}"
    );
    assert_eq!(hub.wallet("alice").unwrap().connect_states[0].request_count, 0);
    drop(wallet);
}

/// Everybody comes and goes at once, while operators list and rights end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t20_reconnect_churn_leaves_nothing_behind() {
    let pool = Arc::new(Pool::plain());
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..8u64 {
        let pool = pool.clone();
        tasks.spawn(async move {
            let (account, id) = if n % 2 == 0 { ("alice", 1000) } else { ("bob", 2000) };
            let (signer, _) = keys(n / 4, 1, 0);
            for round in 0..30u64 {
                let caller = who(account, n * 100 + round % 3);
                let prover = pool.hub.listen_proof(caller.clone(), miner(id)).await;
                let sealer = pool.hub.listen_market(caller.clone(), miner(id)).await;
                if let Ok(mut wallet) = Wallet::dial(&pool.hub, caller, &signer, &[]).await
                    && round % 2 == 0
                {
                    wallet.ready().await;
                }
                drop((prover, sealer));
            }
        });
    }
    let listing = pool.clone();
    tasks.spawn(async move {
        for round in 0..300 {
            let (hub, n) = (&listing.hub, round % 7);
            std::hint::black_box((hub.wallets(), hub.miners(), hub.markets(), hub.failures()));
            match n {
                0 => _ = hub.end(&venus_gateway::Ended::Account("alice".into())),
                1 => _ = hub.end(&venus_gateway::Ended::Miner("bob".into(), miner(2000))),
                2 => _ = hub.end(&venus_gateway::Ended::Everything),
                _ => {}
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
    assert!(pool.hub.wallets().is_empty() && pool.hub.miners().is_empty() && pool.hub.markets().is_empty());
    // And it works still.
    let wallet = pool.wallet(who("alice", 1), &keys(1, 1, 0).0).await;
    assert_eq!(pool.hub.wallets().len(), 1);
    drop(wallet);
    soon(pool.hub.shutdown()).await;
}

//! What ends when rights end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use venus_core::api::{AccountDirectory, AccountMiner};
use venus_core::types::gateway::WalletRegisterPolicy;
use venus_gateway::{Ended, Events, Provider, SupportRule};

use super::directory::Troubled;
use super::home::*;

async fn ended(events: &mut Events) {
    // `InitConnect` may still be there.
    while soon(events.next()).await.is_some() {}
}

#[tokio::test(start_paused = true)]
async fn i5_hub_ends_every_effect_of_what_is_taken_away() {
    let pool = Pool::new(|options| options.support = SupportRule::Any);
    let (hub, accounts) = (&pool.hub, &pool.accounts);
    let (signer, addresses) = keys(1, 2, 0);
    let mut alice = Wallet::dial(hub, who("alice", 1), &signer, &["bob"]).await.unwrap();
    alice.ready().await.unwrap();
    let mut bob = pool.wallet(who("bob", 2), &keys(2, 1, 0).0).await;
    let mut prover = soon(hub.listen_proof(who("alice", 3), miner(1000))).await.unwrap();
    let mut sealer = soon(hub.listen_market(who("bob", 4), miner(2000))).await.unwrap();

    // What touches nobody.
    for nothing in [
        Ended::Token("another".into()),
        Ended::Token(String::new()),
        Ended::Account("carol".into()),
        Ended::Miner("alice".into(), miner(2000)),
        Ended::Signer("alice".into(), addresses[0]),
        Ended::Ip("10.9.9.9".parse().unwrap()),
    ] {
        assert_eq!(hub.end(&nothing), 0, "{nothing:?}");
    }
    assert_eq!(hub.wallets().len(), 2);

    // An address: offered no more, whoever has it; the wallet stays.
    assert_eq!(hub.end(&Ended::Address(addresses[0])), 0);
    assert_eq!(hub.wallet("alice").unwrap().connect_states[0].addrs, [addresses[1]]);

    // A miner of an account, and one that nobody may use.
    assert_eq!(hub.end(&Ended::Miner("alice".into(), miner(1000))), 1);
    ended(&mut prover).await;
    assert!(hub.miners().is_empty());
    assert_eq!(hub.end(&Ended::Address(miner(2000))), 1);
    ended(&mut sealer).await;
    assert!(hub.markets().is_empty());

    // An account: its channels, and it is served by nobody.
    assert_eq!(hub.end(&Ended::Account("bob".into())), 1);
    ended(&mut bob.events).await;
    assert_eq!(hub.wallet("alice").unwrap().support_accounts, ["alice"]);

    // A token, also if the wallet comes back on another connection with the same one.
    let again = Provider { connection: 9, ..alice.who.clone() };
    let mut again = pool.wallet(again, &signer).await;
    assert_eq!(hub.end(&Ended::Token(alice.who.token.clone())), 2);
    ended(&mut alice.events).await;
    ended(&mut again.events).await;
    assert!(hub.wallets().is_empty());

    // An address of the network, however the socket writes it.
    let mapped = "[::ffff:10.0.0.5]:1".parse().unwrap();
    let from = Provider { remote: Some(mapped), ..who("alice", 5) };
    let mut prover = soon(hub.listen_proof(from, miner(1000))).await.unwrap();
    assert_eq!(hub.end(&Ended::Ip("10.0.0.5".parse().unwrap())), 1);
    ended(&mut prover).await;
    assert!(accounts.account("alice").await.unwrap().enabled);
}

#[tokio::test(start_paused = true)]
async fn a_registration_under_way_ends_too_and_nothing_more_is_heard() {
    let pool = Pool::plain();
    let (signer, addresses) = keys(1, 3, 0);
    let mut wallet = Wallet::dial(&pool.hub, who("alice", 1), &signer, &[]).await.unwrap();
    let list = soon(wallet.events.next()).await.unwrap();
    wallet.hear(list);
    let challenge = soon(wallet.events.next()).await.unwrap();
    assert_eq!(pool.hub.end(&Ended::Token(wallet.who.token.clone())), 1);
    // Two challenges are queued still, and are no business of this token any more.
    assert!(soon(wallet.events.next()).await.is_none());
    let late = wallet.sign(&challenge.payload).unwrap();
    wallet.answer(&challenge, Ok(serde_json::to_vec(&late).unwrap()));
    soon(pool.hub.shutdown()).await;
    assert!(pool.hub.wallets().is_empty());
    assert!(pool.accounts.accounts_of_signer(&addresses[0]).await.unwrap().is_empty());
    // To be sent away is no failure to register.
    assert!(pool.hub.failures().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_away_during_the_lookup_ends_the_registration() {
    let mut line = None;
    let pool = Pool::over(|accounts| line.insert(Troubled::new(accounts)).clone(), |_| ());
    let line = line.unwrap();
    line.slow.store(true, Ordering::SeqCst);
    let (hub, caller) = (pool.hub.clone(), who("alice", 1));
    let prover = tokio::spawn(async move { hub.listen_proof(caller, miner(1000)).await });
    let (hub, caller) = (pool.hub.clone(), who("alice", 1));
    let wallet =
        tokio::spawn(async move { hub.listen_wallet(caller, WalletRegisterPolicy::default()).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(line.waiting.load(Ordering::SeqCst), 2);
    assert_eq!(pool.hub.end(&Ended::Account("alice".into())), 2);
    // The directory says what was true when it was asked.
    line.go.notify_waiters();
    soon(prover).await.unwrap().unwrap_err();
    soon(wallet).await.unwrap().unwrap_err();
    assert!(pool.hub.miners().is_empty() && pool.hub.wallets().is_empty());
}

#[tokio::test(start_paused = true)]
async fn after_a_gap_everything_is_looked_up_again() {
    let mut line = None;
    let pool = Pool::over(
        |accounts| line.insert(Troubled::new(accounts)).clone(),
        |options| {
            options.support = SupportRule::Any;
        },
    );
    let line = line.unwrap();
    pool.accounts.add("carol");
    let more = AccountMiner { miner: miner(1001), open_mining: true };
    pool.accounts.bind_miner("alice", more).unwrap();
    let mut alice = Wallet::dial(&pool.hub, who("alice", 1), &keys(1, 1, 0).0, &["carol"]).await.unwrap();
    alice.ready().await.unwrap();
    let mut bob = pool.wallet(who("bob", 2), &keys(2, 1, 0).0).await;
    let mut kept = soon(pool.hub.listen_proof(who("alice", 1), miner(1000))).await.unwrap();
    let mut lost = soon(pool.hub.listen_proof(who("alice", 1), miner(1001))).await.unwrap();
    assert_eq!(soon(kept.next()).await.unwrap().method, "InitConnect");

    // What nobody told the hub, while the account service was away.
    pool.accounts.remove("carol");
    pool.accounts.set_enabled("bob", false).unwrap();
    pool.accounts.bind_miner("bob", more).unwrap();
    line.away.store(true, Ordering::SeqCst);
    assert_eq!(pool.hub.end(&Ended::Everything), 0);
    assert_eq!(pool.hub.end(&Ended::Everything), 0);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(pool.hub.wallets().len(), 2, "nobody is sent away because nobody knows");
    line.away.store(false, Ordering::SeqCst);
    ended(&mut lost).await;
    ended(&mut bob.events).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(pool.hub.wallets().len(), 1);
    assert_eq!(pool.hub.wallet("alice").unwrap().support_accounts, ["alice"]);
    assert_eq!(pool.hub.miners(), [miner(1000)]);
    assert!(tokio::time::timeout(Duration::from_secs(1), kept.next()).await.is_err());
    soon(pool.hub.shutdown()).await;
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_stops_ends_all_and_takes_nobody() {
    let pool = Pool::plain();
    let mut wallet = pool.wallet(who("alice", 1), &keys(1, 1, 0).0).await;
    let registering = Wallet::dial(&pool.hub, who("bob", 2), &keys(2, 1, 0).0, &[]).await.unwrap();
    let mut prover = soon(pool.hub.listen_proof(who("alice", 1), miner(1000))).await.unwrap();
    soon(pool.hub.shutdown()).await;
    ended(&mut wallet.events).await;
    ended(&mut prover).await;
    assert!(pool.hub.wallets().is_empty() && pool.hub.miners().is_empty());
    let refused = soon(pool.hub.listen_proof(who("alice", 1), miner(1000))).await.unwrap_err();
    assert_eq!(refused.to_string(), "the gateway is shutting down");
    drop(registering);
    soon(pool.hub.shutdown()).await;
}

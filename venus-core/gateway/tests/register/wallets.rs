//! Wallets that register, or cannot.

use std::sync::atomic::Ordering;
use std::time::Duration;

use venus_core::api::{AccountDirectory, Permissions};
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::gateway::WalletRegisterPolicy;
use venus_gateway::{Hub, Kind, Legacy, SupportRule};

use super::directory::Troubled;
use super::home::*;

fn reasons(hub: &Hub) -> Vec<String> {
    hub.failures().into_iter().map(|failure| failure.reason).collect()
}

#[tokio::test(start_paused = true)]
async fn a_wallet_registers_and_stands_in_the_lists() {
    let pool = Pool::plain();
    let (signer, addresses) = keys(1, 2, 1);
    let wallet = pool.wallet(who("alice", 7), &signer).await;
    assert!(wallet.refused.is_empty(), "{:?}", wallet.refused);
    let methods: Vec<_> = wallet.heard.iter().map(|event| event.method.as_str()).collect();
    let expected = ["WalletList", "WalletSign", "WalletSign", "WalletSign", "RegisterReport", "InitConnect"];
    assert_eq!(methods, expected);
    let list = pool.hub.wallets();
    assert_eq!(list, [pool.hub.wallet("alice").unwrap()]);
    assert_eq!(list[0].support_accounts, ["alice"]);
    let [state] = &list[0].connect_states[..] else { panic!("{list:?}") };
    assert_eq!(state.channel_id, wallet.events.channel());
    assert_eq!((state.ip.as_str(), state.request_count), ("10.0.0.7:4000", 0));
    assert_eq!(state.create_time.unix_timestamp(), 1_700_000_000);
    assert_eq!(state.addrs.len(), 3);
    for address in &addresses {
        assert!(state.addrs.contains(address));
        assert_eq!(pool.accounts.accounts_of_signer(address).await.unwrap(), ["alice"]);
    }
    drop(wallet);
    assert!(pool.hub.wallets().is_empty());
    assert_eq!(pool.hub.wallet("alice").unwrap_err().to_string(), "wallet alice not exit");
    assert!(pool.hub.failures().is_empty());
    soon(pool.hub.shutdown()).await;
}

#[tokio::test(start_paused = true)]
async fn lists_are_in_order_and_hold_all_wallets_of_an_account() {
    let pool = Pool::new(|options| options.support = SupportRule::Any);
    let mut wallets = Vec::new();
    for (n, account) in ["bob", "alice", "alice"].into_iter().enumerate() {
        let (signer, _) = keys(n as u64, 5, 0);
        wallets.push(pool.wallet(who(account, n as u64), &signer).await);
        pool.clock.advance(Duration::from_secs(1));
    }
    let mut more =
        Wallet::dial(&pool.hub, who("bob", 9), &keys(9, 0, 0).0, &["alice", "bob", "alice"]).await.unwrap();
    more.ready().await.unwrap();
    let list = pool.hub.wallets();
    assert_eq!(list.iter().map(|w| w.account.as_str()).collect::<Vec<_>>(), ["alice", "bob"]);
    assert_eq!(list[1].support_accounts, ["alice", "bob"]);
    let channels: Vec<_> = list[0].connect_states.iter().map(|state| state.channel_id).collect();
    assert_eq!(channels, [wallets[1].events.channel(), wallets[2].events.channel()]);
    for state in list.iter().flat_map(|w| &w.connect_states) {
        let texts: Vec<String> = state.addrs.iter().map(ToString::to_string).collect();
        assert!(texts.is_sorted(), "{texts:?}");
    }
    // What one wallet brought goes with it.
    drop(more);
    assert_eq!(pool.hub.wallet("bob").unwrap().support_accounts, ["bob"]);
}

#[tokio::test(start_paused = true)]
async fn accounts_have_to_exist_and_the_texts_are_those_of_go() {
    let pool = Pool::new(|options| options.support = SupportRule::Any);
    let listen = |account: &str, supports: &[&str]| {
        let (hub, who, policy) = (pool.hub.clone(), who(account, 1), go(supports));
        async move { soon(hub.listen_wallet(who, policy)).await.map(|_| ()).unwrap_err() }
    };
    let nobody = listen("", &[]).await;
    assert_eq!(nobody.to_string(), "unable to get account name in method ListenWalletEvent request");
    assert_eq!(nobody.kind(), ErrorKind::Denied);
    let unknown = listen("alice", &["bob", "nobody"]).await;
    assert_eq!(unknown.to_string(), "verify user [bob nobody alice] failed: verify nobody: Key not found");
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    let own = listen("carol", &["bob"]).await;
    assert_eq!(own.to_string(), "verify user [bob carol] failed: verify carol: Key not found");
    pool.accounts.set_enabled("alice", false).unwrap();
    let disabled = listen("alice", &[]).await;
    assert_eq!(disabled.kind(), ErrorKind::Denied);
    assert!(disabled.to_string().contains("disabled"), "{disabled}");
    // Nothing of them is left but the reason.
    assert!(pool.hub.wallets().is_empty());
    let failures = pool.hub.failures();
    assert_eq!(failures.len(), 4);
    assert!(
        failures
            .iter()
            .any(|f| f.account == "carol" && f.kind == Kind::Wallet && f.reason == own.to_string())
    );
}

#[tokio::test(start_paused = true)]
async fn policies_are_bounded() {
    let pool = Pool::plain();
    let many: Vec<String> = (0..65).map(|n| format!("account {n}")).collect();
    let cases = [
        (WalletRegisterPolicy { support_accounts: many, ..go(&[]) }, ErrorKind::RateLimited),
        (WalletRegisterPolicy { support_accounts: vec!["x".repeat(257)], ..go(&[]) }, ErrorKind::Invalid),
        (WalletRegisterPolicy { support_accounts: vec![String::new()], ..go(&[]) }, ErrorKind::Invalid),
        (WalletRegisterPolicy { sign_bytes: vec![0; 257], ..go(&[]) }, ErrorKind::Invalid),
    ];
    for (policy, kind) in cases {
        let refused = soon(pool.hub.listen_wallet(who("alice", 1), policy)).await.unwrap_err();
        assert_eq!(refused.kind(), kind, "{refused}");
    }
}

/// A wallet that answers `WalletList` with this, and then hears the end.
async fn refused_list(pool: &Pool, answer: Result<&str, &str>) -> String {
    let mut wallet = Wallet::dial(&pool.hub, who("alice", 1), &keys(1, 0, 0).0, &[]).await.unwrap();
    pool.clock.advance(Duration::from_secs(1));
    let event = soon(wallet.events.next()).await.unwrap();
    assert_eq!((event.method.as_str(), &event.payload[..]), ("WalletList", &b""[..]));
    wallet.answer(&event, answer.map(|json| json.as_bytes().to_vec()).map_err(str::to_owned));
    assert!(soon(wallet.events.next()).await.is_none());
    pool.hub.failures()[0].reason.clone()
}

#[tokio::test(start_paused = true)]
async fn lists_that_are_none_end_the_registration_and_the_reason_is_kept() {
    let pool = Pool::new(|options| options.limits.addresses = 2);
    assert_eq!(refused_list(&pool, Err("locked")).await, "WalletList failed: locked");
    assert!(refused_list(&pool, Ok("")).await.starts_with("WalletList failed: EOF"));
    assert!(refused_list(&pool, Ok("[\"f1bad\"]")).await.starts_with("WalletList failed: "));
    assert_eq!(
        refused_list(&pool, Ok("[\"f01\",\"f02\",\"f03\"]")).await,
        "too many addresses of one wallet"
    );
    assert_eq!(refused_list(&pool, Ok(&" ".repeat(10_000))).await, "too many addresses of one wallet");
    assert_eq!(pool.hub.failures()[0].times, 2);
    assert!(pool.hub.wallets().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_wallet_without_keys_registers_and_so_does_one_that_says_them_twice() {
    let pool = Pool::plain();
    for json in ["null", "[]"] {
        let mut wallet = Wallet::dial(&pool.hub, who("alice", 1), &keys(1, 0, 0).0, &[]).await.unwrap();
        let event = soon(wallet.events.next()).await.unwrap();
        wallet.answer(&event, Ok(json.as_bytes().to_vec()));
        wallet.ready().await.unwrap();
        assert!(pool.hub.wallet("alice").unwrap().connect_states[0].addrs.is_empty());
    }
    let mut wallet = Wallet::dial(&pool.hub, who("alice", 1), &keys(1, 1, 0).0, &[]).await.unwrap();
    wallet.announced = vec![wallet.announced[0]; 3];
    wallet.ready().await.unwrap();
    assert_eq!(wallet.heard.iter().filter(|event| event.method == "WalletSign").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn challenges_run_side_by_side_and_no_more_than_allowed() {
    let pool = Pool::new(|options| options.limits.challenges = 4);
    let mut wallet = Wallet::dial(&pool.hub, who("alice", 1), &keys(1, 9, 0).0, &[]).await.unwrap();
    let list = soon(wallet.events.next()).await.unwrap();
    wallet.hear(list);
    let mut asked = Vec::new();
    for _ in 0..4 {
        asked.push(soon(wallet.events.next()).await.unwrap());
    }
    let fifth = tokio::time::timeout(Duration::from_secs(1), wallet.events.next()).await;
    assert!(fifth.is_err(), "{fifth:?}");
    wallet.hear(asked.pop().unwrap());
    asked.push(soon(wallet.events.next()).await.unwrap());
    for event in asked {
        wallet.hear(event);
    }
    wallet.ready().await.unwrap();
    assert_eq!(pool.hub.wallet("alice").unwrap().connect_states[0].addrs.len(), 9);
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_finish_in_time_is_sent_away() {
    let pool = Pool::new(|options| options.handshake = Duration::from_secs(5));
    let mut silent = Wallet::dial(&pool.hub, who("alice", 1), &keys(1, 1, 0).0, &[]).await.unwrap();
    let list = soon(silent.events.next()).await.unwrap();
    assert!(soon(silent.events.next()).await.is_none());
    assert_eq!(reasons(&pool.hub), ["WalletList failed: no answer within 2.5s"]);
    silent.answer(&list, Ok(b"[]".to_vec()));
    assert!(pool.hub.wallets().is_empty());
    // One that has more keys than it can prove in the time.
    pool.clock.advance(Duration::from_secs(1));
    let mut slow = Wallet::dial(&pool.hub, who("alice", 1), &keys(1, 1, 0).0, &[]).await.unwrap();
    let list = soon(slow.events.next()).await.unwrap();
    slow.hear(list);
    assert_eq!(soon(slow.events.next()).await.unwrap().method, "WalletSign");
    assert!(soon(slow.events.next()).await.is_none());
    assert_eq!(reasons(&pool.hub)[0], "no answer to the registration within 5s");
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_is_away_refuses_and_one_that_comes_back_is_told() {
    let mut line = None;
    let pool = Pool::over(|accounts| line.insert(Troubled::new(accounts)).clone(), |_| ());
    let line = line.unwrap();
    line.away.store(true, Ordering::SeqCst);
    let refused = soon(pool.hub.listen_wallet(who("alice", 1), go(&[]))).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Timeout);
    line.away.store(false, Ordering::SeqCst);
    let (signer, addresses) = keys(1, 1, 0);
    let mut wallet = Wallet::dial(&pool.hub, who("alice", 1), &signer, &[]).await.unwrap();
    line.away.store(true, Ordering::SeqCst);
    wallet.ready().await.expect("the wallet waits for no one");
    assert_eq!(wallet.refused[0].subject, "alice");
    assert!(pool.accounts.accounts_of_signer(&addresses[0]).await.unwrap().is_empty());
    line.away.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(pool.accounts.accounts_of_signer(&addresses[0]).await.unwrap(), ["alice"]);
    soon(pool.hub.shutdown()).await;
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_never_answers_holds_nobody_for_ever() {
    let mut line = None;
    let pool = Pool::over(|accounts| line.insert(Troubled::new(accounts)).clone(), |_| ());
    line.unwrap().slow.store(true, Ordering::SeqCst);
    let refused = soon(pool.hub.listen_wallet(who("alice", 1), go(&[]))).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Timeout);
    assert!(refused.to_string().contains("account service did not answer within 60s"), "{refused}");
    let refused = soon(pool.hub.listen_proof(who("alice", 1), miner(1000))).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_wallet_of_go_hears_only_what_it_understands_and_its_operator_gets_a_hint() {
    for legacy in [Legacy::None, Legacy::Accounts(["alice".to_owned()].into()), Legacy::All] {
        let none = legacy == Legacy::None;
        let pool = Pool::new(|options| options.legacy = legacy);
        let (signer, _) = keys(1, 2, 1);
        let mut wallet = Wallet::dial_go(&pool.hub, who("alice", 1), &signer).await;
        wallet.ready().await.unwrap();
        assert!(wallet.heard.iter().all(|event| event.method != "RegisterReport"));
        let proven = pool.hub.wallet("alice").unwrap().connect_states[0].addrs.len();
        assert_eq!(proven, if none { 0 } else { 3 });
        match none {
            true => assert!(reasons(&pool.hub)[0].contains("list its account under legacy")),
            false => assert!(pool.hub.failures().is_empty()),
        }
        // One of the same account that understands more is asked as it should be.
        pool.wallet(who("alice", 2), &signer).await;
    }
}

#[tokio::test(start_paused = true)]
async fn administrators_may_support_anybody_and_disabled_accounts_are_left_out() {
    let pool = Pool::plain();
    pool.accounts.set_enabled("bob", false).unwrap();
    let admin = venus_gateway::Provider { permissions: Permissions::up_to("admin"), ..who("alice", 1) };
    let (signer, addresses) = keys(1, 1, 0);
    let mut wallet = Wallet::dial(&pool.hub, admin.clone(), &signer, &["bob"]).await.unwrap();
    wallet.ready().await.unwrap();
    assert_eq!(wallet.refused[0].reason, "the account is disabled");
    pool.accounts.set_enabled("bob", true).unwrap();
    let mut wallet = Wallet::dial(&pool.hub, admin, &signer, &["bob"]).await.unwrap();
    wallet.ready().await.unwrap();
    assert_eq!(pool.accounts.accounts_of_signer(&addresses[0]).await.unwrap(), ["alice", "bob"]);
}

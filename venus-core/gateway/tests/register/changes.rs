//! Wallets that change while they are connected.

use std::time::Duration;

use uuid::Uuid;
use venus_core::api::AccountDirectory;
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::Address;
use venus_gateway::{Accounts, Provider, SupportRule};

use super::home::*;

fn offered(pool: &Pool, account: &str) -> Vec<Address> {
    pool.hub.wallet(account).unwrap().connect_states[0].addrs.clone()
}

#[tokio::test(start_paused = true)]
async fn keys_come_and_go() {
    let pool = Pool::plain();
    let (signer, first) = keys(1, 1, 0);
    let mut wallet = pool.wallet(who("alice", 1), &signer).await;
    let (caller, channel) = (wallet.who.clone(), wallet.events.channel());
    let more = [signer.new_secp(), signer.new_bls(), signer.new_delegated()];
    let hub = pool.hub.clone();
    wallet.while_answering(hub.add_addresses(&caller, channel, &more)).await.unwrap();
    assert_eq!(offered(&pool, "alice").len(), 4);
    for address in &more {
        assert_eq!(pool.accounts.accounts_of_signer(address).await.unwrap(), ["alice"]);
    }
    // Twice is fine, and so is taking away what is not there.
    wallet.while_answering(hub.add_addresses(&caller, channel, &more[..1])).await.unwrap();
    for _ in 0..2 {
        soon(hub.remove_addresses(&caller, channel, &more)).await.unwrap();
        assert_eq!(offered(&pool, "alice"), first);
    }
    // The account service keeps the bindings: the keys are the account's still.
    assert_eq!(pool.accounts.accounts_of_signer(&more[0]).await.unwrap(), ["alice"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_takes_more_keys_away_than_a_wallet_may_have() {
    let pool = Pool::new(|options| options.limits.addresses = 3);
    let (signer, first) = keys(1, 1, 0);
    let wallet = pool.wallet(who("alice", 1), &signer).await;
    let (hub, channel) = (&pool.hub, wallet.events.channel());
    let many: Vec<Address> = std::iter::repeat_n(miner(1), 4).collect();
    let error = soon(hub.remove_addresses(&wallet.who, channel, &many)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    soon(hub.remove_addresses(&wallet.who, channel, &many[1..])).await.unwrap();
    assert_eq!(offered(&pool, "alice"), first);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_there_is_an_error_and_the_others_count() {
    let pool = Pool::plain();
    let (signer, _) = keys(1, 0, 0);
    let mut wallet = pool.wallet(who("alice", 1), &signer).await;
    let foreign = keys(2, 2, 0).1;
    let (good, channel) = (signer.new_secp(), wallet.events.channel());
    let list = [foreign[0], good, foreign[1], miner(1000)];
    let (hub, caller) = (pool.hub.clone(), wallet.who.clone());
    let error = wallet.while_answering(hub.add_addresses(&caller, channel, &list)).await.unwrap_err();
    let expected = format!("wallet alice verify address {} failed, signed error ", foreign[0]);
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().starts_with(&expected), "{error}");
    assert_eq!(offered(&pool, "alice"), [good]);
    let report = soon(wallet.events.next()).await.unwrap();
    wallet.hear(report);
    assert_eq!(wallet.refused.len(), 3);
    assert!(pool.accounts.accounts_of_signer(&foreign[0]).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn channels_belong_to_their_account() {
    let pool = Pool::plain();
    let (signer, addresses) = keys(1, 1, 0);
    let wallet = pool.wallet(who("alice", 1), &signer).await;
    let theirs = pool.wallet(who("bob", 2), &keys(2, 1, 0).0).await;
    let prover = soon(pool.hub.listen_proof(who("bob", 2), miner(2000))).await.unwrap();
    let (bob, hub) = (theirs.who.clone(), &pool.hub);
    for channel in [wallet.events.channel(), Uuid::nil(), prover.channel()] {
        let add = soon(hub.add_addresses(&bob, channel, &addresses)).await.unwrap_err();
        assert_eq!(add.to_string(), format!("no connect found for wallet bob and channelID {channel}"));
        let remove = soon(hub.remove_addresses(&bob, channel, &addresses)).await.unwrap_err();
        assert_eq!(remove.to_string(), format!("channel {channel} not found "));
        let support = soon(hub.support_account(&bob, channel, "alice")).await.unwrap_err();
        assert_eq!(support.to_string(), format!("channel {channel} not found "));
    }
    assert_eq!(offered(&pool, "alice"), addresses);
    let nobody = soon(hub.support_account(&who("carol", 3), Uuid::nil(), "alice")).await.unwrap_err();
    assert_eq!(nobody.to_string(), "wallet carol not exit");
}

#[tokio::test(start_paused = true)]
async fn a_wallet_that_still_registers_cannot_change() {
    let pool = Pool::plain();
    let wallet = Wallet::dial(&pool.hub, who("alice", 1), &keys(1, 1, 0).0, &[]).await.unwrap();
    let channel = wallet.events.channel();
    let error = soon(pool.hub.add_addresses(&wallet.who, channel, &wallet.announced)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    soon(pool.hub.remove_addresses(&wallet.who, channel, &[])).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_wallet_serves_one_account_more_if_it_may() {
    let pool = Pool::new(|options| options.limits.support_accounts = 1);
    let granted = Provider {
        scopes: vec!["support:bob".to_owned(), "support:carol".to_owned(), "support:dan".to_owned()],
        ..who("alice", 1)
    };
    let (signer, addresses) = keys(1, 2, 0);
    let wallet = pool.wallet(granted.clone(), &signer).await;
    let (hub, channel) = (pool.hub.clone(), wallet.events.channel());
    let unknown = soon(hub.support_account(&granted, channel, "carol")).await.unwrap_err();
    assert_eq!(unknown.to_string(), "verify user [carol] failed: verify carol: Key not found");
    let bob = ["bob".to_owned()];
    let for_bob = || soon(hub.wallet_has(&addresses[0], Accounts::Only(&bob)));
    assert!(!for_bob().await.unwrap());
    soon(hub.support_account(&granted, channel, "bob")).await.unwrap();
    assert!(for_bob().await.unwrap(), "at once, whatever was looked up before");
    soon(hub.support_account(&granted, channel, "alice")).await.unwrap();
    soon(hub.support_account(&granted, channel, "bob")).await.unwrap();
    assert_eq!(hub.wallet("alice").unwrap().support_accounts, ["alice", "bob"]);
    for address in &addresses {
        assert_eq!(pool.accounts.accounts_of_signer(address).await.unwrap(), ["alice", "bob"]);
    }
    pool.accounts.add("dan");
    let full = soon(hub.support_account(&granted, channel, "dan")).await.unwrap_err();
    assert_eq!(full.to_string(), "too many support accounts of one wallet");
}

#[tokio::test(start_paused = true)]
async fn addresses_of_a_wallet_are_bounded_over_all_calls() {
    let pool = Pool::new(|options| {
        options.limits.addresses = 3;
        options.support = SupportRule::Any;
    });
    let (signer, _) = keys(1, 2, 0);
    let mut wallet = pool.wallet(who("alice", 1), &signer).await;
    let more: Vec<Address> = (0..4).map(|_| signer.new_secp()).collect();
    let (hub, caller, channel) = (pool.hub.clone(), wallet.who.clone(), wallet.events.channel());
    let error = wallet.while_answering(hub.add_addresses(&caller, channel, &more)).await.unwrap_err();
    assert_eq!(error.to_string(), "too many addresses of one wallet");
    assert!(wallet.heard.iter().filter(|event| event.method == "WalletSign").count() == 2);
    wallet.while_answering(hub.add_addresses(&caller, channel, &more[..2])).await.unwrap_err();
    assert_eq!(offered(&pool, "alice").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_wallet_that_goes_while_it_adds_keys_ends_the_call() {
    let pool = Pool::plain();
    let (signer, _) = keys(1, 0, 0);
    let wallet = pool.wallet(who("alice", 1), &signer).await;
    let (hub, caller, channel) = (pool.hub.clone(), wallet.who.clone(), wallet.events.channel());
    let add = tokio::spawn(async move { hub.add_addresses(&caller, channel, &keys(1, 3, 0).1).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(wallet);
    assert_eq!(soon(add).await.unwrap().unwrap_err().to_string(), "channel closed");
}

//! Registrations over their life: hubs that are down, locks, accounts, keys that come and go.

use tokio::time::{Duration, Instant};
use uuid::Uuid;
use venus_core::api::MessageRequest;
use venus_core::entropy::SeededEntropy;
use venus_core::types::{Address, MessageExt, MsgMeta, TokenAmount};
use venus_signer::gateway::{GatewayError, GatewayProvider, HubConfigError, HubState};
use venus_signer::{KeyType, LockState};

use super::hub::{Lockable, challenge, hub, options, wallet};

fn channel(n: u8) -> Uuid {
    Uuid::from_bytes([n; 16])
}

#[tokio::test(start_paused = true)]
async fn a_wallet_registers_signs_and_says_goodbye() {
    let (wallet, mut owned) = wallet().await;
    let (pipes, options, _) = options();
    let mut hubs = pipes.serve("eu");
    let config = hub("eu").support_accounts(["bob"]);
    let handle = GatewayProvider::start(wallet, vec![config], options).unwrap();
    assert!(!handle.is_ready());
    let mut conn = hubs.recv().await.unwrap();
    assert_eq!(conn.headers["x-venus-api-namespace"], "gateway.IGateway");
    assert!(conn.headers["authorization"].to_str().unwrap().starts_with("Bearer "));
    let (accounts, mut announced) = conn.register("eu", channel(1)).await;
    assert_eq!(accounts, ["bob"]);
    handle.wait_ready().await;
    announced.sort();
    owned.sort();
    assert_eq!(announced, owned);
    let status = handle.status().remove(0);
    assert_eq!(
        (status.state, status.channel, status.addresses.len()),
        (HubState::Ready, Some(channel(1)), 3)
    );
    assert_eq!(status.accounts, ["alice", "bob"]);
    let from = owned[0];
    let message = MessageRequest::transfer(from, Address::new_id(9), TokenAmount::from_atto(1)).message;
    if from.protocol() != venus_core::types::Protocol::Delegated {
        let to_sign = message.cid().to_bytes();
        let signed = conn.sign(&from, &to_sign, &MsgMeta::chain_message(&message)).await.unwrap();
        venus_core::crypto::verify(&signed, &from, &to_sign).unwrap();
    }
    let ending = tokio::spawn(async move { handle.shutdown().await });
    assert_eq!(conn.frame().await["method"], "xrpc.cancel");
    assert!(conn.text().await.is_none());
    ending.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn deviation_11_a_hub_that_is_down_at_start_is_tried_again_with_back_off() {
    let (wallet, _) = wallet().await;
    let (pipes, options, _) = options();
    let start = Instant::now();
    let mut up = pipes.serve("up");
    let handle = GatewayProvider::start(wallet, vec![hub("down"), hub("up")], options).unwrap();
    // The other hub is served meanwhile.
    let mut conn = up.recv().await.unwrap();
    conn.register("up", channel(1)).await;
    tokio::time::timeout(Duration::from_secs(200), conn.text()).await.unwrap_err();
    let times: Vec<f64> = pipes.refused("down").iter().map(|at| (*at - start).as_secs_f64()).collect();
    let pauses: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(times[0], 0.0);
    for (pause, most) in pauses.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]) {
        assert!(*pause <= most + 0.01 && *pause >= most * 0.74, "{pauses:?}");
    }
    let status = handle.status();
    assert!(status[1].is_ready() && !status[0].is_ready() && !handle.is_ready());
    assert!(status[0].last_error.as_deref().unwrap().contains("refused"), "{status:?}");
    // It comes up, registers, is lost, and is back after the shortest pause again.
    let mut down = pipes.serve("down");
    let mut conn = down.recv().await.unwrap();
    conn.register("down", channel(2)).await;
    handle.wait_ready().await;
    drop(conn);
    let lost = Instant::now();
    let mut conn = down.recv().await.unwrap();
    assert!(lost.elapsed() <= Duration::from_millis(1010), "{:?}", lost.elapsed());
    conn.register("down", channel(3)).await;
    handle.wait_ready().await;
    assert_eq!(handle.status()[0].last_error, None);
}

#[tokio::test(start_paused = true)]
async fn deviation_11_only_unlocked_keys_are_announced() {
    let (wallet, owned) = wallet().await;
    let (pipes, options, _) = options();
    let mut hubs = pipes.serve("eu");
    let lockable = Lockable::new(&wallet, LockState::NoPassword);
    let handle = GatewayProvider::start(lockable.clone(), vec![hub("eu")], options).unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(hubs.try_recv().is_err(), "a locked wallet registers nowhere");
    assert_eq!(handle.status()[0].state, HubState::Locked);
    // At once: no pause is waited for.
    let unlocked = Instant::now();
    lockable.set(LockState::Unlocked);
    let mut conn = hubs.recv().await.unwrap();
    conn.register("eu", channel(1)).await;
    handle.wait_ready().await;
    assert_eq!(unlocked.elapsed(), Duration::ZERO);
    // A signature under way ends with the lock, and so does the channel.
    lockable.hold();
    conn.emit("slow", "WalletSign", Some(&super::hub::sign_payload(&owned[0], b"x", &MsgMeta::default())))
        .await;
    while lockable.running() == 0 {
        tokio::task::yield_now().await;
    }
    lockable.set(LockState::Locked);
    assert_eq!(conn.frame().await["method"], "xrpc.cancel");
    assert_eq!((lockable.running(), handle.status()[0].state), (0, HubState::Locked));
    assert!(handle.status()[0].addresses.is_empty());
    lockable.release();
    tokio::time::timeout(Duration::from_secs(600), conn.text()).await.unwrap_err();
    // Unlocked again, the same connection serves another channel.
    lockable.set(LockState::Unlocked);
    let first = conn.random.clone();
    conn.register("eu", channel(2)).await;
    handle.wait_ready().await;
    assert_ne!(conn.random, first, "random bytes are for one registration");
}

#[tokio::test(start_paused = true)]
async fn deviation_11_the_full_support_list_is_announced_again() {
    let (wallet, _) = wallet().await;
    let (pipes, options, _) = options();
    let mut hubs = pipes.serve("eu");
    let handle = GatewayProvider::start(wallet, vec![hub("eu"), hub("down")], options).unwrap();
    let mut conn = hubs.recv().await.unwrap();
    assert_eq!(conn.register("eu", channel(1)).await.0, Vec::<String>::new());
    while !handle.status()[0].is_ready() {
        tokio::task::yield_now().await;
    }
    let supporting = tokio::spawn({
        let handle = handle.clone();
        async move { handle.support_account("bob").await }
    });
    let call = conn.call("Gateway.SupportNewAccount").await;
    assert_eq!(call["params"], serde_json::json!([channel(1).to_string(), "bob"]));
    conn.void(&call).await;
    supporting.await.unwrap().unwrap();
    let again = handle.support_account("bob").await.unwrap_err();
    assert_eq!(again.to_string(), "account bob has exit");
    drop(conn);
    let mut conn = hubs.recv().await.unwrap();
    assert_eq!(conn.register("eu", channel(2)).await.0, ["bob"]);
    let mut down = pipes.serve("down");
    assert_eq!(down.recv().await.unwrap().accept(1).await, ["bob"], "also where it was down at that time");
}

#[tokio::test(start_paused = true)]
async fn keys_come_and_go_live() {
    let (wallet, owned) = wallet().await;
    let (pipes, options, _) = options();
    let mut hubs = pipes.serve("eu");
    let handle = GatewayProvider::start(wallet.clone(), vec![hub("eu")], options).unwrap();
    let mut conn = hubs.recv().await.unwrap();
    conn.register("eu", channel(1)).await;
    handle.wait_ready().await;
    let fresh = wallet.generate(KeyType::Bls, &SeededEntropy::new(1, "fresh")).await.unwrap();
    let call = conn.call("Gateway.AddNewAddress").await;
    assert_eq!(call["params"][1][0], fresh.to_string());
    conn.challenge(&challenge("eu", channel(1), fresh)).await.unwrap();
    conn.void(&call).await;
    wallet.remove(&owned[0]).await.unwrap();
    let call = conn.call("Gateway.RemoveAddress").await;
    assert_eq!(call["params"][1][0], owned[0].to_string());
    conn.void(&call).await;
    // By hand, with the words of the hub when it refuses.
    let adding = tokio::spawn({
        let (handle, address) = (handle.clone(), owned[0]);
        async move { handle.add_address(&[address]).await }
    });
    let call = conn.call("Gateway.AddNewAddress").await;
    let error = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{},\"error\":{{\"code\":1,\"message\":\"no\"}}}}\n",
        call["id"]
    );
    conn.send(&error).await;
    let error = adding.await.unwrap().unwrap_err();
    assert!(
        matches!(&error, GatewayError::Hub { hub, source } if hub == "eu" && source.to_string().starts_with("no"))
    );
    let removing = tokio::spawn({
        let handle = handle.clone();
        async move { handle.remove_address(&[fresh]).await }
    });
    let call = conn.call("Gateway.RemoveAddress").await;
    conn.void(&call).await;
    removing.await.unwrap().unwrap();
    let addresses = &handle.status()[0].addresses;
    assert!(!addresses.contains(&fresh) && !addresses.contains(&owned[0]));
    // Nothing to tell where nobody listens.
    drop(conn);
    drop(hubs);
    pipes.stop("eu");
    while handle.is_ready() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    handle.add_address(&[fresh]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_ends_everything() {
    let (wallet, _) = wallet().await;
    let (pipes, options, _) = options();
    let mut hubs = pipes.serve("eu");
    let handle = GatewayProvider::start(wallet, vec![hub("eu")], options).unwrap();
    let mut conn = hubs.recv().await.unwrap();
    conn.register("eu", channel(1)).await;
    drop(handle);
    while conn.text().await.is_some() {}
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(hubs.try_recv().is_err());
}

#[tokio::test]
async fn configurations_that_confuse_hubs_are_refused() {
    let (wallet, _) = wallet().await;
    let start = |hubs| GatewayProvider::start(wallet.clone(), hubs, options().1).unwrap_err();
    assert!(matches!(start(vec![hub("a"), hub("a")]), HubConfigError::Twice(name) if name == "a"));
    let mut same_id = hub("b");
    same_id.id = "a".into();
    assert!(matches!(start(vec![hub("a"), same_id]), HubConfigError::Twice(name) if name == "b"));
    assert!(matches!(start(vec![hub("")]), HubConfigError::Name(_)));
    let nowhere = venus_signer::gateway::HubConfig::new("x", "not an address");
    assert!(matches!(start(vec![nowhere]), HubConfigError::Api { .. }));
    let none = GatewayProvider::start(wallet.clone(), Vec::new(), options().1).unwrap();
    none.wait_ready().await;
    assert!(none.is_ready());
    none.support_account("bob").await.unwrap();
}

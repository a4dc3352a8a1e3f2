//! What was taken away ends everywhere, open sockets included.

use venus_auth::{Actor, UserChange, UserState};
use venus_core::api::{ISigner, MessageRequest, SignerExt};
use venus_core::types::TokenAmount;
use venus_gateway::Accounts;

use super::pool::{Node, Pool, offered, soon, until, wallet};
use secrecy::ExposeSecret;
use venus_core::types::Address;

async fn is_offered(node: &Node, key: &Address) -> bool {
    node.hub.wallet_has(key, Accounts::All).await.unwrap_or(false)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_closes_the_wallets_socket() {
    let (pool, (wallet, keys)) = (Pool::start().await, wallet(20).await);
    let node = pool.node("eu-1").await;
    let alice = pool.token("alice", "read", &[]).await;
    let other = pool.token("alice", "read", &[]).await;
    let (handle, signer) = (offered(wallet, vec![node.config(&alice)]).await, pool.signer(&[&node]).await);
    let message = MessageRequest::transfer(keys[1], keys[1], TokenAmount::from_atto(1)).message;
    soon("signing", signer.sign_message(&message)).await.unwrap();
    // Another token of the account: nothing happens to the wallet.
    pool.auth.revoke_token(&Actor::system(), other.expose_secret()).await.unwrap();
    pool.auth.revoke_token(&Actor::system(), alice.expose_secret()).await.unwrap();
    until("the wallet is offered no more", async || !is_offered(&node, &keys[1]).await).await;
    until("the wallet is told", async || {
        let status = handle.status().remove(0);
        !status.is_ready() && status.last_error.is_some_and(|error| error.contains("401"))
    })
    .await;
    let refused = soon("a refusal", signer.sign_message(&message)).await.unwrap_err();
    assert!(matches!(refused, venus_core::api::SignerError::KeyNotFound(_)), "{refused:?}");
    // The caller's own socket stands.
    assert!(signer.gateways().state()[0].connected);
    // Given back, it comes back without being told.
    pool.auth.recover_token(&Actor::system(), alice.expose_secret()).await.unwrap();
    soon("registered again", handle.wait_ready()).await;
    soon("signing", signer.sign_message(&message)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_caller_is_put_out() {
    let (pool, (wallet, keys)) = (Pool::start().await, wallet(21).await);
    let node = pool.node("eu-1").await;
    let alice = pool.token("alice", "read", &[]).await;
    let _handle = offered(wallet, vec![node.config(&alice)]).await;
    let token = pool.token("market", "admin", &[]).await;
    let signer = venus_gateway::client::GatewaySigner::builder()
        .gateway(node.api(&token))
        .deadline(std::time::Duration::from_secs(2))
        .build()
        .unwrap();
    assert!(soon("has", signer.has(&keys[0])).await.unwrap());
    pool.auth.revoke_token(&Actor::system(), token.expose_secret()).await.unwrap();
    until("the socket is closed", async || !signer.gateways().state()[0].connected).await;
    let message = MessageRequest::transfer(keys[1], keys[1], TokenAmount::from_atto(1)).message;
    soon("a refusal", signer.sign_message(&message)).await.unwrap_err();
    assert!(is_offered(&node, &keys[1]).await, "the wallet is still there for others");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_and_a_lost_signer_end() {
    let (pool, (wallet, keys)) = (Pool::start().await, wallet(22).await);
    let node = pool.node("eu-1").await;
    let alice = pool.token("alice", "read", &[]).await;
    let handle = offered(wallet, vec![node.config(&alice)]).await;
    pool.auth.unregister_signers(&Actor::system(), "alice", &keys[..1]).await.unwrap();
    until("the key is offered no more", async || !is_offered(&node, &keys[0]).await).await;
    assert!(is_offered(&node, &keys[1]).await, "the other one is");
    let disabled = UserChange { state: Some(UserState::Disabled), ..UserChange::default() };
    pool.auth.update_user(&Actor::system(), "alice", disabled).await.unwrap();
    until("no key is offered", async || !is_offered(&node, &keys[1]).await).await;
    until("the wallet is out", async || !handle.status()[0].is_ready()).await;
}

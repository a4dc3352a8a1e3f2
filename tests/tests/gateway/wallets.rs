//! Signing, from those who call to wallets that dialled in.

use std::time::Duration;

use venus_core::api::{ISigner, MessageRequest, SignerError, SignerExt};
use venus_core::crypto::{delegated, verify, verify_message};
use venus_core::entropy::SeededEntropy;
use venus_core::error::{Classify, ErrorKind};
use venus_core::rpc::Dialect;
use venus_core::testing::suites::{self, SignerFixture};
use venus_core::types::{Address, MessageExt, MsgMeta, MsgType, SignedMessage, TokenAmount};
use venus_gateway::client::GatewaySigner;
use venus_gateway::rpc::ServerOptions;
use venus_gateway::{HubOptions, Legacy};
use venus_signer::gateway::{GatewayHandle, HubConfig};
use venus_signer::policy::{Policy, PolicyConfig};
use venus_signer::{KeyType, LocalWallet, Vault};

use super::pool::{Pool, Stuck, Wire, offered, soon, until, wallet};

async fn signs(signer: &GatewaySigner, from: &Address) -> Result<SignedMessage, SignerError> {
    let message = MessageRequest::transfer(*from, *from, TokenAmount::from_atto(1)).message;
    soon("signing", signer.sign_message(&message)).await
}

/// The chain that wallets sign Ethereum transactions for, unless told otherwise.
const MAINNET: u64 = 314;

async fn signs_delegated(signer: &GatewaySigner, from: &Address) {
    let (_, keys) = wallet(1).await;
    let mut message = MessageRequest::transfer(*from, keys[2], TokenAmount::from_atto(1)).message;
    message.method_num = delegated::METHOD_INVOKE_EVM;
    message.gas_limit = 1_000_000;
    let to_sign = delegated::signing_bytes(&message, MAINNET).unwrap();
    let meta = MsgMeta::chain_message(&message);
    let signature = soon("signing", signer.sign(from, &to_sign, &meta)).await.unwrap();
    verify_message(&SignedMessage { message, signature }, from, MAINNET).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_three_kinds_of_keys_sign() {
    let (pool, (wallet, keys)) = (Pool::start().await, wallet(1).await);
    let node = pool.node("eu-1").await;
    let alice = pool.token("alice", "read", &[]).await;
    let handle = offered(wallet, vec![node.config(&alice)]).await;
    let signer = pool.signer(&[&node]).await;
    suites::signer(&signer, &SignerFixture::new(keys[..2].to_vec())).await;
    signs_delegated(&signer, &keys[2]).await;
    assert_eq!(handle.status()[0].refused, []);
    assert_eq!(pool.auth.signers_of(&venus_auth::Actor::system(), "alice").await.unwrap().len(), 3);
    handle.shutdown().await;
    until("the key is gone", async || {
        !node.hub.wallet_has(&keys[0], venus_gateway::Accounts::All).await.unwrap()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_gateways_dies_and_signing_goes_on() {
    let (pool, (wallet, keys)) = (Pool::start().await, wallet(2).await);
    let (one, two) = (pool.node("eu-1").await, pool.node("us-1").await);
    let alice = pool.token("alice", "read", &[]).await;
    let handle = offered(wallet, vec![one.config(&alice), two.config(&alice)]).await;
    let signer = pool.signer(&[&one, &two]).await;
    for key in &keys[..2] {
        signs(&signer, key).await.unwrap();
    }
    one.kill().await;
    for key in &keys[..2] {
        for _ in 0..4 {
            signs(&signer, key).await.unwrap();
        }
    }
    until("the loss is told", async || !handle.status()[0].is_ready()).await;
    assert!(handle.status()[1].is_ready());
    two.kill().await;
    handle.shutdown().await;
}

/// The wallet that was asked crashes with the request in its hands: its twin signs.
#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_that_crashes_mid_request_is_followed_by_its_twin() {
    let pool = Pool::start().await;
    let node = pool.node("eu-1").await;
    let alice = pool.token("alice", "read", &[]).await;
    let ((crashing, keys), (twin, same)) = (wallet(3).await, wallet(3).await);
    assert_eq!(keys, same);
    let (wire, stuck) = (Wire::to(&node).await, Stuck::new(crashing));
    let first = offered(stuck.clone(), vec![HubConfig::new("eu-1", wire.api(&alice))]).await;
    let signer = pool.signer(&[&node]).await;
    let asking = {
        let signer = signer.clone();
        tokio::spawn(async move { signs(&signer, &keys[1]).await })
    };
    until("the wallet was asked", async || stuck.requests() == 1).await;
    let second = offered(twin, vec![node.config(&alice)]).await;
    wire.cut();
    let answer = soon("an answer", asking).await.unwrap();
    // The twin came when the request was under way: it may or may not have been a candidate; callers repeat.
    match answer {
        Ok(_) => {}
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::Transient | ErrorKind::NotFound), "{error:?}")
        }
    }
    signs(&signer, &keys[1]).await.unwrap();
    first.shutdown().await;
    second.shutdown().await;
}

/// As in the test before, with the twin there from the beginning: no caller notices anything.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_a_crash_if_the_twin_is_there() {
    let pool = Pool::start().await;
    let node = pool.node("eu-1").await;
    let alice = pool.token("alice", "read", &[]).await;
    let ((crashing, keys), (twin, _)) = (wallet(4).await, wallet(4).await);
    let (wire, stuck) = (Wire::to(&node).await, Stuck::new(crashing));
    let first = offered(stuck.clone(), vec![HubConfig::new("eu-1", wire.api(&alice))]).await;
    let second = offered(twin, vec![node.config(&alice)]).await;
    let signer = pool.signer(&[&node]).await;
    // Until the stuck one was chosen: which of the two is asked is for the hub to choose.
    let mut asked = tokio::task::JoinSet::new();
    while stuck.requests() == 0 {
        let signer = signer.clone();
        asked.spawn(async move { signs(&signer, &keys[1]).await });
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    wire.cut();
    while let Some(answer) = soon("all answers", asked.join_next()).await {
        answer.unwrap().unwrap();
    }
    first.shutdown().await;
    second.shutdown().await;
}

/// What a harmless Extra says is not what its bytes say, and bytes without structure are nothing: nobody on the way
/// gets a signature out of the wallet for them.
#[tokio::test(flavor = "multi_thread")]
async fn t09_typed_signing_cannot_be_bypassed_through_a_gateway() {
    let policy: PolicyConfig = toml::from_str(
        "[[rule]]\nname = 'small'\naction = 'allow'\nmethods = ['Send']\nmax_value = '1 nanoFIL'",
    )
    .unwrap();
    let wallet = LocalWallet::builder(Vault::in_memory()).check(Policy::new(&policy).unwrap()).build();
    let key = wallet.generate(KeyType::Secp256k1, &SeededEntropy::new(5, "guarded")).await.unwrap();
    let pool = Pool::start().await;
    let node = pool.node("eu-1").await;
    let alice = pool.token("alice", "read", &[]).await;
    let _handle = offered(wallet, vec![node.config(&alice)]).await;
    let signer = pool.signer(&[&node]).await;
    let transfer =
        |to: Address, atto| MessageRequest::transfer(key, to, TokenAmount::from_atto(atto)).message;
    let (harmless, theft) = (transfer(key, 1), transfer(Address::new_id(666), 1_000_000_000_000_i64));
    let stolen = theft.cid().to_bytes();
    for (meta, kind) in [
        (MsgMeta::chain_message(&harmless), ErrorKind::Invalid),
        (MsgMeta::chain_message(&theft), ErrorKind::Denied),
        (MsgMeta::of(MsgType::ChainMessage), ErrorKind::Invalid),
        (MsgMeta::of(MsgType::Unknown), ErrorKind::Denied),
        (MsgMeta::of(MsgType::F3), ErrorKind::Denied),
        (MsgMeta::of(MsgType::Undefined), ErrorKind::Unsupported),
    ] {
        let refused = soon("a refusal", signer.sign(&key, &stolen, &meta)).await.unwrap_err();
        assert!(!refused.kind().is_retryable(), "{meta:?}: {refused:?}");
        assert_eq!(refused.kind(), kind, "{meta:?}: {refused:?}");
    }
    // Only a hub asks challenges, and only those that it makes.
    let challenge = MsgMeta { msg_type: MsgType::VerifyAddress, extra: vec![1; 32] };
    let refused = soon("a refusal", signer.sign(&key, &stolen, &challenge)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Denied, "{refused:?}");
    let signature = soon("signing", signer.sign_message(&harmless)).await.unwrap().signature;
    verify(&signature, &key, &harmless.cid().to_bytes()).unwrap();
}

/// A wallet that knows only the challenge of Go, at a gateway that lets its account have it, in either dialect.
#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_with_the_challenge_of_go() {
    for (seed, dialect) in [(6, Dialect::Fork), (7, Dialect::Upstream)] {
        let (pool, (wallet, keys)) = (Pool::start().await, wallet(seed).await);
        let mut options = HubOptions::new("eu-1");
        options.legacy = Legacy::Accounts(["alice".to_owned()].into());
        let mut server = ServerOptions::default();
        server.dialect = dialect;
        let node = pool.node_with(options, server).await;
        let alice = pool.token("alice", "read", &[]).await;
        let handle: GatewayHandle = offered(wallet, vec![node.config(&alice).legacy()]).await;
        let signer = pool.signer(&[&node]).await;
        for key in &keys[..2] {
            signs(&signer, key).await.unwrap();
        }
        signs_delegated(&signer, &keys[2]).await;
        handle.shutdown().await;
    }
}

/// Gateways resolve the accounts; what a caller names narrows them, and gives nothing more.
#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_a_caller_only_narrow() {
    let (pool, (wallet, keys)) = (Pool::start().await, wallet(8).await);
    let node = pool.node("eu-1").await;
    let alice = pool.token("alice", "read", &[]).await;
    let _handle = offered(wallet, vec![node.config(&alice)]).await;
    let caller = pool.token("market", "admin", &[]).await;
    let through = |accounts: &[&str]| {
        let config =
            venus_gateway::client::GatewayConfig::new(node.api(&caller)).accounts(accounts.iter().copied());
        GatewaySigner::builder().gateway(config).deadline(Duration::from_secs(30)).build().unwrap()
    };
    for (accounts, may) in [(&[][..], true), (&["alice"], true), (&["bob", "alice"], true), (&["bob"], false)]
    {
        let signer = through(accounts);
        assert_eq!(soon("has", signer.has(&keys[1])).await.unwrap(), may, "{accounts:?}");
        let signed = signs(&signer, &keys[1]).await;
        assert_eq!(signed.is_ok(), may, "{accounts:?}: {signed:?}");
        let listed = soon("list", signer.list()).await.unwrap();
        assert_eq!(listed.len(), if may { 3 } else { 0 }, "{accounts:?}");
    }
}

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! From the door to the mempool: what is accepted, what is signed, and what failures do.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::*;
use venus_core::api::*;
use venus_core::error::{Classify, ErrorKind};
use venus_core::testing::suites::{self, MessagerFixture, step};
use venus_core::types::{Address, MessageExt, TokenAmount};
use venus_messager::{Messager, MessagerConfig, MessagerDeps};

async fn run_suite(world: &World, messager: &dyn IMessager, handle: &Messager, sender: usize) {
    let land = step(async || {
        world.mine_and_execute().await;
        world.chain.inner().mine_blocks(&[vec![], vec![]]).unwrap();
        world.chain.inner().mine(&[]).unwrap();
        handle.catch_up().await.unwrap();
    });
    let fixture = MessagerFixture { from: world.senders[sender], to: world.to, land };
    suites::messager(messager, &fixture).await;
}

#[tokio::test]
async fn passes_the_messager_suite_with_both_kinds_of_keys_and_stores() {
    for sender in [0, 2] {
        let world = World::new();
        let messager = world.open().await;
        run_suite(&world, &messager, &messager, sender).await;
        let world = World::new();
        let messager = world.open_in_memory(world.deps()).await;
        let dynamic: Arc<dyn IMessager> = Arc::new(messager.clone());
        run_suite(&world, &dynamic, &messager, sender).await;
    }
}

#[tokio::test]
async fn a_message_is_in_the_pool_when_push_returns() {
    let world = World::new();
    let messager = world.open().await;
    messager.push_with_id("a", world.transfer(0, 1)).await.unwrap();
    let record = messager.get("a").await.unwrap();
    assert_eq!((record.state, record.error.as_deref()), (MessageState::Filled, None));
    let pending = world.pending().await;
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].cid(), record.attempts[0].cid);
    assert_eq!(record.attempts[0].message.sequence, 0);
}

type Damage = Box<dyn Fn(&mut MessageRequest)>;

#[tokio::test]
async fn bad_requests_are_refused_by_the_name_of_the_field() {
    let world = World::new();
    let messager = world.open().await;
    let cases: Vec<(&str, Damage)> = vec![
        ("Version", Box::new(|r| r.message.version = 1)),
        ("Value", Box::new(|r| r.message.value = TokenAmount::from_atto(-1))),
        ("Value", Box::new(|r| r.message.value = TokenAmount::from_whole(2_000_000_001i64))),
        ("From", Box::new(|r| r.message.from = Address::new_actor(b"x"))),
        ("From", Box::new(|r| r.message.from = Address::new_delegated(11, &[1; 20]).unwrap())),
        ("GasFeeCap", Box::new(|r| r.message.gas_fee_cap = TokenAmount::from_atto(-1))),
        ("GasFeeCap", Box::new(|r| r.message.gas_fee_cap = TokenAmount::from_whole(2_000_000_001i64))),
        ("GasPremium", Box::new(|r| r.message.gas_premium = TokenAmount::from_atto(-1))),
        (
            "GasPremium",
            Box::new(|r| {
                r.message.gas_premium = TokenAmount::from_atto(2);
                r.message.gas_fee_cap = TokenAmount::from_atto(1);
            }),
        ),
        ("GasLimit", Box::new(|r| r.message.gas_limit = 1)),
        ("GasLimit", Box::new(|r| r.message.gas_limit = 10_000_000_001)),
        ("bytes", Box::new(|r| r.message.params = vec![0; 65 << 10].into())),
        ("max_fee", Box::new(|r| r.spec.gas.max_fee = TokenAmount::from_atto(-1))),
        ("over_estimation", Box::new(|r| r.spec.gas.over_estimation = 0.5)),
        ("over_estimation", Box::new(|r| r.spec.gas.over_estimation = f64::NAN)),
        ("over_premium", Box::new(|r| r.spec.gas.over_premium = f64::INFINITY)),
        ("expires_at", Box::new(|r| r.spec.expires_at = -1)),
    ];
    for (field, damage) in &cases {
        let mut request = world.transfer(0, 1);
        damage(&mut request);
        let e = messager.push_with_id("bad", request).await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Invalid, "{field}: {e}");
        assert!(e.to_string().contains(field), "{field}: {e}");
    }
    assert_eq!(messager.get("bad").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_sender_named_by_its_id_signs_with_its_key() {
    let world = World::new();
    let messager = world.open().await;
    let mut request = world.transfer(1, 5);
    request.message.from = Address::new_id(101);
    messager.push_with_id("id", request.clone()).await.unwrap();
    let record = messager.get("id").await.unwrap();
    assert_eq!(record.request, request);
    assert_eq!(record.attempts[0].message.from, world.senders[1]);
    world.chain.fail_next(DOWN);
    messager.push_with_id("id", request).await.expect("a repeated push needs no node");
}

#[tokio::test]
async fn acceptance_outlives_node_and_signer_failures() {
    let world = World::new();
    let messager = world.open().await;
    world.signer.fail_next(DOWN);
    for i in 0..3 {
        messager.push_with_id(&format!("s{i}"), world.transfer(0, i)).await.unwrap();
    }
    let waiting = messager.get("s0").await.unwrap();
    assert_eq!(waiting.state, MessageState::Unfilled);
    assert!(waiting.error.unwrap().contains("signature"));
    world.signer.fail_next(0);
    world.chain.fail_next(DOWN);
    messager.push_with_id("s3", world.transfer(0, 3)).await.unwrap();
    assert_eq!(messager.get("s3").await.unwrap().state, MessageState::Unfilled);
    assert_eq!(messager.catch_up().await.unwrap_err().kind(), ErrorKind::Transient);
    world.chain.fail_next(0);
    drop(messager);

    let messager = world.open().await;
    assert_eq!(messager.catch_up().await.unwrap().filled, 4);
    for i in 0..4 {
        let record = messager.get(&format!("s{i}")).await.unwrap();
        assert_eq!((record.state, record.error), (MessageState::Filled, None));
        assert_eq!(record.attempts[0].message.sequence, i, "in the order of acceptance");
    }
}

#[tokio::test]
async fn after_an_outage_the_next_push_takes_the_older_ones_along_in_order() {
    let world = World::new();
    let messager = world.open().await;
    world.signer.fail_next(DOWN);
    messager.push_with_id("old", world.transfer(0, 1)).await.unwrap();
    world.signer.fail_next(0);
    messager.push_with_id("new", world.transfer(0, 2)).await.unwrap();
    let nonce = async |id| messager.get(id).await.unwrap().attempts[0].message.sequence;
    assert_eq!((nonce("old").await, nonce("new").await), (0, 1));
}

#[tokio::test]
async fn a_failed_push_is_repeated_with_the_same_bytes() {
    let world = World::new();
    let gas = Arc::new(world.pool.inner().clone());
    let deps = MessagerDeps { gas, ..world.deps() };
    let messager = Messager::open(MessagerConfig::new(&world.database), deps).await.unwrap();
    world.pool.fail_next(1);
    messager.push_with_id("m", world.transfer(0, 2)).await.unwrap();
    let record = messager.get("m").await.unwrap();
    assert_eq!(record.state, MessageState::Filled, "the signature is safe");
    assert!(record.error.unwrap().contains("push"));
    assert!(world.pending().await.is_empty());
    assert_eq!(messager.catch_up().await.unwrap().offered, 1);
    let again = messager.get("m").await.unwrap();
    assert_eq!((again.attempts, again.error), (record.attempts, None));
    assert_eq!(world.pending().await.len(), 1);
}

#[tokio::test]
async fn a_bad_message_blocks_neither_its_sender_nor_others() {
    let world = World::new();
    let messager = world.open().await;
    let mut too_much = world.transfer(0, 1);
    too_much.message.value = TokenAmount::from_whole(5_000);
    messager.push_with_id("rich", too_much).await.unwrap();
    messager.push_with_id("next", world.transfer(0, 1)).await.unwrap();
    messager.push_with_id("other", world.transfer(1, 1)).await.unwrap();
    let rich = messager.get("rich").await.unwrap();
    assert_eq!(rich.state, MessageState::Unfilled, "funds may come");
    assert!(rich.error.unwrap().contains("gas estimate"));
    for id in ["next", "other"] {
        let record = messager.get(id).await.unwrap();
        assert_eq!(record.state, MessageState::Filled);
        assert_eq!(record.attempts[0].message.sequence, 0, "no nonce was lost to the bad one");
    }
    assert_eq!(messager.catch_up().await.unwrap().filled, 0);
    messager.cancel("rich").await.unwrap();
    assert_eq!(messager.get("rich").await.unwrap().state, MessageState::Cancelled);
    assert_eq!(messager.catch_up().await.unwrap().filled, 0, "what is cancelled is not signed");
}

struct Refusing(u32);

#[async_trait::async_trait]
impl GasEstimator for Refusing {
    async fn estimate(
        &self,
        _: &venus_core::types::Message,
        _: &GasSpec,
    ) -> Result<venus_core::types::Message, ChainError> {
        Err(ChainError::ExecutionFailed { exit_code: self.0, reason: "the actor says no".into() })
    }
}

#[tokio::test]
async fn what_can_never_be_sent_fails_before_it_is_signed() {
    let world = World::new();
    let deps = MessagerDeps { gas: Arc::new(Refusing(21)), ..world.deps() };
    let messager = Messager::open(MessagerConfig::new(&world.database), deps).await.unwrap();
    messager.push_with_id("m", world.transfer(0, 1)).await.unwrap();
    let record = messager.wait("m", 9, Duration::ZERO).await.unwrap();
    assert_eq!(record.state, MessageState::Failed);
    assert!(record.error.unwrap().contains("the actor says no"));
    assert!(record.attempts.is_empty());
    messager.cancel("m").await.unwrap();
}

#[tokio::test]
async fn what_was_not_signed_in_time_expires() {
    let world = World::new();
    let messager = world.open().await;
    world.signer.fail_next(DOWN);
    let mut request = world.transfer(0, 1);
    request.spec.expires_at = 2;
    messager.push_with_id("m", request.clone()).await.unwrap();
    for _ in 0..3 {
        world.chain.inner().mine(&[]).unwrap();
    }
    world.signer.fail_next(0);
    messager.catch_up().await.unwrap();
    let record = messager.get("m").await.unwrap();
    assert_eq!(record.state, MessageState::Failed);
    assert!(record.error.unwrap().contains("expired"));
    let e = messager.push_with_id("late", request).await.unwrap_err();
    assert!(e.kind() == ErrorKind::Invalid && e.to_string().contains("expires_at"), "{e}");
}

#[tokio::test]
async fn a_signer_that_hangs_delays_only_its_sender() {
    let world = World::new();
    let silent = world.senders[0];
    let deps = with_signer(&world, Hanging { inner: world.keys.clone(), silent });
    let messager = world.open_in_memory(deps).await;
    let stuck = tokio::spawn({
        let (messager, request) = (messager.clone(), world.transfer(0, 1));
        async move { messager.push_with_id("stuck", request).await }
    });
    messager.push_with_id("free", world.transfer(1, 1)).await.unwrap();
    assert_eq!(messager.get("free").await.unwrap().state, MessageState::Filled);
    while messager.get("stuck").await.is_err() {
        tokio::task::yield_now().await;
    }
    messager.cancel("stuck").await.expect("a signature that is asked for does not hold the message");
    stuck.abort();
    assert_eq!(messager.get("stuck").await.unwrap().state, MessageState::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_signer_that_hangs_is_given_up() {
    let world = World::new();
    let deps = with_signer(&world, Hanging { inner: world.keys.clone(), silent: world.senders[0] });
    let messager = world.open_in_memory(deps).await;
    messager.push_with_id("stuck", world.transfer(0, 1)).await.unwrap();
    let record = messager.get("stuck").await.unwrap();
    assert_eq!(record.state, MessageState::Unfilled);
    assert!(record.error.unwrap().contains("in time"));
}

struct Forging(Arc<venus_core::testing::doubles::TestSigner>);

#[async_trait::async_trait]
impl ISigner for Forging {
    async fn has(&self, _: &Address) -> Result<bool, SignerError> {
        Ok(true)
    }
    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        self.0.list().await
    }
    async fn sign(
        &self,
        address: &Address,
        to_sign: &[u8],
        meta: &venus_core::types::MsgMeta,
    ) -> Result<venus_core::types::Signature, SignerError> {
        let mut signature = self.0.sign(address, to_sign, meta).await?;
        signature.data[5] ^= 1;
        Ok(signature)
    }
}

#[tokio::test]
async fn a_signature_that_does_not_verify_is_not_kept() {
    let world = World::new();
    let deps = with_signer(&world, Forging(world.keys.clone()));
    let messager = world.open_in_memory(deps).await;
    messager.push_with_id("m", world.transfer(0, 1)).await.unwrap();
    let record = messager.get("m").await.unwrap();
    assert_eq!((record.state, record.attempts.len()), (MessageState::Unfilled, 0));
    assert!(record.error.unwrap().contains("wrong signature"));
}

#[tokio::test]
async fn replacing_needs_a_higher_premium_and_respects_the_bound() {
    let world = World::new();
    let messager = world.open().await;
    let mut request = world.transfer(0, 1);
    request.spec.gas.max_fee = TokenAmount::from_atto(200_000_000_000u64);
    messager.push_with_id("m", request).await.unwrap();
    let first = messager.get("m").await.unwrap().attempts[0].clone();
    let premium =
        |atto: u64| ReplaceFees { gas_premium: Some(TokenAmount::from_atto(atto)), ..ReplaceFees::default() };
    let e = messager.replace("m", premium(100_001)).await.unwrap_err();
    assert!(e.kind() == ErrorKind::Invalid && e.to_string().contains("125001"), "{e}");
    let cid = messager.replace("m", ReplaceFees::default()).await.unwrap();
    let record = messager.get("m").await.unwrap();
    assert_eq!(record.attempts[0], first);
    let second = &record.attempts[1];
    assert_eq!((second.cid, second.message.gas_premium.clone()), (cid, TokenAmount::from_atto(125_001)));
    assert!(second.message.gas_fee_cap >= second.message.gas_premium);
    assert_eq!(world.pending().await[0].cid(), cid, "the newest is offered");
    let e = messager.replace("m", premium(1_000_000)).await.unwrap_err();
    assert!(e.to_string().contains("max_fee"), "{e}");
    let fees = ReplaceFees {
        gas_premium: Some(TokenAmount::from_atto(1_000_000)),
        gas_fee_cap: Some(TokenAmount::from_atto(999_999)),
        gas_limit: None,
    };
    assert!(messager.replace("m", fees).await.unwrap_err().to_string().contains("GasPremium"));
    assert_eq!(messager.get("m").await.unwrap().attempts.len(), 2, "what is refused leaves nothing");
}

#[tokio::test]
async fn a_nonce_used_elsewhere_is_not_used_again() {
    let world = World::new();
    let messager = world.open().await;
    let foreign = world.outside(0, 0, 77).await;
    world.chain.inner().mine(&[foreign]).unwrap();
    messager.push_with_id("m", world.transfer(0, 1)).await.unwrap();
    assert_eq!(messager.get("m").await.unwrap().attempts[0].message.sequence, 1);
}

#[tokio::test]
async fn two_messagers_on_one_database_share_nonces() {
    let world = World::new();
    let (a, b) = (world.open().await, world.open().await);
    let mut pushes = Vec::new();
    for i in 0..40 {
        let messager = if i % 2 == 0 { a.clone() } else { b.clone() };
        let request = world.transfer(0, i);
        pushes
            .push(tokio::spawn(async move { messager.push_with_id(&format!("m{}", i / 2), request).await }));
    }
    let mut accepted = 0;
    for push in pushes {
        accepted += usize::from(push.await.unwrap().is_ok());
    }
    assert_eq!(accepted, 20, "of two requests under one name one is accepted");
    let (x, y) = tokio::join!(a.catch_up(), b.catch_up());
    assert!(x.is_ok() && y.is_ok());
    world.mine_and_execute().await;
    let (x, y) = tokio::join!(a.catch_up(), b.catch_up());
    let landed = x.unwrap().landed + y.unwrap().landed;
    assert_eq!(landed, 20, "each landing is counted by one of them");
    let mut nonces: Vec<u64> = Vec::new();
    for i in 0..20 {
        let record = a.get(&format!("m{i}")).await.unwrap();
        assert_eq!((record.state, record.attempts.len()), (MessageState::Landed, 1));
        nonces.push(record.attempts[0].message.sequence);
    }
    nonces.sort_unstable();
    assert_eq!(nonces, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn fresh_names_are_uuids_of_version_7() {
    let world = World::new();
    let messager = world.open().await;
    let id = messager.push(world.transfer(0, 1)).await.unwrap();
    assert_eq!((id.len(), id.as_bytes()[14]), (36, b'7'));
    assert_eq!(messager.get(&id).await.unwrap().request.message.cid(), world.transfer(0, 1).message.cid());
}

#[tokio::test]
async fn settings_are_checked_and_a_bad_path_is_an_error() {
    let world = World::new();
    let config = MessagerConfig { concurrency: 0, ..MessagerConfig::new(&world.database) };
    let e = Messager::open(config, world.deps()).await.unwrap_err();
    assert!(e.to_string().contains("concurrency"));
    let config = MessagerConfig::new(world.database.join("below/a/file"));
    assert!(matches!(Messager::open(config, world.deps()).await, Err(MessagerError::Store(_))));
}

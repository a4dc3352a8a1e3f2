//! Estimating gas.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use support::{World, fil};
use venus_core::api::{
    ChainError, GasEstimator, GasSpec, MessagePool, MessageRequest, SignerExt, StateReader,
};
use venus_core::types::{
    Address, EstimateMessage, Message, MessageExt, MessageSendSpec, MpoolConfig, SignedMessage, TipsetKey,
    TokenAmount,
};

/// What creating an account costs.
const CREATION: u64 = 1_650_000;

fn head() -> TipsetKey {
    TipsetKey::default()
}

fn atto(amount: i64) -> TokenAmount {
    TokenAmount::from_atto(amount)
}

fn transfer(from: Address, to: Address, value: i64) -> Message {
    MessageRequest::transfer(from, to, fil(value)).message
}

async fn signed(world: &World, message: &Message) -> SignedMessage {
    world.signer.sign_message(message).await.unwrap()
}

async fn push(world: &World, message: &Message) {
    let mut message = world.devnet.estimate(message, &GasSpec::default()).await.unwrap();
    message.sequence = world.devnet.next_nonce(&message.from).await.unwrap();
    world.devnet.push(&signed(world, &message).await).await.unwrap();
}

/// The exit code with which a message would fail.
fn fails<T: std::fmt::Debug>(result: Result<T, ChainError>) -> u32 {
    match result {
        Err(ChainError::ExecutionFailed { exit_code, .. }) => exit_code,
        other => panic!("expected a failed execution, got {other:?}"),
    }
}

#[tokio::test]
async fn what_the_sender_has_waiting_counts() {
    let world = World::new(68, 1);
    let stranger = world.signer.new_secp();
    let message = transfer(world.bls, stranger, 600);
    let alone = world.devnet.gas_limit(&message, &head()).await.unwrap();
    let other = transfer(world.secp, stranger, 600);
    let of_other = world.devnet.gas_limit(&other, &head()).await.unwrap();
    push(&world, &message).await;
    assert_eq!(fails(world.devnet.gas_limit(&message, &head()).await), 6, "the money is on its way");
    let again = world.devnet.gas_limit(&transfer(world.bls, stranger, 300), &head()).await.unwrap();
    assert_eq!(again + CREATION, alone, "by then the account exists");
    assert_eq!(world.devnet.gas_limit(&other, &head()).await.unwrap(), of_other, "others do not count");
    let key = world.head().await.key().clone();
    world.extend().await;
    assert_eq!(world.devnet.gas_limit(&other, &head()).await.unwrap() + CREATION, of_other, "now they do");
    assert_eq!(
        world.devnet.gas_limit(&other, &key).await.unwrap(),
        of_other,
        "but not for an earlier tipset"
    );
}

#[tokio::test]
async fn the_answers_of_a_node_fit_together() {
    let world = World::new(69, 1);
    let message = transfer(world.bls, world.secp, 1);
    let used = world.devnet.gas_limit(&message, &head()).await.unwrap();
    let premium = world.devnet.gas_premium(10, &head()).await.unwrap();
    let filled = world.devnet.gas_message(&message, None, &head()).await.unwrap();
    assert_eq!((filled.gas_limit, &filled.gas_premium), (used * 5 / 4, &premium));
    let asked = Message { gas_premium: premium, ..message.clone() };
    assert_eq!(world.devnet.gas_fee_cap(&asked, 20, &head()).await.unwrap(), filled.gas_fee_cap);
    let expected = Message {
        gas_limit: filled.gas_limit,
        gas_fee_cap: filled.gas_fee_cap.clone(),
        gas_premium: filled.gas_premium.clone(),
        ..message.clone()
    };
    assert_eq!(filled, expected, "nothing else changes");
    let config = MpoolConfig { gas_limit_overestimation: 2.0, ..world.devnet.pool_config() };
    world.devnet.set_pool_config(config).unwrap();
    let generous = world.devnet.gas_message(&message, None, &head()).await.unwrap();
    assert_eq!(generous.gas_limit, used * 2);
    let spec =
        MessageSendSpec { gas_over_estimation: 1.5, gas_over_premium: 3.0, ..MessageSendSpec::default() };
    let asked = world.devnet.gas_message(&message, Some(&spec), &head()).await.unwrap();
    assert_eq!((asked.gas_limit, asked.gas_premium), (used * 3 / 2, filled.gas_premium * 3u64));
}

#[tokio::test]
async fn gas_may_cost_seven_hundredths_of_a_fil_unless_more_is_allowed() {
    let world = World::new(69, 1);
    let dear = Message { gas_limit: 9_000_000_000, ..transfer(world.bls, world.secp, 1) };
    let estimate = async |message: &Message, spec: MessageSendSpec| {
        world.devnet.gas_message(message, Some(&spec), &head()).await.unwrap()
    };
    let usual = MessageSendSpec::default();
    let capped = estimate(&dear, usual.clone()).await;
    assert_eq!(capped.gas_fee_cap, atto(70_000_000_000_000_000 / 9_000_000_000));
    assert!(capped.gas_premium <= capped.gas_fee_cap);
    let rich = MessageSendSpec { max_fee: fil(1000), ..usual.clone() };
    let uncapped = estimate(&dear, rich.clone()).await;
    assert!(uncapped.gas_cost() > fil(7));
    let all = estimate(&dear, MessageSendSpec { maximize_fee_cap: true, ..rich }).await;
    assert_eq!(all.gas_fee_cap, fil(1000).div_floor(9_000_000_000u64));
    let cheap = transfer(world.bls, world.secp, 1);
    let limit = estimate(&cheap, usual.clone()).await.gas_limit;
    let poor = estimate(&cheap, MessageSendSpec { max_fee: atto(1) * (limit * 3 / 2), ..usual }).await;
    assert_eq!((poor.gas_fee_cap, poor.gas_premium), (atto(1), atto(1)));
}

#[tokio::test]
async fn premiums_follow_what_was_paid() {
    let world = World::new(70, 1);
    let at = async |within, key: &TipsetKey| world.devnet.gas_premium(within, key).await.unwrap();
    assert_eq!(
        [at(1, &head()).await, at(2, &head()).await, at(3, &head()).await],
        [200_000, 150_000, 100_000].map(atto)
    );
    let message = world.transfer(world.bls, world.secp, 0).await.message;
    let paying = Message { gas_premium: atto(777_000), ..message };
    world.devnet.push(&signed(&world, &paying).await).await.unwrap();
    let landed = world.extend().await;
    assert_eq!(at(10, landed.key()).await, atto(100_000), "what came before the tipset counts");
    world.extend().await;
    assert_eq!(at(10, &head()).await, atto(777_000));
    assert_eq!(at(u64::MAX, &head()).await, atto(777_000), "there are not so many tipsets");
    for _ in 0..2 {
        world.extend().await;
    }
    assert_eq!(at(1, &head()).await, atto(200_000), "two tipsets back for each block ahead");
}

#[tokio::test]
async fn a_batch_numbers_what_would_succeed() {
    let world = World::new(71, 1);
    let stranger = world.signer.new_secp();
    let nowhere = Message { method_num: 5, ..transfer(world.bls, Address::new_id(99_999), 0) };
    let messages = [
        transfer(world.bls, stranger, 600),
        nowhere,
        transfer(world.bls, stranger, 600),
        transfer(world.secp, stranger, 1),
        transfer(world.bls, stranger, 300),
    ];
    let asked = messages.clone().map(|msg| EstimateMessage { msg, spec: None });
    let mut results = world.devnet.gas_batch(&asked, 41, &head()).await.unwrap();
    assert_eq!(results.len(), 5);
    let (last, fourth, third, second, first) = (
        results.pop().unwrap().unwrap(),
        results.pop().unwrap(),
        results.pop().unwrap(),
        results.pop().unwrap(),
        results.pop().unwrap().unwrap(),
    );
    assert_eq!((first.sequence, last.sequence), (41, 42));
    assert_eq!((fails(second), fails(third)), (5, 6));
    assert!(matches!(fourth, Err(ChainError::Invalid(_))), "another sender");
    assert!(first.gas_limit > last.gas_limit + CREATION, "the first one creates the account");
    assert!(matches!(world.devnet.gas_batch(&[], 0, &head()).await, Err(ChainError::Invalid(_))));
    let many = vec![asked[0].clone(); 1001];
    assert!(matches!(world.devnet.gas_batch(&many, 0, &head()).await, Err(ChainError::Invalid(_))));
    let unknown = [EstimateMessage { msg: transfer(stranger, world.bls, 1), spec: None }];
    assert!(matches!(world.devnet.gas_batch(&unknown, 0, &head()).await, Err(ChainError::ActorNotFound(_))));
}

#[tokio::test]
async fn in_process_each_senders_messages_build_on_each_other() {
    let world = World::new(71, 1);
    let stranger = world.signer.new_secp();
    let asked = [(world.bls, 600), (world.secp, 600), (world.bls, 600), (world.bls, 300)];
    let asked = asked.map(|(from, value)| (transfer(from, stranger, value), GasSpec::default()));
    let results = world.devnet.estimate_many(&asked).await;
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, true]);
    let limits: Vec<u64> = results.iter().flatten().map(|m| m.gas_limit).collect();
    assert!(limits[0] > limits[2] + CREATION && limits[1] > limits[2] + CREATION);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let world = World::new(71, 1);
    let message = transfer(world.bls, world.secp, 1);
    let invalid = |result: Result<Message, ChainError>| {
        assert!(matches!(result, Err(ChainError::Invalid(_))), "{result:?}")
    };
    for factor in [0.5, f64::NAN, f64::INFINITY, -1.0, 1e9] {
        let spec = MessageSendSpec { gas_over_estimation: factor, ..MessageSendSpec::default() };
        invalid(world.devnet.gas_message(&message, Some(&spec), &head()).await);
        let spec = GasSpec { over_premium: factor, ..GasSpec::default() };
        invalid(world.devnet.estimate(&message, &spec).await);
    }
    invalid(world.devnet.estimate(&message, &GasSpec { max_fee: atto(-1), ..GasSpec::default() }).await);
    assert!(world.devnet.gas_fee_cap(&message, 100_000, &head()).await.is_err());
}

#[tokio::test]
async fn an_estimate_without_reserve_is_enough() {
    let world = World::new(69, 2);
    let spec = GasSpec { over_estimation: 1.0, ..GasSpec::default() };
    let stranger = world.signer.new_secp();
    for (from, to) in [(world.bls, stranger), (world.secp, world.bls)] {
        let bare = transfer(from, to, 1);
        let message = world.devnet.estimate(&bare, &spec).await.unwrap();
        world.devnet.push(&signed(&world, &message).await).await.unwrap();
    }
    world.extend().await;
    let (a, b) = (world.nonce(&world.bls).await, world.nonce(&world.secp).await);
    assert_eq!((a, b), (1, 1));
    assert_eq!(world.devnet.balance(&stranger).await.unwrap(), fil(1));
}

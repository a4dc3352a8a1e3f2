//! The mempool and the choice of messages.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::HashSet;

use proptest::prelude::*;
use support::{World, fil};
use venus_core::api::{BlockProducer, ChainError, GasEstimator, GasSpec, MessagePool, PoolReject, SignerExt};
use venus_core::types::{Address, Message, SignedMessage, TipsetKey, TokenAmount};

fn rejected(result: Result<venus_core::types::Cid, ChainError>) -> PoolReject {
    match result {
        Err(ChainError::Pool(reject)) => reject,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

async fn signed(world: &World, message: &Message) -> SignedMessage {
    world.signer.sign_message(message).await.unwrap()
}

async fn selected(world: &World, lists: usize) -> Vec<Vec<SignedMessage>> {
    world.devnet.select_messages(&TipsetKey::default(), &vec![0.5; lists]).await.unwrap()
}

#[tokio::test]
async fn nonce_gaps_depend_on_who_asks() {
    let world = World::new(61, 1);
    let at = async |nonce| world.transfer(world.bls, world.secp, nonce).await;
    assert_eq!(rejected(world.devnet.push_untrusted(&at(1).await).await), PoolReject::NonceGap);
    assert_eq!(rejected(world.devnet.push(&at(5).await).await), PoolReject::NonceGap);
    world.devnet.push(&at(4).await).await.unwrap();
    assert_eq!(world.devnet.next_nonce(&world.bls).await.unwrap(), 0);
    assert_eq!(selected(&world, 1).await, [vec![]], "nothing goes before the gap is filled");
    for nonce in [0, 1, 2, 3] {
        world.devnet.push_untrusted(&at(nonce).await).await.unwrap();
    }
    assert_eq!(world.devnet.next_nonce(&world.bls).await.unwrap(), 5);
    assert_eq!(selected(&world, 1).await[0].len(), 5);
}

#[tokio::test]
async fn each_rule_refuses_in_its_own_name() {
    let world = World::new(62, 1);
    let good = world.transfer(world.secp, world.bls, 0).await.message;
    let poor = world.signer.new_secp();
    let refused = async |message: Message| rejected(world.devnet.push(&signed(&world, &message).await).await);
    let atto = TokenAmount::from_atto;
    assert_eq!(refused(Message { params: vec![0; 70_000].into(), ..good.clone() }).await, PoolReject::TooBig);
    assert_eq!(refused(Message { from: poor, ..good.clone() }).await, PoolReject::InsufficientFunds);
    assert_eq!(refused(Message { value: fil(1001), ..good.clone() }).await, PoolReject::InsufficientFunds);
    let cheap = Message { gas_fee_cap: atto(99), gas_premium: atto(9), ..good.clone() };
    assert_eq!(refused(cheap).await, PoolReject::FeeCapTooLow);
    for invalid in [
        Message { gas_limit: 100, ..good.clone() },
        Message { version: 1, ..good.clone() },
        Message { gas_premium: &good.gas_fee_cap + atto(1), ..good.clone() },
        Message { value: atto(-1), ..good.clone() },
    ] {
        assert!(matches!(refused(invalid).await, PoolReject::Invalid(_)));
    }
    let mut by_id = signed(&world, &good).await;
    by_id.message.from = Address::new_id(101);
    assert!(matches!(rejected(world.devnet.push(&by_id).await), PoolReject::Signature(_)));
    assert_eq!(world.devnet.stats().pending, 0);
}

#[tokio::test]
async fn funds_cover_all_that_waits() {
    let world = World::new(63, 1);
    let half = async |nonce, value| {
        let message = world.transfer(world.bls, world.secp, nonce).await.message;
        signed(&world, &Message { value: fil(value), ..message }).await
    };
    world.devnet.push(&half(0, 600).await).await.unwrap();
    assert_eq!(rejected(world.devnet.push(&half(1, 600).await).await), PoolReject::InsufficientFunds);
    world.devnet.push(&half(1, 300).await).await.unwrap();
}

#[tokio::test]
async fn a_replacement_pays_a_quarter_more() {
    let world = World::new(64, 1);
    let paying = async |premium| {
        let message = world.transfer(world.bls, world.secp, 0).await.message;
        let premium = TokenAmount::from_atto(premium);
        signed(&world, &Message { gas_premium: premium, ..message }).await
    };
    world.devnet.push(&paying(1001).await).await.unwrap();
    let expected = PoolReject::ReplacePremiumTooLow { min_premium: "1252".into() };
    assert_eq!(rejected(world.devnet.push(&paying(1251).await).await), expected);
    let better = paying(1252).await;
    world.devnet.push(&better).await.unwrap();
    assert_eq!(world.devnet.pending().await.unwrap(), [better]);
}

#[tokio::test]
async fn one_sender_has_a_hundred_or_a_thousand_waiting() {
    let world = World::new(65, 1);
    let template = world.transfer(world.secp, world.bls, 0).await.message;
    let at = async |sequence| signed(&world, &Message { sequence, ..template.clone() }).await;
    for nonce in 0..100 {
        world.devnet.push_untrusted(&at(nonce).await).await.unwrap();
    }
    assert_eq!(rejected(world.devnet.push_untrusted(&at(100).await).await), PoolReject::TooManyPending);
    for nonce in 100..1000 {
        world.devnet.push(&at(nonce).await).await.unwrap();
    }
    assert_eq!(rejected(world.devnet.push(&at(1000).await).await), PoolReject::TooManyPending);
    world.devnet.push(&at(7).await).await.unwrap();
}

#[tokio::test]
async fn a_block_holds_ten_billion_gas_and_the_rest_stays_for_the_next() {
    let world = World::new(66, 1);
    let template = world.transfer(world.bls, world.secp, 0).await.message;
    for sequence in 0..7 {
        let message = Message { sequence, gas_limit: 1_500_000_000, ..template.clone() };
        world.devnet.push(&signed(&world, &message).await).await.unwrap();
    }
    world.send(world.secp, world.bls, 1).await;
    let lists = selected(&world, 3).await;
    assert!(lists[0].iter().map(|m| m.message.gas_limit).sum::<u64>() <= 10_000_000_000);
    assert_eq!(lists[0].iter().filter(|m| m.message.from == world.bls).count(), 6);
    assert!(lists[1..].iter().all(Vec::is_empty), "nobody is left for the others");
    world.extend().await;
    assert_eq!(selected(&world, 1).await[0].len(), 1);
}

#[tokio::test]
async fn better_payers_go_first_and_losses_stay() {
    let world = World::new(67, 1);
    let message = async |from, to, premium: i64, fee_cap: i64| {
        let message = world.transfer(from, to, 0).await.message;
        let (gas_premium, gas_fee_cap) = (TokenAmount::from_atto(premium), TokenAmount::from_atto(fee_cap));
        signed(&world, &Message { gas_premium, gas_fee_cap, ..message }).await
    };
    let cheap = message(world.bls, world.secp, 1000, 1_000_000_000).await;
    let dear = message(world.secp, world.bls, 2000, 1_000_000_000).await;
    world.devnet.push(&cheap).await.unwrap();
    world.devnet.push(&dear).await.unwrap();
    assert_eq!(selected(&world, 1).await, [vec![dear, cheap]]);
    let world = World::new(67, 1);
    let loss = message(world.bls, world.secp, 1000, 2_000_000).await;
    world.devnet.push(&loss).await.unwrap();
    assert_eq!(selected(&world, 1).await, [vec![]], "a fee cap below the base fee waits for a lower one");
}

#[tokio::test]
async fn estimates_do_not_look_at_the_pool() {
    let world = World::new(68, 1);
    let message = Message { gas_limit: 0, ..world.transfer(world.bls, world.secp, 0).await.message };
    let alone = world.devnet.estimate(&message, &GasSpec::default()).await.unwrap();
    world.send(world.bls, world.secp, 5).await;
    assert_eq!(world.devnet.estimate(&message, &GasSpec::default()).await.unwrap(), alone);
    assert!(alone.gas_fee_cap > TokenAmount::from_atto(1_000_000_000) + &alone.gas_premium);
}

#[tokio::test]
async fn an_estimate_without_reserve_is_enough() {
    let world = World::new(69, 2);
    let spec = GasSpec { over_estimation: 1.0, ..GasSpec::default() };
    let stranger = world.signer.new_secp();
    for (from, to) in [(world.bls, stranger), (world.secp, world.bls)] {
        let bare = venus_core::api::MessageRequest::transfer(from, to, fil(1)).message;
        let message = world.devnet.estimate(&bare, &spec).await.unwrap();
        world.devnet.push(&signed(&world, &message).await).await.unwrap();
    }
    world.extend().await;
    let (a, b) = (world.nonce(&world.bls).await, world.nonce(&world.secp).await);
    assert_eq!((a, b), (1, 1));
    use venus_core::api::StateReader;
    assert_eq!(world.devnet.balance(&stranger).await.unwrap(), fil(1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Whatever the order in which senders' messages come in, the same ones are chosen in the same order.
    #[test]
    fn the_choice_does_not_depend_on_the_order_of_arrival(
        premiums in prop::collection::vec(prop::collection::vec(1i64..5, 1..6), 4),
        order in prop::collection::vec(any::<prop::sample::Index>(), 40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut results = HashSet::new();
            for shuffled in [false, true] {
                let world = World::new(70, 1);
                let senders: Vec<Address> = vec![world.bls, world.secp];
                let mut queues = Vec::new();
                for (i, premiums) in premiums.iter().take(2).enumerate() {
                    let (from, to) = (senders[i], senders[1 - i]);
                    let mut queue = Vec::new();
                    for (nonce, premium) in premiums.iter().enumerate() {
                        let message = world.transfer(from, to, nonce as u64).await.message;
                        let gas_premium = TokenAmount::from_atto(premium * 1000);
                        queue.push(signed(&world, &Message { gas_premium, ..message }).await);
                    }
                    queues.push(queue);
                }
                let mut all: Vec<SignedMessage> = queues.concat();
                let mut next = order.iter();
                while !all.is_empty() {
                    let at = if shuffled { next.next().unwrap().index(all.len()) } else { 0 };
                    world.devnet.push(&all.remove(at)).await.unwrap();
                }
                results.insert(format!("{:?}", selected(&world, 2).await));
            }
            assert_eq!(results.len(), 1);
        });
    }
}

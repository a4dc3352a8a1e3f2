//! Who gets into the mempool, who leaves it, and what it tells about that.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::time::Duration;

use futures::{FutureExt, StreamExt};
use support::{World, fil};
use venus_core::api::{BlockProducer, ChainError, MessagePool, PoolReject, SignerExt};
use venus_core::types::{
    Address, Message, MpoolChange, MpoolConfig, SignatureType, SignedMessage, TipsetKey, TokenAmount,
};

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

fn atto(amount: i64) -> TokenAmount {
    TokenAmount::from_atto(amount)
}

#[tokio::test]
async fn used_nonces_are_refused() {
    let world = World::new(61, 1);
    world.send(world.bls, world.secp, 2).await;
    let mut late = world.transfer(world.bls, world.secp, 1).await.message;
    late.value = TokenAmount::from_atto(8);
    let late = signed(&world, &late).await;
    let min_premium = "125000".to_owned();
    assert_eq!(rejected(world.devnet.push(&late).await), PoolReject::ReplacePremiumTooLow { min_premium });
    world.extend().await;
    assert_eq!(rejected(world.devnet.push(&late).await), PoolReject::NonceTooLow { expected: 2 });
}

#[tokio::test]
async fn each_rule_refuses_in_its_own_name() {
    let world = World::new(62, 1);
    let good = world.transfer(world.secp, world.bls, 0).await.message;
    let poor = world.signer.new_secp();
    let refused = async |message: Message| rejected(world.devnet.push(&signed(&world, &message).await).await);
    assert_eq!(refused(Message { params: vec![0; 70_000].into(), ..good.clone() }).await, PoolReject::TooBig);
    assert_eq!(refused(Message { from: poor, ..good.clone() }).await, PoolReject::InsufficientFunds);
    assert_eq!(refused(Message { value: fil(1001), ..good.clone() }).await, PoolReject::InsufficientFunds);
    let cheap = Message { gas_fee_cap: atto(99), gas_premium: atto(9), ..good.clone() };
    assert_eq!(refused(cheap).await, PoolReject::FeeCapTooLow);
    assert_eq!(world.devnet.stats().pending, 0);
}

#[tokio::test]
async fn fields_out_of_range_are_named_in_the_words_of_go_nodes() {
    let world = World::new(62, 1);
    let good = world.transfer(world.secp, world.bls, 0).await.message;
    let zero_key =
        Address::new_bls(&std::array::from_fn::<u8, 48, _>(|i| if i == 0 { 0xc0 } else { 0 })).unwrap();
    let lacking = |message: &str| format!("message not valid for block inclusion: {message}");
    let cases = [
        (Message { version: 1, ..good.clone() }, lacking("'Version' unsupported")),
        (Message { to: zero_key, ..good.clone() }, lacking("invalid 'To' address")),
        (Message { value: atto(-1), ..good.clone() }, lacking("'Value' field cannot be negative")),
        (
            Message { value: fil(2_000_000_001), ..good.clone() },
            lacking("'Value' field cannot be greater than total filecoin supply"),
        ),
        (
            Message { gas_fee_cap: atto(-1), gas_premium: atto(-1), ..good.clone() },
            lacking("'GasFeeCap' field cannot be negative"),
        ),
        (Message { gas_premium: atto(-1), ..good.clone() }, lacking("'GasPremium' field cannot be negative")),
        (Message { gas_fee_cap: atto(0), ..good.clone() }, lacking("'GasFeeCap' less than 'GasPremium'")),
        (Message { gas_limit: 0, ..good.clone() }, lacking("'GasLimit' field 0 must be positive")),
        (
            Message { gas_limit: 10_000_000_001, ..good.clone() },
            lacking(
                "'GasLimit' field cannot be greater than a block's gas limit (10000000001 > 10000000000)",
            ),
        ),
    ];
    for (message, text) in cases {
        let refused = rejected(world.devnet.push(&signed(&world, &message).await).await);
        assert_eq!(refused, PoolReject::Invalid(text));
    }
    // What a block charges for its bytes depends on the kind of signature, so it is looked at last.
    let short = signed(&world, &Message { gas_limit: 100, ..good }).await;
    match rejected(world.devnet.push(&short).await) {
        PoolReject::Invalid(text) => {
            assert!(
                text.contains("cannot be less than the cost of storing a message on chain 100 <"),
                "{text}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(world.devnet.stats().pending, 0);
}

#[tokio::test]
async fn signatures_must_be_the_senders() {
    let world = World::new(62, 1);
    let good = world.transfer(world.bls, world.secp, 0).await;
    let mut by_id = good.clone();
    by_id.message.from = Address::new_id(101);
    assert!(matches!(rejected(world.devnet.push(&by_id).await), PoolReject::Signature(_)));
    let mut forged = good.clone();
    forged.message.value = atto(8);
    let cid = forged.cid();
    let text = format!("invalid signature for message {cid} (type 2): bls signature failed to verify");
    assert_eq!(rejected(world.devnet.push(&forged).await), PoolReject::Signature(text));
    let mut other_kind = good;
    other_kind.signature.sig_type = SignatureType::Secp256k1;
    assert!(matches!(rejected(world.devnet.push(&other_kind).await), PoolReject::Signature(_)));
}

#[tokio::test]
async fn strangers_pay_a_hundredth_of_the_base_fee() {
    let world = World::new(62, 1);
    let message = world.transfer(world.bls, world.secp, 0).await.message;
    let cheap = Message { gas_fee_cap: atto(500_000), gas_premium: atto(1), ..message };
    let cheap = signed(&world, &cheap).await;
    assert_eq!(rejected(world.devnet.push_untrusted(&cheap).await), PoolReject::FeeCapTooLow);
    world.devnet.push(&cheap).await.unwrap();
    assert_eq!(selected(&world, 1).await, [vec![]], "it waits for the base fee to fall");
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
async fn the_price_of_a_replacement_can_be_set_but_never_below_a_tenth() {
    let world = World::new(64, 1);
    let paying = async |premium| {
        let message = world.transfer(world.bls, world.secp, 0).await.message;
        signed(&world, &Message { gas_premium: atto(premium), ..message }).await
    };
    let config = world.devnet.pool_config();
    let too_low = MpoolConfig { replace_by_fee_ratio: 1.09, ..config.clone() };
    assert!(matches!(world.devnet.set_pool_config(too_low), Err(ChainError::Invalid(_))));
    assert_eq!(world.devnet.pool_config(), config);
    world.devnet.set_pool_config(MpoolConfig { replace_by_fee_ratio: 1.1, ..config }).unwrap();
    world.devnet.push(&paying(1000).await).await.unwrap();
    let expected = PoolReject::ReplacePremiumTooLow { min_premium: "1100".into() };
    assert_eq!(rejected(world.devnet.push(&paying(1099).await).await), expected);
    world.devnet.push(&paying(1100).await).await.unwrap();
}

#[tokio::test]
async fn premiums_of_nothing_rise_by_one() {
    let world = World::new(64, 1);
    let message = world.transfer(world.bls, world.secp, 0).await.message;
    let paying = async |premium, value| {
        let message = Message { gas_premium: atto(premium), value: atto(value), ..message.clone() };
        signed(&world, &message).await
    };
    world.devnet.push(&paying(0, 1).await).await.unwrap();
    let expected = PoolReject::ReplacePremiumTooLow { min_premium: "1".into() };
    assert_eq!(rejected(world.devnet.push(&paying(0, 2).await).await), expected);
    world.devnet.push(&paying(0, 1).await).await.unwrap();
    world.devnet.push(&paying(1, 2).await).await.unwrap();
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
async fn a_full_pool_keeps_what_pays_best_and_whoever_has_priority() {
    let world = World::new(66, 1);
    let template = world.transfer(world.bls, world.secp, 0).await.message;
    let push = async |from, sequence, premium| {
        let message = Message { from, sequence, gas_premium: atto(premium), ..template.clone() };
        world.devnet.push(&signed(&world, &message).await).await
    };
    let waiting = async || {
        let pending = world.devnet.pending().await.unwrap();
        let mut waiting: Vec<_> =
            pending.iter().map(|m| (m.message.from == world.bls, m.message.sequence)).collect();
        waiting.sort();
        waiting
    };
    let limits = MpoolConfig { size_limit_high: 4, size_limit_low: 2, ..world.devnet.pool_config() };
    world.devnet.set_pool_config(limits.clone()).unwrap();
    for (from, nonce, premium) in
        [(world.bls, 0, 5000), (world.bls, 1, 10), (world.secp, 0, 3000), (world.secp, 1, 2000)]
    {
        push(from, nonce, premium).await.unwrap();
    }
    push(world.secp, 1, 2500).await.expect("a replacement needs no room");
    assert_eq!(rejected(push(world.bls, 2, 20).await), PoolReject::TooManyPending);
    assert_eq!(waiting().await, [(false, 0), (true, 0)]);

    push(world.bls, 1, 10).await.unwrap();
    push(world.secp, 1, 2500).await.unwrap();
    assert_eq!(rejected(push(world.secp, 2, 9999).await), PoolReject::TooManyPending);
    assert_eq!(waiting().await.len(), 4, "it does not make room again so soon");
    world.clock.advance_to(Duration::from_secs(support::GENESIS + 60));
    push(world.secp, 2, 9999).await.expect_err("the one before it goes, so it would wait in vain");
    assert_eq!(waiting().await, [(false, 0), (false, 1)], "the last message lifted the others of its sender");

    let id = Address::new_id(100);
    world.devnet.set_pool_config(MpoolConfig { priority_addrs: vec![id], ..limits }).unwrap();
    for nonce in 0..6 {
        push(world.bls, nonce, 1).await.expect("bls is f0100, which goes first");
    }
}

#[tokio::test]
async fn what_waits_depends_on_the_tipset() {
    let world = World::new(71, 1);
    let first = world.send(world.bls, world.secp, 2).await;
    let before = world.head().await;
    let landed = world.extend().await;
    let second = world.send(world.bls, world.secp, 1).await;
    let at = async |key: &TipsetKey| world.devnet.pending_at(key).await.unwrap();
    assert_eq!(at(&TipsetKey::default()).await, second);
    assert_eq!(at(landed.key()).await, second);
    assert_eq!(at(before.key()).await, [first, second].concat());
    let unknown = TipsetKey::from(vec![before.min_ticket_block().messages]);
    assert!(matches!(world.devnet.pending_at(&unknown).await, Err(ChainError::TipsetNotFound(_))));
    let mut epoch = 905;
    while world.mine(epoch).await == 0 {
        epoch += 1;
    }
    assert!(matches!(world.devnet.pending_at(before.key()).await, Err(ChainError::Invalid(_))));
}

#[tokio::test]
async fn listeners_hear_what_comes_and_goes() {
    let world = World::new(72, 1);
    let mut updates = world.devnet.pool_updates();
    let message = world.transfer(world.bls, world.secp, 0).await.message;
    let cheap = signed(&world, &Message { gas_premium: atto(1000), ..message.clone() }).await;
    let dear = signed(&world, &Message { gas_premium: atto(2000), ..message }).await;
    for message in [&cheap, &cheap, &dear] {
        world.devnet.push(message).await.unwrap();
    }
    world.extend().await;
    let mut heard = Vec::new();
    while let Some(Some(update)) = updates.next().now_or_never() {
        heard.push((update.change, update.message.clone()));
    }
    let expected = [
        (MpoolChange::Add, cheap.clone()),
        (MpoolChange::Remove, cheap),
        (MpoolChange::Add, dear.clone()),
        (MpoolChange::Remove, dear),
    ];
    assert_eq!(heard, expected);
    drop(world);
    assert!(updates.next().await.is_none(), "it ends with the devnet");
}

#[tokio::test]
async fn a_listener_that_falls_behind_is_let_go() {
    let world = World::new(73, 1);
    let mut slow = world.devnet.pool_updates();
    let message = world.transfer(world.bls, world.secp, 0).await;
    for _ in 0..600 {
        world.devnet.push(&message).await.unwrap();
        assert!(world.devnet.remove_pending(&world.bls, 0));
    }
    assert!(slow.next().await.is_none());
    let mut again = world.devnet.pool_updates();
    world.devnet.push(&message).await.unwrap();
    assert_eq!(again.next().await.unwrap().message, message);
}

#[tokio::test]
async fn an_operator_can_drop_messages() {
    let world = World::new(74, 1);
    world.send(world.bls, world.secp, 3).await;
    world.send(world.secp, world.bls, 2).await;
    assert!(world.devnet.remove_pending(&Address::new_id(100), 1), "by its ID");
    assert!(!world.devnet.remove_pending(&world.bls, 1));
    assert_eq!(world.devnet.next_nonce(&world.bls).await.unwrap(), 1);
    assert_eq!(selected(&world, 1).await[0].len(), 3, "what comes after the gap waits");
    assert_eq!(world.devnet.remove_pending_of(&world.secp), 2);
    assert_eq!(world.devnet.clear_pool(), 2);
    assert_eq!(world.devnet.stats().pending, 0);
    world.send(world.bls, world.secp, 1).await;
}

#[tokio::test]
async fn a_batch_ends_with_the_first_refusal() {
    let world = World::new(75, 1);
    let at = async |nonce| world.transfer(world.bls, world.secp, nonce).await;
    let mut forged = at(1).await;
    forged.message.value = atto(8);
    let bad = [at(0).await, forged];
    assert!(matches!(
        rejected(world.devnet.push_batch(&bad, false).await.map(|_| bad[0].cid())),
        PoolReject::Signature(_)
    ));
    assert_eq!(world.devnet.stats().pending, 0, "signatures are checked before anything is pushed");
    let gap = [at(0).await, at(2).await, at(1).await];
    assert_eq!(rejected(world.devnet.push_batch(&gap, true).await.map(|c| c[0])), PoolReject::NonceGap);
    assert_eq!(world.devnet.pending().await.unwrap(), gap[..1]);
    let cids = world.devnet.push_batch(&gap, false).await.unwrap();
    assert_eq!(cids, gap.each_ref().map(SignedMessage::cid), "what waits already is success");
    assert_eq!(world.devnet.push_batch(&[], true).await.unwrap(), []);
}

#[tokio::test]
async fn after_a_reorg_messages_wait_again() {
    let world = World::new(76, 2);
    let rival = world.devnet.miners()[1];
    let sent = world.send(world.bls, world.secp, 2).await;
    let base = world.head().await;
    for epoch in 1.. {
        let blocks = world.blocks(epoch, &base).await;
        let mut own = blocks.into_iter().filter(|b| b.header.miner != rival && !b.bls_messages.is_empty());
        let Some(block) = own.next() else { continue };
        world.devnet.submit_block(&block).await.unwrap();
        break;
    }
    assert_eq!(world.devnet.stats().pending, 0);
    let left = world.head().await;
    let spec = venus_devnet::ForkSpec { depth: 1, producer: rival };
    world.devnet.fork(spec, &*world.signer, &world.clock).await.unwrap();
    assert_eq!(world.devnet.pending().await.unwrap(), sent);
    // No miner may make a second block of an epoch.
    let mut epoch = world.head().await.height().max(left.height()) + 1;
    while world.mine(epoch).await == 0 {
        epoch += 1;
    }
    assert_eq!(world.devnet.stats().pending, 0);
}

//! Mempool and gas through each adapter.

use venus_core::api::*;
use venus_core::error::{Classify, ErrorKind};
use venus_core::testing::suites::{self, GasEstimatorFixture, MessagePoolFixture, step};
use venus_core::types::*;

use crate::support::face::STYLES;
use crate::support::{Address as At, Face, Style, World, forest, lotus, venus};

pub async fn suites_pass(face: &Face, gas: &dyn GasEstimator, pool: &dyn MessagePool, from: Address) {
    let world = &face.world;
    suites::gas_estimator(gas, &GasEstimatorFixture { from, to: world.bls }).await;
    let (chain, memory) = (&world.chain, &world.pool);
    let fixture = MessagePoolFixture {
        signer: &world.signer,
        from,
        to: world.bls,
        mine: step(async || {
            let pending = memory.pending().await.unwrap();
            chain.mine(&pending).unwrap();
        }),
    };
    suites::message_pool(pool, &fixture).await;
}

/// Every adapter against a fresh node of this style.
async fn all_adapters(style: Style, missing: &[&str]) {
    for adapter in 0..3 {
        // BLS takes its time, and makes no difference to an adapter.
        for secp in [true, false].into_iter().take(if adapter == 0 && missing.is_empty() { 2 } else { 1 }) {
            let face = Face::new(World::new(), style).without(missing);
            let from = if secp { face.world.secp } else { face.world.bls };
            let at = At::of(&face);
            match adapter {
                0 => {
                    let node = lotus(&at).await;
                    suites_pass(&face, &node, &node, from).await;
                }
                1 => {
                    let node = venus(&at).await;
                    suites_pass(&face, &node, &node, from).await;
                }
                _ => {
                    let node = forest(&at).await;
                    suites_pass(&face, &node, &node, from).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn pool_and_gas_of_each_kind_of_node_through_each_adapter() {
    for style in STYLES {
        all_adapters(style, &[]).await;
    }
}

#[tokio::test]
async fn missing_batches_are_taken_apart() {
    for style in [Style::Lotus, Style::Venus] {
        all_adapters(style, &["MpoolBatchPush", "GasBatchEstimateMessageGas", "StateSearchMsg"]).await;
    }
}

#[tokio::test]
async fn a_push_whose_answer_was_lost_is_success_in_the_end() {
    let face = Face::new(World::new(), Style::Lotus);
    let world = &face.world;
    let at = At::of(&face);
    let node = lotus(&at).await;
    let message = world.transfer(world.bls, world.secp, 0).await;
    let gate = face.gate(&["MpoolPush"]);
    let pushing = tokio::spawn({
        let (node, message) = (node.clone(), message.clone());
        async move { node.push(&message).await }
    });
    while face.calls("MpoolPush") == 0 {
        tokio::task::yield_now().await;
    }
    // The node takes it and is cut off before it answers.
    world.pool.push(&message).await.unwrap();
    at.disconnect();
    gate.add_permits(100);
    assert_eq!(pushing.await.unwrap().unwrap(), message.cid());
    assert_eq!(node.pending().await.unwrap(), [message]);
}

#[tokio::test]
async fn a_batch_of_many_is_one_call_and_per_message() {
    let face = Face::new(World::new(), Style::Venus);
    let world = &face.world;
    let node = venus(&At::of(&face)).await;
    let mut batch = Vec::new();
    for nonce in 0..5 {
        batch.push(world.transfer(world.bls, world.secp, nonce).await);
        batch.push(world.transfer(world.secp, world.bls, nonce).await);
    }
    let cids: Vec<_> = node.push_many(&batch).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(cids, batch.iter().map(SignedMessage::cid).collect::<Vec<_>>());
    assert_eq!((face.calls("MpoolBatchPush"), face.calls("MpoolPush")), (1, 0));
    let again = node.push_many(&batch).await;
    assert!(again.iter().all(Result::is_ok), "the same once more is success: {again:?}");
    assert!(node.push_many(&[]).await.is_empty());
}

#[tokio::test]
async fn batches_of_estimates_are_one_call_a_sender() {
    let face = Face::new(World::new(), Style::Venus);
    let (bls, secp) = (face.world.bls, face.world.secp);
    let node = venus(&At::of(&face)).await;
    let message = |from, to, nonce| {
        let message = MessageRequest::transfer(from, to, TokenAmount::from_atto(1)).message;
        (Message { sequence: nonce, ..message }, GasSpec::default())
    };
    let mut poor = message(secp, bls, 9);
    poor.0.value = TokenAmount::from_whole(1_000_000);
    let batch =
        [message(bls, secp, 3), message(secp, bls, 4), message(bls, secp, 8), poor, message(secp, bls, 5)];
    let results = node.estimate_many(&batch).await;
    let nonces: Vec<_> = results.iter().map(|r| r.as_ref().ok().map(|m| (m.from, m.sequence))).collect();
    let expected = [Some((bls, 3)), Some((secp, 4)), Some((bls, 8)), None, Some((secp, 5))];
    assert_eq!(nonces, expected, "one result for each, in order, with its own nonce");
    match &results[3] {
        Err(ChainError::ExecutionFailed { exit_code: 6, .. }) => {}
        other => panic!("{other:?}"),
    }
    let calls = ["GasBatchEstimateMessageGas", "GasEstimateMessageGas"].map(|method| face.calls(method));
    assert_eq!(calls, [2, 0]);
}

#[tokio::test]
async fn a_node_that_is_away_fails_a_batch_at_once() {
    let face = Face::new(World::new(), Style::Lotus);
    let world = &face.world;
    let node = lotus(&At::of(&face)).await;
    let batch = [
        world.transfer(world.bls, world.secp, 0).await,
        world.transfer(world.bls, world.secp, 1).await,
        world.transfer(world.bls, world.secp, 2).await,
    ];
    node.shutdown().await;
    let results = node.push_many(&batch).await;
    assert_eq!(results.len(), 3);
    assert!(results.iter().all(|r| r.as_ref().unwrap_err().kind() == ErrorKind::Transient), "{results:?}");
}

//! Blocks through each adapter, signed by the node or not.

use std::sync::atomic::Ordering;

use venus_core::api::*;
use venus_core::error::{Classify, ErrorKind};
use venus_core::testing::doubles::ScriptedProver;
use venus_core::testing::suites::{self, BlockProducerFixture};
use venus_core::types::*;

use crate::support::face::STYLES;
use crate::support::world::{MINER, STRANGER};
use crate::support::{Address as At, Face, Style, World, forest, lotus, venus};

pub async fn waiting(world: &World) {
    world.history().await;
    world.pool.push(&world.transfer(world.bls, world.secp, 2).await).await.unwrap();
    world.pool.push(&world.transfer(world.secp, world.bls, 1).await).await.unwrap();
}

pub async fn suite_passes(face: &Face, producer: &dyn BlockProducer) {
    let world = &face.world;
    waiting(world).await;
    let fixture = BlockProducerFixture {
        chain: &world.chain,
        miner: MINER,
        signer: &world.signer,
        prover: &ScriptedProver::new(),
        stranger: STRANGER,
        epoch_begins: Box::new(|_| {}),
    };
    suites::block_producer(producer, &fixture).await;
    assert_eq!(world.chain.head_now().blocks()[0].miner, MINER);
    let pending = world.pool.pending().await.unwrap();
    assert!(pending.is_empty(), "the block holds what was pending: {pending:?}");
}

async fn all_adapters(style: Style, missing: &[&str], no_key: bool) {
    let face = || {
        let face = Face::new(World::new(), style).without(missing);
        face.state.no_key.store(no_key, Ordering::SeqCst);
        face
    };
    let at = |face: &Face| At::of(face);
    let of = face();
    suite_passes(&of, &lotus(&at(&of)).await).await;
    let of = face();
    suite_passes(&of, &venus(&at(&of)).await).await;
    let of = face();
    suite_passes(&of, &forest(&at(&of)).await).await;
}

#[tokio::test]
async fn blocks_of_each_kind_of_node_through_each_adapter() {
    for style in STYLES {
        all_adapters(style, &[], false).await;
    }
}

#[tokio::test]
async fn blocks_of_nodes_without_the_key() {
    all_adapters(Style::Lotus, &[], true).await;
    all_adapters(Style::Forest, &[], true).await;
}

#[tokio::test]
async fn missing_methods_of_producers_are_replaced() {
    all_adapters(Style::Venus, &["MpoolSelects"], false).await;
    all_adapters(Style::Lotus, &["MinerCreateBlock"], false).await;
}

pub async fn template(world: &World, base: &Tipset) -> BlockTemplate {
    let info = world.producer.base_info(&MINER, base.height() + 1, base.key()).await.unwrap().unwrap();
    BlockTemplate {
        miner: MINER,
        parents: base.key().clone(),
        ticket: Ticket { vrf_proof: vec![7; 96] },
        election_proof: ElectionProof { win_count: 1, vrf_proof: vec![8; 96] },
        beacon_values: info.beacon_entries,
        messages: world.pool.pending().await.unwrap(),
        epoch: base.height() + 1,
        timestamp: world.chain.network().await.unwrap().timestamp_of(base.height() + 1),
        winning_post_proof: vec![PostProof { post_proof: 0, proof_bytes: b"valid proof".to_vec() }],
    }
}

#[tokio::test]
async fn a_header_made_here_is_the_one_that_the_node_would_make() {
    let face = Face::new(World::new(), Style::Lotus);
    let world = &face.world;
    waiting(world).await;
    let node = lotus(&At::of(&face)).await;
    let mut at = world.chain.head_now();
    // On every tipset there is: with messages, without, before a null round.
    while at.height() > 0 {
        let template = template(world, &at).await;
        let theirs = world.producer.create_block(&template).await.unwrap();
        face.state.no_key.store(true, Ordering::SeqCst);
        assert_eq!(node.create_block(&template).await.unwrap(), theirs);
        face.state.no_key.store(false, Ordering::SeqCst);
        let signed = node.create_block(&template).await.unwrap();
        assert!(signed.header.block_sig.is_some(), "a node that has the key signs");
        at = world.chain.tipset(&at.parents()).await.unwrap();
    }
    let mut wrong = template(world, &world.chain.head_now()).await;
    wrong.messages[0].message.gas_premium = TokenAmount::from_whole(1);
    face.state.no_key.store(true, Ordering::SeqCst);
    assert_eq!(node.create_block(&wrong).await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn refused_blocks_say_why() {
    for style in STYLES {
        let face = Face::new(World::new(), style);
        let world = &face.world;
        waiting(world).await;
        let node = lotus(&At::of(&face)).await;
        let template = template(world, &world.chain.head_now()).await;
        let block = world.producer.create_block(&template).await.unwrap();
        let sign = async |mut block: BlockMsg| {
            let signature = world.signer.sign_block(&world.bls, &block.header).await.unwrap();
            block.header.block_sig = Some(signature);
            block
        };
        let refused = |result: Result<(), ChainError>| match result {
            Err(ChainError::Block(reject)) => reject,
            other => panic!("{other:?}"),
        };
        let rule = refused(node.submit_block(&block).await);
        assert!(matches!(rule, BlockReject::Rule { .. }), "without a signature: {rule:?}");
        let mut orphan = block.clone();
        orphan.header.parents = vec![blake2b_cid(b"nobody's")];
        assert_eq!(refused(node.submit_block(&sign(orphan).await).await), BlockReject::UnknownParents);
        let mut strange = block.clone();
        let missing = blake2b_cid(b"a message that nobody has");
        strange.bls_messages = vec![missing];
        strange.secp_messages = Vec::new();
        strange.header.messages = venus_core::consensus::msg_meta::msg_meta_cid(&[missing], &[]);
        let reject = refused(node.submit_block(&sign(strange).await).await);
        assert_eq!(reject, BlockReject::MissingMessage(missing));
        let good = sign(block.clone()).await;
        node.submit_block(&good).await.unwrap();
        let mut rival = block;
        rival.header.fork_signaling = 1;
        let reject = refused(node.submit_block(&sign(rival).await).await);
        assert_eq!(reject, BlockReject::SlashFilter { witness: good.cid() });
    }
}

#[tokio::test]
async fn a_block_that_is_not_the_template_is_not_signed() {
    let face = Face::new(World::new(), Style::Venus);
    waiting(&face.world).await;
    let node = venus(&At::of(&face)).await;
    let template = template(&face.world, &face.world.chain.head_now()).await;
    face.state.other_miner.store(true, Ordering::SeqCst);
    match node.create_block(&template).await {
        Err(ChainError::Corrupt(why)) => assert!(why.contains("Miner"), "{why}"),
        other => panic!("{other:?}"),
    }
    let quality = node.select_messages(&TipsetKey::default(), &[f64::NAN]).await;
    assert_eq!(quality.unwrap_err().kind(), ErrorKind::Invalid);
}

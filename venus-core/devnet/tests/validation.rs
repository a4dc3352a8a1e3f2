//! Every rule of block validation, broken one at a time.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::sync::Arc;

use support::World;
use venus_core::api::{BlockProducer, BlockReject, ChainError, MessagePool, SignerExt};
use venus_core::consensus::msg_meta::msg_meta_cid;
use venus_core::types::{
    Address, BlockHeader, BlockMsg, Cid, Message, MiningBaseInfo, Signature, SignedMessage, Tipset,
    TokenAmount, blake2b_cid,
};

struct Case {
    world: World,
    base: Arc<Tipset>,
    info: MiningBaseInfo,
    /// Valid, signed, and not submitted.
    block: BlockMsg,
}

impl Case {
    /// A block with messages of both kinds on a base that has some, too.
    async fn new() -> Self {
        let world = World::new(21, 3);
        world.send(world.bls, world.secp, 2).await;
        world.extend().await;
        world.send(world.bls, world.secp, 2).await;
        world.send(world.secp, world.bls, 2).await;
        let base = world.head().await;
        for epoch in base.height() + 1.. {
            // The best ticket chooses first, and there is nothing left for the others.
            let mut blocks = world.blocks(epoch, &base).await.into_iter();
            let Some(block) = blocks.find(|b| !b.bls_messages.is_empty()) else { continue };
            assert_eq!((block.bls_messages.len(), block.secp_messages.len()), (2, 2));
            let info = world.devnet.base_info(&block.header.miner, epoch, base.key()).await.unwrap().unwrap();
            return Self { world, base, info, block };
        }
        unreachable!()
    }

    /// Submits the block with a change, signed again, and answers the rule that it breaks.
    async fn broken_by(&self, change: impl FnOnce(&mut BlockHeader)) -> &'static str {
        let mut block = self.block.clone();
        change(&mut block.header);
        if block.header.block_sig.is_some() {
            self.world.sign(&mut block, &self.info.worker_key).await;
        }
        self.rule_of(&block).await
    }

    async fn rule_of(&self, block: &BlockMsg) -> &'static str {
        let head = self.world.head().await;
        let result = self.world.devnet.submit_block(block).await;
        assert_eq!(self.world.head().await, head, "a refused block changes nothing");
        match result {
            Err(ChainError::Block(BlockReject::Rule { rule, .. })) => rule,
            other => panic!("expected a broken rule, got {other:?}"),
        }
    }

    /// The block with other messages, complete and signed, though nobody would assemble it.
    async fn with_messages(&self, messages: &[SignedMessage]) -> BlockMsg {
        let (bls, secp): (Vec<_>, Vec<_>) =
            messages.iter().partition(|m| m.signature.sig_type == venus_core::types::SignatureType::Bls);
        let mut block = self.block.clone();
        block.bls_messages = bls.iter().map(|m| m.cid()).collect();
        block.secp_messages = secp.iter().map(|m| m.cid()).collect();
        block.header.messages = msg_meta_cid(&block.bls_messages, &block.secp_messages);
        let signatures: Vec<_> = bls.iter().map(|m| m.signature.data.clone()).collect();
        let sum = venus_core::crypto::bls::aggregate(&signatures).unwrap();
        block.header.bls_aggregate = Some(Signature::bls(sum));
        self.world.sign(&mut block, &self.info.worker_key).await;
        block
    }
}

fn nowhere() -> Cid {
    blake2b_cid(b"nowhere")
}

#[tokio::test]
async fn the_block_itself_is_valid() {
    let case = Case::new().await;
    for _ in 0..2 {
        case.world.devnet.submit_block(&case.block).await.unwrap();
    }
    assert!(case.world.head().await.cids().contains(&case.block.cid()));
}

#[tokio::test]
async fn each_wrong_field_is_named() {
    let case = Case::new().await;
    assert_eq!(case.broken_by(|h| h.miner = case.world.bls).await, "Miner");
    assert_eq!(case.broken_by(|h| h.miner = Address::new_id(100)).await, "Miner");
    assert_eq!(case.broken_by(|h| h.miner = Address::new_id(9999)).await, "Miner");
    assert_eq!(case.broken_by(|h| h.ticket = None).await, "Ticket");
    assert_eq!(case.broken_by(|h| h.ticket.as_mut().unwrap().vrf_proof[5] ^= 1).await, "Ticket");
    assert_eq!(case.broken_by(|h| h.ticket.as_mut().unwrap().vrf_proof.clear()).await, "Ticket");
    assert_eq!(case.broken_by(|h| h.election_proof = None).await, "ElectionProof");
    assert_eq!(case.broken_by(|h| h.election_proof.as_mut().unwrap().win_count += 1).await, "ElectionProof");
    assert_eq!(case.broken_by(|h| h.beacon_entries.clear()).await, "BeaconEntries");
    assert_eq!(case.broken_by(|h| h.beacon_entries[0].round += 1).await, "BeaconEntries");
    assert_eq!(case.broken_by(|h| h.beacon_entries[0].data[0] ^= 1).await, "BeaconEntries");
    assert_eq!(case.broken_by(|h| h.win_post_proof.clear()).await, "WinPoStProof");
    assert_eq!(case.broken_by(|h| h.win_post_proof[0].proof_bytes.push(0)).await, "WinPoStProof");
    assert_eq!(case.broken_by(|h| h.win_post_proof[0].post_proof = 3).await, "WinPoStProof");
    assert_eq!(case.broken_by(|h| h.parents.clear()).await, "Parents");
    assert_eq!(case.broken_by(|h| h.parents.push(h.parents[0])).await, "Parents");
    assert_eq!(case.broken_by(|h| h.parent_weight += 1).await, "ParentWeight");
    assert_eq!(case.broken_by(|h| h.height = 0).await, "Height");
    assert_eq!(case.broken_by(|h| h.height += 10_000).await, "Height");
    assert_eq!(case.broken_by(|h| h.parent_state_root = nowhere()).await, "ParentStateRoot");
    assert_eq!(case.broken_by(|h| h.parent_message_receipts = nowhere()).await, "ParentMessageReceipts");
    assert_eq!(case.broken_by(|h| h.messages = nowhere()).await, "Messages");
    assert_eq!(case.broken_by(|h| h.bls_aggregate = None).await, "BLSAggregate");
    assert_eq!(case.broken_by(|h| h.bls_aggregate.as_mut().unwrap().data[9] ^= 1).await, "BLSAggregate");
    let secp = |h: &mut BlockHeader| h.bls_aggregate = Some(Signature::secp256k1([0; 65]));
    assert_eq!(case.broken_by(secp).await, "BLSAggregate");
    assert_eq!(case.broken_by(|h| h.timestamp += 1).await, "Timestamp");
    assert_eq!(case.broken_by(|h| h.timestamp -= 1).await, "Timestamp");
    assert_eq!(case.broken_by(|h| h.block_sig = None).await, "BlockSig");
    assert_eq!(case.broken_by(|h| h.parent_base_fee += TokenAmount::from_atto(1)).await, "ParentBaseFee");
}

#[tokio::test]
async fn a_signature_of_another_block_does_not_do() {
    let case = Case::new().await;
    let mut block = case.block.clone();
    block.header.fork_signaling = 7;
    assert_eq!(case.rule_of(&block).await, "BlockSig");
    block.header.block_sig = Some(Signature::secp256k1([1; 65]));
    assert_eq!(case.rule_of(&block).await, "BlockSig");
}

#[tokio::test]
async fn an_election_that_was_not_won_is_no_proof() {
    let case = Case::new().await;
    let rbase = &case.info.randomness_base().data;
    let (height, miner) = (case.block.header.height, case.block.header.miner);
    // A real VRF proof of another epoch may win, but not here.
    let other = venus_core::consensus::vrf::election_input(height + 1, &miner).params(rbase);
    let vrf_proof = case.world.signer.draw_vrf(&case.info.worker_key, &other).await.unwrap();
    let wins = venus_core::consensus::election::win_count(
        &vrf_proof,
        &case.info.miner_power,
        &case.info.network_power,
    );
    let rule = case.broken_by(|h| {
        let proof = h.election_proof.as_mut().unwrap();
        proof.vrf_proof = vrf_proof;
        proof.win_count = wins;
    });
    assert_eq!(rule.await, "ElectionProof");
}

#[tokio::test]
async fn blocks_of_the_future_have_to_wait() {
    let world = World::new(22, 3);
    let base = world.head().await;
    for epoch in 1.. {
        for miner in world.devnet.miners() {
            let Some((template, info)) = world.template(miner, epoch, &base).await else { continue };
            let mut block = world.devnet.create_block(&template).await.unwrap();
            world.sign(&mut block, &info.worker_key).await;
            let early = world.devnet.submit_block(&block).await.unwrap_err();
            assert!(matches!(early, ChainError::Block(BlockReject::Rule { rule: "Timestamp", .. })));
            world.at(epoch);
            return world.devnet.submit_block(&block).await.unwrap();
        }
    }
}

#[tokio::test]
async fn unknown_parents_and_messages_are_not_found() {
    let case = Case::new().await;
    let mut block = case.block.clone();
    block.header.parents = vec![nowhere()];
    let result = case.world.devnet.submit_block(&block).await;
    assert!(matches!(result, Err(ChainError::Block(BlockReject::UnknownParents))), "{result:?}");
    let mut block = case.block.clone();
    block.secp_messages.push(nowhere());
    let result = case.world.devnet.submit_block(&block).await;
    assert!(matches!(result, Err(ChainError::Block(BlockReject::MissingMessage(_)))), "{result:?}");
}

#[tokio::test]
async fn messages_must_be_those_of_the_header_and_of_their_kind() {
    let case = Case::new().await;
    let mut block = case.block.clone();
    block.bls_messages.swap(0, 1);
    assert_eq!(case.rule_of(&block).await, "Messages");
    let mut block = case.block.clone();
    let moved = block.secp_messages.remove(0);
    block.bls_messages.push(moved);
    assert_eq!(case.rule_of(&block).await, "Messages");
}

#[tokio::test]
async fn nonces_of_a_block_have_no_gap() {
    let case = Case::new().await;
    let pending = case.world.devnet.pending().await.unwrap();
    let of = |from| pending.iter().filter(|m| m.message.from == from).cloned().collect::<Vec<_>>();
    let (bls, secp) = (of(case.world.bls), of(case.world.secp));
    let cases = [
        vec![bls[1].clone()],
        vec![bls[1].clone(), bls[0].clone()],
        vec![bls[0].clone(), bls[0].clone()],
        vec![bls[0].clone(), secp[1].clone()],
    ];
    for messages in cases {
        let block = case.with_messages(&messages).await;
        assert_eq!(case.rule_of(&block).await, "Nonce");
    }
    let block = case.with_messages(&[bls[0].clone(), secp[0].clone()]).await;
    case.world.devnet.submit_block(&block).await.unwrap();
}

#[tokio::test]
async fn templates_with_messages_that_no_block_takes_are_refused() {
    let case = Case::new().await;
    let world = &case.world;
    let (mut template, _) =
        world.template(case.block.header.miner, case.block.header.height, &case.base).await.unwrap();
    let good = world.devnet.pending().await.unwrap()[0].message.clone();
    let stranger = world.signer.new_bls();
    let bad = [
        Message { gas_limit: 1000, ..good.clone() },
        Message { gas_limit: 10_000_000_001, ..good.clone() },
        Message { version: 1, ..good.clone() },
        Message { value: TokenAmount::from_atto(-1), ..good.clone() },
        Message { gas_premium: &good.gas_fee_cap + TokenAmount::from_atto(1), ..good.clone() },
        Message { sequence: good.sequence + 1, ..good.clone() },
        Message { from: stranger, sequence: 0, ..good.clone() },
    ];
    for message in bad {
        template.messages = vec![world.signer.sign_message(&message).await.unwrap()];
        let result = world.devnet.create_block(&template).await;
        assert!(matches!(result, Err(ChainError::Invalid(_))), "{message:?}: {result:?}");
    }
    let mut forged = world.signer.sign_message(&good).await.unwrap();
    forged.message.value = TokenAmount::from_atto(9);
    template.messages = vec![forged];
    assert!(matches!(world.devnet.create_block(&template).await, Err(ChainError::Invalid(_))));
    let half = Message { gas_limit: 5_000_000_001, ..good.clone() };
    let second = Message { sequence: half.sequence + 1, ..half.clone() };
    template.messages = vec![
        world.signer.sign_message(&half).await.unwrap(),
        world.signer.sign_message(&second).await.unwrap(),
    ];
    let error = world.devnet.create_block(&template).await.unwrap_err();
    assert!(error.to_string().contains("GasLimit"), "{error}");
}

#[tokio::test]
async fn the_slash_filter_knows_three_faults() {
    let world = World::new(23, 1);
    let (miner, genesis) = (world.devnet.miners()[0], world.head().await);
    let slashed = async |block: &BlockMsg, witness: &BlockMsg| {
        let result = world.devnet.submit_block(block).await;
        let expected = BlockReject::SlashFilter { witness: witness.cid() };
        assert!(matches!(&result, Err(ChainError::Block(reject)) if *reject == expected), "{result:?}");
    };
    let first = won(&world, miner, 1, &genesis).await;
    world.devnet.submit_block(&first).await.unwrap();
    // Two blocks of one height.
    let mut twin = first.clone();
    twin.header.fork_signaling = 9;
    let info = world.devnet.base_info(&miner, first.header.height, genesis.key()).await.unwrap().unwrap();
    world.sign(&mut twin, &info.worker_key).await;
    slashed(&twin, &first).await;
    // Two blocks on the same parents.
    let later = won(&world, miner, first.header.height + 1, &genesis).await;
    slashed(&later, &first).await;
    world.devnet.submit_block(&first).await.unwrap();
}

#[tokio::test]
async fn leaving_out_an_own_block_is_parent_grinding() {
    let world = World::new(24, 2);
    let genesis = world.head().await;
    let (one, two) = (world.devnet.miners()[0], world.devnet.miners()[1]);
    for epoch in 1.. {
        let blocks = world.blocks(epoch, &genesis).await;
        let [own, other] = blocks.as_slice() else { continue };
        assert_eq!((own.header.miner, other.header.miner), (one, two));
        world.devnet.submit_block(own).await.unwrap();
        world.devnet.submit_block(other).await.unwrap();
        let base = Tipset::new(vec![other.header.clone()]).unwrap();
        let grinding = won(&world, one, epoch + 1, &base).await;
        let result = world.devnet.submit_block(&grinding).await;
        assert!(matches!(result, Err(ChainError::Block(BlockReject::SlashFilter { .. }))), "{result:?}");
        // The other miner may do so: its own block is among the parents.
        let honest = won(&world, two, epoch + 1, &base).await;
        world.devnet.submit_block(&honest).await.unwrap();
        return;
    }
}

/// A block of the first epoch from `epoch` on that the miner wins.
async fn won(world: &World, miner: Address, epoch: i64, base: &Tipset) -> BlockMsg {
    for epoch in epoch.. {
        if let Some((template, info)) = world.template(miner, epoch, base).await {
            world.at(epoch);
            let mut block = world.devnet.create_block(&template).await.unwrap();
            world.sign(&mut block, &info.worker_key).await;
            return block;
        }
    }
    unreachable!()
}

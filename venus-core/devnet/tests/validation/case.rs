//! A good block, and ways to spoil it.

use std::sync::Arc;

use venus_core::api::{BlockProducer, BlockReject, ChainError, SignerExt};
use venus_core::consensus::msg_meta::msg_meta_cid;
use venus_core::types::{
    Address, BlockHeader, BlockMsg, Cid, MiningBaseInfo, Signature, SignatureType, SignedMessage, Tipset,
    blake2b_cid,
};

use crate::support::World;

pub(crate) struct Case {
    pub(crate) world: World,
    pub(crate) base: Arc<Tipset>,
    /// What the base has.
    pub(crate) landed: Vec<SignedMessage>,
    pub(crate) info: MiningBaseInfo,
    /// Valid, signed, and not submitted.
    pub(crate) block: BlockMsg,
}

impl Case {
    /// A block with messages of both kinds on a base that has some, too.
    pub(crate) async fn new() -> Self {
        let world = World::new(21, 3);
        let landed = world.send(world.bls, world.secp, 2).await;
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
            return Self { world, base, landed, info, block };
        }
        unreachable!()
    }

    /// Submits the block with a change of the header, signed again, and expects the rule that it breaks.
    pub(crate) async fn breaks(&self, rule: &str, change: impl FnOnce(&mut BlockHeader)) {
        let mut block = self.block.clone();
        change(&mut block.header);
        if block.header.block_sig.is_some() {
            self.world.sign(&mut block, &self.info.worker_key).await;
        }
        assert_eq!(self.rule_of(&block).await, rule);
    }

    /// Breaks one rule, and goes on.
    pub(crate) async fn only_breaks(rule: &str, change: impl FnOnce(&mut BlockHeader)) {
        let case = Self::new().await;
        case.breaks(rule, change).await;
        case.goes_on().await;
    }

    pub(crate) async fn rule_of(&self, block: &BlockMsg) -> &'static str {
        match self.reject_of(block).await {
            BlockReject::Rule { rule, .. } => rule,
            other => panic!("expected a broken rule, got {other:?}"),
        }
    }

    pub(crate) async fn reject_of(&self, block: &BlockMsg) -> BlockReject {
        let (head, stats) = (self.world.head().await, self.world.devnet.stats());
        let result = self.world.devnet.submit_block(block).await;
        assert_eq!(self.world.head().await, head, "a refused block changes nothing");
        assert_eq!(self.world.devnet.stats(), stats);
        match result {
            Err(ChainError::Block(reject)) => reject,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    /// The good block is still taken, and the chain grows on it.
    pub(crate) async fn goes_on(self) {
        self.world.devnet.submit_block(&self.block).await.unwrap();
        let head = self.world.head().await;
        assert!(head.cids().contains(&self.block.cid()));
        self.world.extend().await;
        self.world.extend().await;
        self.world.devnet.check_supply().unwrap();
    }

    /// The block with other messages, complete and signed, though nobody would assemble it.
    pub(crate) async fn with_messages(&self, messages: &[SignedMessage]) -> BlockMsg {
        let mut block = self.block.clone();
        carry(&mut block, messages);
        self.world.sign(&mut block, &self.info.worker_key).await;
        block
    }
}

/// Makes a block carry other messages; its signature has to be made again.
pub(crate) fn carry(block: &mut BlockMsg, messages: &[SignedMessage]) {
    let (bls, secp): (Vec<_>, Vec<_>) =
        messages.iter().partition(|m| m.signature.sig_type == SignatureType::Bls);
    block.bls_messages = bls.iter().map(|m| m.cid()).collect();
    block.secp_messages = secp.iter().map(|m| m.cid()).collect();
    block.header.messages = msg_meta_cid(&block.bls_messages, &block.secp_messages);
    let signatures: Vec<_> = bls.iter().map(|m| m.signature.data.clone()).collect();
    let sum = venus_core::crypto::bls::aggregate(&signatures).unwrap();
    block.header.bls_aggregate = Some(Signature::bls(sum));
}

/// A block of the first epoch from `epoch` on that the miner wins.
pub(crate) async fn won(world: &World, miner: Address, epoch: i64, base: &Tipset) -> BlockMsg {
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

/// The VRF proof of the block's worker over another draw.
pub(crate) async fn vrf(case: &Case, input: venus_core::consensus::vrf::VrfInput) -> Vec<u8> {
    let draw = input.params(&case.info.randomness_base().data);
    case.world.signer.draw_vrf(&case.info.worker_key, &draw).await.unwrap()
}

pub(crate) fn nowhere() -> Cid {
    blake2b_cid(b"nowhere")
}

//! Making blocks.

use std::sync::Arc;

use async_trait::async_trait;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use venus_core::api::{BlockProducer, BlockReject, ChainError};
use venus_core::consensus::msg_meta::msg_meta_cid;
use venus_core::crypto::bls;
use venus_core::types::{
    BlockHeader, BlockMsg, BlockTemplate, Cid, MiningBaseInfo, Signature, SignedMessage, Tipset, TipsetKey,
};

use crate::chain::ChildFacts;
use crate::chain::validate::check_messages;
use crate::message::Verified;
use crate::mpool::Candidates;
use crate::node::{Devnet, Inner};

/// Marks blocks of the Venus stack.
const FORK_SIGNALING: u64 = 1;

#[async_trait]
impl BlockProducer for Devnet {
    async fn base_info(
        &self,
        miner: &Address,
        epoch: ChainEpoch,
        base: &TipsetKey,
    ) -> Result<Option<MiningBaseInfo>, ChainError> {
        let core = self.inner.read();
        let base = core.chain.tipset(base)?;
        core.chain.base_info(miner, epoch, &base)
    }

    /// The block of the best ticket chooses first, see the module of selection; a list for which nothing is left stays
    /// empty. For at most 100 tickets at once.
    async fn select_messages(
        &self,
        base: &TipsetKey,
        ticket_qualities: &[f64],
    ) -> Result<Vec<Vec<SignedMessage>>, ChainError> {
        let candidates = {
            let core = self.inner.read();
            let base = core.chain.tipset(base)?;
            Candidates::gather(&core.chain, &core.pool, &base)?
        };
        let lists = candidates.select(ticket_qualities)?;
        Ok(lists.iter().map(|list| list.iter().map(|m| m.signed.clone()).collect()).collect())
    }

    async fn create_block(&self, template: &BlockTemplate) -> Result<BlockMsg, ChainError> {
        if template.messages.is_empty() {
            return self.inner.assemble(template);
        }
        let template = template.clone();
        self.off_thread(move |inner| inner.assemble(&template)).await
    }

    /// Validates the block completely before it returns. If the caller stops waiting, the block may still be taken.
    async fn submit_block(&self, block: &BlockMsg) -> Result<(), ChainError> {
        let block = block.clone();
        self.off_thread(move |inner| inner.submit(&block)).await
    }
}

impl Inner {
    fn assemble(&self, template: &BlockTemplate) -> Result<BlockMsg, ChainError> {
        let (base, facts, known) = {
            let core = self.read();
            let base = non_empty(&template.parents).and_then(|key| core.chain.tipset(key))?;
            let facts = core.chain.child_facts(&base)?;
            let known = template.messages.iter().map(|m| {
                let cid = m.cid();
                let known = core.chain.messages.get_exact(&cid).or_else(|| core.pool.get(&cid));
                known.filter(|known| known.signed == *m).cloned()
            });
            let known: Vec<Option<Arc<Verified>>> = known.collect();
            (base, facts, known)
        };
        let messages = template.messages.iter().zip(known).map(|(message, known)| match known {
            Some(known) => Ok(known),
            None => self.verified(message, &facts),
        });
        let messages = messages.collect::<Result<Vec<_>, _>>()?;
        let (bls, secp): (Vec<_>, Vec<_>) = messages.into_iter().partition(|m| m.is_bls());
        let ordered: Vec<Arc<Verified>> = bls.iter().chain(&secp).cloned().collect();
        check_messages(&facts.executed.state, &ordered).map_err(as_invalid)?;
        let block = block(template, &base, &facts, &bls, &secp)?;
        if !ordered.is_empty() {
            let mut core = self.write();
            ordered.iter().for_each(|message| core.chain.messages.remember(message));
            core.chain.aggregates.keep(&block.header);
        }
        Ok(block)
    }

    fn verified(&self, signed: &SignedMessage, facts: &ChildFacts) -> Result<Arc<Verified>, ChainError> {
        let from = &signed.message.from;
        let sender = facts.executed.state.sender_key(from).ok_or(ChainError::ActorNotFound(*from))?;
        let chain_id = self.info.network.eip155_chain_id;
        let verified = Verified::check(signed.clone(), sender, chain_id);
        verified.map(Arc::new).map_err(|e| ChainError::Invalid(format!("message {}: {e}", signed.cid())))
    }
}

/// Blocks name their parents, so the head by its short name will not do.
fn non_empty(parents: &TipsetKey) -> Result<&TipsetKey, ChainError> {
    if parents.is_empty() {
        return Err(ChainError::TipsetNotFound(parents.to_string()));
    }
    Ok(parents)
}

fn as_invalid(reject: BlockReject) -> ChainError {
    ChainError::Invalid(reject.to_string())
}

fn block(
    template: &BlockTemplate,
    base: &Tipset,
    facts: &ChildFacts,
    bls: &[Arc<Verified>],
    secp: &[Arc<Verified>],
) -> Result<BlockMsg, ChainError> {
    let cids = |messages: &[Arc<Verified>]| messages.iter().map(|m| m.cid).collect::<Vec<Cid>>();
    let signatures: Vec<&[u8]> = bls.iter().map(|m| m.signed.signature.data.as_slice()).collect();
    let aggregate = bls::aggregate(&signatures).map_err(|e| ChainError::Invalid(e.to_string()))?;
    let (bls_messages, secp_messages) = (cids(bls), cids(secp));
    let header = BlockHeader {
        miner: template.miner,
        ticket: Some(template.ticket.clone()),
        election_proof: Some(template.election_proof.clone()),
        beacon_entries: template.beacon_values.clone(),
        win_post_proof: template.winning_post_proof.clone(),
        parents: base.cids().to_vec(),
        parent_weight: facts.weight.clone(),
        height: template.epoch,
        parent_state_root: facts.executed.root,
        parent_message_receipts: facts.executed.receipts_root,
        messages: msg_meta_cid(&bls_messages, &secp_messages),
        bls_aggregate: Some(Signature::bls(aggregate)),
        timestamp: template.timestamp,
        block_sig: None,
        fork_signaling: FORK_SIGNALING,
        parent_base_fee: facts.executed.next_base_fee.clone(),
    };
    Ok(BlockMsg { header, bls_messages, secp_messages })
}

//! Block headers made here, for nodes that sign whatever they make and do not have the key.

use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use num_bigint::BigInt;

use super::super::fault::Fault;
use super::super::wire::NONE;
use super::super::{Flavour, RpcNode};
use crate::api::{ChainError, ChainReader};
use crate::cbor::Encode;
use crate::consensus::amt::amt_v0_root;
use crate::consensus::base_fee::{next_base_fee_premium, next_base_fee_utilization};
use crate::consensus::msg_meta::msg_meta_cid;
use crate::crypto::bls;
use crate::json::Json;
use crate::types::{
    BlockHeader, BlockMsg, BlockTemplate, ComputeStateOutput, MessageExt, Signature, SignatureType,
    SignedMessage, Tipset,
};

/// Implicit messages of the protocol come from it.
const SYSTEM: Address = Address::new_id(0);
/// From this network version on the base fee follows premiums (FIP-0115).
const FIRE_HORSE: u32 = 28;

impl<F: Flavour> RpcNode<F> {
    /// The block of a template, unsigned, from what the node knows of the parents.
    pub(super) async fn own_block(&self, template: &BlockTemplate) -> Result<BlockMsg, ChainError> {
        let parents = self.tipset(&template.parents).await?;
        if template.parents.is_empty() {
            return Err(ChainError::TipsetNotFound(template.parents.to_string()));
        }
        for signed in &template.messages {
            signed.message.check_for_block(0).map_err(|e| ChainError::Invalid(e.to_string()))?;
        }
        let (root, receipts) = self.executed(&parents).await?;
        let (weight, base_fee) = (self.weight(&parents).await?, self.next_base_fee(&parents).await?);
        let is_bls = |m: &&SignedMessage| m.signature.sig_type == SignatureType::Bls;
        let (bls, secp): (Vec<_>, Vec<_>) = template.messages.iter().partition(is_bls);
        let signatures: Vec<&[u8]> = bls.iter().map(|m| m.signature.data.as_slice()).collect();
        let aggregate = bls::aggregate(&signatures).map_err(|e| ChainError::Invalid(e.to_string()))?;
        let cids = |messages: &[&SignedMessage]| messages.iter().map(|m| m.cid()).collect::<Vec<Cid>>();
        let (bls_messages, secp_messages) = (cids(&bls), cids(&secp));
        let header = BlockHeader {
            miner: template.miner,
            ticket: Some(template.ticket.clone()),
            election_proof: Some(template.election_proof.clone()),
            beacon_entries: template.beacon_values.clone(),
            win_post_proof: template.winning_post_proof.clone(),
            parents: template.parents.cids().to_vec(),
            parent_weight: weight,
            height: template.epoch,
            parent_state_root: root,
            parent_message_receipts: receipts,
            messages: msg_meta_cid(&bls_messages, &secp_messages),
            bls_aggregate: Some(Signature::bls(aggregate)),
            timestamp: template.timestamp,
            block_sig: None,
            fork_signaling: 0,
            parent_base_fee: base_fee,
        };
        Ok(BlockMsg { header, bls_messages, secp_messages })
    }

    /// State root and receipts root after the messages of a tipset.
    async fn executed(&self, tipset: &Tipset) -> Result<(Cid, Cid), ChainError> {
        let params = (tipset.height(), NONE, tipset.key());
        let answer = self.wire().pinned("Filecoin.StateCompute", &params).await;
        let computed: ComputeStateOutput = answer.map_err(|fault: Fault| fault.at(tipset.key()))?;
        let messages = self.tipset_messages(tipset.key()).await?;
        let traced: Vec<_> = computed.trace.into_iter().filter(|trace| trace.msg.from != SYSTEM).collect();
        let alike = traced.len() == messages.len()
            && traced.iter().zip(&messages).all(|(trace, (_, message))| trace.msg.cid() == message.cid());
        let odd = || ChainError::Corrupt(format!("the trace of {} has other messages", tipset.key()));
        if !alike {
            return Err(odd());
        }
        let receipts = traced.iter().map(|trace| trace.msg_rct.as_ref().map(Encode::to_cbor).ok_or_else(odd));
        Ok((computed.root, amt_v0_root(&receipts.collect::<Result<Vec<_>, _>>()?)))
    }

    async fn weight(&self, tipset: &Tipset) -> Result<BigInt, ChainError> {
        let answer = self.wire().pinned("Filecoin.ChainTipSetWeight", &(tipset.key(),)).await;
        answer.map(|Json(weight)| weight).map_err(|fault: Fault| fault.at(tipset.key()))
    }

    async fn next_base_fee(&self, tipset: &Tipset) -> Result<TokenAmount, ChainError> {
        let version = self.wire().pinned("Filecoin.StateNetworkVersion", &(tipset.key(),)).await;
        let Json(version): Json<u32> = version.map_err(|fault: Fault| fault.at(tipset.key()))?;
        let base = &tipset.min_ticket_block().parent_base_fee;
        if version < FIRE_HORSE {
            let messages = self.tipset_messages(tipset.key()).await?;
            let limits = messages.iter().map(|(_, m)| m.gas_limit);
            return Ok(next_base_fee_utilization(base, limits, tipset.cids().len()));
        }
        let mut messages: Vec<Message> = Vec::new();
        for block in tipset.cids() {
            messages.extend(self.block_messages(block).await?.iter().map(|(_, m)| m.clone()));
        }
        Ok(next_base_fee_premium(base, &messages))
    }
}

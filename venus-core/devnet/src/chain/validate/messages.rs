//! Rules of a block's messages.

use std::collections::HashMap;
use std::sync::Arc;

use cid::Cid;
use fvm_shared::ActorID;
use venus_core::api::BlockReject;
use venus_core::consensus::base_fee::BLOCK_GAS_LIMIT;
use venus_core::consensus::msg_meta::msg_meta_cid;
use venus_core::types::{BlockMsg, MessageError, MessageExt};

use super::rule;
use crate::message::Verified;
use crate::state::StateTree;
use crate::vm::{inclusion_gas, may_send};

/// Most messages of a block.
pub(crate) const MESSAGE_LIMIT: usize = 10_000;
/// Most messages of one of its two lists, because encoded lists cannot be longer.
pub(crate) const LIST_LIMIT: usize = 8_192;

/// Lists that are too long are not even looked up.
pub(crate) fn check_list_sizes(block: &BlockMsg) -> Result<(), BlockReject> {
    let (bls, secp) = (block.bls_messages.len(), block.secp_messages.len());
    let all = bls.saturating_add(secp);
    if bls > LIST_LIMIT || secp > LIST_LIMIT || all > MESSAGE_LIMIT {
        return rule("Messages", format!("{all} are too many"));
    }
    Ok(())
}

/// The lists are what the header commits to, and each message stands in the list of its kind.
pub(crate) fn check_lists(block: &BlockMsg, messages: &[Arc<Verified>]) -> Result<(), BlockReject> {
    let (bls, secp) = (&block.bls_messages, &block.secp_messages);
    let kinds = bls.iter().map(|_| true).chain(secp.iter().map(|_| false));
    if let Some((_, message)) = kinds.zip(messages).find(|(is_bls, m)| *is_bls != m.is_bls()) {
        return rule("Messages", format!("{} stands in the list of the other kind", message.cid));
    }
    let root = msg_meta_cid(bls, secp);
    if block.header.messages != root {
        return rule("Messages", format!("provided messages did not match block, they have the root {root}"));
    }
    Ok(())
}

/// Every message may stand in a block on this state, and so may all together.
pub(crate) fn check_messages(state: &StateTree, messages: &[Arc<Verified>]) -> Result<(), BlockReject> {
    let mut nonces = HashMap::new();
    let mut gas = 0u64;
    for message in messages {
        check_message(message)?;
        check_nonce(state, &mut nonces, message)?;
        gas = gas.saturating_add(message.signed.message.gas_limit);
    }
    if gas > BLOCK_GAS_LIMIT {
        return rule("GasLimit", format!("messages ask for {gas} in all, a block has {BLOCK_GAS_LIMIT}"));
    }
    Ok(())
}

fn check_message(message: &Verified) -> Result<(), BlockReject> {
    let minimum = inclusion_gas(message.chain_len);
    message.signed.message.check_for_block(minimum).or_else(|e| match e {
        MessageError::Field { field, reason } => rule(field, about(&message.cid, reason)),
        other => rule("Messages", about(&message.cid, &other.to_string())),
    })
}

fn check_nonce(
    state: &StateTree,
    nonces: &mut HashMap<ActorID, u64>,
    message: &Verified,
) -> Result<(), BlockReject> {
    let sender = state.find(&message.signed.message.from).filter(|(_, actor)| may_send(actor));
    let Some((id, actor)) = sender else {
        return rule("From", about(&message.cid, "comes from no account"));
    };
    // An ID that a fork gave to another account: the signature is right, but not here.
    if state.sender_key(&message.signed.message.from) != Some(message.sender) {
        return rule("From", about(&message.cid, "was signed with a key that is not its sender's"));
    }
    let next = nonces.entry(id).or_insert(actor.nonce);
    if message.nonce() != *next {
        let reason = format!("has the nonce {}, expected {next}", message.nonce());
        return rule("Nonce", about(&message.cid, &reason));
    }
    *next += 1;
    Ok(())
}

fn about(message: &Cid, reason: &str) -> String {
    format!("message {message} {reason}")
}

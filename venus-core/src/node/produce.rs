//! Making blocks with a node.

mod header;

use std::collections::HashSet;

use async_trait::async_trait;
use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;

use super::fault::Fault;
use super::{Flavour, List, RpcNode, list};
use crate::api::{BlockProducer, BlockReject, ChainError};
use crate::consensus::msg_meta::msg_meta_cid;
use crate::json::{Json, JsonRef};
use crate::rpc::CallError;
use crate::types::{BlockMsg, BlockTemplate, MiningBaseInfo, SignedMessage, TipsetKey};

const SELECT: &str = "Filecoin.MpoolSelect";
const SELECT_MANY: &str = "Filecoin.MpoolSelects";
const CREATE: &str = "Filecoin.MinerCreateBlock";
/// What a node says that signs blocks itself and does not have the key.
const NO_KEY: [&str; 4] = ["failed to sign", "signing failed", "key not found", "no such key"];

#[async_trait]
impl<F: Flavour> BlockProducer for RpcNode<F> {
    async fn base_info(
        &self,
        miner: &Address,
        epoch: ChainEpoch,
        base: &TipsetKey,
    ) -> Result<Option<MiningBaseInfo>, ChainError> {
        let base = self.named(base).await?;
        let answer = self.wire().pinned("Filecoin.MinerGetBaseInfo", &(JsonRef(miner), epoch, &base)).await;
        match answer {
            Ok(info) => Ok(info),
            // Who does not exist has no power.
            Err(fault) if fault.no_actor() => Ok(None),
            Err(fault) => Err(fault.at(&base)),
        }
    }

    async fn select_messages(
        &self,
        base: &TipsetKey,
        ticket_qualities: &[f64],
    ) -> Result<Vec<Vec<SignedMessage>>, ChainError> {
        if ticket_qualities.is_empty() {
            return Ok(Vec::new());
        }
        if ticket_qualities.iter().any(|quality| !quality.is_finite()) {
            return Err(ChainError::Invalid("a ticket quality is no number".into()));
        }
        let base = self.named(base).await?;
        let answer: Result<List<Option<Vec<SignedMessage>>>, _> =
            self.wire().read(SELECT_MANY, &(&base, ticket_qualities)).await;
        let lists = match answer {
            Ok(lists) => list(lists).into_iter().map(Option::unwrap_or_default).collect(),
            Err(fault) if fault.is_missing() => self.select_each(&base, ticket_qualities).await?,
            Err(fault) => return Err(fault.at(&base)),
        };
        Ok(dealt(lists, ticket_qualities.len()))
    }

    /// Venus leaves the block unsigned, unless it has the worker's key. Lotus signs always: with its own key, or at the
    /// remote wallet that it was told of. If it has neither, the header is computed here, which takes the node an
    /// execution of the parents with traces: seconds on a large network.
    async fn create_block(&self, template: &BlockTemplate) -> Result<BlockMsg, ChainError> {
        let block = match self.wire().read(CREATE, &(template,)).await {
            Ok(block) => block,
            Err(fault) if fault.is_missing() || fault.says(&NO_KEY) => self.own_block(template).await?,
            Err(fault) if fault.says(&["not valid for block inclusion", "invalid message"]) => {
                return Err(ChainError::Invalid(fault.plain().to_string()));
            }
            Err(fault) => return Err(fault.at(&template.parents)),
        };
        check(template, &block)?;
        Ok(block)
    }

    /// Lotus validates the block before it answers. Venus answers at once and drops an invalid one without a word.
    async fn submit_block(&self, block: &BlockMsg) -> Result<(), ChainError> {
        let answer: Result<Option<bool>, _> = self.wire().read("Filecoin.SyncSubmitBlock", &(block,)).await;
        answer.map(drop).map_err(of_submission)
    }
}

impl<F: Flavour> RpcNode<F> {
    /// One question for each ticket. The first must be answered; for want of another a block has fewer messages.
    async fn select_each(
        &self,
        base: &TipsetKey,
        qualities: &[f64],
    ) -> Result<Vec<Vec<SignedMessage>>, ChainError> {
        let mut lists = Vec::with_capacity(qualities.len());
        for quality in qualities {
            let answer: Result<List<SignedMessage>, Fault> =
                self.wire().read(SELECT, &(base, Json(*quality))).await;
            match answer {
                Ok(messages) => lists.push(list(messages)),
                Err(fault) if lists.is_empty() => return Err(fault.at(base)),
                Err(fault) => {
                    tracing::warn!(error = %fault.error, "no messages for a further block");
                    lists.push(Vec::new());
                }
            }
        }
        Ok(lists)
    }
}

/// The lists without senders that an earlier list has: nodes select for each ticket alone, or fill an empty list
/// with a copy of the first.
fn dealt(lists: Vec<Vec<SignedMessage>>, tickets: usize) -> Vec<Vec<SignedMessage>> {
    let mut taken = HashSet::new();
    let mut dealt: Vec<Vec<_>> = Vec::with_capacity(tickets);
    for messages in lists.into_iter().take(tickets) {
        let own: Vec<_> = messages.into_iter().filter(|m| !taken.contains(&m.message.from)).collect();
        taken.extend(own.iter().map(|m| m.message.from));
        dealt.push(own);
    }
    dealt.resize(tickets, Vec::new());
    dealt
}

/// Signing something else than was asked for may be a fault that costs the miner: look before.
fn check(template: &BlockTemplate, block: &BlockMsg) -> Result<(), ChainError> {
    let header = &block.header;
    let known: HashSet<Cid> = template.messages.iter().map(SignedMessage::cid).collect();
    let listed: Vec<_> = block.bls_messages.iter().chain(&block.secp_messages).collect();
    let rules = [
        ("Miner", header.miner == template.miner),
        ("Height", header.height == template.epoch),
        ("Timestamp", header.timestamp == template.timestamp),
        ("Parents", header.parents == template.parents.cids()),
        ("Ticket", header.ticket.as_ref() == Some(&template.ticket)),
        ("ElectionProof", header.election_proof.as_ref() == Some(&template.election_proof)),
        ("BeaconEntries", header.beacon_entries == template.beacon_values),
        ("WinPoStProof", header.win_post_proof == template.winning_post_proof),
        ("Messages", header.messages == msg_meta_cid(&block.bls_messages, &block.secp_messages)),
        ("Messages", listed.len() == known.len() && listed.iter().all(|cid| known.contains(cid))),
    ];
    match rules.iter().find(|(_, holds)| !holds) {
        Some((field, _)) => {
            Err(ChainError::Corrupt(format!("the node's block differs from the template in {field}")))
        }
        None => Ok(()),
    }
}

fn of_submission(fault: Fault) -> ChainError {
    if fault.says(&["loading parent block", "load parent", "parent tipset"]) {
        return BlockReject::UnknownParents.into();
    }
    if fault.says(&["failed to load bls message", "failed to load secp", "loading message"])
        && let CallError::Rpc(error) = &fault.error
    {
        let words = error.message.split(|c: char| !c.is_ascii_alphanumeric());
        if let Some(cid) = words.filter_map(|word| word.parse().ok()).next_back() {
            return BlockReject::MissingMessage(cid).into();
        }
    }
    fault.plain()
}

//! What a scripted chain stores, and how it executes messages.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cid::Cid;
use fvm_shared::address::{Address, Payload};
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use fvm_shared::message::Message;
use num_bigint::BigInt;

use crate::api::{ActorInfo, ChainError};
use crate::cbor::{Encode, Writer};
use crate::consensus::{amt, base_fee, msg_meta, weight};
use crate::crypto::bls;
use crate::types::{
    BlockHeader, BlockMessages, BlockMsg, BlockTemplate, MessageExt, Receipt, Signature, SignatureType,
    SignedMessage, Tipset, TipsetKey, blake2b_cid,
};

/// ID of the first account; the next ones follow.
const FIRST_ACCOUNT: u64 = 100;
/// Quality-adjusted power of the whole network, bytes.
pub(super) const NETWORK_POWER: u64 = 1 << 20;
/// Gas that every message uses, whatever it does.
pub(super) const GAS_USED: i64 = 500_000;

#[derive(Clone, Debug)]
struct Account {
    key: Address,
    nonce: u64,
    balance: TokenAmount,
}

/// All accounts; the index is the ID less [`FIRST_ACCOUNT`].
#[derive(Clone, Debug, Default)]
pub(super) struct Accounts(Vec<Account>);

impl Accounts {
    pub(super) fn add(&mut self, key: Address, balance: TokenAmount) {
        self.0.push(Account { key, nonce: 0, balance });
    }

    fn index(&self, address: &Address) -> Option<usize> {
        match address.payload() {
            Payload::ID(id) => {
                usize::try_from(id.checked_sub(FIRST_ACCOUNT)?).ok().filter(|i| *i < self.0.len())
            }
            _ => self.0.iter().position(|account| account.key == *address),
        }
    }

    pub(super) fn id(&self, address: &Address) -> Option<Address> {
        self.index(address).map(|i| Address::new_id(FIRST_ACCOUNT + i as u64))
    }

    pub(super) fn key(&self, address: &Address) -> Option<Address> {
        self.0.get(self.index(address)?).map(|account| account.key)
    }

    pub(super) fn actor(&self, address: &Address) -> Option<ActorInfo> {
        let account = self.0.get(self.index(address)?)?;
        let delegated = matches!(account.key.payload(), Payload::Delegated(_)).then_some(account.key);
        Some(ActorInfo {
            code: blake2b_cid(b"scripted account"),
            head: blake2b_cid(&account.key.to_bytes()),
            nonce: account.nonce,
            balance: account.balance.clone(),
            delegated_address: delegated,
        })
    }

    /// Nonces count and value moves; gas is free.
    fn execute(&mut self, message: &Message) -> ExitCode {
        let Some(from) = self.index(&message.from) else { return ExitCode::SYS_SENDER_INVALID };
        let Some(sender) = self.0.get_mut(from).filter(|a| a.nonce == message.sequence) else {
            return ExitCode::SYS_SENDER_STATE_INVALID;
        };
        sender.nonce += 1;
        if message.value.is_negative() || message.value > sender.balance {
            return ExitCode::SYS_INSUFFICIENT_FUNDS;
        }
        if self.index(&message.to).is_none() {
            if matches!(message.to.payload(), Payload::ID(_) | Payload::Actor(_)) {
                return ExitCode::SYS_INVALID_RECEIVER;
            }
            self.add(message.to, TokenAmount::default());
        }
        if let Some(sender) = self.0.get_mut(from) {
            sender.balance -= &message.value;
        }
        if let Some(receiver) = self.index(&message.to).and_then(|i| self.0.get_mut(i)) {
            receiver.balance += &message.value;
        }
        ExitCode::OK
    }

    fn root(&self) -> Cid {
        let mut w = Writer::new();
        w.array(self.0.len() as u64);
        for account in &self.0 {
            w.array(3);
            account.key.encode(&mut w);
            w.uint(account.nonce);
            account.balance.encode(&mut w);
        }
        blake2b_cid(w.as_slice())
    }
}

/// A tipset and what its messages did.
#[derive(Debug)]
pub(super) struct Executed {
    pub(super) tipset: Arc<Tipset>,
    pub(super) messages: Vec<(Cid, Message)>,
    pub(super) receipts: Vec<Receipt>,
    pub(super) before: Arc<Accounts>,
    pub(super) after: Arc<Accounts>,
    /// What children name as their parents' weight.
    pub(super) weight: BigInt,
    /// What children name as their parents' base fee.
    pub(super) next_base_fee: TokenAmount,
}

/// Everything that is stored.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    genesis_accounts: Arc<Accounts>,
    pub(super) blocks: HashMap<Cid, (BlockHeader, BlockMessages)>,
    pub(super) messages: HashMap<Cid, Message>,
    pub(super) exit_codes: HashMap<Cid, ExitCode>,
    executed: HashMap<TipsetKey, Arc<Executed>>,
}

impl Ledger {
    pub(super) fn new(genesis: Accounts) -> Self {
        Self { genesis_accounts: Arc::new(genesis), ..Self::default() }
    }

    /// The tipset of any blocks that are stored and belong together, executed.
    pub(super) fn executed(&mut self, key: &TipsetKey) -> Result<Arc<Executed>, ChainError> {
        if let Some(executed) = self.executed.get(key) {
            return Ok(executed.clone());
        }
        let not_found = || ChainError::TipsetNotFound(key.to_string());
        let headers: Option<Vec<_>> =
            key.cids().iter().map(|cid| self.blocks.get(cid).map(|(header, _)| header.clone())).collect();
        let tipset = Tipset::new(headers.ok_or_else(not_found)?).map_err(|_| not_found())?;
        if tipset.key() != key {
            return Err(not_found());
        }
        let executed = Arc::new(self.execute(tipset)?);
        self.executed.insert(key.clone(), executed.clone());
        Ok(executed)
    }

    fn execute(&mut self, tipset: Tipset) -> Result<Executed, ChainError> {
        let before = match tipset.height() {
            0 => self.genesis_accounts.clone(),
            _ => self.executed(&tipset.parents())?.after.clone(),
        };
        let messages = self.messages_of(&tipset);
        let mut after = (*before).clone();
        let receipts = messages.iter().map(|(cid, m)| {
            let exit_code = after.execute(m);
            let exit_code = self.exit_codes.get(cid).copied().unwrap_or(exit_code);
            Receipt::new(exit_code, Vec::new(), GAS_USED)
        });
        let receipts = receipts.collect();
        let wins = tipset.blocks().iter().filter_map(|b| b.election_proof.as_ref()).map(|e| e.win_count);
        let weight = weight::weight(tipset.parent_weight(), &NETWORK_POWER.into(), wins)
            .map_err(|e| ChainError::Corrupt(e.to_string()))?;
        let base_fee = &tipset.min_ticket_block().parent_base_fee;
        let next_base_fee = base_fee::next_base_fee_premium(base_fee, messages.iter().map(|(_, m)| m));
        let (tipset, after) = (Arc::new(tipset), Arc::new(after));
        Ok(Executed { tipset, messages, receipts, before, after, weight, next_base_fee })
    }

    fn messages_of(&self, tipset: &Tipset) -> Vec<(Cid, Message)> {
        let mut seen = HashSet::new();
        let blocks = tipset.cids().iter().filter_map(|cid| self.blocks.get(cid));
        blocks
            .flat_map(|(_, messages)| messages.iter())
            .filter(|(cid, _)| seen.insert(*cid))
            .map(|(cid, m)| (cid, m.clone()))
            .collect()
    }

    /// A block without signature.
    pub(super) fn assemble(
        &mut self,
        template: &BlockTemplate,
    ) -> Result<(BlockMsg, BlockMessages), ChainError> {
        let parents = self.executed(&template.parents)?;
        if template.epoch <= parents.tipset.height() {
            return Err(ChainError::Invalid("epoch is not above the parents".into()));
        }
        let (messages, bls_aggregate) = split(&template.messages)?;
        let bls_messages: Vec<Cid> = messages.bls.iter().map(MessageExt::cid).collect();
        let secp_messages: Vec<Cid> = messages.secp.iter().map(SignedMessage::cid).collect();
        let receipts: Vec<_> = parents.receipts.iter().map(Encode::to_cbor).collect();
        let header = BlockHeader {
            miner: template.miner,
            ticket: Some(template.ticket.clone()),
            election_proof: Some(template.election_proof.clone()),
            beacon_entries: template.beacon_values.clone(),
            win_post_proof: template.winning_post_proof.clone(),
            parents: template.parents.cids().to_vec(),
            parent_weight: parents.weight.clone(),
            height: template.epoch,
            parent_state_root: parents.after.root(),
            parent_message_receipts: amt::amt_v0_root(&receipts),
            messages: msg_meta::msg_meta_cid(&bls_messages, &secp_messages),
            bls_aggregate: Some(bls_aggregate),
            timestamp: template.timestamp,
            block_sig: None,
            fork_signaling: 0,
            parent_base_fee: parents.next_base_fee.clone(),
        };
        Ok((BlockMsg { header, bls_messages, secp_messages }, messages))
    }

    /// The first block, without parents and messages.
    pub(super) fn genesis(&self, timestamp: u64) -> BlockHeader {
        BlockHeader {
            miner: Address::new_id(0),
            ticket: Some(crate::types::Ticket { vrf_proof: vec![0; 32] }),
            election_proof: None,
            beacon_entries: vec![crate::consensus::beacon::mock_genesis_entry()],
            win_post_proof: Vec::new(),
            parents: Vec::new(),
            parent_weight: BigInt::ZERO,
            height: 0,
            parent_state_root: self.genesis_accounts.root(),
            parent_message_receipts: amt::amt_v0_root::<Vec<u8>>(&[]),
            messages: msg_meta::msg_meta_cid(&[], &[]),
            bls_aggregate: None,
            timestamp,
            block_sig: None,
            fork_signaling: 0,
            parent_base_fee: TokenAmount::from_atto(base_fee::MINIMUM_BASE_FEE),
        }
    }

    pub(super) fn store(&mut self, header: BlockHeader, messages: BlockMessages) {
        for (cid, message) in messages.iter() {
            self.messages.insert(cid, message.clone());
            self.messages.insert(message.cid(), message.clone());
        }
        self.blocks.insert(header.cid(), (header, messages));
    }
}

fn split(messages: &[SignedMessage]) -> Result<(BlockMessages, Signature), ChainError> {
    let mut split = BlockMessages::default();
    let mut signatures = Vec::new();
    for signed in messages {
        if signed.signature.sig_type == SignatureType::Bls {
            split.bls.push(signed.message.clone());
            signatures.push(signed.signature.data.as_slice());
        } else {
            split.secp.push(signed.clone());
        }
    }
    let aggregate = bls::aggregate(&signatures).map_err(|e| ChainError::Invalid(e.to_string()))?;
    Ok((split, Signature::bls(aggregate)))
}

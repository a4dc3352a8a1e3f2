//! A mempool on a scripted chain.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use fvm_shared::message::Message;

use super::ledger::GAS_USED;
use super::{ScriptedChain, lock};
use crate::api::{
    ActorInfo, ChainError, ChainReader, GasEstimator, GasSpec, MessagePool, PoolReject, SearchOptions,
    StateReader,
};
use crate::crypto;
use crate::types::{MessageExt, SignedMessage, TipsetKey};

/// Premium that is estimated, attoFIL a unit of gas.
const PREMIUM: u64 = 100_000;
/// What the estimated fee cap leaves for the base fee, attoFIL a unit of gas.
const BASE_FEE_ROOM: u64 = 1_000;
/// How far a nonce may be ahead of the next one.
const MAX_NONCE_GAP: u64 = 4;

/// A mempool that checks signatures, nonces, funds and replacement as nodes do, and estimates fixed gas: limit
/// 500000 times the factor, premium 100000 attoFIL times the factor, fee cap 1000 attoFIL above the premium.
///
/// Messages wait until their nonce is used on the chain, and wait again after a reorg took them back. Clones
/// share the pool.
#[derive(Clone, Debug)]
pub struct MemoryPool {
    chain: ScriptedChain,
    messages: Arc<Mutex<Messages>>,
}

/// By key address and nonce, landed ones included.
type Messages = BTreeMap<(Vec<u8>, u64), SignedMessage>;

impl MemoryPool {
    /// An empty pool.
    pub fn new(chain: ScriptedChain) -> Self {
        Self { chain, messages: Arc::default() }
    }

    async fn sender(&self, address: &Address) -> Result<(Vec<u8>, ActorInfo), ChainError> {
        let actor = self.chain.actor(address, &TipsetKey::default()).await?;
        let actor = actor.ok_or(ChainError::ActorNotFound(*address))?;
        let key = self.chain.account_key(address, &TipsetKey::default()).await?;
        Ok((key.to_bytes(), actor))
    }

    async fn check(&self, signed: &SignedMessage) -> Result<(), ChainError> {
        let message = &signed.message;
        signed.check_size().map_err(|_| PoolReject::TooBig)?;
        message.check_for_block(0).map_err(|e| PoolReject::Invalid(e.to_string()))?;
        // As in Lotus, a sender that does not exist is one without funds.
        let key = self.chain.account_key(&message.from, &TipsetKey::default()).await;
        let key = key.map_err(|_| PoolReject::InsufficientFunds)?;
        let chain_id = self.chain.network().await?.eip155_chain_id;
        let verified = crypto::verify_message(signed, &key, chain_id);
        Ok(verified.map_err(|e| PoolReject::Signature(e.to_string()))?)
    }

    async fn on_chain(&self, cid: &Cid) -> Result<bool, ChainError> {
        // A search finds receipts, which the messages of the head do not have yet.
        if self.chain.executed(&TipsetKey::default())?.messages.iter().any(|(landed, _)| landed == cid) {
            return Ok(true);
        }
        let options = SearchOptions { allow_replaced: false, ..SearchOptions::default() };
        Ok(self.chain.search_message(cid, &options).await?.is_some())
    }

    /// Puts a message that was checked into its place.
    fn insert(&self, key: Vec<u8>, nonce: u64, signed: &SignedMessage) -> Result<(), PoolReject> {
        let mut messages = lock(&self.messages);
        let next = next_nonce(&messages, &key, nonce);
        let sequence = signed.message.sequence;
        if sequence < nonce {
            return Err(PoolReject::NonceTooLow { expected: nonce });
        }
        if sequence > next + MAX_NONCE_GAP {
            return Err(PoolReject::NonceGap);
        }
        if let Some(old) = messages.get(&(key.clone(), sequence)).filter(|old| *old != signed) {
            let min = least_replacing(&old.message.gas_premium);
            if signed.message.gas_premium < min {
                return Err(PoolReject::ReplacePremiumTooLow { min_premium: min.atto().to_string() });
            }
        }
        messages.insert((key, sequence), signed.clone());
        Ok(())
    }
}

/// 1.25 times the premium, rounded up, and more than the premium in any case.
pub(super) fn least_replacing(premium: &TokenAmount) -> TokenAmount {
    let (quarter, rest) = premium.div_rem(4);
    let round_up = if rest.is_zero() && !quarter.is_zero() { 0 } else { 1 };
    premium + quarter + TokenAmount::from_atto(round_up)
}

fn next_nonce(messages: &Messages, key: &[u8], mut nonce: u64) -> u64 {
    while messages.contains_key(&(key.to_vec(), nonce)) {
        nonce += 1;
    }
    nonce
}

#[async_trait]
impl MessagePool for MemoryPool {
    async fn push(&self, message: &SignedMessage) -> Result<Cid, ChainError> {
        self.check(message).await?;
        let cid = message.cid();
        if self.on_chain(&cid).await? {
            return Ok(cid);
        }
        let (key, actor) = self.sender(&message.message.from).await?;
        let known = lock(&self.messages).get(&(key.clone(), message.message.sequence)) == Some(message);
        if !known && message.message.required_funds() > actor.balance {
            return Err(PoolReject::InsufficientFunds.into());
        }
        self.insert(key, actor.nonce, message)?;
        Ok(cid)
    }

    async fn pending(&self) -> Result<Vec<SignedMessage>, ChainError> {
        let all: Vec<_> = lock(&self.messages).values().cloned().collect();
        let mut pending = Vec::new();
        for signed in all {
            let actor = self.chain.actor(&signed.message.from, &TipsetKey::default()).await?;
            if actor.is_some_and(|actor| actor.nonce <= signed.message.sequence) {
                pending.push(signed);
            }
        }
        Ok(pending)
    }

    async fn next_nonce(&self, sender: &Address) -> Result<u64, ChainError> {
        let (key, actor) = self.sender(sender).await?;
        Ok(next_nonce(&lock(&self.messages), &key, actor.nonce))
    }
}

#[async_trait]
impl GasEstimator for MemoryPool {
    async fn estimate(&self, message: &Message, spec: &GasSpec) -> Result<Message, ChainError> {
        let (_, actor) = self.sender(&message.from).await?;
        if message.value > actor.balance {
            let exit_code = ExitCode::SYS_INSUFFICIENT_FUNDS.value();
            return Err(ChainError::ExecutionFailed { exit_code, reason: "not enough funds".into() });
        }
        let mut filled = message.clone();
        if filled.gas_limit == 0 {
            filled.gas_limit = scale(GAS_USED as u64, spec.over_estimation);
        }
        if filled.gas_premium.is_zero() {
            filled.gas_premium = TokenAmount::from_atto(scale(PREMIUM, spec.over_premium));
        }
        if filled.gas_fee_cap.is_zero() {
            filled.gas_fee_cap = &filled.gas_premium + TokenAmount::from_atto(BASE_FEE_ROOM);
        }
        if !spec.max_fee.is_zero() && filled.gas_cost() > spec.max_fee {
            filled.gas_fee_cap = spec.max_fee.div_rem(filled.gas_limit.max(1)).0;
        }
        filled.gas_premium = filled.gas_premium.min(filled.gas_fee_cap.clone());
        Ok(filled)
    }
}

fn scale(value: u64, factor: f64) -> u64 {
    (value as f64 * factor.max(1.0)).ceil() as u64
}

//! Estimating gas.
//!
//! An estimate is made on the state after a tipset and after what the sender has waiting. Go nodes multiply the
//! premium by a random number near 1, so that miners do not all choose the same messages; here nothing depends on
//! time or chance, and the same message gets the same gas wherever chain and pool are the same.

mod fees;
mod premium;

use std::cell::OnceCell;
use std::sync::Arc;

use fvm_shared::ActorID;
use fvm_shared::address::{Address, Payload};
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use num_bigint::BigInt;
use venus_core::api::ChainError;
use venus_core::cbor::Encode;
use venus_core::consensus::base_fee::BLOCK_GAS_LIMIT;
use venus_core::types::TipsetKey;

use crate::chain::StoredBlock;
use crate::message::Verified;
use crate::mpool::Waiting;
use crate::node::Core;
use crate::state::StateTree;
use crate::vm::{Applied, ApplyMode, Context, Vm};

pub(crate) use fees::{Spec, fee_cap};
pub(crate) use premium::{premium, recent_blocks};

/// Blocks within which a message shall land, for whom nobody says otherwise.
const USUAL_BLOCKS: u64 = 10;
/// Epochs for which the base fee may grow before a message lands.
const USUAL_QUEUE: i64 = 20;
/// Bytes that a signature adds to a message of a sender whose signatures stay in the block.
const SIGNATURE_BYTES: usize = 69;
/// No fee that is filled in later is longer than this one, attoFIL.
const LONG_FEE: u128 = 1 << 71;

/// What gas of messages of one sender is estimated from. Owns what it needs, so that estimating holds up nobody.
pub(crate) struct Estimator {
    vm: Arc<dyn Vm>,
    state: StateTree,
    sender: ActorID,
    /// What the sender has waiting, not yet executed.
    waiting: Vec<Arc<Verified>>,
    /// What the next blocks name.
    next_base_fee: TokenAmount,
    /// What the tipset names.
    base_fee: TokenAmount,
    blocks: Vec<Arc<StoredBlock>>,
    premium: OnceCell<TokenAmount>,
}

impl Estimator {
    /// Gathers what is needed for messages from `sender` after a tipset; the empty key means the head.
    ///
    /// # Errors
    /// [`ChainError::TipsetNotFound`] and [`ChainError::ActorNotFound`].
    pub(crate) fn gather(core: &Core, sender: &Address, at: &TipsetKey) -> Result<Self, ChainError> {
        let tipset = core.chain.tipset(at)?;
        let waiting = Waiting::at(&core.chain, &core.pool, &tipset)?;
        let executed = &waiting.executed;
        let (id, actor) = executed.state.find(sender).ok_or(ChainError::ActorNotFound(*sender))?;
        let key = actor.key_address().unwrap_or(*sender);
        Ok(Self {
            vm: core.chain.vm.clone(),
            state: executed.state.clone(),
            sender: id,
            waiting: waiting.of(&key),
            next_base_fee: executed.next_base_fee.clone(),
            base_fee: tipset.min_ticket_block().parent_base_fee.clone(),
            blocks: recent_blocks(&core.chain, &tipset, USUAL_BLOCKS)?,
            premium: OnceCell::new(),
        })
    }

    /// Fills those of gas limit, fee cap and premium that are zero.
    ///
    /// # Errors
    /// [`ChainError::ExecutionFailed`].
    pub(crate) fn estimate(&mut self, message: &Message, spec: &Spec) -> Result<Message, ChainError> {
        let mut filled = message.clone();
        if filled.gas_limit == 0 {
            filled.gas_limit = fees::scale_gas(self.gas_used(message)?, spec.over_estimation);
        }
        if filled.gas_premium.is_zero() {
            let usual = self.premium.get_or_init(|| premium(&self.blocks, USUAL_BLOCKS));
            filled.gas_premium = fees::scale(usual, spec.over_premium);
            // A fee cap that the caller chose bounds what we may propose.
            if !filled.gas_fee_cap.is_zero() {
                filled.gas_premium = filled.gas_premium.min(filled.gas_fee_cap.clone());
            }
        }
        if filled.gas_fee_cap.is_zero() {
            filled.gas_fee_cap = fee_cap(&self.base_fee, &filled.gas_premium, USUAL_QUEUE)?;
        }
        spec.cap(&mut filled);
        Ok(filled)
    }

    /// The same for one of several messages: the next one is executed after it.
    pub(crate) fn estimate_next(&mut self, message: &Message, spec: &Spec) -> Result<Message, ChainError> {
        let filled = self.estimate(message, spec)?;
        self.apply(&filled, chain_len(&filled));
        Ok(filled)
    }

    /// Runs a message after all that waits.
    ///
    /// # Errors
    /// [`ChainError::ExecutionFailed`].
    pub(crate) fn gas_used(&mut self, message: &Message) -> Result<u64, ChainError> {
        for waiting in std::mem::take(&mut self.waiting) {
            self.apply(&waiting.signed.message, waiting.chain_len);
        }
        let mode = ApplyMode::Estimate { chain_len: chain_len(message) };
        let run = self.vm.apply_one(&mut self.state.clone(), &self.context(), message, mode);
        let Applied { receipt, reason, .. } = run;
        if receipt.exit_code.is_success() {
            return Ok(u64::try_from(receipt.gas_used).unwrap_or_default());
        }
        Err(ChainError::ExecutionFailed { exit_code: receipt.exit_code.value(), reason: reason.into() })
    }

    /// Executes a message under the sender's next nonce, for estimates do not look at nonces. One that cannot be paid
    /// changes nothing.
    fn apply(&mut self, message: &Message, chain_len: usize) {
        let sequence = self.state.get(self.sender).map_or(0, |actor| actor.nonce);
        let message = Message { sequence, ..message.clone() };
        let context = self.context();
        self.vm.apply_one(&mut self.state, &context, &message, ApplyMode::Explicit { chain_len });
    }

    fn context(&self) -> Context {
        Context { base_fee: self.next_base_fee.clone() }
    }
}

/// The bytes that the message can have at most in a block, whatever nonce, gas limit and fees it gets.
fn chain_len(message: &Message) -> usize {
    let mut longest = Message { sequence: u64::MAX, gas_limit: BLOCK_GAS_LIMIT, ..message.clone() };
    for fee in [&mut longest.gas_fee_cap, &mut longest.gas_premium] {
        if fee.is_zero() {
            *fee = TokenAmount::from_atto(BigInt::from(LONG_FEE));
        }
    }
    let signature = match message.from.payload() {
        Payload::BLS(_) => 0,
        _ => SIGNATURE_BYTES,
    };
    longest.to_cbor().len() + signature
}

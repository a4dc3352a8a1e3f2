//! Estimating gas, one method for each question that a node answers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use async_trait::async_trait;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use venus_core::api::{ChainError, GasEstimator, GasSpec};
use venus_core::types::{EstimateMessage, MessageSendSpec, TipsetKey};

use crate::estimate::{Estimator, Spec, fee_cap, premium, recent_blocks};
use crate::node::Devnet;

/// Messages of one batch, as many as a sender may have waiting.
const MOST_AT_ONCE: usize = 1000;

/// Estimates count in what the sender has waiting in the pool. They depend on chain and pool only, and have no noise.
#[async_trait]
impl GasEstimator for Devnet {
    async fn estimate(&self, message: &Message, spec: &GasSpec) -> Result<Message, ChainError> {
        let spec = Spec::of(spec)?;
        self.estimator(&message.from, &TipsetKey::default())?.estimate(message, &spec)
    }

    /// Of each sender's messages one is executed on top of the other; what fails is left out.
    async fn estimate_many(&self, messages: &[(Message, GasSpec)]) -> Vec<Result<Message, ChainError>> {
        let mut estimators = HashMap::new();
        let estimates = messages.iter().map(|(message, spec)| {
            let spec = Spec::of(spec)?;
            let estimator = match estimators.entry(message.from) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.estimator(&message.from, &TipsetKey::default())?),
            };
            estimator.estimate_next(message, &spec)
        });
        estimates.collect()
    }
}

impl Devnet {
    /// Gas that a message uses, without any reserve, after a tipset and what the sender has waiting
    /// (`GasEstimateGasLimit`). The empty key means the head.
    ///
    /// # Errors
    /// [`ChainError::ExecutionFailed`], [`ChainError::ActorNotFound`] for an unknown sender,
    /// [`ChainError::TipsetNotFound`], and [`ChainError::Invalid`] for a tipset more than 900 epochs from the head.
    pub async fn gas_limit(&self, message: &Message, at: &TipsetKey) -> Result<u64, ChainError> {
        self.estimator(&message.from, at)?.gas_used(message)
    }

    /// A premium with which a message probably lands within so many blocks, attoFIL (`GasEstimateGasPremium`). Sender
    /// and gas limit, which nodes ask for, never mattered.
    ///
    /// # Errors
    /// [`ChainError::TipsetNotFound`].
    pub async fn gas_premium(&self, blocks: u64, at: &TipsetKey) -> Result<TokenAmount, ChainError> {
        let recent = {
            let core = self.inner.read();
            let tipset = core.chain.tipset(at)?;
            recent_blocks(&core.chain, &tipset, blocks)?
        };
        Ok(premium(&recent, blocks))
    }

    /// A fee cap that covers the base fee however it grows within so many epochs, and the message's premium, attoFIL
    /// (`GasEstimateFeeCap`).
    ///
    /// # Errors
    /// [`ChainError::TipsetNotFound`]; [`ChainError::Invalid`] for more than 1000 epochs.
    pub async fn gas_fee_cap(
        &self,
        message: &Message,
        epochs: i64,
        at: &TipsetKey,
    ) -> Result<TokenAmount, ChainError> {
        let tipset = self.inner.read().chain.tipset(at)?;
        fee_cap(&tipset.min_ticket_block().parent_base_fee, &message.gas_premium, epochs)
    }

    /// Fills those of gas limit, fee cap and premium that are zero, as a node does that is asked over the wire
    /// (`GasEstimateMessageGas`): without a bound in `spec` gas may cost 0.07 FIL, without a factor the pool's
    /// configuration has it. The nonce stays.
    ///
    /// # Errors
    /// As [`Devnet::gas_limit`]; [`ChainError::Invalid`] for factors outside of 1 to 1000.
    pub async fn gas_message(
        &self,
        message: &Message,
        spec: Option<&MessageSendSpec>,
        at: &TipsetKey,
    ) -> Result<Message, ChainError> {
        let spec = Spec::of_wire(spec, &self.pool_config())?;
        self.estimator(&message.from, at)?.estimate(message, &spec)
    }

    /// Estimates messages of one sender, each executed on top of those before it, and numbers them from a nonce on
    /// (Venus's `GasBatchEstimateMessageGas`). One result for each; what fails uses no nonce.
    ///
    /// # Errors
    /// For a message as [`Devnet::gas_message`], and [`ChainError::Invalid`] if it has another sender than the first.
    /// For all of them [`ChainError::Invalid`] if there are none or more than 1000, and if the sender or the tipset is
    /// not known.
    pub async fn gas_batch(
        &self,
        messages: &[EstimateMessage],
        from_nonce: u64,
        at: &TipsetKey,
    ) -> Result<Vec<Result<Message, ChainError>>, ChainError> {
        let Some(first) = messages.first() else {
            return Err(ChainError::Invalid("estimate messages are empty".into()));
        };
        if messages.len() > MOST_AT_ONCE {
            return Err(ChainError::Invalid(format!("more than {MOST_AT_ONCE} messages to estimate")));
        }
        let (config, from) = (self.pool_config(), first.msg.from);
        let mut estimator = self.estimator(&from, at)?;
        let mut sequence = from_nonce;
        let results = messages.iter().map(|EstimateMessage { msg, spec }| {
            if msg.from != from {
                return Err(ChainError::Invalid(format!(
                    "message from {} among those from {from}",
                    msg.from
                )));
            }
            let spec = Spec::of_wire(spec.as_ref(), &config)?;
            let filled = estimator.estimate_next(&Message { sequence, ..msg.clone() }, &spec)?;
            sequence = sequence.saturating_add(1);
            Ok(filled)
        });
        Ok(results.collect())
    }

    fn estimator(&self, sender: &Address, at: &TipsetKey) -> Result<Estimator, ChainError> {
        Estimator::gather(&self.inner.read(), sender, at)
    }
}

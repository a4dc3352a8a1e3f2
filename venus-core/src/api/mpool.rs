//! Sending messages and knowing what they cost.

use async_trait::async_trait;
use auto_impl::auto_impl;
use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;

use super::ChainError;
use crate::types::SignedMessage;

/// The mempool of a node.
///
/// Pushing the same signed bytes twice is success, whether they still wait or are on chain already, so a push
/// whose answer was lost is simply repeated. Another message with the same sender and nonce replaces the first
/// if its premium is at least 1.25 times as high.
///
/// # Implementing
/// Run `testing::suites::message_pool`.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait MessagePool: Send + Sync {
    /// Offers a message to the pool and answers its chain CID.
    ///
    /// # Errors
    /// [`ChainError::Pool`] with the class of the refusal.
    async fn push(&self, message: &SignedMessage) -> Result<Cid, ChainError>;

    /// Messages that wait for a block, ordered by sender and nonce.
    async fn pending(&self) -> Result<Vec<SignedMessage>, ChainError>;

    /// The next nonce of a sender, counting messages that wait.
    ///
    /// # Errors
    /// [`ChainError::ActorNotFound`].
    async fn next_nonce(&self, sender: &Address) -> Result<u64, ChainError>;

    /// Offers several messages in order; one result for each. A refused message does not stop the others.
    async fn push_many(&self, messages: &[SignedMessage]) -> Vec<Result<Cid, ChainError>> {
        let mut results = Vec::with_capacity(messages.len());
        for message in messages {
            results.push(self.push(message).await);
        }
        results
    }
}

/// How gas of a message is estimated.
#[derive(Clone, Debug, PartialEq)]
pub struct GasSpec {
    /// The most that gas may cost in all, attoFIL; the fee cap is lowered to fit. Zero: no bound.
    pub max_fee: TokenAmount,
    /// Factor on the gas that the message used in a dry run, at least 1. Default 1.25.
    pub over_estimation: f64,
    /// Factor on the estimated premium, at least 1. Default 1.
    pub over_premium: f64,
}

impl Default for GasSpec {
    fn default() -> Self {
        Self { max_fee: TokenAmount::default(), over_estimation: 1.25, over_premium: 1.0 }
    }
}

/// Estimates gas limit, fee cap and premium.
///
/// # Implementing
/// Run `testing::suites::gas_estimator`.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait GasEstimator: Send + Sync {
    /// Fills those of gas limit, fee cap and premium that are zero, on top of the head. The nonce is the
    /// caller's business and is not looked at.
    ///
    /// # Errors
    /// [`ChainError::ExecutionFailed`] if the message would fail; [`ChainError::ActorNotFound`] for an unknown
    /// sender.
    async fn estimate(&self, message: &Message, spec: &GasSpec) -> Result<Message, ChainError>;

    /// Estimates several messages; one result for each.
    async fn estimate_many(&self, messages: &[(Message, GasSpec)]) -> Vec<Result<Message, ChainError>> {
        let mut results = Vec::with_capacity(messages.len());
        for (message, spec) in messages {
            results.push(self.estimate(message, spec).await);
        }
        results
    }
}

//! Handing messages over for delivery.

use std::time::Duration;

use async_trait::async_trait;
use auto_impl::auto_impl;
use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;

use super::{ChainError, GasSpec, SignerError};
use crate::error::{BoxError, Classify, ErrorKind};
use crate::types::{MessageLookup, Signature};

/// Names a message at a messager. Chosen by the caller, or a UUID made by [`IMessager::push`].
pub type MessageId = String;

/// What to deliver.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageRequest {
    /// The message. Nonce is ignored; gas limit, fee cap and premium are estimated where zero.
    pub message: Message,
    /// How to send it.
    pub spec: SendSpec,
}

impl MessageRequest {
    /// A transfer of `value` attoFIL.
    pub fn transfer(from: Address, to: Address, value: TokenAmount) -> Self {
        Self::call(from, to, value, fvm_shared::METHOD_SEND, Vec::new())
    }

    /// A call of an actor's method with CBOR parameters.
    pub fn call(from: Address, to: Address, value: TokenAmount, method_num: u64, params: Vec<u8>) -> Self {
        let zero = TokenAmount::default();
        let message = Message {
            version: 0,
            from,
            to,
            sequence: 0,
            value,
            method_num,
            params: params.into(),
            gas_limit: 0,
            gas_fee_cap: zero.clone(),
            gas_premium: zero,
        };
        Self { message, spec: SendSpec::default() }
    }
}

/// How to send a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SendSpec {
    /// Bounds and factors of the gas estimate.
    pub gas: GasSpec,
    /// Give up if the message was not signed by this epoch. Zero: never.
    pub expires_at: ChainEpoch,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageState {
    /// Accepted; no nonce yet.
    Unfilled,
    /// Nonce, gas and a signature are fixed; not yet on chain. Offered to the mempool until it lands.
    Filled,
    /// Executed on chain, **with whatever exit code**: look at the receipt. A reorg can take it back to
    /// [`MessageState::Filled`].
    Landed,
    /// It can never be sent: see the error. Only before a signature exists.
    Failed,
    /// Taken back by the caller before a signature existed.
    Cancelled,
}

impl MessageState {
    /// The name in stores and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unfilled => "unfilled",
            Self::Filled => "filled",
            Self::Landed => "landed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One signed form of a message. All attempts of a message share sender and nonce, so that one can land.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Chain CID of the signed message.
    pub cid: Cid,
    /// What was signed.
    pub message: Message,
    /// The signature.
    pub signature: Signature,
}

/// Everything that a messager knows of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageRecord {
    /// The caller's name for it.
    pub id: MessageId,
    /// What was asked for.
    pub request: MessageRequest,
    /// Where it stands.
    pub state: MessageState,
    /// Signed forms, oldest first; the last is the one that is offered.
    pub attempts: Vec<Attempt>,
    /// Where it landed, by the current chain.
    pub lookup: Option<MessageLookup>,
    /// How many epochs stand on top of it; 0 unless landed.
    pub confidence: ChainEpoch,
    /// Why the last try did not work, if it did not.
    pub error: Option<String>,
}

/// New fees of a message that does not land.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplaceFees {
    /// New premium, attoFIL a unit of gas; the least that replaces if `None`.
    pub gas_premium: Option<TokenAmount>,
    /// New fee cap, attoFIL a unit of gas; raised as needed if `None`.
    pub gas_fee_cap: Option<TokenAmount>,
    /// New gas limit; unchanged if `None`.
    pub gas_limit: Option<u64>,
}

/// Why a messager did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessagerError {
    /// There is no message of this name.
    #[error("no message {0:?}")]
    NotFound(MessageId),
    /// Another message has this name.
    #[error("message {0:?} exists with other content")]
    Conflict(MessageId),
    /// The message is in a state that does not allow it.
    #[error("message {id:?} is {state}", state = state.as_str())]
    State {
        /// The message.
        id: MessageId,
        /// Its state.
        state: MessageState,
    },
    /// The request is wrong.
    #[error("{0}")]
    Invalid(String),
    /// The signer does not own the sender's key.
    #[error("no key for {0}")]
    NoKey(Address),
    /// The node failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The signer failed.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The database failed. Nothing is half done.
    #[error("message store: {0}")]
    Store(#[source] BoxError),
    /// A stored row cannot be read.
    #[error("message store is corrupt: {0}")]
    Corrupt(String),
    /// The message did not get there in time. It goes on; wait again.
    #[error("message {id:?} not confirmed within {after:?}")]
    Timeout {
        /// The message.
        id: MessageId,
        /// How long was waited.
        after: Duration,
    },
    /// The messager is shutting down.
    #[error("messager is shutting down")]
    Closed,
}

impl Classify for MessagerError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) | Self::NoKey(_) => ErrorKind::NotFound,
            Self::Conflict(_) | Self::State { .. } => ErrorKind::Conflict,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Chain(e) => e.kind(),
            Self::Signer(e) => e.kind(),
            Self::Store(_) | Self::Closed => ErrorKind::Transient,
            Self::Corrupt(_) => ErrorKind::Corrupt,
            Self::Timeout { .. } => ErrorKind::Timeout,
        }
    }
}

/// Delivers messages: each accepted message lands on chain once, or is reported failed before it was signed.
///
/// # Contract
/// * An accepted message survives a crash at any moment, and no crash makes it land twice.
/// * A message with a signed attempt never gets a second nonce. Landing of any attempt lands the message.
/// * What is reported as landed follows the chain: a reorg takes it back.
///
/// # Implementing
/// Run `testing::suites::messager`.
#[async_trait]
#[auto_impl(&, Arc, Box)]
pub trait IMessager: Send + Sync {
    /// Accepts a message under a fresh name. Not idempotent: after a timeout use [`IMessager::push_with_id`].
    ///
    /// # Errors
    /// [`MessagerError::Invalid`] or [`MessagerError::NoKey`] if it can never be sent; nothing was accepted then.
    async fn push(&self, request: MessageRequest) -> Result<MessageId, MessagerError>;

    /// Accepts a message under the caller's name (1 to 128 characters). The same name with the same request is
    /// success and changes nothing, so repeat it until it succeeds.
    ///
    /// # Errors
    /// [`MessagerError::Conflict`] if the name stands for another request; else as [`IMessager::push`].
    async fn push_with_id(&self, id: &str, request: MessageRequest) -> Result<(), MessagerError>;

    /// Everything about a message.
    ///
    /// # Errors
    /// [`MessagerError::NotFound`].
    async fn get(&self, id: &str) -> Result<MessageRecord, MessagerError>;

    /// Waits until the message has landed and `confidence` epochs stand on top of it, or until it is failed or
    /// cancelled. Landed says that it was executed, not that it succeeded: check `lookup.receipt.exit_code`.
    /// Cancel safe; many callers may wait for one message.
    ///
    /// # Errors
    /// [`MessagerError::NotFound`]; [`MessagerError::Timeout`] after `timeout`; [`MessagerError::Closed`].
    async fn wait(
        &self,
        id: &str,
        confidence: ChainEpoch,
        timeout: Duration,
    ) -> Result<MessageRecord, MessagerError>;

    /// Signs a further attempt with the same nonce and higher fees, and answers its CID.
    ///
    /// # Errors
    /// [`MessagerError::State`] unless the message is filled; [`MessagerError::Invalid`] for fees that do not replace.
    async fn replace(&self, id: &str, fees: ReplaceFees) -> Result<Cid, MessagerError>;

    /// Takes a message back. Idempotent.
    ///
    /// # Errors
    /// [`MessagerError::State`] once a signature exists: it could land whatever we do.
    async fn cancel(&self, id: &str) -> Result<(), MessagerError>;
}

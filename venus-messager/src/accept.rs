//! The door: what is refused before anything is stored, and accepting under a name.

use fvm_shared::METHOD_SEND;
use fvm_shared::address::{Address, Protocol};
use fvm_shared::econ::TokenAmount;
use venus_core::api::{GasSpec, MessageRequest, MessagerError};
use venus_core::crypto::delegated::EAM_NAMESPACE;
use venus_core::types::{MessageExt, Payload, Signature, SignedMessage, TipsetKey};

use crate::messager::Inner;
use crate::node::inclusion_gas;
use crate::state::RowState;
use crate::store::{Inserted, NewMessage, Seq, StoredMessage};

/// Longest name of a message, in characters.
const MAX_ID: usize = 128;
/// All FIL there can be: a bound on every amount, so that each fits its column.
const TOTAL_FIL: i64 = 2_000_000_000;
/// Largest factor on an estimate. More is a slip of the decimal point.
const MAX_FACTOR: f64 = 1_000.0;
/// Length of a BLS signature; the others are shorter or nearly as long.
const SIGNATURE_LEN: usize = 96;

fn invalid(reason: impl std::fmt::Display) -> MessagerError {
    MessagerError::Invalid(reason.to_string())
}

impl Inner {
    /// A name that nobody has: a UUID of version 7.
    pub(crate) fn fresh_id(&self) -> Result<String, MessagerError> {
        let mut random = [0; 10];
        self.sources.entropy.fill(&mut random).map_err(|e| MessagerError::Store(e.into()))?;
        let millis = u64::try_from(self.sources.clock.now().as_millis()).unwrap_or(u64::MAX);
        Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string())
    }

    /// Stores the message unless it is known. Answers its sender and place if it is to be sent.
    pub(crate) async fn accept(
        &self,
        id: &str,
        mut request: MessageRequest,
    ) -> Result<Option<(Address, Seq)>, MessagerError> {
        check_id(id)?;
        check_request(&request)?;
        request.message.sequence = 0;
        // A repeated push must succeed even if node and signer are away by now.
        if let Some(known) = self.store.get(id).await? {
            return again(known, &request);
        }
        self.check_expiry(&request)?;
        let sender = self.sender_of(&request).await?;
        self.check_key(&sender).await?;
        let new = NewMessage { id: id.to_owned(), sender, request };
        match self.store.insert(&new).await? {
            Inserted::Fresh(seq) => Ok(Some((sender, seq))),
            Inserted::Known(known) => again(*known, &new.request),
        }
    }

    fn check_expiry(&self, request: &MessageRequest) -> Result<(), MessagerError> {
        let (expires_at, head) = (request.spec.expires_at, self.hub.height());
        if expires_at > 0 && expires_at < head {
            return Err(invalid(format_args!(
                "expires_at: epoch {expires_at} is past, the head is at {head}"
            )));
        }
        Ok(())
    }

    /// The key that signs: a sender named by its ID is resolved once, here.
    async fn sender_of(&self, request: &MessageRequest) -> Result<Address, MessagerError> {
        let from = request.message.from;
        if from.protocol() != Protocol::ID {
            return Ok(from);
        }
        let key = self.ask("account_key", self.deps.state.account_key(&from, &TipsetKey::default())).await?;
        check_sender(&key)?;
        Ok(key)
    }

    async fn check_key(&self, sender: &Address) -> Result<(), MessagerError> {
        let asked = tokio::time::timeout(self.config.sign_timeout, self.deps.signer.has(sender)).await;
        match asked {
            Ok(Ok(false)) => Err(MessagerError::NoKey(*sender)),
            // A signer that is away for a moment is no reason to refuse: the message waits for it.
            Ok(Ok(true) | Err(_)) | Err(_) => Ok(()),
        }
    }
}

/// A name that is known: the same request is success, and one more chance to be sent.
fn again(known: StoredMessage, request: &MessageRequest) -> Result<Option<(Address, Seq)>, MessagerError> {
    if known.request != *request {
        return Err(MessagerError::Conflict(known.id));
    }
    Ok((known.state == RowState::Unfilled).then_some((known.sender, known.seq)))
}

fn check_id(id: &str) -> Result<(), MessagerError> {
    match id.chars().count() {
        1..=MAX_ID => Ok(()),
        n => Err(invalid(format_args!("id: has {n} characters, expected 1 to {MAX_ID}"))),
    }
}

/// Checks what can be known without a node.
fn check_request(request: &MessageRequest) -> Result<(), MessagerError> {
    check_spec(&request.spec.gas)?;
    if request.spec.expires_at < 0 {
        return Err(invalid("expires_at: must not be negative"));
    }
    let mut message = request.message.clone();
    message.sequence = u64::MAX >> 1;
    check_sender(&message.from)?;
    if message.from.protocol() == Protocol::Delegated && message.method_num == METHOD_SEND {
        return Err(invalid("Method: 0 has no Ethereum form, which a delegated sender signs"));
    }
    let total = TokenAmount::from_whole(TOTAL_FIL);
    for (field, amount) in [("GasFeeCap", &message.gas_fee_cap), ("GasPremium", &message.gas_premium)] {
        if *amount > total {
            return Err(invalid(format_args!("message {field}: exceeds all FIL there is")));
        }
    }
    // An open fee cap is estimated above the premium.
    if message.gas_fee_cap.is_zero() && message.gas_premium.is_positive() {
        message.gas_fee_cap.clone_from(&message.gas_premium);
    }
    message.check_for_block(0).map_err(invalid)?;
    let gas_limit = message.gas_limit;
    let signed = SignedMessage { message, signature: Signature::bls(vec![0; SIGNATURE_LEN]) };
    signed.check_size().map_err(invalid)?;
    if gas_limit > 0 && gas_limit < inclusion_gas(&signed_smallest(signed)) {
        return Err(invalid("message GasLimit: does not cover the cost of inclusion"));
    }
    Ok(())
}

/// The smallest form that the message can take on chain, for a bound that refuses nothing valid.
fn signed_smallest(mut signed: SignedMessage) -> SignedMessage {
    signed.message.sequence = 0;
    signed
}

fn check_sender(from: &Address) -> Result<(), MessagerError> {
    match from.payload() {
        Payload::ID(_) | Payload::Secp256k1(_) | Payload::BLS(_) => Ok(()),
        Payload::Delegated(d) if d.namespace() == EAM_NAMESPACE => Ok(()),
        Payload::Delegated(_) | Payload::Actor(_) => Err(invalid("message From: is no account")),
    }
}

fn check_spec(gas: &GasSpec) -> Result<(), MessagerError> {
    if gas.max_fee.is_negative() || gas.max_fee > TokenAmount::from_whole(TOTAL_FIL) {
        return Err(invalid("max_fee: expected 0 to all FIL there is"));
    }
    for (field, factor) in [("over_estimation", gas.over_estimation), ("over_premium", gas.over_premium)] {
        if !(1.0..=MAX_FACTOR).contains(&factor) {
            return Err(invalid(format_args!("{field}: expected a factor from 1 to {MAX_FACTOR}")));
        }
    }
    Ok(())
}

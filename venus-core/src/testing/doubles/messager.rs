//! A messager that delivers when the test says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cid::Cid;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use tokio::sync::watch;

use super::lock;
use super::pool::least_replacing;
use crate::api::{
    Attempt, IMessager, ISigner, MessageId, MessageRecord, MessageRequest, MessageState, MessagerError,
    ReplaceFees, SignerExt,
};
use crate::types::{MessageLookup, Receipt, SignedMessage, TipsetKey};

/// Accepts and signs at once with nonces from zero and the gas of the request, where nothing is estimated.
/// Messages land by [`land`](Self::land).
pub struct ScriptedMessager {
    signer: Arc<dyn ISigner>,
    script: Mutex<Script>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Script {
    records: HashMap<MessageId, MessageRecord>,
    nonces: HashMap<Address, u64>,
    hold: bool,
}

impl ScriptedMessager {
    /// An empty messager that signs with `signer`.
    pub fn new(signer: Arc<dyn ISigner>) -> Self {
        Self { signer, script: Mutex::default(), changed: watch::Sender::new(()) }
    }

    /// Leaves messages that are accepted from now on unfilled, or fills them at once again.
    pub fn hold(&self, hold: bool) {
        lock(&self.script).hold = hold;
    }

    /// Makes a filled message land with this exit code. It has `confidence` epochs on top of it.
    ///
    /// # Errors
    /// [`MessagerError::NotFound`]; [`MessagerError::State`] if there is no signature yet.
    pub fn land(&self, id: &str, exit_code: ExitCode, confidence: ChainEpoch) -> Result<(), MessagerError> {
        self.update(id, |record| {
            let Some(attempt) = record.attempts.last() else { return Err(wrong_state(record)) };
            record.lookup = Some(MessageLookup {
                message: attempt.cid,
                receipt: Receipt::new(exit_code, Vec::new(), 1),
                tipset: TipsetKey::from(vec![attempt.cid]),
                height: 1,
            });
            (record.state, record.confidence) = (MessageState::Landed, confidence);
            Ok(())
        })
    }

    /// Makes everything land that is filled, successfully.
    ///
    /// # Errors
    /// As [`land`](Self::land).
    pub fn land_all(&self, confidence: ChainEpoch) -> Result<(), MessagerError> {
        let records = lock(&self.script).records.values().cloned().collect::<Vec<_>>();
        let mut filled = records.into_iter().filter(|r| r.state == MessageState::Filled);
        filled.try_for_each(|r| self.land(&r.id, ExitCode::OK, confidence))
    }

    /// Takes a landed message back, as a reorg does.
    ///
    /// # Errors
    /// [`MessagerError::NotFound`]; [`MessagerError::State`] unless it is landed.
    pub fn revert(&self, id: &str) -> Result<(), MessagerError> {
        self.update(id, |record| match record.state {
            MessageState::Landed => {
                (record.state, record.lookup, record.confidence) = (MessageState::Filled, None, 0);
                Ok(())
            }
            _ => Err(wrong_state(record)),
        })
    }

    /// Makes an unfilled message fail for good.
    ///
    /// # Errors
    /// [`MessagerError::NotFound`]; [`MessagerError::State`] once there is a signature.
    pub fn fail(&self, id: &str, reason: &str) -> Result<(), MessagerError> {
        self.update(id, |record| match record.state {
            MessageState::Unfilled => {
                (record.state, record.error) = (MessageState::Failed, Some(reason.to_owned()));
                Ok(())
            }
            _ => Err(wrong_state(record)),
        })
    }

    fn update<R>(
        &self,
        id: &str,
        f: impl FnOnce(&mut MessageRecord) -> Result<R, MessagerError>,
    ) -> Result<R, MessagerError> {
        let mut script = lock(&self.script);
        let record = script.records.get_mut(id).ok_or_else(|| MessagerError::NotFound(id.to_owned()))?;
        let result = f(record)?;
        drop(script);
        self.changed.send_replace(());
        Ok(result)
    }

    async fn check(&self, id: &str, request: &MessageRequest) -> Result<(), MessagerError> {
        if !(1..=128).contains(&id.chars().count()) {
            return Err(MessagerError::Invalid("id must have 1 to 128 characters".into()));
        }
        if request.message.value.is_negative() {
            return Err(MessagerError::Invalid("Value: must not be negative".into()));
        }
        let from = request.message.from;
        if self.signer.has(&from).await? { Ok(()) } else { Err(MessagerError::NoKey(from)) }
    }

    /// Accepts a message under a fresh name; `false` if the name stands for this request already.
    fn accept(&self, id: &str, request: MessageRequest) -> Result<Option<u64>, MessagerError> {
        let mut script = lock(&self.script);
        if let Some(old) = script.records.get(id) {
            let same = old.request == request;
            return if same { Ok(None) } else { Err(MessagerError::Conflict(id.to_owned())) };
        }
        let from = request.message.from;
        let record = MessageRecord {
            id: id.to_owned(),
            request,
            state: MessageState::Unfilled,
            attempts: Vec::new(),
            lookup: None,
            confidence: 0,
            error: None,
        };
        script.records.insert(id.to_owned(), record);
        if script.hold {
            return Ok(None);
        }
        let nonce = script.nonces.entry(from).or_default();
        *nonce += 1;
        Ok(Some(*nonce - 1))
    }
}

fn wrong_state(record: &MessageRecord) -> MessagerError {
    MessagerError::State { id: record.id.clone(), state: record.state }
}

fn attempt_of(signed: SignedMessage) -> Attempt {
    Attempt { cid: signed.cid(), message: signed.message, signature: signed.signature }
}

#[async_trait]
impl IMessager for ScriptedMessager {
    async fn push(&self, request: MessageRequest) -> Result<MessageId, MessagerError> {
        let id = format!("scripted-{}", lock(&self.script).records.len());
        self.push_with_id(&id, request).await?;
        Ok(id)
    }

    async fn push_with_id(&self, id: &str, request: MessageRequest) -> Result<(), MessagerError> {
        self.check(id, &request).await?;
        let mut message = request.message.clone();
        let Some(nonce) = self.accept(id, request)? else { return Ok(()) };
        message.sequence = nonce;
        let signed = self.signer.sign_message(&message).await?;
        self.update(id, |record| {
            record.attempts.push(attempt_of(signed));
            record.state = MessageState::Filled;
            Ok(())
        })
    }

    async fn get(&self, id: &str) -> Result<MessageRecord, MessagerError> {
        let record = lock(&self.script).records.get(id).cloned();
        record.ok_or_else(|| MessagerError::NotFound(id.to_owned()))
    }

    async fn wait(
        &self,
        id: &str,
        confidence: ChainEpoch,
        timeout: Duration,
    ) -> Result<MessageRecord, MessagerError> {
        let mut changed = self.changed.subscribe();
        let settled = async {
            loop {
                let record = self.get(id).await?;
                match record.state {
                    MessageState::Failed | MessageState::Cancelled => return Ok(record),
                    MessageState::Landed if record.confidence >= confidence => return Ok(record),
                    _ => changed.changed().await.map_err(|_| MessagerError::Closed)?,
                }
            }
        };
        let late = |_| MessagerError::Timeout { id: id.to_owned(), after: timeout };
        tokio::time::timeout(timeout, settled).await.map_err(late)?
    }

    async fn replace(&self, id: &str, fees: ReplaceFees) -> Result<Cid, MessagerError> {
        let record = self.get(id).await?;
        let (MessageState::Filled, Some(last)) = (record.state, record.attempts.last()) else {
            return Err(wrong_state(&record));
        };
        let mut message = last.message.clone();
        let least = least_replacing(&message.gas_premium);
        message.gas_premium = fees.gas_premium.unwrap_or_else(|| least.clone());
        let cap: TokenAmount = fees.gas_fee_cap.unwrap_or_else(|| message.gas_fee_cap.clone());
        message.gas_fee_cap = cap.max(message.gas_premium.clone());
        message.gas_limit = fees.gas_limit.unwrap_or(message.gas_limit);
        if message.gas_premium < least {
            return Err(MessagerError::Invalid("GasPremium: does not replace".into()));
        }
        let attempt = attempt_of(self.signer.sign_message(&message).await?);
        let cid = attempt.cid;
        self.update(id, |record| {
            record.attempts.push(attempt);
            Ok(cid)
        })
    }

    async fn cancel(&self, id: &str) -> Result<(), MessagerError> {
        self.update(id, |record| match record.state {
            MessageState::Unfilled | MessageState::Cancelled => {
                record.state = MessageState::Cancelled;
                Ok(())
            }
            _ => Err(wrong_state(record)),
        })
    }
}

impl std::fmt::Debug for ScriptedMessager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let script = lock(&self.script);
        f.debug_struct("ScriptedMessager").field("records", &script.records).finish_non_exhaustive()
    }
}

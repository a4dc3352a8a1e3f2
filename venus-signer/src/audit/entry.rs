//! A record on its way to the database.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteArguments;
use venus_core::cbor::Writer;
use venus_core::types::{MsgType, Signature};

use super::query::Outcome;
use super::row::{self, Fields};
use super::{AuditEvent, Verdict, stamp};
use crate::payload::Payload;
use crate::request::{Caller, Origin};

/// Bytes of a reason that are kept.
const MAX_REASON: usize = 1024;
/// Bytes that are kept of a request that could not be read: enough to tell what it was meant to be.
const MAX_UNREAD: usize = 4096;
/// Length of a hash of the chain, bytes.
const HASH: usize = 32;
/// Length of an ID's text, bytes.
const ID: usize = 36;

/// The columns that [`NewRow::arguments`] fills, and what they are made of. Each record comes as one blob, which is cut here:
/// a value of its own for each column would be allocated by one thread, copied by another, and freed by the first.
pub(super) const INTO: &str = "INSERT INTO sign_record (seq, hash, id, created_at, type, signer, err, raw_msg, \
    signature_type, signature_data, created_ns, outcome, denied_by, caller) SELECT column1, substr(column2, 1, 32), \
    CAST(substr(column2, 33, 36) AS TEXT), CAST(substr(column2, 69, column3) AS TEXT), column4, column5, column6, \
    substr(column2, column7, column8), column9, substr(column2, column10, column11), column12, column13, column14, \
    column15 FROM (VALUES ";
/// The values of one record.
pub(super) const VALUES: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// How many there are.
pub(super) const WIDTH: usize = 15;

/// A record as it will be written. Texts that many records have are shared.
#[derive(Debug)]
pub(super) struct NewRow {
    /// The ID, the time, the signature, and what was to be signed.
    bytes: Vec<u8>,
    time_len: usize,
    signature: Option<(i64, usize)>,
    raw_len: Option<usize>,
    msg_type: Arc<str>,
    signer: Arc<str>,
    err: Option<Arc<str>>,
    created_ns: i64,
    outcome: Arc<str>,
    denied_by: Option<&'static str>,
    caller: Arc<str>,
}

impl NewRow {
    /// What is kept of an event.
    pub(super) fn of(event: &AuditEvent<'_>, id: &[u8; ID], created_ns: i64, signer: Arc<str>) -> Self {
        let (outcome, err, denied_by) = match event.verdict {
            Verdict::Signed(_) => (&TEXTS.signed, None, None),
            Verdict::Denied { by, reason } => (&TEXTS.denied, Some(reason), Some(by)),
            Verdict::Failed { reason } => (&TEXTS.failed, Some(reason), None),
        };
        let signature: Option<&Signature> = match event.verdict {
            Verdict::Signed(signature) => Some(signature),
            _ => None,
        };
        let data = signature.map_or(&[][..], |signature| &signature.data);
        let raw = raw(event);
        let raw_len = raw.as_ref().map(|raw| raw.len());
        let room = ID.saturating_add(stamp::MAX).saturating_add(data.len());
        let mut bytes = Vec::with_capacity(room.saturating_add(raw_len.unwrap_or_default()));
        bytes.extend_from_slice(id);
        stamp::write(stamp::time(created_ns), &mut bytes);
        let time_len = bytes.len().saturating_sub(ID);
        bytes.extend_from_slice(data);
        bytes.extend_from_slice(raw.as_deref().unwrap_or_default());
        Self {
            bytes,
            time_len,
            signature: signature.map(|signature| (signature.sig_type as i64, data.len())),
            raw_len,
            msg_type: TEXTS.of_type(event.request.meta.msg_type),
            signer,
            err: err.map(|reason| cut(reason).into()),
            created_ns,
            outcome: outcome.clone(),
            denied_by,
            caller: TEXTS.of_caller(event.request.caller),
        }
    }

    /// The hash of everything in it, as [`row::Row::content`] finds it again.
    pub(super) fn content(&self) -> [u8; HASH] {
        let (id, rest) = self.bytes.split_at_checked(ID).unwrap_or_default();
        let (created_at, rest) = rest.split_at_checked(self.time_len).unwrap_or_default();
        let (data, raw) = rest.split_at_checked(self.signature_len()).unwrap_or_default();
        let fields = Fields {
            id,
            created_at,
            msg_type: &self.msg_type,
            signer: &self.signer,
            err: self.err.as_deref(),
            raw_msg: self.raw_len.map(|_| raw),
            signature_type: Some(self.signature_type()),
            signature_data: self.signature.map(|_| data),
            created_ns: self.created_ns,
            outcome: Some(&self.outcome),
            denied_by: self.denied_by,
            caller: Some(&self.caller),
            cid: None,
        };
        fields.hash()
    }

    /// About how much memory it takes, bytes.
    pub(super) fn size(&self) -> usize {
        row::size(self.raw_len.unwrap_or_default())
    }

    /// Adds the [`VALUES`].
    pub(super) fn arguments(
        &self,
        into: &mut SqliteArguments,
        seq: i64,
        hash: &[u8; HASH],
    ) -> Result<(), BoxDynError> {
        let mut bytes = Vec::with_capacity(HASH.saturating_add(self.bytes.len()));
        bytes.extend_from_slice(hash);
        bytes.extend_from_slice(&self.bytes);
        // Counted from 1.
        let data = HASH.saturating_add(ID).saturating_add(self.time_len).saturating_add(1);
        let raw = data.saturating_add(self.signature_len());
        into.add(seq)?;
        into.add(bytes)?;
        into.add(number(self.time_len))?;
        into.add(self.msg_type.clone())?;
        into.add(self.signer.clone())?;
        into.add(self.err.clone())?;
        into.add(number(raw))?;
        into.add(self.raw_len.map(number))?;
        into.add(self.signature_type())?;
        into.add(number(data))?;
        into.add(self.signature.map(|(_, len)| number(len)))?;
        into.add(self.created_ns)?;
        into.add(self.outcome.clone())?;
        into.add(self.denied_by)?;
        into.add(self.caller.clone())
    }

    fn signature_len(&self) -> usize {
        self.signature.map_or(0, |(_, len)| len)
    }

    /// 0 for none, as Go writes it.
    fn signature_type(&self) -> i64 {
        self.signature.map_or(0, |(kind, _)| kind)
    }
}

fn number(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}

/// Texts that most records share.
struct Texts {
    types: Vec<(MsgType, Arc<str>)>,
    signed: Arc<str>,
    denied: Arc<str>,
    failed: Arc<str>,
    embedded: Arc<str>,
}

static TEXTS: LazyLock<Texts> = LazyLock::new(|| Texts {
    types: MsgType::ALL.iter().map(|kind| (*kind, kind.as_str().into())).collect(),
    signed: Outcome::Signed.as_str().into(),
    denied: Outcome::Denied.as_str().into(),
    failed: Outcome::Failed.as_str().into(),
    embedded: Caller::embedded().label().into(),
});

impl Texts {
    fn of_type(&self, kind: MsgType) -> Arc<str> {
        let known = self.types.iter().find(|(known, _)| *known == kind);
        known.map_or_else(|| kind.as_str().into(), |(_, text)| text.clone())
    }

    fn of_caller(&self, caller: &Caller) -> Arc<str> {
        match caller.origin {
            Origin::Embedded => self.embedded.clone(),
            _ => caller.label().into(),
        }
    }
}

fn cut(reason: &str) -> &str {
    let end = (0..=MAX_REASON.min(reason.len())).rev().find(|end| reason.is_char_boundary(*end));
    reason.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// CBOR of what was to be signed, as Go's wallet keeps it; of what could not be read, the bytes as they came.
fn raw<'a>(event: &AuditEvent<'a>) -> Option<Cow<'a, [u8]>> {
    let to_sign = event.request.to_sign;
    match event.payload {
        // What was read of `extra` is canonical CBOR, or it would not have been read.
        Some(Payload::Message(_)) => Some(Cow::Borrowed(&event.request.meta.extra)),
        Some(payload) => Some(Cow::Owned(payload.record_bytes())),
        None if to_sign.len() <= MAX_UNREAD => Some(Cow::Owned(byte_string(to_sign))),
        None => None,
    }
}

fn byte_string(bytes: &[u8]) -> Vec<u8> {
    let mut w = Writer::with_capacity(bytes.len().saturating_add(9));
    w.bytes(bytes);
    w.into_vec()
}

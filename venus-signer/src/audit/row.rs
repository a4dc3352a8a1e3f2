//! A record as it is kept.

use data_encoding::BASE32_NOPAD;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use venus_core::cbor::Writer;
use venus_core::crypto::hash::blake2b_256;
use venus_core::types::{Cid, MessageExt, Protocol, Signature};

use super::query::{Outcome, SignRecord, StoredRecord};
use super::{AuditEvent, Verdict, stamp};
use crate::payload::Payload;

/// Bytes of a reason that are kept.
const MAX_REASON: usize = 1024;
/// Bytes that are kept of a request that could not be read: enough to tell what it was meant to be.
const MAX_UNREAD: usize = 4096;

/// All columns but the place in the chain, in the order of [`COLUMNS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) created_at: String,
    pub(super) msg_type: String,
    pub(super) signer: String,
    pub(super) err: Option<String>,
    pub(super) raw_msg: Option<Vec<u8>>,
    pub(super) signature_type: Option<i64>,
    pub(super) signature_data: Option<Vec<u8>>,
    pub(super) created_ns: i64,
    pub(super) outcome: Option<String>,
    pub(super) denied_by: Option<String>,
    pub(super) caller: Option<String>,
    pub(super) cid: Option<String>,
}

/// What to select for [`Row::read`]. The cast is for drivers that make something else of a `datetime`.
pub(super) const COLUMNS: &str = "id, CAST(created_at AS TEXT), type, signer, err, raw_msg, signature_type, \
                                  signature_data, created_ns, outcome, denied_by, caller, cid, seq, hash";

impl Row {
    /// What is kept of an event.
    pub(super) fn of(event: &AuditEvent<'_>, id: String, created_ns: i64, signer: String) -> Self {
        let request = event.request;
        let (outcome, err, denied_by) = match event.verdict {
            Verdict::Signed(_) => (Outcome::Signed, None, None),
            Verdict::Denied { by, reason } => (Outcome::Denied, Some(reason), Some(by)),
            Verdict::Failed { reason } => (Outcome::Failed, Some(reason), None),
        };
        let signature: Option<&Signature> = match event.verdict {
            Verdict::Signed(signature) => Some(signature),
            _ => None,
        };
        Self {
            id,
            created_at: stamp::format(stamp::time(created_ns)),
            msg_type: request.meta.msg_type.as_str().to_owned(),
            signer,
            err: err.map(|reason| cut(reason).to_owned()),
            raw_msg: raw(event),
            signature_type: Some(signature.map_or(0, |signature| signature.sig_type as i64)),
            signature_data: signature.map(|signature| signature.data.clone()),
            created_ns,
            outcome: Some(outcome.as_str().to_owned()),
            denied_by: denied_by.map(str::to_owned),
            caller: Some(request.caller.label()),
            cid: cid(event),
        }
    }

    /// Reads [`COLUMNS`].
    pub(super) fn read(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get(0)?,
            created_at: row.try_get::<Option<String>, _>(1)?.unwrap_or_default(),
            msg_type: row.try_get::<Option<String>, _>(2)?.unwrap_or_default(),
            signer: row.try_get(3)?,
            err: row.try_get(4)?,
            raw_msg: row.try_get(5)?,
            signature_type: row.try_get(6)?,
            signature_data: row.try_get(7)?,
            created_ns: row.try_get::<Option<i64>, _>(8)?.unwrap_or_default(),
            outcome: row.try_get(9)?,
            denied_by: row.try_get(10)?,
            caller: row.try_get(11)?,
            cid: row.try_get(12)?,
        })
    }

    /// The hash of everything: fields with their lengths in fixed order, so that no two rows have the same bytes.
    pub(super) fn content(&self) -> [u8; 32] {
        let mut bytes = Vec::with_capacity(768);
        bytes.extend_from_slice(b"venus-audit-record-1");
        for text in [&self.id, &self.created_at, &self.msg_type, &self.signer] {
            field(&mut bytes, Some(text.as_bytes()));
        }
        field(&mut bytes, self.err.as_deref().map(str::as_bytes));
        field(&mut bytes, self.raw_msg.as_deref());
        field(&mut bytes, self.signature_type.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        field(&mut bytes, self.signature_data.as_deref());
        field(&mut bytes, Some(&self.created_ns.to_be_bytes()));
        for text in [&self.outcome, &self.denied_by, &self.caller, &self.cid] {
            field(&mut bytes, text.as_deref().map(str::as_bytes));
        }
        blake2b_256(&bytes)
    }

    /// About how much memory it takes, bytes.
    pub(super) fn size(&self) -> usize {
        let long = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        long(&self.raw_msg).saturating_add(1024)
    }

    /// The record, as answered.
    pub(super) fn into_record(self, seq: Option<i64>) -> StoredRecord {
        let kind = self.signature_type.and_then(|kind| u8::try_from(kind).ok());
        let signature = kind.and_then(|kind| kind.try_into().ok()).zip(self.signature_data);
        let record = SignRecord {
            id: self.id,
            msg_type: self.msg_type,
            signer: self.signer,
            err: self.err,
            raw_msg: self.raw_msg,
            signature: signature.map(|(sig_type, data)| Signature { sig_type, data }),
            created_at: stamp::time(self.created_ns),
        };
        StoredRecord {
            record,
            seq: seq.and_then(|seq| u64::try_from(seq).ok()),
            outcome: self.outcome.as_deref().and_then(Outcome::from_name),
            denied_by: self.denied_by,
            caller: self.caller,
            cid: self.cid,
        }
    }
}

fn field(bytes: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        None => bytes.push(0),
        Some(value) => {
            bytes.push(1);
            bytes.extend_from_slice(&(value.len() as u64).to_be_bytes());
            bytes.extend_from_slice(value);
        }
    }
}

fn cut(reason: &str) -> &str {
    let end = (0..=MAX_REASON.min(reason.len())).rev().find(|end| reason.is_char_boundary(*end));
    reason.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// CBOR of what was to be signed, as Go's wallet keeps it; of what could not be read, the bytes as they came.
fn raw(event: &AuditEvent<'_>) -> Option<Vec<u8>> {
    let to_sign = event.request.to_sign;
    match event.payload {
        // What was read of `extra` is canonical CBOR, or it would not have been read.
        Some(Payload::Message(_)) => Some(event.request.meta.extra.clone()),
        Some(payload) => Some(payload.record_bytes()),
        None if to_sign.len() <= MAX_UNREAD => Some(byte_string(to_sign)),
        None => None,
    }
}

fn byte_string(bytes: &[u8]) -> Vec<u8> {
    let mut w = Writer::with_capacity(bytes.len().saturating_add(9));
    w.bytes(bytes);
    w.into_vec()
}

fn cid(event: &AuditEvent<'_>) -> Option<String> {
    let Some(Payload::Message(message)) = event.payload else { return None };
    match message.from.protocol() {
        // These keys sign the CID's bytes.
        Protocol::BLS | Protocol::Secp256k1 => Some(base32(message.signing_bytes())),
        _ => Some(message.cid().to_string()),
    }
}

/// The text of a CID, without the detour over its parts.
fn base32(cid: &[u8]) -> String {
    debug_assert!(Cid::try_from(cid).is_ok());
    let mut text = BASE32_NOPAD.encode(cid);
    text.make_ascii_lowercase();
    text.insert(0, 'b');
    text
}

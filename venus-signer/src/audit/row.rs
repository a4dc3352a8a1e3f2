//! A record as it is read, and its hash.

use std::cell::RefCell;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use venus_core::cbor::Decode;
use venus_core::crypto::hash::blake2b_256;
use venus_core::types::{Message, MessageExt, MsgType, Signature};

use super::query::{Outcome, SignRecord, StoredRecord};
use super::stamp;

/// What to select for [`Row::read`]. The cast is for drivers that make something else of a `datetime`.
pub(super) const COLUMNS: &str = "id, CAST(created_at AS TEXT), type, signer, err, raw_msg, signature_type, \
                                  signature_data, created_ns, outcome, denied_by, caller, cid, seq, hash";

/// All columns but the place in the chain, in the order of [`COLUMNS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    id: String,
    created_at: String,
    msg_type: String,
    signer: String,
    err: Option<String>,
    raw_msg: Option<Vec<u8>>,
    signature_type: Option<i64>,
    signature_data: Option<Vec<u8>>,
    created_ns: i64,
    outcome: Option<String>,
    denied_by: Option<String>,
    caller: Option<String>,
    /// Older versions wrote it; it follows from `raw_msg`.
    cid: Option<String>,
}

impl Row {
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

    /// The hash of everything in it.
    pub(super) fn content(&self) -> [u8; 32] {
        let fields = Fields {
            id: self.id.as_bytes(),
            created_at: self.created_at.as_bytes(),
            msg_type: &self.msg_type,
            signer: &self.signer,
            err: self.err.as_deref(),
            raw_msg: self.raw_msg.as_deref(),
            signature_type: self.signature_type,
            signature_data: self.signature_data.as_deref(),
            created_ns: self.created_ns,
            outcome: self.outcome.as_deref(),
            denied_by: self.denied_by.as_deref(),
            caller: self.caller.as_deref(),
            cid: self.cid.as_deref(),
        };
        fields.hash()
    }

    /// About how much memory it takes, bytes.
    pub(super) fn size(&self) -> usize {
        size(self.raw_msg.as_ref().map_or(0, Vec::len))
    }

    /// The record, as Go answers it.
    pub(super) fn into_record(self) -> SignRecord {
        let kind = self.signature_type.and_then(|kind| u8::try_from(kind).ok());
        let signature = kind.and_then(|kind| kind.try_into().ok()).zip(self.signature_data);
        SignRecord {
            id: self.id,
            msg_type: self.msg_type,
            signer: self.signer,
            err: self.err,
            raw_msg: self.raw_msg,
            signature: signature.map(|(sig_type, data)| Signature { sig_type, data }),
            created_at: stamp::time(self.created_ns),
        }
    }

    /// The record, as answered, with all that is known of it.
    pub(super) fn into_stored(mut self, seq: Option<i64>) -> StoredRecord {
        StoredRecord {
            seq: seq.and_then(|seq| u64::try_from(seq).ok()),
            outcome: self.outcome.as_deref().and_then(Outcome::from_name),
            denied_by: self.denied_by.take(),
            caller: self.caller.take(),
            cid: self.cid.take().or_else(|| self.message_cid()),
            record: self.into_record(),
        }
    }

    fn message_cid(&self) -> Option<String> {
        if self.msg_type != MsgType::ChainMessage.as_str() {
            return None;
        }
        // Bytes that could not be read are there too, as a byte string, which is no message.
        Message::from_cbor(self.raw_msg.as_deref()?).ok().map(|message| message.cid().to_string())
    }
}

/// All columns that the hash of a record is made of.
pub(super) struct Fields<'a> {
    pub(super) id: &'a [u8],
    pub(super) created_at: &'a [u8],
    pub(super) msg_type: &'a str,
    pub(super) signer: &'a str,
    pub(super) err: Option<&'a str>,
    pub(super) raw_msg: Option<&'a [u8]>,
    pub(super) signature_type: Option<i64>,
    pub(super) signature_data: Option<&'a [u8]>,
    pub(super) created_ns: i64,
    pub(super) outcome: Option<&'a str>,
    pub(super) denied_by: Option<&'a str>,
    pub(super) caller: Option<&'a str>,
    pub(super) cid: Option<&'a str>,
}

thread_local! {
    /// Every record is encoded once, only to be hashed.
    static ENCODED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}
/// What a thread keeps of it: payloads may be long.
const KEPT: usize = 64 << 10;

impl Fields<'_> {
    /// The hash of everything: fields with their lengths in fixed order, so that no two rows have the same bytes.
    pub(super) fn hash(&self) -> [u8; 32] {
        ENCODED.with_borrow_mut(|bytes| {
            bytes.clear();
            self.encode(bytes);
            let hash = blake2b_256(bytes);
            bytes.shrink_to(KEPT);
            hash
        })
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(b"venus-audit-record-1");
        for text in [self.id, self.created_at, self.msg_type.as_bytes(), self.signer.as_bytes()] {
            field(bytes, Some(text));
        }
        field(bytes, self.err.map(str::as_bytes));
        field(bytes, self.raw_msg);
        field(bytes, self.signature_type.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        field(bytes, self.signature_data);
        field(bytes, Some(&self.created_ns.to_be_bytes()));
        for text in [self.outcome, self.denied_by, self.caller, self.cid] {
            field(bytes, text.map(str::as_bytes));
        }
    }
}

/// About how much memory a record takes, bytes.
pub(super) fn size(raw_msg: usize) -> usize {
    raw_msg.saturating_add(1024)
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

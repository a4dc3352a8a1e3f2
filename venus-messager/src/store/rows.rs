//! Rows of the databases, to and from the types of the store.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite};
use venus_core::api::{Attempt, GasSpec, MessageRequest, SendSpec};
use venus_core::cbor::{Decode, Encode};
use venus_core::types::{
    Address, BigInt, Cid, Message, MessageLookup, Receipt, SignedMessage, TipsetKey, TokenAmount, address,
};

use super::{Cursor, Seq, StoreError, StoredMessage};
use crate::state::RowState;

/// An error text is for people: what a node or signer says beyond this is cut.
const MAX_ERROR: usize = 2_000;

pub(super) fn corrupt(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}

pub(super) fn backend(e: sqlx::Error) -> StoreError {
    match e {
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) => corrupt(e),
        other => StoreError::Backend(other.into()),
    }
}

pub(super) fn to_i64(n: u64) -> Result<i64, StoreError> {
    i64::try_from(n).map_err(|_| corrupt(format_args!("nonce {n} does not fit the store")))
}

pub(super) fn to_u64(n: i64) -> Result<u64, StoreError> {
    u64::try_from(n).map_err(|_| corrupt(format_args!("nonce {n} is negative")))
}

pub(super) fn cut(error: Option<&str>) -> Option<String> {
    error.map(|text| text.chars().take(MAX_ERROR).collect())
}

/// The columns of a [`MessageLookup`], all null if there is none.
#[derive(Default)]
pub(super) struct UsedColumns {
    pub(super) cid: Option<String>,
    pub(super) key: Option<String>,
    pub(super) tipset: Option<Vec<u8>>,
    pub(super) height: Option<i64>,
    pub(super) receipt: Option<Vec<u8>>,
}

impl UsedColumns {
    pub(super) fn of(used: Option<&MessageLookup>) -> Self {
        used.map_or_else(Self::default, |used| Self {
            cid: Some(used.message.to_string()),
            key: Some(used.tipset.cid().to_string()),
            tipset: Some(used.tipset.to_cbor()),
            height: Some(used.height),
            receipt: Some(used.receipt.to_cbor()),
        })
    }
}

fn column<'r, T>(row: &'r SqliteRow, name: &'static str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(name).map_err(backend)
}

fn decoded<T: Decode>(bytes: &[u8], what: &str) -> Result<T, StoreError> {
    T::from_cbor(bytes).map_err(|e| corrupt(format_args!("{what}: {e}")))
}

pub(super) fn read_address(text: &str) -> Result<Address, StoreError> {
    address::parse(text).map_err(|e| corrupt(format_args!("sender: {e}")))
}

fn read_cid(text: &str) -> Result<Cid, StoreError> {
    Cid::try_from(text).map_err(|e| corrupt(format_args!("cid: {e}")))
}

/// A message without its attempts.
pub(super) fn read_message(row: &SqliteRow) -> Result<StoredMessage, StoreError> {
    let state: &str = column(row, "state")?;
    let nonce: Option<i64> = column(row, "nonce")?;
    Ok(StoredMessage {
        seq: column(row, "seq")?,
        id: column(row, "id")?,
        sender: read_address(column(row, "sender")?)?,
        request: read_request(row)?,
        state: RowState::from_name(state).ok_or_else(|| corrupt(format_args!("state {state:?}")))?,
        nonce: nonce.map(to_u64).transpose()?,
        attempts: Vec::new(),
        used: read_used(row)?,
        error: column(row, "error")?,
    })
}

fn read_request(row: &SqliteRow) -> Result<MessageRequest, StoreError> {
    let max_fee: &str = column(row, "max_fee")?;
    let max_fee: BigInt = max_fee.parse().map_err(|_| corrupt("max_fee is no decimal number"))?;
    let gas = GasSpec {
        max_fee: TokenAmount::from_atto(max_fee),
        over_estimation: column(row, "over_estimation")?,
        over_premium: column(row, "over_premium")?,
    };
    let message: Message = decoded(column(row, "request")?, "request")?;
    Ok(MessageRequest { message, spec: SendSpec { gas, expires_at: column(row, "expires_at")? } })
}

fn read_used(row: &SqliteRow) -> Result<Option<MessageLookup>, StoreError> {
    let Some(cid) = column::<Option<&str>>(row, "used_cid")? else { return Ok(None) };
    Ok(Some(MessageLookup {
        message: read_cid(cid)?,
        receipt: decoded::<Receipt>(column(row, "receipt")?, "receipt")?,
        tipset: decoded::<TipsetKey>(column(row, "used_tipset")?, "used_tipset")?,
        height: column(row, "used_height")?,
    }))
}

/// An attempt and the message that it belongs to.
pub(super) fn read_attempt(row: &SqliteRow) -> Result<(Seq, Attempt), StoreError> {
    let signed: SignedMessage = decoded(column(row, "signed")?, "attempt")?;
    let attempt = super::memory::attempt_of(&signed);
    // The bytes are self-certifying: a flipped bit shows here and not at the node.
    if attempt.cid != read_cid(column(row, "cid")?)? {
        return Err(corrupt("an attempt does not match its CID"));
    }
    Ok((column(row, "seq")?, attempt))
}

pub(super) fn read_cursor(row: &SqliteRow) -> Result<Cursor, StoreError> {
    Ok(Cursor { tipset: decoded(column(row, "tipset")?, "head tipset")?, height: column(row, "height")? })
}

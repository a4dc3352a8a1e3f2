//! Columns, to and from what the model is made of.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};
use uuid::Uuid;
use venus_core::types::{Address, Network, address};

use super::db::Value;
use crate::store::StoreError;

/// UTC, of one width, so that text sorts as time does.
const STAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:9]");
/// What databases answer when a time is cast to text.
const WHOLE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
const PARTS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond]");
/// Characters of a time up to its second.
pub(super) const TIME_SECONDS: usize = 19;
/// Go's zero time as MySQL keeps it.
const ZERO: &str = "0000-00-00";

/// A time as text.
pub(super) fn stamp(at: OffsetDateTime) -> String {
    // Years that four digits hold always format; others are no times of accounts.
    at.to_offset(UtcOffset::UTC).format(STAMP).unwrap_or_else(|_| "1970-01-01 00:00:00.000000000".into())
}

/// An address as sophon-auth stores it: without the letter of the network.
pub(super) fn bare(address: &Address) -> String {
    address::format(address, Network::Mainnet).split_off(1)
}

pub(super) fn corrupt(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}

/// The columns of a row, taken from left to right.
pub(super) struct Columns(std::vec::IntoIter<Value>);

impl Columns {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }

    fn next(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Null)
    }

    pub(super) fn maybe(&mut self) -> Option<String> {
        match self.next() {
            Value::Null => None,
            Value::Int(n) => Some(n.to_string()),
            Value::Text(text) => Some(text),
        }
    }

    /// Text; nothing is the empty text, as Go reads it.
    pub(super) fn text(&mut self) -> String {
        self.maybe().unwrap_or_default()
    }

    pub(super) fn int(&mut self) -> Result<i64, StoreError> {
        match self.next() {
            Value::Null => Ok(0),
            Value::Int(n) => Ok(n),
            Value::Text(text) => text.parse().map_err(|_| corrupt(format_args!("{text:?} is no number"))),
        }
    }

    pub(super) fn flag(&mut self) -> Result<bool, StoreError> {
        Ok(self.int()? != 0)
    }

    pub(super) fn maybe_time(&mut self) -> Result<Option<OffsetDateTime>, StoreError> {
        self.maybe().map(|text| parse_time(&text)).transpose()
    }

    /// A time; nothing is the epoch.
    pub(super) fn time(&mut self) -> Result<OffsetDateTime, StoreError> {
        Ok(self.maybe_time()?.unwrap_or(OffsetDateTime::UNIX_EPOCH))
    }

    pub(super) fn maybe_uuid(&mut self) -> Result<Option<Uuid>, StoreError> {
        let Some(text) = self.maybe() else { return Ok(None) };
        Uuid::parse_str(&text).map(Some).map_err(|_| corrupt(format_args!("{text:?} is no UUID")))
    }

    pub(super) fn address(&mut self) -> Result<Address, StoreError> {
        let text = self.text();
        address::parse(&format!("f{text}")).map_err(|e| corrupt(format_args!("address {text:?}: {e}")))
    }

    /// A JSON list of text.
    pub(super) fn list(&mut self) -> Result<Vec<String>, StoreError> {
        match self.maybe() {
            None => Ok(Vec::new()),
            Some(text) => serde_json::from_str(&text).map_err(|_| corrupt("a list that is no JSON")),
        }
    }
}

fn parse_time(text: &str) -> Result<OffsetDateTime, StoreError> {
    if text.starts_with(ZERO) {
        return Ok(OffsetDateTime::UNIX_EPOCH);
    }
    let format = if text.len() > TIME_SECONDS { PARTS } else { WHOLE };
    let time = PrimitiveDateTime::parse(text, format);
    time.map(PrimitiveDateTime::assume_utc).map_err(|_| corrupt(format_args!("{text:?} is no time")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_and_sort() {
        let at = OffsetDateTime::from_unix_timestamp_nanos(1_700_000_000_000_000_007).unwrap();
        assert_eq!(stamp(at), "2023-11-14 22:13:20.000000007");
        assert_eq!(parse_time(&stamp(at)).unwrap(), at);
        assert_eq!(parse_time("2023-11-14 22:13:20").unwrap().unix_timestamp(), 1_700_000_000);
        assert_eq!(parse_time("2023-11-14 22:13:20.5").unwrap().millisecond(), 500);
        assert_eq!(parse_time("0000-00-00 00:00:00").unwrap(), OffsetDateTime::UNIX_EPOCH);
        for text in ["", "x", "2023-13-14 22:13:20", "2023-11-14T22:13:20Z", "2023-11-14 22:13:20.x"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }
}

//! What executing a message left behind.

use cid::Cid;
use fvm_shared::error::ExitCode;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::cbor::{CborError, CborErrorKind as Kind, Decode, Encode, FieldContext, Reader, Writer};
use crate::json::{JsonRef, lotus_json};

/// The two CBOR forms of a receipt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReceiptVersion {
    /// Three members, before network version 18.
    V0,
    /// Four members, with a root of events.
    #[default]
    V1,
}

/// A message receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// 0 when the message succeeded.
    pub exit_code: ExitCode,
    /// What the method returned, CBOR by convention.
    pub return_data: Vec<u8>,
    /// Gas that was used.
    pub gas_used: i64,
    /// Root of the events, if there were any. Only in [`ReceiptVersion::V1`].
    pub events_root: Option<Cid>,
    /// The CBOR form.
    pub version: ReceiptVersion,
}

impl Receipt {
    /// A receipt of today's form without events.
    pub fn new(exit_code: ExitCode, return_data: Vec<u8>, gas_used: i64) -> Self {
        Self { exit_code, return_data, gas_used, events_root: None, version: ReceiptVersion::V1 }
    }
}

impl Encode for Receipt {
    fn encode(&self, w: &mut Writer) {
        w.array(match self.version {
            ReceiptVersion::V0 => 3,
            ReceiptVersion::V1 => 4,
        });
        self.exit_code.encode(w);
        self.return_data.encode(w);
        w.int(self.gas_used);
        if self.version == ReceiptVersion::V1 {
            self.events_root.encode(w);
        }
    }
}

impl Decode for Receipt {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        decode(r).in_field("MessageReceipt")
    }
}

fn decode(r: &mut Reader<'_>) -> Result<Receipt, CborError> {
    let start = r.offset();
    let version = match r.array(4)? {
        3 => ReceiptVersion::V0,
        4 => ReceiptVersion::V1,
        found => return Err(CborError::new(start, Kind::WrongLength { expected: 4, found })),
    };
    Ok(Receipt {
        exit_code: Decode::decode(r).in_field("ExitCode")?,
        return_data: Decode::decode(r).in_field("Return")?,
        gas_used: r.int().in_field("GasUsed")?,
        events_root: match version {
            ReceiptVersion::V0 => None,
            ReceiptVersion::V1 => Decode::decode(r).in_field("EventsRoot")?,
        },
        version,
    })
}

impl Serialize for Receipt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("ExitCode", &JsonRef(&self.exit_code))?;
        map.serialize_entry("Return", &JsonRef(&self.return_data))?;
        map.serialize_entry("GasUsed", &self.gas_used)?;
        map.serialize_entry("EventsRoot", &JsonRef(&self.events_root))?;
        map.end()
    }
}

struct Wire {
    exit_code: ExitCode,
    return_data: Vec<u8>,
    gas_used: i64,
    events_root: Option<Cid>,
}

lotus_json!(@read Wire {
    exit_code: "ExitCode",
    return_data: "Return",
    gas_used: "GasUsed",
    events_root: "EventsRoot",
});

impl<'de> Deserialize<'de> for Receipt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Wire { exit_code, return_data, gas_used, events_root } = Wire::deserialize(deserializer)?;
        Ok(Self { exit_code, return_data, gas_used, events_root, version: ReceiptVersion::V1 })
    }
}

lotus_json!(@delegate Receipt);

//! Addresses, amounts, links, raw bytes and messages.

use std::str::FromStr;

use cid::{Cid, Version, multibase};
use fvm_ipld_encoding::RawBytes;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use num_bigint::BigInt;
use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::CowText;
use super::{LotusJson, current_network};
use crate::cbor::MAX_BIGINT;
use crate::types::address;
use crate::types::cids::{CidText, cid_from_base32};

/// Longest decimal text of a big integer that is read: 128 bytes hold at most 309 digits.
const MAX_DECIMAL: usize = 320;
/// Bits of the largest big integer: one of the bytes that CBOR allows is the sign.
const MAX_BITS: u64 = 8 * (MAX_BIGINT as u64 - 1);
/// Longest text of a CID that is read. A digest has at most 64 bytes, and base 2 writes eight digits a byte.
const MAX_CID_TEXT: usize = 1024;

impl LotusJson for Address {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(address::Text::of(self, current_network()).as_str())
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = CowText::deserialize(deserializer)?;
        address::parse(&text.0).map_err(D::Error::custom)
    }
}

impl LotusJson for BigInt {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = CowText::deserialize(deserializer)?;
        let digits = text.0.strip_prefix('-').unwrap_or(&text.0);
        if digits.is_empty() || digits.len() > MAX_DECIMAL || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(D::Error::custom("not a decimal integer of at most 320 digits"));
        }
        if let Ok(small) = text.0.parse::<i128>() {
            return Ok(small.into());
        }
        let value = Self::from_str(&text.0).map_err(D::Error::custom)?;
        if value.bits() > MAX_BITS {
            return Err(D::Error::custom("exceeds 127 bytes"));
        }
        Ok(value)
    }

    fn absent() -> Option<Self> {
        Some(Self::ZERO)
    }
}

impl LotusJson for TokenAmount {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.atto().write(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BigInt::read(deserializer).map(Self::from_atto)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

impl LotusJson for Cid {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self.version() {
            Version::V0 => map.serialize_entry("/", &self.to_string())?,
            Version::V1 => map.serialize_entry("/", CidText::of(self).as_str())?,
        }
        map.end()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Link<'a> {
            #[serde(rename = "/", borrow)]
            cid: CowText<'a>,
        }
        let link = Link::deserialize(deserializer)?;
        parse_cid(&link.cid.0).map_err(|e| D::Error::custom(format_args!("CID: {e}")))
    }
}

/// `Cid::from_str` looks for paths (`/ipfs/…`) and passes over bytes behind the CID, so that several texts would
/// stand for one CID.
fn parse_cid(text: &str) -> Result<Cid, String> {
    if let Some(cid) = cid_from_base32(text) {
        return Ok(cid);
    }
    if text.len() > MAX_CID_TEXT {
        return Err(format!("longer than {MAX_CID_TEXT} characters"));
    }
    let cid = Cid::from_str(text).map_err(|e| e.to_string())?;
    let canonical = match cid.version() {
        Version::V0 => cid.to_string() == text,
        Version::V1 => multibase::decode(text)
            .is_ok_and(|(base, bytes)| cid.to_bytes() == bytes && multibase::encode(base, bytes) == text),
    };
    if canonical { Ok(cid) } else { Err("not canonical".into()) }
}

impl LotusJson for RawBytes {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.bytes().to_vec().write(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<u8>::read(deserializer).map(Self::new)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

impl LotusJson for ExitCode {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(Self::new)
    }

    fn absent() -> Option<Self> {
        Some(Self::OK)
    }
}
